//! The logistic sigmoid: f(h) = 1 / (1 + e^-h), f'(h) = e^-|h| / (1 + e^-|h|)^2.
//!
//! Formula: with E = e^-|h|: f = 1 / (1 + E) for h >= 0, else E / (1 + E), one division with its remainder;
//! f' = E R^2 with R = 1 / (1 + E). Beyond |h| = 70 the one in 1 + E is all that counts.
//! Numerics: see the table in [`crate::math`]; both keep relative accuracy in the tails; f' is even; f(-inf) = 0,
//! f(inf) = 1, f'(+-inf) = 0; NaN stays NaN.
//! Cost: one exponential, one division, 16 operations for f.

use super::{Activation, FromOutput};
use crate::math::double_word::DoubleWord;
use crate::math::exp::extreme;
use crate::math::exponential::Reduced;
use crate::math::shares::Shares;
use crate::simd::Simd;

/// f(h) = 1 / (1 + e^-h).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmoid;

/// Beyond this |h|, 1 + E rounds to 1, and the second word of E may be subnormal.
const FAR: f32 = 70.0;

impl Activation for Sigmoid {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let minus_a = simd.or_bits(h, simd.splat_bits(0x8000_0000));
        let e = Reduced::new(simd, minus_a).words(simd);
        let shares = Shares::new(simd, e);
        let (q, remainder) = shares.signed(simd, h);
        let value = simd.mul_add(remainder, shares.reciprocal, q);

        let (hi, remainder) = shares.of_one(simd);
        let r = DoubleWord { hi, lo: simd.mul(remainder, shares.reciprocal) };
        let derivative = e.mul(simd, r).mul_rounded(simd, r);

        let far = simd.lt(minus_a, simd.splat(-FAR));
        if simd.any(far) {
            let tail = extreme(simd, minus_a, 0);
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
