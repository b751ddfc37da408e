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
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
/// use isobath::net::{Arena, Layer, NetError, Place, Plan};
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let layers = [Layer::dense(1, Init::LECUN)];
/// let mut places = [Place::default()];
/// let plan = Plan::new(2, 1, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// // The step from 0 at rate 1 along the gradient 3, 4 of the weights and 0 of the bias.
/// let mut step = |clipping| -> Result<Vec<f32>, NetError> {
///     memory.fill(0.0);
///     let mut arena = Arena::new(&plan, 0, 1, &mut memory).expect("it is long enough");
///     arena.gradients.copy_from_slice(&[3.0, 4.0, 0.0]);
///     let mut update = Update::new(Optimizer::Sgd, clipping, Penalty::None);
///     update.apply(Level::detect(), &Serial, &plan, &mut arena, 1.0)?;
///     Ok(arena.parameters.to_vec())
/// };
/// assert_eq!(step(Clipping::None)?, [-3.0, -4.0, 0.0]);
/// assert_eq!(step(Clipping::Value { limit: 3.5 })?, [-3.0, -3.5, 0.0]);
/// // The norm, 5, is halved: the direction stays.
/// assert_eq!(step(Clipping::GlobalNorm { max_norm: 2.5 })?, [-1.5, -2.0, 0.0]);
/// assert_eq!(step(Clipping::Value { limit: -1.0 }), Err(NetError::Limit));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::update::Penalty;
/// use isobath::net::{Arena, Layer, Place, Plan};
/// use isobath_kernels::Level;
///
/// let layers = [Layer::dense(1, Init::LECUN)];
/// let mut places = [Place::default()];
/// let plan = Plan::new(2, 1, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// let arena = Arena::new(&plan, 0, 1, &mut memory)?;
/// arena.parameters.copy_from_slice(&[3.0, -4.0, 100.0]); // the bias does not count
/// let of = |penalty: Penalty| penalty.value(Level::detect(), &plan, &arena);
/// assert_eq!(of(Penalty::L1 { lambda: 0.5 }), 0.5 * (3.0 + 4.0));
/// assert_eq!(of(Penalty::L2 { lambda: 0.5 }), 0.5 / 2.0 * (9.0 + 16.0));
/// assert_eq!(of(Penalty::None), 0.0);
/// # Ok::<(), isobath::net::PlanError>(())
/// ```
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
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
/// use isobath::net::{Arena, Layer, Place, Plan};
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let layers = [Layer::dense(1, Init::LECUN)];
/// let mut places = [Place::default()];
/// let plan = Plan::new(1, 1, &layers, &mut places)?;
/// // Where a weight of 0 with the gradient 1 is after two steps at rate 1.
/// let two_steps = |optimizer: Optimizer| -> Result<f32, Box<dyn std::error::Error>> {
///     let mut memory = vec![0.0; plan.arena_len(optimizer.moments(), 1)?];
///     let mut arena = Arena::new(&plan, optimizer.moments(), 1, &mut memory)?;
///     let mut update = Update::new(optimizer, Clipping::None, Penalty::None);
///     for _ in 0..2 {
///         arena.gradients[0] = 1.0;
///         update.apply(Level::detect(), &Serial, &plan, &mut arena, 1.0)?;
///     }
///     Ok(arena.parameters[0])
/// };
/// assert_eq!(two_steps(Optimizer::Sgd)?, -2.0);
/// // The second step has the velocity 1 + 0.5.
/// assert_eq!(two_steps(Optimizer::Momentum { momentum: 0.5, nesterov: false })?, -2.5);
/// // Adam's steps have the size of the rate, whatever the gradient's.
/// assert!((two_steps(Optimizer::Adam { weight_decay: 0.0 })? + 2.0).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::update::{Clipped, Clipping, Optimizer, Penalty, Update};
/// use isobath::net::{Arena, Layer, Place, Plan};
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let layers = [Layer::dense(1, Init::LECUN)];
/// let mut places = [Place::default()];
/// let plan = Plan::new(3, 1, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
/// arena.gradients.copy_from_slice(&[0.5, -7.0, 0.5, 0.5]);
/// let mut update = Update::new(Optimizer::Sgd, Clipping::Value { limit: 1.0 }, Penalty::None);
/// let clipped = update.apply(Level::detect(), &Serial, &plan, &mut arena, 0.1)?;
/// assert_eq!(clipped, Clipped { changed: 1, of: 4 });
/// assert_eq!(clipped.fraction(), 0.25);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
/// use isobath::net::{Arena, Layer, Place, Plan};
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let mut update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::L2 { lambda: 0.25 });
/// let layers = [Layer::dense(1, Init::LECUN)];
/// let mut places = [Place::default()];
/// let plan = Plan::new(1, 1, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(update.moments(), 1)?];
/// let mut arena = Arena::new(&plan, update.moments(), 1, &mut memory)?;
/// arena.parameters.copy_from_slice(&[8.0, 8.0]); // a weight and a bias
/// arena.gradients.copy_from_slice(&[1.0, 1.0]);
/// update.apply(Level::detect(), &Serial, &plan, &mut arena, 0.5)?;
/// // w - rate (g + lambda w), and without a penalty b - rate g.
/// assert_eq!(arena.parameters, [8.0 - 0.5 * (1.0 + 0.25 * 8.0), 8.0 - 0.5 * 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    ///
    /// ```
    /// use isobath::net::Restraint;
    /// use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
    ///
    /// let adam = Update::new(Optimizer::Adam { weight_decay: 0.0 }, Clipping::None, Penalty::None);
    /// // Beside Adam's own decay, any optimiser can have one, and a largest norm per unit.
    /// let restraint = Restraint { decay: 0.01, max_norm: Some(3.0) };
    /// assert_eq!(adam.with_restraint(restraint).moments(), 2);
    /// ```
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
    ///
    /// ```
    /// use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
    ///
    /// let with = |clipping| Update::new(Optimizer::Sgd, clipping, Penalty::None);
    /// assert!(with(Clipping::Value { limit: 1.0 }).is_by_layer());
    /// assert!(!with(Clipping::GlobalNorm { max_norm: 1.0 }).is_by_layer());
    /// ```
    pub fn is_by_layer(&self) -> bool {
        !matches!(self.clipping, Clipping::GlobalNorm { .. })
    }

    /// Clips, adds the penalties, decays, steps, projects. Says how much clipping changed.
    ///
    /// A gradient with an infinite or NaN element is not clipped by norm: it goes through, and the next loss shows it.
    ///
    /// # Errors
    /// The arena does not belong to the plan or keeps no gradients, or a limit is negative or NaN; nothing has moved then.
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
    /// use isobath::net::{Arena, Layer, NetError, Place, Plan};
    /// use isobath::threads::Serial;
    /// use isobath_kernels::Level;
    ///
    /// let layers = [Layer::dense(1, Init::LECUN); 2];
    /// let mut places = [Place::default(); 2];
    /// let plan = Plan::new(1, 1, &layers, &mut places)?;
    /// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
    /// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
    /// arena.gradients.fill(2.0);
    /// let mut update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
    /// update.apply(Level::detect(), &Serial, &plan, &mut arena, 0.5)?;
    /// assert_eq!(arena.parameters, [-1.0; 4]);
    /// // A plan that consumes gradients layer by layer has none to apply at the end.
    /// let consuming = plan.consuming_gradients();
    /// let refused = update.apply(Level::detect(), &Serial, &consuming, &mut arena, 0.5);
    /// assert_eq!(refused, Err(NetError::Consumed));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
