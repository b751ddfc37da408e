//! The sum at the end of a residual branch: x = y + factor x.
//!
//! Numerics: one fused multiply-add per element. Cost: 2 flops, 8 bytes read and 4 written per element.

use crate::Level;
use crate::length::{LengthError, same};
use crate::math::map::zip_in_place;
use crate::simd::{Simd, dispatch};

/// x = fma(factor, x, y), element by element.
///
/// Forward, x is the branch and y the skip connection; backward, the gradients of both.
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::{Level, residual};
///
/// // x + s f(x): the branch's output becomes the block's.
/// let (input, mut branch) = ([1.0, 2.0], [4.0, 4.0]);
/// residual::scale_add(Level::detect(), 0.5, &mut branch, &input)?;
/// assert_eq!(branch, [3.0, 4.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn scale_add(level: Level, factor: f32, x: &mut [f32], y: &[f32]) -> Result<(), LengthError> {
    same(x.len(), y.len())?;
    dispatch!(level, simd => zip_in_place(simd, y, x, #[inline(always)] |y, x| {
        simd.mul_add(simd.splat(factor), x, y)
    }));
    Ok(())
}
