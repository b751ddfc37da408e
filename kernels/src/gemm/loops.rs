//! The loops around the register tile: strips of columns, in them tiles of rows.

mod ahead;
mod pack;
mod packed;
mod plan;
mod target;
mod tile;
mod tiles;

use super::{Epilogue, Init, Shape};
use crate::view::{MatMut, MatRef};
use ahead::Ahead;
pub(super) use pack::workspace_len;
use target::Target;
use tile::{Left, Right, Start, Work};
use tiles::Tiles;

/// Lanes of the widest vector that this target has.
const MAX_LANES: usize = if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
    16
} else if cfg!(target_os = "none") {
    1
} else {
    8
};

/// C = epilogue(init + op(A) op(B)); all shapes have been checked.
#[inline(always)]
pub(super) fn run<S: Tiles, E: Epilogue>(
    simd: S,
    shape: &Shape,
    a: &MatRef<'_>,
    b: &MatRef<'_>,
    c: &mut MatMut<'_>,
    init: &Init<'_>,
    workspace: &mut [f32],
    epilogue: &mut E,
) {
    if E::READS_C || plan::packs::<S>(shape, a, b) {
        let mut target =
            Target { c: c.reborrow(), init, epilogue, by_columns: false, first: true, last: true };
        return packed::run(simd, shape, a, b, &mut target, workspace);
    }
    // The loops of `packed::run` and `tiles_of_strip` once more, without the blocks, copies and choices that factors in
    // place do not need. The smallest products would notice those: of the instructions of 8 x 8 x 8, less than a tenth
    // are its arithmetic as it is.
    let mut column = 0;
    while column < shape.n {
        let width = plan::strip_width::<S>(shape.m, shape.n - column);
        let start = Start::of(init, column, width);
        let right = Right { matrix: b, transposed: false, column, start: 0, width };
        let next = column + width;
        let asks = plan::asks_ahead::<S>(shape.m, shape.n, next, shape.k);
        let ahead = asks.then(
            #[inline(always)]
            || Ahead::columns::<S>(b, 0, next),
        );
        let mut row = 0;
        while row < shape.m {
            let (size, tiles) = plan::tiles::<S>(width, shape.m - row, false, false);
            let tiles = if E::PLAIN { tiles } else { tiles.min(TILES_PER_EPILOGUE) };
            let left = Left { matrix: a, transposed: shape.transpose_a, line: row, start: 0, panel: 0 };
            let rows = tiles * size.rows;
            let mut block = c.block(row, column, rows, width);
            simd.run(
                size,
                &Work { left, right, depth: shape.k, start, tiles, far: false, ahead },
                &mut block,
                &mut [],
            );
            if !E::PLAIN {
                target::apply_epilogue(simd, epilogue, &mut block, row, column);
            }
            row += rows;
        }
        column += width;
    }
}

/// Tiles after which an epilogue is applied to what they have left in C: it should still be in the first-level cache.
const TILES_PER_EPILOGUE: usize = 4;

/// The rows of a strip from `row` to before `end` of what the tiles compute; the left factor begins with that row.
#[inline(always)]
fn tiles_of_strip<S: Tiles, E: Epilogue>(
    simd: S,
    left: Left<'_>,
    strip: Right<'_>,
    depth: usize,
    target: &mut Target<'_, E>,
    row: usize,
    end: usize,
    column: usize,
    ahead: Option<Ahead>,
) {
    let start = target.start(column, strip.width);
    let (first, mut row) = (row, row);
    while row < end {
        let (size, tiles) = plan::tiles::<S>(strip.width, end - row, strip.transposed, left.panel > 0);
        let tiles = target.tiles_at_once(tiles, size, strip.width);
        let work = Work {
            left: left.from(row - first),
            right: strip,
            depth,
            start,
            tiles,
            far: target.is_far(),
            ahead,
        };
        target.run(simd, size, &work, &mut [], row, column);
        row += tiles * size.rows;
    }
}
