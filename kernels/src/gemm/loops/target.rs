//! Where the sums of tiles go: straight to C, or over a buffer through the epilogue.

use super::MAX_LANES;
use super::tile::{Start, Work};
use super::tiles::{Size, Tiles};
use crate::gemm::{Epilogue, Init};
use crate::part::{from, part, part_mut};
use crate::simd::Simd;
use crate::view::{MatMut, MatRef};

/// Where finished sums go.
pub(super) struct Target<'a, E> {
    pub(super) c: MatMut<'a>,
    pub(super) init: Init<'a>,
    pub(super) epilogue: &'a mut E,
    /// The tiles compute C^T.
    pub(super) by_columns: bool,
    /// Whether the steps of k begin with the first and end with the last.
    pub(super) first: bool,
    pub(super) last: bool,
}

/// Sums of the largest tile of any token.
const TILE: usize = if MAX_LANES > 8 { 320 } else { 20 * MAX_LANES };

/// A tile's sums where they cannot go straight to C.
#[repr(align(64))]
struct Buffer([f32; TILE]);

/// Tiles after which an epilogue is applied to what they have left in C: it should still be in the first-level cache.
const TILES_PER_EPILOGUE: usize = 4;

impl<'a, E: Epilogue> Target<'a, E> {
    /// Whether tiles leave their sums in C, and not in a buffer.
    #[inline(always)]
    fn is_direct(&self) -> bool {
        !self.by_columns && !(E::READS_C && self.last)
    }

    /// How many of these tiles [`Target::run`] can run at once.
    #[inline(always)]
    pub(super) fn tiles_at_once(&self, tiles: usize) -> usize {
        if !self.is_direct() {
            1
        } else if E::PLAIN || !self.last {
            tiles
        } else {
            tiles.min(TILES_PER_EPILOGUE)
        }
    }

    /// What the sums of the columns from `column` on start from, where they lie in C.
    #[inline(always)]
    pub(super) fn start(&self, column: usize, width: usize) -> Start<'a> {
        match self.init {
            _ if !self.first => Start::Output,
            Init::Zero => Start::Zero,
            Init::Accumulate => Start::Output,
            Init::Bias(bias) => Start::Row(part(bias, column, width)),
        }
    }

    /// Runs tiles, the first of them at (row, column) of what they compute, and copies op(B) to `copy` unless that is
    /// empty.
    #[inline(always)]
    pub(super) fn run<S: Tiles>(
        &mut self,
        simd: S,
        size: Size,
        work: &Work<'_>,
        copy: &mut [f32],
        row: usize,
        column: usize,
    ) {
        if !self.is_direct() {
            return self.run_in_buffer(simd, size, work, copy, row, column);
        }
        let width = work.right.width;
        let rows = work.tiles * size.rows;
        simd.run(size, work, &mut self.c.block(row, column, rows, width), copy);
        if !E::PLAIN && self.last {
            self.apply_epilogue(simd, row, rows, column, width);
        }
    }

    /// Applies the epilogue to the sums that tiles have left in C.
    #[inline(never)]
    fn apply_epilogue<S: Tiles>(&mut self, simd: S, row: usize, rows: usize, column: usize, width: usize) {
        simd.vectorize(
            #[inline(always)]
            || {
                for r in row..row + rows {
                    let sums = part_mut(self.c.row_mut(r), column, width);
                    for (v, sum) in sums.chunks_mut(S::LANES).enumerate() {
                        self.epilogue.apply(simd, simd.load(sum), r, column + v * S::LANES, sum);
                    }
                }
            },
        );
    }

    /// The same for one tile whose sums cannot lie in C.
    #[inline(never)]
    fn run_in_buffer<S: Tiles>(
        &mut self,
        simd: S,
        size: Size,
        work: &Work<'_>,
        copy: &mut [f32],
        row: usize,
        column: usize,
    ) {
        simd.vectorize(
            #[inline(always)]
            || {
                let mut buffer = Buffer([0.0; TILE]);
                let Ok(mut out) = MatMut::new(&mut buffer.0, size.rows, work.right.width) else { return };
                let start = self.prepare(&mut out, row, column);
                simd.run(size, &Work { start, ..*work }, &mut out, copy);
                let width = work.right.width;
                let Ok(sums) = MatRef::new(&buffer.0, size.rows, width) else { return };
                if self.by_columns {
                    // Whole squares of half vectors, where the buffer has room for the rows that are missing.
                    let simd = simd.half();
                    let whole =
                        MatRef::new(&buffer.0, size.rows.next_multiple_of(<S::Half as Simd>::LANES), width);
                    self.finish_columns(simd, whole.unwrap_or(sums), size.rows, row, column);
                } else {
                    self.finish_rows(simd, sums, row, column);
                }
            },
        );
    }

    /// What the sums in a buffer start from; what lies in C is copied to the buffer.
    #[inline(always)]
    fn prepare(&self, out: &mut MatMut<'_>, row: usize, column: usize) -> Start<'_> {
        let width = out.columns();
        match self.init {
            Init::Zero if self.first => return Start::Zero,
            Init::Bias(bias) if self.first && !self.by_columns => {
                return Start::Row(part(bias, column, width));
            }
            Init::Bias(bias) if self.first => {
                for r in 0..out.rows() {
                    out.row_mut(r).fill(bias.get(row + r).copied().unwrap_or(0.0));
                }
            }
            _ if self.by_columns => {
                for r in 0..out.rows() {
                    for (j, out) in out.row_mut(r).iter_mut().enumerate() {
                        *out = self.c.row(column + j).get(row + r).copied().unwrap_or(0.0);
                    }
                }
            }
            _ => {
                for r in 0..out.rows() {
                    for (out, c) in out.row_mut(r).iter_mut().zip(from(self.c.row(row + r), column)) {
                        *out = *c;
                    }
                }
            }
        }
        Start::Output
    }

    #[inline(always)]
    fn finish_rows<S: Tiles>(&mut self, simd: S, sums: MatRef<'_>, row: usize, column: usize) {
        for r in 0..sums.rows() {
            let c = part_mut(self.c.row_mut(row + r), column, sums.columns());
            for (v, (sum, c)) in sums.row(r).chunks(S::LANES).zip(c.chunks_mut(S::LANES)).enumerate() {
                self.epilogue.apply(simd, simd.load(sum), row + r, column + v * S::LANES, c);
            }
        }
    }

    /// The same for the first `rows` rows of sums of C^T.
    #[inline(always)]
    fn finish_columns<S: Simd>(&mut self, simd: S, sums: MatRef<'_>, rows: usize, row: usize, column: usize) {
        for r in (0..rows).step_by(S::LANES) {
            for j in (0..sums.columns()).step_by(S::LANES) {
                simd.for_each_column(
                    sums.block(r, j, S::LANES, S::LANES),
                    #[inline(always)]
                    |i, sum| {
                        let c = part_mut(self.c.row_mut(column + j + i), row + r, (rows - r).min(S::LANES));
                        self.epilogue.apply(simd, sum, column + j + i, row + r, c);
                    },
                );
            }
        }
    }
}
