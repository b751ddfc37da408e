//! The loops around the register tile: strips of columns, in them tiles of rows.

mod pack;
mod packed;
mod plan;
mod target;
mod tile;
mod tiles;

use super::{Epilogue, Init, Shape};
use crate::view::{MatMut, MatRef};
pub(super) use pack::workspace_len;
use target::Target;
use tile::{Left, Right, Work};
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
    let mut target = Target { c: c.reborrow(), init, epilogue, by_columns: false, first: true, last: true };
    if plan::packs::<S>(shape, a, b) {
        return packed::run(simd, shape, a, b, &mut target, workspace);
    }
    let mut column = 0;
    while column < shape.n {
        let width = plan::strip_width::<S>(shape.m, shape.n - column);
        let strip = Right { matrix: b, transposed: false, column, start: 0, width };
        let left = Left { matrix: a, transposed: shape.transpose_a, line: 0, start: 0, panel: 0 };
        tiles_of_strip(simd, left, strip, shape.k, &mut target, 0, shape.m, column);
        column += width;
    }
}

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
) {
    let start = target.start(column, strip.width);
    let (first, mut row) = (row, row);
    while row < end {
        let (size, tiles) = plan::tiles::<S>(strip.width, end - row, strip.transposed, left.panel > 0);
        let tiles = target.tiles_at_once(tiles, size, strip.width);
        let work = Work { left: left.from(row - first), right: strip, depth, start, tiles };
        target.run(simd, size, &work, &mut [], row, column);
        row += tiles * size.rows;
    }
}
