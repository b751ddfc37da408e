//! Where the sums of tiles go: straight to C, or over a buffer through the epilogue.

use super::tile::{Start, Work};
use super::tiles::{Size, Tiles};
use super::{MAX_LANES, TILES_PER_EPILOGUE};
use crate::gemm::{Epilogue, Init};
use crate::part::{from, part, part_mut};
use crate::simd::Simd;
use crate::view::{MatMut, MatRef};

/// Where finished sums go.
pub(super) struct Target<'a, E> {
    pub(super) c: MatMut<'a>,
    pub(super) init: &'a Init<'a>,
    pub(super) epilogue: &'a mut E,
    /// The tiles compute C^T.
    pub(super) by_columns: bool,
    /// Whether the steps of k begin with the first and end with the last.
    pub(super) first: bool,
    pub(super) last: bool,
}

/// Sums that a buffer holds: two of the largest tiles of any token.
const BUFFER: usize = 40 * MAX_LANES;
/// Most rows of sums in a buffer: whole vectors, for turning them, and whole tiles of 6 or 8 rows.
const BUFFER_ROWS: usize = 24;

/// Elements of a C that no core has in a cache of its own.
const FAR: usize = 1 << 20;

/// Sums that cannot go straight to C.
#[repr(align(64))]
struct Buffer([f32; BUFFER]);

/// Applies an epilogue to the sums that tiles have left in a block of C that begins at (row, column).
#[inline(never)]
pub(super) fn apply_epilogue<S: Tiles, E: Epilogue>(
    simd: S,
    epilogue: &mut E,
    block: &mut MatMut<'_>,
    row: usize,
    column: usize,
) {
    simd.vectorize(
        #[inline(always)]
        || {
            for r in 0..block.rows() {
                let mut v = 0;
                while v < block.columns() {
                    let sum = part_mut(block.row_mut(r), v, S::LANES);
                    epilogue.apply(simd, simd.load(sum), row + r, column + v, sum);
                    v += S::LANES;
                }
            }
        },
    );
}

impl<'a, E: Epilogue> Target<'a, E> {
    /// Whether tiles leave their sums in a buffer, and not in C.
    #[inline(always)]
    fn needs_buffer(&self) -> bool {
        self.by_columns || (E::READS_C && self.last)
    }

    /// Whether C is too large for a cache of one core.
    #[inline(always)]
    pub(super) fn is_far(&self) -> bool {
        self.c.rows().saturating_mul(self.c.stride()) >= FAR
    }

    /// How many of these tiles [`Target::run`] can run at once.
    #[inline(always)]
    pub(super) fn tiles_at_once(&self, tiles: usize, size: Size, width: usize) -> usize {
        if self.needs_buffer() {
            let rows = (BUFFER / width.max(1)).min(BUFFER_ROWS);
            tiles.min(rows / size.rows.max(1)).max(1)
        } else if E::PLAIN || !self.last {
            tiles
        } else {
            tiles.min(TILES_PER_EPILOGUE)
        }
    }

    /// What the sums of the columns from `column` on start from, where they lie in C.
    #[inline(always)]
    pub(super) fn start(&self, column: usize, width: usize) -> Start<'a> {
        if self.first { Start::of(self.init, column, width) } else { Start::Output }
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
        if self.needs_buffer() {
            return self.run_in_buffer(simd, size, work, copy, row, column);
        }
        let width = work.right.width;
        let rows = work.tiles * size.rows;
        let mut block = self.c.block(row, column, rows, width);
        simd.run(size, work, &mut block, copy);
        if !E::PLAIN && self.last {
            apply_epilogue(simd, self.epilogue, &mut block, row, column);
        }
    }

    /// The same for tiles whose sums cannot lie in C.
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
                let mut buffer = Buffer([0.0; BUFFER]);
                let (rows, width) = (work.tiles * size.rows, work.right.width);
                let Ok(mut out) = MatMut::new(&mut buffer.0, rows, width) else { return };
                let start = self.prepare(&mut out, row, column);
                simd.run(size, &Work { start, ..*work }, &mut out, copy);
                let Ok(sums) = MatRef::new(&buffer.0, rows, width) else { return };
                if self.by_columns {
                    let squares = rows / S::LANES * S::LANES;
                    self.finish_columns(simd, sums.sub_rows(0, squares), row, column);
                    let half = simd.half();
                    self.finish_columns(half, sums.sub_rows(squares, rows), row + squares, column);
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
        match *self.init {
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
            let mut v = 0;
            while v < sums.columns() {
                let sum = part(sums.row(r), v, S::LANES);
                let c = part_mut(self.c.row_mut(row + r), column + v, sum.len());
                self.epilogue.apply(simd, simd.load(sum), row + r, column + v, c);
                v += S::LANES;
            }
        }
    }

    /// The same for sums of C^T.
    #[inline(always)]
    fn finish_columns<S: Simd>(&mut self, simd: S, sums: MatRef<'_>, row: usize, column: usize) {
        for r in (0..sums.rows()).step_by(S::LANES) {
            for j in (0..sums.columns()).step_by(S::LANES) {
                let block = sums.block(r, j, S::LANES, S::LANES);
                simd.for_each_column(
                    block,
                    #[inline(always)]
                    |i, sum| {
                        let c = part_mut(self.c.row_mut(column + j + i), row + r, block.rows());
                        self.epilogue.apply(simd, sum, column + j + i, row + r, c);
                    },
                );
            }
        }
    }
}
