//! Losses with their gradients: squared error, softmax cross-entropy; and softmax and accuracy.
//!
//! Matrices are batch x outputs, row-major, one sample per row; losses are means over the rows, and so are their
//! gradients. Row sums are reductions of a slice, see [`crate::reduce`]; the rows' losses are a column. No workspace.
//! Without rows a loss is NaN (0 / 0), and there is no gradient.

mod cross_entropy;
mod labels;
mod softmax;
mod squared_error;

pub use cross_entropy::softmax_cross_entropy;
pub use labels::accuracy;
pub use softmax::softmax;
pub use squared_error::squared_error;

use core::fmt;

use crate::LengthError;
use crate::reduce::{ShapeError, columns::BLOCK};

/// Why there is no loss. Nothing has been written then.
///
/// ```
/// use isobath_kernels::loss::{LossError, accuracy};
/// use isobath_kernels::{Level, MatRef};
///
/// // Labels count from 0, so there is no class 2 among two.
/// let logits = [0.1, 0.9];
/// let error = accuracy(Level::detect(), MatRef::new(&logits, 1, 2)?, &[2]).unwrap_err();
/// assert_eq!(error, LossError::Label { row: 0, label: 2, classes: 2 });
/// assert_eq!(error.to_string(), "the label of row 0 is 2, but there are 2 classes, counted from 0");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossError {
    /// Operands whose shapes must agree do not.
    Shape(ShapeError),
    /// A label names no class.
    Label {
        /// Row of the label.
        row: usize,
        /// The label as given.
        label: u32,
        /// Number of classes: labels are less.
        classes: usize,
    },
}

impl fmt::Display for LossError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::Label { row, label, classes } => {
                write!(
                    f,
                    "the label of row {row} is {label}, but there are {classes} classes, counted from 0"
                )
            }
        }
    }
}

impl core::error::Error for LossError {}

impl From<ShapeError> for LossError {
    fn from(error: ShapeError) -> Self {
        Self::Shape(error)
    }
}

impl From<LengthError> for LossError {
    fn from(error: LengthError) -> Self {
        Self::Shape(ShapeError::Length(error))
    }
}

/// The sum of `loss` over the rows, in the order of a column: chains over blocks of 64 rows, added in order.
#[inline(always)]
fn sum_over_rows(rows: usize, mut loss: impl FnMut(usize) -> f32) -> f32 {
    let mut total = 0.0;
    for start in (0..rows).step_by(BLOCK) {
        let mut sum = 0.0;
        for i in start..rows.min(start + BLOCK) {
            sum += loss(i);
        }
        total += sum;
    }
    total
}
