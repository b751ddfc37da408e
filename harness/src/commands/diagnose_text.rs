//! A diagnosis for a terminal of 80 columns.

use std::fmt::Write as _;

use super::diagnose::Patient;
use super::probe_table::figure;
use crate::diagnose::{Blame, Diagnosis, Fix};
use crate::probe::{Cause, Kind};

/// Columns of a terminal.
const WIDTH: usize = 80;

/// All networks, one after the other.
pub(super) fn text(patients: &[Patient]) -> String {
    let paragraphs: Vec<String> = patients.iter().map(paragraph).collect();
    paragraphs.join("\n")
}

fn paragraph(patient: &Patient) -> String {
    let diagnosis = &patient.diagnosis;
    let mut text = format!("{}: {}\n", patient.name, diagnosis.kind);
    let mut line = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<9}{}", wrapped(&value, WIDTH - 11, 11));
    };
    line("gradient", gradient(diagnosis));
    if let Some(rate) = &diagnosis.rate {
        let mut value = format!("{} per layer", figure(rate.factor));
        if let Some((low, high)) = rate.ci95 {
            let _ = write!(value, " [{}, {}]", figure(low), figure(high));
        }
        if let Some(r_squared) = rate.r_squared {
            let _ = write!(value, ", R^2 {r_squared:.3}");
        }
        if let Some(predicted) = diagnosis.predicted_factor {
            let _ = write!(value, "; predicted {}", figure(predicted));
        }
        line("rate", value);
    }
    if let Some(depth) = diagnosis.max_depth_one_decade {
        line("depth", format!("within a decade up to {depth} layers"));
    }
    if !diagnosis.causes.is_empty() {
        let causes: Vec<String> = diagnosis.causes.iter().map(blame).collect();
        let place =
            diagnosis.layer.map_or("in all layers alike".to_owned(), |layer| format!("in layer {layer}"));
        line("cause", format!("{place}: {}", causes.join(", then ")));
    }
    if let Some(fix) = &diagnosis.fix {
        line("fix", fix.change.clone());
        if let Some(command) = &fix.command {
            // A command to be copied stands on one line, however long.
            let _ = writeln!(text, "  {:<9}{command}", "");
        }
        if let Some(proof) = proof(fix) {
            let _ = writeln!(text, "  {:<9}{proof}", "");
        }
    } else if diagnosis.kind.is_sick() {
        let _ = writeln!(text, "  {:<9}none known", "fix");
    }
    if let [(first, before), .., (last, after)] = patient.course.as_slice() {
        let decades = |value: &Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:+.2}"));
        let _ = writeln!(
            text,
            "  {:<9}{} at step {first}, {} at step {last}",
            "decades",
            decades(before),
            decades(after)
        );
    }
    let not_checked = diagnosis.not_checked.join("; ");
    let _ = writeln!(text, "  {:<9}{}", "not seen", wrapped(&not_checked, WIDTH - 11, 11));
    text
}

/// The whole change in words.
fn gradient(diagnosis: &Diagnosis) -> String {
    match (diagnosis.decades, diagnosis.kind) {
        (Some(decades), _) => {
            let change = if decades < 0.0 { "loses" } else { "gains" };
            format!("{change} {:.2} decades from the last hidden layer to the first", decades.abs())
        }
        (None, Kind::Dead) => "exactly zero in some layer".to_owned(),
        (None, Kind::Exploding) => "not finite".to_owned(),
        (None, Kind::Vanishing) => "sinks below the range of f32".to_owned(),
        (None, _) => "one layer, nothing to compare".to_owned(),
    }
}

fn blame(blame: &Blame) -> String {
    let cause = match blame.cause {
        Cause::Slope => "the activation's slopes",
        Cause::Weights => "the size of the weights",
        Cause::Normalisation => "the normalisation, or large weights on a saturating activation",
        Cause::Gates => "the gates that keep the state",
        Cause::Width => "too few units per layer",
        Cause::Branches => "the residual branches add up",
        Cause::DeadUnits => "units that are all 0",
        Cause::Underflow => "signals below the smallest f32",
        Cause::Overflow => "values beyond the largest f32",
        Cause::Alike => "units with the same weights",
        Cause::Depth => "too many layers for gradients of neighbouring inputs to stay alike",
    };
    blame.decades.map_or(cause.to_owned(), |decades| format!("{cause} ({decades:+.2} decades)"))
}

/// What the fix did, or should do.
fn proof(fix: &Fix) -> Option<String> {
    let expected = fix.predicted_factor.map(figure);
    match (fix.measured_factor, expected) {
        (Some(measured), expected) => {
            let expected = expected.unwrap_or("unknown".to_owned());
            Some(format!("it was run: {} per layer (predicted {expected})", figure(measured)))
        }
        (None, Some(expected)) => Some(format!("expected then: {expected} per layer")),
        (None, None) => None,
    }
}

/// Text in lines of `width` columns, all but the first indented.
fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines
            .last_mut()
            .filter(|line| line.is_empty() || line.chars().count() + 1 + word.chars().count() <= width);
        match last {
            Some(line) => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines.join(&format!("\n{:indent$}", ""))
}
