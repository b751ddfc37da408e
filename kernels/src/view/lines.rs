//! Lines of a matrix, some at a time, as the A operands of a column of register tiles.

use core::hint::black_box;
use core::marker::PhantomData;

use super::MatRef;

impl<'a> MatRef<'a> {
    /// `tiles` times R lines of the matrix, `depth` elements of each from `start` on: the A operands of a column of
    /// register tiles.
    ///
    /// With `transposed` false, line r of tile t is row `line + t R + r`; with `transposed` true, it is that column.
    /// None if that leaves the matrix.
    #[inline(always)]
    pub(crate) fn line_tiles<const R: usize>(
        self,
        transposed: bool,
        line: usize,
        start: usize,
        depth: usize,
        tiles: usize,
    ) -> Option<LineTiles<'a, R>> {
        let (lines, length, across, along) = if transposed {
            (self.columns, self.rows, 1, self.stride)
        } else {
            (self.rows, self.columns, self.stride, 1)
        };
        let end = tiles.checked_mul(R)?.checked_add(line)?;
        if R == 0 || tiles == 0 || end > lines || start.checked_add(depth)? > length {
            return None;
        }
        let offset = line * across + start * along;
        Some(LineTiles {
            first: self.data.as_ptr().wrapping_add(offset),
            across,
            along,
            next: across * R,
            tiles,
            depth,
            data: PhantomData,
        })
    }

    /// The same where each tile's lines are the R columns of `depth` rows of their own, a panel, one tile after the other
    /// from panel `panel` on.
    #[inline(always)]
    pub(crate) fn panel_tiles<const R: usize>(
        self,
        panel: usize,
        depth: usize,
        tiles: usize,
    ) -> Option<LineTiles<'a, R>> {
        let end = panel.checked_add(tiles)?.checked_mul(depth)?;
        if R == 0 || tiles == 0 || R > self.columns || end > self.rows {
            return None;
        }
        Some(LineTiles {
            first: self.data.as_ptr().wrapping_add(panel * depth * self.stride),
            across: 1,
            along: self.stride,
            next: depth * self.stride,
            tiles,
            depth,
            data: PhantomData,
        })
    }
}

/// The A operands of a column of register tiles, see [`MatRef::line_tiles`].
#[derive(Clone, Copy)]
pub(crate) struct LineTiles<'a, const R: usize> {
    // Invariant: the elements first + t next + r across + p along for t < tiles, r < R, p < depth are in the data;
    // across or along is 1. Only `MatRef` makes them; three fields are for assembly to read.
    pub(crate) first: *const f32,
    pub(crate) across: usize,
    pub(crate) along: usize,
    next: usize,
    tiles: usize,
    depth: usize,
    data: PhantomData<&'a [f32]>,
}

impl<'a, const R: usize> LineTiles<'a, R> {
    /// The same for loops: what the compiler knows of these distances it uses to turn each line's address into a variable
    /// of the inner loop, a chain of additions or a register too many.
    #[inline(always)]
    pub(crate) fn opaque(self) -> OpaqueTiles<'a, R> {
        let mut odd = [0; MOST_LINES / 2];
        for (i, odd) in odd.iter_mut().enumerate() {
            if 2 * i + 1 < R {
                *odd = black_box((2 * i + 1) * self.across);
            }
        }
        OpaqueTiles { tiles: self, odd }
    }
}

/// Most lines at once.
const MOST_LINES: usize = 12;

/// See [`LineTiles::opaque`].
pub(crate) struct OpaqueTiles<'a, const R: usize> {
    tiles: LineTiles<'a, R>,
    // Invariant: odd[i] is (2 i + 1) times the tiles' `across` where 2 i + 1 < R.
    odd: [usize; MOST_LINES / 2],
}

impl<'a, const R: usize> OpaqueTiles<'a, R> {
    /// The lines of tile t from element `start` on; none where there is no such tile.
    #[inline(always)]
    pub(crate) fn lines(&self, t: usize, start: usize) -> Lines<'a, R> {
        let LineTiles { first, along, next, tiles, depth, .. } = self.tiles;
        let left = if t < tiles { depth.saturating_sub(start) } else { 0 };
        let first = first.wrapping_add(t * next + start * along);
        let (first, twin) = (black_box(first), black_box(first));
        Lines { first, twin, odd: self.odd, along, left, data: PhantomData }
    }
}

/// R lines at once, for [`super::for_each_step`] and [`super::for_each_quad`], which read the fields.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a, const R: usize> {
    // Invariant: the elements first + r across + p along for r < R, p < left are in the data; odd[i] is (2 i + 1) across
    // where 2 i + 1 < R; twin is first.
    pub(super) first: *const f32,
    pub(super) twin: *const f32,
    pub(super) odd: [usize; MOST_LINES / 2],
    pub(super) along: usize,
    pub(super) left: usize,
    data: PhantomData<&'a [f32]>,
}

impl<'a, const R: usize> Lines<'a, R> {
    /// The same lines from `steps` steps further on.
    #[inline(always)]
    pub(crate) fn from(&self, steps: usize) -> Self {
        let first = self.first.wrapping_add(steps * self.along);
        let twin = self.twin.wrapping_add(steps * self.along);
        Self { first, twin, left: self.left.saturating_sub(steps), ..*self }
    }
}

/// One element of each of R lines, read when asked for, so that the tile needs no registers to hold them.
pub(crate) struct Elements<'a, const R: usize> {
    // Invariant: the elements first + r across for r < R are in the data; odd[i] is (2 i + 1) across where 2 i + 1 < R;
    // twin is first.
    pub(super) first: *const f32,
    pub(super) twin: *const f32,
    pub(super) odd: [usize; MOST_LINES / 2],
    pub(super) data: PhantomData<&'a [f32]>,
}

impl<const R: usize> Elements<'_, R> {
    /// The element of line r; 0 where there is no such line.
    #[inline(always)]
    pub(crate) fn get(&self, r: usize) -> f32 {
        let Some(offset) = self.offset(r) else { return 0.0 };
        // SAFETY: r < R, so by the invariant the element at r across is in the data, which 'a keeps borrowed.
        unsafe { *self.first.add(offset) }
    }

    /// The same, read once more: the compiler does not see that it is the same element. Where it does, it broadcasts
    /// one vector from another instead of both from memory, which costs the multiply-adds a port.
    #[inline(always)]
    pub(crate) fn get_again(&self, r: usize) -> f32 {
        let Some(offset) = self.offset(r) else { return 0.0 };
        // SAFETY: as for `get`.
        unsafe { *self.twin.add(offset) }
    }

    /// r across, where r < R.
    #[inline(always)]
    fn offset(&self, r: usize) -> Option<usize> {
        // A power of two times an odd multiple: x86 has both in one address.
        let shift = r.trailing_zeros();
        match r {
            _ if r >= R => None,
            0 => Some(0),
            _ => self.odd.get(r >> shift >> 1).map(|odd| odd << shift),
        }
    }
}
