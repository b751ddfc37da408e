//! One network: start it, send signals up and a gradient down, note what passes.
//!
//! Every network draws its weights, inputs and cotangent from streams of its own, so that networks can run in any
//! order and on any thread. Cost: one step's forward and backward pass over the batch, and one forward pass over the
//! survey.

use isobath_kernels::{Level, MatMut, MatRef, loss, reduce};

use super::jacobian;
use super::measure::ProbeError;
use super::moments::{OutputMoments, moments};
use super::pair::{self, PAIRS};
use super::rank::effective_rank;
use super::saturation::{Fractions, Saturation};
use super::setup::{CLASSES, Cotangent, Setup};
use super::sounding::Sounding;
use crate::architecture::Built;
use crate::data::Dataset;
use crate::memory::Buffer;
use crate::net::{Arena, Mode, Pass, Plan, PlanError};
use crate::random::Random;
use crate::threads::Serial;
use crate::train::{LayerNorms, first_bad_layer, log10};

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
pub(crate) enum Outcome {
    /// Everything is finite and the gradient is not zero.
    Measured,
    /// dL/dx^0 is exactly zero: this hidden layer passes nothing.
    Zero(usize),
    /// A value or a gradient is not finite; the layer with the first such value.
    Overflow(Option<usize>),
}

/// What was seen of one network.
pub(crate) struct Net {
    pub(crate) outcome: Outcome,
    pub(crate) layers: Vec<LayerNorms>,
    pub(crate) log10_top: Option<f64>,
    pub(crate) log10_input: Option<f64>,
    pub(crate) slope_rms: Vec<f64>,
    pub(crate) fractions: Vec<Fractions>,
    /// log10 of the norms of the weights of each hidden layer's (first) dense layer.
    pub(crate) log10_weights: Vec<Option<f64>>,
    /// Of each hidden layer's outputs over the survey.
    pub(crate) outputs: Vec<Outputs>,
    /// Effective rank of the survey's inputs.
    pub(crate) input_rank: Option<f64>,
    /// Cosine of two inputs' gradients.
    pub(crate) gradient_correlation: Option<f64>,
    /// In decreasing order.
    pub(crate) singular_values: Option<Vec<f64>>,
    pub(crate) hash: u64,
}

/// What a hidden layer gives out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outputs {
    pub(crate) moments: Option<OutputMoments>,
    pub(crate) effective_rank: Option<f64>,
}

/// What is done to a network before it runs, such as planting a defect.
pub(crate) type Tamper<'a> = &'a (dyn Fn(&mut Arena<'_>, &Plan<'_>, &Built) + Sync);

/// What networks are fed.
#[derive(Clone, Copy)]
pub(crate) enum Inputs<'a> {
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
    tamper: Tamper<'_>,
    net: usize,
    level: Level,
) -> Result<Net, ProbeError> {
    let (survey, batch) = (plan.batch(), setup.batch);
    let length = plan.arena_len(0, 1)?;
    let mut memory = Buffer::zeros(length).map_err(|_| PlanError::TooLarge)?;
    let mut arena = Arena::new(plan, 0, 1, &mut memory)?;
    arena.initialise(plan, &mut random(setup.seed, net, Purpose::Weights));
    tamper(&mut arena, plan, built);
    let log10_weights = weight_norms(level, &arena, plan, built);
    let mut x = vec![0.0; survey * plan.input()];
    let labels = inputs.fill(&mut random(setup.seed, net, Purpose::Inputs), plan.input(), &mut x);

    let activation = setup.architecture.activation;
    let mut saturation = Saturation::new(built, activation);
    let pass = Pass { plan: *plan, level, threads: &Serial, rows: survey };
    arena.input_mut(plan, survey).copy_from_slice(&x);
    pass.forward(&mut arena, Mode::Training, &mut saturation)?;
    let input_rank = MatRef::new(&x, survey, plan.input()).ok().and_then(|x| effective_rank(level, x));
    let outputs = (0..built.dense_at.len()).map(|l| {
        let Some((y, exponent)) = hidden_output(&arena, plan, built, l, survey) else {
            return Outputs::default();
        };
        Outputs { moments: moments(y, exponent), effective_rank: effective_rank(level, y) }
    });
    let outputs = outputs.collect();

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
    let bad = plan.places().iter().position(|place| {
        let values = &arena.values[place.output.start..][..batch * place.width];
        values.iter().any(|v| v.is_nan() || (v.is_infinite() && Some(place.output) != top))
    });
    let overflow = first_bad_layer(built, bad);
    let outcome = outcome(&sounding, overflow);
    let gradient_correlation = match (setup.pair_correlation, inputs) {
        (Some(rho), Inputs::Gaussian(_)) => {
            let mut random = random(setup.seed, net, Purpose::Pair);
            let mut fresh = vec![0.0; PAIRS * plan.input()];
            inputs.fill(&mut random, plan.input(), &mut fresh);
            let mut cotangents = vec![0.0; PAIRS * plan.output()];
            random.fill_normal(&mut cotangents, 1.0);
            let pass = Pass { rows: 2 * PAIRS, ..pass };
            pair::gradient_correlation(&pass, &mut arena, (&x, &fresh), rho, &cotangents)?
        }
        _ => None,
    };
    let x = &x[..plan.input()];
    let singular_values = if setup.jacobian {
        jacobian::singular_values(&Pass { rows: survey, ..pass }, &mut arena, x, 0)?
    } else {
        None
    };
    Ok(Net {
        outcome,
        layers: sounding.norms.layers,
        log10_top: sounding.norms.log10_top,
        log10_input: sounding.norms.log10_input,
        slope_rms: sounding.slope_rms,
        fractions: saturation.fractions(),
        log10_weights,
        outputs,
        input_rank,
        gradient_correlation,
        singular_values,
        hash: sounding.hash.finish(),
    })
}

/// log10 of the norms of the weights of each hidden layer's (first) dense layer.
pub(crate) fn weight_norms(
    level: Level,
    arena: &Arena<'_>,
    plan: &Plan<'_>,
    built: &Built,
) -> Vec<Option<f64>> {
    let places = built.dense_at.iter().map(|layer| &plan.places()[*layer]);
    places
        .map(|place| {
            let weights = arena.parameters_of(place).get(..place.weight_count)?;
            log10(reduce::norm(level, weights), 0)
        })
        .collect()
}

/// What hidden layer `l`, from 0, gave out in the last forward pass over `rows` rows, and its power of two: the next
/// hidden layer's input, or the last one's output. None for a pass over more rows than the plan has.
pub(super) fn hidden_output<'a>(
    arena: &'a Arena<'_>,
    plan: &Plan<'_>,
    built: &Built,
    l: usize,
    rows: usize,
) -> Option<(MatRef<'a>, i32)> {
    let next = built.dense_at.get(l + 1).copied().unwrap_or(built.top_at);
    let last = || plan.places().last().map(|place| (place.output, place.width));
    let (values, width) = plan.places().get(next).map(|p| (p.input, p.fan_in)).or_else(last)?;
    let slice = arena.values.get(values.start..values.start + rows * width)?;
    Some((MatRef::new(slice, rows, width).ok()?, arena.exponent(values)))
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
