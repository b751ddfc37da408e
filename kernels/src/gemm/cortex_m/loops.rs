//! The loops around the assembly of Cortex-M: columns, rows, blocks of k. No operand is packed.
//!
//! What is left at the edges of C is computed by a full tile that begins further up or left and whose
//! finished elements are dropped: chains do not know of each other, so the bits are the same, and an edge is
//! as fast as the rest.

mod factor;
mod row;
mod tile;

use core::slice::from_mut;

use super::{Epilogue, Init, K_BLOCK, Shape};
use crate::part::{from, part_mut};
use crate::simd::Scalar;
use crate::{MatMut, MatRef};
use factor::Factor;

/// Nothing is packed.
pub(super) const fn workspace_len(_: &Shape) -> usize {
    0
}

/// The elements of C that are computed together, row by row: as many as fit into half of the registers, or
/// fewer.
type Sums = [f32; 16];

/// Runs a product whose operands have been checked.
pub(super) fn run<E: Epilogue>(
    simd: Scalar,
    shape: &Shape,
    a: &MatRef<'_>,
    b: &MatRef<'_>,
    c: &mut MatMut<'_>,
    init: &Init<'_>,
    _: &mut [f32],
    epilogue: &mut E,
) {
    let Shape { m, n, k, transpose_a, transpose_b } = *shape;
    let product = Product::new(Factor::new(*a, transpose_a, k), Factor::new(*b, !transpose_b, k), *init);
    let Product { height, width, .. } = product;
    let mut sums = [0.0; 16];
    for column in (0..n).step_by(width) {
        let left = column.min(n - width);
        for row in (0..m).step_by(height) {
            let top = row.min(m - height);
            product.compute(top, left, c, &mut sums);
            if (height, width, top, left) == (4, 4, row, column)
                && let Some(out) = c.tile_mut::<4, 4>(row, column)
            {
                for (r, (out, sums)) in out.into_iter().zip(sums.as_chunks::<4>().0).enumerate() {
                    for j in 0..4 {
                        epilogue.apply(simd, sums[j], row + r, column + j, from_mut(&mut out[j]));
                    }
                }
                continue;
            }
            for row in row..top + height {
                let sums = from(&sums, (row - top) * width + (column - left));
                let out = part_mut(c.row_mut(row), column, left + width - column);
                for (j, (out, sum)) in out.iter_mut().zip(sums).enumerate() {
                    epilogue.apply(simd, *sum, row, column + j, from_mut(out));
                }
            }
        }
    }
}

/// init + op(A) op(B), computed `height` rows and `width` columns at a time.
struct Product<'a> {
    rows: Factor<'a>,
    columns: Factor<'a>,
    init: Init<'a>,
    steps: usize,
    height: usize,
    width: usize,
}

impl<'a> Product<'a> {
    fn new(rows: Factor<'a>, columns: Factor<'a>, init: Init<'a>) -> Self {
        let (height, width) = if rows.count().min(columns.count()) >= 4 {
            (4, 4)
        } else if rows.count() < columns.count() {
            (1, row::many(&columns))
        } else {
            (row::many(&rows), 1)
        };
        Self { steps: rows.steps(), rows, columns, init, height, width }
    }

    /// The elements from (top, left) on. Without a step of k those of `total` stay, which begin as zeros.
    #[inline(always)]
    fn compute(&self, top: usize, left: usize, c: &mut MatMut<'_>, total: &mut Sums) {
        self.block(top, left, 0, total);
        if !matches!(self.init, Init::Zero) {
            self.add_init(top, left, c, total);
        }
        if self.steps > K_BLOCK {
            self.add_blocks(top, left, total);
        }
    }

    /// Adds what the first block of k is added to.
    // Functions that are not inlined are shared by all epilogues.
    #[inline(never)]
    fn add_init(&self, top: usize, left: usize, c: &mut MatMut<'_>, total: &mut Sums) {
        if self.steps == 0 {
            // Without a sum the initial value passes as it is: x + -0 is x, also where x is a zero.
            *total = [-0.0; 16];
        }
        if self.height == 4 && self.width == 4 {
            let before = match self.init {
                Init::Zero => None,
                Init::Accumulate => c.tile_mut::<4, 4>(top, left).map(|[a, b, c, d]| [&*a, &*b, &*c, &*d]),
                Init::Bias(bias) => from(bias, left).first_chunk().map(|row| [row; 4]),
            };
            for (total, before) in total.as_chunks_mut::<4>().0.iter_mut().zip(before.iter().flatten()) {
                for i in 0..4 {
                    total[i] += before[i];
                }
            }
            return;
        }
        for r in 0..self.height {
            let before = match self.init {
                Init::Zero => &[],
                Init::Accumulate => from(c.row(top + r), left),
                Init::Bias(bias) => from(bias, left),
            };
            let total = part_mut(total, r * self.width, self.width);
            for (total, before) in total.iter_mut().zip(before) {
                *total += *before;
            }
        }
    }

    /// Adds the blocks of k after the first.
    #[inline(never)]
    fn add_blocks(&self, top: usize, left: usize, total: &mut Sums) {
        for start in (K_BLOCK..self.steps).step_by(K_BLOCK) {
            let mut sums = [0.0; 16];
            self.block(top, left, start, &mut sums);
            for (total, sum) in total.iter_mut().zip(sums) {
                *total += sum;
            }
        }
    }

    /// The chains of the block of k that begins at `start`. Writes nothing where there is no such block.
    #[inline(always)]
    fn block(&self, top: usize, left: usize, start: usize, sums: &mut Sums) {
        let (rows, columns) = (&self.rows, &self.columns);
        if self.height == 4 && self.width == 4 {
            tile::sums(rows, top, columns, left, start, sums);
        } else if self.height == 1 {
            row::sums(rows, top, columns, left, self.width, start, sums);
        } else {
            row::sums(columns, left, rows, top, self.height, start, sums);
        }
    }
}
