//! The exponential linear unit: f(h) = h for h >= 0, else alpha (e^h - 1); f'(h) = 1 for h > 0, else alpha e^h.
//!
//! Numerics: see the table in [`crate::math`], for |alpha| < 2^20; f(-inf) = -alpha, f'(-inf) = 0; f(-0) = -0;
//! f'(0) = alpha; NaN stays NaN.
//! Cost: one exponential.
//! Source: Clevert, Unterthiner, Hochreiter (2016).

use super::relu::{is_positive, keep_nan};
use super::{Activation, FromOutput};
use crate::math::double_word::DoubleWord;
use crate::math::exponential::Reduced;
use crate::math::limit::at_least;
use crate::simd::Simd;

/// f(h) = h for h >= 0, else alpha (e^h - 1).
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{Elu, forward_in_place};
///
/// let mut h = [3.0, 0.0, -100.0];
/// forward_in_place(Level::detect(), Elu { alpha: 2.0 }, &mut h);
/// assert_eq!(h, [3.0, 0.0, -2.0]); // saturates at -alpha
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    /// Minus the limit at -inf; [`FromOutput`] needs a positive one.
    pub alpha: f32,
}

/// Below it e^h - 1 rounds to -1, and the second word of e^h may be subnormal.
const FAR: f32 = -70.0;
/// Below it scale e^h rounds to zero for |scale| < 2^20.
const LIMIT: f32 = -120.0;

/// scale (e^h - 1) and scale e^h, for h <= 0, where `scaled` is scale times its argument, rounded.
#[inline(always)]
pub(super) fn negative_branch<S: Simd>(
    simd: S,
    h: S::F32,
    scaled: impl Fn(DoubleWord<S>) -> S::F32,
) -> (S::F32, S::F32) {
    let zero = simd.splat(0.0);
    let reduced = Reduced::fine(simd, at_least(simd, h, FAR), zero);
    let power = reduced.power(simd, 0);
    let minus_one = DoubleWord::fast_sum(simd, simd.splat(-1.0), power);
    let value = scaled(reduced.sum(simd, power, minus_one));
    let derivative = scaled(reduced.sum(simd, power, DoubleWord { hi: power, lo: zero }));
    let far = simd.lt(h, simd.splat(FAR));
    if simd.any(far) {
        let reduced = Reduced::fine(simd, at_least(simd, h, LIMIT), zero);
        let tail = reduced.scale_down(simd, scaled(reduced.significand(simd)));
        (value, simd.select(far, tail, derivative))
    } else {
        (value, derivative)
    }
}

impl Activation for Elu {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let alpha = simd.splat(self.alpha);
        let (value, derivative) = negative_branch(
            simd,
            h,
            #[inline(always)]
            |x| simd.mul_add(x.hi, alpha, simd.mul(x.lo, alpha)),
        );
        let value = simd.select(simd.lt(h, simd.splat(0.0)), value, h);
        let derivative = simd.select(is_positive(simd, h), simd.splat(1.0), derivative);
        (value, keep_nan(simd, h, derivative))
    }
}

impl FromOutput for Elu {
    /// 1 for y > 0, else y + alpha: absolute error at most 2^-23 for alpha = 1; the relative one is unbounded
    /// near -alpha.
    #[inline(always)]
    fn derivative_from_output<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        let derivative = simd.add(y, simd.splat(self.alpha));
        simd.select(is_positive(simd, y), simd.splat(1.0), derivative)
    }
}
