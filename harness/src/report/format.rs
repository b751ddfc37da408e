//! How figures are written: the same in the page, in the terminal and in the verdict.

use crate::study::summary::{Data, Outcome, Row, Spread};

/// What stands for a figure that does not exist.
pub(super) const NOTHING: &str = "–";

/// Text made safe for HTML content and for attributes in double or single quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() && c != '\n' => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// A fraction without its leading zero: `.853`.
pub(super) fn fraction(value: f64) -> String {
    let text = format!("{value:.3}");
    text.strip_prefix('0').map_or_else(|| text.clone(), str::to_owned)
}

/// Median, least and largest accuracy: `.853 [.841-.862]`.
pub(super) fn accuracy(spread: Option<&Spread>) -> String {
    spread.map_or_else(
        || NOTHING.to_owned(),
        |s| format!("{} [{}-{}]", fraction(s.median), fraction(s.min), fraction(s.max)),
    )
}

/// A log10 with one decimal, without it from ten on: `-18`, `-0.3`.
pub(super) fn decades(value: Option<f64>) -> String {
    match value {
        None => NOTHING.to_owned(),
        Some(v) if v.abs() >= 9.95 => format!("{v:.0}"),
        Some(v) if v.abs() < 0.05 => "0.0".to_owned(),
        Some(v) => format!("{v:.1}"),
    }
}

/// The ratio of the first layer's gradient to the last one's, before and after training: `-18 -> -0.3`.
pub(super) fn ratios(row: &Row, arrow: &str) -> String {
    let median = |spread: &Option<Spread>| spread.as_ref().map(|s| s.median);
    match (median(&row.ratio_start), median(&row.ratio_end)) {
        (None, None) => NOTHING.to_owned(),
        (start, end) => format!("{}{arrow}{}", decades(start), decades(end)),
    }
}

/// A positive figure with three significant digits: `0.236`, `4.24`, `313`, `2.30e-5`.
pub(super) fn significant(value: f64) -> String {
    let magnitude = value.abs().log10().floor();
    if value == 0.0 {
        "0".to_owned()
    } else if (-4.0..6.0).contains(&magnitude) {
        format!("{value:.*}", (2.0 - magnitude).max(0.0) as usize)
    } else {
        format!("{value:.2e}")
    }
}

/// What a network that learned nothing answers, always.
pub(super) fn baseline(data: &Data) -> &'static str {
    if data.classes == 1 { "the mean" } else { "the commonest class" }
}

/// A round figure on an axis: `0.25`, `−4`, `1.5e4`, `2e38`.
pub(super) fn tick(value: f64) -> String {
    let text = if value.abs() < 1e4 {
        trimmed(&format!("{value:.2}"))
    } else {
        format!("{value:.1e}").replace(".0e", "e")
    };
    if text == "-0" { "0".to_owned() } else { text.replace('-', "−") }
}

/// A figure with three significant digits and no zeros that say nothing: `0.25`, `1`, `2.26e7`.
pub(super) fn concise(value: f64) -> String {
    let text = significant(value);
    if text.contains('e') { text } else { trimmed(&text) }
}

/// A decimal number without zeros at its end.
fn trimmed(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

/// `10^log10` in words: three digits up to ten thousand, a power of ten beyond.
pub(super) fn power(log10: f64) -> String {
    if log10.abs() < 4.0 { significant(10f64.powf(log10)) } else { power_of_ten(log10.round()) }
}

/// `10^log10` with three digits, however small or large: `0.236`, `3.40e-412`.
pub(super) fn exactly(log10: f64) -> String {
    if log10.abs() < 300.0 {
        return significant(10f64.powf(log10));
    }
    let exponent = log10.floor();
    format!("{:.2}e{exponent:.0}", 10f64.powf(log10 - exponent))
}

/// `10⁻¹⁸`, for a whole exponent.
pub(super) fn power_of_ten(exponent: f64) -> String {
    let superscript = |c| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '0'..='9' => char::from_u32('⁰' as u32 + (c as u32 - '0' as u32)).unwrap_or(c),
        c => c,
    };
    format!("10{}", format!("{exponent:.0}").chars().map(superscript).collect::<String>())
}

/// Multiply-adds: `12.3 G`, `456 M`.
pub(super) fn operations(count: u64) -> String {
    let count = count as f64;
    let (scaled, unit) = match count {
        c if c >= 1e12 => (c / 1e12, " T"),
        c if c >= 1e9 => (c / 1e9, " G"),
        c if c >= 1e6 => (c / 1e6, " M"),
        c if c >= 1e3 => (c / 1e3, " k"),
        c => (c, ""),
    };
    format!("{}{unit}", significant(scaled))
}

/// Seconds: `0.5`, `12`, `140`.
pub(crate) fn seconds(value: f64) -> String {
    let decimals = usize::from(value < 10.0);
    format!("{value:.decimals$}")
}

/// The verdict in a word.
pub(super) fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Trains => "trains",
        Outcome::Partial => "partial",
        Outcome::Stuck => "stuck",
        Outcome::Diverged { .. } => "diverged",
    }
}

/// Where and when a run diverged: `step 4, layer 12`. None if it did not.
pub(super) fn divergence(row: &Row) -> Option<String> {
    let Outcome::Diverged { step, layer, .. } = row.outcome else { return None };
    Some(if layer > row.depth {
        format!("step {step}, output")
    } else {
        format!("step {step}, layer {layer}")
    })
}

/// A count with its noun: `1 seed`, `5 seeds`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Names in a sentence: `a, b and c`.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}
