//! The exponential function less one, e^x - 1.
//!
//! Formula: with e^x = 2^n (1 + t + u) as in `math/exponential.rs`: (2^n - 1) + 2^n t + 2^n u, the first two summed with
//! their error; above 25, e^x.
//! Numerics: see the table in [`crate::math`]; relative accuracy down to the smallest x; expm1(-0) = -0, of -inf -1, of
//! inf inf; NaN gives NaN; overflow gives inf.
//! Cost: about 45 operations, no division.

use super::exponential::Reduced;
use super::limit::{at_least, at_most};
use super::map::map;
use crate::length::{LengthError, same};
use crate::simd::{Level, Simd, dispatch};

/// e^x - 1.
#[inline(always)]
pub fn expm1<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    // Below -20 the result rounds to -1, above 89 to infinity.
    let cut = at_least(simd, at_most(simd, x, 89.0), -20.0);
    let reduced = Reduced::new(simd, cut, simd.splat(0.0));
    let y = reduced.minus_one(simd, reduced.power(simd, 0)).round(simd);
    let large = simd.lt(simd.splat(25.0), cut);
    let y = simd.select(large, reduced.exponential(simd, cut), y);
    simd.or_bits(y, simd.and_bits(x, simd.splat_bits(0x8000_0000)))
}

/// y\[i\] = e^x\[i\] - 1.
///
/// # Errors
/// The slices differ in length.
pub fn expm1_slice(level: Level, x: &[f32], y: &mut [f32]) -> Result<(), LengthError> {
    same(x.len(), y.len())?;
    dispatch!(level, simd => {
        let simd = simd.group();
        map(simd, x, y, #[inline(always)] |x| expm1(simd, x));
    });
    Ok(())
}
