//! The register tile: MR rows times up to two vectors of columns of C, accumulated over one block of k.
//!
//! All MR x NR sums stay in registers; each step over k loads the vectors of one row of B and broadcasts MR
//! elements of A. What is left at the lower edge of C takes smaller tiles, at the right edge masked vectors.

use super::pack::{STACK_ROWS, Strip};
use super::{Epilogue, Init, PACKED_COLUMNS};
use crate::part::{from_mut, part_mut};
use crate::simd::Simd;
use crate::view::{Lines, MatMut, MatRef, Strips, for_each_step};

/// Where a tile lies: its first element of C, its width, and its block of k.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) width: usize,
    pub(super) start: usize,
    pub(super) depth: usize,
}

/// Whether the block of k is the first and whether it is the last.
#[derive(Clone, Copy)]
pub(super) struct When {
    pub(super) first: bool,
    pub(super) last: bool,
}

/// Runs the largest tile that fits into the `rows` left and returns how many rows it has.
#[inline(always)]
pub(super) fn run<S: Simd, E: Epilogue>(
    simd: S,
    rows: usize,
    place: Place,
    when: When,
    a: MatRef<'_>,
    transpose_a: bool,
    strip: &Strip<'_>,
    c: &mut MatMut<'_>,
    init: Init<'_>,
    epilogue: &mut E,
) -> usize {
    macro_rules! tile {
        ($rows:literal) => {{
            run_rows::<S, E, $rows>(simd, place, when, a, transpose_a, strip, c, init, epilogue);
            $rows
        }};
    }
    if S::TILE_ROWS >= 14 && rows >= 14 {
        tile!(14)
    } else if S::TILE_ROWS >= 8 && rows >= 8 {
        tile!(8)
    } else if rows >= 4 {
        tile!(4)
    } else if rows >= 2 {
        tile!(2)
    } else {
        tile!(1)
    }
}

#[inline(always)]
fn run_rows<S: Simd, E: Epilogue, const MR: usize>(
    simd: S,
    place: Place,
    when: When,
    a: MatRef<'_>,
    transpose_a: bool,
    strip: &Strip<'_>,
    c: &mut MatMut<'_>,
    init: Init<'_>,
    epilogue: &mut E,
) {
    if S::TILE_VECTORS > 1 && place.width > S::LANES {
        let full = place.width == 2 * S::LANES;
        let sums = if full {
            sums::<S, MR, 2>(simd, place, 2 * S::LANES, a, transpose_a, strip)
        } else {
            sums::<S, MR, 2>(simd, place, place.width, a, transpose_a, strip)
        };
        finish(simd, sums, place, when, c, init, epilogue);
    } else {
        let full = place.width == S::LANES;
        let sums = if full {
            sums::<S, MR, 1>(simd, place, S::LANES, a, transpose_a, strip)
        } else {
            sums::<S, MR, 1>(simd, place, place.width, a, transpose_a, strip)
        };
        finish(simd, sums, place, when, c, init, epilogue);
    }
}

/// The chains of one block of k. `width` repeats the place's, as a constant where the tile is full.
#[inline(always)]
fn sums<S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    place: Place,
    width: usize,
    a: MatRef<'_>,
    transpose_a: bool,
    strip: &Strip<'_>,
) -> [[S::F32; NV]; MR] {
    let mut sums = [[simd.splat(0.0); NV]; MR];
    let Place { row, start, depth, .. } = place;
    match *strip {
        Strip::Rows { matrix, start: first, column } => {
            if let Some(a) = a.lines::<MR>(transpose_a, row, start, depth)
                && let Some(b) = matrix.strips(first, depth, column, width)
            {
                accumulate(simd, &mut sums, a, b);
            }
        }
        Strip::Transposed { matrix, start: first, column } => {
            let mut buffer = [0.0; STACK_ROWS * PACKED_COLUMNS];
            let mut done = 0;
            while done < depth {
                let few = (depth - done).min(STACK_ROWS);
                for lane in 0..width {
                    let source = matrix.row(column + lane).get(first + done..).unwrap_or(&[]);
                    for (p, value) in source.iter().take(few).enumerate() {
                        if let Some(out) = buffer.get_mut(p * width + lane) {
                            *out = *value;
                        }
                    }
                }
                if let Ok(matrix) = MatRef::new(&buffer, few, width)
                    && let Some(a) = a.lines::<MR>(transpose_a, row, start + done, few)
                    && let Some(b) = matrix.strips(0, few, 0, width)
                {
                    accumulate(simd, &mut sums, a, b);
                }
                done += few;
            }
        }
    }
    sums
}

/// sums[r][v] = fma(a[r], b[v], sums[r][v]) for each step of k.
#[inline(always)]
fn accumulate<S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    sums: &mut [[S::F32; NV]; MR],
    a: Lines<'_, MR>,
    b: Strips<'_>,
) {
    let mut chains = *sums;
    for_each_step(
        a,
        b,
        #[inline(always)]
        |a, b| {
            // A loop, because `array::from_fn` is a call of its own wherever the compiler thinks so.
            let mut vectors = [simd.splat(0.0); NV];
            for v in 0..NV {
                vectors[v] = simd.load(b.get(v * S::LANES..).unwrap_or(&[]));
            }
            for r in 0..MR {
                let a = simd.splat(a.get(r));
                for v in 0..NV {
                    chains[r][v] = simd.mul_add(a, vectors[v], chains[r][v]);
                }
            }
        },
    );
    *sums = chains;
}

/// Adds the block's sums to what came before and stores them, through the epilogue after the last block.
#[inline(always)]
fn finish<S: Simd, E: Epilogue, const MR: usize, const NV: usize>(
    simd: S,
    sums: [[S::F32; NV]; MR],
    place: Place,
    when: When,
    c: &mut MatMut<'_>,
    init: Init<'_>,
    epilogue: &mut E,
) {
    for (r, sums) in sums.into_iter().enumerate() {
        let row = place.row + r;
        let out = part_mut(c.row_mut(row), place.column, place.width);
        for (v, sum) in sums.into_iter().enumerate() {
            let out = from_mut(out, v * S::LANES);
            let lanes = out.len().min(S::LANES);
            let column = place.column + v * S::LANES;
            let before = match init {
                _ if !when.first => Some(simd.load(out)),
                Init::Zero => None,
                Init::Accumulate => Some(simd.load(out)),
                Init::Bias(bias) => Some(simd.load(bias.get(column..).unwrap_or(&[]))),
            };
            // With k = 0 there is no sum: the initial value passes as it is, sign of zero included.
            let total = match before {
                Some(before) if place.depth == 0 => before,
                Some(before) => simd.add(before, sum),
                None => sum,
            };
            let stored = if when.last { epilogue.apply(simd, total, row, column, lanes) } else { total };
            simd.store(stored, out);
        }
    }
}
