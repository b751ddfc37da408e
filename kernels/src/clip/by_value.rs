//! Clipping by value: g = min(max(g, -limit), limit), element by element.
//!
//! Compares integer bits: NaN stays as it is, infinity becomes the limit, a clipped element keeps its sign.
//! Idempotent to the bit. Cost: 8 operations per vector and those of the norm, one read and one write.

use super::{ClipError, ClipReport, check_bound};
use crate::reduce::Scaled;
use crate::reduce::lanes::CHUNK;
use crate::reduce::squares::add_squares;
use crate::simd::{Level, Simd, dispatch};

/// Cuts every element to the range from -limit to limit.
///
/// # Errors
/// The limit is negative or NaN.
///
/// ```
/// use isobath_kernels::{Level, clip};
///
/// let mut g = [0.5, -3.0, 2.0];
/// let report = clip::by_value(Level::detect(), &mut g, 1.0)?;
/// assert_eq!((g, report.clipped), ([0.5, -1.0, 1.0], 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn by_value(level: Level, g: &mut [f32], limit: f32) -> Result<ClipReport, ClipError> {
    let limit = check_bound(limit)?;
    let mut squares = Scaled::ZERO;
    let mut clipped = 0;
    dispatch!(level, simd => for chunk in g.chunks_mut(CHUNK) {
        squares = add_squares(simd, squares, chunk);
        clipped += clamp(simd, chunk, limit);
    });
    Ok(ClipReport { norm: squares.sqrt(), scale: 1.0, clipped })
}

/// Clips a chunk and counts the elements that it changed.
#[inline(always)]
fn clamp<S: Simd>(simd: S, chunk: &mut [f32], limit: f32) -> usize {
    let (limit, infinity) = (simd.splat(limit), simd.splat(f32::INFINITY));
    let (sign, one, zero) = (simd.splat(-0.0), simd.splat_bits(1), simd.splat_bits(0));
    let mut count = zero;
    for out in chunk.chunks_mut(S::LANES) {
        let x = simd.load(out);
        let magnitude = simd.abs(x);
        let cut = simd.or_bits(limit, simd.and_bits(x, sign));
        // NaN is above infinity and goes back to what it was.
        let nan = simd.lt_bits(infinity, magnitude);
        let beyond = simd.lt_bits(limit, magnitude);
        simd.store(simd.select(nan, x, simd.select(beyond, cut, x)), out);
        count = simd.add_bits(count, simd.select(nan, zero, simd.select(beyond, one, zero)));
    }
    let mut lanes = [0.0; 16];
    simd.store(count, &mut lanes);
    lanes.into_iter().map(|count| count.to_bits() as usize).sum()
}
