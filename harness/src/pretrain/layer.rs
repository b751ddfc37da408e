//! The steps of one hidden layer: batches in a seeded order, the model's gradient, Adam.

use isobath_kernels::Level;
use isobath_kernels::optimizer::{self, Adam, AdamState};

use super::autoencoder::Autoencoder;
use super::rbm::Rbm;
use super::units::{Batch, Units};
use super::{Model, PretrainError, Pretraining, prefix_mut};
use crate::descent::Order;
use crate::random::Random;
use crate::threads::Threads;

/// Memory for the steps of any of the layers, each array as long as the largest needs; all but the parameters may hold
/// anything.
pub(super) struct Workplace<'a> {
    /// Weights, hidden biases, visible biases.
    pub(super) parameters: &'a mut [f32],
    pub(super) gradient: &'a mut [f32],
    pub(super) first_moments: &'a mut [f32],
    pub(super) second_moments: &'a mut [f32],
    /// The inputs of a batch.
    pub(super) inputs: &'a mut [f32],
    /// The visible units of persistent chains.
    pub(super) particles: &'a mut [f32],
    /// What a gradient needs.
    pub(super) step: &'a mut [f32],
}

/// What a layer learns from: samples in rows, the order they are drawn in, and the random numbers of its model.
pub(super) struct Lessons<'a, 'o> {
    pub(super) samples: &'a [f32],
    pub(super) order: &'a mut Order<'o>,
    pub(super) random: &'a mut Random,
}

/// Makes all steps of a layer in batches of `rows`. False if `on_step` stopped them.
pub(super) fn train<T: Threads>(
    pretraining: &Pretraining,
    units: Units,
    rows: usize,
    lessons: Lessons<'_, '_>,
    work: &mut Workplace<'_>,
    level: Level,
    threads: &T,
    on_step: &mut impl FnMut() -> bool,
) -> Result<bool, PretrainError> {
    let Lessons { samples, order, random } = lessons;
    let count = units.parameters();
    let parameters = prefix_mut("the parameters", work.parameters, count)?;
    let gradient = prefix_mut("the gradient", work.gradient, count)?;
    let first_moments = prefix_mut("the first moments", work.first_moments, count)?;
    let second_moments = prefix_mut("the second moments", work.second_moments, count)?;
    let inputs = prefix_mut("the inputs", work.inputs, rows.saturating_mul(units.visible))?;
    first_moments.fill(0.0);
    second_moments.fill(0.0);
    let adam = Adam { learning_rate: pretraining.rate, ..Adam::default() };
    let mut state = AdamState::new();
    for step in 0..pretraining.steps {
        for row in inputs.chunks_exact_mut(units.visible) {
            if let Some(sample) = samples.chunks_exact(units.visible).nth(order.next()) {
                row.copy_from_slice(sample);
            }
        }
        let batch = Batch { inputs, rows, level, threads };
        match pretraining.model {
            Model::Autoencoder { noise } => {
                let model = Autoencoder { units, noise };
                model.gradient(batch, parameters, gradient, work.step, random)?;
            }
            Model::Rbm { gibbs_steps, persistent } => {
                let particles = if persistent {
                    let particles = prefix_mut("the particles", work.particles, inputs.len())?;
                    if step == 0 {
                        particles.copy_from_slice(inputs);
                    }
                    Some(particles)
                } else {
                    None
                };
                let model = Rbm { units, gibbs_steps };
                model.gradient(batch, particles, parameters, gradient, work.step, random)?;
            }
        }
        let correction = state.advance(&adam);
        optimizer::adam(level, &adam, &correction, parameters, first_moments, second_moments, gradient)?;
        if !on_step() {
            return Ok(false);
        }
    }
    Ok(true)
}
