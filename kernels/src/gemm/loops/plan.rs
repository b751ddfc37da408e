//! How a product is cut: which operand lies along the vectors, which strips and tiles, what is packed.
//!
//! None of this shows in a bit; all of it is chosen from the shape and from what a token can hold.

use super::MAX_LANES;
use super::tile::Edge;
use super::tiles::{Size, Tiles};
use crate::gemm::{K_BLOCK, Shape};

/// Most steps of k for which a strip of op(B) is packed whole. It then has to stay in the second-level cache.
pub(super) const PACKED_DEPTH: usize = 2048;
/// Panels of A that are packed at a time: MC = PANELS x MR rows. Many, as each block of rows reads all of B again.
pub(super) const PANELS: usize = 128;
/// Fewest rows of a panel: [`Tiles::ROWS`] of the token that has the fewest.
pub(super) const FEWEST_ROWS: usize = 4;
/// Elements from one step of a panel to the next: the most rows of a tile, whole vectors of any token.
pub(super) const PANEL: usize = 8;
/// Columns of the widest strip that is packed.
pub(super) const STRIP_COLUMNS: usize = if MAX_LANES > 8 { 40 } else { 2 * MAX_LANES };

/// Whether a factor is worth packing, or C is computed by its columns; else both factors are used where they lie.
#[inline(always)]
pub(super) fn packs<S: Tiles>(shape: Shape) -> bool {
    let Shape { m, n, k, transpose_a, transpose_b } = shape;
    transpose_b
        || k > PACKED_DEPTH
        || (transpose_a && packs_left::<S>(m, n, k))
        || packs_right::<S>(m, n, false)
        || by_columns::<S>(shape)
}

/// Whether C is computed by its columns, as C^T = op(B)^T op(A)^T: the vectors then run along m instead of n.
///
/// Compared are estimates in the time of one multiply-add of vectors: the multiply-adds with their unused lanes, the
/// transposition of the operand that lies across the vectors, and that of C.
pub(super) fn by_columns<S: Tiles>(shape: Shape) -> bool {
    let Shape { m, n, k, transpose_a, transpose_b } = shape;
    // Nothing to gain where the other way neither wastes a lane nor transposes.
    if S::LANES < 4 || (!transpose_b && n % <S::Half as crate::simd::Simd>::LANES == 0) {
        return false;
    }
    let cost = |rows: usize, columns: usize, transposed: bool, turned: bool| {
        let vectors = half_vectors::<S>(columns) as f32 / 2.0;
        // An element of the other factor is broadcast for each row of each strip.
        let strips = columns.div_ceil(S::VECTORS * S::LANES) as f32;
        let multiply = rows as f32 * vectors.max(BROADCAST * strips) * k as f32;
        let lanes = S::LANES as f32;
        let pack = if transposed { PACK / lanes * (columns * k) as f32 } else { 0.0 };
        let turn = if turned { TURN / lanes * (rows * columns) as f32 } else { 0.0 };
        multiply + pack + turn
    };
    cost(n, m, !transpose_a, true) < cost(m, n, transpose_b, false)
}

/// What a broadcast takes, in multiply-adds.
const BROADCAST: f32 = 0.7;
/// What the transposition of a vector of an operand takes, in multiply-adds.
const PACK: f32 = 3.0;
/// What the transposition of a vector of C and its way over a buffer take.
const TURN: f32 = 16.0;

/// Half vectors that hold this many columns, with halves only where the token has them.
fn half_vectors<S: Tiles>(columns: usize) -> usize {
    let half = <S::Half as crate::simd::Simd>::LANES;
    columns.div_ceil(half) * if half < S::LANES { 1 } else { 2 }
}

/// Fewest elements of a transposed A that is worth copying to panels with any token, see [`Tiles::LARGE`].
const LARGE: usize = 1 << 16;

/// Whether a transposed A may be worth copying to panels: where it is large, its rows lie on too many pages and in too
/// few sets of the cache.
pub(super) const fn large(m: usize, k: usize) -> bool {
    k > K_BLOCK && m.saturating_mul(k) >= LARGE
}

/// Whether it is: each of its elements then has to be used often enough.
pub(super) fn packs_left<S: Tiles>(rows: usize, columns: usize, depth: usize) -> bool {
    large(rows, depth)
        && rows.saturating_mul(depth) >= S::LARGE
        && rows >= 4 * S::ROWS
        && columns >= 8 * S::LANES
}

/// Whether strips of op(B) are packed: where they lie across the vectors, or their rows far apart, and are read often.
#[inline(always)]
pub(super) fn packs_right<S: Tiles>(rows: usize, columns: usize, transposed: bool) -> bool {
    if transposed { rows > S::ROWS } else { columns >= 512 && rows >= 16 * S::ROWS }
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

/// The same where op(B) is turned on the way, in vectors of half the width.
#[inline(always)]
pub(super) fn turned_width<S: Tiles>(rows: usize, left: usize) -> usize {
    let lanes = <S::Half as crate::simd::Simd>::LANES;
    let most = match rows {
        1 => 4,
        2..=4 => 2,
        _ => 1,
    };
    match left / lanes {
        0 => left,
        vectors if vectors >= most => most * lanes,
        2..=3 => 2 * lanes,
        _ => lanes,
    }
}

/// The size of the next tiles in a strip of this width and how many there are of them, of `left` rows that are left.
#[inline(always)]
pub(super) fn tiles<S: Tiles>(width: usize, left: usize, transposed: bool) -> (Size, usize) {
    let half = <S::Half as crate::simd::Simd>::LANES;
    let lanes = if transposed { half } else { S::LANES };
    let (full, rest) = (width / lanes, width % lanes);
    let (vectors, edge) = if rest == 0 {
        (full, Edge::Full)
    } else if rest <= half && half < S::LANES && full <= S::VECTORS && !transposed {
        (full, Edge::Half)
    } else {
        (full + 1, Edge::Part)
    };
    let most = if transposed {
        if vectors == 1 { S::ROWS } else { 4 }
    } else if vectors > S::VECTORS {
        3
    } else if vectors == 1 && edge != Edge::Half {
        S::NARROW_ROWS
    } else {
        S::ROWS
    };
    let (rows, tiles) = if left <= most { (left, 1) } else { evenly(left, left.div_ceil(most)) };
    (Size { rows, vectors, edge }, tiles)
}

/// The size of the larger pieces, and their number, where `length` is cut to `pieces` as even as can be: none is then
/// too short to hide the latency.
#[inline(always)]
fn evenly(length: usize, pieces: usize) -> (usize, usize) {
    let pieces = pieces.max(1);
    match length % pieces {
        0 => (length / pieces, pieces),
        larger => (length / pieces + 1, larger),
    }
}
