//! The kinds of layer a network is a list of.

use super::{Place, Recurrent, Window};
use crate::activation::Activation;
use crate::init::Init;

/// An affine map X W + b.
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::{Dense, Layer, Place, Plan};
///
/// let healthy = Dense { units: 4, init: Init::HE, weight_scale: 1.0 };
/// assert_eq!(Layer::Dense(healthy), Layer::dense(4, Init::HE));
/// // A planted defect: one layer whose weights are a hundred times too small.
/// let layers = [healthy, Dense { weight_scale: 0.01, ..healthy }, healthy].map(Layer::Dense);
/// let mut places = [Place::default(); 3];
/// assert_eq!(Plan::new(4, 1, &layers, &mut places)?.parameters(), 3 * (4 * 4 + 4));
/// # Ok::<(), isobath::net::PlanError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dense {
    /// Fan-out n_out.
    pub units: usize,
    /// How W and b are started.
    pub init: Init,
    /// What the initial W is multiplied by: 1, or a planted defect.
    pub weight_scale: f32,
}

/// The same affine map over each window of an image.
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::{Convolution, Layer, Place, Plan, Signal, Window};
///
/// let window = Window { size: 3, stride: 1, padding: 1 };
/// let convolution = Convolution { channels: 8, window, init: Init::HE, weight_scale: 1.0 };
/// let layers = [Layer::Convolution(convolution)];
/// let mut places = [Place::default()];
/// let plan = Plan::new(Signal::image(6, 6, 2), 1, &layers, &mut places)?;
/// assert_eq!(plan.output_signal(), Signal::image(6, 6, 8));
/// // Weights of 3 x 3 positions of 2 channels for each of 8, whose biases follow.
/// assert_eq!(plan.parameters(), 3 * 3 * 2 * 8 + 8);
/// # Ok::<(), isobath::net::PlanError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convolution {
    /// Channels out, C'. The fan-in is k k C for C channels in, the fan-out k k C'.
    pub channels: usize,
    /// Where the windows lie.
    pub window: Window,
    /// How W, k k C x C' with a window's positions in the order of memory, and b are started.
    pub init: Init,
    /// What the initial W is multiplied by: 1, or a planted defect.
    pub weight_scale: f32,
}

/// One layer.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::net::{Layer, Place, Plan, PlanError};
///
/// // x + branch(x) / 2 over 4 columns, between a dense layer below and one above.
/// let layers = [
///     Layer::dense(4, Init::HE),
///     Layer::SkipStart,
///     Layer::LAYER_NORM,
///     Layer::Activation(Activation::Relu),
///     Layer::dense(4, Init::LECUN),
///     Layer::SkipEnd { scale: 0.5 },
///     Layer::dense(2, Init::LECUN),
/// ];
/// let mut places = [Place::default(); 7];
/// let plan = Plan::new(3, 2, &layers, &mut places)?;
/// assert_eq!(plan.parameters(), (3 * 4 + 4) + (4 + 4) + (4 * 4 + 4) + (4 * 2 + 2));
///
/// let open = Plan::new(3, 2, &layers[..5], &mut places);
/// assert_eq!(open.unwrap_err(), PlanError::Skip { layer: 5 });
/// # Ok::<(), PlanError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layer {
    /// X W + b.
    Dense(Dense),
    /// The same with standardised weights, whose size is learned, unit by unit, from what the initialiser says; for two
    /// inputs or more.
    Standardised(Dense),
    /// X W + b for the patches X that a window sees. A window of one position is a dense layer.
    Convolution(Convolution),
    /// The largest of each window, channel by channel; of equal ones the first, of NaN the first.
    MaxPool {
        /// Rows and columns of a window.
        size: usize,
        /// From one window to the next.
        stride: usize,
    },
    /// The mean over all positions, channel by channel, which leaves one position.
    AveragePool,
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
    /// The same with a factor that is learned from this initial value: 0 is skip-init (De and Smith 2020), which starts
    /// every block as the identity. The branch must not be empty.
    LearnedSkipEnd {
        /// The factor at the start.
        start: f32,
    },
    /// A cell run over the steps of a sequence.
    Recurrent(Recurrent),
}

impl Layer {
    /// A dense layer with this many units.
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::{Dense, Layer};
    ///
    /// let dense = Dense { units: 4, init: Init::XAVIER, weight_scale: 1.0 };
    /// assert_eq!(Layer::dense(4, Init::XAVIER), Layer::Dense(dense));
    /// ```
    pub const fn dense(units: usize, init: Init) -> Self {
        Self::Dense(Dense { units, init, weight_scale: 1.0 })
    }

    /// A convolution with k x k windows, its stride and its padding.
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::{Convolution, Layer, Window};
    ///
    /// let window = Window { size: 3, stride: 1, padding: 1 };
    /// let convolution = Convolution { channels: 8, window, init: Init::HE, weight_scale: 1.0 };
    /// assert_eq!(Layer::convolution(8, window, Init::HE), Layer::Convolution(convolution));
    /// ```
    pub const fn convolution(channels: usize, window: Window, init: Init) -> Self {
        Self::Convolution(Convolution { channels, window, init, weight_scale: 1.0 })
    }

    /// Rows and columns of the layer's weights, a column for each unit or gate of one; none without weights.
    pub(super) fn weights_shape(&self, place: &Place) -> Option<(usize, usize)> {
        let columns = match self {
            Self::Dense(_) | Self::Standardised(_) | Self::Convolution(_) => place.width,
            // W and U, one below the other.
            Self::Recurrent(recurrent) => recurrent.cell.gates() * recurrent.units,
            _ => return None,
        };
        Some((place.weight_count.checked_div(columns)?, columns))
    }

    /// Batch normalisation with the usual constants (epsilon 1e-5, momentum 0.1).
    pub const BATCH_NORM: Self = Self::BatchNorm { epsilon: 1e-5, momentum: 0.1 };

    /// Layer normalisation with the usual epsilon 1e-5.
    pub const LAYER_NORM: Self = Self::LayerNorm { epsilon: 1e-5 };
}
