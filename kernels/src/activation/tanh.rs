//! The hyperbolic tangent, and its derivative 1 - tanh^2.
//!
//! Formula: with E = e^-2|h|: |f| = (1 - E) / (1 + E), f' = 4 E / (1 + E)^2. All are double words until the last
//! rounding, and 1 - E keeps its relative accuracy down to the smallest argument.
//! Numerics: see the table in [`crate::math`]; f is odd exactly, f(-0) = -0, f(+-inf) = +-1, f'(+-inf) = 0; NaN stays
//! NaN.
//! Cost: one exponential, one division.

use super::{Activation, FromOutput};
use crate::math::logistic::Logistic;
use crate::simd::Simd;

/// f(h) = tanh h.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tanh;

impl Activation for Tanh {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let sign = simd.and_bits(h, simd.splat_bits(0x8000_0000));
        let logistic = Logistic::new(simd, simd.add(h, h), simd.splat(0.0));
        let value = logistic.complement(simd).mul(simd, logistic.reciprocal).round(simd);
        let derivative = logistic.tail(simd).mul(simd, logistic.reciprocal).round(simd);
        let derivative = logistic.unscale(simd, simd.mul(derivative, simd.splat(4.0)));
        (simd.or_bits(value, sign), derivative)
    }
}

impl FromOutput for Tanh {
    /// 1 - y^2: absolute error at most 3 2^-24; exactly 0 where |y| is 1, above |h| = 9.02.
    #[inline(always)]
    fn derivative_from_output<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        simd.neg_mul_add(y, y, simd.splat(1.0))
    }
}
