//! What softplus and the gated units share: E = e^-a for a >= 0, and R = 1 / (1 + E), as double words.
//!
//! E is kept as a significand and a power of two, 2^n, so that results keep their relative accuracy down to the
//! smallest subnormal: a result is computed without 2^n and scaled last.
//! Cost: one exponential, one division, and some 20 operations.

use super::double_word::DoubleWord;
use super::exponential::Reduced;
use super::limit::at_least;
use super::shares::Shares;
use crate::simd::Simd;

/// e^-a and 1 / (1 + e^-a).
#[derive(Clone, Copy)]
pub(crate) struct Logistic<S: Simd> {
    reduced: Reduced<S>,
    /// 2^n, subnormal or zero far out.
    power: S::F32,
    /// The significand of E: E = 2^n significand.
    pub(crate) significand: DoubleWord<S>,
    /// 1 / (1 + E).
    pub(crate) reciprocal: DoubleWord<S>,
}

/// e^-a rounds to zero even beside a factor of 100 beyond this.
pub(crate) const LIMIT: f32 = 120.0;

impl<S: Simd> Logistic<S> {
    /// For E = e^-(|x| + low).
    #[inline(always)]
    pub(crate) fn new(simd: S, x: S::F32, low: S::F32) -> Self {
        let negative = simd.or_bits(x, simd.splat_bits(0x8000_0000));
        let reduced = Reduced::fine(simd, at_least(simd, negative, -LIMIT), simd.neg(low));
        let power = reduced.scale_down(simd, simd.splat(1.0));
        let significand = reduced.significand(simd);
        let e = significand.scale_exactly(simd, power);
        let denominator = DoubleWord::fast_sum(simd, simd.splat(1.0), e.hi).add_low(simd, e.lo);
        Self { reduced, power, significand, reciprocal: denominator.reciprocal(simd) }
    }

    /// E; inexact where 2^n is subnormal.
    #[inline(always)]
    pub(crate) fn exponential(self, simd: S) -> DoubleWord<S> {
        self.significand.scale_exactly(simd, self.power)
    }

    /// E / (1 + E), without 2^n.
    #[inline(always)]
    pub(crate) fn tail(self, simd: S) -> DoubleWord<S> {
        self.significand.mul(simd, self.reciprocal)
    }

    /// h / (1 + e^-w) where a = |w| for a w of h's sign. Where `far` is true, 1 + e^-a rounds to 1 and e^-a may be
    /// subnormal; elsewhere e^-a exceeds 2^-102.
    #[inline(always)]
    pub(crate) fn gate(self, simd: S, h: S::F32, far: S::Mask) -> S::F32 {
        let negative = simd.lt_bits(h, simd.splat(0.0));
        let shares = Shares::new(simd, self.reduced.words(simd));
        let (q, remainder) = shares.signed(simd, h);
        let y = simd.mul_add(h, q, simd.mul(h, simd.mul(remainder, shares.reciprocal)));
        if simd.any(far) {
            // Infinity is cut where it would meet a zero.
            let cut = at_least(simd, h, -LIMIT);
            let tail = simd.mul_add(cut, self.significand.hi, simd.mul(cut, self.significand.lo));
            let limit = simd.select(negative, self.unscale(simd, tail), h);
            simd.select(far, limit, y)
        } else {
            y
        }
    }

    /// The derivative of [`Logistic::gate`] at h, where w is odd and `f` = 1 + e^-w - a w'(a) at a = |h|:
    /// f e^-w / (1 + e^-w)^2 at -a, and 1 less that at a.
    #[inline(always)]
    pub(crate) fn gate_derivative(self, simd: S, h: S::F32, f: DoubleWord<S>) -> S::F32 {
        let negative = simd.lt_bits(h, simd.splat(0.0));
        let below = self.tail(simd).mul(simd, self.reciprocal).mul(simd, f);
        let above = below.scale_exactly(simd, self.power).one_minus(simd).round(simd);
        simd.select(negative, self.unscale(simd, below.round(simd)), above)
    }

    /// 1 + e^-w - s for s >= 0.
    #[inline(always)]
    pub(crate) fn gate_factor(self, simd: S, s: DoubleWord<S>) -> DoubleWord<S> {
        let one = DoubleWord::sum(simd, simd.splat(1.0), simd.neg(s.hi));
        let sum = DoubleWord::sum(simd, one.hi, simd.mul(self.significand.hi, self.power));
        let low = simd.mul_add(self.significand.lo, self.power, simd.sub(one.lo, s.lo));
        sum.add_low(simd, low).normalize(simd)
    }

    /// y 2^n.
    #[inline(always)]
    pub(crate) fn unscale(self, simd: S, y: S::F32) -> S::F32 {
        self.reduced.scale_down(simd, y)
    }
}
