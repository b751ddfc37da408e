//! The Gaussian error linear unit in its tanh form: f(h) = h s(w), w = 2 sqrt(2/pi) (h + 0.044715 h^3), s the sigmoid.

use super::Activation;
use crate::math::logistic::Logistic;
use crate::simd::Simd;

/// f(h) = h / 2 (1 + tanh(sqrt(2/pi) (h + 0.044715 h^3))).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeluTanh;

impl Activation for GeluTanh {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let one = simd.splat(1.0);
        let square = simd.mul(h, h);
        let w = simd.mul(h, simd.mul_add(square, simd.splat(0.071_354_816), simd.splat(1.595_769_1)));
        let slope = simd.mul_add(square, simd.splat(0.214_064_45), simd.splat(1.595_769_1));
        let logistic = Logistic::new(simd, simd.abs(w), simd.splat(0.0));
        let s = logistic.signed(simd, h).round(simd);
        let s = logistic.unscale_signed(simd, h, s);
        let rise = simd.mul(simd.mul(h, slope), simd.sub(one, s));
        (simd.mul(h, s), simd.mul_add(s, rise, s))
    }
}
