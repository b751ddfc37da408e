//! The identity: f(h) = h, f'(h) = 1. Exact.

use super::{Activation, FromOutput};
use crate::simd::Simd;

/// f(h) = h.
///
/// ```
/// use isobath_kernels::activation::{Activation, Identity};
/// use isobath_kernels::simd::Scalar;
///
/// // The last layer of a regression: any output, and the gradient as it comes.
/// assert_eq!(Identity.value_and_derivative(Scalar, -7.0), (-7.0, 1.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Identity;

impl Activation for Identity {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        (h, simd.splat(1.0))
    }
}

impl FromOutput for Identity {
    #[inline(always)]
    fn derivative_from_output<S: Simd>(self, simd: S, _y: S::F32) -> S::F32 {
        simd.splat(1.0)
    }
}
