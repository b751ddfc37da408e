//! `isobath report`: the page of a run folder, made again from what the folder holds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::de::DeserializeOwned;

use super::common::{Failure, INPUT_OUTPUT, check_new, check_run_folder, print, write_whole};
use crate::report::page;
use crate::study::follow::Followed;
use crate::study::outline::{self, Outline};
use crate::study::summary::Summary;

/// Flags of `isobath report`.
#[derive(Debug, Args)]
#[command(
    after_help = "The page of a finished study is that of its summary.json. Of one that goes on or was interrupted, it is the page\n\
                  of the runs that are finished.\n\n\
                  Examples:\n  isobath report runs/remedies-1\n  isobath report runs/remedies-1 --out page.html"
)]
pub(super) struct Arguments {
    /// The run folder of a study
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Where to write the page [default: report.html in DIR, written over]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over the file that --out names
    #[arg(long)]
    force: bool,
    /// Print nothing
    #[arg(long, short)]
    quiet: bool,
}

/// Reads the folder and writes its page.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Arguments { folder, out, force, quiet } = arguments;
    check_run_folder(folder)?;
    if let Some(path) = out {
        check_new("--out", path, *force)?;
    }
    let summary = summary(folder)?;
    let path = out.clone().unwrap_or_else(|| folder.join("report.html"));
    write_whole("the page", &path, page::html(&summary))?;
    if !quiet {
        print(&format!("{}\n", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the study found, or has found so far.
fn summary(folder: &Path) -> Result<Summary, Failure> {
    if let Some(summary) = read(&folder.join("summary.json"))? {
        return Ok(summary);
    }
    let Some(outline): Option<Outline> = read(&folder.join(outline::FILE))? else {
        return Err(Failure::bad_input(format!(
            "{} has neither summary.json nor {}; `isobath study` with --out finishes it",
            folder.display(),
            outline::FILE
        )));
    };
    let mut followed = Followed::default();
    let records = folder.join("records.jsonl");
    followed.read_on(&records).map_err(|error| unreadable(&records, &error))?;
    Ok(outline.so_far(&followed.finished))
}

/// A file of JSON, if it is there.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Failure> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| unreadable(path, &error.into()))
}

/// What is there and is not what it should be is bad input, what cannot be read an error of the system.
fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot read {}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Failure::bad_input(message),
        _ => Failure { code: INPUT_OUTPUT, message },
    }
}
