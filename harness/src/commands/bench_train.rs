//! `isobath bench train`: how fast networks train, where the time goes, and what memory they take.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::bench::check_seconds;
use super::common::{Common, Failure, bar, print, print_json, workers};
use super::probe_values::{activation, up_to};
use crate::activation::Activation;
use crate::bench::Interval;
use crate::bench::training::{Network, SHAPE, Training, TrainingError, measure};
use crate::machine;
use crate::suggest::did_you_mean;

/// Depth, width and batch of the networks that are measured where none of them is given.
const NETWORKS: [(usize, usize, usize); 6] =
    [(4, 30, 32), (32, 64, 32), (32, 128, 64), (32, 256, 64), (32, 512, 128), (100, 128, 64)];

/// What to measure.
#[derive(Debug, Args)]
pub(super) struct TrainArguments {
    /// Hidden layers; without --depth, --width and --batch six networks are measured
    #[arg(long, value_name = "L", value_parser = up_to(100_000))]
    depth: Option<usize>,
    /// Units per hidden layer [default: 128]
    #[arg(long, value_name = "N", value_parser = up_to(16_384))]
    width: Option<usize>,
    /// Samples per training step [default: 64]
    #[arg(long, value_name = "B", value_parser = up_to(65_536))]
    batch: Option<usize>,
    /// sigmoid, tanh, relu, leaky:0.01, prelu:0.25, elu, elu:1.5, selu, gelu, gelu-tanh, silu, softplus, identity
    #[arg(long, value_name = "NAME", default_value = "tanh", value_parser = activation)]
    activation: Activation,
    /// none or batch, before each activation
    #[arg(long, value_name = "NORM", default_value = "none")]
    norm: Norm,
    /// Takes the norms of x, delta and gW of every layer in each step
    #[arg(long)]
    norms: bool,
    /// Keeps the input of every Nth hidden layer alone for the backward pass, which computes the other values again
    #[arg(long, value_name = "N", value_parser = up_to(100_000))]
    checkpoints: Option<usize>,
    /// Seconds for each network
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    seconds: f64,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, Debug)]
enum Norm {
    None,
    Batch,
}

impl FromStr for Norm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "batch" => Ok(Self::Batch),
            _ => Err(format!("allowed are none, batch{}", did_you_mean(text, ["none", "batch"]))),
        }
    }
}

/// The JSON object.
#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    cpu: String,
    level: &'a str,
    threads: usize,
    networks: &'a [Training],
}

/// Measures and prints.
pub(super) fn run(arguments: &TrainArguments) -> Result<ExitCode, Failure> {
    let common = &arguments.common;
    check_seconds(arguments.seconds)?;
    let (level, threads) = (common.level()?, common.threads_or(1)?);
    let networks = match (arguments.depth, arguments.width, arguments.batch) {
        (None, None, None) => NETWORKS.to_vec(),
        (depth, width, batch) => vec![(depth.unwrap_or(32), width.unwrap_or(128), batch.unwrap_or(64))],
    };
    let time = Duration::from_secs_f64(arguments.seconds);
    let workers = workers(threads)?;
    let bar = bar(common.quiet, networks.len() as u64, "{bar:24} {pos}/{len}  {msg:.30}");
    let mut all = Vec::new();
    for (depth, width, batch) in networks {
        bar.set_message(format!("{depth} x {width}"));
        let batch_norm = matches!(arguments.norm, Norm::Batch);
        let network = Network {
            depth,
            width,
            batch,
            activation: arguments.activation,
            batch_norm,
            norms: arguments.norms,
            checkpoints: arguments.checkpoints,
        };
        let measured = measure(network, level, &workers.team(), common.seed, time);
        all.push(measured.map_err(|error| match error {
            TrainingError::Memory { .. } => {
                Failure { code: 3, message: format!("--depth, --width, --batch: {error}") }
            }
            _ => Failure::bad_input(format!("--depth, --width, --batch: {error}")),
        })?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let output =
        Output { schema_version: 1, cpu: machine::cpu(), level: level.name(), threads, networks: &all };
    if common.json {
        print_json(&output)?;
    } else {
        print(&text(&output))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The tables, for a terminal of 80 columns.
fn text(output: &Output<'_>) -> String {
    let threads =
        if output.threads == 1 { "one thread".to_owned() } else { format!("{} threads", output.threads) };
    let mut text = format!("{}, {} on {threads}\n", output.cpu, output.level);
    if let Some(Training { network: Network { activation, batch_norm, norms, checkpoints, .. }, .. }) =
        output.networks.first()
    {
        let norm = if *batch_norm { " with batch norm" } else { "" };
        let norms = if *norms { ", norms taken" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} inputs, {activation}{norm}, {} classes, SGD{norms}", SHAPE.0, SHAPE.1);
        if let Some(every) = checkpoints {
            let layers = if *every == 1 { "layer".to_owned() } else { format!("{every} layers") };
            let _ = writeln!(text, "values kept once per {layers}, the others computed again");
        }
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "{:>23}{:>9}{:>7}{:>10}{:>9}{:>6}{:>11}",
        "network, batch", "ms/step", "+-", "samples/s", "GFLOP/s", "peak", "arena"
    );
    for training in output.networks {
        let Interval { median, low, high } = training.step_milliseconds;
        let _ = writeln!(
            text,
            "{:>23}{:>9}{:>6.1}%{:>10}{:>9}{:>5.0}%{:>11}",
            name(training.network),
            short(median),
            50.0 * (high - low) / median,
            short(training.samples_per_second),
            short(training.gflops),
            training.peak_percent,
            size(training.arena_bytes),
        );
    }
    let _ = writeln!(
        text,
        "\n{:>23}{:>9}{:>11}{:>6}{:>6}{:>10}{:>6}{:>6}",
        "where it goes, %", "products", "activation", "norm", "skip", "optimiser", "again", "rest"
    );
    for Training { network, phases, .. } in output.networks {
        let _ = writeln!(
            text,
            "{:>23}{:>9.1}{:>11.1}{:>6.1}{:>6.1}{:>10.1}{:>6.1}{:>6.1}",
            name(*network),
            phases.products,
            phases.activations,
            phases.normalisations,
            phases.skips,
            phases.optimizer,
            phases.recomputation,
            phases.rest,
        );
    }
    text.push_str(
        "\nA step is forward pass, backward pass and SGD; the median of batches of steps,\n\
         +- where it lies with 95 % confidence. peak: share of the peak of multiply-adds,\n\
         measured in between. again: values computed a second time, for --checkpoints.\n",
    );
    text
}

/// A network as a row is called.
fn name(network: Network) -> String {
    let Network { depth, width, batch, .. } = network;
    format!("{depth} x {width}, {batch}")
}

/// Three significant digits.
fn short(value: f64) -> String {
    match value.abs() {
        ..0.1 => format!("{value:.4}"),
        ..1.0 => format!("{value:.3}"),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        ..1e5 => format!("{value:.0}"),
        ..1e6 => format!("{:.0}k", value / 1e3),
        _ => format!("{:.2}M", value / 1e6),
    }
}

/// Bytes in KiB, MiB or GiB.
fn size(bytes: u64) -> String {
    let kib = bytes as f64 / 1024.0;
    match kib {
        ..1024.0 => format!("{kib:.0} KiB"),
        ..1_048_576.0 => format!("{:.1} MiB", kib / 1024.0),
        _ => format!("{:.1} GiB", kib / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::phases::Phases;

    #[test]
    fn the_widest_table_fits_80_columns() {
        let interval = Interval { median: 99_999.0, low: 99_999.0, high: 99_999.0 };
        let share = 100.0;
        let training = Training {
            network: Network {
                depth: 100_000,
                width: 16_384,
                batch: 65_536,
                activation: Activation::Softplus,
                batch_norm: true,
                norms: true,
                checkpoints: Some(100_000),
            },
            step_milliseconds: interval,
            best_milliseconds: 1.0,
            samples_per_second: 9.99e8,
            gflops: 99_999.0,
            peak_gflops: 1.0,
            peak_percent: 100.0,
            phases: Phases {
                products: share,
                activations: share,
                normalisations: share,
                skips: share,
                optimizer: share,
                recomputation: share,
                rest: share,
            },
            parameters: 1,
            arena_bytes: 999 << 30,
        };
        let output = Output {
            schema_version: 1,
            cpu: "CPU".to_owned(),
            level: "avx512",
            threads: 16,
            networks: &[training],
        };
        for line in text(&output).lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", line.len());
        }
    }

    #[test]
    fn figures_are_short() {
        for (value, text) in
            [(0.0251, "0.0251"), (0.58, "0.580"), (7.5, "7.50"), (123_456.0, "123k"), (2.5e6, "2.50M")]
        {
            assert_eq!(short(value), text);
        }
        for (bytes, text) in [(2048, "2 KiB"), (3 << 20, "3.0 MiB"), (5 << 30, "5.0 GiB")] {
            assert_eq!(size(bytes), text);
        }
    }
}
