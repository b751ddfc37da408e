//! The self-normalising exponential linear unit: f(h) = lambda h for h >= 0, else lambda alpha (e^h - 1).
//!
//! Formula: lambda = 1.0507009873554804934193349852946, alpha = 1.6732632423543772848170429916717; f'(h) = lambda for
//! h > 0, else lambda alpha e^h.
//! Numerics: see the table in [`crate::math`]; the constants are double words; f'(0) = lambda alpha; NaN stays NaN.
//! Cost: one exponential.
//! Source: Klambauer, Unterthiner, Mayr, Hochreiter (2017).

use super::elu::negative_branch;
use super::relu::{is_positive, keep_nan};
use super::{Activation, FromOutput};
use crate::math::double_word::DoubleWord;
use crate::simd::Simd;

// Both words are positive, so that the product with -0 is -0.
const LAMBDA: (f32, f32) = (1.050_700_902_938_842_8, 8.441_663_768_010_7e-8);
const LAMBDA_ALPHA: (f32, f32) = (1.758_099_317_550_659_2, 2.329_671_744_405_459_3e-8);

/// f(h) = lambda h for h >= 0, else lambda alpha (e^h - 1).
///
/// ```
/// use isobath_kernels::activation::{Activation, Selu};
/// use isobath_kernels::simd::Scalar;
///
/// assert_eq!(Selu.value(Scalar, 0.0), 0.0);
/// assert!((Selu.value(Scalar, 1.0) - 1.0507).abs() < 1e-4); // lambda
/// assert!((Selu.value(Scalar, -50.0) + 1.0507 * 1.67326).abs() < 1e-4); // -lambda alpha
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Selu;

impl Activation for Selu {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let scale = DoubleWord::splat(simd, LAMBDA_ALPHA);
        let (value, derivative) = negative_branch(
            simd,
            h,
            #[inline(always)]
            |x| x.mul_rounded(simd, scale),
        );
        let lambda = DoubleWord::splat(simd, LAMBDA);
        let linear = simd.mul_add(h, lambda.hi, simd.mul(h, lambda.lo));
        let value = simd.select(simd.lt(h, simd.splat(0.0)), value, linear);
        let derivative = simd.select(is_positive(simd, h), lambda.round(simd), derivative);
        (value, keep_nan(simd, h, derivative))
    }
}

impl FromOutput for Selu {
    /// lambda for y > 0, else y + lambda alpha: absolute error at most 2^-22; the relative one is unbounded near
    /// -lambda alpha.
    #[inline(always)]
    fn derivative_from_output<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        let derivative = simd.add(y, simd.splat(LAMBDA_ALPHA.0));
        simd.select(is_positive(simd, y), simd.splat(LAMBDA.0 + LAMBDA.1), derivative)
    }
}
