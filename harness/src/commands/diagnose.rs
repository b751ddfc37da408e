//! `isobath diagnose`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::common::{Common, Failure, INPUT_OUTPUT, print, print_json};
use super::diagnose_text::text;
use super::probe;
use super::probe_command::probe_command;
use super::probe_flags::NetworkFlags;
use crate::diagnose::{Diagnosis, Record, folder, is_sick, judge, probed, records};

/// Exit code for a sick network.
const SICK: u8 = 1;

/// Flags of `isobath diagnose`.
#[derive(Debug, Args)]
#[command(
    after_help = "norms.csv has the columns step, layer, x, delta, gw and w: per hidden layer, from 1 next to the \
                        input, the Euclidean norms of its input, of the loss's gradient at its pre-activation, of its \
                        weight gradient and of its weights.\nExit codes: 0 healthy or borderline, 1 sick, 2 bad input, 3 \
                        input/output or memory."
)]
pub(super) struct Arguments {
    /// A study's run folder or a table of norms, instead of networks described by flags
    #[arg(value_name = "DIR or norms.csv", conflicts_with = "NetworkFlags")]
    target: Option<PathBuf>,
    /// The step that is judged; the first of a run by default
    #[arg(long, value_name = "N", requires = "target")]
    step: Option<u64>,
    #[command(flatten)]
    network: NetworkFlags,
    #[command(flatten)]
    common: Common,
}

/// One network's name and diagnosis.
#[derive(Debug, Serialize)]
pub(super) struct Patient {
    pub(super) name: String,
    /// The step that was judged; none for networks that were probed.
    pub(super) step: Option<u64>,
    #[serde(flatten)]
    pub(super) diagnosis: Diagnosis,
    /// Steps and decades of the whole record.
    pub(super) course: Vec<(u64, Option<f64>)>,
}

/// The JSON object.
#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    networks: &'a [Patient],
}

/// Diagnoses the networks and prints what was found.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let patients = match &arguments.target {
        None => vec![by_flags(arguments)?],
        Some(target) if target.is_dir() => {
            let networks = folder::networks(target)
                .map_err(|error| Failure { code: error.exit_code(), message: error.to_string() })?;
            if networks.is_empty() {
                let what = format!("{}: no trial of the study is finished yet", target.display());
                return Err(Failure::bad_input(what));
            }
            let judged = networks.into_iter().map(|(name, records)| recorded(name, &records, arguments.step));
            judged.collect::<Result<_, _>>()?
        }
        Some(target) => vec![recorded(target.display().to_string(), &table(target)?, arguments.step)?],
    };
    if arguments.common.json {
        print_json(&Output { schema_version: 1, networks: &patients })?;
    } else {
        print(&text(&patients))?;
    }
    let sick = is_sick(patients.iter().map(|patient| &patient.diagnosis));
    Ok(if sick { ExitCode::from(SICK) } else { ExitCode::SUCCESS })
}

/// Probes networks described by flags.
fn by_flags(arguments: &Arguments) -> Result<Patient, Failure> {
    let common = &arguments.common;
    let (request, report) = probe::probe_request(&arguments.network, common)?;
    let command = |setup: &_| probe_command(setup, request.source.as_ref());
    Ok(Patient {
        name: request.setup.architecture.to_string(),
        step: None,
        diagnosis: probed(&request.setup, &report, command),
        course: Vec::new(),
    })
}

/// Reads a table of norms.
fn table(path: &Path) -> Result<Vec<Record>, Failure> {
    let name = path.display();
    let unreadable = |error: std::io::Error| Failure {
        code: INPUT_OUTPUT,
        message: format!("cannot read {name}: {error}"),
    };
    fs::metadata(path).map_err(unreadable)?;
    let file = File::open(path).map_err(unreadable)?;
    records::read(file).map_err(|error| Failure::bad_input(format!("{name}: {error}")))
}

/// Judges a recorded network at `step`, or at the first one.
fn recorded(name: String, records: &[Record], step: Option<u64>) -> Result<Patient, Failure> {
    let chosen = match step {
        None => records.first(),
        Some(step) => records.iter().find(|record| record.step == step),
    };
    let record = chosen.ok_or_else(|| {
        let steps: Vec<String> = records.iter().take(8).map(|record| record.step.to_string()).collect();
        let more = if records.len() > steps.len() { ", ..." } else { "" };
        Failure::bad_input(format!(
            "--step {}: {name} has no such step; it has {}{more}",
            step.unwrap_or(0),
            steps.join(", ")
        ))
    })?;
    let course = records.iter().map(|record| (record.step, judge(record).decades)).collect();
    Ok(Patient { name, step: Some(record.step), diagnosis: judge(record), course })
}
