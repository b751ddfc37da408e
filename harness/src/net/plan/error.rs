//! Why a plan cannot be made.

use core::fmt;

use super::MAX_NESTING;
use crate::net::pooling::MOST;
use crate::net::{Signal, Window};

/// Why a list of layers is no network.
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::{Layer, Place, Plan, PlanError};
///
/// let layers = [Layer::SkipStart, Layer::dense(3, Init::HE), Layer::SkipEnd { scale: 1.0 }];
/// let mut places = [Place::default(); 3];
/// assert!(Plan::new(3, 1, &layers, &mut places).is_ok());
/// // Four columns come over the skip connection, three out of the branch.
/// let error = Plan::new(4, 1, &layers, &mut places).unwrap_err();
/// assert_eq!(error, PlanError::SkipWidth { layer: 2, skip: 4, branch: 3 });
/// assert!(error.to_string().starts_with("layer 2: the residual branch has 3 columns"));
/// let error = Plan::new(0, 1, &layers, &mut places).unwrap_err();
/// assert_eq!(error.to_string(), "the input width is 0; it must be at least 1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// A width, the input or the batch is 0.
    Zero(&'static str),
    /// Fewer places than layers were given.
    Places {
        /// Layers.
        needed: usize,
        /// Places given.
        found: usize,
    },
    /// A residual branch is not closed, not opened, empty, or nested too deep.
    Skip {
        /// The layer's index.
        layer: usize,
    },
    /// A residual branch changes the width.
    SkipWidth {
        /// The layer's index.
        layer: usize,
        /// Columns of the skip connection.
        skip: usize,
        /// Columns of the branch.
        branch: usize,
    },
    /// A residual branch changes the positions.
    SkipPositions {
        /// The layer's index.
        layer: usize,
        /// What comes over the skip connection.
        skip: Signal,
        /// What comes out of the branch.
        branch: Signal,
    },
    /// A window does not fit what it slides over.
    Window {
        /// The layer's index.
        layer: usize,
        /// The window.
        window: Window,
        /// What comes in.
        image: Signal,
    },
    /// The window of a max pool has more rows than this.
    Pool {
        /// The layer's index.
        layer: usize,
        /// Its rows.
        size: usize,
    },
    /// A layer with standardised weights has one input: a single weight has no variance.
    OneInput {
        /// The layer's index.
        layer: usize,
    },
    /// Batch norm needs at least two rows to have a variance.
    BatchNormBatch {
        /// Rows.
        batch: usize,
    },
    /// A recurrent layer shows no state, or more than it has.
    Shown {
        /// The layer's index.
        layer: usize,
        /// States to be shown.
        shown: usize,
        /// Its steps.
        steps: usize,
    },
    /// A plain recurrence with PReLU, whose slope it could not learn.
    RecurrentPrelu {
        /// The layer's index.
        layer: usize,
    },
    /// A recurrent layer's limit for the gradient through time is not positive.
    RecurrentClip {
        /// The layer's index.
        layer: usize,
    },
    /// The arena would not fit in memory.
    TooLarge,
    /// The arena is shorter than [`arena_len`](crate::net::Plan::arena_len).
    Arena {
        /// Elements needed.
        needed: usize,
        /// Elements given.
        found: usize,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero(what) => write!(f, "{what} is 0; it must be at least 1"),
            Self::Places { needed, found } => {
                write!(f, "{needed} layers need as many places, {found} were given")
            }
            Self::Skip { layer } => write!(
                f,
                "layer {layer}: a residual branch must be opened, hold a layer, be closed, and nest at most {MAX_NESTING} deep"
            ),
            Self::SkipWidth { layer, skip, branch } => {
                write!(
                    f,
                    "layer {layer}: the residual branch has {branch} columns but its skip connection {skip}"
                )
            }
            Self::SkipPositions { layer, skip, branch } => {
                write!(f, "layer {layer}: the residual branch has {branch} but its skip connection {skip}")
            }
            Self::Window { layer, window: Window { size, padding, .. }, image } => write!(
                f,
                "layer {layer}: a window of {size} x {size} does not fit {image}, padded by {padding} on each side"
            ),
            Self::Pool { layer, size } => {
                write!(f, "layer {layer}: max pooling over {size} x {size}; the most is {MOST} x {MOST}")
            }
            Self::OneInput { layer } => {
                write!(f, "layer {layer}: standardised weights need at least 2 inputs, not 1")
            }
            Self::BatchNormBatch { batch } => {
                write!(f, "batch norm needs a batch of at least 2 rows in training, not {batch}")
            }
            Self::Shown { layer, shown, steps } => {
                write!(f, "layer {layer}: {shown} states are to be shown; it must be 1 to {steps}")
            }
            Self::RecurrentPrelu { layer } => {
                write!(f, "layer {layer}: prelu learns its slope, which a recurrent layer cannot")
            }
            Self::RecurrentClip { layer } => {
                write!(f, "layer {layer}: the limit for the gradient through time must be positive")
            }
            Self::TooLarge => f.write_str("the network does not fit in this machine's address space"),
            Self::Arena { needed, found } => {
                write!(f, "the arena has {found} elements but {needed} are needed")
            }
        }
    }
}

impl core::error::Error for PlanError {}
