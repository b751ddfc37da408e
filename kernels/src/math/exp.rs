//! The exponential function e^x.
//!
//! Formula: 2^n (1 + t + u), see `math/exponential.rs`; 1 + t is summed with its error, so only u and the last addition
//! round. 2^n is applied in two factors where the result may be subnormal or infinite.
//! Numerics: see the table in [`crate::math`]; NaN gives NaN; e^-inf = 0, e^inf = inf; overflow gives inf, underflow
//! is gradual.
//! Cost: 11 multiplications or fused ones, 7 additions, 3 on bits; 10 more where a lane's |x| exceeds 87.

use super::exponential::Reduced;
use super::limit::{at_least, at_most};
use super::map::map;
use crate::length::{LengthError, same};
use crate::simd::{Level, Simd, dispatch};

/// e^x rounds to zero below the first and to infinity above the second.
const LIMITS: (f32, f32) = (-104.0, 89.0);
/// Up to this |x|, e^x and the power of two in it are normal.
const NORMAL: f32 = 87.0;

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
    dispatch!(level, simd => {
        let simd = simd.group();
        map(simd, x, y, #[inline(always)] |x| exp(simd, x));
    });
    Ok(())
}
