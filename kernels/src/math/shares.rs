//! 1 / (1 + E) and E / (1 + E) for 0 < E <= 1, which the gated units share: one division for both.
//!
//! Formula: with x one or E, q = x / (1 + E) by the reciprocal of 1 + E rounded to one word; what q lacks is the
//! remainder x - q - q E, with E in two words, times that reciprocal.
//! Numerics: x - q is exact, so the error is that of E and of the last rounding.
//! Cost: one division; per share 3 multiplications or fused ones, 2 additions.

use super::double_word::DoubleWord;
use crate::simd::Simd;

/// 1 / (1 + E) and E / (1 + E), each as a quotient and a remainder that is still to be divided.
#[derive(Clone, Copy)]
pub(crate) struct Shares<S: Simd> {
    e: DoubleWord<S>,
    /// 1 / (1 + E), nearly.
    pub(crate) reciprocal: S::F32,
}

impl<S: Simd> Shares<S> {
    /// For 0 < E <= 1.
    #[inline(always)]
    pub(crate) fn new(simd: S, e: DoubleWord<S>) -> Self {
        let one = simd.splat(1.0);
        Self { e, reciprocal: simd.div(one, simd.add(one, e.hi)) }
    }

    /// E / (1 + E) for negative h, 1 / (1 + E) else, as q and the remainder.
    #[inline(always)]
    pub(crate) fn signed(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let negative = simd.lt_bits(h, simd.splat(0.0));
        self.of(simd, DoubleWord::select(simd, negative, self.e, DoubleWord::splat(simd, (1.0, 0.0))))
    }

    /// For a share x of 1 + E that is 1 or E, q is between x / 2 and x, so x - q is exact.
    #[inline(always)]
    fn of(self, simd: S, x: DoubleWord<S>) -> (S::F32, S::F32) {
        let q = simd.mul(x.hi, self.reciprocal);
        let remainder = simd.neg_mul_add(q, self.e.hi, simd.sub(x.hi, q));
        (q, simd.add(remainder, simd.neg_mul_add(q, self.e.lo, x.lo)))
    }
}
