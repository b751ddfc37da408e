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
            let (rows, columns) = (source.rows(), source.columns());
            if columns < 4 {
                return one_by_one(source, out);
            }
            let mut row = 0;
            while row < rows {
                // The last rows overlap those before rather than being too few for a vector.
                let first = row.min(rows.saturating_sub(S::LANES));
                let source = source.sub_rows(first, first + S::LANES);
                let mut out = out.block(0, first, columns, S::LANES);
                turn_rows(simd, source, &mut out);
                if columns % 4 != 0 {
                    // So do the last columns.
                    let source = source.sub_columns(columns - 4, columns);
                    turn_rows(simd, source, &mut out.block(columns - 4, 0, 4, S::LANES));
                }
                row += S::LANES;
            }
        },
    );
}

/// The same for a row of squares: at most as many rows as a vector has lanes, whole quadruples of columns.
#[inline(always)]
fn turn_rows<S: Simd>(simd: S, source: MatRef<'_>, out: &mut MatMut<'_>) {
    if source.rows() == S::LANES {
        turn_quads::<S, true>(simd, source, out, S::LANES);
    } else {
        turn_quads::<S, false>(simd, source, out, source.rows());
    }
}

/// The same; unless WHOLE, with a number of rows that is no constant.
#[inline(always)]
fn turn_quads<S: Simd, const WHOLE: bool>(simd: S, source: MatRef<'_>, out: &mut MatMut<'_>, rows: usize) {
    let quads = source.columns() / 4;
    let (Some(source), Some(mut out)) = (source.quads::<WHOLE>(rows), out.tiles::<4>(rows, quads)) else {
        return;
    };
    for (t, quad) in source.opaque().enumerate() {
        let columns = simd.transpose(
            #[inline(always)]
            |r| quad.row(r),
        );
        let mut rows = out.tile(t);
        for p in 0..4 {
            simd.store(columns[p], rows.next_row());
        }
    }
}

/// The same element by element.
#[inline(always)]
fn one_by_one(source: MatRef<'_>, out: &mut MatMut<'_>) {
    for r in 0..source.rows() {
        for (c, x) in source.row(r).iter().enumerate() {
            if let Some(out) = out.row_mut(c).get_mut(r) {
                *out = *x;
            }
        }
    }
}
