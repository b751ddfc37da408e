//! The sigmoid-weighted linear unit: f(h) = h / (1 + e^-h), f'(h) = s (1 + h (1 - s)) with s = 1 / (1 + e^-h).

use super::Activation;
use crate::math::logistic::Logistic;
use crate::simd::Simd;

/// f(h) = h sigmoid(h).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silu;

impl Activation for Silu {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let one = simd.splat(1.0);
        let logistic = Logistic::new(simd, simd.abs(h), simd.splat(0.0));
        let s = logistic.signed(simd, h).round(simd);
        let s = logistic.unscale_signed(simd, h, s);
        (simd.mul(h, s), simd.mul(s, simd.mul_add(h, simd.sub(one, s), one)))
    }
}
