//! The leaky rectifier: f(h) = h for h > 0, else slope h; f'(h) = 1 for h > 0, else slope.
//!
//! Numerics: correctly rounded; NaN stays NaN in both.
//! Cost: one multiplication, comparisons and selects.

use super::relu::{is_positive, keep_nan};
use super::{Activation, FromOutput};
use crate::simd::Simd;

/// f(h) = h for h > 0, else slope h.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{LeakyRelu, backward_in_place};
///
/// // No unit is dead: a tenth of the gradient, here, passes where h is negative.
/// let mut dy = [10.0, 10.0];
/// backward_in_place(Level::detect(), LeakyRelu { slope: 0.1 }, &[-5.0, 5.0], &mut dy)?;
/// assert_eq!(dy, [1.0, 10.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    /// The slope for h <= 0; any value, but [`FromOutput`] needs a positive one.
    pub slope: f32,
}

/// Value and derivative for any slope.
#[inline(always)]
pub(super) fn leaky<S: Simd>(simd: S, slope: f32, h: S::F32) -> (S::F32, S::F32) {
    let slope = simd.splat(slope);
    let positive = is_positive(simd, h);
    let value = simd.select(positive, h, simd.mul(slope, h));
    let derivative = simd.select(positive, simd.splat(1.0), slope);
    (value, keep_nan(simd, h, derivative))
}

impl Activation for LeakyRelu {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        leaky(simd, self.slope, h)
    }
}

impl FromOutput for LeakyRelu {
    #[inline(always)]
    fn derivative_from_output<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        self.derivative(simd, y)
    }
}
