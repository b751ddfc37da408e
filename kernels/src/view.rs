//! Views of row-major matrices in borrowed memory: [`MatRef`] and [`MatMut`].
//!
//! Element (i, j) of a view lies at i stride + j. Shapes are checked once, here; a mutable view can be split by
//! rows *and* by columns, which slices cannot, so that threads may share a matrix.

use core::fmt;
use core::marker::PhantomData;

/// Why a slice is no matrix of the wanted shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewError {
    /// The stride between rows is less than the number of columns.
    StrideTooSmall {
        /// Elements from one row to the next.
        stride: usize,
        /// Columns of the matrix.
        columns: usize,
    },
    /// The slice ends before the last row does.
    TooShort {
        /// Elements that the shape needs.
        needed: usize,
        /// Elements in the slice.
        found: usize,
    },
    /// The size of the matrix does not fit in memory.
    TooLarge,
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StrideTooSmall { stride, columns } => {
                write!(f, "a row stride of {stride} is less than the {columns} columns")
            }
            Self::TooShort { needed, found } => {
                write!(f, "the matrix needs {needed} elements but the slice has {found}")
            }
            Self::TooLarge => f.write_str("the matrix is larger than memory"),
        }
    }
}

impl core::error::Error for ViewError {}

/// Elements from the first of the matrix to its last, or why there is no such matrix.
fn extent(rows: usize, columns: usize, stride: usize) -> Result<usize, ViewError> {
    if stride < columns {
        return Err(ViewError::StrideTooSmall { stride, columns });
    }
    if rows == 0 || columns == 0 {
        return Ok(0);
    }
    let before_last = (rows - 1).checked_mul(stride).ok_or(ViewError::TooLarge)?;
    before_last.checked_add(columns).ok_or(ViewError::TooLarge)
}

fn check(rows: usize, columns: usize, stride: usize, found: usize) -> Result<(), ViewError> {
    let needed = extent(rows, columns, stride)?;
    if found < needed { Err(ViewError::TooShort { needed, found }) } else { Ok(()) }
}

/// A matrix that is read.
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a> {
    // Invariant: data.len() >= extent(rows, columns, stride).
    data: &'a [f32],
    rows: usize,
    columns: usize,
    stride: usize,
}

impl<'a> MatRef<'a> {
    /// A matrix whose rows follow each other without gaps.
    ///
    /// # Errors
    /// The slice is shorter than `rows * columns`.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Result<Self, ViewError> {
        Self::with_stride(data, rows, columns, columns)
    }

    /// A matrix with `stride` elements from one row's start to the next.
    ///
    /// # Errors
    /// The stride is less than `columns`, or the slice ends before the last row.
    pub fn with_stride(
        data: &'a [f32],
        rows: usize,
        columns: usize,
        stride: usize,
    ) -> Result<Self, ViewError> {
        check(rows, columns, stride, data.len())?;
        Ok(Self { data, rows, columns, stride })
    }

    /// Number of rows.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(self) -> usize {
        self.columns
    }

    /// Row i; empty beyond the last.
    #[inline(always)]
    pub fn row(self, i: usize) -> &'a [f32] {
        if i >= self.rows {
            return &[];
        }
        self.data.get(i * self.stride..).and_then(|rest| rest.get(..self.columns)).unwrap_or(&[])
    }

    /// The rows `from..to`, clamped to the matrix.
    #[inline]
    pub fn sub_rows(self, from: usize, to: usize) -> Self {
        let to = to.min(self.rows);
        let from = from.min(to);
        // Behind the last row the data may end before a whole stride.
        let data = self.data.get(from * self.stride..).unwrap_or(&[]);
        Self { data, rows: to - from, ..self }
    }

    /// The columns `from..to`, clamped to the matrix.
    #[inline]
    pub fn sub_columns(self, from: usize, to: usize) -> Self {
        let to = to.min(self.columns);
        let from = from.min(to);
        let data = self.data.get(from..).unwrap_or(&[]);
        Self { data, columns: to - from, ..self }
    }

    /// Part of the matrix: `rows` x `columns` elements from (row, column) on, clamped to the matrix.
    #[inline(always)]
    pub(crate) fn block(self, row: usize, column: usize, rows: usize, columns: usize) -> Self {
        let row_end = row.saturating_add(rows);
        let column_end = column.saturating_add(columns);
        self.sub_rows(row, row_end).sub_columns(column, column_end)
    }

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

    /// The same where each tile's lines are the R columns of `depth` rows of their own, one tile after the other.
    #[inline(always)]
    pub(crate) fn panel_tiles<const R: usize>(self, depth: usize, tiles: usize) -> Option<LineTiles<'a, R>> {
        if R == 0 || tiles == 0 || R > self.columns || tiles.checked_mul(depth)? > self.rows {
            return None;
        }
        Some(LineTiles {
            first: self.data.as_ptr(),
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
    /// The lines of tile t from element `start` on; none where there is no such tile.
    #[inline(always)]
    pub(crate) fn lines(&self, t: usize, start: usize) -> Lines<'a, R> {
        let left = if t < self.tiles { self.depth.saturating_sub(start) } else { 0 };
        let first = self.first.wrapping_add(t * self.next + start * self.along);
        Lines { first, across: self.across, along: self.along, left, data: PhantomData }
    }
}

/// R lines at once, for [`for_each_step`].
pub(crate) struct Lines<'a, const R: usize> {
    // Invariant: the elements first + r across + p along for r < R, p < left are in the data.
    first: *const f32,
    across: usize,
    along: usize,
    left: usize,
    data: PhantomData<&'a [f32]>,
}

/// One element of each of R lines, read when asked for, so that the tile needs no registers to hold them.
pub(crate) struct Elements<'a, const R: usize> {
    // Invariant: the elements first + r across for r < R are in the data.
    first: *const f32,
    across: usize,
    data: PhantomData<&'a [f32]>,
}

impl<const R: usize> Elements<'_, R> {
    /// The element of line r; 0 where there is no such line.
    #[inline(always)]
    pub(crate) fn get(&self, r: usize) -> f32 {
        if r >= R {
            return 0.0;
        }
        // SAFETY: r < R, so by the invariant the element is in the data, which 'a keeps borrowed.
        unsafe { *self.first.add(r * self.across) }
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
    /// The strip from row `start` on.
    #[inline(always)]
    pub(crate) fn from(&self, start: usize) -> Self {
        let first = self.first.wrapping_add(start * self.stride);
        Self { first, left: self.left.saturating_sub(start), ..*self }
    }
}

/// Calls `step` with the elements of A, the row of B and the row of `edge` for at most `steps` steps over k that all
/// three have, in order: the inner loop of a matrix product, with nothing left to check.
///
/// B's row comes in two parts so that the length of the first can be a constant.
#[inline(always)]
pub(crate) fn for_each_step<'a, const R: usize>(
    a: Lines<'a, R>,
    b: Strips<'a>,
    edge: Strips<'a>,
    steps: usize,
    mut step: impl FnMut(Elements<'a, R>, &'a [f32], &'a [f32]),
) {
    let (mut first_a, mut first_b, mut first_edge) = (a.first, b.first, edge.first);
    for _ in 0..steps.min(a.left).min(b.left).min(edge.left) {
        let elements = Elements { first: first_a, across: a.across, data: PhantomData };
        // SAFETY: this is step p < b.left, so by the invariant of `b` the elements are in its data.
        let row = unsafe { core::slice::from_raw_parts(first_b, b.width) };
        // SAFETY: likewise p < edge.left and the invariant of `edge`.
        let rest = unsafe { core::slice::from_raw_parts(first_edge, edge.width) };
        step(elements, row, rest);
        first_a = first_a.wrapping_add(a.along);
        first_b = first_b.wrapping_add(b.stride);
        first_edge = first_edge.wrapping_add(edge.stride);
    }
}

/// A matrix that is written. No two views that exist at one time share an element.
#[derive(Debug)]
pub struct MatMut<'a> {
    // Invariant: the elements i stride + j for i < rows, j < columns are valid and borrowed by this view alone.
    first: *mut f32,
    rows: usize,
    columns: usize,
    stride: usize,
    data: PhantomData<&'a mut [f32]>,
}

// SAFETY: a view has its elements alone, like the `&mut [f32]` it was made from, and f32 may move between threads.
unsafe impl Send for MatMut<'_> {}
// SAFETY: a shared view gives out shared references only.
unsafe impl Sync for MatMut<'_> {}

impl<'a> MatMut<'a> {
    /// A matrix whose rows follow each other without gaps.
    ///
    /// # Errors
    /// The slice is shorter than `rows * columns`.
    pub fn new(data: &'a mut [f32], rows: usize, columns: usize) -> Result<Self, ViewError> {
        Self::with_stride(data, rows, columns, columns)
    }

    /// A matrix with `stride` elements from one row's start to the next; those between are not touched.
    ///
    /// # Errors
    /// The stride is less than `columns`, or the slice ends before the last row.
    pub fn with_stride(
        data: &'a mut [f32],
        rows: usize,
        columns: usize,
        stride: usize,
    ) -> Result<Self, ViewError> {
        check(rows, columns, stride, data.len())?;
        Ok(Self { first: data.as_mut_ptr(), rows, columns, stride, data: PhantomData })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Row i; empty beyond the last.
    #[inline(always)]
    pub fn row(&self, i: usize) -> &[f32] {
        if i >= self.rows || self.columns == 0 {
            return &[];
        }
        // SAFETY: row i < rows is valid by the invariant, and borrowed with `self`.
        unsafe { core::slice::from_raw_parts(self.first.add(i * self.stride), self.columns) }
    }

    /// Row i, to write; empty beyond the last.
    #[inline(always)]
    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        if i >= self.rows || self.columns == 0 {
            return &mut [];
        }
        // SAFETY: row i < rows is valid by the invariant, and borrowed mutably with `self`.
        unsafe { core::slice::from_raw_parts_mut(self.first.add(i * self.stride), self.columns) }
    }

    /// Part of the matrix: `rows` x `columns` elements from (row, column) on, clamped to the matrix.
    #[inline(always)]
    pub(crate) fn block(&mut self, row: usize, column: usize, rows: usize, columns: usize) -> MatMut<'_> {
        let (row, column) = (row.min(self.rows), column.min(self.columns));
        MatMut {
            first: self.first.wrapping_add(row * self.stride + column),
            rows: rows.min(self.rows - row),
            columns: columns.min(self.columns - column),
            stride: self.stride,
            data: PhantomData,
        }
    }

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

    /// This view for a shorter time.
    pub fn reborrow(&mut self) -> MatMut<'_> {
        MatMut {
            first: self.first,
            rows: self.rows,
            columns: self.columns,
            stride: self.stride,
            data: PhantomData,
        }
    }

    /// The rows before `at` and those from it on; `at` is clamped to the number of rows.
    pub fn split_rows(self, at: usize) -> (Self, Self) {
        let at = at.min(self.rows);
        let upper = Self { rows: at, ..self };
        let lower = Self { first: self.first.wrapping_add(at * self.stride), rows: self.rows - at, ..self };
        (upper, lower)
    }

    /// The columns before `at` and those from it on; `at` is clamped to the number of columns.
    pub fn split_columns(self, at: usize) -> (Self, Self) {
        let at = at.min(self.columns);
        let left = Self { columns: at, ..self };
        let right = Self { first: self.first.wrapping_add(at), columns: self.columns - at, ..self };
        (left, right)
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
    /// Row r of tile t; empty where there is none.
    #[inline(always)]
    pub(crate) fn row_mut(&mut self, t: usize, r: usize) -> &mut [f32] {
        if r >= R || t >= self.tiles {
            return &mut [];
        }
        // SAFETY: row t R + r is less than tiles R, so it is valid by the invariant, and borrowed mutably with `self`.
        unsafe { core::slice::from_raw_parts_mut(self.first.add((t * R + r) * self.stride), self.width) }
    }
}
