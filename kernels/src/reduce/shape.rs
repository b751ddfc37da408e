//! The error of kernels over matrices and slices whose shapes must agree.

use core::fmt;

use crate::LengthError;

/// Operands whose shapes must agree do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeError {
    /// A slice has the wrong length.
    Length(LengthError),
    /// A matrix has the wrong shape.
    Matrix {
        /// Rows and columns of the matrix that sets the shape.
        expected: (usize, usize),
        /// Rows and columns of the matrix that differs.
        found: (usize, usize),
    },
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(error) => error.fmt(f),
            Self::Matrix { expected, found } => {
                write!(
                    f,
                    "a matrix is {} x {} where {} x {} is needed",
                    found.0, found.1, expected.0, expected.1
                )
            }
        }
    }
}

impl core::error::Error for ShapeError {}

impl From<LengthError> for ShapeError {
    fn from(error: LengthError) -> Self {
        Self::Length(error)
    }
}

/// Succeeds if both are of one shape, given as (rows, columns).
pub(crate) fn same_shape(expected: (usize, usize), found: (usize, usize)) -> Result<(), ShapeError> {
    if expected == found { Ok(()) } else { Err(ShapeError::Matrix { expected, found }) }
}
