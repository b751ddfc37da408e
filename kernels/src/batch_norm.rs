//! Batch normalisation: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, per channel.
//!
//! x is batch x channels, row-major; mean and (biased) variance are of each column. Convolutions pass their
//! batch x height x width positions as rows. gamma, beta, the statistics and their gradients have one element per
//! channel. No workspace; epsilon is taken as given (0 divides by zero where the variance is 0).
//!
//! Order: see [`crate::reduce`] for columns. Per block of 64 rows, a first mean, the pivot, and then the centred moments
//! s1 = sum d, s2 = sum d^2 with d = x - pivot: the block's mean is pivot + s1 / n, kept apart, and its second moment
//! s2 - s1^2 / n, not below 0. Blocks are merged in order by Chan's formula, about the first block's pivot. So the
//! variance of 1e4 +- 0.1 is right, where E x^2 - (E x)^2 has no digit left, and that of a constant column is 0.
//! Numerics, u = 2^-24: relative error of the variance at most 150 u (1 + (64 u mean / sigma)^2) up to 4096 rows; of
//! x - mean, u |mean| absolute, which is what f32 can say of the mean. NaN or infinity in a column makes the column
//! NaN, and no other. Squares beyond f32 (deviations from 1e19, means from 1e24) make the variance infinite, or NaN.
//! Cost: forward 9 flops and two reads, one write of each element; backward 11 flops, two reads of x and dy, one write.
//! Source: Ioffe and Szegedy 2015; Chan, Golub and LeVeque, "Algorithms for Computing the Sample Variance", 1983.

mod backward;
mod forward;
mod statistics;

pub use backward::{backward, backward_in_place};
pub use forward::{forward_inference, forward_inference_in_place, forward_training};
pub use statistics::update_running;

use core::fmt;

use crate::LengthError;
use crate::reduce::ShapeError;

/// What a training step keeps of each channel: [`backward`] takes the first two, [`update_running`] the outer two.
///
/// ```
/// use isobath_kernels::batch_norm::{self, BatchStatistics};
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// // One buffer for what two channels keep; their values are -1 and 1, and 3 and 7.
/// let (x, mut y, mut kept) = ([-1.0, 3.0, 1.0, 7.0], [0.0; 4], [0.0; 6]);
/// let (mean, rest) = kept.split_at_mut(2);
/// let (inv_std, variance) = rest.split_at_mut(2);
/// let saved = BatchStatistics { mean, inv_std, variance };
/// let (x, out) = (MatRef::new(&x, 2, 2)?, MatMut::new(&mut y, 2, 2)?);
/// batch_norm::forward_training(Level::detect(), x, &[1.0; 2], &[0.0; 2], 0.0, out, saved)?;
/// assert_eq!(kept, [0.0, 5.0, 1.0, 0.5, 1.0, 4.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct BatchStatistics<'a> {
    /// Mean over the batch.
    pub mean: &'a mut [f32],
    /// 1 / sqrt(variance + epsilon).
    pub inv_std: &'a mut [f32],
    /// Biased variance over the batch: divided by its size.
    pub variance: &'a mut [f32],
}

/// Why a batch was not normalised. Nothing has been written then.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::batch_norm::{BatchNormError, update_running};
///
/// let (mut mean, mut variance) = ([0.0], [1.0]);
/// let error = update_running(Level::detect(), &mut mean, &mut variance, &[5.0], &[0.0], 0.1, 1).unwrap_err();
/// assert_eq!(error, BatchNormError::BatchTooSmall { batch: 1 });
/// assert_eq!(error.to_string(), "batch normalisation trains on 2 rows or more, the batch has 1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchNormError {
    /// Operands whose shapes must agree do not.
    Shape(ShapeError),
    /// One row has no variance: x - mean is 0 whatever x is, and training would stand still.
    BatchTooSmall {
        /// Rows in the batch.
        batch: usize,
    },
}

impl fmt::Display for BatchNormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::BatchTooSmall { batch } => {
                write!(f, "batch normalisation trains on 2 rows or more, the batch has {batch}")
            }
        }
    }
}

impl core::error::Error for BatchNormError {}

impl From<ShapeError> for BatchNormError {
    fn from(error: ShapeError) -> Self {
        Self::Shape(error)
    }
}

impl From<LengthError> for BatchNormError {
    fn from(error: LengthError) -> Self {
        Self::Shape(ShapeError::Length(error))
    }
}

fn check_batch(batch: usize) -> Result<(), BatchNormError> {
    if batch < 2 { Err(BatchNormError::BatchTooSmall { batch }) } else { Ok(()) }
}
