//! The exponential function e^x.
//!
//! Formula: e^x = 2^n (1 + t + u), n = x / ln 2 rounded, t = x - n ln2_hi exact, u = r^2 q(r) + v with v =
//! -n ln2_lo and r = t + v; 1 + t is summed with its error, so only u and the last addition round.
//! Numerics: see the table in [`crate::math`]; NaN gives NaN; e^-inf = 0, e^inf = inf; overflow gives inf, underflow
//! is gradual.
//! Cost: 12 multiplications or fused ones, 9 additions, 9 on bits; no division.
//! Source: argument reduction by Cody and Waite (1980), polynomial from `ci/constants/exp.sollya`.

use super::double_word::DoubleWord;
use super::map::map;
use crate::length::{LengthError, same};
use crate::simd::{Level, Simd, dispatch};

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
/// e^x rounds to zero below the first and to infinity above the second.
const LIMITS: (f32, f32) = (-104.0, 89.0);
/// Up to this |x|, e^x and the power of two in it are normal.
const NORMAL: f32 = 87.0;

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
        let [q0, q1, q2, q3, q4, q5] = Q.map(|q| simd.splat(q));
        let upper = simd.mul_add(simd.mul_add(q5, r, q4), square, simd.mul_add(q3, r, q2));
        let q = simd.mul_add(upper, square, simd.mul_add(q1, r, q0));
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
    fn rounded_significand(self, simd: S) -> S::F32 {
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

/// x, cut to at most `limit`; NaN stays.
#[inline(always)]
pub(crate) fn at_most<S: Simd>(simd: S, x: S::F32, limit: f32) -> S::F32 {
    let limit = simd.splat(limit);
    simd.select(simd.lt(limit, x), limit, x)
}

/// x, cut to at least `limit`; NaN stays.
#[inline(always)]
pub(crate) fn at_least<S: Simd>(simd: S, x: S::F32, limit: f32) -> S::F32 {
    let limit = simd.splat(limit);
    simd.select(simd.lt(x, limit), limit, x)
}

/// e^x.
#[inline(always)]
pub fn exp<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let zero = simd.splat(0.0);
    if simd.any(simd.lt(simd.splat(NORMAL), simd.abs(x))) {
        let (low, high) = LIMITS;
        let x = at_most(simd, x, high);
        let x = at_least(simd, x, low);
        Reduced::new(simd, x, zero).exponential(simd, x)
    } else {
        // The common case, with the same bits: one exact factor, no limits.
        let reduced = Reduced::new(simd, x, zero);
        simd.mul(reduced.rounded_significand(simd), reduced.power(simd, 0))
    }
}

/// y\[i\] = e^x\[i\].
///
/// # Errors
/// The slices differ in length.
pub fn exp_slice(level: Level, x: &[f32], y: &mut [f32]) -> Result<(), LengthError> {
    same(x.len(), y.len())?;
    dispatch!(level, simd => map(simd, x, y, #[inline(always)] |x| exp(simd, x)));
    Ok(())
}
