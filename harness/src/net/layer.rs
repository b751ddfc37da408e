//! The kinds of layer a network is a list of.

use super::Recurrent;
use crate::activation::Activation;
use crate::init::Init;

/// An affine map X W + b.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dense {
    /// Fan-out n_out.
    pub units: usize,
    /// How W and b are started.
    pub init: Init,
    /// What the initial W is multiplied by: 1, or a planted defect.
    pub weight_scale: f32,
}

/// One layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layer {
    /// X W + b.
    Dense(Dense),
    /// phi(X), element by element; PReLU learns its slope.
    Activation(Activation),
    /// All positions of a sample in one row, to be read as a single position. Nothing moves.
    Flatten,
    /// Per column over the batch and all positions, with learned gain and shift.
    BatchNorm {
        /// Added to the variance.
        epsilon: f32,
        /// Weight of the newest batch in the running statistics.
        momentum: f32,
    },
    /// Per row over the columns, with learned gain and shift.
    LayerNorm {
        /// Added to the variance.
        epsilon: f32,
    },
    /// Where a residual branch leaves the skip connection.
    SkipStart,
    /// Where it comes back: skip + scale branch.
    SkipEnd {
        /// Factor on the branch.
        scale: f32,
    },
    /// A cell run over the steps of a sequence.
    Recurrent(Recurrent),
}

impl Layer {
    /// A dense layer with this many units.
    pub const fn dense(units: usize, init: Init) -> Self {
        Self::Dense(Dense { units, init, weight_scale: 1.0 })
    }

    /// Batch normalisation with the usual constants (epsilon 1e-5, momentum 0.1).
    pub const BATCH_NORM: Self = Self::BatchNorm { epsilon: 1e-5, momentum: 0.1 };

    /// Layer normalisation with the usual epsilon 1e-5.
    pub const LAYER_NORM: Self = Self::LayerNorm { epsilon: 1e-5 };
}
