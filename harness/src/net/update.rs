//! The end of a training step: clipping, penalties on the weights, the optimiser, restraint.
//!
//! Order: gradients of the loss are clipped first, then the penalties' gradients are added, then weights decay, the
//! optimiser steps, and weights are projected onto their largest norm (see [`Restraint`]).
//! Decay, penalties and the largest norm touch dense weights alone, never biases, gains, shifts or slopes.

mod step;

use isobath_kernels::optimizer::{Adam, AdamState, Momentum};
use isobath_kernels::{Level, clip, reduce};

use super::{Arena, NetError, Plan, Restraint};
use crate::threads::Threads;
use step::Rule;
pub(super) use step::Step;

/// How gradients are limited before the step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clipping {
    /// Not at all.
    None,
    /// Each element to [-limit, limit].
    Value {
        /// The limit.
        limit: f32,
    },
    /// All gradients together to this norm.
    GlobalNorm {
        /// The largest norm that passes unchanged.
        max_norm: f32,
    },
    /// Each unit's gradient to `lambda` times the norm of its weights (AGC; Brock et al. 2021), not those of its bias.
    Adaptive {
        /// The largest ratio of gradient norm to weight norm that passes unchanged.
        lambda: f32,
    },
}

/// A penalty on the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Penalty {
    /// None.
    None,
    /// lambda |w|: adds lambda sign(w) to the gradient.
    L1 {
        /// The factor.
        lambda: f32,
    },
    /// lambda w^2 / 2: adds lambda w to the gradient.
    L2 {
        /// The factor.
        lambda: f32,
    },
}

impl Penalty {
    /// What it adds to the loss: lambda sum |w| or lambda / 2 sum w^2 over all dense weights. Infinite or NaN where they
    /// are. L1 is a plain sum in f64.
    pub fn value(self, level: Level, plan: &Plan<'_>, arena: &Arena<'_>) -> f64 {
        let of = |weights: &[f32]| match self {
            Self::None => 0.0,
            Self::L1 { lambda } => {
                f64::from(lambda) * weights.iter().map(|w| f64::from(w.abs())).sum::<f64>()
            }
            Self::L2 { lambda } => {
                let squares = reduce::sum_of_squares(level, weights);
                f64::from(lambda) / 2.0 * libm::ldexp(f64::from(squares.significand), squares.exponent)
            }
        };
        if self == Self::None {
            return 0.0;
        }
        plan.places.iter().filter_map(|p| arena.parameters_of(p).get(..p.weight_count)).map(of).sum()
    }
}

/// The rule that moves parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// w -= rate g.
    Sgd,
    /// Heavy ball or Nesterov momentum.
    Momentum {
        /// Factor on the velocity.
        momentum: f32,
        /// Whether the step looks ahead.
        nesterov: bool,
    },
    /// Adam; with a decoupled decay of the weights, AdamW. beta1 0.9, beta2 0.999, epsilon 1e-8.
    Adam {
        /// Each step multiplies weights by 1 - rate weight_decay.
        weight_decay: f32,
    },
}

impl Optimizer {
    /// Values that the optimiser keeps per parameter.
    pub fn moments(&self) -> usize {
        match self {
            Self::Sgd => 0,
            Self::Momentum { .. } => 1,
            Self::Adam { .. } => 2,
        }
    }
}

/// How much of a gradient clipping changed: elements, or for AGC units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clipped {
    /// Those that were changed.
    pub changed: usize,
    /// All.
    pub of: usize,
}

impl Clipped {
    /// The fraction that was changed.
    pub fn fraction(self) -> f64 {
        self.changed as f64 / self.of.max(1) as f64
    }
}

/// The end of every step of one training run.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    optimizer: Optimizer,
    clipping: Clipping,
    penalty: Penalty,
    restraint: Restraint,
    adam: AdamState,
}

impl Update {
    /// Before the first step.
    pub fn new(optimizer: Optimizer, clipping: Clipping, penalty: Penalty) -> Self {
        Self { optimizer, clipping, penalty, restraint: Restraint::default(), adam: AdamState::new() }
    }

    /// The same with weights held back.
    #[must_use]
    pub fn with_restraint(self, restraint: Restraint) -> Self {
        Self { restraint, ..self }
    }

    /// Values that the optimiser keeps per parameter.
    pub fn moments(&self) -> usize {
        self.optimizer.moments()
    }

    /// Whether a layer can be updated before the gradients of the others are known: not with clipping by their common
    /// norm.
    pub fn is_by_layer(&self) -> bool {
        !matches!(self.clipping, Clipping::GlobalNorm { .. })
    }

    /// Clips, adds the penalties, decays, steps, projects. Says how much clipping changed.
    ///
    /// A gradient with an infinite or NaN element is not clipped by norm: it goes through, and the next loss shows it.
    ///
    /// # Errors
    /// The arena does not belong to the plan or keeps no gradients, or a limit is negative or NaN; nothing has moved then.
    pub fn apply<T: Threads>(
        &mut self,
        level: Level,
        threads: &T,
        plan: &Plan<'_>,
        arena: &mut Arena<'_>,
        rate: f32,
    ) -> Result<Clipped, NetError> {
        if !plan.keeps_gradients() {
            return Err(NetError::Consumed);
        }
        let mut step = self.begin(rate)?;
        if let Clipping::GlobalNorm { max_norm } = self.clipping {
            let clipped = clip::by_global_norm(level, &mut [&mut *arena.gradients], max_norm);
            let changed = clipped.map_err(|_| NetError::Limit)?.clipped;
            step.clipped = Clipped { changed, of: arena.gradients.len() };
        }
        // The buffers of deltas have nothing to hold between two steps.
        let deltas = core::mem::take(&mut arena.deltas);
        let mut layers = plan.layers.iter().zip(plan.places);
        let done =
            layers.try_for_each(|(layer, place)| step.layer(level, threads, layer, place, arena, deltas));
        arena.deltas = deltas;
        done.ok_or(NetError::Arena { layer: 0 })?;
        Ok(step.clipped)
    }

    /// Begins a step.
    ///
    /// # Errors
    /// A limit is negative or NaN.
    pub(super) fn begin(&mut self, rate: f32) -> Result<Step, NetError> {
        if !self.restraint.is_valid() {
            return Err(NetError::Restraint);
        }
        let limit = match self.clipping {
            Clipping::None => 0.0,
            Clipping::Value { limit } => limit,
            Clipping::GlobalNorm { max_norm } => max_norm,
            Clipping::Adaptive { lambda } => lambda,
        };
        if limit.is_nan() || limit < 0.0 {
            return Err(NetError::Limit);
        }
        let rule = match self.optimizer {
            Optimizer::Sgd => Rule::Sgd,
            Optimizer::Momentum { momentum, nesterov } => {
                Rule::Momentum(Momentum { learning_rate: rate, momentum, nesterov })
            }
            Optimizer::Adam { weight_decay } => {
                let plain = Adam { learning_rate: rate, ..Adam::default() };
                Rule::Adam(Adam { weight_decay, ..plain }, self.adam.advance(&plain))
            }
        };
        let Self { clipping, penalty, restraint, .. } = *self;
        Ok(Step { rule, rate, clipping, penalty, restraint, clipped: Clipped { changed: 0, of: 0 } })
    }
}
