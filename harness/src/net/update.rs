//! The end of a training step: clipping, penalties on the weights, the optimiser, restraint.
//!
//! Order: gradients of the loss are clipped first, then the penalties' gradients are added, then weights decay, the
//! optimiser steps, and weights are projected onto their largest norm (see [`Restraint`]).
//! Decay, penalties and the largest norm touch dense weights alone, never biases, gains, shifts or slopes.

use isobath_kernels::optimizer::{self, Adam, AdamState, Momentum};
use isobath_kernels::{Level, MatMut, MatRef, clip, reduce};

use super::{Arena, NetError, Plan, Restraint};

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

/// Norm below which AGC takes a unit's weights to have this norm, as its authors do.
const AGC_EPSILON: f32 = 1e-3;

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

    /// Clips, adds the penalties, decays, steps, projects. Says how much clipping changed.
    ///
    /// A gradient with an infinite or NaN element is not clipped by norm: it goes through, and the next loss shows it.
    ///
    /// # Errors
    /// The arena does not belong to the plan, or a limit is negative or NaN; nothing has moved then.
    pub fn apply(
        &mut self,
        level: Level,
        plan: &Plan<'_>,
        arena: &mut Arena<'_>,
        rate: f32,
    ) -> Result<Clipped, NetError> {
        let restraint = self.restraint;
        if !restraint.is_valid() {
            return Err(NetError::Restraint);
        }
        let clipped = self.clip(level, plan, arena).ok_or(NetError::Limit)?;
        let missing = NetError::Arena { layer: 0 };
        self.add_penalties(level, plan, arena).ok_or(missing)?;
        restraint.decay(level, plan, arena, rate).ok_or(missing)?;
        self.step(level, plan, arena, rate).ok_or(missing)?;
        restraint.project(level, plan, arena).ok_or(missing)?;
        Ok(clipped)
    }

    fn clip(&self, level: Level, plan: &Plan<'_>, arena: &mut Arena<'_>) -> Option<Clipped> {
        let of = arena.gradients.len();
        match self.clipping {
            Clipping::None => Some(Clipped { changed: 0, of }),
            Clipping::Value { limit } => {
                Some(Clipped { changed: clip::by_value(level, arena.gradients, limit).ok()?.clipped, of })
            }
            Clipping::GlobalNorm { max_norm } => {
                let report = clip::by_global_norm(level, &mut [&mut *arena.gradients], max_norm).ok()?;
                Some(Clipped { changed: report.clipped, of })
            }
            Clipping::Adaptive { lambda } => {
                let (mut changed, mut of) = (0, 0);
                for (layer, place) in plan.layers.iter().zip(plan.places) {
                    let Some((rows, columns)) = layer.weights_shape(place) else { continue };
                    let weights = arena.parameters.get(place.parameters..)?;
                    let weights = MatRef::new(weights, rows, columns).ok()?;
                    let gradients = arena.gradients.get_mut(place.parameters..)?;
                    let gradients = MatMut::new(gradients, rows, columns).ok()?;
                    let report = clip::adaptive(level, weights, gradients, lambda, AGC_EPSILON).ok()?;
                    changed += report.clipped;
                    of += columns;
                }
                Some(Clipped { changed, of })
            }
        }
    }

    fn add_penalties(&self, level: Level, plan: &Plan<'_>, arena: &mut Arena<'_>) -> Option<()> {
        if self.penalty == Penalty::None {
            return Some(());
        }
        for place in plan.places {
            let range = place.parameters..place.parameters + place.weight_count;
            let weights = arena.parameters.get(range.clone())?;
            let gradients = arena.gradients.get_mut(range)?;
            match self.penalty {
                Penalty::None => {}
                Penalty::L1 { lambda } => optimizer::add_l1(level, lambda, weights, gradients).ok()?,
                Penalty::L2 { lambda } => optimizer::add_l2(level, lambda, weights, gradients).ok()?,
            }
        }
        Some(())
    }

    fn step(&mut self, level: Level, plan: &Plan<'_>, arena: &mut Arena<'_>, rate: f32) -> Option<()> {
        let Arena { parameters, gradients, moments, .. } = arena;
        match self.optimizer {
            Optimizer::Sgd => optimizer::sgd(level, rate, parameters, gradients).ok(),
            Optimizer::Momentum { momentum, nesterov } => {
                let rule = Momentum { learning_rate: rate, momentum, nesterov };
                optimizer::momentum(level, rule, parameters, moments, gradients).ok()
            }
            Optimizer::Adam { weight_decay } => {
                let plain = Adam { learning_rate: rate, ..Adam::default() };
                let correction = self.adam.advance(&plain);
                let (first, second) = moments.split_at_mut_checked(parameters.len())?;
                // Layer by layer, because only weights decay.
                for place in plan.places {
                    let end = place.parameters + place.parameter_count;
                    let border = place.parameters + place.weight_count;
                    for (range, weight_decay) in
                        [(place.parameters..border, weight_decay), (border..end, 0.0)]
                    {
                        let rule = Adam { weight_decay, ..plain };
                        optimizer::adam(
                            level,
                            &rule,
                            &correction,
                            parameters.get_mut(range.clone())?,
                            first.get_mut(range.clone())?,
                            second.get_mut(range.clone())?,
                            gradients.get(range)?,
                        )
                        .ok()?;
                    }
                }
                Some(())
            }
        }
    }
}
