//! Optimiser steps: SGD, momentum, Adam and AdamW; L1 and L2 gradients; scaling.
//!
//! Each is element-wise over slices of one length and writes in place: one read of each operand, one write of each
//! state. No workspace. A NaN in an element stays in that element. The only error is a difference of lengths, and
//! nothing has been written then.

mod adam;
mod penalty;
mod sgd;

pub use adam::{Adam, AdamCorrection, AdamState, adam};
pub use penalty::{add_l1, add_l2};
pub use sgd::{Momentum, momentum, scale, sgd};
