//! The end of a training step: clipping, penalties on the weights, the optimiser.
//!
//! Order: gradients of the loss are clipped first, then the penalties' gradients are added, then the optimiser steps.
//! Decay and penalties touch dense weights alone, never biases, gains, shifts or slopes.

use isobath_kernels::clip::{self, ClipReport};
use isobath_kernels::optimizer::{self, Adam, AdamState, Momentum};
use isobath_kernels::{Level, MatMut, MatRef};

use super::{Arena, Plan};

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
    /// Each unit's gradient to `lambda` times the norm of its weights (AGC; Brock et al. 2021); dense weights only.
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
    /// Adam; with a weight decay, AdamW.
    Adam(Adam),
}

impl Optimizer {
    /// Values that the optimiser keeps per parameter.
    pub fn moments(&self) -> usize {
        match self {
            Self::Sgd => 0,
            Self::Momentum { .. } => 1,
            Self::Adam(_) => 2,
        }
    }
}
