//! Clipping of gradients.

use isobath_kernels::reduce::{Scaled, sum_of_squares};
use isobath_kernels::{Level, clip};

use crate::Status;
use crate::borrow::{Input, Operands, Output, Plain, borrow};
use crate::status::status;

/// The gradient of one tensor.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Gradient {
    /// Its elements.
    pub data: *mut f32,
    /// Their number.
    pub len: usize,
}

// SAFETY: any pattern is an address, and a number; whether elements are there is checked where they are borrowed.
unsafe impl Plain for Gradient {}

/// g = g min(1, max_norm / norm) for all gradients, with norm their norm together, taken in the order of the list.
///
/// The norm before clipping is written to *norm. Gradients with an infinite or NaN element are not changed; *norm is then
/// infinite or NaN. It is also infinite, and clipping right all the same, where the norm of finite gradients exceeds a float.
/// There are count gradients, none of which may lie where another does. Errors: ISOBATH_STATUS_BOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_clip_by_global_norm(
    gradients: *const Gradient,
    count: usize,
    max_norm: f32,
    norm: *mut f32,
) -> Status {
    status(|| {
        let (level, list, norm) = (Level::detect(), Input(gradients, count), Output(norm, 1));
        (list, norm).check()?;
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (gradients,) = unsafe { borrow((list,)) }?;
        let mut total = Scaled::ZERO;
        let mut rest = gradients;
        while let [gradient, others @ ..] = rest {
            for other in others {
                (gradient.output(), other.output()).check()?;
            }
            (list, norm, gradient.output()).check()?;
            // SAFETY: likewise; this slice lives with the list alone.
            let (g,) = unsafe { borrow((gradient.output(),)) }?;
            total = total.plus(sum_of_squares(level, g));
            rest = others;
        }
        let total = total.sqrt();
        // Refuses a bad bound before anything is written.
        clip::scale_to_norm(level, &mut [], total, max_norm)?;
        for gradient in gradients {
            // SAFETY: likewise.
            let (g,) = unsafe { borrow((gradient.output(),)) }?;
            clip::scale_to_norm(level, g, total, max_norm)?;
        }
        // SAFETY: likewise.
        let (norm,) = unsafe { borrow((norm,)) }?;
        norm.fill(total.to_f32());
        Ok(())
    })
}

impl Gradient {
    fn output(self) -> Output<f32> {
        Output(self.data, self.len)
    }
}
