//! Softmax cross-entropy with class labels: loss = mean over m rows of ln s - (z_label - max z), s as in softmax;
//! d_logits = (p - [label]) / m.
//!
//! Numerics: logits of any finite size are fine; absolute error of a row's loss at most 2^-24 (80 + 2 loss); p is
//! bit-equal to [`super::softmax`]. A label's logit of -infinity has infinite loss; NaN as for softmax.
//! Cost: softmax, and one division per element, one logarithm per row.

use core::slice::from_mut;

use super::labels::check_labels;
use super::softmax::{divide, exponentials};
use super::{LossError, sum_over_rows};
use crate::math::ln;
use crate::reduce::same_shape;
use crate::simd::{Level, Simd, dispatch};
use crate::{MatMut, MatRef};

/// The loss; writes its gradient.
///
/// # Errors
/// Shapes differ, there is not one label per row, or a label is not less than the number of columns.
///
/// ```
/// use isobath_kernels::{Level, MatMut, MatRef, loss};
///
/// // A network that knows nothing about four classes: loss ln 4, and a gradient of 1/4 - 1 at the right class.
/// let (logits, mut gradient) = ([0.0_f32; 4], [0.0; 4]);
/// let (logits, out) = (MatRef::new(&logits, 1, 4)?, MatMut::new(&mut gradient, 1, 4)?);
/// let loss = loss::softmax_cross_entropy(Level::detect(), logits, &[2], out)?;
/// assert!((loss - 4.0_f32.ln()).abs() < 1e-6);
/// assert_eq!(gradient, [0.25, 0.25, -0.75, 0.25]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn softmax_cross_entropy(
    level: Level,
    logits: MatRef<'_>,
    labels: &[u32],
    mut d_logits: MatMut<'_>,
) -> Result<f32, LossError> {
    same_shape((logits.rows(), logits.columns()), (d_logits.rows(), d_logits.columns()))?;
    check_labels(logits, labels)?;
    let rows = logits.rows() as f32;
    let mut labels = labels.iter();
    let sum = dispatch!(level, simd => sum_over_rows(
        logits.rows(),
        #[inline(always)]
        |i| {
            let label = labels.next().map_or(0, |label| *label as usize);
            let d = d_logits.row_mut(i);
            let (max, sum) = exponentials(simd, logits.row(i), d);
            divide(simd, sum, d);
            if let Some(p) = d.get_mut(label) {
                *p -= 1.0;
            }
            divide(simd, rows, d);
            let logit = logits.row(i).get(label).copied().unwrap_or(max);
            let mut log = 0.0;
            simd.store(ln(simd, simd.splat(sum)), from_mut(&mut log));
            log - (logit - max)
        },
    ));
    Ok(sum / rows)
}
