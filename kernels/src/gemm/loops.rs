//! The loops around the register tile: strips of columns, tiles of rows and, where A is large, blocks of k and of A.

mod pack;
mod plan;
mod tile;
mod tiles;

use super::{Epilogue, Init, K_BLOCK, Shape};
use crate::part::{from, part, part_mut};
use crate::view::{MatMut, MatRef};
use pack::Space;
pub(super) use pack::workspace_len;
use plan::ROW_BLOCK;
use tile::{Edge, Left, Right, Start, Work};
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
    depth: usize,
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
    let factors = Factors { left, left_transposed, right, right_transposed, rows, columns, depth: k };
    let mut target = Target { c: c.reborrow(), init, epilogue, by_columns, first: true, last: true };
    let space = Space::new(workspace, shape);
    if !by_columns && !E::READS_C && plan::in_blocks::<S>(rows, columns, k) && space.holds_blocks() {
        in_blocks(simd, factors, &mut target, space);
    } else {
        all_at_once(simd, factors, &mut target, space);
    }
}

/// Each tile runs over all of k; the factors are used where they lie, but for strips that are worth packing.
#[inline(always)]
fn all_at_once<S: Tiles, E: Epilogue>(
    simd: S,
    factors: Factors<'_>,
    target: &mut Target<'_, E>,
    space: Space<'_>,
) {
    let Factors { rows, columns, depth, .. } = factors;
    let mut column = 0;
    while column < columns {
        let width = plan::strip_width::<S>(rows, columns - column);
        let mut strip = Strip::new(simd, factors, 0, depth, column, width, space.strip);
        let mut row = 0;
        while row < rows {
            let size = plan::tile_size::<S>(width, rows - row, strip.right.transposed);
            let Factors { left: matrix, left_transposed: transposed, .. } = factors;
            let left = Left { matrix, transposed, line: row, start: 0, panels: false };
            row += strip.tiles(simd, size, (rows - row) / size.rows.max(1), left, target, row, column);
        }
        column += width;
    }
}

/// Blocks of k, in them blocks of rows of A packed to panels, in them strips of columns and tiles of rows.
#[inline(always)]
fn in_blocks<S: Tiles, E: Epilogue>(
    simd: S,
    factors: Factors<'_>,
    target: &mut Target<'_, E>,
    space: Space<'_>,
) {
    let Factors { rows, columns, depth, .. } = factors;
    let block_rows = ROW_BLOCK / S::ROWS * S::ROWS;
    let mut start = 0;
    while start < depth {
        let steps = (depth - start).min(K_BLOCK);
        target.first = start == 0;
        target.last = start + steps == depth;
        let mut block = 0;
        while block < rows {
            let block_end = rows.min(block + block_rows);
            let lines = block_end - block;
            pack::panels(
                simd,
                factors.left,
                factors.left_transposed,
                block,
                lines,
                start,
                steps,
                space.panels,
            );
            let mut column = 0;
            while column < columns {
                let width = plan::strip_width::<S>(rows, columns - column);
                let mut strip = Strip::new(simd, factors, start, steps, column, width, space.strip);
                let mut row = block;
                while row < block_end {
                    let size = plan::tile_size::<S>(width, rows, strip.right.transposed);
                    let size = Size { rows: S::ROWS.min(block_end - row), ..size };
                    let tiles = (block_end - row) / size.rows.max(1);
                    let panels = from(space.panels, (row - block) * steps);
                    let Ok(matrix) = MatRef::new(panels, tiles * steps, size.rows) else { return };
                    let left = Left { matrix, transposed: true, line: 0, start: 0, panels: true };
                    row += strip.tiles(simd, size, tiles, left, target, row, column);
                }
                column += width;
            }
            block = block_end;
        }
        start += steps;
    }
}

/// A strip of columns of op(B), and where to copy it.
struct Strip<'a> {
    right: Right<'a>,
    depth: usize,
    /// Where the first tile copies the strip to.
    copy: Option<&'a mut [f32]>,
}

impl<'a> Strip<'a> {
    #[inline(always)]
    fn new<S: Tiles>(
        simd: S,
        factors: Factors<'a>,
        start: usize,
        depth: usize,
        column: usize,
        width: usize,
        space: &'a mut [f32],
    ) -> Self {
        let Factors { right: matrix, right_transposed: transposed, rows, columns, .. } = factors;
        let in_place = Right { matrix, transposed, column, start, width };
        let fits = depth.checked_mul(width).is_some_and(|needed| needed <= space.len());
        if !fits || !(if transposed { rows > S::ROWS } else { plan::copies::<S>(rows, columns) }) {
            return Self { right: in_place, depth, copy: None };
        }
        if !transposed {
            return Self { right: in_place, depth, copy: Some(space) };
        }
        pack::transpose(simd, matrix.block(column, start, width, depth), space);
        Self { right: packed(space, depth, width).unwrap_or(in_place), depth, copy: None }
    }

    /// Runs as many of the next tiles as can be run in one go, at most `tiles`; returns their rows.
    #[inline(always)]
    fn tiles<S: Tiles, E: Epilogue>(
        &mut self,
        simd: S,
        size: Size,
        tiles: usize,
        left: Left<'_>,
        target: &mut Target<'_, E>,
        row: usize,
        column: usize,
    ) -> usize {
        let tiles = if self.copy.is_some() || !target.is_direct() { 1 } else { tiles };
        let work = Work { left, right: self.right, depth: self.depth, start: Start::Zero, tiles };
        let full = size.rows == S::ROWS && size.vectors == S::VECTORS && size.edge == Edge::Full;
        match self.copy.take_if(|_| full) {
            Some(copy) => {
                target.tile(simd, Size { copy: true, ..size }, work, copy, row, column);
                if let Some(right) = packed(copy, self.depth, self.right.width) {
                    self.right = right;
                }
            }
            None => target.tile(simd, size, work, &mut [], row, column),
        }
        tiles * size.rows
    }
}

/// The strip that lies packed in `space`.
#[inline(always)]
fn packed(space: &[f32], depth: usize, width: usize) -> Option<Right<'_>> {
    let matrix = MatRef::new(space, depth, width).ok()?;
    Some(Right { matrix, transposed: false, column: 0, start: 0, width })
}

/// Where finished sums go.
struct Target<'a, E> {
    c: MatMut<'a>,
    init: Init<'a>,
    epilogue: &'a mut E,
    /// The tiles compute C^T.
    by_columns: bool,
    /// Whether the steps of k begin with the first and end with the last.
    first: bool,
    last: bool,
}

/// Sums of the largest tile of any token.
const TILE: usize = if MAX_LANES > 8 { 320 } else { 20 * MAX_LANES };

/// A tile's sums where they cannot go straight to C.
#[repr(align(64))]
struct Buffer([f32; TILE]);

impl<E: Epilogue> Target<'_, E> {
    /// Whether tiles write to C, and not to a buffer.
    #[inline(always)]
    fn is_direct(&self) -> bool {
        !self.by_columns && (E::PLAIN || !self.last)
    }

    /// Runs tiles, of which there is one unless they write to C.
    #[inline(always)]
    fn tile<S: Tiles>(
        &mut self,
        simd: S,
        size: Size,
        work: Work<'_>,
        copy: &mut [f32],
        row: usize,
        column: usize,
    ) {
        let width = work.right.width;
        if self.is_direct() {
            let start = match self.init {
                _ if !self.first => Start::Output,
                Init::Zero => Start::Zero,
                Init::Accumulate => Start::Output,
                Init::Bias(bias) => Start::Row(part(bias, column, width)),
            };
            let mut out = self.c.block(row, column, work.tiles * size.rows, width);
            return simd.run(size, &Work { start, ..work }, &mut out, copy);
        }
        let mut buffer = Buffer([0.0; TILE]);
        let Ok(mut out) = MatMut::new(&mut buffer.0, size.rows, width) else { return };
        let start = self.prepare(&mut out, row, column);
        simd.run(size, &Work { start, ..work }, &mut out, copy);
        let Ok(sums) = MatRef::new(&buffer.0, size.rows, width) else { return };
        if self.by_columns {
            self.finish_columns(simd, sums, row, column);
        } else {
            self.finish_rows(simd, sums, row, column);
        }
    }

    /// What the sums in a buffer start from; what lies in C is copied to the buffer.
    #[inline(always)]
    fn prepare(&self, out: &mut MatMut<'_>, row: usize, column: usize) -> Start<'_> {
        let width = out.columns();
        match self.init {
            Init::Zero if self.first => return Start::Zero,
            Init::Bias(bias) if self.first && !self.by_columns => {
                return Start::Row(part(bias, column, width));
            }
            Init::Bias(bias) if self.first => {
                for r in 0..out.rows() {
                    out.row_mut(r).fill(bias.get(row + r).copied().unwrap_or(0.0));
                }
            }
            _ if self.by_columns => {
                for r in 0..out.rows() {
                    for (j, out) in out.row_mut(r).iter_mut().enumerate() {
                        *out = self.c.row(column + j).get(row + r).copied().unwrap_or(0.0);
                    }
                }
            }
            _ => {
                for r in 0..out.rows() {
                    for (out, c) in out.row_mut(r).iter_mut().zip(from(self.c.row(row + r), column)) {
                        *out = *c;
                    }
                }
            }
        }
        Start::Output
    }

    #[inline(always)]
    fn finish_rows<S: Tiles>(&mut self, simd: S, sums: MatRef<'_>, row: usize, column: usize) {
        for r in 0..sums.rows() {
            let c = part_mut(self.c.row_mut(row + r), column, sums.columns());
            for (v, (sum, c)) in sums.row(r).chunks(S::LANES).zip(c.chunks_mut(S::LANES)).enumerate() {
                self.epilogue.apply(simd, simd.load(sum), row + r, column + v * S::LANES, c);
            }
        }
    }

    /// The same for sums of C^T.
    #[inline(always)]
    fn finish_columns<S: Tiles>(&mut self, simd: S, sums: MatRef<'_>, row: usize, column: usize) {
        let mut turned = [[0.0; MAX_LANES]; MAX_LANES];
        for r in (0..sums.rows()).step_by(S::LANES) {
            for j in (0..sums.columns()).step_by(S::LANES) {
                let block = sums.block(r, j, S::LANES, S::LANES);
                simd.transpose(block, turned.as_flattened_mut(), MAX_LANES);
                for (i, turned) in turned.iter().take(block.columns()).enumerate() {
                    let c = part_mut(self.c.row_mut(column + j + i), row + r, block.rows());
                    self.epilogue.apply(simd, simd.load(turned), column + j + i, row + r, c);
                }
            }
        }
    }
}
