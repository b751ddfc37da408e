//! The exponential's argument reduction and polynomials, which [`super::exp`], [`super::expm1`], the activation functions
//! and the normal distribution share.
//!
//! Formula: e^x = 2^n (1 + t + u), n = x / ln 2 rounded, t = x - n ln2_hi, u = r^2 q(r) + v with v = -n ln2_lo and
//! r = t + v. t is exact, because ln2_hi is a multiple of 2^-24 and x of 2^-25 where n is not zero.
//! Numerics: 1 + t + u has a relative error below 2^-27; s = t + u rounded adds at most 2^-26, a quarter of a unit in the
//! last place of 1 + s. [`Reduced::fine`] has one coefficient more, for results near zero, relative to which the error
//! would grow.
//! Cost: 9 multiplications or fused ones, 10 if fine, 2 additions.
//! Source: Cody and Waite (1980); polynomials from `ci/constants/exp.sollya`.

use super::double_word::DoubleWord;
use crate::simd::Simd;

/// 1.5 2^23: adding it rounds to an integer, which then stands in the low bits.
pub(crate) const ROUNDER: f32 = 12_582_912.0;
/// The same with the exponent's bias: the bits, shifted left by 23, are those of a power of two.
const BIASED_ROUNDER: f32 = ROUNDER + 127.0;
const LN2_HI: f32 = 0.693_147_182_464_599_61;
const LN2_LO: f32 = -1.904_654_212_125_933_5e-9;
/// (e^r - 1 - r) / r^2 on |r| <= ln(2) / 2; relative to e^r, the error is below 2^-28.
const Q: [f32; 5] = [
    0.499_999_910_593_032_84,
    0.166_665_211_319_923_4,
    4.166_896_268_725_395_2e-2,
    8.368_673_734_366_893_8e-3,
    1.378_249_726_258_218_3e-3,
];
/// The same with one coefficient more; the error is below 2^-32.
const FINE_Q: [f32; 6] = [
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
    /// Reduces e^x, for |x| < 180.
    #[inline(always)]
    pub(crate) fn new(simd: S, x: S::F32) -> Self {
        Self::with(
            simd,
            x,
            simd.splat(0.0),
            #[inline(always)]
            |r, square| {
                let [q0, q1, q2, q3, q4] = Q;
                let q23 = simd.mul_add(simd.splat(q3), r, simd.splat(q2));
                let q01 = simd.mul_add(simd.splat(q1), r, simd.splat(q0));
                simd.mul_add(simd.mul_add(simd.splat(q4), square, q23), square, q01)
            },
        )
    }

    /// Reduces e^(x + low), for |x| < 180 and |low| at most some units in the last place of x.
    #[inline(always)]
    pub(crate) fn fine(simd: S, x: S::F32, low: S::F32) -> Self {
        Self::with(
            simd,
            x,
            low,
            #[inline(always)]
            |r, square| {
                let [q0, q1, q2, q3, q4, q5] = FINE_Q;
                let q45 = simd.mul_add(simd.splat(q5), r, simd.splat(q4));
                let q23 = simd.mul_add(simd.splat(q3), r, simd.splat(q2));
                let q01 = simd.mul_add(simd.splat(q1), r, simd.splat(q0));
                simd.mul_add(simd.mul_add(q45, square, q23), square, q01)
            },
        )
    }

    /// Reduces e^(x + low) with q given as a function of r and r^2.
    #[inline(always)]
    fn with(simd: S, x: S::F32, low: S::F32, q: impl Fn(S::F32, S::F32) -> S::F32) -> Self {
        let rounder = simd.splat(BIASED_ROUNDER);
        let n = simd.mul_add(x, simd.splat(core::f32::consts::LOG2_E), rounder);
        let quotient = simd.sub(n, rounder);
        let t = simd.neg_mul_add(quotient, simd.splat(LN2_HI), x);
        let v = simd.neg_mul_add(quotient, simd.splat(LN2_LO), low);
        let r = simd.add(t, v);
        let square = simd.mul(r, r);
        Self { n, t, u: simd.mul_add(square, q(r, square), v) }
    }

    /// e^r - 1, rounded.
    #[inline(always)]
    pub(crate) fn rounded(self, simd: S) -> S::F32 {
        simd.add(self.t, self.u)
    }

    /// e^x for a normal result.
    #[inline(always)]
    pub(crate) fn normal(self, simd: S) -> S::F32 {
        let power = self.power(simd, 0);
        simd.mul_add(power, self.rounded(simd), power)
    }

    /// e^x, for a result above 2^-102: the second word holds all that the first lacks of 2^n (1 + s).
    #[inline(always)]
    pub(crate) fn words(self, simd: S) -> DoubleWord<S> {
        let (power, s) = (self.power(simd, 0), self.rounded(simd));
        let hi = simd.mul_add(power, s, power);
        DoubleWord { hi, lo: simd.mul_add(power, s, simd.sub(power, hi)) }
    }

    /// 1 + t + u, between 0.7 and 1.42.
    #[inline(always)]
    pub(crate) fn significand(self, simd: S) -> DoubleWord<S> {
        DoubleWord::fast_sum(simd, simd.splat(1.0), self.t).add_low(simd, self.u).normalize(simd)
    }

    /// e^x 2^shift, underflow and overflow included, for -130 < x < 130.
    #[inline(always)]
    pub(crate) fn extreme(self, simd: S, x: S::F32, shift: i32) -> S::F32 {
        // 2^n in two factors, 2^(n - 64) 2^64 or, for negative x, 2^(n + 64) 2^-64: both are normal, and only the
        // second product can round or overflow. The two cases differ in one bit.
        let negative = simd.shr_bits::<1>(simd.and_bits(x, simd.splat_bits(0x8000_0000)));
        let first = simd.add_bits(self.power(simd, shift - 64), negative);
        let second = simd.xor_bits(simd.splat_bits((127 + 64) << 23), negative);
        let significand = simd.add(simd.splat(1.0), self.rounded(simd));
        simd.mul(simd.mul(significand, first), second)
    }

    /// `whole` + 2^n t + 2^n u, the first two summed with their error. `power` is 2^n; with 2^n as `whole` it is
    /// e^(x + low), with 2^n - 1 that less one, with relative accuracy however small x is.
    #[inline(always)]
    pub(crate) fn sum(self, simd: S, power: S::F32, whole: DoubleWord<S>) -> DoubleWord<S> {
        let sum = DoubleWord::fast_sum(simd, whole.hi, simd.mul(power, self.t));
        sum.add_low(simd, simd.mul_add(power, self.u, whole.lo))
    }

    /// e^(x + low) times a constant, for a normal result.
    #[inline(always)]
    pub(crate) fn times(self, simd: S, constant: S::F32) -> DoubleWord<S> {
        // 2^n times the constant: n + 127, shifted, less 127.
        let scaled = simd.add_bits(constant, self.exponent(simd));
        let hi = simd.mul_add(scaled, self.t, scaled);
        let lo = simd.mul_add(scaled, self.t, simd.sub(scaled, hi));
        DoubleWord { hi, lo: simd.mul_add(scaled, self.u, lo) }
    }

    /// e^r - 1 in two words.
    #[inline(always)]
    pub(crate) fn rest(self, simd: S) -> DoubleWord<S> {
        DoubleWord::fast_sum(simd, self.t, self.u)
    }

    /// y 2^n for n <= 0, in two factors: only the second product can round.
    #[inline(always)]
    pub(crate) fn scale_down(self, simd: S, y: S::F32) -> S::F32 {
        let scaled = simd.mul(y, self.power(simd, 64));
        simd.mul(scaled, simd.splat_bits((127 - 64) << 23))
    }

    /// n in the place of an exponent.
    #[inline(always)]
    fn exponent(self, simd: S) -> S::F32 {
        simd.sub_bits(simd.shl_bits::<23>(self.n), simd.splat_bits(127 << 23))
    }

    /// 2^(n + shift), for a normal result.
    #[inline(always)]
    pub(crate) fn power(self, simd: S, shift: i32) -> S::F32 {
        simd.add_bits(simd.shl_bits::<23>(self.n), simd.splat_bits((shift << 23) as u32))
    }
}
