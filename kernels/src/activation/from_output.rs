//! Derivatives from the activation's output, for memories too small to keep f'(h).
//!
//! Exact for piecewise linear functions. For the others the rounding of y shows: each states its absolute error; the
//! relative error grows without bound where f' is small, and a saturated y gives exactly 0.

use super::Activation;
use crate::length::{LengthError, same};
use crate::math::map::map;
use crate::simd::{Level, Simd, dispatch};

/// An activation whose derivative is a function of its output: f is strictly monotone, or piecewise linear.
///
/// ```
/// use isobath_kernels::activation::{FromOutput, Sigmoid};
/// use isobath_kernels::simd::Scalar;
///
/// /// By how much a unit that gave `y` passes a gradient on.
/// fn passes<A: FromOutput>(act: A, y: f32) -> f32 {
///     act.derivative_from_output(Scalar, y)
/// }
///
/// assert_eq!(passes(Sigmoid, 0.5), 0.25);
/// assert_eq!(passes(Sigmoid, 1.0), 0.0); // y has been rounded to 1: the true slope is small, but not 0
/// ```
pub trait FromOutput: Activation {
    /// f'(h), from y = f(h).
    ///
    /// ```
    /// use isobath_kernels::activation::{FromOutput, Tanh};
    /// use isobath_kernels::simd::Scalar;
    ///
    /// assert_eq!(Tanh.derivative_from_output(Scalar, 0.5), 0.75); // 1 - y^2
    /// ```
    fn derivative_from_output<S: Simd>(self, simd: S, y: S::F32) -> S::F32;
}

/// d = f'(h), from y = f(h).
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{self, Relu};
///
/// // Only the outputs were kept.
/// let (y, mut d) = ([0.0, 3.0], [0.0; 2]);
/// activation::derivative_from_output(Level::detect(), Relu, &y, &mut d)?;
/// assert_eq!(d, [0.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
