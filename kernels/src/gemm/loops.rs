//! The loops around the register tile: strips of columns, tiles of rows and, where A is large, blocks of k and of A.

mod pack;
mod plan;
mod target;
mod tile;
mod tiles;

use super::{Epilogue, Init, Shape};
use crate::part::from;
use crate::view::{MatMut, MatRef};
pub(super) use pack::workspace_len;
use pack::{Packing, Space};
use plan::{PACKED_DEPTH, PANEL, PANELS, STRIP_COLUMNS, TILES_PER_SHARE};
use target::Target;
use tile::{Left, Right, Start, Work};
use tiles::{Size, Tiles};

/// Lanes of the widest vector that this target has.
const MAX_LANES: usize = if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
    16
} else if cfg!(target_os = "none") {
    1
} else {
    8
};

/// The factors as the tiles see them: `left` is broadcast, `right` lies along the vectors.
#[derive(Clone, Copy)]
struct Factors<'a> {
    left: MatRef<'a>,
    left_transposed: bool,
    right: MatRef<'a>,
    right_transposed: bool,
    rows: usize,
    columns: usize,
}

/// C = epilogue(init + op(A) op(B)); all shapes have been checked.
#[inline(always)]
pub(super) fn run<S: Tiles, E: Epilogue>(
    simd: S,
    shape: Shape,
    a: MatRef<'_>,
    b: MatRef<'_>,
    c: &mut MatMut<'_>,
    init: Init<'_>,
    workspace: &mut [f32],
    epilogue: &mut E,
) {
    let Shape { m, n, k, transpose_a, transpose_b } = shape;
    let by_columns = plan::by_columns::<S>(shape);
    let (left, left_transposed, right, right_transposed, rows, columns) = if by_columns {
        (b, !transpose_b, a, !transpose_a, n, m)
    } else {
        (a, transpose_a, b, transpose_b, m, n)
    };
    let factors = Factors { left, left_transposed, right, right_transposed, rows, columns };
    let mut target = Target { c: c.reborrow(), init, epilogue, by_columns, first: true, last: true };
    let mut space = Space::new(workspace, shape);
    // Sums can wait in C for the next block of k unless C is still needed or lies the other way round.
    let longest = if by_columns || E::READS_C { k } else { PACKED_DEPTH };
    let mut start = 0;
    loop {
        let depth = (k - start).min(longest);
        target.first = start == 0;
        target.last = start + depth == k;
        rows_of_blocks(simd, factors, &mut target, &mut space, start, depth);
        start += depth;
        if start >= k {
            return;
        }
    }
}

/// All of C over `depth` steps of k from `start` on: blocks of rows, the left factor packed where that pays, in them
/// strips of columns, the right factor packed where that pays, in them tiles.
#[inline(always)]
fn rows_of_blocks<S: Tiles, E: Epilogue>(
    simd: S,
    factors: Factors<'_>,
    target: &mut Target<'_, E>,
    space: &mut Space<'_>,
    start: usize,
    depth: usize,
) {
    let Factors { left, left_transposed, rows, columns, .. } = factors;
    let pack_left =
        left_transposed && space.holds_panels(depth) && plan::packs_left::<S>(rows, columns, depth);
    let block_rows = if pack_left { PANELS * S::ROWS } else { rows };
    let mut block = 0;
    while block < rows {
        let block_end = rows.min(block + block_rows);
        if pack_left {
            pack::panels(simd, left, block, block_end - block, start, depth, space.panels);
        }
        let panels = if pack_left { Some(&*space.panels) } else { None };
        strips(simd, factors, target, panels, &mut space.strips, block, block_end, start, depth);
        block = block_end;
    }
}

/// The rows `block..block_end` of C, strip by strip.
#[inline(always)]
fn strips<S: Tiles, E: Epilogue>(
    simd: S,
    factors: Factors<'_>,
    target: &mut Target<'_, E>,
    panels: Option<&[f32]>,
    [front, back]: &mut [&mut [f32]; 2],
    block: usize,
    block_end: usize,
    start: usize,
    depth: usize,
) {
    let Factors { right, right_transposed, rows, columns, .. } = factors;
    let packs = plan::packs_right::<S>(rows, columns, right_transposed)
        && depth.checked_mul(STRIP_COLUMNS).is_some_and(|needed| needed <= front.len());
    let width_at = |column: usize| {
        let width = plan::strip_width::<S>(rows, columns.saturating_sub(column));
        if right_transposed && !packs { width.min(S::LANES) } else { width }
    };
    if packs {
        if let Some(mut first) = Packing::new(right, right_transposed, 0, width_at(0), start, depth, front) {
            first.advance(simd, depth);
        }
    }
    let mut column = 0;
    while column < columns {
        let width = width_at(column);
        let in_place = Right { matrix: right, transposed: right_transposed, column, start, width };
        let strip = if packs { Right::packed(front, depth, width).unwrap_or(in_place) } else { in_place };
        let after = column + width;
        // The next strip is packed share by share, so that its way from memory is hidden behind the tiles.
        let mut next = if packs && after < columns {
            Packing::new(right, right_transposed, after, width_at(after), start, depth, back)
        } else {
            None
        };
        let mut row = block;
        while row < block_end {
            let left_rows = block_end - row;
            let (size, tiles, left) = match panels {
                None => {
                    let size = plan::tile_size::<S>(width, left_rows, strip.transposed);
                    let Factors { left: matrix, left_transposed: transposed, .. } = factors;
                    let left = Left { matrix, transposed, line: row, start, panels: false };
                    (size, left_rows / size.rows.max(1), left)
                }
                Some(panels) => {
                    let size = plan::tile_size::<S>(width, rows, strip.transposed);
                    let size = Size { rows: S::ROWS.min(left_rows), ..size };
                    let tiles = left_rows / size.rows.max(1);
                    let panels = from(panels, (row - block) / S::ROWS * PANEL * depth);
                    let Ok(matrix) = MatRef::new(panels, tiles * depth, PANEL) else { return };
                    (size, tiles, Left { matrix, transposed: true, line: 0, start: 0, panels: true })
                }
            };
            let mut tiles = target.tiles_at_once(tiles);
            if let Some(next) = &mut next {
                tiles = tiles.min(TILES_PER_SHARE);
                let shares = left_rows.div_ceil(size.rows.max(1) * tiles);
                next.advance(simd, next.left().div_ceil(shares.max(1)));
            }
            let work = Work { left, right: strip, depth, start: Start::Zero, tiles };
            target.run(simd, size, work, row, column);
            row += tiles * size.rows;
        }
        core::mem::swap(front, back);
        column = after;
    }
}
