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
mod probe;
mod probe_cell;
mod probe_command;
mod probe_flags;
mod probe_table;
mod probe_values;
#[cfg(feature = "serve")]
mod serve;
mod study;
mod theory;
mod train;
mod verify;
mod verify_exhaustive;
mod verify_zoo;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures why deep networks do not train, and shows which remedy works.
#[derive(Debug, Parser)]
#[command(
    name = "isobath",
    version,
    about,
    after_help = "Examples:\n  isobath study                       which remedy makes a deep network train?\n  \
                  isobath study depth                 how fast does each layer learn?\n  \
                  isobath study --data idx:DIR        the same on MNIST's files\n  \
                  isobath serve --open                watch the studies in runs/ in the browser\n  \
                  isobath probe                       where does the gradient of 30 sigmoid layers go?\n  \
                  isobath diagnose norms.csv          what is wrong with somebody else's network?\n  \
                  isobath theory --activation relu --init he\n  \
                  isobath theory --activation selu --plot selu.svg\n  \
                  isobath train network.toml          one network, each layer sounded while it learns\n  \
                  isobath bench gemm                  how close to the machine's peak are matrix products?\n  \
                  isobath bench elementwise           how close to the memory's bandwidth is everything else?\n  \
                  isobath bench probes                what does it cost to look at each layer?\n  \
                  isobath verify --theory             are the published figures met here?\n  \
                  isobath verify --exhaustive         is every function as accurate here as stated?"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a study: sick networks beside each remedy, tuned equally, ranked with their spread
    Study(study::Arguments),
    /// Show run folders in the browser, live while their studies run
    #[cfg(feature = "serve")]
    Serve(serve::Arguments),
    /// Probe networks at initialisation: each layer measured beside its prediction, and a verdict with a fix
    Probe(probe::Arguments),
    /// Say what is wrong with a network, where and why, and what mends it: of networks described by flags, of a
    /// study's run folder, or of any program's norms in a CSV file
    Diagnose(diagnose::Arguments),
    /// Predict what deep random networks do to signals and gradients, without running them
    Theory(theory::Arguments),
    /// Train one network from a file, with soundings of every layer on the way
    Train(train::Arguments),
    /// Measure how fast the kernels run, beside what this machine can do
    Bench(bench::Arguments),
    /// Check the promises on this machine: published figures beside what theory says and what networks do
    Verify(verify::Arguments),
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
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("isobath: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}
