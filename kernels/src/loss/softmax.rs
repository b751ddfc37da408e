//! Softmax of each row: p_j = e_j / s with e_j = exp(z_j - max z), s = sum e_j.
//!
//! The largest exponent is 0, so nothing overflows, whatever finite logits are: s is at least 1. Numerics: relative
//! error of p_j at most (80 + |z_j - max z|) 2^-24 for up to 4096 columns, 1 more for each 4096 beyond; 1.5 * 2^-149 more
//! where p_j or e_j is subnormal.
//! A logit of -infinity has p = 0; NaN or +infinity makes its row NaN, and so do logits that are all -infinity.
//! Cost: one exponential, one division and 3 flops per element; one read from memory, two passes over the result.

use super::LossError;
use crate::math::exp;
use crate::part::{from, from_mut};
use crate::reduce::{same_shape, sum_with};
use crate::simd::{Level, Simd, dispatch};
use crate::{MatMut, MatRef};

/// The softmax of each row of `logits`.
///
/// # Errors
/// Shapes differ.
///
/// ```
/// use isobath_kernels::{Level, MatMut, MatRef, loss};
///
/// // A row that is undecided, and one that is certain beyond f32: e^1000 does not overflow.
/// let (logits, mut p) = ([7.0, 7.0, 1000.0, -1000.0], [0.0; 4]);
/// let (logits, out) = (MatRef::new(&logits, 2, 2)?, MatMut::new(&mut p, 2, 2)?);
/// loss::softmax(Level::detect(), logits, out)?;
/// assert_eq!(p, [0.5, 0.5, 1.0, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn softmax(level: Level, logits: MatRef<'_>, mut out: MatMut<'_>) -> Result<(), LossError> {
    same_shape((logits.rows(), logits.columns()), (out.rows(), out.columns()))?;
    dispatch!(level, simd => for i in 0..logits.rows() {
        let (_, sum) = exponentials(simd, logits.row(i), out.row_mut(i));
        divide(simd, sum, out.row_mut(i));
    });
    Ok(())
}

/// Writes exp(z - max z) and gives max z and the sum of what was written.
#[inline(always)]
pub(super) fn exponentials<S: Simd>(simd: S, z: &[f32], out: &mut [f32]) -> (f32, f32) {
    let max = maximum(simd, z);
    for at in (0..z.len()).step_by(S::LANES) {
        let below = simd.sub(simd.load(from(z, at)), simd.splat(max));
        simd.store(exp(simd, below), from_mut(out, at));
    }
    (max, sum_with(simd, out))
}

/// x = x / divisor.
#[inline(always)]
pub(super) fn divide<S: Simd>(simd: S, divisor: f32, x: &mut [f32]) {
    for x in x.chunks_mut(S::LANES) {
        simd.store(simd.div(simd.load(x), simd.splat(divisor)), x);
    }
}

/// The largest element, NaN left out; -infinity if there is none. Which zero, if both signs occur, is not said, and no
/// difference from it shows the sign.
#[inline(always)]
fn maximum<S: Simd>(simd: S, z: &[f32]) -> f32 {
    let mut max = simd.splat(f32::NEG_INFINITY);
    for z in z.chunks_exact(S::LANES) {
        let z = simd.load(z);
        max = simd.select(simd.lt(max, z), z, max);
    }
    let mut lanes = [f32::NEG_INFINITY; 16];
    simd.store(max, &mut lanes);
    let rest = z.chunks_exact(S::LANES).remainder();
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |max, z| if max < *z { *z } else { max })
}
