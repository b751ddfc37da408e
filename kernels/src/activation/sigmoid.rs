//! The logistic sigmoid: f(h) = 1 / (1 + e^-h), f'(h) = e^-|h| / (1 + e^-|h|)^2.
//!
//! Formula: with E = e^-|h| and R = 1 / (1 + E): f = R for h >= 0, else E R; f' = E R^2. All are double words until
//! the last rounding.
//! Numerics: see the table in [`crate::math`]; both keep relative accuracy in the tails; f(-inf) = 0, f(inf) = 1,
//! f'(+-inf) = 0; NaN stays NaN.
//! Cost: one exponential, one division.

use super::{Activation, FromOutput};
use crate::math::logistic::Logistic;
use crate::simd::Simd;

/// f(h) = 1 / (1 + e^-h).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmoid;

impl Activation for Sigmoid {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let logistic = Logistic::new(simd, h, simd.splat(0.0));
        let value = logistic.signed(simd, h).round(simd);
        let tail = logistic.tail(simd).mul(simd, logistic.reciprocal);
        (logistic.unscale_signed(simd, h, value), logistic.unscale(simd, tail.round(simd)))
    }
}

impl FromOutput for Sigmoid {
    /// y (1 - y): absolute error at most 2^-23; exactly 0 where y is 1, above h = 17.
    #[inline(always)]
    fn derivative_from_output<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        simd.neg_mul_add(y, y, y)
    }
}
