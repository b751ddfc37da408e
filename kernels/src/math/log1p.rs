//! The natural logarithm of one more, ln(1 + x).
//!
//! Formula: 1 + x = u + c exactly; u = 2^k m with m in [sqrt(1/2), sqrt(2)); ln(1 + x) = k ln 2 + ln(1 + f) with
//! f = (m - 1) + 2^-k c as a double word.
//! Numerics: see the table in [`crate::math`]; relative accuracy down to the smallest x; log1p(-0) = -0, of -1 -inf, of
//! inf inf; NaN and x < -1 give NaN.
//! Cost: about 45 operations, no division.

use super::double_word::DoubleWord;
use super::ln::{from_reduced, reduce};
use super::map::map;
use crate::length::{LengthError, same};
use crate::simd::{Level, Simd, dispatch};

/// ln(1 + x).
///
/// ```
/// use isobath_kernels::math::{ln, log1p};
/// use isobath_kernels::simd::Scalar;
///
/// assert_eq!(ln(Scalar, 1.0 + 1e-10), 0.0); // 1 + 1e-10 rounds to 1
/// assert!((log1p(Scalar, 1e-10) - 1e-10).abs() < 1e-16);
/// ```
#[inline(always)]
pub fn log1p<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let one = simd.splat(1.0);
    let sum = DoubleWord::sum(simd, one, x);
    let (exponent, k, f) = reduce(simd, sum.hi);
    // 2^-k, where it is normal; beyond, c does not show.
    let normal = simd.lt_bits(exponent, simd.splat_bits(127 << 23));
    let power = simd.select(normal, simd.sub_bits(one, exponent), simd.splat(0.0));
    let f = DoubleWord::fast_sum(simd, f, simd.mul(sum.lo, power));
    let y = from_reduced(simd, k, f).round(simd);
    let y = simd.or_bits(y, simd.and_bits(x, simd.splat_bits(0x8000_0000)));

    let minus_one = simd.splat(-1.0);
    let y = simd.select(simd.lt(x, simd.splat(f32::INFINITY)), y, x);
    let y = simd.select(simd.lt(x, minus_one), simd.splat(f32::NAN), y);
    simd.select(simd.eq(x, minus_one), simd.splat(f32::NEG_INFINITY), y)
}

/// y\[i\] = ln(1 + x\[i\]).
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::{Level, math};
///
/// let (x, mut y) = ([0.0, -1.0, f32::INFINITY, -2.0], [0.0; 4]);
/// math::log1p_slice(Level::detect(), &x, &mut y)?;
/// assert_eq!(y[..3], [0.0, f32::NEG_INFINITY, f32::INFINITY]);
/// assert!(y[3].is_nan()); // ln(-1)
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn log1p_slice(level: Level, x: &[f32], y: &mut [f32]) -> Result<(), LengthError> {
    same(x.len(), y.len())?;
    dispatch!(level, simd => {
        let simd = simd.group();
        map(simd, x, y, #[inline(always)] |x| log1p(simd, x));
    });
    Ok(())
}
