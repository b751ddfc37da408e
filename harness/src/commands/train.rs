//! `isobath train`: one network, with soundings of its layers while it learns.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use clap::Args;
use serde::Serialize;

use super::common::{Common, Failure, print, print_json, stop_flag};
use crate::descent::run_seed;
use crate::study::StudyError;
use crate::study::single::Single;
use crate::threads::Pool;
use crate::train::{Course, Divergence, LayerNorms, Trained, train};

/// Flags of `isobath train`.
#[derive(Debug, Args)]
#[command(
    after_help = "A file:\n  [data]\n  source = \"two-spirals\"   # as isobath study --data takes it\n  train = 200\n  test = 200\n  \
                  [training]\n  steps = 400\n  batch = 20\n  record_every = 50         # steps between two soundings\n  \
                  [optimizer]\n  name = \"adam\"             # sgd, momentum, nesterov, adam, adamw\n  rate = 0.01\n  \
                  [network]                 # all that a network of a study takes\n  name = \"spirals\"\n  depth = 2\n  width = 16\n  \
                  activation = \"tanh\"\n  init = \"xavier\"\n  clip = { kind = \"global-norm\", limit = 1.0 }"
)]
pub(super) struct Arguments {
    /// The network, its data and how it is trained
    #[arg(value_name = "FILE.toml")]
    file: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// The JSON object.
#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    name: &'a str,
    network: String,
    data: String,
    setting: &'a str,
    seed: u64,
    level: &'static str,
    threads: usize,
    steps: usize,
    accuracy: f64,
    divergence: Option<Divergence>,
    course: &'a Course,
    layers_before: &'a [LayerNorms],
    layers_after: &'a [LayerNorms],
    hash: String,
}

/// Trains and prints.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let failed = |error: StudyError| Failure { code: error.exit_code(), message: error.to_string() };
    let common = &arguments.common;
    let (level, threads) = (common.level()?, common.threads()?);
    let single = Single::load(&arguments.file).map_err(failed)?;
    let data = single.source.load(&single.sizes, common.seed).map_err(|error| failed(error.into()))?;
    single.check_memory(&data.train).map_err(failed)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Failure::bad_input(format!("--threads: {error}")))?;
    let live = !(common.json || common.quiet);
    if live {
        print(&heading(&single, common.seed))?;
    }
    let stop = stop_flag();
    let mut printed = Ok(());
    let mut on_step = |step: usize, course: &Course| {
        if live && course.steps.last() == Some(&step) {
            printed = print(&sounding(course));
        }
        printed.is_ok() && !stop.load(Ordering::Relaxed)
    };
    let seed = run_seed(common.seed);
    let trained =
        pool.install(|| train(&single.recipe, &data.train, &data.test, seed, level, &Pool, &mut on_step));
    printed?;
    let trained =
        trained.map_err(|source| failed(StudyError::Train { network: single.name.clone(), source }))?;
    let trained = trained.ok_or_else(|| Failure { code: 130, message: "interrupted".to_owned() })?;
    if !common.json {
        print(&result(&trained, single.recipe.architecture.depth, data.test.len()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let output = Output {
        schema_version: 1,
        name: &single.name,
        network: single.recipe.architecture.to_string(),
        data: single.source.to_string(),
        setting: &single.setting,
        seed: common.seed,
        level: level.name(),
        threads,
        steps: trained.steps,
        accuracy: trained.accuracy,
        divergence: trained.divergence,
        course: &trained.course,
        layers_before: &trained.layers[0],
        layers_after: &trained.layers[1],
        hash: format!("{:016x}", trained.hash),
    };
    print_json(&output)?;
    Ok(ExitCode::SUCCESS)
}

/// Layers that a line of 80 columns has room for, from 1: all, or so many at equal distances.
fn shown(depth: usize) -> Vec<usize> {
    const MOST: usize = 7;
    let count = depth.min(MOST);
    (0..count).map(|i| if count < 2 { 1 } else { 1 + i * (depth - 1) / (count - 1) }).collect()
}

fn heading(single: &Single, seed: u64) -> String {
    let mut text = format!(
        "{}: {}, {}, on {} of {}, seed {seed}\n\n{:25}log10 of the gradient\n{:>7}{:>10}{:>9}  ",
        single.name,
        single.recipe.architecture,
        single.setting,
        single.sizes.train,
        single.source,
        "",
        "step",
        "loss",
        "all"
    );
    for layer in shown(single.recipe.architecture.depth) {
        let _ = write!(text, "{:>7}", format!("at {layer}"));
    }
    text.push('\n');
    text
}

/// The newest line of the table.
fn sounding(course: &Course) -> String {
    let figure = |value: Option<f64>, width| match value {
        Some(value) => format!("{value:>width$.2}"),
        None => format!("{:>width$}", "-"),
    };
    let newest = |values: &[Option<f64>]| values.last().copied().flatten();
    let step = course.steps.last().copied().unwrap_or(0);
    let loss = newest(&course.loss).map_or("-".to_owned(), |loss| format!("{loss:.4}"));
    let mut text = format!("{step:>7}{loss:>10}{}  ", figure(newest(&course.log10_gradient), 9));
    let deltas = course.log10_delta.last().map_or(&[][..], Vec::as_slice);
    for layer in shown(deltas.len()) {
        text += &figure(deltas[layer - 1], 7);
    }
    text.push('\n');
    text
}

fn result(trained: &Trained, depth: usize, tested: usize) -> String {
    let mut text = String::from("\n");
    if let Some(Divergence { step, layer }) = trained.divergence {
        let place = if layer > depth { "the output".to_owned() } else { format!("layer {layer}") };
        let _ = writeln!(text, "diverged at step {step}: {place} is the first that is not finite");
    }
    let _ = writeln!(text, "accuracy {:.3} on {tested} test samples", trained.accuracy);
    let _ = writeln!(text, "hash {:016x}", trained.hash);
    text
}
