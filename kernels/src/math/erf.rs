//! The error function erf x = 2 / sqrt(pi) integral of e^(-t^2) from 0 to x.
//!
//! Formula: erf x = x P(|x|), P by sixteen polynomials about multiples of 65/256; beyond 3.92 the result is 1.
//! Numerics: see the table in [`crate::math`]; odd exactly, erf(-0) = -0, erf(+-inf) = +-1; NaN gives NaN.
//! Cost: 7 lookups, 11 multiplications or fused ones, 5 additions.
//! Source: coefficients from `ci/constants/erf.sollya`.

use super::exponential::ROUNDER;
use super::limit::at_most;
use super::map::map;
use super::piecewise::Piecewise;
use crate::length::{LengthError, same};
use crate::simd::{Level, Simd, dispatch};

/// erf rounds to 1 beyond it; the pieces end at 15.5 steps, 3.9355.
const LIMIT: f32 = 3.92;
/// Distance of the pieces' middles, exact in few bits.
const STEP: f32 = 65.0 / 256.0;

/// erf x.
///
/// ```
/// use isobath_kernels::math::erf;
/// use isobath_kernels::simd::Scalar;
///
/// assert_eq!((erf(Scalar, 0.0), erf(Scalar, 5.0)), (0.0, 1.0));
/// assert_eq!(erf(Scalar, -0.7), -erf(Scalar, 0.7));
/// // A normal variable is within one deviation in 68.27 % of cases.
/// assert!((erf(Scalar, std::f32::consts::FRAC_1_SQRT_2) - 0.6827).abs() < 1e-4);
/// ```
#[inline(always)]
pub fn erf<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let a = at_most(simd, simd.abs(x), LIMIT);
    let rounder = simd.splat(ROUNDER);
    let piece = simd.mul_add(a, simd.splat(1.0 / STEP), rounder);
    let offset = simd.neg_mul_add(simd.sub(piece, rounder), simd.splat(STEP), a);
    let p = QUOTIENT.evaluate(simd, piece, offset);
    // Scaled by 2^64, so that the low product does not underflow.
    let scaled = simd.mul(a, simd.splat_bits((127 + 64) << 23));
    let y = simd.mul_add(scaled, p.hi, simd.mul(scaled, p.lo));
    let y = simd.mul(y, simd.splat_bits((127 - 64) << 23));
    simd.or_bits(y, simd.and_bits(x, simd.splat_bits(0x8000_0000)))
}

/// y\[i\] = erf x\[i\].
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::{Level, math};
///
/// let (x, mut y) = ([0.0, 4.0, f32::NEG_INFINITY], [0.0; 3]);
/// math::erf_slice(Level::detect(), &x, &mut y)?;
/// assert_eq!(y, [0.0, 1.0, -1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn erf_slice(level: Level, x: &[f32], y: &mut [f32]) -> Result<(), LengthError> {
    same(x.len(), y.len())?;
    dispatch!(level, simd => {
        let simd = simd.group();
        map(simd, x, y, #[inline(always)] |x| erf(simd, x));
    });
    Ok(())
}

/// erf(a) / a about multiples of the step.
#[rustfmt::skip]
#[expect(clippy::approx_constant, reason = "a fitted coefficient, though close to 2 / sqrt(pi)")]
static QUOTIENT: Piecewise<5, 16> = Piecewise {
    value: [
        1.1283792, 1.1045928, 1.0384512, 9.434241e-1, 8.3602315e-1, 7.3051226e-1,
        6.3592786e-1, 5.5591244e-1, 4.903036e-1, 4.3706834e-1, 3.937163e-1, 3.5801396e-1,
        3.2819974e-1, 3.0295765e-1, 2.8131855e-1, 2.625641e-1,
    ],
    value_low: [
        -5.858152e-8, -3.1256768e-8, -3.5548837e-8, -2.7295133e-8, 2.3126876e-8, 2.9800127e-9,
        6.233428e-9, 4.559613e-9, -8.901152e-9, -1.0086675e-8, -5.557723e-10, 1.8233415e-9,
        -4.2499337e-11, 4.504612e-9, -4.0990358e-9, -9.197242e-9,
    ],
    rest: [
        [
            -1.0139939e-2, -3.6073208e-2, -4.978887e-2, -3.6515057e-2, -1.0854599e-2, 9.718431e-3,
            1.7268607e-2, 1.4406274e-2, 8.130972e-3, 2.9071078e-3, 2.010914e-4, -7.1972393e-4,
            -8.47072e-4, -6.6300994e-4, -4.748911e-4, -3.1083846e-4,
        ],
        [
            1.1427963e-1, 8.789235e-2, 3.0419147e-2, -2.669788e-2, -5.720552e-2, -5.6859065e-2,
            -3.8491245e-2, -1.7745845e-2, -3.4083168e-3, 3.3497931e-3, 5.0754338e-3, 4.552125e-3,
            3.4593975e-3, 2.4745914e-3, 1.7485126e-3, 1.247038e-3,
        ],
        [
            -9.46541e-5, 1.06104665e-1, 1.6787913e-1, 1.6812022e-1, 1.2230885e-1, 6.182819e-2,
            1.2484556e-2, -1.5718803e-2, -2.5675314e-2, -2.5062704e-2, -2.0446148e-2, -1.5442103e-2,
            -1.1363743e-2, -8.373672e-3, -6.253691e-3, -4.7514588e-3,
        ],
        [
            -3.7612358e-1, -3.3411324e-1, -2.2599064e-1, -9.4287254e-2, 1.8300613e-2, 8.8383e-2,
            1.1547214e-1, 1.1288764e-1, 9.619709e-2, 7.644298e-2, 5.90048e-2, 4.537404e-2,
            3.5237025e-2, 2.7783766e-2, 2.2259627e-2, 1.8100526e-2,
        ],
        [
            -3.056312e-8, -1.8378083e-1, -3.2799613e-1, -4.0931448e-1, -4.2711177e-1, -3.9805913e-1,
            -3.4470302e-1, -2.8581408e-1, -2.3241001e-1, -1.885992e-1, -1.5435903e-1, -1.2801859e-1,
            -1.07682414e-1, -9.177728e-2, -7.913913e-2, -6.893975e-2,
        ],
    ],
};
