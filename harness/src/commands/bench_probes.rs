//! `isobath bench probes`: what each probe costs beside a training step of the same network.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::bench::check_seconds;
use super::common::{Common, Failure, bar, print, print_json};
use super::probe_values::{activation, up_to};
use crate::activation::Activation;
use crate::bench::Interval;
use crate::bench::probes::{Costs, Network, measure};
use crate::machine;

/// Depth and width of the networks that are measured where neither is given: the studies' own, and a wide one.
const NETWORKS: [(usize, usize); 2] = [(30, 64), (32, 256)];

/// What to measure.
#[derive(Debug, Args)]
pub(super) struct ProbesArguments {
    /// Hidden layers; without --depth and --width two networks are measured, 30 x 64 and 32 x 256
    #[arg(long, value_name = "L", value_parser = up_to(10_000))]
    depth: Option<usize>,
    /// Units per hidden layer, and columns of the input [default: 64]
    #[arg(long, value_name = "N", value_parser = up_to(2_048))]
    width: Option<usize>,
    /// Samples per training step
    #[arg(long, value_name = "B", default_value_t = 64, value_parser = up_to(65_536))]
    batch: usize,
    /// sigmoid, tanh, relu, leaky:0.01, prelu:0.25, elu, elu:1.5, selu, gelu, gelu-tanh, silu, softplus, identity
    #[arg(long, value_name = "NAME", default_value = "sigmoid", value_parser = activation)]
    activation: Activation,
    /// Seconds for each network
    #[arg(long, value_name = "S", default_value_t = 5.0)]
    seconds: f64,
    #[command(flatten)]
    common: Common,
}

/// The JSON object.
#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    cpu: String,
    level: &'a str,
    networks: &'a [Costs],
}

/// Measures and prints.
pub(super) fn run(arguments: &ProbesArguments) -> Result<ExitCode, Failure> {
    let common = &arguments.common;
    check_seconds(arguments.seconds)?;
    let (level, threads) = (common.level()?, common.threads_or(1)?);
    if threads != 1 {
        return Err(Failure::bad_input(format!("--threads is {threads}; a network is probed on one")));
    }
    let &ProbesArguments { batch, activation, .. } = arguments;
    let networks = match (arguments.depth, arguments.width) {
        (None, None) => NETWORKS.to_vec(),
        (depth, width) => vec![(depth.unwrap_or(NETWORKS[0].0), width.unwrap_or(NETWORKS[0].1))],
    };
    let bar = bar(common.quiet, networks.len() as u64, "{bar:24} {pos}/{len}  {msg:.30}");
    let mut all = Vec::new();
    for (depth, width) in networks {
        bar.set_message(format!("{depth} x {width}"));
        let network = Network { depth, width, batch, activation };
        let costs = measure(network, level, common.seed, Duration::from_secs_f64(arguments.seconds));
        all.push(costs.map_err(|error| {
            Failure::bad_input(format!("--depth, --width, --batch: {error}; lower one of them"))
        })?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let output = Output { schema_version: 1, cpu: machine::cpu(), level: level.name(), networks: &all };
    if common.json {
        print_json(&output)?;
    } else {
        print(&text(&output))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The tables, for a terminal of 80 columns.
fn text(output: &Output<'_>) -> String {
    let mut text = format!("{}, {} on one thread\n", output.cpu, output.level);
    // Writing to a string cannot fail.
    for costs in output.networks {
        let Network { depth, width, batch, activation } = costs.network;
        let Interval { median, low, high } = costs.step_microseconds;
        let _ = writeln!(
            text,
            "\n{depth} {activation} layers of {width}, batch {batch}\na training step takes {} us [{} {}]\n\n{:12}{:>9}{:>27}",
            short(median),
            short(low),
            short(high),
            "probe",
            "us",
            "% of step"
        );
        for cost in &costs.probes {
            let of = |figures: Interval| {
                let range = format!("[{} {}]", short(figures.low), short(figures.high));
                format!("{:>9}{range:>18}", short(figures.median))
            };
            let _ = writeln!(text, "{:12}{}{}", cost.probe, of(cost.microseconds), of(cost.percent));
        }
    }
    text.push('\n');
    if let Some(costs) = output.networks.first() {
        for cost in &costs.probes {
            let _ = writeln!(text, "{:12}{}", cost.probe, cost.what);
        }
    }
    text.push_str(
        "\nA training step is forward pass, backward pass and SGD. A probe costs what the\n\
         step takes longer with it: the median of pairs timed in turns, and in brackets\n\
         where it lies with 95 % confidence; below 0 is noise.\n",
    );
    text
}

/// Three significant digits, at most seven characters up to a million.
fn short(value: f64) -> String {
    let decimals = match value.abs() {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::probes::Cost;

    #[test]
    fn the_widest_table_fits_80_columns() {
        let interval = Interval { median: -1_234_567.0, low: -1_234_567.0, high: 1_234_567.0 };
        let cost = Cost {
            probe: "correlation",
            what: "norms of everything there is, in each layer",
            microseconds: interval,
            percent: Interval { median: 99_999.0, low: -99_999.0, high: 99_999.0 },
            pairs: 6,
        };
        let network =
            Network { depth: 10_000, width: 2_048, batch: 65_536, activation: Activation::Softplus };
        let costs = Costs { network, step_microseconds: interval, probes: vec![cost.clone(), cost] };
        let output = Output { schema_version: 1, cpu: "CPU".to_owned(), level: "avx512", networks: &[costs] };
        for line in text(&output).lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", line.len());
        }
    }
}
