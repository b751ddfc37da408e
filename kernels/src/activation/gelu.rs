//! The Gaussian error linear unit: f(h) = h Phi(h), f'(h) = Phi(h) + h phi(h), Phi the normal distribution function.
//!
//! Formula: with a = |h|: f(h) = max(h, 0) - a Phi(-a); f'(-a) = Phi(-a) - a phi(a), f'(a) = 1 - f'(-a). The tail is a
//! double word, and its derivative's zero is a factor, see `math/normal.rs`.
//! Numerics: see the table in [`crate::math`]; relative accuracy to the end of the left tail and at the zero of f';
//! f(-inf) = -0, f(-0) = -0, f'(-inf) = -0, f'(inf) = 1; NaN stays NaN.
//! Cost: one exponential, 8 lookups each.
//! Source: Hendrycks, Gimpel (2016).

use super::Activation;
use crate::math::double_word::DoubleWord;
use crate::math::normal::NormalTail;
use crate::simd::Simd;

/// f(h) = h Phi(h), Phi the standard normal distribution function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gelu;

impl Activation for Gelu {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let negative = simd.lt_bits(h, simd.splat(0.0));
        let tail = NormalTail::new(simd, simd.abs(h));

        let bump = tail.distribution(simd).scale(simd, tail.a);
        let below = simd.neg(tail.unscale(simd, bump.round(simd)));
        let above = DoubleWord::fast_sum(simd, tail.a, simd.neg(tail.unscale_both(simd, bump).hi));
        let above = above.add_low(simd, simd.neg(tail.unscale_both(simd, bump).lo)).round(simd);
        let above = simd.select(simd.lt(tail.a, h), h, above);

        let slope = tail.derivative(simd);
        let slope_below = tail.unscale(simd, slope.round(simd));
        let slope_above = tail.unscale_both(simd, slope).one_minus(simd).round(simd);

        (simd.select(negative, below, above), simd.select(negative, slope_below, slope_above))
    }
}
