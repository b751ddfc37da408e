//! The logistic sigmoid: f(h) = 1 / (1 + e^-h), f'(h) = e^-h / (1 + e^-h)^2.
//!
//! Formula: with E = e^-h, of any size, and R = 1 / (1 + E): f = R, f' = E R^2, one division with its remainder. Beyond
//! |h| = 70 both tails are e^-|h|.
//! Numerics: see the table in [`crate::math`]; both keep relative accuracy in the tails; f' is even up to its rounding;
//! f(-inf) = 0, f(inf) = 1, f'(+-inf) = 0; NaN stays NaN.
//! Cost: one exponential, one division, 10 operations for f.

use super::{Activation, FromOutput};
use crate::math::exp::extreme;
use crate::math::exponential::Reduced;
use crate::math::one_plus::OnePlus;
use crate::simd::Simd;

/// f(h) = 1 / (1 + e^-h).
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{Sigmoid, forward_in_place};
///
/// let mut h = [0.0, 100.0, -100.0];
/// forward_in_place(Level::detect(), Sigmoid, &mut h);
/// assert_eq!(h[..2], [0.5, 1.0]);
/// assert!(h[2] > 0.0 && h[2] < 1e-43); // e^-100 is subnormal, and kept
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmoid;

/// Beyond this |h|, 1 + e^-|h| rounds to 1, and a second word may be subnormal.
const FAR: f32 = 70.0;

impl Activation for Sigmoid {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let sum = OnePlus::new(simd, Reduced::new(simd, simd.neg(h)));
        let value = sum.reciprocal(simd);
        let words = sum.reciprocal_words(simd);
        let derivative = sum.e.mul(simd, words).mul_rounded(simd, words);

        let far = simd.lt(simd.splat(FAR), simd.abs(h));
        if simd.any(far) {
            let tail = extreme(simd, simd.or_bits(h, simd.splat_bits(0x8000_0000)), 0);
            let negative = simd.lt_bits(h, simd.splat(0.0));
            let limit = simd.select(negative, tail, simd.splat(1.0));
            (simd.select(far, limit, value), simd.select(far, tail, derivative))
        } else {
            (value, derivative)
        }
    }
}

impl FromOutput for Sigmoid {
    /// y (1 - y): absolute error at most 2^-23; exactly 0 where y is 1, above h = 17.
    #[inline(always)]
    fn derivative_from_output<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        simd.neg_mul_add(y, y, y)
    }
}
