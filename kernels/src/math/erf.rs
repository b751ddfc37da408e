//! The error function erf x = 2 / sqrt(pi) integral of e^(-t^2) from 0 to x.
//!
//! Formula: erf x = x P(|x|), P by sixteen polynomials about multiples of 1/4; beyond 3.84 the result is 1.
//! Numerics: see the table in [`crate::math`]; odd exactly, erf(-0) = -0, erf(+-inf) = +-1; NaN gives NaN.
//! Cost: 7 lookups, 9 multiplications or fused ones, 5 additions.
//! Source: coefficients from `ci/constants/erf.sollya`.

use super::exp::{ROUNDER, at_most};
use super::map::map;
use super::piecewise::Piecewise;
use crate::length::{LengthError, same};
use crate::simd::{Level, Simd, dispatch};

/// erf rounds to 1 from 3.8326 on.
const LIMIT: f32 = 3.84;

/// erf x.
#[inline(always)]
pub fn erf<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let a = at_most(simd, simd.abs(x), LIMIT);
    let rounder = simd.splat(ROUNDER);
    let piece = simd.mul_add(a, simd.splat(4.0), rounder);
    let offset = simd.neg_mul_add(simd.sub(piece, rounder), simd.splat(0.25), a);
    let p = QUOTIENT.evaluate(simd, piece, offset);
    let y = simd.mul_add(a, p.hi, simd.mul(a, p.lo));
    simd.or_bits(y, simd.and_bits(x, simd.splat_bits(0x8000_0000)))
}

/// y\[i\] = erf x\[i\].
///
/// # Errors
/// The slices differ in length.
pub fn erf_slice(level: Level, x: &[f32], y: &mut [f32]) -> Result<(), LengthError> {
    same(x.len(), y.len())?;
    dispatch!(level, simd => map(simd, x, y, #[inline(always)] |x| erf(simd, x)));
    Ok(())
}

/// erf(a) / a about a = j / 4.
static QUOTIENT: Piecewise<5> = Piecewise {
    value: [
        1.1283792,
        1.1053056,
        1.0409998,
        9.482075e-1,
        8.427008e-1,
        7.383201e-1,
        6.440701e-1,
        5.638124e-1,
        4.9766114e-1,
        4.4379434e-1,
        3.9983723e-1,
        3.6359978e-1,
        3.3332598e-1,
        3.0769098e-1,
        2.8571406e-1,
        2.6666665e-1,
    ],
    value_low: [
        -5.858685e-8,
        6.038512e-9,
        -1.4539658e-8,
        1.5685828e-8,
        1.5537672e-8,
        -8.413622e-9,
        8.966104e-9,
        8.081535e-9,
        -1.15287015e-8,
        7.9461895e-9,
        -6.6336803e-9,
        -3.4170053e-9,
        -1.22570505e-8,
        5.7289746e-9,
        1.3345536e-8,
        -1.4423941e-8,
    ],
    rest: [
        [
            -9.980449e-3,
            -3.5719253e-2,
            -4.969696e-2,
            -3.773428e-2,
            -1.2469923e-2,
            8.475717e-3,
            1.691126e-2,
            1.4988818e-2,
            8.821138e-3,
            3.4978632e-3,
            4.1072545e-4,
            -6.4866454e-4,
            -8.522593e-4,
            -7.3768944e-4,
            -5.124284e-4,
            -3.444863e-4,
        ],
        [
            1.1423416e-1,
            8.8607244e-2,
            3.2359798e-2,
            -2.4531893e-2,
            -5.629934e-2,
            -5.7749946e-2,
            -4.0491667e-2,
            -1.975125e-2,
            -4.731045e-3,
            2.7873977e-3,
            5.0162924e-3,
            4.7119753e-3,
            3.6631736e-3,
            2.6514898e-3,
            1.8835667e-3,
            1.3462013e-3,
        ],
        [
            -9.016336e-5,
            1.0472054e-1,
            1.6689612e-1,
            1.6934168e-1,
            1.2588242e-1,
            6.6326216e-2,
            1.6193869e-2,
            -1.3678135e-2,
            -2.5178298e-2,
            -2.5504904e-2,
            -2.123816e-2,
            -1.623952e-2,
            -1.2031395e-2,
            -8.892723e-3,
            -6.6501703e-3,
            -5.0546178e-3,
        ],
        [
            -3.7612376e-1,
            -3.3534873e-1,
            -2.2991388e-1,
            -1.0021939e-1,
            1.2483461e-2,
            8.4628835e-2,
            1.14464976e-1,
            1.1409482e-1,
            9.8582126e-2,
            7.9110324e-2,
            6.1447322e-2,
            4.7415555e-2,
            3.6881488e-2,
            2.9098535e-2,
            2.3317741e-2,
            1.8962005e-2,
        ],
        [
            -2.810622e-8,
            -1.8116572e-1,
            -3.2443434e-1,
            -4.0703526e-1,
            -4.275933e-1,
            -4.014392e-1,
            -3.5009322e-1,
            -2.9202136e-1,
            -2.3849708e-1,
            -1.9406757e-1,
            -1.5906358e-1,
            -1.320049e-1,
            -1.11062236e-1,
            -9.466517e-2,
            -8.163105e-2,
            -7.111087e-2,
        ],
    ],
};
