//! Softplus: f(h) = ln(1 + e^h); f' is the sigmoid.
//!
//! Formula: f(h) = max(h, 0) + ln(1 + e^-|h|).

use super::{Activation, FromOutput, Sigmoid};
use crate::math::exp;
use crate::math::ln;
use crate::simd::Simd;

/// f(h) = ln(1 + e^h).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softplus;

impl Activation for Softplus {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let positive = simd.select(simd.lt(h, simd.splat(0.0)), simd.splat(0.0), h);
        let e = exp(simd, simd.neg(simd.abs(h)));
        let value = simd.add(positive, ln(simd, simd.add(simd.splat(1.0), e)));
        (value, Sigmoid.value(simd, h))
    }
}

impl FromOutput for Softplus {
    /// 1 - e^-y.
    #[inline(always)]
    fn derivative_from_output<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        simd.sub(simd.splat(1.0), exp(simd, simd.neg(y)))
    }
}
