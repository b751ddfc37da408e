//! `isobath train`: one network, with soundings of its layers while it learns.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use clap::Args;
use serde::Serialize;

use super::common::{
    BAD_INPUT, Common, Failure, INPUT_OUTPUT, check_new, print, print_json, stop_flag, workers, write_whole,
};
use super::export::{check_logs, write_logs};
use super::live::{Live, curves};
use crate::descent::run_seed;
use crate::export::table::rows;
use crate::study::StudyError;
use crate::study::single::Single;
use crate::study::store::{Phase, RunId};
use crate::train::{Course, Divergence, LayerNorms, Trained, train_kept};
use crate::weights::{Weights, WeightsError, WeightsKeeper};

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
    /// Start from the weights of a safetensors file instead of the seed's
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Write the weights after the last step as a safetensors file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Write the gradients of the first batch, unclipped, and the batch as a safetensors file
    #[arg(long, value_name = "FILE")]
    save_gradients: Option<PathBuf>,
    /// Write the soundings for TensorBoard when the run is over
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,
    /// Write over files that are there
    #[arg(long)]
    force: bool,
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
    let workers = workers(threads)?;
    let mut keeper = keeper(arguments, &single)?;
    let sounded = !(common.json || common.quiet);
    let live = Live::new(!sounded, single.recipe.steps);
    if sounded {
        print(&heading(&single, common.seed))?;
    }
    let stop = stop_flag();
    let mut printed = Ok(());
    let mut on_step = |step: usize, course: &Course| {
        if sounded && course.steps.last() == Some(&step) {
            printed = live.beside(|| print(&sounding(course)));
        }
        live.advance(step, course);
        printed.is_ok() && !stop.load(Ordering::Relaxed)
    };
    let seed = run_seed(common.seed);
    let Single { recipe, .. } = &single;
    let team = workers.team();
    let trained = train_kept(recipe, &data.train, &data.test, seed, level, &team, &mut keeper, &mut on_step);
    live.finish();
    printed?;
    let trained =
        trained.map_err(|source| failed(StudyError::Train { network: single.name.clone(), source }))?;
    let trained = trained.ok_or_else(|| Failure { code: 130, message: "interrupted".to_owned() })?;
    save(arguments, &keeper, &single.name, &trained)?;
    if !common.json {
        let depth = single.recipe.architecture.depth;
        if sounded {
            print(&curves(&trained.course, &shown(depth)))?;
        }
        print(&result(&trained, depth, data.test.len()))?;
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

/// What the run starts from and keeps, once it is known that all can be read and written.
fn keeper(arguments: &Arguments, single: &Single) -> Result<WeightsKeeper, Failure> {
    let Arguments { load, save, save_gradients, tensorboard, force, .. } = arguments;
    for (flag, path) in [("--save", save), ("--save-gradients", save_gradients)] {
        path.as_ref().map_or(Ok(()), |path| check_new(flag, path, *force))?;
    }
    if save.is_some() && save == save_gradients {
        return Err(Failure::bad_input("--save and --save-gradients name the same file"));
    }
    check_logs(tensorboard.as_deref(), *force)?;
    if load.is_some() && single.recipe.pretraining.is_some() {
        return Err(Failure::bad_input("--load replaces what network.pretrain would learn; leave one out"));
    }
    let read = |path: &PathBuf| {
        let code = |error: &WeightsError| match error {
            WeightsError::Read { .. } => INPUT_OUTPUT,
            _ => BAD_INPUT,
        };
        Weights::read(path)
            .map_err(|error| Failure { code: code(&error), message: format!("--load: {error}") })
    };
    let load = load.as_ref().map(read).transpose()?;
    Ok(WeightsKeeper { load, keep_gradients: save_gradients.is_some(), ..WeightsKeeper::default() })
}

/// Writes what the run is asked to leave behind. A run that diverged at once has no gradients.
fn save(arguments: &Arguments, keeper: &WeightsKeeper, name: &str, trained: &Trained) -> Result<(), Failure> {
    let Arguments { save, save_gradients, tensorboard, .. } = arguments;
    let files = [("--save", save, &keeper.last), ("--save-gradients", save_gradients, &keeper.gradients)];
    for (flag, path, weights) in files {
        let Some(path) = path else { continue };
        let failed = |error| Failure { code: INPUT_OUTPUT, message: format!("{flag}: {error}") };
        write_whole(flag, path, weights.bytes().map_err(failed)?)?;
    }
    if let Some(folder) = tensorboard {
        let id = RunId { network: name.to_owned(), phase: Phase::Trial, setting: 0, seed: 0 };
        write_logs(folder, &rows(&[(id, trained.clone())]), SystemTime::now())?;
    }
    Ok(())
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
