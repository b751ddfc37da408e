//! Views as register tiles want them: checked once for many tiles, then read and written without a check.

use core::hint::black_box;
use core::marker::PhantomData;

use super::{MatMut, MatRef};

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

    /// `length` consecutive rows from `start`, cut to the columns `column..column + width`: the B operand of a
    /// register tile. None if that leaves the matrix.
    #[inline(always)]
    pub(crate) fn strips(
        self,
        start: usize,
        length: usize,
        column: usize,
        width: usize,
    ) -> Option<Strips<'a>> {
        if start.checked_add(length)? > self.rows || column.checked_add(width)? > self.columns {
            return None;
        }
        let offset = start * self.stride + column;
        let first = self.data.as_ptr().wrapping_add(offset);
        Some(Strips { first, stride: self.stride, width, left: length, data: PhantomData })
    }

    /// The same for rows that may be wider than what is left of the matrix's: those, of the first `length`, that end
    /// within the data. Beyond the last column they hold whatever lies there.
    #[inline(always)]
    pub(crate) fn overhanging_strips(
        self,
        start: usize,
        length: usize,
        column: usize,
        width: usize,
    ) -> Strips<'a> {
        let first = self.data.as_ptr().wrapping_add(start * self.stride + column);
        let end =
            start.checked_mul(self.stride).and_then(|first| first.checked_add(column)?.checked_add(width));
        let left = match end.and_then(|end| self.data.len().checked_sub(end)) {
            Some(beyond) => beyond.checked_div(self.stride).map_or(0, |more| length.min(more + 1)),
            None => 0,
        };
        Strips { first, stride: self.stride, width, left, data: PhantomData }
    }

    /// The columns, four at a time, of the first `rows` rows; with WHOLE these are all there may be asked for. None if
    /// there are not as many or none is asked for.
    #[inline(always)]
    pub(crate) fn quads<const WHOLE: bool>(self, rows: usize) -> Option<Quads<'a, WHOLE>> {
        if rows > self.rows {
            return None;
        }
        let last = rows.checked_sub(1)?;
        let (first, left) = (self.data.as_ptr(), self.columns / 4);
        Some(Quads { first, stride: self.stride, last, left, data: PhantomData })
    }
}

/// Columns, four at a time, see [`MatRef::quads`].
#[derive(Clone, Copy)]
pub(crate) struct Quads<'a, const WHOLE: bool> {
    // Invariant: the 4 left elements from first + r stride for r <= last are in the data.
    first: *const f32,
    stride: usize,
    last: usize,
    left: usize,
    data: PhantomData<&'a [f32]>,
}

impl<'a, const WHOLE: bool> Quads<'a, WHOLE> {
    /// The columns from `column` on, a multiple of four.
    #[inline(always)]
    pub(crate) fn from(self, column: usize) -> Self {
        let first = self.first.wrapping_add(column / 4 * 4);
        Self { first, left: self.left.saturating_sub(column / 4), ..self }
    }

    /// The same for a loop: where the rows lie is computed when they are read, as there are too few registers to hold all
    /// that.
    #[inline(always)]
    pub(crate) fn opaque(self) -> impl Iterator<Item = OpaqueQuad<'a, WHOLE>> {
        let rows = |count: usize| black_box(count * self.stride);
        let (one, three, four) = (rows(1), rows(3), rows(4));
        (0..self.left).map(
            #[inline(always)]
            move |quad| {
                let first = black_box(self.first.wrapping_add(4 * quad));
                OpaqueQuad { first, one, three, four, last: self.last, data: PhantomData }
            },
        )
    }
}

/// Four columns of many rows, see [`Quads::opaque`].
#[derive(Clone, Copy)]
pub(crate) struct OpaqueQuad<'a, const WHOLE: bool> {
    // Invariant: the 4 elements from first + r one for r <= last are in the data; three and four are as many times one.
    first: *const f32,
    one: usize,
    three: usize,
    four: usize,
    last: usize,
    data: PhantomData<&'a [f32]>,
}

impl<'a, const WHOLE: bool> OpaqueQuad<'a, WHOLE> {
    /// Row r, or the last one where there is none.
    #[inline(always)]
    pub(crate) fn row(&self, r: usize) -> &'a [f32; 4] {
        let r = r.min(self.last);
        if !WHOLE {
            // SAFETY: the row is at most `last`, so by the invariant its elements are in the data, which 'a keeps borrowed.
            return unsafe { &*self.first.add(r * self.one).cast::<[f32; 4]>() };
        }
        // A constant, where the number of rows is one. x86 has each of these in an address.
        let few = match r % 4 {
            0 => 0,
            1 => self.one,
            2 => 2 * self.one,
            _ => self.three,
        };
        // SAFETY: the offset is r times the stride; else as above.
        unsafe { &*self.first.add(r / 4 * self.four).add(few).cast::<[f32; 4]>() }
    }
}

/// Calls `each` with the elements of A at four steps and the columns of B at these, for at most `steps` steps over k that
/// both have, in order. Returns the steps that were made.
#[inline(always)]
pub(crate) fn for_each_quad<'a, const R: usize, const WHOLE: bool>(
    a: Lines<'a, R>,
    b: Quads<'a, WHOLE>,
    steps: usize,
    mut each: impl FnMut([Elements<'a, R>; 4], OpaqueQuad<'a, WHOLE>),
) -> usize {
    let quads = (steps.min(a.left) / 4).min(b.left);
    let (mut first, mut twin) = (a.first, a.twin);
    for quad in b.opaque().take(quads) {
        let elements = |p: usize| Elements {
            first: first.wrapping_add(p * a.along),
            twin: twin.wrapping_add(p * a.along),
            odd: a.odd,
            data: PhantomData,
        };
        each([elements(0), elements(1), elements(2), elements(3)], quad);
        first = first.wrapping_add(4 * a.along);
        twin = twin.wrapping_add(4 * a.along);
    }
    4 * quads
}

impl MatMut<'_> {
    /// Part of the matrix, to write: R x N elements from (row, column) on. None if that leaves the matrix.
    #[cfg(all(target_os = "none", target_abi = "eabihf"))] // for Cortex-M
    #[inline(always)]
    pub(crate) fn tile_mut<const R: usize, const N: usize>(
        &mut self,
        row: usize,
        column: usize,
    ) -> Option<[&mut [f32; N]; R]> {
        if row.checked_add(R)? > self.rows || column.checked_add(N)? > self.columns {
            return None;
        }
        let first = self.first.wrapping_add(row * self.stride + column);
        // SAFETY: the elements lie in the matrix, so they are valid by the invariant and borrowed mutably with `self`;
        // as stride >= columns >= N, no two rows share one.
        Some(core::array::from_fn(|r| unsafe { &mut *first.add(r * self.stride).cast::<[f32; N]>() }))
    }

    /// `tiles` times R rows, `width` elements of each: what a column of register tiles writes. None if there are not
    /// as many.
    #[inline(always)]
    pub(crate) fn tiles<const R: usize>(&mut self, width: usize, tiles: usize) -> Option<TilesMut<'_, R>> {
        (self.rows >= tiles.checked_mul(R)? && self.columns >= width).then_some(TilesMut {
            first: self.first,
            stride: self.stride,
            width,
            tiles,
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

/// R lines at once, for [`for_each_step`].
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a, const R: usize> {
    // Invariant: the elements first + r across + p along for r < R, p < left are in the data; odd[i] is (2 i + 1) across
    // where 2 i + 1 < R; twin is first.
    first: *const f32,
    twin: *const f32,
    odd: [usize; MOST_LINES / 2],
    along: usize,
    left: usize,
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
    first: *const f32,
    twin: *const f32,
    odd: [usize; MOST_LINES / 2],
    data: PhantomData<&'a [f32]>,
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

/// The rows of a strip, see [`MatRef::strips`] and [`for_each_step`].
pub(crate) struct Strips<'a> {
    // Invariant: while left > 0, the `width` elements from first + p stride for p < left are in the data.
    first: *const f32,
    stride: usize,
    width: usize,
    left: usize,
    data: PhantomData<&'a [f32]>,
}

impl Strips<'_> {
    /// Rows that there are.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.left
    }

    /// The strip from row `start` on.
    #[inline(always)]
    pub(crate) fn from(&self, start: usize) -> Self {
        let first = self.first.wrapping_add(start * self.stride);
        Self { first, left: self.left.saturating_sub(start), ..*self }
    }
}

/// Calls `step` with the elements of A, the first `inner` elements of the row of B and the rest of that row, for at most
/// `steps` steps over k that both have, in order: the inner loop of a matrix product, with nothing left to check.
///
/// B's row comes in two parts so that the length of the first can be a constant.
#[inline(always)]
pub(crate) fn for_each_step<'a, const R: usize>(
    a: Lines<'a, R>,
    b: Strips<'a>,
    inner: usize,
    steps: usize,
    mut step: impl FnMut(Elements<'a, R>, &'a [f32], &'a [f32]),
) {
    let Some(rest) = b.width.checked_sub(inner) else { return };
    let (mut first_a, mut twin_a, mut first_b) = (a.first, a.twin, b.first);
    for _ in 0..steps.min(a.left).min(b.left) {
        let elements = Elements { first: first_a, twin: twin_a, odd: a.odd, data: PhantomData };
        // SAFETY: this is step p < b.left, so by the invariant of `b` its `width` elements are in the data; inner is at
        // most `width` and rest is what remains.
        let (row, edge) = unsafe {
            (
                core::slice::from_raw_parts(first_b, inner),
                core::slice::from_raw_parts(first_b.add(inner), rest),
            )
        };
        step(elements, row, edge);
        first_a = first_a.wrapping_add(a.along);
        twin_a = twin_a.wrapping_add(a.along);
        first_b = first_b.wrapping_add(b.stride);
    }
}

/// What a column of register tiles writes, see [`MatMut::tiles`].
pub(crate) struct TilesMut<'a, const R: usize> {
    // Invariant: the `width` elements from first + i stride for i < tiles R are valid and borrowed by this view alone.
    first: *mut f32,
    stride: usize,
    width: usize,
    tiles: usize,
    data: PhantomData<&'a mut [f32]>,
}

impl<const R: usize> TilesMut<'_, R> {
    /// The rows of tile t, in order; none where there is no such tile.
    #[inline(always)]
    pub(crate) fn tile(&mut self, t: usize) -> RowsMut<'_> {
        let first = self.first.wrapping_add(t * R * self.stride);
        let left = if t < self.tiles { R } else { 0 };
        // The compiler would compute where each row lies before the loop over k, and keep that in memory.
        RowsMut { next: black_box(first), stride: self.stride, width: self.width, left, data: PhantomData }
    }
}

/// Rows to write, see [`TilesMut`].
pub(crate) struct RowsMut<'a> {
    // Invariant: while left > 0, the `width` elements from next + r stride for r < left are valid and borrowed by this view
    // alone.
    next: *mut f32,
    stride: usize,
    width: usize,
    left: usize,
    data: PhantomData<&'a mut [f32]>,
}

impl<'a> RowsMut<'a> {
    /// The next row; empty behind the last.
    #[inline(always)]
    pub(crate) fn next_row(&mut self) -> &'a mut [f32] {
        if self.left == 0 {
            return &mut [];
        }
        let row = self.next;
        self.next = row.wrapping_add(self.stride);
        self.left -= 1;
        // SAFETY: left was not 0, so the row is valid by the invariant. It is not handed out again: the rows that are left
        // begin behind it, as a stride is no less than a row.
        unsafe { core::slice::from_raw_parts_mut(row, self.width) }
    }
}
