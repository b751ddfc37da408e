//! Claims: sentences of a study's file that its figures confirm or refute.
//!
//! A claim holds as far as its checks do: each compares a figure of one row, the median over its seeds, with a number or with
//! the same figure of another row. All hold: confirmed; none: refuted; else it holds in part.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::plan::GroupPlan;
use super::summary::{Course, Group, LayerFigures, Outcome, Row, Spread};
use crate::suggest::did_you_mean;

/// `[[claim]]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimTable {
    /// The claim, in a sentence.
    pub(super) says: String,
    /// What to know about it: why it holds or does not.
    #[serde(default)]
    pub(super) note: String,
    /// What must hold.
    #[serde(rename = "check")]
    pub(super) checks: Vec<CheckTable>,
}

/// `[[claim.check]]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckTable {
    /// Which figure.
    pub(super) figure: Figure,
    /// Of which row, as `group/row`.
    pub(super) of: String,
    /// It must be larger than this.
    pub(super) above: Option<f64>,
    /// It must be smaller than this.
    pub(super) below: Option<f64>,
    /// It must be larger than that of this row.
    pub(super) above_row: Option<String>,
    /// It must be smaller than that of this row.
    pub(super) below_row: Option<String>,
    /// Factor on the other row's figure; 1 if it is left out.
    pub(super) times: Option<f64>,
}

/// What a check looks at.
///
/// ```
/// use isobath::study::claim::Figure;
///
/// // As a study's file names it, and as a report says it.
/// let figure: Figure = serde_json::from_str(r#""decades-at-end""#)?;
/// assert_eq!(figure, Figure::DecadesAtEnd);
/// assert_eq!(figure.to_string(), "log10 gradient ratio after training");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// Test accuracy.
    Accuracy,
    /// How far it lies above the linear classifier's.
    OverLinear,
    /// Seeds that diverged.
    DivergedSeeds,
    /// ||delta^l|| / ||delta^(l+1)|| before the first step: the mean factor per layer or block.
    Factor,
    /// log10 of ||delta^1|| / ||delta^L|| after the last step.
    DecadesAtEnd,
    /// ||W_end - W_start|| / ||W_start|| of the first layer.
    FirstLayerMoved,
    /// The same of the last layer.
    LastLayerMoved,
    /// The norm of all hidden weights together over the recorded steps: the largest over the first.
    WeightGrowth,
    /// Fraction of dead units after the last step: those without a slope on any sample.
    Dead,
    /// Fraction of units and samples whose slope is below 1 % of the largest, after the last step.
    Saturated,
    /// Mean over deviation of the hidden outputs before the first step: how far they are from centred.
    Shift,
    /// Milliseconds of a step. Differs between machines.
    StepMilliseconds,
    /// Multiply-adds of a run.
    MultiplyAdds,
}

impl fmt::Display for Figure {
    /// In words, as they stand before `of`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accuracy => "accuracy",
            Self::OverLinear => "accuracy over the linear classifier's",
            Self::DivergedSeeds => "diverged seeds",
            Self::Factor => "gradient's factor per layer",
            Self::DecadesAtEnd => "log10 gradient ratio after training",
            Self::FirstLayerMoved => "relative change of the first layer's weights",
            Self::LastLayerMoved => "relative change of the last layer's weights",
            Self::WeightGrowth => "growth of the weights",
            Self::Dead => "dead units",
            Self::Saturated => "saturated units",
            Self::Shift => "mean over deviation of the outputs",
            Self::StepMilliseconds => "milliseconds per step",
            Self::MultiplyAdds => "multiply-adds",
        })
    }
}

/// How far a claim holds.
///
/// ```
/// use isobath::study::claim::Verdict;
///
/// assert_eq!(Verdict::InPart.to_string(), "in part");
/// assert_eq!(serde_json::to_string(&Verdict::InPart)?, r#""in-part""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All checks hold.
    Confirmed,
    /// Some do.
    InPart,
    /// None does.
    Refuted,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confirmed => "confirmed",
            Self::InPart => "in part",
            Self::Refuted => "refuted",
        })
    }
}

/// A claim and what became of it.
///
/// ```
/// use isobath::study::claim::{Claim, Verdict};
///
/// // One of the claims in a summary.json.
/// let claim: Claim = serde_json::from_str(
///     r#"{
///         "says": "The network diverges, and clipping keeps it from that.",
///         "note": "",
///         "verdict": "in-part",
///         "checks": [
///             { "figure": "diverged-seeds", "of": "a/sick", "found": 3.0, "wanted": "above 0", "holds": true },
///             { "figure": "diverged-seeds", "of": "a/clipped", "found": 1.0, "wanted": "below 1", "holds": false }
///         ]
///     }"#,
/// )?;
/// assert_eq!(claim.verdict, Verdict::InPart);
/// assert_eq!(claim.checks.iter().filter(|check| check.holds).count(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The claim.
    pub says: String,
    /// What to know about it.
    pub note: String,
    /// How far it holds.
    pub verdict: Verdict,
    /// Its checks.
    pub checks: Vec<Check>,
}

/// A check and what was found.
///
/// ```
/// use isobath::study::claim::{Check, Figure};
///
/// let check: Check = serde_json::from_str(
///     r#"{ "figure": "accuracy", "of": "a/sick", "found": null, "wanted": "above 0.5", "holds": false }"#,
/// )?;
/// assert_eq!(check.figure, Figure::Accuracy);
/// // What was never measured fulfils nothing.
/// assert!(check.found.is_none() && !check.holds);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Which figure.
    pub figure: Figure,
    /// Of which row.
    pub of: String,
    /// The figure; null where it does not exist, which fails the check.
    pub found: Option<f64>,
    /// What it had to be, such as `above 0.5`.
    pub wanted: String,
    /// Whether it was.
    pub holds: bool,
}

/// An error unless every row that a claim names is there, and every check compares with something.
pub(super) fn check(claims: &[ClaimTable], groups: &[GroupPlan]) -> Result<(), String> {
    let is_row = |path: &str| {
        groups.iter().any(|group| group.rows.iter().any(|row| path == format!("{}/{}", group.name, row.name)))
    };
    for claim in claims {
        let of = |what: String| Err(format!("claim `{}`: {what}", claim.says));
        if claim.checks.is_empty() {
            return of("there is no [[claim.check]]; at least one is needed".to_owned());
        }
        for check in &claim.checks {
            let CheckTable { above, below, above_row, below_row, times, .. } = check;
            for row in std::iter::once(&check.of).chain(above_row).chain(below_row) {
                if !is_row(row) {
                    let names: Vec<String> = groups
                        .iter()
                        .flat_map(|group| {
                            group.rows.iter().map(move |row| format!("{}/{}", group.name, row.name))
                        })
                        .collect();
                    let near = did_you_mean(row, names.iter().map(String::as_str));
                    return of(format!("`{row}` is no row of this study; a row is named group/row{near}"));
                }
            }
            if above.is_none() && below.is_none() && above_row.is_none() && below_row.is_none() {
                return of("a check needs above, below, above_row or below_row".to_owned());
            }
            if [above, below, times].into_iter().flatten().any(|value| !value.is_finite()) {
                return of("above, below and times must be finite numbers".to_owned());
            }
            if times.is_some() && above_row.is_none() && below_row.is_none() {
                return of("times belongs to above_row and below_row".to_owned());
            }
        }
    }
    Ok(())
}

/// Holds the claims against a study's groups. `linear` is the linear classifier's accuracy for each.
pub(super) fn judge(claims: &[ClaimTable], groups: &[Group], linear: &[Option<f64>]) -> Vec<Claim> {
    let find = |path: &str| {
        let rows =
            groups.iter().zip(linear).flat_map(|(g, linear)| g.rows.iter().map(move |row| (g, row, *linear)));
        rows.into_iter().find(|(group, row, _)| path == format!("{}/{}", group.name, row.name))
    };
    let of = |figure, path: &str| find(path).and_then(|(_, row, linear)| value(figure, row, linear));
    let judged = |table: &CheckTable| {
        let found = of(table.figure, &table.of);
        let times = table.times.unwrap_or(1.0);
        let mut wanted = Vec::new();
        let mut holds = found.is_some();
        let mut demand = |text: String, bound: Option<f64>, above: bool| {
            wanted.push(text);
            let fits = |(found, bound): (f64, f64)| if above { found > bound } else { found < bound };
            holds &= found.zip(bound).is_some_and(fits);
        };
        for (bound, row, above) in
            [(table.above, &table.above_row, true), (table.below, &table.below_row, false)]
        {
            let word = if above { "above" } else { "below" };
            if let Some(bound) = bound {
                demand(format!("{word} {bound}"), Some(bound), above);
            }
            if let Some(row) = row {
                let other = of(table.figure, row).map(|other| other * times);
                let shown = other.map_or_else(|| "none".to_owned(), |other| format!("{other:.3}"));
                let factor = if times == 1.0 { String::new() } else { format!("{times} times ") };
                demand(format!("{word} {factor}that of {row}, {shown}"), other, above);
            }
        }
        let wanted = wanted.join(" and ");
        Check { figure: table.figure, of: table.of.clone(), found, wanted, holds }
    };
    let claim = |table: &ClaimTable| {
        let checks: Vec<Check> = table.checks.iter().map(judged).collect();
        let verdict = match checks.iter().filter(|check| check.holds).count() {
            0 => Verdict::Refuted,
            held if held == checks.len() => Verdict::Confirmed,
            _ => Verdict::InPart,
        };
        Claim { says: table.says.clone(), note: table.note.clone(), verdict, checks }
    };
    claims.iter().map(claim).collect()
}

/// The mean of figures; none of none.
fn mean(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = figures.fold((0.0, 0), |(sum, count), figure| (sum + figure, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// The largest norm of all hidden weights together over the first.
fn weight_growth(course: &Course) -> Option<f64> {
    let norms = course.log10_w.iter().map(|layers| {
        let squares = layers.iter().flatten().map(|log10| 100f64.powf(*log10));
        squares.sum::<f64>().sqrt()
    });
    let norms: Vec<f64> = norms.collect();
    let first = *norms.first().filter(|first| **first > 0.0)?;
    Some(norms.iter().copied().fold(first, f64::max) / first)
}

/// A figure of a row.
fn value(figure: Figure, row: &Row, linear: Option<f64>) -> Option<f64> {
    let median = |spread: &Option<Spread>| spread.as_ref().map(|spread| spread.median);
    let layers = row.depth.saturating_sub(1).max(1) as f64;
    match figure {
        Figure::Accuracy => median(&row.accuracy),
        Figure::OverLinear => Some(median(&row.accuracy)? - linear?),
        Figure::DivergedSeeds => Some(match row.outcome {
            Outcome::Diverged { seeds, .. } => seeds as f64,
            _ => 0.0,
        }),
        Figure::Factor => median(&row.ratio_start).map(|ratio| 10f64.powf(ratio / layers)),
        Figure::DecadesAtEnd => median(&row.ratio_end),
        Figure::FirstLayerMoved => row.layers.first()?.moved,
        Figure::LastLayerMoved => row.layers.last()?.moved,
        Figure::WeightGrowth => weight_growth(&row.course),
        Figure::Dead => mean(row.layers.iter().filter_map(|layer| layer.dead[1])),
        Figure::Saturated => mean(row.layers.iter().filter_map(|layer| layer.saturated[1])),
        Figure::Shift => {
            let ratio = |layer: &LayerFigures| Some((layer.mean[0]? / layer.deviation[0]?).abs());
            mean(row.layers.iter().filter_map(ratio).filter(|ratio| ratio.is_finite()))
        }
        Figure::StepMilliseconds => Some(1e3 * row.step_seconds?),
        Figure::MultiplyAdds => Some(row.multiply_adds as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::smallest::plan;

    const REST: &str = r#"
[[group.remedy]]
name = "b"
activation = "relu"
[[claim]]
says = "c"
[[claim.check]]
figure = "accuracy"
of = "g/a"
above = 0.5
"#;

    /// The claims of a study like the one above.
    fn claims(from: &str, to: &str) -> Result<Vec<ClaimTable>, String> {
        plan(REST, from, to).map(|plan| plan.claims)
    }

    /// A group of two rows with these accuracies and gradient ratios.
    fn group(rows: [(f64, f64); 2]) -> Group {
        let row = |name: &str, (accuracy, ratio): (f64, f64)| {
            let sample = crate::report::sample::remedies().groups[0].rows[0].clone();
            let (accuracy, ratio_start) = (Spread::of(&[accuracy]), Spread::of(&[ratio]));
            Row { name: name.to_owned(), depth: 3, accuracy, ratio_start, outcome: Outcome::Stuck, ..sample }
        };
        let rows = vec![row("a", rows[0]), row("b", rows[1])];
        let title = String::new();
        Group { name: "g".to_owned(), title, data: None, sweep: None, budget: 0, rows }
    }

    fn verdict(checks: &str, rows: [(f64, f64); 2]) -> Claim {
        let claims = claims("figure = \"accuracy\"\nof = \"g/a\"\nabove = 0.5", checks).unwrap();
        judge(&claims, &[group(rows)], &[Some(0.4)]).remove(0)
    }

    #[test]
    fn a_claim_holds_as_far_as_its_checks_do() {
        let rows = [(0.6, -2.0), (0.4, 0.0)];
        let of = |checks| verdict(checks, rows).verdict;
        assert_eq!(of("figure = \"accuracy\"\nof = \"g/a\"\nabove = 0.5"), Verdict::Confirmed);
        assert_eq!(of("figure = \"accuracy\"\nof = \"g/a\"\nabove = 0.5\nbelow = 0.55"), Verdict::Refuted);
        assert_eq!(of("figure = \"accuracy\"\nof = \"g/a\"\nabove_row = \"g/b\""), Verdict::Confirmed);
        assert_eq!(
            of("figure = \"accuracy\"\nof = \"g/a\"\nabove_row = \"g/b\"\ntimes = 2"),
            Verdict::Refuted
        );
        assert_eq!(
            of("figure = \"over-linear\"\nof = \"g/b\"\nabove = -0.1\nbelow = 0.1"),
            Verdict::Confirmed
        );
        let two = "figure = \"accuracy\"\nof = \"g/a\"\nabove = 0.5\n[[claim.check]]\nfigure = \"accuracy\"\nof = \"g/b\"\nabove = 0.5";
        assert_eq!(of(two), Verdict::InPart);
        // Two decades over two factors.
        let claim = verdict("figure = \"factor\"\nof = \"g/a\"\nbelow = 0.25", rows);
        assert!((claim.checks[0].found.unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(claim.checks[0].wanted, "below 0.25");
    }

    #[test]
    fn a_figure_that_does_not_exist_holds_nothing() {
        let claim =
            verdict("figure = \"decades-at-end\"\nof = \"g/a\"\nbelow = 99", [(f64::NAN, f64::NAN); 2]);
        assert!(claim.checks[0].found.is_some(), "the sample's own");
        let claim = verdict("figure = \"factor\"\nof = \"g/a\"\nbelow = 99", [(f64::NAN, f64::NAN); 2]);
        assert_eq!((claim.checks[0].found, claim.verdict), (None, Verdict::Refuted));
    }

    #[test]
    fn claims_about_nothing_are_refused() {
        for (from, to, word) in [
            ("of = \"g/a\"", "of = \"g/z\"", "`g/z` is no row"),
            ("above = 0.5", "", "needs above"),
            ("above = 0.5", "above = nan", "finite"),
            ("above = 0.5", "above = 0.5\ntimes = 2", "times belongs"),
            ("above = 0.5", "above_row = \"b\"", "`b` is no row"),
            ("figure = \"accuracy\"", "figure = \"beauty\"", "beauty"),
        ] {
            let error = claims(from, to).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn every_figure_is_in_the_guide() {
        let error = claims("figure = \"accuracy\"", "figure = \"beauty\"").unwrap_err();
        let names: Vec<&str> = error.split('`').skip(1).step_by(2).filter(|name| *name != "beauty").collect();
        assert!(names.contains(&"accuracy") && names.contains(&"shift"), "{error}");
        let guide =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/studies.md")).unwrap();
        for name in names {
            assert!(guide.contains(&format!("`{name}`")), "{name}");
        }
    }
}
