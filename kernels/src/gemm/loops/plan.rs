//! How a product is cut: which operand lies along the vectors, which strips and tiles, what is packed.
//!
//! None of this shows in a bit; all of it is chosen from the shape and from what a token can hold.

use super::MAX_LANES;
use super::tile::Edge;
use super::tiles::{Size, Tiles};
use crate::gemm::{K_BLOCK, Shape};
use crate::view::MatRef;

/// Steps of k in a block, KC, where the left factor is copied: a block of the definition. A strip of op(B) then stays in
/// the first-level cache, and a block of A has many rows, so that the strips pass it rarely.
pub(super) const DEPTH: usize = K_BLOCK;
/// The same where strips of the right factor alone are copied: each then stays in the second-level cache, and C is read
/// and written less often.
pub(super) const LONG_DEPTH: usize = 4 * K_BLOCK;
/// Elements in a block of the left factor where it is copied: it has to stay in the second-level cache.
const BLOCK: usize = 48 * 1024;
/// Columns of op(B) of which copies are kept, NC: whole strips of any token.
pub(super) const BLOCK_COLUMNS: usize = 2048;
/// Most steps of k for which a strip is copied where they cannot be cut into blocks.
pub(super) const STRIP_DEPTH: usize = 2048;
/// Fewest rows of a panel: [`Tiles::ROWS`] of the token that has the fewest.
pub(super) const FEWEST_ROWS: usize = 4;
/// Elements from one step of a panel to the next: the most rows of a tile, whole vectors of any token.
pub(super) const PANEL: usize = 8;
/// Columns of the widest strip that is copied, the last vector complete.
pub(super) const STRIP_COLUMNS: usize = if MAX_LANES > 8 { 48 } else { 2 * MAX_LANES };
/// Fewest rows for which op(B) is turned in the workspace, and not on the way into the registers; more than have wide tiles.
const FEWEST_TO_TURN: usize = 4;
/// Elements from one row to the next from which on two rows at most share a page, and few sets of the first-level cache
/// hold all rows of a strip.
pub(super) const HALF_A_PAGE: usize = 512;
/// Fewest rows of a product for which strips are copied by themselves, and not by the first tile that reads them.
pub(super) const MANY_ROWS: usize = 384;
/// Tiles one below the other from which on a copied strip is always worth it.
const MANY_TILES: usize = 24;
/// Fewest tiles one below the other for which a factor is copied.
const FEWEST_TILES: usize = 4;
/// Elements from the first to the last of a factor beyond which its rows lie on more pages than the processor has at
/// hand (64 of 4 KiB in the first level of all of today's).
const FAR_APART: usize = 64 * 1024;
/// The same for a left factor that is gone from the second-level cache when the next strip reads it.
const GONE: usize = 8 * FAR_APART;

/// Rows in a block where the left factor is copied, MC: whole tiles of any token. No copy is deeper than DEPTH.
pub(super) const BLOCK_ROWS: usize = BLOCK / DEPTH / 24 * 24;

/// How a block of the left factor is copied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftCopy {
    /// Not at all.
    None,
    /// Row by row.
    Rows,
    /// Where it is stored transposed: in panels.
    Panels,
}

/// Whether a factor may be worth copying, or C is computed by its columns; else both factors are used where they lie.
#[inline(always)]
pub(super) fn packs<S: Tiles>(shape: &Shape, a: &MatRef<'_>, b: &MatRef<'_>) -> bool {
    let Shape { m, n, k, transpose_a, transpose_b } = *shape;
    transpose_b
        || (m >= FEWEST_TILES * S::ROWS
            && (copies_right::<S>(b, false, m, k)
                || left_copy::<S>(a, transpose_a, m, n, k) != LeftCopy::None))
        || by_columns::<S>(shape)
}

/// Whether C is computed by its columns, as C^T = op(B)^T op(A)^T: the vectors then run along m instead of n.
///
/// Compared are estimates in the time of one multiply-add of vectors: the multiply-adds with their unused lanes, the
/// transposition of the operand that lies across the vectors, and that of C.
#[inline(always)]
pub(super) fn by_columns<S: Tiles>(shape: &Shape) -> bool {
    // Nothing to gain where the other way neither wastes a lane nor transposes.
    let nothing = !shape.transpose_b && shape.n.is_multiple_of(<S::Half as crate::simd::Simd>::LANES);
    S::LANES >= 4 && !nothing && is_cheaper_by_columns::<S>(shape)
}

fn is_cheaper_by_columns<S: Tiles>(shape: &Shape) -> bool {
    let Shape { m, n, k, transpose_a, transpose_b } = *shape;
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
const TURN: f32 = 40.0;

/// Half vectors that hold this many columns, with halves only where the token has them.
fn half_vectors<S: Tiles>(columns: usize) -> usize {
    let half = <S::Half as crate::simd::Simd>::LANES;
    columns.div_ceil(half) * if half < S::LANES { 1 } else { 2 }
}

/// Fewest elements of a factor that is worth copying with any token.
const LARGE: usize = 1 << 14;

/// Whether a block of the left factor may be worth copying with some token.
pub(super) const fn may_copy_left(rows: usize, columns: usize, k: usize) -> bool {
    columns >= 64 && rows.saturating_mul(k) >= LARGE
}

/// How blocks of the left factor are copied: where it is too large for a cache, or lies across what a tile reads, and each
/// of its elements is used often enough.
#[inline(always)]
pub(super) fn left_copy<S: Tiles>(
    left: &MatRef<'_>,
    transposed: bool,
    rows: usize,
    columns: usize,
    k: usize,
) -> LeftCopy {
    if rows < FEWEST_TILES * S::ROWS
        || columns < 8 * S::VECTORS * S::LANES
        || !may_copy_left(rows, columns, k)
    {
        LeftCopy::None
    } else if transposed {
        if k > K_BLOCK { LeftCopy::Panels } else { LeftCopy::None }
    } else if rows.saturating_mul(left.stride()) >= GONE {
        LeftCopy::Rows
    } else {
        LeftCopy::None
    }
}

/// Whether strips of the right factor are copied: where they lie across the vectors, or their rows so far apart that
/// they leave a cache before the next tile reads them, and there are enough tiles.
#[inline(always)]
pub(super) fn copies_right<S: Tiles>(right: &MatRef<'_>, transposed: bool, rows: usize, k: usize) -> bool {
    if transposed {
        return rows >= FEWEST_TO_TURN;
    }
    let stride = right.stride();
    let many = rows >= MANY_TILES * S::ROWS;
    // Few tiles read a strip that has been asked for in less time where it lies than they and its copy take.
    let far_apart = if S::ASKS_AHEAD && !many { 4 * FAR_APART } else { FAR_APART };
    (rows >= FEWEST_TILES * S::ROWS && k.saturating_mul(stride) > far_apart)
        || (many && stride >= HALF_A_PAGE)
}

/// Whether a factor, or the part of it that a product reads, may have left the second-level cache since it was last used.
#[inline(always)]
pub(super) fn may_be_away(lines: usize, depth: usize) -> bool {
    lines.saturating_mul(depth) >= LARGE
}

/// Fewest steps of k for which the next strip is asked for.
const FEWEST_STEPS: usize = 128;

/// Whether the tiles of a strip ask for the next one, which begins at column `next`: where it is a whole one, and there are
/// enough tiles and steps for all of it.
#[inline(always)]
pub(super) fn asks_ahead<S: Tiles>(rows: usize, columns: usize, next: usize, depth: usize) -> bool {
    S::ASKS_AHEAD
        && may_be_away(columns, depth)
        && columns >= next + S::VECTORS * S::LANES
        && rows >= FEWEST_TILES * S::ROWS
        && depth >= FEWEST_STEPS
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

/// The same where op(B) is turned on the way, in vectors of half the width. As many of its rows are read at a time as a
/// strip has columns; where all meet in one or two sets of the first-level cache, that holds 8 or 16 of them.
#[inline(always)]
pub(super) fn turned_width<S: Tiles>(rows: usize, left: usize, stride: usize) -> usize {
    let lanes = <S::Half as crate::simd::Simd>::LANES;
    let in_cache = match stride {
        stride if stride.is_multiple_of(2 * HALF_A_PAGE) => 1,
        stride if stride.is_multiple_of(HALF_A_PAGE) => 2,
        _ => 4,
    };
    let chains = match rows {
        1 => 4,
        2..=4 => 2,
        _ => 1,
    };
    let most = chains.min(in_cache);
    match left / lanes {
        0 => left,
        vectors if vectors >= most => most * lanes,
        2..=3 => 2 * lanes,
        _ => lanes,
    }
}

/// The size of the next tiles in a strip of this width and how many there are of them, of `left` rows that are left. In
/// panels all but the last have as many rows as a panel.
#[inline(always)]
pub(super) fn tiles<S: Tiles>(width: usize, left: usize, transposed: bool, panels: bool) -> (Size, usize) {
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
    let (rows, tiles) = if panels {
        let rows = left.min(S::ROWS);
        (rows, left / rows.max(1))
    } else if left <= most {
        (left, 1)
    } else {
        evenly(left, left.div_ceil(most))
    };
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
