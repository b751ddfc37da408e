//! `isobath bench`: throughput, beside the peak measured in the same run.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::bench_elementwise::{self, ElementwiseArguments};
use super::bench_probes::{self, ProbesArguments};
use super::bench_train::{self, TrainArguments};
use super::common::{Common, Failure, bar, print, print_json, workers};
use crate::bench::Limits;
use crate::bench::gemm::{Product, Speed, measure};
use crate::machine;

/// The products of training, small and large; the last three are odd ones.
const PRODUCTS: [&str; 21] = [
    "8,8,8",
    "16,16,16",
    "32,32,32",
    "64,64,64",
    "128,128,128",
    "256,256,256",
    "512,512,512",
    "1024,1024,1024",
    "32,256,256",
    "64,512,512",
    "128,100,784",
    "256,30,784",
    "1,512,512",
    "1,512,512,NT",
    "512,512,64",
    "512,512,64,TN",
    "64,512,512,TN",
    "64,512,512,NT",
    "96,75,333",
    "1000,10,64",
    "16,100,300",
];

/// Flags of `isobath bench`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Matrix products: GFLOP/s and percent of the peak of multiply-adds, on one thread unless told otherwise
    Gemm(GemmArguments),
    /// Activations, normalisations, reductions, losses and optimiser steps: ns per element and bytes per second in every
    /// cache and in main memory, beside loops that do nothing but move as many bytes
    Elementwise(ElementwiseArguments),
    /// Probes: microseconds per call and percent of a training step of the same network, timed in turns with it
    Probes(ProbesArguments),
    /// Training steps: milliseconds, GFLOP/s, percent of the peak, where the time goes, and memory
    Train(TrainArguments),
}

#[derive(Debug, Args)]
struct GemmArguments {
    /// Products to measure: m,n,k or m,n,k,NT for A (m x k) times B, which is stored transposed (n x k)
    #[arg(long, value_name = "M,N,K", num_args = 1.., default_values = PRODUCTS)]
    shapes: Vec<Product>,
    /// Seconds for each product
    #[arg(long, value_name = "S", default_value_t = 0.3)]
    seconds: f64,
    #[command(flatten)]
    common: Common,
}

/// One row of the table.
#[derive(Serialize)]
struct Row {
    m: usize,
    n: usize,
    k: usize,
    transpose_a: bool,
    transpose_b: bool,
    #[serde(flatten)]
    speed: Speed,
    hot_percent: f64,
    rotating_percent: f64,
    limit_percent: f64,
}

/// The JSON object.
#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    cpu: String,
    level: &'a str,
    threads: usize,
    limits: Limits,
    products: &'a [Row],
}

/// Measures and prints.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.subject {
        Subject::Gemm(arguments) => gemm(arguments),
        Subject::Elementwise(arguments) => bench_elementwise::run(arguments),
        Subject::Probes(arguments) => bench_probes::run(arguments),
        Subject::Train(arguments) => bench_train::run(arguments),
    }
}

/// Refuses a time that nobody can mean.
pub(super) fn check_seconds(seconds: f64) -> Result<(), Failure> {
    if seconds > 0.0 && seconds <= 3600.0 {
        return Ok(());
    }
    Err(Failure::bad_input(format!("--seconds is {seconds}; it must be more than 0 and at most 3600")))
}

fn gemm(arguments: &GemmArguments) -> Result<ExitCode, Failure> {
    let common = &arguments.common;
    check_seconds(arguments.seconds)?;
    let (level, threads) = (common.level()?, common.threads_or(1)?);
    let workers = workers(threads)?;
    let bar = bar(common.quiet, arguments.shapes.len() as u64, "{bar:24} {pos}/{len}  {msg:.30}");
    bar.set_message("limits of this machine");
    let limits = Limits::measure(level, threads);
    let mut rows = Vec::new();
    for product in &arguments.shapes {
        bar.set_message(product.to_string());
        let time = Duration::from_secs_f64(arguments.seconds);
        let speed = measure(level, &workers.team(), *product, time)
            .map_err(|error| Failure::bad_input(format!("{product}: {error}")))?;
        rows.push(Row::new(*product, speed, &limits));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let cpu = machine::cpu();
    let output = Output { schema_version: 1, cpu, level: level.name(), threads, limits, products: &rows };
    if common.json {
        print_json(&output)?;
    } else {
        print(&text(&output))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Row {
    fn new(product: Product, speed: Speed, limits: &Limits) -> Self {
        let isobath_kernels::gemm::Shape { m, n, k, transpose_a, transpose_b } = product.0;
        let peak = speed.peak_gflops.max(limits.peak_gflops);
        Self {
            m,
            n,
            k,
            transpose_a,
            transpose_b,
            speed,
            hot_percent: 100.0 * speed.hot_gflops / peak,
            rotating_percent: 100.0 * speed.rotating_gflops / peak,
            limit_percent: 100.0 * limits.share_of_peak(m, n, k, speed.read_gb_s),
        }
    }

    fn product(&self) -> Product {
        let Self { m, n, k, transpose_a, transpose_b, .. } = *self;
        Product(isobath_kernels::gemm::Shape { m, n, k, transpose_a, transpose_b })
    }
}

/// The table, for a terminal of 80 columns.
fn text(output: &Output<'_>) -> String {
    let Limits { peak_gflops, fma_latency_ns, lanes, .. } = output.limits;
    let mut text = format!("{}, {} on {} thread(s)\n", output.cpu, output.level, output.threads);
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "peak {peak_gflops:.1} GFLOP/s, multiply-add {fma_latency_ns:.2} ns for {lanes} lanes"
    );
    let _ = writeln!(
        text,
        "reads {:.0} GB/s from 16 KiB, {:.0} from 512 KiB, {:.0} from 64 MiB\n",
        output.limits.read_16_kib_gb_s, output.limits.read_512_kib_gb_s, output.limits.read_64_mib_gb_s
    );
    let _ = writeln!(text, "{:22}{:>9}{:>9}{:>10}{:>10}", "m,n,k", "GFLOP/s", "% peak", "rotating", "limit");
    for row in output.products {
        let _ = writeln!(
            text,
            "{:22}{:>9.1}{:>9.1}{:>10.1}{:>10.1}",
            row.product().to_string(),
            row.speed.hot_gflops,
            row.hot_percent,
            row.rotating_percent,
            row.limit_percent
        );
    }
    let _ = writeln!(
        text,
        "\nrotating: % of the peak with operands that are not in the second-level cache\n\
         limit: what bandwidth and the latency of few sums leave of the peak"
    );
    text
}
