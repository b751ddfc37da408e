//! Copies of parts of the factors in the caller's workspace, where they do not lie as the tiles want them.

use super::MAX_LANES;
use super::plan::{
    BLOCK_COLUMNS, BLOCK_ROWS, DEPTH, FEWEST_ROWS, HALF_A_PAGE, LeftCopy, PANEL, STRIP_COLUMNS, STRIP_DEPTH,
    strip_width,
};
use super::tile::Left;
use super::tiles::Tiles;
use crate::gemm::Shape;
use crate::gemm::transpose::transpose;
use crate::part::{from, from_mut, part, part_mut};
use crate::simd::Simd;
use crate::view::{MatMut, MatRef};

/// Bytes of a cache line, at the start of which a workspace is made to begin.
const LINE: usize = 64;

/// A caller's workspace, or none, cut into its parts.
pub(super) struct Space<'a> {
    /// Strips of columns of the right factor.
    pub(super) right: &'a mut [f32],
    /// A block of rows of the left factor.
    pub(super) left: &'a mut [f32],
}

const fn min(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// Elements from one copied row of the left factor to the next: no two of a tile meet in one set of the cache.
const fn left_stride(depth: usize) -> usize {
    depth.next_multiple_of(LINE / size_of::<f32>()) + LINE / size_of::<f32>()
}

/// Elements for a block of the left factor of a product with `rows` rows: as rows, or as panels of any token.
pub(super) const fn left_len(rows: usize, depth: usize, transposed: bool) -> usize {
    let rows = min(rows, BLOCK_ROWS);
    if transposed { rows.div_ceil(FEWEST_ROWS) * PANEL * depth } else { rows * left_stride(depth) }
}

/// Elements for the strips of a block of columns of a product with `columns` columns.
pub(super) const fn kept_len(columns: usize, depth: usize) -> usize {
    (min(columns, BLOCK_COLUMNS) + MAX_LANES) * depth
}

/// Elements for the strips of a product: one of them, or all of a block.
const fn right_len(shape: &Shape) -> usize {
    let depth = min(shape.k, DEPTH);
    let kept = if shape.m > BLOCK_ROWS && super::plan::may_copy_left(shape.m, shape.n, shape.k) {
        kept_len(shape.n, depth)
    } else {
        0
    };
    max(min(shape.k, STRIP_DEPTH) * STRIP_COLUMNS, kept)
}

/// Elements from one row of a copied strip to the next.
#[inline(always)]
pub(super) fn strip_stride<S: Simd>(width: usize) -> usize {
    width.next_multiple_of(S::LANES)
}

/// Elements of workspace for a product.
pub(in crate::gemm) const fn workspace_len(shape: &Shape) -> usize {
    let Shape { m, n, k, transpose_a, .. } = *shape;
    // A microcontroller has one level of memory and none to spare.
    if m == 0 || n == 0 || cfg!(target_os = "none") {
        return 0;
    }
    let depth = min(k, DEPTH);
    let left = if super::plan::may_copy_left(m, n, k) { left_len(m, depth, transpose_a) } else { 0 };
    right_len(shape) + left + LINE / size_of::<f32>()
}

impl<'a> Space<'a> {
    #[inline(always)]
    pub(super) fn new(workspace: &'a mut [f32], shape: &Shape) -> Self {
        let skip = workspace.as_ptr().align_offset(LINE);
        let aligned = from_mut(workspace, skip);
        let (right, left) = aligned.split_at_mut_checked(right_len(shape)).unwrap_or((&mut [], &mut []));
        Self { right, left }
    }
}

/// A copy in `space` of `rows` lines of the left factor from `left.line` on, `depth` elements of each from `left.start`
/// on, where one is wanted.
#[inline(always)]
pub(super) fn left<'a, S: Tiles>(
    simd: S,
    left: &Left<'_>,
    rows: usize,
    depth: usize,
    copy: LeftCopy,
    space: &'a mut [f32],
) -> Option<MatRef<'a>> {
    match copy {
        LeftCopy::None => None,
        LeftCopy::Rows => {
            let stride = left_stride(depth);
            copy_rows(left.matrix.block(left.line, left.start, rows, depth), space, stride);
            MatRef::with_stride(space, rows, depth, stride).ok()
        }
        LeftCopy::Panels => {
            panels(simd, left.matrix, left.line, rows, left.start, depth, space);
            MatRef::new(space, rows.div_ceil(S::ROWS) * depth, PANEL).ok()
        }
    }
}

/// Copies columns of op(B) to a strip: `source` as it is, or turned.
#[inline(always)]
pub(super) fn strip<S: Simd>(simd: S, source: MatRef<'_>, turned: bool, space: &mut [f32]) {
    let (rows, columns) =
        if turned { (source.columns(), source.rows()) } else { (source.rows(), source.columns()) };
    let stride = strip_stride::<S>(columns);
    if !turned {
        copy_rows(source, space, stride);
    } else if let Ok(mut out) = MatMut::with_stride(space, rows, columns, stride) {
        transpose(simd, source, &mut out);
    }
}

/// Rows of B that [`strips`] copies at a time.
const ROWS_OF_STRIPS: usize = 8;

/// Copies all columns of `source` to strips as a product with `rows` rows cuts them, row by row: as it lies in memory.
#[inline(never)]
pub(super) fn strips<S: Tiles>(simd: S, source: MatRef<'_>, rows: usize, space: &mut [f32]) {
    simd.vectorize(
        #[inline(always)]
        || {
            let (depth, columns) = (source.rows(), source.columns());
            for first in (0..depth).step_by(ROWS_OF_STRIPS) {
                let mut column = 0;
                while column < columns {
                    let width = strip_width::<S>(rows, columns - column);
                    let stride = strip_stride::<S>(width);
                    for r in first..depth.min(first + ROWS_OF_STRIPS) {
                        let row = part(source.row(r), column, width);
                        let out = part_mut(space, column * depth + r * stride, width);
                        let mut v = 0;
                        while v < row.len() {
                            simd.store(simd.load(from(row, v)), from_mut(out, v));
                            v += S::LANES;
                        }
                    }
                    column += width;
                }
            }
        },
    );
}

/// Copies a matrix to rows that begin `stride` elements apart.
#[inline(never)]
fn copy_rows(source: MatRef<'_>, out: &mut [f32], stride: usize) {
    for r in 0..source.rows() {
        let row = source.row(r);
        for (out, x) in part_mut(out, r * stride, row.len()).iter_mut().zip(row) {
            *out = *x;
        }
    }
}

/// Rows of A that [`panels`] copies at a time where each may lie on a page of its own, and in the same sets of the cache.
const FAR_ROWS_AT_ONCE: usize = 4;
/// The same where they lie near each other.
const ROWS_AT_ONCE: usize = 32;

/// Copies `lines` columns of A from column `line` on, `steps` elements of each, to panels of [`Tiles::ROWS`] columns:
/// within a panel the elements that a tile multiplies at one step lie side by side, [`PANEL`] from those of the next.
#[inline(never)]
fn panels<S: Tiles>(
    simd: S,
    a: &MatRef<'_>,
    line: usize,
    lines: usize,
    start: usize,
    steps: usize,
    out: &mut [f32],
) {
    let simd = simd.half();
    simd.vectorize(
        #[inline(always)]
        || {
            let at_once = if a.stride() < HALF_A_PAGE { ROWS_AT_ONCE } else { FAR_ROWS_AT_ONCE };
            for first in (0..steps).step_by(at_once) {
                let few = (steps - first).min(at_once);
                for (panel, line) in (line..line + lines).step_by(S::ROWS).enumerate() {
                    // Columns beyond the tile's complete the vectors; nobody reads them.
                    let source = a.block(start + first, line, few, PANEL);
                    let out = from_mut(out, (panel * steps + first) * PANEL);
                    for (p, out) in out.as_chunks_mut::<PANEL>().0.iter_mut().enumerate().take(few) {
                        let mut column = 0;
                        while column < PANEL {
                            let x = part(source.row(p), column, <S::Half as Simd>::LANES);
                            simd.store(simd.load(x), from_mut(out, column));
                            column += <S::Half as Simd>::LANES;
                        }
                    }
                }
            }
        },
    );
}
