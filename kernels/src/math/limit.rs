//! Cutting arguments where a function has reached its limit. NaN stays NaN.

use crate::simd::Simd;

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
