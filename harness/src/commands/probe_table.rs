//! A probe's report for a terminal of 80 columns: the verdict in words, a table of layers, and the fix.

use std::fmt::Write as _;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::probe_command::probe_command;
use super::probe_flags::Request;
use crate::probe::{Cause, Extent, Interval, Kind, LayerRow, Report, Row, Sample, Verdict};
use crate::theory::Source;

/// Rows beyond which only some layers are shown.
const ROWS: usize = 40;

/// The whole report.
pub(super) fn text(request: &Request, report: &Report) -> String {
    let setup = &request.setup;
    let measured = &report.figures.measured;
    let theory = &report.theory;
    let mut text = format!("{}\n", sentence(&report.verdict, measured.factors));
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}; {} networks, seed {}\n", setup.architecture, setup.nets, setup.seed);
    let _ = writeln!(text, "{:14}{:34}theory", "", "measured");
    let mut line = |name: &str, sample: &Sample, predicted: Option<f64>, band: Option<Interval>| {
        let predicted = predicted.map_or("no closed form".to_owned(), figure);
        let _ = writeln!(text, "{name:14}{:34}{predicted}{}", with_interval(sample), interval(band));
    };
    line("chi", &measured.chi, theory.rate_squared, None);
    line("log10 ratio", &measured.log10_delta_ratio, theory.log10_delta_ratio, theory.band95);
    if let Some(correlation) = &measured.gradient_correlation {
        line("correlation", correlation, theory.gradient_correlation, None);
    }
    if let Some(jacobian) = &report.figures.jacobian {
        line("var s^2", &jacobian.spread, theory.jacobian_var, None);
        line("largest s", &jacobian.largest, None, None);
    }
    // Of one honest comparison in a thousand.
    const DISAGREEMENT: f64 = 3.3;
    let comparable = setup.batch == 1 && setup.architecture.scale_layer.is_none();
    if let Some(z) = measured.z.filter(|z| comparable && z.abs() > DISAGREEMENT) {
        let _ = writeln!(
            text,
            "theory and measurement disagree: {:.1} standard errors lie between them",
            z.abs()
        );
    }
    if setup.batch > 1 && theory.source == Source::MeanField {
        text.push_str("theory's bands are for one sample per network; with more the spread is smaller\n");
    }
    if measured.zero_gradient_fraction > 0.0 {
        let _ = writeln!(
            text,
            "gradient exactly 0 in {:.1} % of the networks",
            100.0 * measured.zero_gradient_fraction
        );
    }
    let (table, left_out) = table(&report.figures.layers);
    text.push('\n');
    for line in table.lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if left_out > 0 {
        let layers = if left_out == 1 { "layer between is" } else { "layers between are" };
        let _ = writeln!(text, "({left_out} {layers} not shown; --json has all)");
    }
    if let Some(fix) = &report.fix {
        let factor = |factor: Option<f64>| factor.map_or("unknown".to_owned(), figure);
        let _ = writeln!(text, "\nfix: {}", fix.remedy.change);
        let _ = writeln!(text, "  {}", probe_command(&fix.remedy.setup, request.source.as_ref()));
        let _ = write!(
            text,
            "  it was run: factor per layer {} (predicted {})",
            factor(fix.measured_factor),
            factor(fix.predicted_factor)
        );
        if let Some(decades) = fix.measured_decades {
            let _ = write!(text, ", {decades:+.2} decades in all");
        }
        text.push('\n');
    } else if report.verdict.kind.is_sick() {
        text.push_str("\nfix: none known\n");
    }
    let _ = writeln!(text, "\nhash {:016x}", report.figures.hash);
    text
}

/// The verdict in words.
fn sentence(verdict: &Verdict, factors: usize) -> String {
    let mut text = format!("{}: ", verdict.kind);
    let _ = match (verdict.decades, verdict.factor_per_layer) {
        (Some(decades), Some(factor)) => {
            let change = if decades < 0.0 { "loses" } else { "gains" };
            write!(
                text,
                "the gradient {change} {:.2} decades over {factors} factors, {} each",
                decades.abs(),
                figure(factor)
            )
        }
        (Some(_), None) => write!(text, "one layer, nothing to compare"),
        (None, _) if verdict.kind == Kind::Dead => {
            write!(text, "half of the networks or more pass no gradient at all")
        }
        (None, _) => write!(text, "the gradient cannot be measured"),
    };
    let Some(cause) = verdict.cause else { return text };
    let cause = match (cause, verdict.layer, verdict.excess) {
        (Cause::Weights, Some(layer), Some(excess)) => {
            format!("the weights of layer {layer} are {} times their neighbours'", figure(excess))
        }
        (Cause::Slope, ..) => "the activation's derivative".to_owned(),
        (Cause::Weights, ..) => "the size of the weights".to_owned(),
        (Cause::Normalisation, ..) => "the normalisation".to_owned(),
        (Cause::Gates, ..) => "the gates that keep the state".to_owned(),
        (Cause::Width, ..) => "too few units per layer".to_owned(),
        (Cause::Branches, ..) => "the residual branches add up".to_owned(),
        (Cause::DeadUnits, ..) => "a layer of units that are all 0".to_owned(),
        (Cause::Underflow, ..) => "the signal sinks below the smallest f32".to_owned(),
        (Cause::Overflow, ..) => "values leave the range of f32".to_owned(),
        (Cause::Alike, ..) => "units with the same weights".to_owned(),
        (Cause::Depth, ..) => "too many layers for gradients of neighbouring inputs to stay alike".to_owned(),
    };
    let place = match (verdict.extent, verdict.layer) {
        (Some(Extent::Layer), Some(layer)) => format!("in layer {layer}"),
        _ => "in all layers alike".to_owned(),
    };
    let _ = write!(text, "\ncause, {place}: {cause}");
    text
}

/// The table, and how many layers it leaves out.
fn table(rows: &[Row]) -> (Table, usize) {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "layer",
        "x rms",
        "log10 delta",
        "log10 gW",
        "factor",
        "predicted [95 %]",
        "saturated",
    ]);
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
        column.set_padding((0, 2));
    }
    let shown = selection(rows.len());
    for i in &shown {
        table.add_row(cells(&rows[*i]));
    }
    (table, rows.len() - shown.len())
}

/// All rows, or the first and last few and evenly spaced ones between.
fn selection(rows: usize) -> Vec<usize> {
    if rows <= ROWS {
        return (0..rows).collect();
    }
    const ENDS: usize = 6;
    let between = rows - 2 * ENDS;
    let middle = (1..=ROWS - 2 * ENDS).map(|i| ENDS - 1 + i * between / (ROWS - 2 * ENDS));
    let mut shown: Vec<usize> = (0..ENDS).chain(middle).chain(rows - ENDS..rows).collect();
    shown.dedup();
    shown
}

fn cells(row: &Row) -> [String; 7] {
    let log10 = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    let delta = log10(row.log10_delta);
    let Some(LayerRow { log10_x_rms, log10_gw, factor, predicted_factor, band95, saturated, .. }) =
        row.hidden
    else {
        return [
            row.layer.to_string(),
            String::new(),
            delta,
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ];
    };
    let x_rms = log10_x_rms.map_or("-".to_owned(), figure_of_log10);
    let number = |value: Option<f64>| value.map_or("-".to_owned(), figure);
    let predicted = predicted_factor.map_or("-".to_owned(), |p| format!("{}{}", figure(p), interval(band95)));
    let saturated = format!("{:.0} %", 100.0 * saturated);
    [row.layer.to_string(), x_rms, delta, log10(log10_gw), number(factor), predicted, saturated]
}

pub(super) fn with_interval(sample: &Sample) -> String {
    sample.mean.map_or("none".to_owned(), |mean| format!("{}{}", figure(mean), interval(sample.ci95)))
}

fn interval(band: Option<Interval>) -> String {
    band.map_or(String::new(), |(low, high)| format!(" [{}, {}]", figure(low), figure(high)))
}

/// 10^log10, which f64 need not hold.
fn figure_of_log10(log10: f64) -> String {
    let value = 10f64.powf(log10);
    if value.is_normal() {
        return figure(value);
    }
    format!("{:.2}e{}", 10f64.powf(log10 - log10.floor()), log10.floor())
}

/// Four significant digits.
pub(super) fn figure(x: f64) -> String {
    let x = x + 0.0; // -0 is 0
    let magnitude = x.abs();
    if magnitude != 0.0 && !(1e-3..1e5).contains(&magnitude) {
        return format!("{x:.2e}");
    }
    let before = if magnitude == 0.0 { 0 } else { magnitude.log10().floor() as i32 };
    format!("{x:.*}", (3 - before).clamp(0, 4) as usize)
}
