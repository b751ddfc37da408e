//! The order of a slice's reduction: chunks of 4096 elements, 64 virtual lanes in a chunk, then a tree.
//!
//! The lanes are spread over as many registers as pay: all 64 at once where the instruction set has the registers,
//! otherwise a part of the lanes at a time, reading the chunk again from the nearest cache. The end of a slice that
//! fills no row of 64 is completed by elements that add zero. Adding zero may turn a lane from -0.0 to +0.0, but the
//! total starts at +0.0, so the sign does not get out.

use crate::part::{from, part};
use crate::simd::Simd;

/// Elements whose sum starts afresh.
pub(crate) const CHUNK: usize = 4096;

/// Virtual lanes of a chunk.
const LANES: usize = 64;

/// 0, 1, 2, ... as bits.
static INDICES: [f32; LANES] = {
    let mut indices = [0.0; LANES];
    let mut i = 0;
    while i < LANES {
        indices[i] = f32::from_bits(i as u32);
        i += 1;
    }
    indices
};

/// A sums over K slices of one length: `step` adds one vector of each slice to the sums.
///
/// `padding` is what stands behind the end of each slice; `step` must add zero there.
#[inline(always)]
pub(crate) fn reduce<S: Simd, const K: usize, const A: usize>(
    simd: S,
    slices: [&[f32]; K],
    padding: [f32; K],
    step: impl Fn([S::F32; A], [S::F32; K]) -> [S::F32; A],
) -> [f32; A] {
    let length = slices.iter().map(|slice| slice.len()).max().unwrap_or(0);
    let mut totals = [0.0; A];
    for start in (0..length).step_by(CHUNK) {
        let mut chunk = slices;
        for slice in &mut chunk {
            *slice = part(slice, start, CHUNK);
        }
        // Eight chains hide the latency of addition; two sums have as many with four registers each.
        let sums = if A == 1 && S::LANES < 16 {
            reduce_chunk::<S, K, A, 8>(simd, chunk, padding, &step)
        } else {
            reduce_chunk::<S, K, A, 4>(simd, chunk, padding, &step)
        };
        for (total, sum) in totals.iter_mut().zip(sums) {
            *total += sum;
        }
    }
    totals
}

/// The sums of one chunk, V vectors of lanes at a time.
#[inline(always)]
fn reduce_chunk<S: Simd, const K: usize, const A: usize, const V: usize>(
    simd: S,
    chunk: [&[f32]; K],
    padding: [f32; K],
    step: &impl Fn([S::F32; A], [S::F32; K]) -> [S::F32; A],
) -> [f32; A] {
    let (mut rows, mut rest): ([&[[f32; LANES]]; K], [&[f32]; K]) = ([&[]; K], [&[]; K]);
    for ((rows, rest), slice) in rows.iter_mut().zip(&mut rest).zip(chunk) {
        (*rows, *rest) = slice.as_chunks();
    }
    let count = rows.iter().map(|rows| rows.len()).max().unwrap_or(0);
    let length = rest.iter().map(|rest| rest.len()).max().unwrap_or(0);
    let mut lanes = [[0.0; LANES]; A];
    for lane in (0..LANES).step_by(V * S::LANES) {
        let mut sums = [[simd.splat(0.0); A]; V];
        for i in 0..count {
            let mut row = [&[0.0; LANES]; K];
            for (row, rows) in row.iter_mut().zip(rows) {
                *row = rows.get(i).unwrap_or(&[0.0; LANES]);
            }
            for (v, sums) in sums.iter_mut().enumerate() {
                let mut x = [simd.splat(0.0); K];
                for (x, row) in x.iter_mut().zip(row) {
                    *x = simd.load(from(row, lane + v * S::LANES));
                }
                *sums = step(*sums, x);
            }
        }
        if length > 0 {
            for (v, sums) in sums.iter_mut().enumerate() {
                let lane = lane + v * S::LANES;
                let inside = simd.lt_bits(simd.load(from(&INDICES, lane)), simd.splat_bits(length as u32));
                let mut x = [simd.splat(0.0); K];
                for ((x, rest), padding) in x.iter_mut().zip(rest).zip(padding) {
                    *x = simd.select(inside, simd.load(from(rest, lane)), simd.splat(padding));
                }
                *sums = step(*sums, x);
            }
        }
        for (v, sums) in sums.into_iter().enumerate() {
            for (lanes, sum) in lanes.iter_mut().zip(sums) {
                if let Some(out) = lanes.get_mut(lane + v * S::LANES..) {
                    simd.store(sum, out);
                }
            }
        }
    }
    let mut sums = [0.0; A];
    for (sum, lanes) in sums.iter_mut().zip(lanes) {
        *sum = tree(lanes);
    }
    sums
}

/// Adds lane i + 32 to lane i, then i + 16, 8, 4, 2, 1.
#[inline(always)]
fn tree(mut lanes: [f32; LANES]) -> f32 {
    for half in [32, 16, 8, 4, 2, 1] {
        if let Some((low, high)) = lanes.split_at_mut_checked(half) {
            for (low, high) in low.iter_mut().zip(high) {
                *low += *high;
            }
        }
    }
    lanes[0]
}
