//! `isobath export`: the records of a run folder for other programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{ArgGroup, Args};
use serde::Serialize;

use super::common::{Failure, INPUT_OUTPUT, check_new, check_run_folder, print, print_json, write_whole};
use crate::export::table::{Row, rows};
use crate::export::{csv, parquet, tensorboard};
use crate::study::store;

/// Flags of `isobath export`.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("form").args(["csv", "parquet", "tensorboard"]).required(true).multiple(true)),
    after_help = "A row of the table is a network, or one of its hidden layers, at a recorded step of a run.\n\
                  What its columns are: docs/interoperability.md.\n\n\
                  Examples:\n  isobath export runs/remedies-1 --csv records.csv --parquet records.parquet\n  \
                  isobath export runs/remedies-1 --tensorboard logs && tensorboard --logdir logs"
)]
pub(super) struct Arguments {
    /// The run folder of a study
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write the table as CSV
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the table as Parquet
    #[arg(long, value_name = "FILE")]
    parquet: Option<PathBuf>,
    /// Write scalars and histograms for TensorBoard, a folder in DIR for each run
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,
    /// Write over files that are there
    #[arg(long)]
    force: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    /// Print nothing
    #[arg(long, short)]
    quiet: bool,
}

/// The JSON object.
#[derive(Serialize)]
struct Output {
    schema_version: u32,
    runs: usize,
    rows: usize,
    files: Vec<PathBuf>,
}

/// Reads the records and writes what was asked for.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Arguments { folder, force, .. } = arguments;
    check_run_folder(folder)?;
    let files = [("--csv", &arguments.csv), ("--parquet", &arguments.parquet)];
    for (flag, path) in files {
        path.as_ref().map_or(Ok(()), |path| check_new(flag, path, *force))?;
    }
    if arguments.csv.is_some() && arguments.csv == arguments.parquet {
        return Err(Failure::bad_input("--csv and --parquet name the same file"));
    }
    check_logs(arguments.tensorboard.as_deref(), *force)?;
    let runs = store::runs(folder)
        .map_err(|error| Failure { code: error.exit_code(), message: error.to_string() })?;
    let rows = rows(&runs);
    let mut written = Vec::new();
    for ((flag, path), bytes) in files.into_iter().zip([csv::bytes, parquet::bytes]) {
        let Some(path) = path else { continue };
        let bytes = bytes(&rows).map_err(|error| failed(flag, path, &error))?;
        write_whole(flag, path, bytes)?;
        written.push(path.clone());
    }
    if let Some(logs) = &arguments.tensorboard {
        written.extend(write_logs(logs, &rows, records_time(folder))?);
    }
    if arguments.json {
        print_json(&Output { schema_version: 1, runs: runs.len(), rows: rows.len(), files: written })?;
    } else if !arguments.quiet {
        let files: String = written.iter().map(|path| format!("{}\n", path.display())).collect();
        print(&format!("{} rows of {} runs\n{files}", rows.len(), runs.len()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(flag: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure { code: INPUT_OUTPUT, message: format!("{flag}: cannot write {}: {error}", path.display()) }
}

/// Refuses a log folder with something in it, which TensorBoard would show beside what is written, unless `force`.
pub(super) fn check_logs(folder: Option<&Path>, force: bool) -> Result<(), Failure> {
    let Some(folder) = folder else { return Ok(()) };
    let found = match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) if !force => "is not empty; --force writes into it",
        Err(_) if folder.exists() => "is no folder that can be read",
        _ => return Ok(()),
    };
    Err(Failure::bad_input(format!("--tensorboard: {} {found}", folder.display())))
}

/// When the last record of a run folder was written.
pub(super) fn records_time(folder: &Path) -> SystemTime {
    fs::metadata(folder.join("records.jsonl")).and_then(|found| found.modified()).unwrap_or(UNIX_EPOCH)
}

/// Writes the event files of runs that ended at this time.
pub(super) fn write_logs(folder: &Path, rows: &[Row], time: SystemTime) -> Result<Vec<PathBuf>, Failure> {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64());
    let mut written = Vec::new();
    for (path, bytes) in tensorboard::files(rows, seconds) {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| failed("--tensorboard", &path, &error))?;
        }
        write_whole("--tensorboard", &path, bytes)?;
        written.push(path);
    }
    Ok(written)
}
