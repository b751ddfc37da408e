//! Derivatives from the activation's output, for memories too small to keep f'(h).
//!
//! Exact for piecewise linear functions. For the others the rounding of y shows: each states its absolute error; the
//! relative error grows without bound where f' is small, and a saturated y gives exactly 0.

use super::Activation;
use crate::length::{LengthError, same};
use crate::math::map::map;
use crate::simd::{Level, Simd, dispatch};

/// An activation whose derivative is a function of its output: f is strictly monotone, or piecewise linear.
pub trait FromOutput: Activation {
    /// f'(h), from y = f(h).
    fn derivative_from_output<S: Simd>(self, simd: S, y: S::F32) -> S::F32;
}

/// d = f'(h), from y = f(h).
///
/// # Errors
/// The slices differ in length.
pub fn derivative_from_output<A: FromOutput>(
    level: Level,
    act: A,
    y: &[f32],
    d: &mut [f32],
) -> Result<(), LengthError> {
    same(y.len(), d.len())?;
    dispatch!(level, simd => map(simd, y, d, #[inline(always)] |y| act.derivative_from_output(simd, y)));
    Ok(())
}
