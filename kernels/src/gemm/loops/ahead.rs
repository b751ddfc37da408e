//! What tiles ask for while they compute, so that those after them do not wait for it.
//!
//! The processor itself fetches ahead along a row; it does not see that the next strip of columns follows. Where the
//! factor has left the second-level cache, as the weights of a deep network have when their layer's turn comes again, the
//! first tile of each strip would wait for the third level, or for memory that other cores keep busy. So the tiles of the
//! strip before ask for it, a line of the cache at each step of k: few enough not to be in their own way.

use super::tiles::Tiles;
use crate::view::MatRef;

/// Elements in a line of the cache.
const LINE: usize = 16;

/// The lines, by tiles and steps.
#[derive(Clone, Copy)]
pub(in crate::gemm) struct Ahead {
    /// Where the first one lies. An address, at which nobody reads.
    first: *const f32,
    /// Elements from the line of one step to that of the next.
    step: usize,
    /// Elements from the first line of one tile to that of the next tile.
    tile: usize,
    /// Tiles after which all have been asked for.
    tiles: usize,
}

impl Ahead {
    /// The columns of B from `column` on, its rows from `start` on: as many as the largest tile has.
    #[inline(always)]
    pub(super) fn columns<S: Tiles>(b: &MatRef<'_>, start: usize, column: usize) -> Self {
        let first = b.row(start).as_ptr().wrapping_add(column);
        Self { first, step: b.stride(), tile: LINE, tiles: lines_of_strip::<S>() }
    }

    /// As many rows of B from `row` on, where it is stored transposed and without gaps.
    #[inline(always)]
    pub(super) fn rows<S: Tiles>(b: &MatRef<'_>, row: usize) -> Self {
        let first = b.row(row).as_ptr();
        Self { first, step: LINE, tile: LINE * b.columns(), tiles: lines_of_strip::<S>() }
    }

    /// Those of the `lines` columns of A from `line` on, its rows from `start` on, that the tiles after the next read.
    #[inline(always)]
    pub(super) fn left_columns<S: Tiles>(a: &MatRef<'_>, start: usize, line: usize, lines: usize) -> Self {
        let first = a.row(start).as_ptr().wrapping_add(line + LINE);
        Self { first, step: a.stride(), tile: S::ROWS, tiles: lines.saturating_sub(LINE) / S::ROWS }
    }

    /// What the tile of this number asks for at its first step, and the elements from there to the next step's.
    #[inline(always)]
    pub(super) fn of_tile(self, tile: usize) -> (*const f32, usize) {
        if tile < self.tiles {
            (self.first.wrapping_add(tile * self.tile), self.step)
        } else {
            (self.first, 0)
        }
    }
}

/// Lines of the cache that a row of a strip takes.
#[inline(always)]
fn lines_of_strip<S: Tiles>() -> usize {
    (S::VECTORS * S::LANES).div_ceil(LINE)
}
