//! `isobath theory`: what mean-field theory predicts, without running a network.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use super::common::{Common, Failure, print, print_json, write_whole};
use super::probe_flags::NetworkFlags;
use crate::report::{activation, phase};
use crate::theory::phase::PhaseDiagram;
use crate::theory::{Norm, Prediction, Question, predict, predict_recurrent};

/// Flags of `isobath theory`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    network: NetworkFlags,
    /// Draw the phase diagram, with these networks as a dot, into an SVG file
    #[arg(long, value_name = "FILE.svg")]
    map: Option<PathBuf>,
    /// Draw the activation and its slope, with what the slopes of all layers multiply to, into an SVG file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
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
    if let Some(setup) = arguments.network.cells(arguments.common.seed)? {
        if arguments.map.is_some() {
            return Err(Failure::bad_input("--map shows the phases of layers; it goes without --cell"));
        }
        if arguments.plot.is_some() {
            return Err(Failure::bad_input("--plot shows the slope of layers; it goes without --cell"));
        }
        let prediction = predict_recurrent(setup.recurrence(), setup.steps);
        let prediction = prediction.map_err(|error| Failure::bad_input(error.to_string()))?;
        return show(
            &format!("{} steps of a recurrent cell", setup.steps),
            &prediction,
            arguments.common.json,
        );
    }
    let request = arguments.network.request(arguments.common.seed)?;
    let question = request.setup.question(request.data.as_ref());
    let prediction = predict(&question).map_err(|error| Failure::bad_input(error.to_string()))?;
    if let Some(path) = &arguments.map {
        write_whole("--map", path, &map(&question, &arguments.common)?)?;
    }
    if let Some(path) = &arguments.plot {
        write_whole("--plot", path, activation::svg(question.activation, question.depth))?;
    }
    show(&request.setup.architecture.to_string(), &prediction, arguments.common.json)
}

/// Prints a prediction.
fn show(networks: &str, prediction: &Prediction, json: bool) -> Result<ExitCode, Failure> {
    if json {
        let output = Output { schema_version: 1, prediction };
        print_json(&output)?;
    } else {
        print(&text(networks, prediction)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Cells of the phase diagram.
const CELLS: (usize, usize) = (64, 40);

/// The phase diagram as an SVG file.
fn map(question: &Question, common: &Common) -> Result<String, Failure> {
    if question.norm != Norm::None || question.residual.is_some() {
        return Err(Failure::bad_input(
            "--map shows the phases of plain networks; it goes without --norm and --residual",
        ));
    }
    let network = (question.weight_variance.sqrt(), question.bias_variance.sqrt());
    let diagram = common.pool()?.install(|| PhaseDiagram::around(question.activation, &[network], CELLS));
    let diagram = diagram.map_err(|error| Failure::bad_input(error.to_string()))?;
    Ok(phase::svg(&diagram, &question.activation.to_string(), network))
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
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
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
