//! How a product is cut: which operand lies along the vectors, which strips and tiles, what is packed.
//!
//! None of this shows in a bit; all of it is chosen from the shape and from what a token can hold.

use super::MAX_LANES;
use super::tile::Edge;
use super::tiles::{Size, Tiles};
use crate::gemm::{K_BLOCK, Shape};

/// Most steps of k for which a strip of op(B) is packed whole. It then has to stay in the second-level cache.
pub(super) const PACKED_DEPTH: usize = 1024;
/// Rows of A that are packed at a time where A is too large for the second-level cache (MC).
pub(super) const ROW_BLOCK: usize = 256;
/// Columns of the widest strip that is packed.
pub(super) const STRIP_COLUMNS: usize = if MAX_LANES > 8 { 40 } else { 2 * MAX_LANES };

/// Whether C is computed by its columns, as C^T = op(B)^T op(A)^T: the vectors then run along m instead of n.
///
/// Compared are estimates of cycles on a CPU that multiplies one vector per cycle: the multiply-adds with their
/// unused lanes, the transposition of the operand that lies across the vectors, and that of C.
pub(super) fn by_columns<S: Tiles>(shape: Shape) -> bool {
    let Shape { m, n, k, transpose_a, transpose_b } = shape;
    if S::LANES < 4 {
        return false;
    }
    let cycles = |rows: usize, columns: usize, transposed: bool, turned: bool| {
        let vectors = half_vectors::<S>(columns) as f32 / 2.0;
        let multiply = rows as f32 * vectors * k as f32;
        let lanes = S::LANES as f32;
        let pack = if transposed { 3.0 / lanes * (columns * k) as f32 } else { 0.0 };
        let turn = if turned { 6.0 / lanes * (rows * columns) as f32 } else { 0.0 };
        multiply + pack + turn
    };
    cycles(n, m, !transpose_a, true) < 0.9 * cycles(m, n, transpose_b, false)
}

/// Half vectors that hold this many columns, with halves only where the token has them.
fn half_vectors<S: Tiles>(columns: usize) -> usize {
    let half = <S::Half as crate::simd::Simd>::LANES;
    columns.div_ceil(half) * if half < S::LANES { 1 } else { 2 }
}

/// Whether A may be worth copying to panels, block by block: where it is large, its rows lie on too many pages and in
/// too few sets of the cache.
pub(super) const fn large(m: usize, k: usize) -> bool {
    k > K_BLOCK && m.saturating_mul(k) >= 1 << 18
}

/// Whether it is: each of its elements then has to be used often enough.
pub(super) fn in_blocks<S: Tiles>(m: usize, n: usize, k: usize) -> bool {
    large(m, k) && m >= 4 * S::ROWS && n >= 8 * S::LANES
}

/// Whether the first tile of a strip should copy op(B)'s rows for the tiles below it: where the rows lie far apart and
/// are read often.
pub(super) fn copies<S: Tiles>(rows: usize, columns: usize) -> bool {
    columns >= 512 && rows >= 16 * S::ROWS
}

/// Columns of the next strip, of `left` that are left, where the product has `rows` rows.
#[inline(always)]
pub(super) fn strip_width<S: Tiles>(rows: usize, left: usize) -> usize {
    if let Some(widest) = rows.checked_sub(1).and_then(|row| S::WIDE.get(row)) {
        // Few rows: as many vectors as it takes, evenly.
        let vectors = left.div_ceil(S::LANES);
        let strips = vectors.div_ceil((*widest).max(1)).max(1);
        return left.min(vectors.div_ceil(strips) * S::LANES);
    }
    let half = <S::Half as crate::simd::Simd>::LANES;
    let full = S::VECTORS * S::LANES;
    if half < S::LANES && left <= full + half { left } else { left.min(full) }
}

/// The size of the next tile in a strip of this width, of `left` rows that are left.
#[inline(always)]
pub(super) fn tile_size<S: Tiles>(width: usize, left: usize, transposed: bool) -> Size {
    let half = <S::Half as crate::simd::Simd>::LANES;
    let (full, rest) = (width / S::LANES, width % S::LANES);
    let (vectors, edge) = if rest == 0 {
        (full, Edge::Full)
    } else if rest <= half && half < S::LANES && full <= S::VECTORS && !transposed {
        (full, Edge::Half)
    } else {
        (full + 1, Edge::Part)
    };
    let most = if vectors > S::VECTORS {
        3
    } else if vectors == 1 && edge != Edge::Half && !transposed {
        S::NARROW_ROWS
    } else {
        S::ROWS
    };
    // The last two tiles share what is left, so that none is too short to hide the latency.
    let rows = if left <= most {
        left
    } else if left < 2 * most {
        left.div_ceil(2)
    } else {
        most
    };
    Size { rows, vectors, edge, copy: false }
}
