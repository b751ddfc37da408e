//! Double-word arithmetic: a number as the unevaluated sum hi + lo of two f32.
//!
//! Numerics: relative error about 2^-44 of each operation, far below what a last rounding to f32 shows. Infinities
//! and overflow become NaN in the low word; callers keep their arguments in range.
//! Source: Dekker (1971); Knuth, The Art of Computer Programming 2, 4.2.2; Joldes, Muller, Popescu (2017).

use crate::simd::Simd;

/// hi + lo, where lo is at most a few units in the last place of hi.
#[derive(Clone, Copy)]
pub(crate) struct DoubleWord<S: Simd> {
    pub(crate) hi: S::F32,
    pub(crate) lo: S::F32,
}

impl<S: Simd> DoubleWord<S> {
    /// A constant, given as its two words.
    #[inline(always)]
    pub(crate) fn splat(simd: S, (hi, lo): (f32, f32)) -> Self {
        Self { hi: simd.splat(hi), lo: simd.splat(lo) }
    }

    /// a + b exactly, for |a| >= |b| or a = 0: three operations.
    #[inline(always)]
    pub(crate) fn fast_sum(simd: S, a: S::F32, b: S::F32) -> Self {
        let hi = simd.add(a, b);
        Self { hi, lo: simd.sub(b, simd.sub(hi, a)) }
    }

    /// a + b exactly: six operations.
    #[inline(always)]
    pub(crate) fn sum(simd: S, a: S::F32, b: S::F32) -> Self {
        let hi = simd.add(a, b);
        let b_part = simd.sub(hi, a);
        let a_part = simd.sub(hi, b_part);
        Self { hi, lo: simd.add(simd.sub(a, a_part), simd.sub(b, b_part)) }
    }

    /// a b exactly, unless the product's error underflows.
    #[inline(always)]
    pub(crate) fn product(simd: S, a: S::F32, b: S::F32) -> Self {
        let hi = simd.mul(a, b);
        Self { hi, lo: simd.mul_add(a, b, simd.neg(hi)) }
    }

    /// This plus a small term, which goes to the low word.
    #[inline(always)]
    pub(crate) fn add_low(self, simd: S, term: S::F32) -> Self {
        Self { lo: simd.add(self.lo, term), ..self }
    }

    /// The same number with a low word of at most half a unit in the last place of the high one.
    #[inline(always)]
    pub(crate) fn normalize(self, simd: S) -> Self {
        Self::fast_sum(simd, self.hi, self.lo)
    }

    /// The sum of two.
    #[inline(always)]
    pub(crate) fn sum_of(self, simd: S, other: Self) -> Self {
        let sum = Self::sum(simd, self.hi, other.hi);
        sum.add_low(simd, simd.add(self.lo, other.lo))
    }

    /// 1 - self, where |self| <= 1.
    #[inline(always)]
    pub(crate) fn one_minus(self, simd: S) -> Self {
        let difference = Self::fast_sum(simd, simd.splat(1.0), simd.neg(self.hi));
        Self { lo: simd.sub(difference.lo, self.lo), ..difference }
    }

    /// This times a single word.
    #[inline(always)]
    pub(crate) fn scale(self, simd: S, factor: S::F32) -> Self {
        let hi = simd.mul(self.hi, factor);
        let error = simd.mul_add(self.hi, factor, simd.neg(hi));
        Self { hi, lo: simd.mul_add(self.lo, factor, error) }
    }

    /// This times a power of two, exactly.
    #[inline(always)]
    pub(crate) fn scale_exactly(self, simd: S, power: S::F32) -> Self {
        Self { hi: simd.mul(self.hi, power), lo: simd.mul(self.lo, power) }
    }

    /// The product of two.
    #[inline(always)]
    pub(crate) fn mul(self, simd: S, other: Self) -> Self {
        let hi = simd.mul(self.hi, other.hi);
        let error = simd.mul_add(self.hi, other.hi, simd.neg(hi));
        let lo = simd.mul_add(self.hi, other.lo, simd.mul_add(self.lo, other.hi, error));
        Self { hi, lo }
    }

    /// minuend - factor self, rounded once, where the minuend is zero or at least twice as large as the product.
    #[inline(always)]
    pub(crate) fn product_from(self, simd: S, factor: S::F32, minuend: S::F32) -> S::F32 {
        let hi = simd.neg_mul_add(factor, self.hi, minuend);
        // What hi has too much; subtracted, it leaves -0 as it is.
        let excess = simd.mul_add(factor, self.hi, simd.sub(hi, minuend));
        simd.sub(hi, simd.mul_add(factor, self.lo, excess))
    }

    /// 1 / self: one division and a Newton step's residual.
    #[inline(always)]
    pub(crate) fn reciprocal(self, simd: S) -> Self {
        let one = simd.splat(1.0);
        let hi = simd.div(one, self.hi);
        let residual = simd.neg_mul_add(hi, self.lo, simd.neg_mul_add(hi, self.hi, one));
        Self { hi, lo: simd.mul(residual, hi) }
    }

    /// The product of two, rounded.
    #[inline(always)]
    pub(crate) fn mul_rounded(self, simd: S, other: Self) -> S::F32 {
        let low = simd.mul_add(self.lo, other.hi, simd.mul(self.hi, other.lo));
        simd.mul_add(self.hi, other.hi, low)
    }

    /// self / divisor, rounded, given the reciprocal of the divisor's high word.
    #[inline(always)]
    pub(crate) fn div_rounded(self, simd: S, divisor: Self, reciprocal: S::F32) -> S::F32 {
        let quotient = simd.mul(self.hi, reciprocal);
        let remainder = simd.neg_mul_add(quotient, divisor.hi, self.hi);
        let low = simd.neg_mul_add(quotient, divisor.lo, self.lo);
        simd.mul_add(simd.add(remainder, low), reciprocal, quotient)
    }

    /// Lane of `a` where the mask is true, of `b` where it is false.
    #[inline(always)]
    pub(crate) fn select(simd: S, mask: S::Mask, a: Self, b: Self) -> Self {
        Self { hi: simd.select(mask, a.hi, b.hi), lo: simd.select(mask, a.lo, b.lo) }
    }

    /// The nearest f32.
    #[inline(always)]
    pub(crate) fn round(self, simd: S) -> S::F32 {
        simd.add(self.hi, self.lo)
    }
}
