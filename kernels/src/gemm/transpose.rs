//! The transpose of a matrix, by squares of one vector's length that are turned in registers.

use crate::simd::Simd;
use crate::view::{MatMut, MatRef};

/// Writes the transpose of `source` to `out`.
// One function per token, out of the way of products that need none.
#[inline(never)]
pub(super) fn transpose<S: Simd>(simd: S, source: MatRef<'_>, out: &mut MatMut<'_>) {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut row = 0;
            while row < source.rows() {
                // The last block overlaps the one before rather than being incomplete.
                let first_row = row.min(source.rows().saturating_sub(S::LANES));
                let mut column = 0;
                while column < source.columns() {
                    let first_column = column.min(source.columns().saturating_sub(S::LANES));
                    let block = source.block(first_row, first_column, S::LANES, S::LANES);
                    let mut out = out.block(first_column, first_row, S::LANES, S::LANES);
                    simd.for_each_column(
                        block,
                        #[inline(always)]
                        |p, v| simd.store(v, out.row_mut(p)),
                    );
                    column += S::LANES;
                }
                row += S::LANES;
            }
        },
    );
}
