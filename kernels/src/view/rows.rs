//! Rows that register tiles write.

use core::hint::black_box;
use core::marker::PhantomData;

use super::MatMut;

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
    /// The first `inner` elements of the next row and the rest of it, so that the length of the first can be a constant; none
    /// behind the last row or where rows are shorter.
    #[inline(always)]
    pub(crate) fn next_row_in_two(&mut self, inner: usize) -> Option<(&'a mut [f32], &'a mut [f32])> {
        let rest = self.width.checked_sub(inner)?;
        self.left = self.left.checked_sub(1)?;
        let row = self.next;
        self.next = row.wrapping_add(self.stride);
        // SAFETY: a row was left, so its `width` elements, inner and rest, are valid by the invariant. It is not handed out
        // again: the rows that are left begin behind it, as a stride is no less than a row.
        unsafe {
            Some((
                core::slice::from_raw_parts_mut(row, inner),
                core::slice::from_raw_parts_mut(row.add(inner), rest),
            ))
        }
    }

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
