//! What a sample is between two layers: one row of channels for each position.
//!
//! A batch of B samples is a matrix of B x positions rows and `channels` columns, row-major: position after position,
//! sample after sample. For images that is the layout NHWC, for sequences one row per time step. So everything that
//! works row by row or column by column (dense layers, activations, normalisations, residual sums) runs on images and
//! sequences as it does on vectors, and [`Layer::Flatten`](super::Layer::Flatten) moves nothing: the same memory is a
//! matrix of B rows and positions x channels columns.

use core::fmt;

use super::PlanError;

/// Positions down and across, and the channels at each.
///
/// ```
/// use isobath::net::Signal;
///
/// let image = Signal::image(12, 10, 3);
/// assert_eq!((image.positions(), image.elements()), (120, 360));
/// assert_eq!(image.to_string(), "12 x 10 positions of 3 channels");
/// let sequence = Signal::sequence(5, 2);
/// assert_eq!((sequence.height, sequence.width, sequence.channels), (5, 1, 2));
/// // A number is a vector of so many.
/// assert_eq!(Signal::from(4), Signal::vector(4));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signal {
    /// Positions down: rows of an image, steps of a sequence, 1 for a vector.
    pub height: usize,
    /// Positions across: columns of an image, 1 for a sequence or a vector.
    pub width: usize,
    /// Columns of the matrix.
    pub channels: usize,
}

impl Signal {
    /// So many numbers at a single position: what a dense network hands on.
    pub const fn vector(channels: usize) -> Self {
        Self { height: 1, width: 1, channels }
    }

    /// So many time steps of so many numbers.
    pub const fn sequence(steps: usize, channels: usize) -> Self {
        Self { height: steps, width: 1, channels }
    }

    /// An image.
    pub const fn image(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// Rows of the matrix per sample. A plan has checked that it fits in a `usize`.
    pub const fn positions(self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// Numbers per sample. A plan has checked that it fits in a `usize`.
    pub const fn elements(self) -> usize {
        self.positions().saturating_mul(self.channels)
    }

    /// An error unless the numbers per sample fit in a `usize`.
    pub(super) fn check(self) -> Result<Self, PlanError> {
        let positions = self.height.checked_mul(self.width);
        match positions.and_then(|positions| positions.checked_mul(self.channels)) {
            Some(_) => Ok(self),
            None => Err(PlanError::TooLarge),
        }
    }
}

impl From<usize> for Signal {
    /// [`Signal::vector`].
    fn from(channels: usize) -> Self {
        Self::vector(channels)
    }
}

impl fmt::Display for Signal {
    /// `12 x 12 positions of 8 channels`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} positions of {} channels", self.height, self.width, self.channels)
    }
}
