//! Unsupervised pre-training, layer by layer (Hinton, Osindero and Teh 2006; Bengio et al. 2007): one hidden layer at
//! a time is trained to model its input, its output is the next one's input, and the whole network is then trained on
//! labels.
//!
//! A hidden layer is modelled by a restricted Boltzmann machine ([`rbm`]) or by a denoising autoencoder
//! ([`autoencoder`]). Both join the layer's input (visible units) and its output (hidden units) by one matrix of
//! weights, used both ways ([`units`]). [`stack`] trains all hidden layers of a network so, from below.
//!
//! Arithmetic is that of the kernels and random numbers are drawn in a fixed order, so level and threads never show
//! in a bit. All memory is borrowed: no std, no allocation, no panic.

pub mod autoencoder;
mod layer;
pub mod rbm;
pub mod stack;
pub mod units;

use core::fmt;

use isobath_kernels::LengthError;
use isobath_kernels::gemm::GemmError;
use isobath_kernels::loss::LossError;
use isobath_kernels::view::ViewError;

/// How the hidden layers of a network are pre-trained.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::net::{Layer, Place, Plan};
/// use isobath::pretrain::stack::Stack;
/// use isobath::pretrain::{Model, Pretraining};
///
/// let model = Model::Autoencoder { noise: 0.25 };
/// let pretraining = Pretraining { model, steps: 100, rate: 0.001, shuffled: false };
/// let (dense, sigmoid) = (Layer::dense(4, Init::XAVIER), Layer::Activation(Activation::Sigmoid));
/// let layers = [dense, sigmoid, dense, sigmoid, Layer::dense(2, Init::LECUN)];
/// let mut places = [Place::default(); 5];
/// let stack = Stack::new(pretraining, Plan::new(3, 8, &layers, &mut places)?)?;
/// assert_eq!(stack.layers(), 2); // the head is trained with the labels alone
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pretraining {
    /// The model of a layer.
    pub model: Model,
    /// Steps of each layer.
    pub steps: usize,
    /// Adam's rate.
    pub rate: f32,
    /// Whether each layer's weights are put into a random order afterwards: a control that keeps their distribution and
    /// nothing of what they learned.
    pub shuffled: bool,
}

/// What a layer is trained as.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::net::{Layer, Place, Plan};
/// use isobath::pretrain::stack::Stack;
/// use isobath::pretrain::{Model, Pretraining};
///
/// let layers =
///     [Layer::dense(4, Init::XAVIER), Layer::Activation(Activation::Sigmoid), Layer::dense(2, Init::LECUN)];
/// let mut places = [Place::default(); 3];
/// let plan = Plan::new(3, 8, &layers, &mut places)?;
/// let products = |model| {
///     let stack = Stack::new(Pretraining { model, steps: 1, rate: 0.001, shuffled: false }, plan);
///     stack.map(|stack| stack.multiply_adds(100) / (8 * 3 * 4))
/// };
/// assert_eq!(products(Model::Autoencoder { noise: 0.25 })?, 5);
/// assert_eq!(products(Model::Rbm { gibbs_steps: 1, persistent: false })?, 3 + 2);
/// // Chains of their own take one product more to begin with.
/// assert_eq!(products(Model::Rbm { gibbs_steps: 1, persistent: true })?, 4 + 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Model {
    /// A denoising autoencoder.
    Autoencoder {
        /// The probability that an input is set to 0.
        noise: f32,
    },
    /// A restricted Boltzmann machine.
    Rbm {
        /// Gibbs steps of contrastive divergence.
        gibbs_steps: usize,
        /// Whether the chains go on from step to step (PCD) instead of starting at the data (CD).
        persistent: bool,
    },
}

/// Why a network cannot be pre-trained.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::net::{Layer, Place, Plan};
/// use isobath::pretrain::stack::Stack;
/// use isobath::pretrain::{Model, PretrainError, Pretraining};
///
/// let model = Model::Rbm { gibbs_steps: 1, persistent: false };
/// let pretraining = Pretraining { model, steps: 100, rate: 0.001, shuffled: false };
/// // Hidden units of a Boltzmann machine are probabilities, which tanh does not give.
/// let layers = [Layer::dense(4, Init::XAVIER), Layer::Activation(Activation::Tanh), Layer::dense(2, Init::LECUN)];
/// let mut places = [Place::default(); 3];
/// let error = Stack::new(pretraining, Plan::new(3, 8, &layers, &mut places)?).unwrap_err();
/// assert_eq!(error, PretrainError::Layers { layer: 1 });
/// assert!(error.to_string().starts_with("layer 1: pre-training needs hidden layers"));
/// # Ok::<(), isobath::net::PlanError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PretrainError {
    /// A hidden dense layer is not followed by a sigmoid, or another kind of layer is among them.
    Layers {
        /// The layer's index.
        layer: usize,
    },
    /// There are fewer samples than a batch has rows.
    Samples {
        /// Rows of a batch.
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
    /// A kernel was given operands that do not fit each other.
    Operands,
}

impl fmt::Display for PretrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layers { layer } => write!(
                f,
                "layer {layer}: pre-training needs hidden layers that are dense, each followed by a sigmoid and nothing else"
            ),
            Self::Samples { needed, found } => {
                write!(f, "a batch of {needed} samples cannot be drawn from {found} training samples")
            }
            Self::Buffer { name, needed, found } => {
                write!(f, "the buffer for {name} has {found} elements but {needed} are needed")
            }
            Self::Operands => f.write_str("the buffers do not fit the units"),
        }
    }
}

impl core::error::Error for PretrainError {}

impl From<LengthError> for PretrainError {
    fn from(_: LengthError) -> Self {
        Self::Operands
    }
}

impl From<ViewError> for PretrainError {
    fn from(_: ViewError) -> Self {
        Self::Operands
    }
}

impl From<GemmError> for PretrainError {
    fn from(_: GemmError) -> Self {
        Self::Operands
    }
}

impl From<LossError> for PretrainError {
    fn from(_: LossError) -> Self {
        Self::Operands
    }
}

/// The first `needed` elements of a buffer.
fn prefix<'a, E>(name: &'static str, buffer: &'a [E], needed: usize) -> Result<&'a [E], PretrainError> {
    buffer.get(..needed).ok_or(PretrainError::Buffer { name, needed, found: buffer.len() })
}

/// The same, to write.
fn prefix_mut<'a, E>(
    name: &'static str,
    buffer: &'a mut [E],
    needed: usize,
) -> Result<&'a mut [E], PretrainError> {
    let found = buffer.len();
    buffer.get_mut(..needed).ok_or(PretrainError::Buffer { name, needed, found })
}
