//! The order of a column's reduction: a chain over each block of 64 rows, the blocks' results added in order.
//!
//! A matrix is walked block by block, and in a block strip by strip: V vectors of columns, whose sums stay in the
//! nearest cache, as does the block's part of the strip for a second pass. Four rows at a time are read along the
//! strip, so that memory is read in long runs and a sum stays in a register for four additions. No workspace.

use core::array::from_fn;
use core::ops::Range;

use crate::part::{from, from_mut, part, part_mut};
use crate::simd::Simd;
use crate::{MatMut, MatRef};

/// Rows whose sum starts afresh.
pub(crate) const BLOCK: usize = 64;

/// Vectors across a strip, where nothing asks for fewer.
pub(crate) const VECTORS: usize = 32;

/// Rows that are read side by side.
const ROWS: usize = 4;

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

    /// The strip's part of a row, to write.
    #[inline(always)]
    pub(crate) fn of_mut(self, row: &mut [f32]) -> &mut [f32] {
        part_mut(row, self.column, self.width)
    }

    /// Vector v of the strip's part of a row.
    #[inline(always)]
    pub(crate) fn load<S: Simd>(self, simd: S, row: &[f32], v: usize) -> S::F32 {
        simd.load(from(self.of(row), v * S::LANES))
    }

    /// Vectors that hold the strip.
    #[inline(always)]
    pub(crate) fn vectors<S: Simd>(self) -> usize {
        self.width.div_ceil(S::LANES)
    }
}

/// The strips of V vectors that make up `columns` columns.
#[inline(always)]
pub(crate) fn strips<S: Simd, const V: usize>(columns: usize) -> impl Iterator<Item = Strip> {
    let full = V * S::LANES;
    (0..columns).step_by(full).map(move |column| Strip { column, width: full.min(columns - column) })
}

/// The blocks that make up `rows` rows.
#[inline(always)]
pub(crate) fn blocks(rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(BLOCK).map(move |start| start..rows.min(start + BLOCK))
}

/// A chains from +0.0 down a strip: `step` adds one vector of each of the K slices of a row, given the P parameters of
/// the columns and what belongs to the row. `row` names both.
#[inline(always)]
pub(crate) fn chains<'a, S: Simd, T: Copy, const V: usize, const P: usize, const K: usize, const A: usize>(
    simd: S,
    rows: Range<usize>,
    strip: Strip,
    parameters: &[[S::F32; P]; V],
    row: impl Fn(usize) -> ([&'a [f32]; K], T),
    step: impl Fn([S::F32; P], T, [S::F32; A], [S::F32; K]) -> [S::F32; A],
) -> [[S::F32; A]; V] {
    let mut sums = [[simd.splat(0.0); A]; V];
    let together = rows.end - rows.len() % ROWS;
    for i in (rows.start..together).step_by(ROWS) {
        let group: [_; ROWS] = from_fn(
            #[inline(always)]
            |r| row(i + r),
        );
        add_rows(simd, strip, parameters, group, &step, &mut sums);
    }
    for i in together..rows.end {
        add_rows(simd, strip, parameters, [row(i)], &step, &mut sums);
    }
    sums
}

/// Adds R rows, one after the other.
#[inline(always)]
fn add_rows<
    S: Simd,
    T: Copy,
    const V: usize,
    const P: usize,
    const K: usize,
    const A: usize,
    const R: usize,
>(
    simd: S,
    strip: Strip,
    parameters: &[[S::F32; P]; V],
    mut rows: [([&[f32]; K], T); R],
    step: &impl Fn([S::F32; P], T, [S::F32; A], [S::F32; K]) -> [S::F32; A],
    sums: &mut [[S::F32; A]; V],
) {
    for (slices, _) in &mut rows {
        for slice in slices {
            *slice = strip.of(slice);
        }
    }
    for (v, (sums, p)) in sums.iter_mut().zip(parameters).enumerate().take(strip.vectors::<S>()) {
        let mut chain = *sums;
        for (slices, of_row) in &rows {
            let mut x = [simd.splat(0.0); K];
            for (x, slice) in x.iter_mut().zip(slices) {
                *x = simd.load(from(slice, v * S::LANES));
            }
            chain = step(*p, *of_row, chain, x);
        }
        *sums = chain;
    }
}

/// Adds the chains of a strip to the A rows of totals.
#[inline(always)]
pub(crate) fn accumulate<S: Simd, const V: usize, const A: usize>(
    simd: S,
    strip: Strip,
    sums: &[[S::F32; A]; V],
    mut totals: [&mut [f32]; A],
) {
    for (v, sums) in sums.iter().enumerate().take(strip.vectors::<S>()) {
        for (total, sum) in totals.iter_mut().zip(sums) {
            let total = from_mut(strip.of_mut(total), v * S::LANES);
            simd.store(simd.add(simd.load(total), *sum), total);
        }
    }
}

/// Writes f(p, x) to each row of a strip of `out`: x the rows of the K sources, p the P parameters of the columns.
#[inline(always)]
pub(crate) fn map<S: Simd, const V: usize, const P: usize, const K: usize>(
    simd: S,
    rows: Range<usize>,
    strip: Strip,
    parameters: &[[S::F32; P]; V],
    sources: [Source<'_>; K],
    out: &mut MatMut<'_>,
    f: impl Fn([S::F32; P], [S::F32; K]) -> S::F32,
) {
    for i in rows {
        let mut slices = [None; K];
        for (slice, source) in slices.iter_mut().zip(sources) {
            *slice = source.map(
                #[inline(always)]
                |matrix| strip.of(matrix.row(i)),
            );
        }
        let out = strip.of_mut(out.row_mut(i));
        for (v, p) in parameters.iter().enumerate().take(strip.vectors::<S>()) {
            let out = from_mut(out, v * S::LANES);
            let mut x = [simd.load(out); K];
            for (x, slice) in x.iter_mut().zip(slices) {
                if let Some(slice) = slice {
                    *x = simd.load(from(slice, v * S::LANES));
                }
            }
            simd.store(f(*p, x), out);
        }
    }
}
