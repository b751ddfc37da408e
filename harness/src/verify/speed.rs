//! The speeds of learning in networks of two to four hidden layers of 30 sigmoid units: how large the mean of delta over
//! a batch is before the first step, layer by layer.
//!
//! The networks are those of a well-known textbook chapter (Nielsen, Neural Networks and Deep Learning, ch. 5), W ~ N(0,
//! 1/fan-in), b ~ N(0, 1), 784 inputs, ten sigmoid outputs and their cross-entropy. Expected are medians over 300
//! networks of an independent computation; a single network lies within a factor of about two of them, as the
//! published ones do.

use isobath_kernels::Level;
use rayon::prelude::*;

use super::{Check, Table, VerifyError};
use crate::activation::Activation;
use crate::architecture::Architecture;
use crate::data::{Dataset, Form};
use crate::init::Init;
use crate::net::Restraint;
use crate::net::update::{Clipping, Optimizer, Penalty};
use crate::random::Random;
use crate::threads::Serial;
use crate::train::{Loss, Recipe, Schedule, train};

/// Medians of the speeds, layer 1 first.
const MEDIANS: [&[f64]; 3] =
    [&[0.0590, 0.2875], &[0.0120, 0.0589, 0.2903], &[0.0023, 0.0113, 0.0579, 0.2872]];

/// Last over first layer of four, the median.
const FOUR_LAYERS: f64 = 119.9;

/// A median over 300 networks is off by 2 %, and so is the expected one.
const TOLERANCE: f64 = 0.1;

const NETS: u64 = 300;
const BATCH: usize = 100;
const FEATURES: usize = 784;
const CLASSES: usize = 10;

pub(super) fn table(level: Level) -> Result<Table, VerifyError> {
    let mut checks = Vec::new();
    for expected in MEDIANS {
        let depth = expected.len();
        let nets: Vec<Vec<f64>> =
            (0..NETS).into_par_iter().map(|seed| speeds(depth, seed, level)).collect::<Result<_, _>>()?;
        for (l, expected) in expected.iter().enumerate() {
            let found = median(nets.iter().map(|speeds| speeds[l]).collect());
            let what = format!("{depth} hidden layers: speed of layer {}", l + 1);
            checks.push(Check::relative(what, *expected, found, TOLERANCE));
        }
        if depth == 4 {
            let found = median(nets.iter().map(|speeds| speeds[3] / speeds[0]).collect());
            checks.push(Check::relative("4 hidden layers: last over first", FOUR_LAYERS, found, TOLERANCE));
        }
    }
    Ok(Table { subject: "speed of learning in a textbook", checks })
}

/// The speeds of one network's hidden layers.
fn speeds(depth: usize, seed: u64, level: Level) -> Result<Vec<f64>, VerifyError> {
    let recipe = Recipe {
        architecture: Architecture::plain(depth, 30, Activation::Sigmoid, Init::ARTICLE),
        loss: Loss::SigmoidCrossEntropy,
        optimizer: Optimizer::Sgd,
        rate: 0.1,
        schedule: Schedule::Constant,
        clipping: Clipping::None,
        penalty: Penalty::None,
        restraint: Restraint::default(),
        pretraining: None,
        steps: 0,
        batch: BATCH,
        record_every: 1,
        checkpoint: None,
        recompute_every: None,
    };
    let data = sparse_images(seed)?;
    let trained = train(&recipe, &data, &data, seed, level, &Serial, |_, _| true)?;
    let layers = trained.map(|trained| trained.layers[0].iter().filter_map(|layer| layer.speed).collect());
    Ok(layers.unwrap_or_default())
}

/// Pixels of which two thirds are 0 and the others uniform: of the mean square of handwritten digits, .112.
fn sparse_images(seed: u64) -> Result<Dataset, VerifyError> {
    let mut random = Random::stream(seed, 3);
    let mut pixel = || if random.below(3) == 0 { random.uniform() } else { 0.0 };
    let inputs = (0..BATCH * FEATURES).map(|_| pixel()).collect();
    let labels = (0..BATCH).map(|i| (i % CLASSES) as u32).collect();
    Ok(Dataset::new("sparse images", Form::Vector(FEATURES), CLASSES, inputs, labels)?)
}

/// The middle value; none where there is none.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
