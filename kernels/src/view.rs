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
///
/// ```
/// use isobath_kernels::MatRef;
/// use isobath_kernels::view::ViewError;
///
/// let data = [0.0; 5];
/// let error = MatRef::new(&data, 2, 3).unwrap_err();
/// assert_eq!(error, ViewError::TooShort { needed: 6, found: 5 });
/// assert_eq!(error.to_string(), "the matrix needs 6 elements but the slice has 5");
/// let overlapping = MatRef::with_stride(&data, 2, 3, 2);
/// assert_eq!(overlapping.unwrap_err(), ViewError::StrideTooSmall { stride: 2, columns: 3 });
/// ```
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
    ///
    /// ```
    /// # use isobath_kernels::MatRef;
    /// let matrix = MatRef::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3)?;
    /// assert_eq!(matrix.row(1), [4.0, 5.0, 6.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Result<Self, ViewError> {
        Self::with_stride(data, rows, columns, columns)
    }

    /// A matrix with `stride` elements from one row's start to the next.
    ///
    /// # Errors
    /// The stride is less than `columns`, or the slice ends before the last row.
    ///
    /// ```
    /// # use isobath_kernels::MatRef;
    /// // The first column of a 3 x 2 matrix; nothing has to follow its last element.
    /// let column = MatRef::with_stride(&[1.0, 2.0, 3.0, 4.0, 5.0], 3, 1, 2)?;
    /// assert_eq!([0, 1, 2].map(|i| column.row(i)[0]), [1.0, 3.0, 5.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use isobath_kernels::MatRef;
    /// assert_eq!(MatRef::new(&[0.0; 6], 2, 3)?.rows(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Number of columns.
    ///
    /// ```
    /// # use isobath_kernels::MatRef;
    /// assert_eq!(MatRef::new(&[0.0; 6], 2, 3)?.columns(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use isobath_kernels::MatRef;
    /// let matrix = MatRef::new(&[1.0, 2.0, 3.0, 4.0], 2, 2)?;
    /// assert_eq!(matrix.row(0), [1.0, 2.0]);
    /// assert!(matrix.row(2).is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline(always)]
    pub fn row(self, i: usize) -> &'a [f32] {
        if i >= self.rows {
            return &[];
        }
        self.data.get(i * self.stride..).and_then(|rest| rest.get(..self.columns)).unwrap_or(&[])
    }

    /// All elements, row by row, where no gap stands between the rows.
    ///
    /// ```
    /// # use isobath_kernels::MatRef;
    /// let data = [1.0, 2.0, 3.0, 4.0];
    /// let matrix = MatRef::new(&data, 2, 2)?;
    /// assert_eq!(matrix.as_slice(), Some(&data[..]));
    /// assert_eq!(matrix.sub_columns(0, 1).as_slice(), None); // 2 lies between 1 and 3
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn as_slice(self) -> Option<&'a [f32]> {
        if self.stride != self.columns && self.rows > 1 {
            return None;
        }
        self.data.get(..self.rows * self.columns)
    }

    /// The rows `from..to`, clamped to the matrix.
    ///
    /// ```
    /// # use isobath_kernels::MatRef;
    /// // Samples in batches of two: the last one is short.
    /// let samples = MatRef::new(&[1.0, 2.0, 3.0], 3, 1)?;
    /// let last = samples.sub_rows(2, 4);
    /// assert_eq!((last.rows(), last.row(0)), (1, &[3.0][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn sub_rows(self, from: usize, to: usize) -> Self {
        let to = to.min(self.rows);
        let from = from.min(to);
        // Behind the last row the data may end before a whole stride.
        let data = self.data.get(from * self.stride..).unwrap_or(&[]);
        Self { data, rows: to - from, ..self }
    }

    /// The columns `from..to`, clamped to the matrix.
    ///
    /// ```
    /// # use isobath_kernels::MatRef;
    /// let matrix = MatRef::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3)?;
    /// assert_eq!(matrix.sub_columns(1, 3).row(1), [5.0, 6.0]);
    /// assert_eq!(matrix.sub_columns(3, 9).columns(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
///
/// ```
/// use isobath_kernels::MatMut;
///
/// // Two threads write the halves of a matrix, cut between columns, which no slice could give them.
/// let mut data = [0.0; 8];
/// let (mut left, mut right) = MatMut::new(&mut data, 2, 4)?.split_columns(2);
/// std::thread::scope(|threads| {
///     threads.spawn(move || (0..2).for_each(|i| left.row_mut(i).fill(1.0)));
///     threads.spawn(move || (0..2).for_each(|i| right.row_mut(i).fill(2.0)));
/// });
/// assert_eq!(data, [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    ///
    /// ```
    /// # use isobath_kernels::MatMut;
    /// let mut data = [0.0; 4];
    /// MatMut::new(&mut data, 2, 2)?.row_mut(1)[0] = 5.0;
    /// assert_eq!(data, [0.0, 0.0, 5.0, 0.0]);
    /// assert!(MatMut::new(&mut data, 2, 3).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn new(data: &'a mut [f32], rows: usize, columns: usize) -> Result<Self, ViewError> {
        Self::with_stride(data, rows, columns, columns)
    }

    /// A matrix with `stride` elements from one row's start to the next; those between are not touched.
    ///
    /// # Errors
    /// The stride is less than `columns`, or the slice ends before the last row.
    ///
    /// ```
    /// # use isobath_kernels::MatMut;
    /// let mut data = [9.0; 5];
    /// let mut padded = MatMut::with_stride(&mut data, 2, 2, 3)?;
    /// (0..2).for_each(|i| padded.row_mut(i).fill(0.0));
    /// assert_eq!(data, [0.0, 0.0, 9.0, 0.0, 0.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use isobath_kernels::MatMut;
    /// assert_eq!(MatMut::new(&mut [0.0; 6], 3, 2)?.rows(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    ///
    /// ```
    /// # use isobath_kernels::MatMut;
    /// assert_eq!(MatMut::new(&mut [0.0; 6], 3, 2)?.columns(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use isobath_kernels::MatMut;
    /// let mut data = [1.0, 2.0, 3.0, 4.0];
    /// let matrix = MatMut::new(&mut data, 2, 2)?;
    /// assert_eq!(matrix.row(1), [3.0, 4.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline(always)]
    pub fn row(&self, i: usize) -> &[f32] {
        if i >= self.rows || self.columns == 0 {
            return &[];
        }
        // SAFETY: row i < rows is valid by the invariant, and borrowed with `self`.
        unsafe { core::slice::from_raw_parts(self.first.add(i * self.stride), self.columns) }
    }

    /// Row i, to write; empty beyond the last.
    ///
    /// ```
    /// # use isobath_kernels::MatMut;
    /// let mut data = [1.0, 2.0, 3.0, 4.0];
    /// let mut matrix = MatMut::new(&mut data, 2, 2)?;
    /// matrix.row_mut(0).reverse();
    /// assert!(matrix.row_mut(2).is_empty());
    /// assert_eq!(data, [2.0, 1.0, 3.0, 4.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use isobath_kernels::{Level, MatMut, MatRef, loss};
    /// // A kernel takes its view; the caller's is still there for the next call.
    /// let (logits, mut p) = ([0.0, 0.0], [0.0; 2]);
    /// let mut out = MatMut::new(&mut p, 1, 2)?;
    /// for _ in 0..2 {
    ///     loss::softmax(Level::detect(), MatRef::new(&logits, 1, 2)?, out.reborrow())?;
    /// }
    /// assert_eq!(out.row(0), [0.5, 0.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use isobath_kernels::MatMut;
    /// let mut data = [1.0, 2.0, 3.0];
    /// let (upper, lower) = MatMut::new(&mut data, 3, 1)?.split_rows(1);
    /// assert_eq!((upper.rows(), lower.rows()), (1, 2));
    /// assert_eq!(lower.row(0), [2.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn split_rows(self, at: usize) -> (Self, Self) {
        let at = at.min(self.rows);
        let upper = Self { rows: at, ..self };
        let lower = Self { first: self.first.wrapping_add(at * self.stride), rows: self.rows - at, ..self };
        (upper, lower)
    }

    /// The columns before `at` and those from it on; `at` is clamped to the number of columns.
    ///
    /// ```
    /// # use isobath_kernels::MatMut;
    /// let mut data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    /// let (left, right) = MatMut::new(&mut data, 2, 3)?.split_columns(1);
    /// assert_eq!((left.row(1), right.row(1)), (&[4.0][..], &[5.0, 6.0][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn split_columns(self, at: usize) -> (Self, Self) {
        let at = at.min(self.columns);
        let left = Self { columns: at, ..self };
        let right = Self { first: self.first.wrapping_add(at), columns: self.columns - at, ..self };
        (left, right)
    }
}
