//! The natural logarithm ln x.
//!
//! Formula: x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); ln x = k ln 2 + f - f^2/2 + f^3 p(f). k ln2_hi, f and
//! f^2/2 are exact and summed with their errors, so only f^3 p(f) and the last addition round.
//! Numerics: see the table in [`crate::math`]; NaN and negative numbers give NaN; ln 0 = -inf, ln inf = inf, ln 1 = +0.
//! Cost: about 35 operations, no division.
//! Source: argument reduction after Tang (1990), polynomial from `ci/constants/ln.sollya`.

use super::double_word::DoubleWord;
use super::exponential::ROUNDER;
use super::map::map;
use crate::length::{LengthError, same};
use crate::simd::{Level, Simd, dispatch};

/// ln 2; the first word has 15 bits, so that its product with an exponent is exact.
const LN2: (f32, f32) = (0.693_145_751_953_125, 1.428_606_765_330_187_1e-6);
/// (ln(1 + f) - f + f^2 / 2) / f^3 on sqrt(1/2) <= 1 + f <= sqrt(2), from the highest power down.
const P: [f32; 9] = [
    7.341_387_122_869_491_6e-2,
    -0.116_625_607_013_702_39,
    0.116_323_389_112_949_37,
    -0.123_961_620_032_787_32,
    0.142_513_751_983_642_58,
    -0.166_691_839_694_976_81,
    0.200_006_797_909_736_63,
    -0.249_999_806_284_904_48,
    0.333_333_313_465_118_41,
];

/// ln x.
///
/// ```
/// use isobath_kernels::math::ln;
/// use isobath_kernels::simd::Scalar;
///
/// assert_eq!((ln(Scalar, 1.0), ln(Scalar, 0.0)), (0.0, f32::NEG_INFINITY));
/// assert!((ln(Scalar, std::f32::consts::E) - 1.0).abs() < 1e-6);
/// assert!(ln(Scalar, -1.0).is_nan());
/// ```
#[inline(always)]
pub fn ln<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let zero = simd.splat(0.0);
    // Subnormal numbers are scaled by 2^23.
    let subnormal = simd.lt(x, simd.splat(f32::MIN_POSITIVE));
    let scaled = simd.select(subnormal, simd.mul(x, simd.splat(8_388_608.0)), x);
    let (_, k, f) = reduce(simd, scaled);
    let k = simd.sub(k, simd.select(subnormal, simd.splat(23.0), zero));
    let y = from_reduced(simd, k, DoubleWord { hi: f, lo: zero }).round(simd);
    // Limits: infinity and NaN come out of the reduction as numbers.
    let y = simd.select(simd.lt(x, simd.splat(f32::INFINITY)), y, x);
    let y = simd.select(simd.lt(x, zero), simd.splat(f32::NAN), y);
    simd.select(simd.eq(x, zero), simd.splat(f32::NEG_INFINITY), y)
}

/// x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), for normal x: k in units of the exponent's bits, k, and f.
#[inline(always)]
pub(crate) fn reduce<S: Simd>(simd: S, x: S::F32) -> (S::F32, S::F32, S::F32) {
    let offset = simd.sub_bits(x, simd.splat(core::f32::consts::FRAC_1_SQRT_2));
    let exponent = simd.and_bits(offset, simd.splat_bits(0xff80_0000));
    let f = simd.sub(simd.sub_bits(x, exponent), simd.splat(1.0));
    let rounder = simd.splat(ROUNDER);
    let k = simd.sub(simd.add_bits(simd.sar_bits::<23>(exponent), rounder), rounder);
    (exponent, k, f)
}

/// k ln 2 + ln(1 + f) for sqrt(1/2) <= 1 + f <= sqrt(2).
#[inline(always)]
pub(crate) fn from_reduced<S: Simd>(simd: S, k: S::F32, f: DoubleWord<S>) -> DoubleWord<S> {
    let mut p = simd.splat(P[0]);
    for coefficient in &P[1..] {
        p = simd.mul_add(p, f.hi, simd.splat(*coefficient));
    }
    let half = simd.mul(f.hi, simd.splat(0.5));
    let square = DoubleWord::product(simd, half, f.hi);
    // f^3 p(f) and, for the low word of f, the derivative 1 / (1 + f) to first order.
    let cube = simd.mul(simd.add(square.hi, square.hi), f.hi);
    let low = simd.neg_mul_add(f.lo, f.hi, f.lo);
    let tail = simd.mul_add(cube, p, simd.mul_add(k, simd.splat(LN2.1), simd.sub(low, square.lo)));
    let head = DoubleWord::fast_sum(simd, f.hi, simd.neg(square.hi));
    let sum = DoubleWord::fast_sum(simd, simd.mul(k, simd.splat(LN2.0)), head.hi);
    sum.add_low(simd, head.lo).add_low(simd, tail)
}

/// y\[i\] = ln x\[i\].
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::{Level, math};
///
/// // Natural logarithms of 1, 2 and 8 in units of the second.
/// let (x, mut y) = ([1.0, 2.0, 8.0], [0.0; 3]);
/// math::ln_slice(Level::detect(), &x, &mut y)?;
/// assert_eq!(y[0], 0.0);
/// assert!((y[2] / y[1] - 3.0).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ln_slice(level: Level, x: &[f32], y: &mut [f32]) -> Result<(), LengthError> {
    same(x.len(), y.len())?;
    dispatch!(level, simd => {
        let simd = simd.group();
        map(simd, x, y, #[inline(always)] |x| ln(simd, x));
    });
    Ok(())
}
