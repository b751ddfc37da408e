//! The largest magnitude of a slice: max |x_i|.
//!
//! Magnitudes compare as the integers that their bits are, in any order, so the result is exact; +0.0 for an empty
//! slice. NaN has larger bits than infinity: it is the result wherever it occurs.
//! Cost: 3 integer operations per vector, one read; no workspace, no errors.

use crate::part::from;
use crate::simd::{Level, Simd, dispatch};

/// Vectors whose maxima are kept apart, so that they do not wait for each other.
const CHAINS: usize = 4;

/// max |x_i|; NaN if any element is.
///
/// ```
/// use isobath_kernels::{Level, reduce};
///
/// assert_eq!(reduce::max_abs(Level::detect(), &[1.0, -3.0, 2.0]), 3.0);
/// // A single NaN in a gradient is found.
/// assert!(reduce::max_abs(Level::detect(), &[f32::INFINITY, f32::NAN, 0.0]).is_nan());
/// ```
pub fn max_abs(level: Level, x: &[f32]) -> f32 {
    dispatch!(level, simd => max_abs_with(simd, x))
}

#[inline(always)]
pub(crate) fn max_abs_with<S: Simd>(simd: S, x: &[f32]) -> f32 {
    let mut maxima = [simd.splat(0.0); CHAINS];
    for group in x.chunks(CHAINS * S::LANES) {
        for (v, max) in maxima.iter_mut().enumerate() {
            *max = larger_magnitude(simd, *max, simd.load(from(group, v * S::LANES)));
        }
    }
    let mut all = simd.splat(0.0);
    for max in maxima {
        all = larger_magnitude(simd, all, max);
    }
    let mut lanes = [0.0; 16];
    simd.store(all, &mut lanes);
    f32::from_bits(lanes.into_iter().map(f32::to_bits).max().unwrap_or(0))
}

/// The larger of `max`, which has no sign, and |x|.
#[inline(always)]
pub(crate) fn larger_magnitude<S: Simd>(simd: S, max: S::F32, x: S::F32) -> S::F32 {
    let x = simd.abs(x);
    simd.select(simd.lt_bits(max, x), x, max)
}
