//! The error of kernels over matrices and slices whose shapes must agree.

use core::fmt;

use crate::LengthError;

/// Operands whose shapes must agree do not.
///
/// ```
/// use isobath_kernels::reduce::ShapeError;
/// use isobath_kernels::{Level, LengthError, MatMut, batch_norm};
///
/// // Two channels, but one gamma.
/// let mut x = [1.0, 2.0];
/// let view = MatMut::new(&mut x, 1, 2)?;
/// let run = batch_norm::forward_inference_in_place;
/// let error = run(Level::detect(), view, &[1.0], &[0.0; 2], &[0.0; 2], &[1.0; 2], 1e-5).unwrap_err();
/// assert_eq!(error, ShapeError::Length(LengthError { expected: 2, found: 1 }));
///
/// let matrix = ShapeError::Matrix { expected: (4, 2), found: (2, 4) };
/// assert_eq!(matrix.to_string(), "a matrix is 2 x 4 where 4 x 2 is needed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
