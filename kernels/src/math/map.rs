//! Element-wise loops: the one place where functions of vectors become functions of slices.
//!
//! Slices are cut into vectors; the last, shorter one is loaded and stored partly. Each lane's arithmetic is the
//! same, so neither the vector's width nor the tail shows in a result.

use crate::simd::Simd;

/// y\[i\] = f(x\[i\]) over the shorter length.
#[inline(always)]
pub(crate) fn map<S: Simd>(simd: S, x: &[f32], y: &mut [f32], f: impl Fn(S::F32) -> S::F32) {
    for (x, y) in x.chunks(S::LANES).zip(y.chunks_mut(S::LANES)) {
        simd.store(f(simd.load(x)), y);
    }
}

/// x\[i\] = f(x\[i\]).
#[inline(always)]
pub(crate) fn map_in_place<S: Simd>(simd: S, x: &mut [f32], f: impl Fn(S::F32) -> S::F32) {
    for x in x.chunks_mut(S::LANES) {
        simd.store(f(simd.load(x)), x);
    }
}

/// z\[i\] = f(x\[i\], z\[i\]) over the shorter length.
#[inline(always)]
pub(crate) fn zip_in_place<S: Simd>(simd: S, x: &[f32], z: &mut [f32], f: impl Fn(S::F32, S::F32) -> S::F32) {
    for (x, z) in x.chunks(S::LANES).zip(z.chunks_mut(S::LANES)) {
        simd.store(f(simd.load(x), simd.load(z)), z);
    }
}
