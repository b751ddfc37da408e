//! The lower tail of the standard normal distribution, for the Gaussian error linear unit.
//!
//! Formula: for a >= 0, Phi(-a) = e^(-a^2/2) g(a), and the derivative of h Phi(h) at h = -a, Phi(-a) - a phi(a), is
//! e^(-a^2/2) (z - a) k(a), where z is its zero. g and k are positive and smooth: sixteen polynomials each, four per
//! octave of a + 1. a^2/2 is a double word, so all results keep their relative accuracy however far out.
//! Cost: one exponential, and per function 8 lookups, 11 multiplications or fused ones, 6 additions.
//! Source: coefficients from `ci/constants/gelu.sollya`.

use super::double_word::DoubleWord;
use super::exponential::Reduced;
use super::limit::at_most;
use super::normal_table::{DERIVATIVE, DISTRIBUTION, ZERO};
use crate::simd::Simd;

/// Beyond it a Phi(-a) and a phi(a) round to zero.
const LIMIT: f32 = 14.8;

/// The tail at -a.
#[derive(Clone, Copy)]
pub(crate) struct NormalTail<S: Simd> {
    /// a, cut where the tail rounds to zero.
    pub(crate) a: S::F32,
    reduced: Reduced<S>,
    /// e^(-a^2/2) = 2^n significand.
    significand: DoubleWord<S>,
    /// Names the piece in its low four bits.
    piece: S::F32,
    /// Distance from the piece's middle.
    offset: S::F32,
}

impl<S: Simd> NormalTail<S> {
    /// For a >= 0.
    #[inline(always)]
    pub(crate) fn new(simd: S, a: S::F32) -> Self {
        let a = at_most(simd, a, LIMIT);
        let square = DoubleWord::product(simd, simd.mul(a, simd.splat(-0.5)), a);
        let reduced = Reduced::fine(simd, square.hi, square.lo);
        // The exponent and the first two bits of a + 1 name the piece; the third bit alone is its middle.
        let one = simd.splat(1.0);
        let shifted = simd.add(a, one);
        let piece = simd.shr_bits::<21>(simd.sub_bits(shifted, one));
        let lower = simd.and_bits(shifted, simd.splat_bits(0xffe0_0000));
        let middle = simd.or_bits(lower, simd.splat_bits(0x0010_0000));
        let offset = simd.sub(a, simd.sub(middle, one));
        Self { a, reduced, significand: reduced.significand(simd), piece, offset }
    }

    /// Phi(-a), without 2^n.
    #[inline(always)]
    pub(crate) fn distribution(self, simd: S) -> DoubleWord<S> {
        DISTRIBUTION.evaluate(simd, self.piece, self.offset).mul(simd, self.significand)
    }

    /// Phi(-a) - a phi(a), without 2^n.
    #[inline(always)]
    pub(crate) fn derivative(self, simd: S) -> DoubleWord<S> {
        let quotient = DERIVATIVE.evaluate(simd, self.piece, self.offset);
        let distance = DoubleWord::sum(simd, simd.splat(ZERO.0), simd.neg(self.a));
        let distance = distance.add_low(simd, simd.splat(ZERO.1));
        quotient.mul(simd, self.significand).mul(simd, distance)
    }

    /// y 2^n.
    #[inline(always)]
    pub(crate) fn unscale(self, simd: S, y: S::F32) -> S::F32 {
        self.reduced.scale_down(simd, y)
    }

    /// y 2^n; inexact where that is subnormal.
    #[inline(always)]
    pub(crate) fn unscale_both(self, simd: S, y: DoubleWord<S>) -> DoubleWord<S> {
        y.scale_exactly(simd, self.unscale(simd, simd.splat(1.0)))
    }
}
