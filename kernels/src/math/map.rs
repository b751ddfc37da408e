//! Element-wise loops: the one place where functions of vectors become functions of slices.
//!
//! Slices are cut into vectors; the last, shorter one is loaded and stored partly. Each lane's arithmetic is the
//! same, so neither the vector's width nor the tail shows in a result. Slices that are walked together are not zipped in
//! chunks (where the compiler does not inline a zip, the division for its length can panic) but cut to one length, of
//! which the compiler then knows, and indexed.

use crate::part::{from, from_mut, part, part_mut};
use crate::simd::Simd;

/// y\[i\] = f(x\[i\]) over the shorter length.
#[inline(always)]
pub(crate) fn map<S: Simd>(simd: S, x: &[f32], y: &mut [f32], f: impl Fn(S::F32) -> S::F32) {
    let length = x.len().min(y.len());
    let (x, y) = (part(x, 0, length), part_mut(y, 0, length));
    for at in (0..length).step_by(S::LANES) {
        simd.store(f(simd.load(from(x, at))), from_mut(y, at));
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
    let length = x.len().min(z.len());
    let (x, z) = (part(x, 0, length), part_mut(z, 0, length));
    for at in (0..length).step_by(S::LANES) {
        let z = from_mut(z, at);
        simd.store(f(simd.load(from(x, at)), simd.load(z)), z);
    }
}
