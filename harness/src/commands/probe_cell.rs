//! `isobath probe --cell`: recurrent cells, which are deep in time.

use std::fmt::Write as _;

use isobath_kernels::Level;
use serde::Serialize;

use super::common::{Common, Failure, print, print_json};
use super::probe_command::init_flags;
use super::probe_table::{figure, with_interval};
use crate::activation::Activation;
use crate::probe::{
    Cause, Cell, CellFix, CellReport, CellSetup, Extent, Kind, Measured, ProbeError, Row, cell_fix,
    probe_cell,
};
use crate::theory::Prediction;

/// The JSON object; it has the shape of that for networks deep in layers.
#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    theory: &'a Prediction,
    measured: &'a Measured,
    layers: [Row; 0],
    jacobian: (),
    verdict: Verdict<'a>,
    hash: String,
}

#[derive(Serialize)]
struct Verdict<'a> {
    kind: Kind,
    #[serde(rename = "where")]
    extent: Option<Extent>,
    layer: Option<usize>,
    factor_per_layer: Option<f64>,
    decades: Option<f64>,
    cause: Option<Cause>,
    fix: Option<Fix<'a>>,
}

#[derive(Serialize)]
struct Fix<'a> {
    change: &'a str,
    command: String,
    predicted_factor: Option<f64>,
    measured_factor: Option<f64>,
}

/// Probes the cells and prints what was found; whether they are sick.
pub(super) fn run(setup: &CellSetup, common: &Common) -> Result<bool, Failure> {
    let level = common.level()?;
    let (report, fix) = common
        .pool()?
        .install(|| measure(setup, level))
        .map_err(|error| Failure::bad_input(format!("--cell, --steps, --width, --batch: {error}")))?;
    if common.json {
        print_json(&output(setup, &report, fix.as_ref()))?;
    } else {
        print(&text(setup, &report, fix.as_ref()))?;
    }
    Ok(report.kind.is_sick())
}

fn measure(setup: &CellSetup, level: Level) -> Result<(CellReport, Option<CellFix>), ProbeError> {
    let report = probe_cell(setup, level)?;
    let fix = cell_fix(setup, &report, level)?;
    Ok((report, fix))
}

fn cause(setup: &CellSetup, report: &CellReport) -> Option<Cause> {
    report.kind.is_sick().then_some(if setup.cell == Cell::Rnn { Cause::Weights } else { Cause::Gates })
}

fn output<'a>(setup: &CellSetup, report: &'a CellReport, fix: Option<&'a CellFix>) -> Output<'a> {
    Output {
        schema_version: 1,
        theory: &report.theory,
        measured: &report.measured,
        layers: [],
        jacobian: (),
        verdict: Verdict {
            kind: report.kind,
            extent: (report.kind != Kind::Healthy).then_some(Extent::Uniform),
            layer: None,
            factor_per_layer: report.factor_per_step,
            decades: report.decades,
            cause: cause(setup, report),
            fix: fix.map(|fix| Fix {
                change: &fix.change,
                command: command(&fix.setup),
                predicted_factor: fix.report.theory.rate_norm,
                measured_factor: fix.report.factor_per_step,
            }),
        },
        hash: format!("{:016x}", report.hash),
    }
}

fn name(cell: Cell) -> &'static str {
    match cell {
        Cell::Lstm => "lstm",
        Cell::Gru => "gru",
        Cell::Rnn => "rnn",
    }
}

/// The report for a terminal.
fn text(setup: &CellSetup, report: &CellReport, fix: Option<&CellFix>) -> String {
    let kind = report.kind;
    let number = |value: Option<f64>| value.map_or("unknown".to_owned(), figure);
    let what = match report.decades {
        Some(decades) => {
            let change = if decades < 0.0 { "loses" } else { "gains" };
            format!("the gradient {change} {:.2} decades", decades.abs())
        }
        None => "the gradient cannot be measured".to_owned(),
    };
    let steps = setup.steps;
    let each = number(report.factor_per_step);
    let mut text = format!("{kind}: {what} over {steps} steps, {each} each\n");
    let CellSetup { nets, seed, width, .. } = setup;
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{} of {width} units; {nets} networks, seed {seed}\n", name(setup.cell));
    let measured = &report.measured;
    let theory = |value: Option<f64>| value.map_or("no closed form".to_owned(), figure);
    let _ = writeln!(text, "{:14}{:34}theory", "", "measured");
    let _ = writeln!(
        text,
        "{:14}{:34}{}",
        "chi",
        with_interval(&measured.chi),
        theory(report.theory.rate_squared)
    );
    let ratio = with_interval(&measured.log10_delta_ratio);
    let _ = writeln!(text, "{:14}{ratio:34}{}", "log10 ratio", theory(report.theory.log10_delta_ratio));
    if let Some(fix) = fix {
        let _ = writeln!(text, "\nfix: {}\n  {}", fix.change, command(&fix.setup));
        let (found, expected) = (fix.report.factor_per_step, fix.report.theory.rate_norm);
        let _ = writeln!(
            text,
            "  it was run: factor per step {} (predicted {})",
            number(found),
            number(expected)
        );
    } else if report.kind.is_sick() {
        text.push_str("\nfix: none known\n");
    }
    let _ = writeln!(text, "\nhash {:016x}", report.hash);
    text
}

/// `isobath probe` with the flags that describe the cells.
fn command(setup: &CellSetup) -> String {
    let mut command = format!("isobath probe --cell {}", name(setup.cell));
    let mut add = |flag: &str, value: &dyn std::fmt::Display| {
        let _ = write!(command, " {flag} {value}");
    };
    if setup.width != 64 {
        add("--width", &setup.width);
    }
    if setup.steps != super::probe_flags::STEPS {
        add("--steps", &setup.steps);
    }
    if setup.forget_bias != 0.0 {
        add("--forget-bias", &setup.forget_bias);
    }
    if setup.activation != Activation::Sigmoid {
        add("--activation", &setup.activation);
    }
    for (flag, value) in init_flags(&setup.init) {
        add(flag, &value);
    }
    if setup.batch != 1 {
        add("--batch", &setup.batch);
    }
    if setup.nets != 8 {
        add("--nets", &setup.nets);
    }
    if setup.seed != 1 {
        add("--seed", &setup.seed);
    }
    command
}
