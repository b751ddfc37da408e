//! `isobath study`.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::common::{Common, Failure, print, print_json, stop_flag};
use super::export::{check_logs, records_time, write_logs};
use crate::data::Source;
use crate::export::table::rows;
use crate::report;
use crate::study::plan::{BUILT_IN, StudyPlan};
use crate::study::store;
use crate::study::trial::{self, Options, Progress};

/// What follows the flags in the help text.
const STUDIES: &str = "\
Built-in studies:
  remedies     five sick networks, each beside its remedies
  depth        how fast each hidden layer learns
  pretraining  hidden layers trained without labels first, with controls
  exploding    what stops a gradient from exploding, and what clipping leaves
  norms        what batch and layer normalisation do to the gradient
  activations  nine activations: dead units, outputs, the price of a step
  init         how large initial weights should be
  depth-sweep  how deep each remedy lets a network be, beside theory
  thousand     a thousand layers, plain and residual
  convolution  20 convolutions on images of digits
  sequences    which recurrent layer remembers
  claims       what is said of vanishing gradients, held against figures

Their files are in harness/studies: copy one and change it.
All keys: docs/studies.md.";

/// Flags of `isobath study`.
#[derive(Debug, Args)]
#[command(after_help = STUDIES)]
pub(super) struct Arguments {
    /// A built-in study or a TOML file; remedies by default, with --full all that are built in
    #[arg(value_name = "NAME or FILE.toml")]
    study: Option<String>,
    /// The run folder; runs/NAME-SEED by default. Of all studies, the folder that theirs go into
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// glyphs, spirals, two-spirals, teacher, gaussian, adding:STEPS, copy:BLANKS, recall:BLANKS, idx:DIR or csv:FILE
    /// instead of the study's own data
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// Five seeds at least; without a study, all that are built in
    #[arg(long)]
    full: bool,
    /// Print what the time was spent on
    #[arg(long)]
    timings: bool,
    /// Write the records for TensorBoard when the study is over; of all studies, into a folder in DIR for each
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,
    /// Begin again where a study is already in the run folder, and write over files that are there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    common: Common,
}

/// Columns of the printed tables: what every terminal has.
const TABLE_WIDTH: usize = 80;

/// A bar on a terminal, silence elsewhere.
struct Bar(ProgressBar);

impl Progress for Bar {
    fn advance(&self, done: u64, total: u64, what: &str) {
        self.0.set_length(total);
        self.0.set_position(done);
        self.0.set_message(what.to_owned());
    }
}

impl Bar {
    fn new(quiet: bool) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let style =
            ProgressStyle::with_template("{bar:24} {percent:>3} %  {elapsed} of about {duration}  {msg:.30}");
        let bar = ProgressBar::new(0);
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self(bar)
    }
}

/// Runs the study that was asked for, or all of them, and prints tables.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let source = match &arguments.data {
        Some(text) => {
            let source: Result<Source, _> = text.parse();
            Some(source.map_err(|error| Failure::bad_input(format!("--data: {error}")))?)
        }
        None => None,
    };
    match (&arguments.study, arguments.full) {
        (Some(name), _) => run_one(arguments, name, source, Folders::of(arguments)),
        (None, false) => run_one(arguments, BUILT_IN[0].0, source, Folders::of(arguments)),
        (None, true) => run_all(arguments, source),
    }
}

/// Where one study goes.
struct Folders {
    out: Option<PathBuf>,
    logs: Option<PathBuf>,
}

impl Folders {
    fn of(arguments: &Arguments) -> Self {
        Self { out: arguments.out.clone(), logs: arguments.tensorboard.clone() }
    }

    /// A folder of this name in each.
    fn below(self, name: &str) -> Self {
        let below = |folder: Option<PathBuf>| folder.map(|folder| folder.join(name));
        Self { out: below(self.out), logs: below(self.logs) }
    }
}

/// Runs all built-in studies, one after the other.
fn run_all(arguments: &Arguments, source: Option<Source>) -> Result<ExitCode, Failure> {
    if arguments.common.json {
        return Err(Failure::bad_input(
            "--json prints one object; with --full name the study as well".to_owned(),
        ));
    }
    for (name, _) in BUILT_IN {
        run_one(arguments, name, source.clone(), Folders::of(arguments).below(name))?;
        print("\n")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs one study.
fn run_one(
    arguments: &Arguments,
    name: &str,
    source: Option<Source>,
    Folders { out, logs }: Folders,
) -> Result<ExitCode, Failure> {
    let failed =
        |error: crate::study::StudyError| Failure { code: error.exit_code(), message: error.to_string() };
    let plan = StudyPlan::load(name, source, arguments.full).map_err(failed)?;
    let common = &arguments.common;
    let options = Options {
        folder: out.unwrap_or_else(|| trial::default_folder(&plan, common.seed)),
        seed: common.seed,
        level: common.level()?,
        threads: common.threads()?,
        force: arguments.force,
    };
    check_logs(logs.as_deref(), arguments.force)?;
    let bar = Bar::new(common.quiet || common.json);
    let result = trial::run(&plan, &options, stop_flag(), &bar);
    bar.0.finish_and_clear();
    let finished = result.map_err(failed)?;
    if let Some(logs) = &logs {
        let records = store::runs(&options.folder).map_err(failed)?;
        write_logs(logs, &rows(&records), records_time(&options.folder))?;
    }
    if common.json {
        print_json(&finished.summary)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = report::table(&finished.summary, TABLE_WIDTH);
    if arguments.timings {
        text += &format!("\n{}", report::timings(&finished.summary, TABLE_WIDTH));
    }
    let when = if finished.before { "finished before; --force runs it again" } else { "finished" };
    let summary = &finished.summary;
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{when}: {:.0} s on {} thread{}, level {}\nreport {}",
        summary.machine.seconds,
        summary.machine.threads,
        if summary.machine.threads == 1 { "" } else { "s" },
        summary.machine.level,
        finished.report.display()
    );
    if let Some(logs) = &logs {
        let _ = writeln!(text, "TensorBoard's logs {}", logs.display());
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_text_lists_every_built_in_study_in_order() {
        let listed = STUDIES.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        assert!(listed.eq(BUILT_IN.map(|(name, _)| name)));
        assert!(STUDIES.lines().all(|line| line.len() <= TABLE_WIDTH), "a line is too long for a terminal");
    }
}
