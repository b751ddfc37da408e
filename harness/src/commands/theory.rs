//! `isobath theory`: what mean-field theory predicts, without running a network.

use std::process::ExitCode;

use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use super::common::{Common, Failure, print};
use super::probe_flags::{NetworkFlags, not_supported_yet};
use crate::theory::{Prediction, Question, predict};

/// Flags of `isobath theory`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    network: NetworkFlags,
    /// Draw the phase diagram
    #[arg(long)]
    map: bool,
    #[command(flatten)]
    common: Common,
}

/// The JSON object.
#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    #[serde(flatten)]
    prediction: &'a Prediction,
}

/// Prints the prediction.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.map {
        return Err(not_supported_yet("--map"));
    }
    let network = &arguments.network;
    if let Some(rho) = network.pair_correlation
        && !(-1.0..=1.0).contains(&rho)
    {
        return Err(Failure::bad_input(format!("--pair-correlation is {rho}; it must be -1 to 1")));
    }
    let request = network.request(arguments.common.seed)?;
    let question = Question {
        pair_correlation: network.pair_correlation,
        ..request.setup.question(request.data.as_ref())
    };
    let prediction = predict(&question).map_err(|error| Failure::bad_input(error.to_string()))?;
    if arguments.common.json {
        let output = Output { schema_version: 1, prediction: &prediction };
        let json = serde_json::to_string(&output).map_err(|error| Failure::bad_input(error.to_string()))?;
        print(&format!("{json}\n"))?;
    } else {
        print(&text(&request.setup.architecture.to_string(), &prediction)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The quantities in the order in which they are printed.
const QUANTITIES: [&str; 20] = [
    "source",
    "valid_if",
    "log10_delta_ratio",
    "band95",
    "log_gain",
    "max_depth_one_decade",
    "rate_squared",
    "rate_norm",
    "q_star",
    "length_stable",
    "chi",
    "sqrt_chi",
    "depth_scale",
    "c_star",
    "correlation_depth_scale",
    "batch_norm_rate",
    "max_derivative",
    "born_dead",
    "gradient_correlation",
    "jacobian_var",
];

/// Each quantity with its value, or the reason why it has none.
fn text(networks: &str, prediction: &Prediction) -> Result<String, Failure> {
    let json = serde_json::to_value(prediction).map_err(|error| Failure::bad_input(error.to_string()))?;
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(80);
    for quantity in QUANTITIES {
        let value = match prediction.reasons.get(quantity) {
            Some(reason) => format!("none: {reason}"),
            None => figure(&json[quantity]),
        };
        table.add_row([quantity, &value]);
    }
    let mut text = format!("{networks}\n\n");
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    Ok(text)
}

/// A value with as many digits as are of use.
fn figure(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(x) if number.is_f64() => significant(x),
            _ => number.to_string(),
        },
        Value::Array(values) => {
            let figures: Vec<String> = values.iter().map(figure).collect();
            format!("[{}]", figures.join(", "))
        }
        Value::Object(fields) => {
            let figures: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name} {}", figure(value))).collect();
            figures.join(", ")
        }
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Null => "unknown".to_owned(),
    }
}

/// Six significant digits, without a power of ten where it is readable.
fn significant(x: f64) -> String {
    let magnitude = x.abs();
    if magnitude != 0.0 && !(1e-4..1e7).contains(&magnitude) {
        return format!("{x:.5e}");
    }
    let before = if magnitude == 0.0 { 0 } else { magnitude.log10().floor() as i32 };
    let decimals = (5 - before).clamp(0, 9) as usize;
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
