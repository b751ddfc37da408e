//! Softplus: f(h) = ln(1 + e^h); f' is the sigmoid.
//!
//! Formula: f(h) = max(h, 0) + ln(1 + E), E = e^-|h| a double word; 1 + E is halved where it exceeds sqrt(2), and the
//! logarithm is that of [`crate::math::ln`].
//! Numerics: see the table in [`crate::math`]; relative accuracy to the end of the left tail; f(-inf) = 0, f(inf) = inf;
//! NaN stays NaN.
//! Cost: one exponential, one logarithm; one division for f'.
//! Source: Dugas, Bengio, Belisle, Nadeau, Garcia (2001).

use super::{Activation, FromOutput, Sigmoid};
use crate::math::double_word::DoubleWord;
use crate::math::expm1;
use crate::math::ln::from_reduced;
use crate::math::logistic::Logistic;
use crate::simd::Simd;

/// f(h) = ln(1 + e^h).
///
/// ```
/// use isobath_kernels::activation::{Activation, Softplus};
/// use isobath_kernels::simd::Scalar;
///
/// assert!((Softplus.value(Scalar, 0.0) - 2.0_f32.ln()).abs() < 1e-6);
/// assert_eq!(Softplus.value(Scalar, 100.0), 100.0); // e^100 does not overflow
/// assert_eq!(Softplus.derivative(Scalar, 0.0), 0.5); // the sigmoid
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softplus;

/// Beyond this |h|, ln(1 + E) rounds to E, and h + ln(1 + E) to h.
const TAIL: f32 = 25.0;

impl Activation for Softplus {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let (zero, one, half) = (simd.splat(0.0), simd.splat(1.0), simd.splat(0.5));
        let negative = simd.lt(h, zero);
        let logistic = Logistic::new(simd, h, zero);
        let e = logistic.exponential(simd);

        // 1 + E = 2^k (1 + f).
        let halved = simd.lt(simd.splat(core::f32::consts::SQRT_2 - 1.0), e.hi);
        let sum = DoubleWord::fast_sum(simd, one, e.hi).add_low(simd, e.lo);
        let upper =
            DoubleWord { hi: simd.mul_add(sum.hi, half, simd.splat(-1.0)), lo: simd.mul(sum.lo, half) };
        let f = DoubleWord::select(simd, halved, upper, e);
        let logarithm = from_reduced(simd, simd.select(halved, one, zero), f);

        let linear = DoubleWord::sum(simd, simd.select(negative, zero, h), logarithm.hi);
        let value = linear.add_low(simd, logarithm.lo).round(simd);
        let value = simd.select(simd.lt(simd.splat(TAIL), h), h, value);
        let tail = logistic.unscale(simd, logistic.significand.round(simd));
        let value = simd.select(simd.lt(h, simd.splat(-TAIL)), tail, value);
        (value, Sigmoid.value(simd, h))
    }
}

impl FromOutput for Softplus {
    /// 1 - e^-y: absolute error at most 2^-23, and no loss in the left tail.
    #[inline(always)]
    fn derivative_from_output<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        simd.neg(expm1(simd, simd.neg(y)))
    }
}
