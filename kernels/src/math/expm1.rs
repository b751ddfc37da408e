//! The exponential function less one, e^x - 1.
//!
//! Formula: with e^x = 2^n (1 + t + u) as in `math/exponential.rs`: (2^n - 1) + 2^n t + 2^n u, the first two summed with
//! their error; above 87, e^x.
//! Numerics: see the table in [`crate::math`]; relative accuracy down to the smallest x; expm1(-0) = -0, of -inf -1, of
//! inf inf; NaN gives NaN; overflow gives inf.
//! Cost: about 32 operations, no division.

use super::double_word::DoubleWord;
use super::exp::extreme;
use super::exponential::Reduced;
use super::limit::at_least;
use super::map::map;
use crate::length::{LengthError, same};
use crate::simd::{Level, Simd, dispatch};

/// Below it the result rounds to -1.
const LOWEST: f32 = -20.0;
/// Up to it 2^n is finite; above it the one no longer shows.
const NORMAL: f32 = 87.0;

/// e^x - 1.
///
/// ```
/// use isobath_kernels::math::{exp, expm1};
/// use isobath_kernels::simd::Scalar;
///
/// assert_eq!(exp(Scalar, 1e-10) - 1.0, 0.0); // no digit left
/// assert!((expm1(Scalar, 1e-10) - 1e-10).abs() < 1e-16);
/// ```
#[inline(always)]
pub fn expm1<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let reduced = Reduced::fine(simd, at_least(simd, x, LOWEST), simd.splat(0.0));
    let power = reduced.power(simd, 0);
    let whole = DoubleWord::sum(simd, power, simd.splat(-1.0));
    let y = reduced.sum(simd, power, whole).round(simd);
    let y = simd.or_bits(y, simd.and_bits(x, simd.splat_bits(0x8000_0000)));
    let far = simd.lt(simd.splat(NORMAL), x);
    if simd.any(far) { simd.select(far, extreme(simd, x, 0), y) } else { y }
}

/// y\[i\] = e^x\[i\] - 1.
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::{Level, math};
///
/// let (x, mut y) = ([0.0, 2.0_f32.ln(), -100.0], [0.0; 3]);
/// math::expm1_slice(Level::detect(), &x, &mut y)?;
/// assert_eq!((y[0], y[2]), (0.0, -1.0));
/// assert!((y[1] - 1.0).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn expm1_slice(level: Level, x: &[f32], y: &mut [f32]) -> Result<(), LengthError> {
    same(x.len(), y.len())?;
    dispatch!(level, simd => {
        let simd = simd.group();
        map(simd, x, y, #[inline(always)] |x| expm1(simd, x));
    });
    Ok(())
}
