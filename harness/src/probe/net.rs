//! One network: start it, send signals up and a gradient down, note what passes.
//!
//! Every network draws its weights, inputs and cotangent from streams of its own, so that networks can run in any
//! order and on any thread. Cost: one step's forward and backward pass over the batch, and one forward pass over the
//! survey.

use isobath_kernels::{Level, MatMut, MatRef, loss};

use super::measure::ProbeError;
use super::saturation::Saturation;
use super::setup::{CLASSES, Cotangent, Setup};
use super::sounding::Sounding;
use super::{jacobian, pair};
use crate::architecture::Built;
use crate::data::Dataset;
use crate::net::{Arena, Mode, Pass, Plan, PlanError};
use crate::random::Random;
use crate::threads::Serial;
use crate::train::{LayerNorms, first_bad_layer};

/// What a network draws random numbers for.
#[derive(Clone, Copy)]
enum Purpose {
    Weights,
    Inputs,
    Cotangent,
    Pair,
}

/// Streams kept for each network.
const STREAMS: u64 = 4;

/// The generator of network `net` for one purpose.
fn random(seed: u64, net: usize, purpose: Purpose) -> Random {
    Random::stream(seed, (net as u64).wrapping_mul(STREAMS).wrapping_add(purpose as u64))
}

/// Whether a network's figures are figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    /// Everything is finite and the gradient is not zero.
    Measured,
    /// dL/dx^0 is exactly zero: this hidden layer passes nothing.
    Zero(usize),
    /// A value or a gradient is not finite; the layer with the first such value.
    Overflow(Option<usize>),
}

/// What was seen of one network.
pub(super) struct Net {
    pub(super) outcome: Outcome,
    pub(super) layers: Vec<LayerNorms>,
    pub(super) log10_top: Option<f64>,
    pub(super) log10_input: Option<f64>,
    pub(super) slope_rms: Vec<f64>,
    pub(super) saturated_and_dead: Vec<(f64, f64)>,
    /// Cosine of two inputs' gradients.
    pub(super) gradient_correlation: Option<f64>,
    /// In decreasing order.
    pub(super) singular_values: Option<Vec<f64>>,
    pub(super) hash: u64,
}

/// What networks are fed.
#[derive(Clone, Copy)]
pub(super) enum Inputs<'a> {
    /// Normal numbers of this mean square.
    Gaussian(f64),
    /// Samples of a data set.
    Data(&'a Dataset),
}

impl Inputs<'_> {
    /// Fills rows of `width` columns and gives their labels.
    fn fill(self, random: &mut Random, width: usize, values: &mut [f32]) -> Vec<u32> {
        match self {
            Self::Gaussian(mean_square) => {
                random.fill_normal(values, mean_square.sqrt() as f32);
                values.chunks_exact(width).map(|_| random.below(CLASSES) as u32).collect()
            }
            Self::Data(data) => {
                let mut order: Vec<u32> = (0..data.len() as u32).collect();
                random.shuffle(&mut order);
                let rows = values.chunks_exact_mut(width).zip(order);
                rows.map(|(row, sample)| {
                    let sample = sample as usize;
                    row.copy_from_slice(&data.inputs()[sample * width..(sample + 1) * width]);
                    data.labels()[sample]
                })
                .collect()
            }
        }
    }
}

/// Runs network `net`.
pub(super) fn run(
    setup: &Setup,
    inputs: Inputs<'_>,
    built: &Built,
    plan: &Plan<'_>,
    net: usize,
    level: Level,
) -> Result<Net, ProbeError> {
    let (survey, batch) = (plan.batch(), setup.batch);
    let mut memory = Vec::new();
    let length = plan.arena_len(0, 1)?;
    memory.try_reserve_exact(length).map_err(|_| PlanError::TooLarge)?;
    memory.resize(length, 0.0);
    let mut arena = Arena::new(plan, 0, 1, &mut memory)?;
    arena.initialise(plan, &mut random(setup.seed, net, Purpose::Weights));
    let mut x = vec![0.0; survey * plan.input()];
    let labels = inputs.fill(&mut random(setup.seed, net, Purpose::Inputs), plan.input(), &mut x);

    let activation = setup.architecture.activation;
    let mut saturation = Saturation::new(built, activation);
    let pass = Pass { plan: *plan, level, threads: &Serial, rows: survey };
    arena.input_mut(plan, survey).copy_from_slice(&x);
    pass.forward(&mut arena, Mode::Training, &mut saturation)?;

    let mut sounding = Sounding::new(level, built, activation);
    let pass = Pass { rows: batch, ..pass };
    arena.input_mut(plan, batch).copy_from_slice(&x[..batch * plan.input()]);
    pass.forward(&mut arena, Mode::Training, &mut sounding)?;
    let mut gradient = vec![0.0; batch * plan.output()];
    match setup.cotangent {
        Cotangent::Gaussian => {
            random(setup.seed, net, Purpose::Cotangent).fill_normal(&mut gradient, 1.0);
        }
        Cotangent::Loss => {
            let wrong = |error: &dyn std::fmt::Display| ProbeError::Loss(error.to_string());
            let output = MatRef::new(arena.output(plan, batch), batch, plan.output());
            let gradient = MatMut::new(&mut gradient, batch, plan.output());
            let (output, gradient) = (output.map_err(|e| wrong(&e))?, gradient.map_err(|e| wrong(&e))?);
            loss::softmax_cross_entropy(level, output, &labels[..batch], gradient).map_err(|e| wrong(&e))?;
        }
    }
    pass.backward(&mut arena, &gradient, true, &mut sounding)?;
    sounding.hash.f32s(arena.gradients);

    // The output alone has no power of two: beyond f32 it is infinite, which the Gaussian cotangent does not see.
    let top = plan.places().last().map(|place| place.output);
    let overflow = first_bad_layer(plan, built, |place| {
        let values = &arena.values[place.output.start..][..batch * place.width];
        values.iter().any(|v| v.is_nan() || (v.is_infinite() && Some(place.output) != top))
    });
    let outcome = outcome(&sounding, overflow);
    let x = &x[..plan.input()];
    let gradient_correlation = match (setup.pair_correlation, inputs) {
        (Some(rho), Inputs::Gaussian(_)) => {
            let mut random = random(setup.seed, net, Purpose::Pair);
            let mut fresh = vec![0.0; plan.input()];
            inputs.fill(&mut random, plan.input(), &mut fresh);
            let mut cotangent = vec![0.0; plan.output()];
            random.fill_normal(&mut cotangent, 1.0);
            pair::gradient_correlation(&Pass { rows: 2, ..pass }, &mut arena, (x, &fresh), rho, &cotangent)?
        }
        _ => None,
    };
    let singular_values = if setup.jacobian {
        jacobian::singular_values(&Pass { rows: survey, ..pass }, &mut arena, x)?
    } else {
        None
    };
    Ok(Net {
        outcome,
        layers: sounding.norms.layers,
        log10_top: sounding.norms.log10_top,
        log10_input: sounding.norms.log10_input,
        slope_rms: sounding.slope_rms,
        saturated_and_dead: saturation.fractions(),
        gradient_correlation,
        singular_values,
        hash: sounding.hash.finish(),
    })
}

/// `overflow` is the first hidden layer with a value that is not finite.
fn outcome(sounding: &Sounding<'_>, overflow: Option<usize>) -> Outcome {
    if overflow.is_some() || !sounding.is_finite {
        return Outcome::Overflow(overflow);
    }
    if !sounding.is_zero {
        return Outcome::Measured;
    }
    // A layer without any slope; or, where all have one, the weights above the topmost delta that is zero.
    let flat = sounding.slope_rms.iter().position(|slope| *slope == 0.0);
    let topmost =
        || sounding.norms.layers.iter().rposition(|layer| layer.log10_delta.is_none()).map_or(0, |l| l + 1);
    Outcome::Zero(flat.map_or_else(|| topmost() + 1, |l| l + 1))
}
