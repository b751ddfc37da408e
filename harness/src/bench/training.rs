//! The training step: forward pass, softmax cross-entropy, backward pass, SGD, on batches drawn from random samples.
//!
//! A multiply-add counts as two operations and a step as three products per dense layer, but for the input gradient of the
//! first, which nobody needs. The peak is measured between the batches of steps, so that the clock is the same for both.

use std::time::{Duration, Instant};

use isobath_kernels::Level;
use serde::Serialize;
use thiserror::Error;

use super::limits::peak_gflops;
use super::phases::{Phases, Stopwatch};
use super::timing::{Interval, Times, calls_per_batch, seconds_per_call};
use crate::activation::Activation;
use crate::architecture::{Architecture, Head, Norm};
use crate::descent::{Descent, DescentError, Memory, Samples, softmax_cross_entropy};
use crate::init::Init;
use crate::machine::available_memory;
use crate::memory::Buffer;
use crate::net::update::{Clipping, Optimizer, Penalty, Update};
use crate::net::{Layer, Place, Plan, PlanError, Unwatched, Watch};
use crate::random::Random;
use crate::threads::Threads;
use crate::train::Observer;

/// Columns of the input and classes of the output.
pub const SHAPE: (usize, usize) = (64, 10);
/// Batches' worth of samples that steps draw from.
const BATCHES: usize = 4;
/// Small enough that the network stays what it is.
const RATE: f32 = 1e-6;
/// Batches of steps, at least.
const LEAST: usize = 6;
/// Steps whose phases are taken after each batch.
const PHASED: usize = 2;

/// A plain network to train.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Network {
    /// Hidden layers.
    pub depth: usize,
    /// Units per layer.
    pub width: usize,
    /// Samples per step.
    pub batch: usize,
    /// phi.
    #[serde(serialize_with = "super::name")]
    pub activation: Activation,
    /// Whether batch norm stands before each activation.
    pub batch_norm: bool,
    /// Whether the norms of x, delta and gW of every layer are taken in each step.
    pub norms: bool,
    /// Hidden layers from one checkpoint to the next, where the backward pass computes the values between them again.
    pub checkpoints: Option<usize>,
}

/// How fast it trains.
#[derive(Clone, Debug, Serialize)]
pub struct Training {
    /// The network.
    #[serde(flatten)]
    pub network: Network,
    /// Milliseconds per step.
    pub step_milliseconds: Interval,
    /// The fastest batch of steps.
    pub best_milliseconds: f64,
    /// Samples per second, of the median.
    pub samples_per_second: f64,
    /// 10^9 operations of the products per second, of the median; what is computed again does not count.
    pub gflops: f64,
    /// The highest peak of multiply-adds on all threads that was seen between the steps.
    pub peak_gflops: f64,
    /// The share of the peak.
    pub peak_percent: f64,
    /// Where the time goes, in percent.
    pub phases: Phases<f64>,
    /// Trained parameters.
    pub parameters: usize,
    /// Bytes of the arena: parameters, gradients, values, deltas, workspace.
    pub arena_bytes: u64,
}

/// Why a network could not be measured.
#[derive(Debug, Error)]
pub enum TrainingError {
    /// The layers are no network, or one larger than the address space.
    #[error("{0}")]
    Plan(#[from] PlanError),
    /// A step did not run.
    #[error("{0}")]
    Descent(#[from] DescentError),
    /// There is not enough memory.
    #[error("it needs {needed} MiB of memory, of which {available} are free")]
    Memory {
        /// MiB.
        needed: u64,
        /// MiB.
        available: u64,
    },
}

/// Measures a network for so long.
///
/// # Errors
/// It is no network, or does not fit into memory.
pub fn measure<T: Threads>(
    network: Network,
    level: Level,
    threads: &T,
    seed: u64,
    time: Duration,
) -> Result<Training, TrainingError> {
    let (features, classes) = SHAPE;
    let Network { depth, width, batch, activation, batch_norm, norms, checkpoints } = network;
    let norm = if batch_norm { Norm::Batch } else { Norm::None };
    let architecture = Architecture { norm, ..Architecture::plain(depth, width, activation, Init::XAVIER) };
    let built = architecture.build(features, Head::Linear(classes, Init::LECUN));
    let mut places = vec![Place::default(); built.layers.len()];
    let plan = built.plan(features.into(), batch, &mut places, checkpoints)?.consuming_gradients();
    let update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
    let length = plan.arena_len(update.moments(), threads.count())?;
    let arena_bytes = (length as u64).saturating_mul(size_of::<f32>() as u64);
    let samples = batch.saturating_mul(BATCHES);
    let data_bytes = (samples as u64).saturating_mul(features as u64 * size_of::<f32>() as u64);
    let needed = arena_bytes.saturating_add(data_bytes);
    if let Some(available) = available_memory().filter(|available| needed > *available) {
        return Err(TrainingError::Memory { needed: needed >> 20, available: available >> 20 });
    }
    let mut arena = Buffer::zeros(length).map_err(|_| PlanError::TooLarge)?;
    let mut random = Random::stream(seed, 0);
    let inputs: Vec<f32> = (0..samples * features).map(|_| random.normal()).collect();
    let labels: Vec<u32> = (0..samples).map(|_| random.below(classes) as u32).collect();
    let (mut order, mut drawn) = (vec![0; samples], vec![0; batch]);
    let mut gradient = vec![0.0; batch * classes];
    let memory = Memory { arena: &mut arena, order: &mut order, labels: &mut drawn, gradient: &mut gradient };
    let data = Samples { inputs: &inputs, labels: &labels };
    let mut descent = Descent::new(plan, level, threads, update, data, memory, seed)?;

    let observe = |descent: &mut Descent<'_, T>| {
        if norms {
            // What training records in each step, but for the speed of learning.
            step(descent, level, &mut Observer::of_norms(level, &built))
        } else {
            step(descent, level, &mut Unwatched)
        }
    };
    // Once, to see that there is no error; what is timed then has none either.
    observe(&mut descent)?;
    let calls = calls_per_batch(|| {
        let _ = observe(&mut descent);
    });
    let mut times = Times::default();
    let mut stopwatch = Stopwatch::new(&built.layers);
    let (mut peak, mut count) = (0f64, 0);
    let start = Instant::now();
    while start.elapsed() < time || count < LEAST {
        times.push(seconds_per_call(calls, &mut || {
            let _ = observe(&mut descent);
        }));
        peak = peak.max(peak_gflops(level, threads.count()));
        for _ in 0..PHASED {
            stopwatch.restart();
            step_in_phases(&mut descent, level, &mut stopwatch)?;
        }
        count += 1;
    }
    let seconds = times.interval().median;
    let gflops = 2.0 * multiply_adds(&plan) as f64 * batch as f64 / seconds / 1e9;
    Ok(Training {
        network,
        step_milliseconds: times.interval().times(1e3),
        best_milliseconds: times.best() * 1e3,
        samples_per_second: batch as f64 / seconds,
        gflops,
        peak_gflops: peak,
        peak_percent: 100.0 * gflops / peak,
        phases: stopwatch.phases.percent(),
        parameters: plan.parameters(),
        arena_bytes,
    })
}

/// Multiply-adds of a step for each sample.
fn multiply_adds(plan: &Plan<'_>) -> u64 {
    let first = plan.layers().iter().zip(plan.places()).next();
    let unneeded = match first {
        Some((Layer::Dense(_), place)) => place.fan_in as u64 * place.width as u64,
        _ => 0,
    };
    3 * plan.multiply_adds() - unneeded
}

fn step<T: Threads>(
    descent: &mut Descent<'_, T>,
    level: Level,
    watch: &mut impl Watch,
) -> Result<(), DescentError> {
    descent.descend(
        |outputs, labels, gradient| softmax_cross_entropy(level, SHAPE.1, outputs, labels, gradient),
        RATE,
        watch,
    )?;
    Ok(())
}

fn step_in_phases<T: Threads>(
    descent: &mut Descent<'_, T>,
    level: Level,
    stopwatch: &mut Stopwatch<'_>,
) -> Result<(), DescentError> {
    step(descent, level, stopwatch)?;
    stopwatch.rest();
    Ok(())
}
