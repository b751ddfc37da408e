//! The loops around the assembly of Cortex-M: blocks of k, columns, rows. No operand is packed.
//!
//! What is left at the edges of C is computed by a full tile that begins further up or left and whose finished sums are
//! dropped: chains do not know of each other, so the bits are the same, and an edge is as fast as the rest.

mod factor;
mod row;
mod tile;

use super::{Epilogue, Init, K_BLOCK, Shape};
use crate::part::{from, part, part_mut};
use crate::simd::Scalar;
use crate::{MatMut, MatRef};
use factor::Factor;

/// Columns of op(B) that the workspace holds.
pub(super) const PACKED_COLUMNS: usize = 0;

/// Sums that fit into the registers.
const MOST: usize = 16;

/// Runs a product whose operands have been checked.
pub(super) fn run<E: Epilogue>(
    simd: Scalar,
    shape: Shape,
    a: MatRef<'_>,
    b: MatRef<'_>,
    c: &mut MatMut<'_>,
    init: Init<'_>,
    _: &mut [f32],
    epilogue: &mut E,
) {
    let Shape { m, n, k, transpose_a, transpose_b } = shape;
    // Without a step of k the sums stay zero.
    let mut sums = [0.0; MOST];
    let mut start = 0;
    loop {
        let depth = (k - start).min(K_BLOCK);
        let rows = Factor::new(a, transpose_a, start, depth);
        let columns = Factor::new(b, !transpose_b, start, depth);
        let last = start + depth == k;
        let mut finish =
            Finish { simd, c, start: Start { init, first: start == 0, last, empty: k == 0 }, epilogue };
        let (height, width) = size(&rows, &columns);
        for column in (0..n).step_by(width) {
            let left = column.min(n - width);
            for row in (0..m).step_by(height) {
                let top = row.min(m - height);
                if height == 4 && width == 4 {
                    tile::sums(&rows, top, &columns, left, &mut sums);
                } else if height == 1 {
                    row::sums(&rows, top, &columns, left, width, &mut sums);
                } else {
                    row::sums(&columns, left, &rows, top, height, &mut sums);
                }
                if height == 4 && width == 4 && top == row && left == column {
                    finish.tile(row, column, &sums);
                    continue;
                }
                for r in row..top + height {
                    let sums = from(&sums, (r - top) * width + (column - left));
                    finish.row(r, column, part(sums, 0, left + width - column));
                }
            }
        }
        start += depth;
        if last {
            return;
        }
    }
}

/// Rows and columns of C that are computed together.
fn size(rows: &Factor<'_>, columns: &Factor<'_>) -> (usize, usize) {
    if rows.count().min(columns.count()) >= 4 {
        (4, 4)
    } else if rows.count() < columns.count() {
        (1, row::many(columns))
    } else {
        (row::many(rows), 1)
    }
}

/// Adds the sums of a block of k to what came before, and ends with the epilogue.
struct Finish<'a, 'c, E> {
    simd: Scalar,
    c: &'a mut MatMut<'c>,
    start: Start<'a>,
    epilogue: &'a mut E,
}

struct Start<'a> {
    init: Init<'a>,
    /// The block is the first.
    first: bool,
    /// The block is the last.
    last: bool,
    /// There is no step of k, hence no sum.
    empty: bool,
}

impl<E: Epilogue> Finish<'_, '_, E> {
    /// 4 x 4 elements of C.
    #[inline(always)]
    fn tile(&mut self, row: usize, column: usize, sums: &[f32; MOST]) {
        let Some(out) = self.c.tile_mut::<4, 4>(row, column) else { return };
        for (r, (out, sums)) in out.into_iter().zip(sums.as_chunks::<4>().0).enumerate() {
            *out = totals(self.simd, *out, *sums, row + r, column, &self.start, self.epilogue);
        }
    }

    /// Consecutive elements of a row of C. Not inlined, which would unroll it into much code for the edges alone.
    #[inline(never)]
    fn row(&mut self, row: usize, column: usize, sums: &[f32]) {
        let out = part_mut(self.c.row_mut(row), column, sums.len());
        for (i, (out, sum)) in out.iter_mut().zip(sums).enumerate() {
            [*out] = totals(self.simd, [*out], [*sum], row, column + i, &self.start, self.epilogue);
        }
    }
}

#[inline(always)]
fn totals<E: Epilogue, const N: usize>(
    simd: Scalar,
    out: [f32; N],
    sums: [f32; N],
    row: usize,
    column: usize,
    start: &Start<'_>,
    epilogue: &mut E,
) -> [f32; N] {
    let before = match start.init {
        _ if !start.first => Some(out),
        Init::Zero => None,
        Init::Accumulate => Some(out),
        Init::Bias(bias) => from(bias, column).first_chunk().copied(),
    };
    let mut totals = sums;
    if let Some(before) = before {
        for i in 0..N {
            // Without a sum the initial value passes as it is, sign of zero included.
            totals[i] = if start.empty { before[i] } else { before[i] + sums[i] };
        }
    }
    if start.last {
        for i in 0..N {
            totals[i] = epilogue.apply(simd, totals[i], row, column + i, 1);
        }
    }
    totals
}
