//! What a finished study says, as `summary.json` holds it. Reports and tables read this and nothing else.
//!
//! All floating-point figures are finite; what does not exist is null. Ratios are log10.

use serde::{Deserialize, Serialize};

use super::claim::Claim;
use super::sweep::Point;
use crate::train::are_none;

pub use super::start::Network;
pub use crate::probe::Spectrum;
pub use crate::train::{Course, Histogram, LayerHistograms};

/// Version of the layout of `summary.json` and `records.jsonl`.
pub const SCHEMA_VERSION: u32 = 1;

/// Median, least and largest of a figure over seeds, with the values in the order of the seeds.
///
/// ```
/// use isobath::study::summary::Spread;
///
/// let spread = Spread::of(&[0.75, 0.5, 1.0, 0.5]).expect("finite values");
/// assert_eq!((spread.min, spread.median, spread.max), (0.5, 0.625, 1.0));
/// assert_eq!(spread.values, [0.75, 0.5, 1.0, 0.5]);
/// assert_eq!(Spread::of(&[f64::NAN]), None);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Middle value, or the mean of the two middle ones.
    pub median: f64,
    /// Least.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// All, in the order of the seeds.
    pub values: Vec<f64>,
}

impl Spread {
    /// The spread of finite values; none if there is none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let middle = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
        Some(Self { median, min, max, values: values.to_vec() })
    }
}

/// A whole study.
///
/// ```
/// use isobath::study::summary::Summary;
///
/// # let folder = std::env::temp_dir().join(format!("isobath-summary-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # study(&folder)?;
/// // `folder` is that of a finished study.
/// let text = std::fs::read(folder.join("summary.json"))?;
/// let summary: Summary = serde_json::from_slice(&text)?;
/// assert_eq!((summary.name.as_str(), summary.seed), ("smallest", 1));
/// for group in &summary.groups {
///     let data = summary.data_of(group);
///     let best = group.rows.iter().min_by_key(|row| row.rank).expect("the untreated network");
///     println!("{}: {} is the best on {}", group.title, best.name, data.source);
/// }
/// // Every figure can be written and read again.
/// assert_eq!(serde_json::from_str::<Summary>(&serde_json::to_string(&summary)?)?, summary);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The study's name, `remedies` for the default one.
    pub name: String,
    /// What it asks, in a sentence.
    pub title: String,
    /// The seed that everything follows from.
    pub seed: u64,
    /// What the networks learned from.
    pub data: Data,
    /// How each was trained.
    pub training: Training,
    /// Sick networks with their remedies. Rows of different groups are not compared.
    pub groups: Vec<Group>,
    /// What the figures confirm or refute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// 64 bits over the final weights and gradients of every run, in hexadecimal. The same on every machine.
    pub hash: String,
    /// Where it ran and how long it took: the only part that differs between machines.
    pub machine: Machine,
}

impl Summary {
    /// What the networks of a group learned from.
    pub fn data_of<'a>(&'a self, group: &'a Group) -> &'a Data {
        group.data.as_ref().unwrap_or(&self.data)
    }
}

impl Data {
    /// The linear classifier's accuracy, if it was run.
    pub fn linear_accuracy(&self) -> Option<f64> {
        self.linear.as_ref().and_then(|row| row.accuracy.as_ref()).map(|spread| spread.median)
    }
}

/// The data of a study.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("isobath-data-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # let summary = study(&folder)?.summary;
/// // `summary` is of a study on 40 points of two spirals.
/// let data = &summary.data;
/// assert_eq!((data.source.as_str(), data.train, data.features, data.classes), ("two-spirals", 40, 2, 2));
/// let linear = data.linear_accuracy().expect("the study has run the linear classifier");
/// assert_eq!(data.linear.as_ref().and_then(|row| row.accuracy.clone()).unwrap().median, linear);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// As the command line takes it: `glyphs`, `idx:DIR`, ...
    pub source: String,
    /// Samples trained on, those used for tuning, those read once at the end.
    pub train: usize,
    /// See `train`.
    pub validation: usize,
    /// See `train`.
    pub test: usize,
    /// Inputs per sample.
    pub features: usize,
    /// Number of classes.
    pub classes: usize,
    /// Labels per sample.
    #[serde(default = "one")]
    pub answers: usize,
    /// Test accuracy of always naming the commonest class of the training samples.
    pub majority_accuracy: f64,
    /// The linear softmax classifier, tuned and run like every other row. None if the study leaves it out.
    pub linear: Option<Row>,
}

fn one() -> usize {
    1
}

/// The protocol of a study.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("isobath-training-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # let summary = study(&folder)?.summary;
/// let training = &summary.training;
/// assert_eq!((training.steps, training.batch, training.seeds), (10, 8, 2));
/// assert_eq!(training.grid, ["sgd 0.1", "sgd 0.01"]);
/// assert_eq!(training.loss, "cross-entropy");
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Optimiser steps per run.
    pub steps: usize,
    /// Samples per step.
    pub batch: usize,
    /// Fresh seeds per row, after tuning.
    pub seeds: usize,
    /// The settings that every row was tuned over, such as `momentum 0.1`.
    pub grid: Vec<String>,
    /// The loss: `cross-entropy` or `squared`, where all rows share it.
    pub loss: String,
}

/// A sick network and its remedies.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("isobath-group-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # let summary = study(&folder)?.summary;
/// // `summary` is of a study of one sick network and one remedy.
/// let group = &summary.groups[0];
/// assert!(group.rows.iter().map(|row| row.name.as_str()).eq(["untreated", "batch norm"]));
/// // All rows could have been run for the multiply-adds of the cheapest.
/// assert!(group.rows.iter().all(|row| row.multiply_adds >= group.budget));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Short name.
    pub name: String,
    /// The sick network in words.
    pub title: String,
    /// What its networks learned from, where that is not the study's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Where it stands in the study's sweep, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Point>,
    /// Multiply-adds of a run of its cheapest row: the budget of accuracies at equal cost.
    #[serde(default)]
    pub budget: u64,
    /// Untreated first, then the remedies in the study's order.
    pub rows: Vec<Row>,
}

/// What became of a network.
///
/// ```
/// use isobath::study::summary::Outcome;
///
/// // As it stands in summary.json.
/// let text = r#"{"kind":"diverged","step":7,"layer":3,"seeds":1}"#;
/// let outcome: Outcome = serde_json::from_str(text)?;
/// assert_eq!(outcome, Outcome::Diverged { step: 7, layer: 3, seeds: 1 });
/// assert_eq!(serde_json::to_string(&Outcome::Stuck)?, r#"{"kind":"stuck"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// Every seed beats the linear classifier by two standard errors; where a sample has several answers, always naming
    /// the commonest class.
    Trains,
    /// Every seed is within three binomial deviations of the majority class.
    Stuck,
    /// Neither.
    Partial,
    /// The loss of at least one seed became infinite or NaN.
    Diverged {
        /// The first step at which it did, over all seeds.
        step: usize,
        /// The hidden layer where the first value that is not finite appeared; one more than the depth is the output.
        layer: usize,
        /// How many seeds diverged.
        seeds: usize,
    },
}

/// One network, tuned and then run with fresh seeds.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("isobath-row-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # let summary = study(&folder)?.summary;
/// // `summary` is of a study with two settings and two seeds; this row has batch norm.
/// let row = &summary.groups[0].rows[1];
/// assert_eq!((row.depth, row.layers.len(), row.steps), (3, 3, 10));
/// assert_eq!(row.tuning.len(), 2);
/// assert!(summary.training.grid.contains(&row.setting));
/// assert_eq!(row.accuracy.as_ref().map(|accuracy| accuracy.values.len()), Some(2));
/// assert_eq!(row.noise_scale, [None; 2]); // batch norm has none
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Short name, unique in its group.
    pub name: String,
    /// What was changed against the untreated network, in a sentence; empty for that network itself.
    pub change: String,
    /// The same as equations, one for each difference.
    #[serde(default)]
    pub equations: Vec<String>,
    /// Hidden layers (blocks, for residual networks).
    pub depth: usize,
    /// The network as it starts; null where theory knows no such network, as with a cell.
    #[serde(default)]
    pub network: Option<Network>,
    /// Test accuracy over the fresh seeds. A diverged seed counts with the accuracy it has.
    pub accuracy: Option<Spread>,
    /// 1 for the best of the group; one more than the number of rows whose worst seed beats this row's best.
    pub rank: usize,
    /// The setting that did best in validation.
    pub setting: String,
    /// Whether that setting's rate is the `lowest` or `highest` that its optimiser was tried with.
    pub grid_edge: Option<String>,
    /// Validation accuracy of every setting, in the order of the grid; null where it diverged or was not tried.
    pub tuning: Vec<Option<f64>>,
    /// Of each optimiser of the grid, the setting with the largest rate that the network survives: it does not diverge,
    /// and learns more than the commonest class.
    #[serde(default)]
    pub survives: Vec<String>,
    /// Steps of one run; fewer than asked for if the run diverged.
    pub steps: usize,
    /// Multiply-adds of one run: its training steps and its pre-training.
    pub multiply_adds: u64,
    /// Test accuracy when a run has spent as many multiply-adds as the cheapest row of the group spends in all; null
    /// where its pre-training alone takes more.
    #[serde(default)]
    pub accuracy_at_equal_cost: Option<Spread>,
    /// What theory says of the network at its start; null where it says nothing.
    #[serde(default)]
    pub theory: Option<Theory>,
    /// log10 of ||delta^1|| / ||delta^L|| before the first step; for recurrent networks, of the gradient of the topmost
    /// layer's state after the first step in time over that after the last.
    pub ratio_start: Option<Spread>,
    /// The same after the last step.
    pub ratio_end: Option<Spread>,
    /// The gradient noise scale tr(Sigma) / |G|^2 in samples, of the means over the seeds, before the first step and after
    /// the last; null with batch norm and where noise drowns the gradient.
    #[serde(default)]
    pub noise_scale: [Option<f64>; 2],
    /// The verdict.
    pub outcome: Outcome,
    /// Per hidden layer, from the first, medians over the seeds.
    pub layers: Vec<LayerFigures>,
    /// What theory expects of each hidden layer at the start, from the first; empty where it says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predicted: Vec<PredictedLayer>,
    /// Histograms of a few hidden layers, before the first step and after the last, of the first fresh seed.
    #[serde(default, skip_serializing_if = "are_none")]
    pub histograms: [Vec<LayerHistograms>; 2],
    /// Singular values of the hidden layers' Jacobian at one sample, before the first step and after the last, of the
    /// first fresh seed; null with batch norm, convolutions, cells, and in very large networks.
    #[serde(default)]
    pub spectra: [Option<Spectrum>; 2],
    /// How things went over the steps, of the first fresh seed.
    pub course: Course,
    /// Hash of this row's runs.
    pub hash: String,
    /// Seconds of one training run, mean over seeds. Differs between machines.
    pub seconds: f64,
    /// Seconds of one step, with its share of the records and without pre-training: the median over the seeds. Differs
    /// between machines.
    #[serde(default)]
    pub step_seconds: Option<f64>,
    /// Seconds of all its runs, those of tuning included. Differs between machines.
    #[serde(default)]
    pub seconds_in_all: f64,
}

/// Predictions of mean-field theory for a network at its start; for a residual network per block.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("isobath-theory-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # let summary = study(&folder)?.summary;
/// // `summary` is of a study whose first network has ReLU layers, started by He et al.: their gradient
/// // neither shrinks nor grows.
/// let theory = summary.groups[0].rows[0].theory.expect("theory knows such networks");
/// assert!(theory.factor.is_some_and(|factor| (factor - 1.0).abs() < 1e-6));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Theory {
    /// Factor on the gradient's norm per layer, downwards.
    pub factor: Option<f64>,
    /// 1 / |ln chi|: the layers over which its square changes by a factor e.
    pub depth_scale: Option<f64>,
    /// The layers over which the correlation of two inputs comes closer to its limit by a factor e.
    pub correlation_depth_scale: Option<f64>,
    /// The deepest such network whose gradient stays within a factor of ten.
    pub one_decade: Option<usize>,
}

/// What theory expects of one hidden layer at the start, on the study's data.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("isobath-predicted-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # let summary = study(&folder)?.summary;
/// // `summary` is of a study whose first network has three ReLU layers, started by He et al.
/// let predicted = &summary.groups[0].rows[0].predicted;
/// let [first, _, last] = &predicted[..] else { panic!("a prediction for each layer") };
/// // The signal keeps its size from layer to layer; gradients are given by the last layer's.
/// assert!((first.q - last.q).abs() < 1e-6 * last.q);
/// assert_eq!(last.log10_delta, Some(0.0));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedLayer {
    /// Variance at phi's input; in a residual network the mean square of the block's input.
    pub q: f64,
    /// log10 of ||delta^l|| / ||delta^L||, 0 in the last layer.
    pub log10_delta: Option<f64>,
    /// The mean over the seeds lies within so much of it with 95 % probability; null where only the mean is known.
    pub spread: Option<f64>,
    /// log10 of the norm of the layer's input over a batch; null with normalisation.
    pub log10_x: Option<f64>,
}

/// One hidden layer, before the first step and after the last; medians over the seeds.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("isobath-layers-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # let summary = study(&folder)?.summary;
/// // `summary` is of a study whose networks have three layers.
/// let layers = &summary.groups[0].rows[0].layers;
/// assert!(layers.iter().map(|figures| figures.layer).eq(1..=3));
/// for figures in layers {
///     let [before, after] = figures.log10_delta;
///     println!("layer {}: {before:?} before the first step, {after:?} after the last", figures.layer);
///     assert!(figures.moved.is_some_and(|moved| moved > 0.0));
/// }
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerFigures {
    /// 1 next to the input.
    pub layer: usize,
    /// log10 of the norm of the layer's input, start and end.
    pub log10_x: [Option<f64>; 2],
    /// log10 of the norm of delta, start and end.
    pub log10_delta: [Option<f64>; 2],
    /// log10 of the norm of the weight gradient, start and end.
    pub log10_gw: [Option<f64>; 2],
    /// Speed of learning ||sum over the batch of delta||, for a loss that is a mean over the batch; start and end.
    pub speed: [Option<f64>; 2],
    /// Fraction of units without a slope on any sample of a batch, start and end.
    #[serde(default)]
    pub dead: [Option<f64>; 2],
    /// Fraction of units and samples whose slope is below 1 % of the largest, start and end.
    #[serde(default)]
    pub saturated: [Option<f64>; 2],
    /// Mean of the activation's outputs, start and end.
    #[serde(default)]
    pub mean: [Option<f64>; 2],
    /// Their standard deviation, start and end.
    #[serde(default)]
    pub deviation: [Option<f64>; 2],
    /// ||W_end - W_start|| / ||W_start||.
    pub moved: Option<f64>,
    /// Of a recurrent layer: log10 of the norm of the gradient of what carries its state through time (c of an LSTM,
    /// else h) after each step, from the first; start and end.
    #[serde(default, skip_serializing_if = "is_timeless")]
    pub through_time: [Vec<Option<f64>>; 2],
}

fn is_timeless(through_time: &[Vec<Option<f64>>; 2]) -> bool {
    through_time.iter().all(Vec::is_empty)
}

/// Where a study ran.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("isobath-machine-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # let summary = study(&folder)?.summary;
/// let machine = &summary.machine;
/// assert_eq!(machine.level, isobath_kernels::Level::detect().name());
/// assert_eq!(machine.numerics_version, isobath_kernels::NUMERICS_VERSION);
/// assert!(machine.threads == 1 && machine.seconds > 0.0);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The instruction set.
    pub level: String,
    /// Threads used.
    pub threads: usize,
    /// The processor's name, as the system gives it.
    pub cpu: String,
    /// Version of this program.
    pub version: String,
    /// Version of the kernels' bits.
    pub numerics_version: u32,
    /// Seconds of the whole study, over all sittings.
    pub seconds: f64,
}
