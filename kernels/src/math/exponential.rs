//! The exponential's argument reduction and polynomial, which [`super::exp`], [`super::expm1`], the activation functions
//! and the normal distribution share.
//!
//! Formula: e^x = 2^n (1 + t + u), n = x / ln 2 rounded, t = x - n ln2_hi, u = r^2 q(r) + v with v = -n ln2_lo and
//! r = t + v. t is exact, because ln2_hi is a multiple of 2^-24 and x of 2^-25 where n is not zero.
//! Numerics: 1 + t + u has a relative error below 2^-27; what remains is how it is rounded.
//! Cost: 10 multiplications or fused ones, 2 additions.
//! Source: Cody and Waite (1980); polynomial from `ci/constants/exp.sollya`.

use super::double_word::DoubleWord;
use crate::simd::Simd;

/// 1.5 2^23: adding it rounds to an integer, which then stands in the low bits.
pub(crate) const ROUNDER: f32 = 12_582_912.0;
/// The same with the exponent's bias: the bits, shifted left by 23, are those of a power of two.
const BIASED_ROUNDER: f32 = ROUNDER + 127.0;
const LN2_HI: f32 = 0.693_147_182_464_599_61;
const LN2_LO: f32 = -1.904_654_212_125_933_5e-9;
/// (e^r - 1 - r) / r^2 on |r| <= ln(2) / 2.
const Q: [f32; 6] = [
    0.5,
    0.166_666_641_831_398_01,
    4.166_645_556_688_308_7e-2,
    8.333_886_973_559_856_4e-3,
    1.393_575_919_792_056_1e-3,
    1.957_786_153_070_643_1e-4,
];

/// e^x after the argument's reduction: 2^n (1 + t + u).
#[derive(Clone, Copy)]
pub(crate) struct Reduced<S: Simd> {
    /// n + 127 in the low nine bits.
    n: S::F32,
    /// |t| <= ln(2) / 2, exact.
    pub(crate) t: S::F32,
    /// t^2 / 2 and what follows; less than 0.07.
    pub(crate) u: S::F32,
}

impl<S: Simd> Reduced<S> {
    /// Reduces e^(x + low), for |x| < 180 and |low| at most some units in the last place of x.
    #[inline(always)]
    pub(crate) fn new(simd: S, x: S::F32, low: S::F32) -> Self {
        let rounder = simd.splat(BIASED_ROUNDER);
        let n = simd.mul_add(x, simd.splat(core::f32::consts::LOG2_E), rounder);
        let quotient = simd.sub(n, rounder);
        let t = simd.neg_mul_add(quotient, simd.splat(LN2_HI), x);
        let v = simd.neg_mul_add(quotient, simd.splat(LN2_LO), low);
        let r = simd.add(t, v);
        let square = simd.mul(r, r);
        let [q0, q1, q2, q3, q4, q5] = Q;
        let q45 = simd.mul_add(simd.splat(q5), r, simd.splat(q4));
        let q23 = simd.mul_add(simd.splat(q3), r, simd.splat(q2));
        let q01 = simd.mul_add(simd.splat(q1), r, simd.splat(q0));
        let q = simd.mul_add(simd.mul_add(q45, square, q23), square, q01);
        Self { n, t, u: simd.mul_add(square, q, v) }
    }

    /// 1 + t + u, between 0.7 and 1.42.
    #[inline(always)]
    pub(crate) fn significand(self, simd: S) -> DoubleWord<S> {
        DoubleWord::fast_sum(simd, simd.splat(1.0), self.t).add_low(simd, self.u).normalize(simd)
    }

    /// e^(x + low), underflow and overflow included, for -130 < x < 130.
    #[inline(always)]
    pub(crate) fn exponential(self, simd: S, x: S::F32) -> S::F32 {
        // 2^n in two factors, 2^(n - 64) 2^64 or, for negative x, 2^(n + 64) 2^-64: both are normal, and only the
        // second product can round or overflow. The two cases differ in one bit.
        let negative = simd.shr_bits::<1>(simd.and_bits(x, simd.splat_bits(0x8000_0000)));
        let first = simd.add_bits(self.power(simd, -64), negative);
        let second = simd.xor_bits(simd.splat_bits((127 + 64) << 23), negative);
        simd.mul(simd.mul(self.rounded_significand(simd), first), second)
    }

    /// 1 + t + u, rounded.
    #[inline(always)]
    pub(crate) fn rounded_significand(self, simd: S) -> S::F32 {
        DoubleWord::fast_sum(simd, simd.splat(1.0), self.t).add_low(simd, self.u).round(simd)
    }

    /// e^(x + low) - 1, with relative accuracy however small x is; `power` is 2^n.
    #[inline(always)]
    pub(crate) fn minus_one(self, simd: S, power: S::F32) -> DoubleWord<S> {
        // (2^n - 1) + 2^n t + 2^n u.
        let whole = DoubleWord::sum(simd, power, simd.splat(-1.0));
        let sum = DoubleWord::fast_sum(simd, whole.hi, simd.mul(power, self.t));
        sum.add_low(simd, simd.mul_add(power, self.u, whole.lo)).normalize(simd)
    }

    /// y 2^n for n <= 0, in two factors: only the second product can round.
    #[inline(always)]
    pub(crate) fn scale_down(self, simd: S, y: S::F32) -> S::F32 {
        let scaled = simd.mul(y, self.power(simd, 64));
        simd.mul(scaled, simd.splat_bits((127 - 64) << 23))
    }

    /// 2^(n + shift), for a normal result.
    #[inline(always)]
    pub(crate) fn power(self, simd: S, shift: i32) -> S::F32 {
        simd.add_bits(simd.shl_bits::<23>(self.n), simd.splat_bits((shift << 23) as u32))
    }
}
