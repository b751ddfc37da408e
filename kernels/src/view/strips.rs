//! Rows of a strip of columns, as the B operand of register tiles, and the steps over k that read them.

use core::marker::PhantomData;

use super::lines::{Elements, Lines};
use super::{MatMut, MatRef};

impl<'a> MatRef<'a> {
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
}

impl MatMut<'_> {
    /// The same of a matrix that is written, which it is not while they are read.
    #[inline(always)]
    pub(crate) fn strips(
        &self,
        start: usize,
        length: usize,
        column: usize,
        width: usize,
    ) -> Option<Strips<'_>> {
        if start.checked_add(length)? > self.rows || column.checked_add(width)? > self.columns {
            return None;
        }
        let first = self.first.wrapping_add(start * self.stride + column).cast_const();
        Some(Strips { first, stride: self.stride, width, left: length, data: PhantomData })
    }
}

/// The rows of a strip, see [`MatRef::strips`] and [`for_each_step`].
#[derive(Clone, Copy)]
pub(crate) struct Strips<'a> {
    // Invariant: while left > 0, the `width` elements from first + p stride for p < left are in the data, which nobody
    // writes for 'a.
    first: *const f32,
    stride: usize,
    width: usize,
    left: usize,
    data: PhantomData<&'a [f32]>,
}

impl<'a> Strips<'a> {
    /// No rows.
    pub(crate) const NONE: Self =
        Self { first: core::ptr::null(), stride: 0, width: 0, left: 0, data: PhantomData };

    /// The next R rows, all equally long. None where there are not as many.
    #[inline(always)]
    pub(crate) fn next_rows<const R: usize>(&mut self) -> Option<[&'a [f32]; R]> {
        self.left = self.left.checked_sub(R)?;
        let mut rows = [&[][..]; R];
        for row in &mut rows {
            // SAFETY: there were R rows left, so this one's `width` elements are in the data by the invariant.
            *row = unsafe { core::slice::from_raw_parts(self.first, self.width) };
            self.first = self.first.wrapping_add(self.stride);
        }
        Some(rows)
    }

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
