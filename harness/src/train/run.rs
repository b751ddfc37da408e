//! The training loop.

use std::time::Instant;

use isobath_kernels::{Level, MatRef, loss, reduce};
use thiserror::Error;

use super::loss::loss_and_gradient;
use super::observe::{LayerNorms, Observer, log10};
use super::{Course, Divergence, Recipe, Trained};
use crate::architecture::Built;
use crate::data::Dataset;
use crate::hash::Hash;
use crate::net::update::Update;
use crate::net::{Arena, Mode, NetError, Pass, Place, Plan, PlanError, Unwatched};
use crate::random::Random;
use crate::threads::Threads;

/// Why a network could not be trained at all. One that diverges is a result, not an error.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The layers are no network.
    #[error("{0}")]
    Plan(#[from] PlanError),
    /// A pass did not fit its plan.
    #[error("{0}")]
    Net(#[from] NetError),
    /// The batch is larger than the training set.
    #[error("a batch of {batch} samples cannot be drawn from {found} training samples")]
    Batch {
        /// Batch size.
        batch: usize,
        /// Training samples.
        found: usize,
    },
    /// A loss was given shapes that do not fit.
    #[error("the loss: {0}")]
    Loss(String),
}

/// Streams of random numbers drawn from one seed.
const WEIGHTS: u64 = 1;
const ORDER: u64 = 2;

/// Trains one network on `data` and measures its accuracy on `held_out`. `on_step` is called after every step, and
/// stops the run by answering false.
///
/// # Errors
/// The recipe is no network, or does not fit the data.
pub fn train<T: Threads>(
    recipe: &Recipe,
    data: &Dataset,
    held_out: &Dataset,
    seed: u64,
    level: Level,
    threads: &T,
    mut on_step: impl FnMut(usize) -> bool,
) -> Result<Option<Trained>, TrainError> {
    let started = Instant::now();
    let found = data.labels().len();
    if recipe.batch > found {
        return Err(TrainError::Batch { batch: recipe.batch, found });
    }
    let built = recipe.build(data.features(), data.classes());
    let mut places = vec![Place::default(); built.layers.len()];
    let plan = Plan::new(data.features(), recipe.batch, &built.layers, &mut places)?;
    let moments = recipe.optimizer.moments();
    let mut memory = vec![0.0; plan.arena_len(moments, threads.count())?];
    let mut arena = Arena::new(&plan, moments, threads.count(), &mut memory)?;
    arena.initialise(&plan, &mut Random::stream(seed, WEIGHTS));

    let before = arena.parameters.to_vec();
    let mut batches = Batches::new(data, Random::stream(seed, ORDER));
    let mut gradient = vec![0.0; recipe.batch * data.classes()];
    let mut update = Update::new(recipe.optimizer, recipe.clipping, recipe.penalty);
    let pass = Pass { plan, level, threads, rows: recipe.batch };
    let mut course = Course::default();
    let mut figures: [Vec<LayerNorms>; 2] = Default::default();
    let mut ratio = [None; 2];
    let mut divergence = None;
    let mut steps = 0;
    // One pass more than there are updates: the last one measures the trained network.
    for step in 0..=recipe.steps {
        let labels = batches.next(arena.input_mut(&plan, recipe.batch), recipe.batch);
        let recorded = step % recipe.record_every.max(1) == 0 || step == recipe.steps;
        let mut observer = recorded.then(|| Observer::new(level, &built));
        match &mut observer {
            Some(observer) => pass.forward(&mut arena, Mode::Training, observer)?,
            None => pass.forward(&mut arena, Mode::Training, &mut Unwatched)?,
        }
        let output = arena.output(&plan, recipe.batch);
        let loss = loss_and_gradient(recipe.loss, level, output, &labels, data.classes(), &mut gradient)?;
        if !loss.is_finite() {
            let layer = first_bad_layer(&arena, &plan, &built, recipe.batch);
            divergence = Some(Divergence { step, layer: layer.unwrap_or(built.dense_at.len() + 1) });
            if let Some(observer) = &observer {
                record(&mut course, step, loss, None, 0.0, observer);
            }
            break;
        }
        match &mut observer {
            Some(observer) => pass.backward(&mut arena, &gradient, false, observer)?,
            None => pass.backward(&mut arena, &gradient, false, &mut Unwatched)?,
        }
        let gradient_norm = recorded.then(|| log10(reduce::norm(level, arena.gradients), 0)).flatten();
        let last = step == recipe.steps;
        let mut clipped = 0.0;
        if !last {
            let rate = recipe.rate * recipe.schedule.factor(step, recipe.steps);
            clipped = update.apply(level, &plan, &mut arena, rate)?;
            steps = step + 1;
        }
        if let Some(observer) = observer {
            record(&mut course, step, loss, gradient_norm, clipped, &observer);
            let which = usize::from(step > 0);
            ratio[which] = end_to_end(&observer.layers);
            figures[which] = observer.layers;
        }
        if !on_step(step) {
            return Ok(None);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let accuracy = accuracy(&pass, &mut arena, held_out)?;
    let mut hash = Hash::new();
    hash.f32s(arena.parameters);
    hash.f32s(arena.gradients);
    let moved = moved(level, &plan, &built, &before, arena.parameters);
    Ok(Some(Trained {
        accuracy,
        divergence,
        steps,
        // Forward, and backward with respect to both factors.
        multiply_adds: 3 * plan.multiply_adds() * (recipe.batch * steps) as u64,
        ratio,
        layers: figures,
        moved,
        course,
        hash: hash.finish(),
        seconds,
    }))
}

/// Batches drawn without replacement, in a new random order each time the data is used up.
struct Batches<'a> {
    data: &'a Dataset,
    random: Random,
    order: Vec<u32>,
    next: usize,
}

impl<'a> Batches<'a> {
    fn new(data: &'a Dataset, random: Random) -> Self {
        let order: Vec<u32> = (0..data.labels().len() as u32).collect();
        let next = order.len();
        Self { data, random, order, next }
    }

    /// Fills `inputs` with the next `count` samples and returns their labels.
    fn next(&mut self, inputs: &mut [f32], count: usize) -> Vec<u32> {
        let features = self.data.features();
        let mut labels = Vec::with_capacity(count);
        for row in inputs.chunks_exact_mut(features).take(count) {
            if self.next == self.order.len() {
                self.random.shuffle(&mut self.order);
                self.next = 0;
            }
            let sample = self.order[self.next] as usize;
            self.next += 1;
            row.copy_from_slice(&self.data.inputs()[sample * features..(sample + 1) * features]);
            labels.push(self.data.labels()[sample]);
        }
        labels
    }
}

/// The hidden layer (from 1) whose values first stop being finite; one more than the depth for the head; none
/// where all are finite.
pub(crate) fn first_bad_layer(
    arena: &Arena<'_>,
    plan: &Plan<'_>,
    built: &Built,
    rows: usize,
) -> Option<usize> {
    let bad = plan.places().iter().position(|place| {
        let values = &arena.values[place.output..place.output + rows * place.width];
        values.iter().any(|v| !v.is_finite())
    })?;
    if bad >= built.top_at {
        return Some(built.dense_at.len() + 1);
    }
    // The number of hidden layers that start at or before it.
    Some(built.dense_at.iter().filter(|dense| **dense <= bad).count().max(1))
}

fn record(
    course: &mut Course,
    step: usize,
    loss: f32,
    log10_gradient: Option<f64>,
    clipped: f64,
    observer: &Observer<'_>,
) {
    course.steps.push(step);
    course.loss.push(loss.is_finite().then_some(f64::from(loss)));
    course.log10_gradient.push(log10_gradient);
    course.clipped.push(clipped);
    course.log10_delta.push(observer.layers.iter().map(|l| l.log10_delta).collect());
    course.speed.push(observer.layers.iter().map(|l| l.speed).collect());
}

/// log10 of ||delta^1|| / ||delta^L||.
fn end_to_end(layers: &[LayerNorms]) -> Option<f64> {
    Some(layers.first()?.log10_delta? - layers.last()?.log10_delta?)
}

/// Fraction of samples whose largest output is their label's.
fn accuracy<T: Threads>(
    pass: &Pass<'_, T>,
    arena: &mut Arena<'_>,
    data: &Dataset,
) -> Result<f64, TrainError> {
    let (batch, features) = (pass.plan.batch(), data.features());
    let mut correct = 0;
    for (inputs, labels) in data.inputs().chunks(batch * features).zip(data.labels().chunks(batch)) {
        let rows = labels.len();
        arena.input_mut(&pass.plan, rows).copy_from_slice(inputs);
        let pass = Pass { rows, ..*pass };
        pass.forward(arena, Mode::Inference, &mut Unwatched)?;
        let output = MatRef::new(arena.output(&pass.plan, rows), rows, data.classes());
        let output = output.map_err(|e| TrainError::Loss(e.to_string()))?;
        correct += loss::accuracy(pass.level, output, labels).map_err(|e| TrainError::Loss(e.to_string()))?;
    }
    Ok(correct as f64 / data.labels().len().max(1) as f64)
}

/// How far the weights of each hidden layer moved, relative to where they started.
fn moved(level: Level, plan: &Plan<'_>, built: &Built, before: &[f32], after: &[f32]) -> Vec<Option<f64>> {
    built
        .dense_at
        .iter()
        .map(|&dense| {
            let place = &plan.places()[dense];
            let range = place.parameters..place.parameters + place.weight_count;
            let (before, after) = (&before[range.clone()], &after[range]);
            let difference: Vec<f32> = after.iter().zip(before).map(|(a, b)| a - b).collect();
            let difference = reduce::norm(level, &difference);
            let start = log10(reduce::norm(level, before), 0)?;
            if difference.is_zero() {
                return Some(0.0);
            }
            Some(10f64.powf(log10(difference, 0)? - start))
        })
        .collect()
}
