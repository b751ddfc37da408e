//! Adam, and AdamW with its decoupled weight decay.
//!
//! m = fma(beta1, m, (1 - beta1) g), v = fma(beta2, v, ((1 - beta2) g) g),
//! w = fma(-rate / c1, m / (sqrt(v / c2) + epsilon), (1 - rate decay) w), with c = 1 - beta^t after t steps.
//! With decay 0 this is Adam: the factor of w is exactly 1. Zero states m = v = 0 belong to [`AdamState::new`].
//!
//! Numerics: 1 - beta is given beside beta because the f32 nearest 0.999 is 3e-5 away from it relative to 0.001. The
//! powers of beta = 1 - (1 - beta) are kept as sums of two f32, so c is right to 2 ULP at every step, and c = 1 - beta
//! exactly at the first. v / c2 is a product with the rounded 1 / c2. A gradient above 1e19 makes v infinite and its
//! step 0; one below 1e-22 leaves v = 0, and epsilon decides its step.
//! Cost: 12 flops, of which a division and a square root, and 28 bytes per element.
//! Source: Kingma and Ba 2015; Loshchilov and Hutter 2019.

use crate::LengthError;
use crate::length::same;
use crate::part::{from, from_mut};
use crate::simd::{Level, Scalar, Simd, dispatch};

/// How [`adam`] steps.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::optimizer::{Adam, AdamState, adam};
///
/// // AdamW: without a gradient the weights decay alone, by the factor 1 - 0.5 0.25.
/// let settings = Adam { learning_rate: 0.5, weight_decay: 0.25, ..Adam::default() };
/// let correction = AdamState::new().advance(&settings);
/// let (mut w, mut m, mut v) = ([8.0, -8.0], [0.0; 2], [0.0; 2]);
/// adam(Level::detect(), &settings, &correction, &mut w, &mut m, &mut v, &[0.0; 2])?;
/// assert_eq!(w, [7.0, -7.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Step size.
    pub learning_rate: f32,
    /// What is kept of the mean gradient, rounded.
    pub beta1: f32,
    /// 1 - beta1, rounded on its own.
    pub one_minus_beta1: f32,
    /// What is kept of the mean square, rounded.
    pub beta2: f32,
    /// 1 - beta2, rounded on its own.
    pub one_minus_beta2: f32,
    /// Added to the root of the mean square.
    pub epsilon: f32,
    /// Decoupled decay: each step multiplies w by 1 - learning_rate weight_decay. 0 is Adam.
    pub weight_decay: f32,
}

impl Default for Adam {
    /// The values of the paper: 0.001, 0.9, 0.999, 1e-8, no decay.
    fn default() -> Self {
        Self {
            learning_rate: 0.001,
            beta1: 0.9,
            one_minus_beta1: 0.1,
            beta2: 0.999,
            one_minus_beta2: 0.001,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

/// What makes up for the states' start at zero: 1 - beta^t.
///
/// ```
/// use isobath_kernels::optimizer::{Adam, AdamCorrection, AdamState};
///
/// // After one step the mean gradient is 1 - 0.9 of the only gradient there was.
/// let correction = AdamState::new().advance(&Adam::default());
/// assert_eq!(correction, AdamCorrection { first: 0.1, second: 0.001 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamCorrection {
    /// 1 - beta1^t.
    pub first: f32,
    /// 1 - beta2^t.
    pub second: f32,
}

/// The number of steps made, and the powers of beta that go with it.
///
/// ```
/// use isobath_kernels::optimizer::{Adam, AdamState};
///
/// let (settings, mut state) = (Adam::default(), AdamState::new());
/// state.advance(&settings);
/// // What a checkpoint holds, beside the weights and both means.
/// let (step, powers) = (state.step(), state.powers());
/// let mut later = AdamState::resume(step, powers);
/// assert_eq!(later.advance(&settings), state.advance(&settings));
/// assert_eq!((later, later.step()), (state, 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamState {
    step: u64,
    power1: DoubleFloat,
    power2: DoubleFloat,
}

impl AdamState {
    /// Before the first step.
    pub const fn new() -> Self {
        let one = DoubleFloat { high: 1.0, low: 0.0 };
        Self { step: 0, power1: one, power2: one }
    }

    /// Steps made.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// beta1 and beta2 to the power of the steps made, each as a sum of two f32: with [`AdamState::step`], what a program
    /// keeps in order to [`AdamState::resume`].
    pub fn powers(&self) -> [[f32; 2]; 2] {
        [self.power1, self.power2].map(|power| [power.high, power.low])
    }

    /// The state after `step` steps, from its [`AdamState::powers`].
    pub fn resume(step: u64, powers: [[f32; 2]; 2]) -> Self {
        let [power1, power2] = powers.map(|[high, low]| DoubleFloat { high, low });
        Self { step, power1, power2 }
    }

    /// Counts a step and gives its correction.
    pub fn advance(&mut self, settings: &Adam) -> AdamCorrection {
        self.step = self.step.saturating_add(1);
        self.power1 = self.power1.times(DoubleFloat::one_minus(settings.one_minus_beta1));
        self.power2 = self.power2.times(DoubleFloat::one_minus(settings.one_minus_beta2));
        AdamCorrection { first: self.power1.complement(), second: self.power2.complement() }
    }
}

impl Default for AdamState {
    fn default() -> Self {
        Self::new()
    }
}

/// The sum high + low, with |low| at most half a unit in the last place of high.
#[derive(Clone, Copy, Debug, PartialEq)]
struct DoubleFloat {
    high: f32,
    low: f32,
}

impl DoubleFloat {
    /// a + b for |a| >= |b|.
    fn sum(a: f32, b: f32) -> Self {
        let high = a + b;
        Self { high, low: b - (high - a) }
    }

    /// 1 - x for x in [0, 1], exactly.
    fn one_minus(x: f32) -> Self {
        Self::sum(1.0, -x)
    }

    /// The product; its relative error is below 2^-44.
    fn times(self, other: Self) -> Self {
        let high = self.high * other.high;
        let low = Scalar.mul_add(self.high, other.high, -high);
        let low = Scalar.mul_add(self.high, other.low, low);
        let low = Scalar.mul_add(self.low, other.high, low);
        Self::sum(high, low)
    }

    /// 1 - self, rounded.
    fn complement(self) -> f32 {
        let Self { high, low } = Self::one_minus(self.high);
        high + (low - self.low)
    }
}

/// One step of Adam or AdamW, after [`AdamState::advance`].
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::optimizer::{Adam, AdamState, adam};
///
/// let (settings, mut state) = (Adam::default(), AdamState::new());
/// let (mut w, mut m, mut v) = ([1.0, 1.0], [0.0; 2], [0.0; 2]);
/// let correction = state.advance(&settings); // once per step, for all tensors
/// adam(Level::detect(), &settings, &correction, &mut w, &mut m, &mut v, &[1e-6, 1e3])?;
/// // The first step has the length of the rate, whatever the size of the gradient.
/// assert!(w.iter().all(|w| (w - 0.999).abs() < 2e-5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn adam(
    level: Level,
    settings: &Adam,
    correction: &AdamCorrection,
    w: &mut [f32],
    m: &mut [f32],
    v: &mut [f32],
    g: &[f32],
) -> Result<(), LengthError> {
    for length in [m.len(), v.len(), g.len()] {
        same(w.len(), length)?;
    }
    dispatch!(level, simd => adam_with(simd, settings, correction, w, m, v, g));
    Ok(())
}

#[inline(always)]
fn adam_with<S: Simd>(
    simd: S,
    settings: &Adam,
    correction: &AdamCorrection,
    w: &mut [f32],
    m: &mut [f32],
    v: &mut [f32],
    g: &[f32],
) {
    let Adam { learning_rate, weight_decay, .. } = *settings;
    let [beta1, beta2] = [settings.beta1, settings.beta2].map(|x| simd.splat(x));
    let [rest1, rest2] = [settings.one_minus_beta1, settings.one_minus_beta2].map(|x| simd.splat(x));
    let decay = simd.splat(Scalar.neg_mul_add(learning_rate, weight_decay, 1.0));
    let descent = simd.splat(-(learning_rate / correction.first));
    let inverse = simd.splat(1.0 / correction.second);
    let epsilon = simd.splat(settings.epsilon);
    for at in (0..w.len()).step_by(S::LANES) {
        let (w, m, v) = (from_mut(w, at), from_mut(m, at), from_mut(v, at));
        let g = simd.load(from(g, at));
        let first = simd.mul_add(beta1, simd.load(m), simd.mul(rest1, g));
        let second = simd.mul_add(beta2, simd.load(v), simd.mul(simd.mul(rest2, g), g));
        let deviation = simd.add(simd.sqrt(simd.mul(second, inverse)), epsilon);
        let step = simd.div(first, deviation);
        simd.store(first, m);
        simd.store(second, v);
        simd.store(simd.mul_add(descent, step, simd.mul(decay, simd.load(w))), w);
    }
}
