//! What a forward or backward pass needs besides the memory: plan, level, threads, and how many rows.

use core::fmt;

use isobath_kernels::Level;

use super::{Plan, Signal};

/// Whether batch norm uses the batch's statistics or the running ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The batch's own, which also move the running ones.
    Training,
    /// The running ones.
    Inference,
    /// The batch's own, and the running ones stay: a pass in training mode that is run again.
    Recomputation,
}

/// Why a pass could not run: an argument does not fit the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetError {
    /// More samples than the plan's batch, or none.
    Rows {
        /// The plan's batch.
        batch: usize,
        /// Samples asked for.
        found: usize,
    },
    /// The gradient of the loss has fewer elements than the output.
    Gradient {
        /// Elements of the output.
        needed: usize,
        /// Elements given.
        found: usize,
    },
    /// A clipping limit is negative or NaN.
    Limit,
    /// A decay or a largest norm of weights is negative or NaN.
    Restraint,
    /// Training with batch norm on a single sample of a single position.
    BatchNormRows,
    /// All gradients are needed at once, of a plan whose gradients are consumed layer by layer.
    Consumed,
    /// The arena is not of this plan.
    Arena {
        /// The layer whose memory is missing.
        layer: usize,
    },
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows { batch, found } => {
                write!(f, "a pass over {found} rows; the plan is for 1 to {batch}")
            }
            Self::Gradient { needed, found } => {
                write!(f, "the gradient has {found} elements but the output {needed}")
            }
            Self::Limit => f.write_str("the clipping limit must be 0 or positive"),
            Self::Restraint => f.write_str("decay and the largest norm of weights must be 0 or positive"),
            Self::BatchNormRows => f.write_str("batch norm cannot train on a batch of one row"),
            Self::Consumed => f.write_str(
                "all gradients are needed at once, but the plan has them consumed layer by layer; keep them",
            ),
            Self::Arena { layer } => write!(f, "the arena does not belong to this plan (layer {layer})"),
        }
    }
}

impl core::error::Error for NetError {}

/// A pass over the first `rows` samples of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a, T> {
    /// Where everything lies.
    pub plan: Plan<'a>,
    /// The instruction set. It never shows in a bit.
    pub level: Level,
    /// Who shares the work. It never shows in a bit.
    pub threads: &'a T,
    /// Samples in use, each a row of the input; the last batch of a data set may be ragged.
    pub rows: usize,
}

impl<T> Pass<'_, T> {
    pub(super) fn check_rows(&self) -> Result<(), NetError> {
        if self.rows == 0 || self.rows > self.plan.batch {
            return Err(NetError::Rows { batch: self.plan.batch, found: self.rows });
        }
        Ok(())
    }

    /// Rows of the matrix of the samples in use.
    pub(super) fn rows_of(&self, signal: Signal) -> usize {
        self.rows * signal.positions()
    }

    /// Elements of that matrix.
    pub(super) fn elements_of(&self, signal: Signal) -> usize {
        self.rows * signal.elements()
    }
}
