//! The command line: parsing and printing, nothing else.
//!
//! Exit codes: 0 done (or healthy, or borderline), 1 sick, 2 bad input, 3 input/output or memory, 130 interrupted.
//! Results go to standard output, progress and errors to standard error.

mod bench;
mod bench_elementwise;
mod bench_probes;
mod bench_train;
mod common;
mod diagnose;
mod diagnose_text;
mod export;
mod live;
mod manual;
mod probe;
mod probe_cell;
mod probe_command;
mod probe_flags;
mod probe_table;
mod probe_values;
mod report;
#[cfg(feature = "serve")]
mod serve;
mod study;
mod theory;
mod train;
mod verify;
mod verify_exhaustive;
mod verify_zoo;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "isobath",
    version,
    about = "Measures why deep networks do not train, and shows which remedy works",
    after_help = "Examples:\n  isobath study                 which remedy makes a deep network train?\n  \
                  isobath study --data idx:DIR  the same on MNIST's files\n  \
                  isobath serve --open          watch studies in the browser, live\n  \
                  isobath probe                 where does the gradient of 30 layers go?\n  \
                  isobath diagnose norms.csv    what is wrong with somebody's network?\n  \
                  isobath theory --activation relu --init he\n  \
                  isobath train network.toml --save weights.safetensors\n  \
                  isobath export runs/remedies-1 --csv records.csv\n  \
                  isobath bench gemm            how near the peak are matrix products?\n  \
                  isobath verify --theory       are the published figures met here?\n\n\
                  isobath COMMAND --help lists a command's flags and more examples."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run sick networks beside their remedies, tuned equally, ranked
    Study(study::Arguments),
    /// Show run folders in the browser, live while their studies run
    #[cfg(feature = "serve")]
    Serve(serve::Arguments),
    /// Measure networks at initialisation, layer by layer, beside theory
    Probe(probe::Arguments),
    /// Say what is wrong with a network, where, why, and what mends it
    ///
    /// Networks are described by flags, or are those of a study's run folder, or of any program's norms in a CSV file.
    Diagnose(diagnose::Arguments),
    /// Predict what deep random networks do, without running them
    Theory(theory::Arguments),
    /// Train one network from a file, its layers sounded on the way
    Train(train::Arguments),
    /// Make the page of a run folder again
    Report(report::Arguments),
    /// Write a run's records as CSV, Parquet or TensorBoard event files
    Export(export::Arguments),
    /// Measure how fast the kernels run, beside what this machine can do
    Bench(bench::Arguments),
    /// Check on this machine what is promised: figures, accuracy, bits
    Verify(verify::Arguments),
    /// Print what a shell needs to complete this command's flags
    Completions(manual::Completions),
    /// Write manual pages into a folder
    #[command(hide = true)]
    Man(manual::Man),
}

/// Parses the command line, runs the command, and says how it went.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Study(arguments) => study::run(&arguments),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Probe(arguments) => probe::run(&arguments),
        Command::Diagnose(arguments) => diagnose::run(&arguments),
        Command::Theory(arguments) => theory::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Completions(arguments) => manual::completions(&arguments, &mut Cli::command()),
        Command::Man(arguments) => manual::man(&arguments, Cli::command()),
    };
    match result {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("isobath: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}
