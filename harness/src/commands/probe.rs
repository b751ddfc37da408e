//! `isobath probe`.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::common::{Common, Failure, print, print_json};
use super::probe_cell;
use super::probe_command::probe_command;
use super::probe_flags::{NetworkFlags, Request};
use super::probe_table;
use crate::probe::{Jacobian, Measured, ProbeError, Report, Row, Verdict, probe};
use crate::theory::Prediction;

/// Exit code of `--check` for a sick network.
const SICK: u8 = 1;

/// Flags of `isobath probe`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    network: NetworkFlags,
    /// Exit with 1 if the networks are sick
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    common: Common,
}

/// The JSON object.
#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    theory: &'a Prediction,
    measured: &'a Measured,
    layers: &'a [Row],
    jacobian: Option<&'a Jacobian>,
    verdict: VerdictOutput<'a>,
    hash: String,
}

#[derive(Serialize)]
struct VerdictOutput<'a> {
    #[serde(flatten)]
    verdict: &'a Verdict,
    fix: Option<FixOutput<'a>>,
}

#[derive(Serialize)]
struct FixOutput<'a> {
    change: &'a str,
    command: String,
    predicted_factor: Option<f64>,
    measured_factor: Option<f64>,
}

/// Probes the networks and prints what was found.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let common = &arguments.common;
    if let Some(setup) = arguments.network.cells(common.seed)? {
        let sick = probe_cell::run(&setup, common)? && arguments.check;
        return Ok(if sick { ExitCode::from(SICK) } else { ExitCode::SUCCESS });
    }
    let (request, report) = probe_request(&arguments.network, common)?;
    if common.json {
        print_json(&output(&request, &report))?;
    } else {
        print(&probe_table::text(&request, &report))?;
    }
    let sick = arguments.check && report.verdict.kind.is_sick();
    Ok(if sick { ExitCode::from(SICK) } else { ExitCode::SUCCESS })
}

/// Probes the networks that the flags describe.
pub(super) fn probe_request(network: &NetworkFlags, common: &Common) -> Result<(Request, Report), Failure> {
    let level = common.level()?;
    let pool = common.pool()?;
    let request = network.request(common.seed)?;
    let report = pool.install(|| probe(&request.setup, request.data.as_ref(), level)).map_err(failure)?;
    Ok((request, report))
}

fn failure(error: ProbeError) -> Failure {
    Failure::bad_input(match error {
        ProbeError::Memory { .. } => {
            format!("--depth, --width, --input-width, --batch: {error}; lower one of them, or --threads")
        }
        ProbeError::Impossible { what, why } => format!("--{what}: {why}"),
        other => other.to_string(),
    })
}

fn output<'a>(request: &Request, report: &'a Report) -> Output<'a> {
    let fix = report.fix.as_ref().map(|fix| FixOutput {
        change: &fix.remedy.change,
        command: probe_command(&fix.remedy.setup, request.source.as_ref()),
        predicted_factor: fix.predicted_factor,
        measured_factor: fix.measured_factor,
    });
    Output {
        schema_version: 1,
        theory: &report.theory,
        measured: &report.figures.measured,
        layers: &report.figures.layers,
        jacobian: report.figures.jacobian.as_ref(),
        verdict: VerdictOutput { verdict: &report.verdict, fix },
        hash: format!("{:016x}", report.figures.hash),
    }
}
