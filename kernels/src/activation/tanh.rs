//! The hyperbolic tangent, and its derivative 1 - tanh^2.
//!
//! Formula: with G = e^2|h| = 2^n (1 + s): |f| = (G - 1) / (G + 1), one division with its remainder, and
//! f' = 4 G / (G + 1)^2. Both words of s count, so G - 1 = (2^n - 1) + 2^n s keeps its relative accuracy down to the
//! smallest argument.
//! Numerics: see the table in [`crate::math`]; f is odd exactly, f(-0) = -0, f(+-inf) = +-1, f'(+-inf) = 0; NaN stays
//! NaN.
//! Cost: one exponential, one division, 25 operations for f.

use super::{Activation, FromOutput};
use crate::math::double_word::DoubleWord;
use crate::math::exp::extreme;
use crate::math::exponential::Reduced;
use crate::math::limit::at_most;
use crate::simd::Simd;

/// f(h) = tanh h.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{Tanh, forward_in_place};
///
/// let mut h = [0.0, 20.0, -20.0, 1e-30];
/// forward_in_place(Level::detect(), Tanh, &mut h);
/// assert_eq!(h, [0.0, 1.0, -1.0, 1e-30]); // near 0, tanh h = h
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tanh;

/// Beyond this |h|, |f| rounds to 1 and f' to 4 e^-2|h|.
const FAR: f32 = 30.0;

impl Activation for Tanh {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let one = DoubleWord::splat(simd, (1.0, 0.0));
        let a = simd.abs(h);
        let double = simd.add(a, a);
        let reduced = Reduced::fine(simd, at_most(simd, double, 2.0 * FAR), simd.splat(0.0));
        let power = reduced.power(simd, 0);
        let rest = reduced.rest(simd).scale_exactly(simd, power);

        // Where 2^n + 1 rounds, G - 1 and G + 1 share the error, of which f hardly depends there.
        let plus = DoubleWord::fast_sum(simd, power, one.hi);
        let minus = simd.add(plus.hi, simd.splat(-2.0));
        let denominator = DoubleWord::fast_sum(simd, plus.hi, rest.hi).add_low(simd, rest.lo);
        let numerator = DoubleWord::fast_sum(simd, minus, rest.hi).add_low(simd, rest.lo);
        let reciprocal = simd.div(one.hi, denominator.hi);
        let value = numerator.div_rounded(simd, denominator, reciprocal);
        let value = simd.or_bits(value, simd.and_bits(h, simd.splat_bits(0x8000_0000)));

        let g = DoubleWord::fast_sum(simd, power, rest.hi).add_low(simd, rest.lo);
        let r = denominator.add_low(simd, plus.lo).reciprocal(simd);
        let derivative = simd.mul(simd.splat(4.0), g.mul(simd, r).mul_rounded(simd, r));
        let far = simd.lt(simd.splat(FAR), a);
        if simd.any(far) {
            let tail = extreme(simd, simd.neg(double), 2);
            (value, simd.select(far, tail, derivative))
        } else {
            (value, derivative)
        }
    }
}

impl FromOutput for Tanh {
    /// 1 - y^2: absolute error at most 3 2^-24; exactly 0 where |y| is 1, above |h| = 9.02.
    #[inline(always)]
    fn derivative_from_output<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        simd.neg_mul_add(y, y, simd.splat(1.0))
    }
}
