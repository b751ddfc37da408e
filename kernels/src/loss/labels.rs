//! Class labels: whether they name classes, and how many a network gets right.

use super::LossError;
use crate::MatRef;
use crate::length::same;
use crate::simd::Level;

/// One label per row, each less than the number of columns.
pub(super) fn check_labels(logits: MatRef<'_>, labels: &[u32]) -> Result<(), LossError> {
    same(logits.rows(), labels.len())?;
    let classes = logits.columns();
    match labels.iter().enumerate().find(|(_, label)| **label as usize >= classes) {
        Some((row, label)) => Err(LossError::Label { row, label: *label, classes }),
        None => Ok(()),
    }
}

/// The number of rows whose largest logit, the first if several are equal, is that of the label. A row with a NaN is
/// wrong.
///
/// Cost: 2 comparisons per element, one at a time on every level: it is memory that it waits for.
///
/// # Errors
/// There is not one label per row, or a label is not less than the number of columns.
///
/// ```
/// use isobath_kernels::{Level, MatRef, loss};
///
/// let logits = [0.1, 0.9, 0.8, 0.2];
/// assert_eq!(loss::accuracy(Level::detect(), MatRef::new(&logits, 2, 2)?, &[1, 1])?, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn accuracy(_level: Level, logits: MatRef<'_>, labels: &[u32]) -> Result<usize, LossError> {
    check_labels(logits, labels)?;
    let right = |(i, label): &(usize, &u32)| first_maximum(logits.row(*i)) == Some(**label as usize);
    Ok(labels.iter().enumerate().filter(right).count())
}

/// The index of the largest element, the first of several; None if any is NaN or there is none.
fn first_maximum(z: &[f32]) -> Option<usize> {
    let mut best = None;
    for (j, z) in z.iter().enumerate() {
        if z.is_nan() {
            return None;
        }
        if best.is_none_or(|(_, max)| *z > max) {
            best = Some((j, *z));
        }
    }
    best.map(|(j, _)| j)
}
