//! Large products and those whose factors do not lie as the tiles want them: blocks of k, of columns and of rows, in them
//! strips of columns, with copies of the factors where these pay, and the choice between C and its transpose.
//!
//! The blocks are those of Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008: a block of
//! the left factor stays in the second-level cache while every strip of the right factor passes it.

use super::ahead::Ahead;
use super::pack::{self, Space};
use super::plan::{self, BLOCK_COLUMNS, BLOCK_ROWS, DEPTH, LONG_DEPTH, LeftCopy, MANY_ROWS, STRIP_COLUMNS};
use super::target::Target;
use super::tile::{Left, Right, Work};
use super::tiles::{Size, Tiles};
use super::tiles_of_strip;
use crate::gemm::{Epilogue, Init, Shape};
use crate::part::from_mut;
use crate::view::MatRef;

/// The factors as the tiles see them: `left` is broadcast, `right` lies along the vectors.
#[derive(Clone, Copy)]
struct Factors<'a> {
    left: &'a MatRef<'a>,
    left_transposed: bool,
    right: &'a MatRef<'a>,
    right_transposed: bool,
    rows: usize,
    columns: usize,
}

/// A part of an index: from the first to before the last.
#[derive(Clone, Copy)]
struct Span {
    from: usize,
    to: usize,
}

impl Span {
    fn length(self) -> usize {
        self.to - self.from
    }
}

/// C = epilogue(init + op(A) op(B)).
// Out of the way of small products, which have no time for it.
#[inline(never)]
pub(super) fn run<S: Tiles, E: Epilogue>(
    simd: S,
    shape: &Shape,
    a: &MatRef<'_>,
    b: &MatRef<'_>,
    target: &mut Target<'_, E>,
    workspace: &mut [f32],
) {
    let Shape { m, n, k, transpose_a, transpose_b } = *shape;
    let by_columns = plan::by_columns::<S>(shape);
    let (left, left_transposed, right, right_transposed, rows, columns) = if by_columns {
        (b, !transpose_b, a, !transpose_a, n, m)
    } else {
        (a, transpose_a, b, transpose_b, m, n)
    };
    let factors = Factors { left, left_transposed, right, right_transposed, rows, columns };
    let mut space = Space::new(workspace, shape);
    target.by_columns = by_columns;
    if by_columns
        && E::PLAIN
        && !matches!(target.init, Init::Bias(_))
        && let Some(c) = target.c.column_as_row()
    {
        // C's one column is a row of C^T where it lies.
        let mut row =
            Target { c, init: target.init, epilogue: &mut *target.epilogue, by_columns: false, ..*target };
        return blocks_of_steps(simd, factors, &mut row, &mut space, k);
    }
    blocks_of_steps(simd, factors, target, &mut space, k);
}

/// The blocks of k, one after the other.
#[inline(always)]
fn blocks_of_steps<S: Tiles, E: Epilogue>(
    simd: S,
    factors: Factors<'_>,
    target: &mut Target<'_, E>,
    space: &mut Space<'_>,
    k: usize,
) {
    let Factors { left, left_transposed, right, right_transposed, rows, columns } = factors;
    // Sums can wait in C for the next block of k unless C is still needed or lies the other way round.
    let copies_left = plan::left_copy::<S>(left, left_transposed, rows, columns, k) != LeftCopy::None;
    let copies_right = plan::copies_right::<S>(right, right_transposed, rows, k);
    let longest = if target.by_columns || E::READS_C || !(copies_left || copies_right) {
        k
    } else if copies_left {
        DEPTH
    } else {
        LONG_DEPTH
    };
    let mut from = 0;
    loop {
        let steps = Span { from, to: from + (k - from).min(longest) };
        target.first = from == 0;
        target.last = steps.to == k;
        block_of_steps(simd, factors, target, space, steps, k);
        from = steps.to;
        if from >= k {
            return;
        }
    }
}

/// All of C over these steps of k: blocks of columns, in them blocks of rows.
#[inline(always)]
fn block_of_steps<S: Tiles, E: Epilogue>(
    simd: S,
    factors: Factors<'_>,
    target: &mut Target<'_, E>,
    space: &mut Space<'_>,
    steps: Span,
    k: usize,
) {
    let Factors { left, left_transposed, right, right_transposed, rows, columns } = factors;
    let depth = steps.length();
    let left_copy = if space.left.len() >= pack::left_len(rows, depth, left_transposed) {
        plan::left_copy::<S>(left, left_transposed, rows, columns, k)
    } else {
        LeftCopy::None
    };
    let copies_right = plan::copies_right::<S>(right, right_transposed, rows, k)
        && depth.checked_mul(STRIP_COLUMNS).is_some_and(|needed| needed <= space.right.len());
    // Copies of strips are kept for the blocks of rows that follow.
    let keeps = copies_right
        && left_copy != LeftCopy::None
        && rows > BLOCK_ROWS
        && pack::kept_len(columns, depth) <= space.right.len();
    let block_rows = if left_copy != LeftCopy::None {
        let blocks = rows.div_ceil(BLOCK_ROWS).max(1);
        rows.div_ceil(blocks).next_multiple_of(S::ROWS)
    } else {
        rows
    };
    let block_columns = if keeps { BLOCK_COLUMNS } else { columns };
    let mut column = 0;
    while column < columns {
        let span = Span { from: column, to: columns.min(column + block_columns) };
        let copied = keeps && !right_transposed && rows >= MANY_ROWS;
        if copied {
            let source = right.block(steps.from, span.from, depth, span.length());
            pack::strips(simd, source, rows, space.right);
        }
        let mut row = 0;
        while row < rows {
            let block = Span { from: row, to: rows.min(row + block_rows) };
            let left =
                Left { matrix: left, transposed: left_transposed, line: row, start: steps.from, panel: 0 };
            let copy = pack::left(simd, &left, block.length(), depth, left_copy, space.left);
            let left = copy.as_ref().map_or(left, |copy| match left_copy {
                LeftCopy::Panels => {
                    Left { matrix: copy, transposed: true, line: 0, start: 0, panel: S::ROWS }
                }
                _ => Left { matrix: copy, transposed: false, line: 0, start: 0, panel: 0 },
            });
            let strips = Strips { left, block, steps, copies: copies_right, keeps, copied };
            strips.run(simd, factors, target, space.right, span);
            row = block.to;
        }
        column = span.to;
    }
}

/// A block of rows, whose strips are computed one after the other.
struct Strips<'a> {
    left: Left<'a>,
    block: Span,
    steps: Span,
    /// Whether strips of the right factor are copied, and whether the copies are kept.
    copies: bool,
    keeps: bool,
    /// Whether all copies are there.
    copied: bool,
}

impl Strips<'_> {
    #[inline(always)]
    fn run<S: Tiles, E: Epilogue>(
        &self,
        simd: S,
        factors: Factors<'_>,
        target: &mut Target<'_, E>,
        space: &mut [f32],
        columns: Span,
    ) {
        let Factors { right, right_transposed, rows, .. } = factors;
        let Self { left, block, steps, copies, keeps, copied } = *self;
        let depth = steps.length();
        let mut column = columns.from;
        while column < columns.to {
            let width = if right_transposed && !copies {
                plan::turned_width::<S>(rows, columns.to - column, right.stride())
            } else {
                plan::strip_width::<S>(rows, columns.to - column)
            };
            let copy;
            let mut strip =
                Right { matrix: right, transposed: right_transposed, column, start: steps.from, width };
            let mut row = block.from;
            let space = from_mut(space, if keeps { (column - columns.from) * depth } else { 0 });
            if copies {
                if copied || (keeps && block.from > 0) {
                    // An earlier block of rows has left the copy.
                } else if !right_transposed && width == S::VECTORS * S::LANES && block.length() >= S::ROWS {
                    // The first tile that reads the strip copies it.
                    let size = Size::full::<S>();
                    let start = target.start(column, width);
                    let work = Work {
                        left,
                        right: strip,
                        depth,
                        start,
                        tiles: 1,
                        far: target.is_far(),
                        ahead: None,
                    };
                    target.run(simd, size, &work, space, row, column);
                    row += S::ROWS;
                } else {
                    let source = if right_transposed {
                        right.block(column, steps.from, width, depth)
                    } else {
                        right.block(steps.from, column, depth, width)
                    };
                    pack::strip(simd, source, right_transposed, space);
                }
                let stride = pack::strip_stride::<S>(width);
                if let Ok(matrix) = MatRef::with_stride(space, depth, width, stride) {
                    copy = matrix;
                    strip = Right { matrix: &copy, transposed: false, column: 0, start: 0, width };
                }
            }
            let left = left.from(row - block.from);
            let ahead = self.ahead::<S>(&factors, column, columns.to, width);
            tiles_of_strip(simd, left, strip, depth, target, row, block.to, column, ahead);
            column += width;
        }
    }

    /// What the tiles of the strip that begins at `column` ask for: the next strip, unless there is a copy of it; those of
    /// the first the left factor, where they read it across its rows.
    #[inline(always)]
    fn ahead<S: Tiles>(
        &self,
        factors: &Factors<'_>,
        column: usize,
        end: usize,
        width: usize,
    ) -> Option<Ahead> {
        let Self { left, block, steps, copies, keeps, copied } = *self;
        let Factors { right, right_transposed, .. } = *factors;
        let (rows, depth, next) = (block.length(), steps.length(), column + width);
        let in_columns = left.transposed && left.panel == 0;
        if S::ASKS_AHEAD && column == 0 && in_columns && plan::may_be_away(rows, depth) {
            return Some(Ahead::left_columns::<S>(left.matrix, left.start, left.line, rows));
        }
        let is_copied = copied || (keeps && block.from > 0);
        if is_copied || !plan::asks_ahead::<S>(rows, end, next, depth) {
            None
        } else if !right_transposed {
            Some(Ahead::columns::<S>(right, steps.from, next))
        } else if copies && right.stride() == depth {
            Some(Ahead::rows::<S>(right, next))
        } else {
            None
        }
    }
}
