//! `isobath bench elementwise`: element-wise kernels in every cache and in main memory.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde::Serialize;

use super::bench::check_seconds;
use super::common::{Common, Failure, bar, print, print_json};
use crate::bench::elementwise::{Bench, Kernel, Loop, Memory, Speed, kernels, memories};
use crate::machine;

/// What to measure.
#[derive(Debug, Args)]
pub(super) struct ElementwiseArguments {
    /// Kernels to measure, in all their forms; all by default
    #[arg(long, value_name = "NAME", num_args = 1.., value_parser = PossibleValuesParser::new(subjects()))]
    kernels: Vec<String>,
    /// Seconds for each kernel in each memory
    #[arg(long, value_name = "S", default_value_t = 0.05)]
    seconds: f64,
    #[command(flatten)]
    common: Common,
}

/// One row of the table.
#[derive(Serialize)]
struct Row {
    kernel: &'static str,
    form: &'static str,
    arrays: usize,
    reads: usize,
    writes: usize,
    bytes_per_element: usize,
    #[serde(rename = "loop")]
    like: Loop,
    memories: Vec<Speed>,
}

/// The JSON object.
#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    cpu: String,
    level: &'a str,
    kernels: &'a [Row],
}

fn subjects() -> Vec<&'static str> {
    let mut subjects: Vec<&str> = kernels().iter().map(|kernel| kernel.subject).collect();
    subjects.dedup();
    subjects
}

/// Measures and prints.
pub(super) fn run(arguments: &ElementwiseArguments) -> Result<ExitCode, Failure> {
    let common = &arguments.common;
    check_seconds(arguments.seconds)?;
    let (level, threads) = (common.level()?, common.threads_or(1)?);
    if threads != 1 {
        return Err(Failure::bad_input(format!(
            "--threads is {threads}; an element-wise kernel runs on one"
        )));
    }
    let mut kernels = kernels();
    let is_chosen = |kernel: &Kernel| {
        arguments.kernels.is_empty() || arguments.kernels.iter().any(|name| name == kernel.subject)
    };
    kernels.retain(is_chosen);
    let bar = bar(common.quiet, kernels.len() as u64, "{bar:24} {pos}/{len}  {msg:.30}");
    let mut benches: Vec<Bench> = memories().into_iter().map(|memory| Bench::new(level, memory)).collect();
    let mut rows = Vec::new();
    for kernel in &kernels {
        bar.set_message(name(kernel.subject, kernel.form));
        let time = Duration::from_secs_f64(arguments.seconds);
        let speeds: Result<Vec<Speed>, _> =
            benches.iter_mut().map(|bench| bench.measure(kernel, time)).collect();
        let memories = speeds
            .map_err(|error| Failure::bad_input(format!("{}: {error}", name(kernel.subject, kernel.form))))?;
        rows.push(Row {
            kernel: kernel.subject,
            form: kernel.form,
            arrays: kernel.streams.arrays,
            reads: kernel.streams.reads,
            writes: kernel.streams.writes,
            bytes_per_element: kernel.streams.bytes(),
            like: kernel.streams.like,
            memories,
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    let output = Output { schema_version: 1, cpu: machine::cpu(), level: level.name(), kernels: &rows };
    if common.json {
        print_json(&output)?;
    } else {
        print(&text(&output))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn name(subject: &str, form: &str) -> String {
    format!("{subject} {form}").trim_end().to_owned()
}

/// The table, for a terminal of 80 columns.
fn text(output: &Output<'_>) -> String {
    let memories: Vec<Memory> = output
        .kernels
        .first()
        .map(|row| row.memories.iter().map(|speed| speed.memory).collect())
        .unwrap_or_default();
    // Writing to a string cannot fail.
    let mut text = format!("{}, {} on one thread\n\n{:20}", output.cpu, output.level, "operands in");
    for Memory { name, bytes } in &memories {
        let _ = write!(text, "{:>15}", format!("{name}, {}", size(*bytes)));
    }
    text.push('\n');
    for like in output.kernels.iter().map(|row| row.like).collect::<BTreeSet<Loop>>() {
        let what = match like {
            Loop::Read => "loops that read",
            Loop::Copy => "loops that copy",
            Loop::Update => "... write in place",
        };
        let _ = write!(text, "{what:20}");
        for i in 0..memories.len() {
            let best =
                output.kernels.iter().filter(|row| row.like == like).map(|row| row.memories[i].loop_gb_s);
            let _ = write!(text, "{:>10.0} GB/s", best.fold(0.0, f64::max));
        }
        text.push('\n');
    }
    let _ = write!(text, "\n{:20}", "");
    for _ in &memories {
        text.push_str("    ns GB/s   %");
    }
    text.push('\n');
    for row in output.kernels {
        let _ = write!(text, "{:20}", name(row.kernel, row.form));
        for speed in &row.memories {
            let _ = write!(
                text,
                "{:>6}{:>5.0}{:>4.0}",
                nanoseconds(speed.ns_per_element),
                speed.gb_s,
                speed.percent
            );
        }
        text.push('\n');
    }
    text.push_str(
        "\nGB/s: 4 bytes for each element of each array that is read or written\n\
         %: of a loop that only reads, copies or writes in place, as the kernel does\n",
    );
    text
}

/// A number of at most five characters.
fn nanoseconds(ns: f64) -> String {
    let decimals = match ns {
        ..10.0 => 3,
        ..100.0 => 2,
        ..1000.0 => 1,
        _ => 0,
    };
    format!("{ns:.decimals$}")
}

/// Bytes in the largest unit that leaves a whole number.
fn size(bytes: usize) -> String {
    match bytes {
        bytes if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        bytes => format!("{} KiB", bytes >> 10),
    }
}
