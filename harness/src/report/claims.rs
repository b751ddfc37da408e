//! A study's claims with what became of them.

use super::format::{NOTHING, concise, escape};
use crate::study::claim::{Check, Claim, Figure, Verdict};
use crate::study::summary::Summary;

/// A check in words: `factor per layer of a/b is 0.236 (below 0.25: yes)`.
pub(super) fn sentence(check: &Check) -> String {
    let found = match (check.figure, check.found) {
        (_, None) => NOTHING.to_owned(),
        (Figure::Accuracy | Figure::OverLinear, Some(found)) => format!("{found:.3}"),
        (_, Some(found)) => concise(found),
    };
    let holds = if check.holds { "yes" } else { "no" };
    format!("{} of {} is {found} ({}: {holds})", check.figure, check.of, check.wanted)
}

/// The section of the page; empty without claims.
pub(super) fn html(summary: &Summary) -> String {
    if summary.claims.is_empty() {
        return String::new();
    }
    let rows = summary.claims.iter().map(|claim| {
        let checks: String =
            claim.checks.iter().map(|check| format!("<li>{}</li>\n", escape(&sentence(check)))).collect();
        format!(
            "<tr><th scope=\"row\">{} <small>{}</small></th><td><span class=\"outcome {}\">{}</span></td>\
             <td><ul>\n{checks}</ul></td></tr>\n",
            escape(&claim.says),
            escape(&claim.note),
            class(claim),
            claim.verdict
        )
    });
    format!(
        "<section class=\"group\">\n<h2>Claims</h2>\n<table class=\"claims\"><caption>Each claim with the figures that confirm or refute it, \
         medians over the seeds.</caption>\n<thead><tr><th scope=\"col\">claim</th><th scope=\"col\">verdict</th>\
         <th scope=\"col\">figures</th></tr></thead>\n<tbody>\n{}</tbody></table>\n</section>\n",
        rows.collect::<String>()
    )
}

/// The look of a verdict: that of the outcome it is like.
fn class(claim: &Claim) -> &'static str {
    match claim.verdict {
        Verdict::Confirmed => "trains",
        Verdict::InPart => "partial",
        Verdict::Refuted => "diverged",
    }
}
