//! Views of row-major matrices in borrowed memory: [`MatRef`] and [`MatMut`].
//!
//! Element (i, j) of a view lies at i stride + j. Shapes are checked once, here; a mutable view can be split by
//! rows *and* by columns, which slices cannot, so that threads may share a matrix.

mod lines;
mod quads;
mod rows;
mod strips;

use core::fmt;
use core::marker::PhantomData;

pub(crate) use lines::{Elements, LineTiles};
pub(crate) use quads::{Quads, for_each_quad};
pub(crate) use rows::RowsMut;
pub(crate) use strips::{Strips, for_each_step};

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
#[inline]
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

#[inline]
fn check(rows: usize, columns: usize, stride: usize, found: usize) -> Result<(), ViewError> {
    let needed = extent(rows, columns, stride)?;
    if found < needed { Err(ViewError::TooShort { needed, found }) } else { Ok(()) }
}

/// A matrix that is read.
///
/// ```
/// use isobath_kernels::MatRef;
///
/// // The middle two columns of a 2 x 4 matrix.
/// let data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
/// let middle = MatRef::new(&data, 2, 4)?.sub_columns(1, 3);
/// assert_eq!((middle.row(0), middle.row(1)), (&[2.0, 3.0][..], &[6.0, 7.0][..]));
/// assert!(MatRef::new(&data, 3, 3).is_err()); // too short
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    #[inline]
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Result<Self, ViewError> {
        Self::with_stride(data, rows, columns, columns)
    }

    /// A matrix with `stride` elements from one row's start to the next.
    ///
    /// # Errors
    /// The stride is less than `columns`, or the slice ends before the last row.
    #[inline]
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
    #[inline]
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[inline]
    pub fn columns(self) -> usize {
        self.columns
    }

    /// Elements from one row's start to the next.
    #[inline]
    pub(crate) fn stride(self) -> usize {
        self.stride
    }

    /// Row i; empty beyond the last.
    #[inline(always)]
    pub fn row(self, i: usize) -> &'a [f32] {
        if i >= self.rows {
            return &[];
        }
        self.data.get(i * self.stride..).and_then(|rest| rest.get(..self.columns)).unwrap_or(&[])
    }

    /// All elements, row by row, where no gap stands between the rows.
    #[inline]
    pub fn as_slice(self) -> Option<&'a [f32]> {
        if self.stride != self.columns && self.rows > 1 {
            return None;
        }
        self.data.get(..self.rows * self.columns)
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
    #[inline]
    pub fn new(data: &'a mut [f32], rows: usize, columns: usize) -> Result<Self, ViewError> {
        Self::with_stride(data, rows, columns, columns)
    }

    /// A matrix with `stride` elements from one row's start to the next; those between are not touched.
    ///
    /// # Errors
    /// The stride is less than `columns`, or the slice ends before the last row.
    #[inline]
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
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[inline]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Elements from one row's start to the next.
    #[inline]
    pub(crate) fn stride(&self) -> usize {
        self.stride
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

    /// A matrix of one column whose elements follow each other, as a row of them.
    #[inline]
    pub(crate) fn column_as_row(&mut self) -> Option<MatMut<'_>> {
        let follows = self.stride == 1 || self.rows <= 1;
        (self.columns == 1 && follows).then_some(MatMut {
            first: self.first,
            rows: 1,
            columns: self.rows,
            stride: self.rows,
            data: PhantomData,
        })
    }

    /// This view for a shorter time.
    #[inline]
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
