//! What can keep a training run over borrowed memory from going on, in words that name the buffer or the sample.

use core::fmt;

use isobath_kernels::loss::LossError;

use crate::net::{NetError, PlanError};

/// Why a run cannot go on. A loss that is not finite is a result, not an error.
///
/// ```
/// use isobath::descent::{Descent, DescentError, Memory, Samples};
/// use isobath::init::Init;
/// use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
/// use isobath::net::{Layer, Place, Plan};
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let layers = [Layer::dense(2, Init::LECUN)];
/// let mut places = [Place::default()];
/// let plan = Plan::new(1, 2, &layers, &mut places)?;
/// let mut arena = vec![0.0; plan.arena_len(0, 1)?];
/// let memory = Memory { arena: &mut arena, order: &mut [0; 1], labels: &mut [0; 2], gradient: &mut [0.0; 4] };
/// let update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
/// // One sample makes no batch of two.
/// let samples = Samples { inputs: &[0.5], labels: &[1] };
/// let error = Descent::new(plan, Level::detect(), &Serial, update, samples, memory, 1).unwrap_err();
/// assert_eq!(error, DescentError::Samples { needed: 2, found: 1 });
/// assert_eq!(error.to_string(), "a batch of 2 samples cannot be drawn from 1 training samples");
/// # Ok::<(), isobath::net::PlanError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DescentError {
    /// The arena is too short.
    Plan(PlanError),
    /// A pass did not fit its plan.
    Net(NetError),
    /// A loss was given shapes that do not fit, or a label that is no class.
    Loss(LossError),
    /// There are fewer samples than a batch has rows, or their inputs are not one row per label.
    Samples {
        /// Samples that a batch needs.
        needed: usize,
        /// Whole samples given.
        found: usize,
    },
    /// A buffer is too short.
    Buffer {
        /// Which.
        name: &'static str,
        /// Elements needed.
        needed: usize,
        /// Elements given.
        found: usize,
    },
}

impl fmt::Display for DescentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(error) => error.fmt(f),
            Self::Net(error) => error.fmt(f),
            Self::Loss(error) => write!(f, "the loss: {error}"),
            Self::Samples { needed, found } => {
                write!(f, "a batch of {needed} samples cannot be drawn from {found} training samples")
            }
            Self::Buffer { name, needed, found } => {
                write!(f, "the buffer for {name} has {found} elements but {needed} are needed")
            }
        }
    }
}

impl core::error::Error for DescentError {}

impl From<PlanError> for DescentError {
    fn from(error: PlanError) -> Self {
        Self::Plan(error)
    }
}

impl From<NetError> for DescentError {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}

impl From<LossError> for DescentError {
    fn from(error: LossError) -> Self {
        Self::Loss(error)
    }
}
