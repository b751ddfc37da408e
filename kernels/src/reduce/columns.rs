//! The order of a column's reduction: a chain over each block of 64 rows, the blocks' results added in order.
//!
//! A matrix is walked block by block and in a block strip by strip, where a strip is as many columns as four vectors
//! hold: what is summed stays in registers, a second pass over a block finds it in the nearest cache, and no
//! workspace is needed.

use core::ops::Range;

use super::part::{from, from_mut, part};
use crate::simd::Simd;
use crate::{MatMut, MatRef};

/// Rows whose sum starts afresh.
pub(crate) const BLOCK: usize = 64;

/// Vectors across a strip.
pub(crate) const VECTORS: usize = 4;

/// The most columns that a strip has, on any instruction set.
pub(crate) const MAX_WIDTH: usize = VECTORS * 16;

/// Where an operand lies: in a matrix of its own, or where the result goes (None).
pub(crate) type Source<'a> = Option<MatRef<'a>>;

/// Row i of an operand whose result goes to `out`.
#[inline(always)]
pub(crate) fn row<'a>(source: Source<'a>, out: &'a MatMut<'_>, i: usize) -> &'a [f32] {
    match source {
        Some(matrix) => matrix.row(i),
        None => out.row(i),
    }
}

/// Columns side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strip {
    pub(crate) column: usize,
    pub(crate) width: usize,
}

impl Strip {
    /// The strip's part of a row.
    #[inline(always)]
    pub(crate) fn of(self, row: &[f32]) -> &[f32] {
        part(row, self.column, self.width)
    }

    /// Vector v of the strip's part of a row.
    #[inline(always)]
    pub(crate) fn load<S: Simd>(self, simd: S, row: &[f32], v: usize) -> S::F32 {
        simd.load(from(self.of(row), v * S::LANES))
    }

    /// The strip's part of a row, to write.
    #[inline(always)]
    pub(crate) fn of_mut(self, row: &mut [f32]) -> &mut [f32] {
        let rest = from_mut(row, self.column);
        let width = self.width.min(rest.len());
        rest.get_mut(..width).unwrap_or(&mut [])
    }
}

/// Calls `f` for each strip of `columns` columns.
#[inline(always)]
pub(crate) fn strips<S: Simd>(columns: usize, mut f: impl FnMut(Strip)) {
    let full = VECTORS * S::LANES;
    for column in (0..columns).step_by(full) {
        let width = full.min(columns - column);
        // Compiled apart where the width is known, so that the loads' tails vanish.
        if width == full {
            f(Strip { column, width: full });
        } else {
            f(Strip { column, width });
        }
    }
}

/// Calls `f` for each strip of each block of rows.
#[inline(always)]
pub(crate) fn for_each_strip<S: Simd>(rows: usize, columns: usize, mut f: impl FnMut(Range<usize>, Strip)) {
    for start in (0..rows).step_by(BLOCK) {
        let block = start..rows.min(start + BLOCK);
        strips::<S>(
            columns,
            #[inline(always)]
            |strip| f(block.clone(), strip),
        );
    }
}

/// A chains from +0.0 down a strip: `step` adds row i, one vector of each of the K slices that `row` names.
#[inline(always)]
pub(crate) fn chains<'a, S: Simd, const K: usize, const A: usize>(
    simd: S,
    rows: Range<usize>,
    strip: Strip,
    row: impl Fn(usize) -> [&'a [f32]; K],
    step: impl Fn(usize, [S::F32; A], [S::F32; K]) -> [S::F32; A],
) -> [[S::F32; A]; VECTORS] {
    let mut sums = [[simd.splat(0.0); A]; VECTORS];
    let vectors = strip.width.div_ceil(S::LANES);
    for i in rows {
        let row = row(i);
        for (v, sums) in sums.iter_mut().enumerate().take(vectors) {
            *sums = step(i, *sums, row.map(|row| simd.load(from(row, v * S::LANES))));
        }
    }
    sums
}

/// Adds the chains of a strip to the A rows of totals.
#[inline(always)]
pub(crate) fn accumulate<S: Simd, const A: usize>(
    simd: S,
    strip: Strip,
    sums: [[S::F32; A]; VECTORS],
    totals: [&mut [f32]; A],
) {
    let mut totals = totals.map(|total| strip.of_mut(total));
    for (v, sums) in sums.into_iter().enumerate() {
        for (total, sum) in totals.iter_mut().zip(sums) {
            let total = from_mut(total, v * S::LANES);
            simd.store(simd.add(simd.load(total), sum), total);
        }
    }
}

/// Writes f(p, x) to each row of a strip of `out`: x the rows of the K sources, p the strip's P parameters per column.
#[inline(always)]
pub(crate) fn map<S: Simd, const K: usize, const P: usize>(
    simd: S,
    rows: Range<usize>,
    strip: Strip,
    parameters: [[S::F32; P]; VECTORS],
    sources: [Source<'_>; K],
    out: &mut MatMut<'_>,
    f: impl Fn([S::F32; P], [S::F32; K]) -> S::F32,
) {
    let vectors = strip.width.div_ceil(S::LANES);
    for i in rows {
        let x = sources.map(|source| strip.of(row(source, out, i)));
        let mut y = [simd.splat(0.0); VECTORS];
        for (v, (y, p)) in y.iter_mut().zip(parameters).enumerate().take(vectors) {
            *y = f(p, x.map(|x| simd.load(from(x, v * S::LANES))));
        }
        let out = strip.of_mut(out.row_mut(i));
        for (v, y) in y.into_iter().enumerate().take(vectors) {
            simd.store(y, from_mut(out, v * S::LANES));
        }
    }
}
