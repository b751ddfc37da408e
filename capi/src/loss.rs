//! Softmax and its loss.

use isobath_kernels::{Level, MatMut, MatRef, loss};

use crate::Status;
use crate::borrow::{Input, Output, area, borrow};
use crate::status::status;

/// The softmax of each row: p_j = e^z_j / sum e^z. Logits and probabilities are rows x classes.
///
/// Logits of any finite size are fine. A row with NaN or +infinity becomes NaN.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_softmax(
    logits: *const f32,
    rows: usize,
    classes: usize,
    probabilities: *mut f32,
) -> Status {
    status(|| {
        let len = area(rows, classes)?;
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (logits, p) = unsafe { borrow((Input(logits, len), Output(probabilities, len))) }?;
        let logits = MatRef::new(logits, rows, classes)?;
        Ok(loss::softmax(Level::detect(), logits, MatMut::new(p, rows, classes)?)?)
    })
}

/// loss = the mean over the rows of -ln p_label, in nats, and its gradient d_logits = (p - onehot(label)) / rows.
///
/// Logits and d_logits are rows x classes; there is a label per row, less than classes, counted from 0. Without rows the
/// loss is NaN. Errors: ISOBATH_STATUS_LABEL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_softmax_cross_entropy(
    logits: *const f32,
    labels: *const u32,
    rows: usize,
    classes: usize,
    d_logits: *mut f32,
    loss: *mut f32,
) -> Status {
    status(|| {
        let len = area(rows, classes)?;
        let operands = (Input(logits, len), Input(labels, rows), Output(d_logits, len), Output(loss, 1));
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (logits, labels, d_logits, loss) = unsafe { borrow(operands) }?;
        let logits = MatRef::new(logits, rows, classes)?;
        let d_logits = MatMut::new(d_logits, rows, classes)?;
        loss.fill(loss::softmax_cross_entropy(Level::detect(), logits, labels, d_logits)?);
        Ok(())
    })
}
