//! Stochastic gradient descent, plain and with momentum (Polyak's and Nesterov's).
//!
//! SGD: w = fma(-rate, g, w). Momentum: v = fma(mu, v, g), then w = fma(-rate, v, w), or with Nesterov
//! w = fma(-rate, fma(mu, v, g), w). The velocity is a sum of gradients, not of steps: PyTorch's convention.
//! Each step rounds once per fused operation. Cost: 2, 4 or 6 flops and 12 or 20 bytes per element.
//! Source: Sutskever et al. 2013.

use crate::LengthError;
use crate::length::same;
use crate::part::{from, from_mut};
use crate::simd::{Level, Simd, dispatch};

/// How [`momentum`] steps.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::optimizer::{Momentum, momentum};
///
/// // From rest, Nesterov's first step is longer by what the velocity will add: 1 + 0.5.
/// let nesterov = Momentum { learning_rate: 1.0, momentum: 0.5, nesterov: true };
/// let (mut w, mut v) = ([0.0], [0.0]);
/// momentum(Level::detect(), nesterov, &mut w, &mut v, &[1.0])?;
/// assert_eq!((w, v), ([-1.5], [1.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Momentum {
    /// Step size.
    pub learning_rate: f32,
    /// What is kept of the velocity.
    pub momentum: f32,
    /// Whether the gradient counts once more, ahead of the velocity.
    pub nesterov: bool,
}

/// w = fma(-learning_rate, g, w).
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::{Level, optimizer};
///
/// let mut w = [1.0, 2.0];
/// optimizer::sgd(Level::detect(), 0.5, &mut w, &[1.0, -2.0])?;
/// assert_eq!(w, [0.5, 3.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sgd(level: Level, learning_rate: f32, w: &mut [f32], g: &[f32]) -> Result<(), LengthError> {
    same(w.len(), g.len())?;
    dispatch!(level, simd => sgd_with(simd, learning_rate, w, g));
    Ok(())
}

/// v = fma(momentum, v, g), then w goes along v, or with Nesterov along fma(momentum, v, g).
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::optimizer::{Momentum, momentum};
///
/// let settings = Momentum { learning_rate: 1.0, momentum: 0.5, nesterov: false };
/// let (mut w, mut v) = ([0.0], [0.0]);
/// for _ in 0..2 {
///     momentum(Level::detect(), settings, &mut w, &mut v, &[1.0])?;
/// }
/// assert_eq!((w, v), ([-2.5], [1.5])); // steps of 1 and 1.5
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn momentum(
    level: Level,
    settings: Momentum,
    w: &mut [f32],
    v: &mut [f32],
    g: &[f32],
) -> Result<(), LengthError> {
    same(w.len(), v.len())?;
    same(w.len(), g.len())?;
    dispatch!(level, simd => momentum_with(simd, settings, w, v, g));
    Ok(())
}

/// x = factor x.
///
/// ```
/// use isobath_kernels::{Level, optimizer};
///
/// // The sum of a batch's gradients becomes their mean.
/// let mut sum = [4.0, -8.0];
/// optimizer::scale(Level::detect(), 1.0 / 4.0, &mut sum);
/// assert_eq!(sum, [1.0, -2.0]);
/// ```
pub fn scale(level: Level, factor: f32, x: &mut [f32]) {
    dispatch!(level, simd => scale_with(simd, factor, x));
}

#[inline(always)]
fn sgd_with<S: Simd>(simd: S, learning_rate: f32, w: &mut [f32], g: &[f32]) {
    let descent = simd.splat(-learning_rate);
    for at in (0..w.len()).step_by(S::LANES) {
        let w = from_mut(w, at);
        simd.store(simd.mul_add(descent, simd.load(from(g, at)), simd.load(w)), w);
    }
}

#[inline(always)]
fn momentum_with<S: Simd>(simd: S, settings: Momentum, w: &mut [f32], v: &mut [f32], g: &[f32]) {
    let (mu, descent) = (simd.splat(settings.momentum), simd.splat(-settings.learning_rate));
    for at in (0..w.len()).step_by(S::LANES) {
        let (w, v, g) = (from_mut(w, at), from_mut(v, at), simd.load(from(g, at)));
        let velocity = simd.mul_add(mu, simd.load(v), g);
        let step = if settings.nesterov { simd.mul_add(mu, velocity, g) } else { velocity };
        simd.store(velocity, v);
        simd.store(simd.mul_add(descent, step, simd.load(w)), w);
    }
}

#[inline(always)]
pub(crate) fn scale_with<S: Simd>(simd: S, factor: f32, x: &mut [f32]) {
    let factor = simd.splat(factor);
    for x in x.chunks_mut(S::LANES) {
        simd.store(simd.mul(factor, simd.load(x)), x);
    }
}
