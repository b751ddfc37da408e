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
            if rows < S::LANES || columns < 4 {
                return one_by_one(source, out, 0);
            }
            let mut row = 0;
            while row < rows {
                // The last rows overlap those before rather than being too few for a vector.
                let first = row.min(rows - S::LANES);
                let source = source.block(first, 0, S::LANES, columns);
                turn_rows(simd, source, &mut out.block(0, first, columns, S::LANES));
                row += S::LANES;
            }
            one_by_one(source, out, columns / 4 * 4);
        },
    );
}

/// The same for the first columns, whole quadruples of them, of as many rows as a vector has lanes.
#[inline(always)]
fn turn_rows<S: Simd>(simd: S, source: MatRef<'_>, out: &mut MatMut<'_>) {
    let quads = source.columns() / 4;
    let (Some(source), Some(mut out)) = (source.quads::<true>(S::LANES), out.tiles::<4>(S::LANES, quads))
    else {
        return;
    };
    for (t, quad) in source.opaque().enumerate() {
        let columns = simd.transpose(
            #[inline(always)]
            |r| quad.row(r),
        );
        if let Some(mut out) = out.tile(t) {
            for p in 0..4 {
                simd.store(columns[p], out.row_mut(p));
            }
        }
    }
}

/// The same for the columns from `column` on, element by element.
#[inline(always)]
fn one_by_one(source: MatRef<'_>, out: &mut MatMut<'_>, column: usize) {
    for c in column..source.columns() {
        for (r, out) in out.row_mut(c).iter_mut().enumerate() {
            *out = source.row(r).get(c).copied().unwrap_or(0.0);
        }
    }
}
