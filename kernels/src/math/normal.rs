//! The lower tail of the standard normal distribution, for the Gaussian error linear unit.
//!
//! Formula: eight pieces with middles m about 7/8 apart; with x = a - m, Phi(-a) = Phi(-m) e^(s x + x^2 c(x)), s the
//! derivative of ln Phi(-a) at m, c a cubic. The derivative of h Phi(h) at h = -a, Phi(-a) - a phi(a), is
//! Phi(-a) (z - a) k(a), where z is its zero and k, a polynomial per piece, is positive.
//! Numerics: the middles are chosen so that Phi(-m) and s are f32 to 2^-29; s x is exact in two words. That leaves the
//! rounding of terms below a tenth of the result. Beyond [`EDGE`], see [`super::normal_far`].
//! Cost: one exponential, 7 lookups, 16 operations; for the derivative 8 lookups, 28 operations more.
//! Source: middles from `ci/constants/centres.py`, coefficients from `ci/constants/gelu.sollya`.

use super::double_word::DoubleWord;
use super::exponential::{ROUNDER, Reduced};
use super::normal_table::{CURVE, FACTOR, MIDDLE, SLOPE, VALUE, ZERO};
use crate::simd::Simd;

/// The last piece ends a little beyond it, at 7.5 steps.
pub(crate) const EDGE: f32 = 6.5;
/// Distance of the pieces' middles, roughly.
const STEP: f32 = 0.875;

/// The tail at -a.
#[derive(Clone, Copy)]
pub(crate) struct NormalTail<S: Simd> {
    a: S::F32,
    /// Names the piece in its low three bits.
    piece: S::F32,
    /// Distance from the piece's middle.
    x: S::F32,
    /// Phi(-a).
    pub(crate) distribution: DoubleWord<S>,
}

impl<S: Simd> NormalTail<S> {
    /// For 0 <= a <= EDGE.
    #[inline(always)]
    pub(crate) fn new(simd: S, a: S::F32) -> Self {
        let piece = simd.mul_add(a, simd.splat(1.0 / STEP), simd.splat(ROUNDER));
        let x = simd.sub(a, simd.lookup(&MIDDLE, piece));
        let line = DoubleWord::product(simd, simd.lookup(&SLOPE, piece), x);
        let [c3, c2, c1, c0] = &CURVE;
        let c01 = simd.mul_add(simd.lookup(c1, piece), x, simd.lookup(c0, piece));
        let c23 = simd.mul_add(simd.lookup(c3, piece), x, simd.lookup(c2, piece));
        let square = simd.mul(x, x);
        let c = simd.mul_add(c23, square, c01);
        let reduced = Reduced::fine(simd, line.hi, simd.mul_add(square, c, line.lo));
        let distribution = reduced.times(simd, simd.lookup(&VALUE, piece));
        Self { a, piece, x, distribution }
    }

    /// Phi(-a) - a phi(a).
    #[inline(always)]
    pub(crate) fn derivative(self, simd: S) -> DoubleWord<S> {
        let factor = FACTOR.evaluate(simd, self.piece, self.x);
        let distance = DoubleWord::sum(simd, simd.splat(ZERO.0), simd.neg(self.a));
        let distance = distance.add_low(simd, simd.splat(ZERO.1));
        self.distribution.normalize(simd).mul(simd, factor).mul(simd, distance)
    }
}
