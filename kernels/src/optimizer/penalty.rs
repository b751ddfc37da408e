//! Gradients of penalties on the weights: L2, lambda / 2 sum w^2, and L1, lambda sum |w|.
//!
//! L2: g = fma(lambda, w, g). L1: g = g + lambda sign(w), where sign(+-0) = 0 leaves g alone and sign(NaN) = NaN.
//! Cost: 2 flops and 12 bytes per element.

use crate::LengthError;
use crate::length::same;
use crate::part::{from, from_mut};
use crate::simd::{Level, Simd, dispatch};

/// g = fma(lambda, w, g).
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::{Level, optimizer};
///
/// let (w, mut g) = ([4.0, -2.0], [1.0, 1.0]);
/// optimizer::add_l2(Level::detect(), 0.5, &w, &mut g)?;
/// assert_eq!(g, [3.0, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn add_l2(level: Level, lambda: f32, w: &[f32], g: &mut [f32]) -> Result<(), LengthError> {
    same(g.len(), w.len())?;
    dispatch!(level, simd => add_l2_with(simd, lambda, w, g));
    Ok(())
}

/// g = g + lambda sign(w).
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::{Level, optimizer};
///
/// let (w, mut g) = ([3.0, -0.5, 0.0], [0.0; 3]);
/// optimizer::add_l1(Level::detect(), 0.1, &w, &mut g)?;
/// assert_eq!(g, [0.1, -0.1, 0.0]); // the pull does not depend on the weight's size; that of L2 does
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn add_l1(level: Level, lambda: f32, w: &[f32], g: &mut [f32]) -> Result<(), LengthError> {
    same(g.len(), w.len())?;
    dispatch!(level, simd => add_l1_with(simd, lambda, w, g));
    Ok(())
}

#[inline(always)]
fn add_l2_with<S: Simd>(simd: S, lambda: f32, w: &[f32], g: &mut [f32]) {
    let lambda = simd.splat(lambda);
    for at in (0..g.len()).step_by(S::LANES) {
        let g = from_mut(g, at);
        simd.store(simd.mul_add(lambda, simd.load(from(w, at)), simd.load(g)), g);
    }
}

#[inline(always)]
fn add_l1_with<S: Simd>(simd: S, lambda: f32, w: &[f32], g: &mut [f32]) {
    let (lambda, zero, sign) = (simd.splat(lambda), simd.splat(0.0), simd.splat(-0.0));
    for at in (0..g.len()).step_by(S::LANES) {
        let (g, w) = (from_mut(g, at), simd.load(from(w, at)));
        let old = simd.load(g);
        let slope = simd.xor_bits(lambda, simd.and_bits(w, sign));
        let slope = simd.select(simd.eq(w, w), slope, w);
        simd.store(simd.select(simd.eq(w, zero), old, simd.add(old, slope)), g);
    }
}
