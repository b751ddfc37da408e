//! The exponential function e^x.
//!
//! Formula: 2^n (1 + s), see `math/exponential.rs`: one fused operation with 2^n. Where the result may be subnormal or
//! infinite, 2^n is applied in two factors.
//! Numerics: see the table in [`crate::math`]; NaN gives NaN; e^-inf = 0, e^inf = inf; overflow gives inf, underflow
//! is gradual.
//! Cost: 10 multiplications or fused ones, 3 additions, 4 on bits; 25 more where a lane's |x| exceeds 87.

use super::exponential::Reduced;
use super::limit::{at_least, at_most};
use super::map::map;
use crate::length::{LengthError, same};
use crate::simd::{Level, Simd, dispatch};

/// 4 e^x rounds to zero below the first, and e^x to infinity above the second.
const LIMITS: (f32, f32) = (-106.0, 89.0);
/// Up to this |x|, e^x and the power of two in it are normal.
const NORMAL: f32 = 87.0;

/// e^x.
///
/// ```
/// use isobath_kernels::math::exp;
/// use isobath_kernels::simd::Scalar;
///
/// assert_eq!(exp(Scalar, 0.0), 1.0);
/// assert!((exp(Scalar, 1.0) - std::f32::consts::E).abs() < 1e-6);
/// assert_eq!((exp(Scalar, 100.0), exp(Scalar, f32::NEG_INFINITY)), (f32::INFINITY, 0.0));
/// ```
#[inline(always)]
pub fn exp<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let y = Reduced::new(simd, x).normal(simd);
    let far = simd.lt(simd.splat(NORMAL), simd.abs(x));
    if simd.any(far) { simd.select(far, extreme(simd, x, 0), y) } else { y }
}

/// e^x 2^shift, for any x and small shifts; subnormal results are rounded twice.
#[inline(always)]
pub(crate) fn extreme<S: Simd>(simd: S, x: S::F32, shift: i32) -> S::F32 {
    let (low, high) = LIMITS;
    let x = at_least(simd, at_most(simd, x, high), low);
    Reduced::new(simd, x).extreme(simd, x, shift)
}

/// y\[i\] = e^x\[i\].
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::{Level, LengthError, math};
///
/// let (x, mut y) = ([0.0, 90.0, -200.0], [0.0; 3]);
/// math::exp_slice(Level::detect(), &x, &mut y)?;
/// assert_eq!(y, [1.0, f32::INFINITY, 0.0]);
/// let error = math::exp_slice(Level::detect(), &x, &mut y[..2]);
/// assert_eq!(error, Err(LengthError { expected: 3, found: 2 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn exp_slice(level: Level, x: &[f32], y: &mut [f32]) -> Result<(), LengthError> {
    same(x.len(), y.len())?;
    dispatch!(level, simd => {
        let simd = simd.group();
        map(simd, x, y, #[inline(always)] |x| exp(simd, x));
    });
    Ok(())
}
