//! 1 / (1 + E) for an exponential E of any size, for the sigmoid: one division, and what it lacks.
//!
//! Formula: with E = 2^n (1 + s): P = 1 + 2^n and D = P + 2^n s, both with their errors, q = 1 / D; what q lacks of the
//! result is q (1 - q (1 + E)).
//! Numerics: the errors are exact but for that of P below n = -24, where it shows only in a square of the result. So the
//! error is that of s, damped by E / (1 + E), and of the last rounding. E may be far above one and far below, so that
//! neither sign of an argument needs a form of its own.
//! Cost: one division, 10 operations; in two words 5 more.

use super::double_word::DoubleWord;
use super::exponential::Reduced;
use crate::simd::Simd;

/// E and 1 / (1 + E).
#[derive(Clone, Copy)]
pub(crate) struct OnePlus<S: Simd> {
    /// E.
    pub(crate) e: DoubleWord<S>,
    /// 2^n.
    power: S::F32,
    /// 1 + 2^n; the second word is zero below n = -24.
    sum: DoubleWord<S>,
    /// 1 / (1 + E), nearly.
    quotient: S::F32,
    /// 1 - quotient (1 + E).
    rest: S::F32,
}

impl<S: Simd> OnePlus<S> {
    /// For 2^-102 < E < 2^102.
    #[inline(always)]
    pub(crate) fn new(simd: S, reduced: Reduced<S>) -> Self {
        let one = simd.splat(1.0);
        let (power, s) = (reduced.power(simd, 0), reduced.rounded(simd));
        let sum = DoubleWord::fast_sum(simd, power, one);
        let hi = simd.mul_add(power, s, sum.hi);
        let lo = simd.add(simd.mul_add(power, s, simd.sub(sum.hi, hi)), sum.lo);
        let quotient = simd.div(one, hi);
        let rest = simd.neg_mul_add(quotient, lo, simd.neg_mul_add(quotient, hi, one));
        Self { e: reduced.words(simd), power, sum, quotient, rest }
    }

    /// 1 / (1 + E), rounded.
    #[inline(always)]
    pub(crate) fn reciprocal(self, simd: S) -> S::F32 {
        simd.mul_add(self.rest, self.quotient, self.quotient)
    }

    /// 1 / (1 + E) in two words.
    #[inline(always)]
    pub(crate) fn reciprocal_words(self, simd: S) -> DoubleWord<S> {
        // Where P is one, 2^n is what it lacks.
        let lost = simd.sub(self.power, self.sum.lo);
        let lost = simd.select(simd.eq(self.sum.hi, simd.splat(1.0)), lost, simd.splat(0.0));
        let rest = simd.neg_mul_add(self.quotient, lost, self.rest);
        DoubleWord { hi: self.quotient, lo: simd.mul(rest, self.quotient) }
    }
}
