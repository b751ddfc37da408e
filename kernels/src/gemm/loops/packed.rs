//! Large products and those whose factors do not lie as the tiles want them: blocks of k and of rows, in them strips
//! of columns, with copies of the factors where these pay, and the choice between C and its transpose.

use super::pack::{self, Space};
use super::plan::{self, PACKED_DEPTH, PANEL, PANELS, STRIP_COLUMNS};
use super::target::Target;
use super::tile::{Left, Right, Work};
use super::tiles::{Size, Tiles};
use super::tiles_of_strip;
use crate::gemm::{Epilogue, Shape};
use crate::part::from;
use crate::view::MatRef;

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

/// C = epilogue(init + op(A) op(B)).
// Out of the way of small products, which have no time for it.
#[inline(never)]
pub(super) fn run<S: Tiles, E: Epilogue>(
    simd: S,
    shape: Shape,
    a: MatRef<'_>,
    b: MatRef<'_>,
    target: &mut Target<'_, E>,
    workspace: &mut [f32],
) {
    let Shape { m, n, k, transpose_a, transpose_b } = shape;
    let by_columns = plan::by_columns::<S>(shape);
    let (left, left_transposed, right, right_transposed, rows, columns) = if by_columns {
        (b, !transpose_b, a, !transpose_a, n, m)
    } else {
        (a, transpose_a, b, transpose_b, m, n)
    };
    let factors = Factors { left, left_transposed, right, right_transposed, rows, columns };
    let mut space = Space::new(workspace, shape);
    target.by_columns = by_columns;
    // Sums can wait in C for the next block of k unless C is still needed or lies the other way round.
    let longest = if by_columns || E::READS_C { k } else { PACKED_DEPTH };
    let mut start = 0;
    loop {
        let depth = (k - start).min(longest);
        target.first = start == 0;
        target.last = start + depth == k;
        blocks_of_rows(simd, factors, target, &mut space, start, depth);
        start += depth;
        if start >= k {
            return;
        }
    }
}

/// All of C over `depth` steps of k from `start` on: blocks of rows, the left factor packed where that pays, in them
/// strips of columns, the right factor packed where that pays, in them tiles.
#[inline(always)]
fn blocks_of_rows<S: Tiles, E: Epilogue>(
    simd: S,
    factors: Factors<'_>,
    target: &mut Target<'_, E>,
    space: &mut Space<'_>,
    start: usize,
    depth: usize,
) {
    let Factors { left, left_transposed, rows, columns, .. } = factors;
    let pack_left =
        left_transposed && space.holds_panels(rows, depth) && plan::packs_left::<S>(rows, columns, depth);
    let block_rows = if pack_left { PANELS * S::ROWS } else { rows };
    let mut block = 0;
    while block < rows {
        let block_end = rows.min(block + block_rows);
        if pack_left {
            pack::panels(simd, left, block, block_end - block, start, depth, space.panels);
        }
        let panels = if pack_left { Some(&*space.panels) } else { None };
        strips(simd, factors, target, panels, space.strip, block, block_end, start, depth);
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
    space: &mut [f32],
    block: usize,
    block_end: usize,
    start: usize,
    depth: usize,
) {
    let Factors { left, left_transposed, right, right_transposed, rows, columns } = factors;
    let packs = plan::packs_right::<S>(rows, columns, right_transposed)
        && depth.checked_mul(STRIP_COLUMNS).is_some_and(|needed| needed <= space.len());
    let mut column = 0;
    while column < columns {
        let width = if right_transposed && !packs {
            plan::turned_width::<S>(rows, columns - column)
        } else {
            plan::strip_width::<S>(rows, columns - column)
        };
        let mut strip = Right { matrix: right, transposed: right_transposed, column, start, width };
        let mut row = block;
        if packs && right_transposed {
            pack::strip(simd, right.block(column, start, width, depth), space);
            strip = Right::packed(space, depth, width).unwrap_or(strip);
        } else if packs && width == S::VECTORS * S::LANES {
            // Rows far apart are copied by the first tile that reads them.
            let size = Size::full::<S>();
            let left = match panels {
                Some(panels) => Left::panels(panels, 1, depth),
                None => {
                    Some(Left { matrix: left, transposed: left_transposed, line: row, start, panels: false })
                }
            };
            let Some(left) = left else { return };
            let work = Work { left, right: strip, depth, start: target.start(column, width), tiles: 1 };
            target.run(simd, size, &work, space, row, column);
            strip = Right::packed(space, depth, width).unwrap_or(strip);
            row += S::ROWS;
        }
        if let Some(panels) = panels {
            let panels = from(panels, (row - block) / S::ROWS * PANEL * depth);
            tiles_of_panels(simd, panels, strip, depth, target, row, block_end, column);
        } else {
            let left = Left { matrix: left, transposed: left_transposed, line: row, start, panels: false };
            tiles_of_strip(simd, left, strip, depth, target, block_end, column);
        }
        column += width;
    }
}

/// The same as [`tiles_of_strip`], the left factor in panels of which the first is that of row `row`.
#[inline(always)]
fn tiles_of_panels<S: Tiles, E: Epilogue>(
    simd: S,
    panels: &[f32],
    strip: Right<'_>,
    depth: usize,
    target: &mut Target<'_, E>,
    mut row: usize,
    end: usize,
    column: usize,
) {
    let mut panels = panels;
    let start = target.start(column, strip.width);
    while row < end {
        let (size, _) = plan::tiles::<S>(strip.width, S::ROWS, false);
        let size = Size { rows: S::ROWS.min(end - row), ..size };
        let tiles = target.tiles_at_once((end - row) / size.rows.max(1), size, strip.width);
        let Some(left) = Left::panels(panels, tiles, depth) else { return };
        let work = Work { left, right: strip, depth, start, tiles };
        target.run(simd, size, &work, &mut [], row, column);
        panels = from(panels, tiles * PANEL * depth);
        row += tiles * size.rows;
    }
}
