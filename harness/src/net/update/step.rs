//! One step of an update, layer by layer: what it does to a layer needs that layer's gradients alone.
//!
//! Cost: the layer's parameters, gradients and moments are read once, parameters and moments written once; clipping and
//! penalties read and write the gradients once more each, decay and max-norm the weights.

use isobath_kernels::optimizer::{self, Adam, AdamCorrection, Momentum};
use isobath_kernels::{Level, MatMut, MatRef, clip};

use super::super::arena::gradients_of;
use super::super::share::share;
use super::super::{Arena, Layer, Place, Restraint};
use super::{Clipped, Clipping, Penalty};
use crate::threads::Threads;

/// Norm below which AGC takes a unit's weights to have this norm, as its authors do.
const AGC_EPSILON: f32 = 1e-3;

/// An optimiser with what it needs to know of the step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    Sgd,
    Momentum(Momentum),
    /// Only weights decay.
    Adam(Adam, AdamCorrection),
}

/// Parameters and their gradients.
type Moved<'a> = (&'a mut [f32], &'a [f32]);
/// Their first and second moments.
type Moments<'a> = (&'a mut [f32], &'a mut [f32]);

/// A step under way.
#[derive(Clone, Copy, Debug)]
pub(in crate::net) struct Step {
    pub(super) rule: Rule,
    pub(super) rate: f32,
    /// By the common norm: has been done.
    pub(super) clipping: Clipping,
    pub(super) penalty: Penalty,
    pub(super) restraint: Restraint,
    /// How much clipping has changed so far.
    pub(in crate::net) clipped: Clipped,
}

impl Step {
    /// Clips, adds the penalty, decays, steps, projects. `scratch` holds a column of the weights at least.
    pub(in crate::net) fn layer<T: Threads>(
        &mut self,
        level: Level,
        threads: &T,
        layer: &Layer,
        place: &Place,
        arena: &mut Arena<'_>,
        scratch: &mut [f32],
    ) -> Option<()> {
        if place.parameter_count == 0 {
            return Some(());
        }
        let count = arena.parameters.len();
        let range = place.parameters..place.parameters + place.parameter_count;
        let parameters = arena.parameters.get_mut(range.clone())?;
        let gradients = gradients_of(arena.gradients, count, place)?;
        let shape = layer.weights_shape(place);
        self.clip(level, shape, parameters, gradients)?;
        let weights = parameters.get_mut(..place.weight_count)?;
        let of_weights = gradients.get_mut(..place.weight_count)?;
        match self.penalty {
            Penalty::None => {}
            Penalty::L1 { lambda } => optimizer::add_l1(level, lambda, weights, of_weights).ok()?,
            Penalty::L2 { lambda } => optimizer::add_l2(level, lambda, weights, of_weights).ok()?,
        }
        if shape.is_some() {
            self.restraint.decay(level, weights, self.rate);
        }
        let first = arena.moments.get_mut(range.start..).unwrap_or_default();
        self.step(level, threads, place, parameters, gradients, first, count)?;
        match shape {
            Some((rows, columns)) => {
                let weights = parameters.get_mut(..place.weight_count)?;
                self.restraint.project(level, weights, columns, scratch.get_mut(..rows)?)
            }
            None => Some(()),
        }
    }

    fn clip(
        &mut self,
        level: Level,
        shape: Option<(usize, usize)>,
        parameters: &[f32],
        gradients: &mut [f32],
    ) -> Option<()> {
        let (changed, of) = match (self.clipping, shape) {
            (Clipping::GlobalNorm { .. }, _) | (Clipping::Adaptive { .. }, None) => (0, 0),
            (Clipping::None, _) => (0, gradients.len()),
            (Clipping::Value { limit }, _) => {
                (clip::by_value(level, gradients, limit).ok()?.clipped, gradients.len())
            }
            (Clipping::Adaptive { lambda }, Some((rows, columns))) => {
                let weights = MatRef::new(parameters, rows, columns).ok()?;
                let gradients = MatMut::new(gradients, rows, columns).ok()?;
                (clip::adaptive(level, weights, gradients, lambda, AGC_EPSILON).ok()?.clipped, columns)
            }
        };
        self.clipped.changed += changed;
        self.clipped.of += of;
        Some(())
    }

    /// `moments` begins with the layer's first moments; the second ones of a parameter follow `count` elements later.
    fn step<T: Threads>(
        &self,
        level: Level,
        threads: &T,
        place: &Place,
        parameters: &mut [f32],
        gradients: &[f32],
        moments: &mut [f32],
        count: usize,
    ) -> Option<()> {
        let length = parameters.len();
        match self.rule {
            Rule::Sgd => {
                let step = |(w, g): (&mut [f32], &[f32])| optimizer::sgd(level, self.rate, w, g).ok();
                share(threads, 3 * length, length, (parameters, gradients), &step)
            }
            Rule::Momentum(rule) => {
                let step = |(w, v, g): (&mut [f32], &mut [f32], &[f32])| {
                    optimizer::momentum(level, rule, w, v, g).ok()
                };
                let parts = (parameters, moments.get_mut(..length)?, gradients);
                share(threads, 5 * length, length, parts, &step)
            }
            Rule::Adam(rule, correction) => {
                let (first, second) = moments.split_at_mut_checked(count)?;
                let (first, second) = (first.get_mut(..length)?, second.get_mut(..length)?);
                let border = place.weight_count;
                for (range, weight_decay) in [(0..border, rule.weight_decay), (border..length, 0.0)] {
                    let rule = Adam { weight_decay, ..rule };
                    let step = |((w, g), (m, v)): (Moved<'_>, Moments<'_>)| {
                        optimizer::adam(level, &rule, &correction, w, m, v, g).ok()
                    };
                    let moments = (first.get_mut(range.clone())?, second.get_mut(range.clone())?);
                    let moved = (parameters.get_mut(range.clone())?, gradients.get(range.clone())?);
                    share(threads, 8 * range.len(), range.len(), (moved, moments), &step)?;
                }
                Some(())
            }
        }
    }
}
