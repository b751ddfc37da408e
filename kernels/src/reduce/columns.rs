//! The order of a column's reduction: a chain over each block of 64 rows, the blocks' results added in order.
//!
//! A matrix is walked block by block, and in a block strip by strip: V vectors of columns, whose sums stay in the
//! nearest cache, as does the block's part of the strip for a second pass. Four rows at a time are read along the
//! strip, so that memory is read in long runs and a sum stays in a register for four additions. No workspace.

use core::ops::Range;

use crate::part::{from, from_mut, part, part_mut};
use crate::simd::Simd;
use crate::view::{MatMut, MatRef, RowsMut, Strips};

/// Rows whose sum starts afresh.
pub(crate) const BLOCK: usize = 64;

/// Vectors across a strip, where nothing asks for fewer.
pub(crate) const VECTORS: usize = 32;

/// Rows that are read side by side.
const ROWS: usize = 4;

/// Where an operand lies: in a matrix of its own, or where the result goes (None).
pub(crate) type Source<'a> = Option<MatRef<'a>>;

/// Columns side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strip {
    pub(crate) column: usize,
    pub(crate) width: usize,
}

impl Strip {
    /// The strip's part of these rows of a matrix, or of where the result goes.
    #[inline(always)]
    pub(crate) fn rows<'a>(self, source: Source<'a>, out: &'a MatMut<'_>, rows: &Range<usize>) -> Strips<'a> {
        match source {
            Some(matrix) => self.rows_of(matrix, rows),
            None => out.strips(rows.start, rows.len(), self.column, self.width).unwrap_or(Strips::NONE),
        }
    }

    /// The same of a matrix.
    #[inline(always)]
    pub(crate) fn rows_of<'a>(self, matrix: MatRef<'a>, rows: &Range<usize>) -> Strips<'a> {
        matrix.strips(rows.start, rows.len(), self.column, self.width).unwrap_or(Strips::NONE)
    }

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

/// A chains from +0.0 down a strip: `step` adds one vector of each of the K sources, given the P parameters of the
/// columns and what belongs to the row.
#[inline(always)]
pub(crate) fn chains<S: Simd, T: Copy, const V: usize, const P: usize, const K: usize, const A: usize>(
    simd: S,
    rows: Range<usize>,
    strip: Strip,
    parameters: &[[S::F32; P]; V],
    mut sources: [Strips<'_>; K],
    of_row: impl Fn(usize) -> T,
    step: impl Fn([S::F32; P], T, [S::F32; A], [S::F32; K]) -> [S::F32; A],
) -> [[S::F32; A]; V] {
    let mut sums = [[simd.splat(0.0); A]; V];
    let mut i = rows.start;
    while rows.end - i >= ROWS {
        let of_rows: [T; ROWS] = core::array::from_fn(
            #[inline(always)]
            |r| of_row(i + r),
        );
        add_rows(simd, strip, parameters, &mut sources, of_rows, &step, &mut sums);
        i += ROWS;
    }
    for i in i..rows.end {
        add_rows(simd, strip, parameters, &mut sources, [of_row(i)], &step, &mut sums);
    }
    sums
}

/// Adds the next R rows, one after the other.
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
    sources: &mut [Strips<'_>; K],
    of_rows: [T; R],
    step: &impl Fn([S::F32; P], T, [S::F32; A], [S::F32; K]) -> [S::F32; A],
    sums: &mut [[S::F32; A]; V],
) {
    let mut slices = [[&[][..]; R]; K];
    for (slices, source) in slices.iter_mut().zip(sources) {
        let Some(rows) = source.next_rows() else { return };
        *slices = rows;
    }
    let mut columns = sums.iter_mut().zip(parameters).enumerate().take(strip.vectors::<S>());
    for (v, (sums, p)) in columns.by_ref().take(strip.width / S::LANES) {
        let mut chain = *sums;
        for r in 0..R {
            let mut x = [simd.splat(0.0); K];
            for (x, slices) in x.iter_mut().zip(&slices) {
                *x = simd.load(slices[r].get(v * S::LANES..(v + 1) * S::LANES).unwrap_or_default());
            }
            chain = step(*p, of_rows[r], chain, x);
        }
        *sums = chain;
    }
    for (v, (sums, p)) in columns {
        for r in 0..R {
            let mut x = [simd.splat(0.0); K];
            for (x, slices) in x.iter_mut().zip(&slices) {
                *x = simd.load_part(from(slices[r], v * S::LANES));
            }
            *sums = step(*p, of_rows[r], *sums, x);
        }
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
    let together = rows.end - rows.len() % ROWS;
    map_groups::<S, V, P, K, ROWS>(simd, rows.start..together, strip, parameters, sources, out, &f);
    map_groups::<S, V, P, K, 1>(simd, together..rows.end, strip, parameters, sources, out, &f);
}

/// The same for groups of R rows.
#[inline(always)]
fn map_groups<S: Simd, const V: usize, const P: usize, const K: usize, const R: usize>(
    simd: S,
    rows: Range<usize>,
    strip: Strip,
    parameters: &[[S::F32; P]; V],
    sources: [Source<'_>; K],
    out: &mut MatMut<'_>,
    f: &impl Fn([S::F32; P], [S::F32; K]) -> S::F32,
) {
    let mut strips = [None; K];
    for (strips, source) in strips.iter_mut().zip(sources) {
        if let Some(matrix) = source {
            *strips = Some(strip.rows_of(matrix, &rows));
        }
    }
    let groups = rows.len() / R;
    let mut block = out.block(rows.start, strip.column, rows.len(), strip.width);
    let Some(mut tiles) = block.tiles::<R>(strip.width, groups) else { return };
    for group in 0..groups {
        map_rows::<S, V, P, K, R>(simd, strip, parameters, &mut strips, tiles.tile(group), f);
    }
}

/// The same for one group: a source that is None is what the row of `out` holds.
#[inline(always)]
fn map_rows<S: Simd, const V: usize, const P: usize, const K: usize, const R: usize>(
    simd: S,
    strip: Strip,
    parameters: &[[S::F32; P]; V],
    strips: &mut [Option<Strips<'_>>; K],
    mut next: RowsMut<'_>,
    f: &impl Fn([S::F32; P], [S::F32; K]) -> S::F32,
) {
    let width = strip.width;
    let mut sources = [None; K];
    for (source, strips) in sources.iter_mut().zip(strips) {
        if let Some(strips) = strips {
            let Some(rows) = strips.next_rows::<R>() else { return };
            *source = Some(rows);
        }
    }
    let mut outs: [&mut [f32]; R] = core::array::from_fn(|_| Default::default());
    for out in &mut outs {
        let Some(row) = next.next_row().get_mut(..width) else { return };
        *out = row;
    }
    let mut columns = parameters.iter().enumerate().take(strip.vectors::<S>());
    for (v, p) in columns.by_ref().take(width / S::LANES) {
        for r in 0..R {
            let Some(out) = outs[r].get_mut(v * S::LANES..(v + 1) * S::LANES) else { return };
            let mut x = [simd.load(out); K];
            for (x, source) in x.iter_mut().zip(&sources) {
                if let Some(rows) = source {
                    *x = simd.load(rows[r].get(v * S::LANES..(v + 1) * S::LANES).unwrap_or_default());
                }
            }
            simd.store(f(*p, x), out);
        }
    }
    for (v, p) in columns {
        for r in 0..R {
            let out = from_mut(outs[r], v * S::LANES);
            let mut x = [simd.load_part(out); K];
            for (x, source) in x.iter_mut().zip(&sources) {
                if let Some(rows) = source {
                    *x = simd.load_part(from(rows[r], v * S::LANES));
                }
            }
            simd.store(f(*p, x), out);
        }
    }
}
