//! Deep networks by a few numbers: depth, width, activation, initialiser, normalisation, residual branches.
//!
//! A plain hidden layer is dense, norm (if `pre`), activation, norm (if `post`). A residual network has a dense stem
//! where the input is not as wide as the blocks, then blocks x + s branch(x); a branch is K such layers, the last one
//! linear with Var W = 1/fan-in, or 0 at the start, or activated. Blocks may also be phi(x + s branch(x)). On images,
//! convolutions may take the place of all these dense layers. A recurrent network has recurrent layers instead, each
//! over the states of the one below, and shows the states in which something is asked.

mod convolution;

use std::fmt;

use crate::activation::Activation;
use crate::data::Form;
use crate::init::Init;
use crate::net::{Cell, Dense, ForgetBias, Layer, Place, Plan, PlanError, Recurrent, Shown, Signal};

pub use convolution::{Convolutional, Halving, Top};

/// Which normalisation a hidden layer has.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::{Architecture, Head, Norm};
/// use isobath::init::Init;
/// use isobath::net::Layer;
///
/// let plain = Architecture::plain(1, 4, Activation::Relu, Init::HE);
/// let normalised = Architecture { norm: Norm::Batch, ..plain };
/// let hidden = [Layer::dense(4, Init::HE), Layer::BATCH_NORM, Layer::Activation(Activation::Relu)];
/// assert_eq!(normalised.build(8, Head::None).layers, hidden);
/// assert_eq!(normalised.to_string(), "1 relu layers of 4 with batch norm");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Norm {
    /// None.
    #[default]
    None,
    /// Over the batch.
    Batch,
    /// Over the layer.
    Layer,
}

/// Where it stands.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::{Architecture, Head, Norm, NormPosition};
/// use isobath::init::Init;
/// use isobath::net::Layer;
///
/// let plain = Architecture::plain(1, 4, Activation::Tanh, Init::XAVIER);
/// let post = Architecture { norm: Norm::Layer, norm_position: NormPosition::Post, ..plain };
/// let hidden = [Layer::dense(4, Init::XAVIER), Layer::Activation(Activation::Tanh), Layer::LAYER_NORM];
/// assert_eq!(post.build(8, Head::None).layers, hidden);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NormPosition {
    /// Before the activation.
    #[default]
    Pre,
    /// After it.
    Post,
}

/// Residual branches.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::{Architecture, Head, Residual};
/// use isobath::init::Init;
/// use isobath::net::Layer;
///
/// let plain = Architecture::plain(1, 4, Activation::Relu, Init::HE);
/// let layers = |residual| Architecture { residual: Some(residual), ..plain }.build(4, Head::None).layers;
/// let half = Residual::new(0.5, 2, true);
/// let branch = [
///     Layer::SkipStart,
///     Layer::dense(4, Init::HE),
///     Layer::Activation(Activation::Relu),
///     Layer::dense(4, Init::LECUN),
///     Layer::SkipEnd { scale: 0.5 },
/// ];
/// assert_eq!(layers(half), branch);
/// // Skip-init: blocks start as the identity, and learn how much of a branch to add.
/// let skip_init = Residual { scale: 0.0, scale_is_learned: true, ..half };
/// assert_eq!(layers(skip_init)[..4], branch[..4]);
/// assert_eq!(layers(skip_init)[4], Layer::LearnedSkipEnd { start: 0.0 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// s, the factor on a branch.
    pub scale: f32,
    /// K, the dense layers or convolutions of a branch.
    pub layers: usize,
    /// Whether the branch's last dense layer is linear, with Var W = 1/fan-in, instead of activated.
    pub last_is_linear: bool,
    /// Whether that linear layer starts at 0 instead, and with it the branch (Zhang et al. 2019, Fixup).
    pub last_is_zero: bool,
    /// Whether s is learned, one number per block, from `scale`. From 0 this is skip-init (De and Smith 2020).
    pub scale_is_learned: bool,
    /// Whether phi follows the sum as well: phi(x + s branch(x)), as the first residual networks had it (He et al. 2015).
    pub activated_sum: bool,
}

impl Residual {
    /// Branches of K layers times s, with nothing learned, zero or activated about the sum.
    pub const fn new(scale: f32, layers: usize, last_is_linear: bool) -> Self {
        let (last_is_zero, scale_is_learned, activated_sum) = (false, false, false);
        Self { scale, layers, last_is_linear, last_is_zero, scale_is_learned, activated_sum }
    }
}

/// Recurrent layers in place of dense ones; W and U start as the architecture's `init` says.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::{Architecture, Head, Recurrence};
/// use isobath::data::Form;
/// use isobath::init::Init;
/// use isobath::net::{Cell, ForgetBias, Layer, Recurrent, Shown};
///
/// let cell = Recurrence { cell: Cell::Lstm, forget_bias: ForgetBias::Fixed(1.0), clip: None };
/// let plain = Architecture::plain(2, 8, Activation::Tanh, Init::XAVIER);
/// let lstm = Architecture { cell: Some(cell), ..plain };
/// assert_eq!(lstm.to_string(), "2 LSTM layers of 8");
/// // The lower layer shows all states, the upper one those in which something is asked.
/// let built = lstm.build(Form::Sequence { steps: 20, features: 3, answers: 5 }, Head::None);
/// let upper = Recurrent {
///     forget_bias: ForgetBias::Fixed(1.0),
///     shown: Shown::Last(5),
///     ..Recurrent::new(Cell::Lstm, 8, Init::XAVIER)
/// };
/// let lower = Recurrent { shown: Shown::All, ..upper };
/// assert_eq!(built.layers, [lower, upper].map(Layer::Recurrent));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recurrence {
    /// The cell; a plain recurrence has the architecture's activation.
    pub cell: Cell,
    /// How the bias of the gate that keeps the state starts.
    pub forget_bias: ForgetBias,
    /// The largest norm of the gradient of the state at each step on its way back, if there is one.
    pub clip: Option<f32>,
}

/// A deep network without its data.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::{Architecture, Head};
/// use isobath::init::Init;
/// use isobath::net::{Dense, Layer};
///
/// let deep = Architecture::plain(30, 64, Activation::Sigmoid, Init::XAVIER);
/// assert_eq!(deep.to_string(), "30 sigmoid layers of 64");
/// // A planted defect: the weights of layer 2 are ten times too large.
/// let defect = Architecture { scale_layer: Some((2, 10.0)), ..deep };
/// let built = defect.build(16, Head::Linear(10, Init::LECUN));
/// let faulty = Dense { units: 64, init: Init::XAVIER, weight_scale: 10.0 };
/// assert_eq!(built.layers[built.dense_at[1]], Layer::Dense(faulty));
/// assert_eq!(built.layers.last(), Some(&Layer::dense(10, Init::LECUN)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Architecture {
    /// Hidden layers, or blocks of a residual network. 0 is a linear model.
    pub depth: usize,
    /// Units per hidden layer, or channels.
    pub width: usize,
    /// phi.
    pub activation: Activation,
    /// How hidden dense layers and convolutions are started.
    pub init: Init,
    /// The normalisation.
    pub norm: Norm,
    /// Its place.
    pub norm_position: NormPosition,
    /// Residual branches, if any.
    pub residual: Option<Residual>,
    /// Whether the weights of hidden dense layers are standardised.
    pub standardised: bool,
    /// Convolutions instead of dense layers, if any.
    pub convolution: Option<Convolutional>,
    /// A planted defect: the weights of this hidden layer (from 1) are multiplied by this factor.
    pub scale_layer: Option<(usize, f32)>,
    /// The layers are recurrent.
    pub cell: Option<Recurrence>,
}

/// What follows the last hidden layer.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::{Architecture, Head};
/// use isobath::init::Init;
/// use isobath::net::Layer;
///
/// let hidden = Architecture::plain(2, 8, Activation::Relu, Init::HE);
/// let top = |head| {
///     let built = hidden.build(4, head);
///     built.layers[built.top_at..].to_vec()
/// };
/// assert_eq!(top(Head::None), []);
/// let [dense, sigmoid] = [Layer::dense(1, Init::LECUN), Layer::Activation(Activation::Sigmoid)];
/// assert_eq!(top(Head::Linear(1, Init::LECUN)), [dense]);
/// assert_eq!(top(Head::Sigmoid(1, Init::LECUN)), [dense, sigmoid]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Head {
    /// Nothing: the output is the last hidden layer.
    None,
    /// A dense layer with this many units, started so.
    Linear(usize, Init),
    /// The same with a sigmoid on each unit, for the squared error.
    Sigmoid(usize, Init),
}

/// An architecture spelt out, with the indices at which hidden layers are observed.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::{Architecture, Head};
/// use isobath::init::Init;
/// use isobath::net::{Place, PlanError, Signal};
///
/// // A dense layer and an activation each, then the head.
/// let hidden = Architecture::plain(3, 8, Activation::Relu, Init::HE);
/// let built = hidden.build(4, Head::Linear(2, Init::LECUN));
/// assert_eq!(built.dense_at, [0, 2, 4]);
/// assert_eq!(built.delta_at, [1, 3, 5]);
/// assert_eq!(built.top_at, 6);
///
/// let mut places = vec![Place::default(); built.layers.len()];
/// let plan = built.plan(Signal::vector(4), 16, &mut places, None)?;
/// assert_eq!(plan.parameters(), (4 * 8 + 8) + 2 * (8 * 8 + 8) + (8 * 2 + 2));
/// let never = built.plan(Signal::vector(4), 16, &mut places, Some(0));
/// assert!(matches!(never, Err(PlanError::Zero(_))));
/// # Ok::<(), PlanError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Built {
    /// All layers.
    pub layers: Vec<Layer>,
    /// Of hidden layer l (entry l - 1), the layer whose input gradient is delta^l: its activation, for a residual
    /// network the start of block l, and for a recurrent one what follows it.
    pub delta_at: Vec<usize>,
    /// Of hidden layer l, its (first) dense layer or convolution, or the recurrent one: there x enters and gW is taken.
    pub dense_at: Vec<usize>,
    /// The layer whose input gradient is that of the last hidden output.
    pub top_at: usize,
}

impl Built {
    /// Lays the layers out. With `checkpoints`, a backward pass computes all values again but the inputs of segments of so
    /// many hidden layers or residual blocks, about (see [`Plan::with_checkpoints`]).
    ///
    /// # Errors
    /// They are no network, or `checkpoints` is 0.
    pub fn plan<'a>(
        &'a self,
        input: Signal,
        batch: usize,
        places: &'a mut [Place],
        checkpoints: Option<usize>,
    ) -> Result<Plan<'a>, PlanError> {
        let Some(hidden) = checkpoints else { return Plan::new(input, batch, &self.layers, places) };
        let layers_of_one = (self.top_at / self.dense_at.len().max(1)).max(1);
        Plan::with_checkpoints(input, batch, &self.layers, places, hidden.saturating_mul(layers_of_one))
    }
}

impl Architecture {
    /// Plain layers: no normalisation, no branches, no defect.
    pub fn plain(depth: usize, width: usize, activation: Activation, init: Init) -> Self {
        Self {
            depth,
            width,
            activation,
            init,
            norm: Norm::None,
            norm_position: NormPosition::Pre,
            residual: None,
            standardised: false,
            convolution: None,
            scale_layer: None,
            cell: None,
        }
    }

    /// The list of layers for samples of this form.
    pub fn build(&self, form: impl Into<Form>, head: Head) -> Built {
        let form = form.into();
        // Images have one channel.
        let input = if self.convolution.is_some() { 1 } else { form.features() };
        let mut built = Built {
            layers: Vec::new(),
            delta_at: Vec::with_capacity(self.depth),
            dense_at: Vec::with_capacity(self.depth),
            top_at: 0,
        };
        if self.residual.is_some() && self.depth > 0 && input != self.width {
            self.weights(0, Init::LECUN, &mut built);
        }
        for number in 1..=self.depth {
            match (self.cell, self.residual) {
                (Some(cell), _) => self.recurrent_layer(number, cell, form.answers(), &mut built),
                (None, None) => self.plain_layer(number, &mut built),
                (None, Some(residual)) => self.block(number, residual, &mut built),
            }
            let behind = self.convolution.and_then(|convolution| convolution.behind(number, self.depth));
            built.layers.extend(behind);
        }
        built.top_at = built.layers.len();
        if let Some(convolution) = self.convolution
            && head != Head::None
        {
            built.layers.push(convolution.top());
        }
        match head {
            Head::None => {}
            Head::Linear(units, init) => built.layers.push(Layer::dense(units, init)),
            Head::Sigmoid(units, init) => {
                built.layers.push(Layer::dense(units, init));
                built.layers.push(Layer::Activation(Activation::Sigmoid));
            }
        }
        built
    }

    fn plain_layer(&self, number: usize, built: &mut Built) {
        built.dense_at.push(built.layers.len());
        self.weights(number, self.init, built);
        self.normalise(NormPosition::Pre, built);
        built.delta_at.push(built.layers.len());
        built.layers.push(Layer::Activation(self.activation));
        self.normalise(NormPosition::Post, built);
    }

    fn recurrent_layer(&self, number: usize, of: Recurrence, answers: usize, built: &mut Built) {
        built.dense_at.push(built.layers.len());
        let shown = if number == self.depth { Shown::Last(answers) } else { Shown::All };
        built.layers.push(Layer::Recurrent(Recurrent {
            shown,
            forget_bias: of.forget_bias,
            clip: of.clip,
            ..Recurrent::new(of.cell, self.width, self.init)
        }));
        built.delta_at.push(built.layers.len());
    }

    fn block(&self, number: usize, residual: Residual, built: &mut Built) {
        built.delta_at.push(built.layers.len());
        built.layers.push(Layer::SkipStart);
        built.dense_at.push(built.layers.len());
        for k in 1..=residual.layers {
            if k == residual.layers && residual.last_is_linear {
                let zero = Init::gaussian(0.0, 0.0);
                self.weights(number, if residual.last_is_zero { zero } else { Init::LECUN }, built);
            } else {
                self.weights(number, self.init, built);
                self.normalise(NormPosition::Pre, built);
                built.layers.push(Layer::Activation(self.activation));
                self.normalise(NormPosition::Post, built);
            }
        }
        let scale = residual.scale;
        built.layers.push(match residual.scale_is_learned {
            true => Layer::LearnedSkipEnd { start: scale },
            false => Layer::SkipEnd { scale },
        });
        if residual.activated_sum {
            built.layers.push(Layer::Activation(self.activation));
        }
    }

    /// The weights of hidden layer `number` (from 1), or of a layer of its block; 0 is the stem.
    fn weights(&self, number: usize, init: Init, built: &mut Built) {
        let weight_scale = match self.scale_layer {
            Some((layer, factor)) if layer == number => factor,
            _ => 1.0,
        };
        let dense = Dense { units: self.width, init, weight_scale };
        built.layers.push(match &self.convolution {
            Some(convolution) => convolution.layer(self, number, init, weight_scale),
            None if self.standardised => Layer::Standardised(dense),
            None => Layer::Dense(dense),
        });
    }

    fn normalise(&self, position: NormPosition, built: &mut Built) {
        if position == self.norm_position {
            match self.norm {
                Norm::None => {}
                Norm::Batch => built.layers.push(Layer::BATCH_NORM),
                Norm::Layer => built.layers.push(Layer::LAYER_NORM),
            }
        }
    }
}

impl fmt::Display for Architecture {
    /// In words, such as `30 sigmoid layers of 64 with batch norm`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cell.map(|of| of.cell) {
            Some(Cell::Lstm) => return write!(f, "{} LSTM layers of {}", self.depth, self.width),
            Some(Cell::Gru) => return write!(f, "{} GRU layers of {}", self.depth, self.width),
            Some(Cell::Rnn(phi)) => {
                return write!(f, "{} recurrent {phi} layers of {}", self.depth, self.width);
            }
            None => {}
        }
        write!(f, "{} {} ", self.depth, self.activation)?;
        match (&self.convolution, self.residual.is_some()) {
            (None, false) => f.write_str("layers")?,
            (None, true) => f.write_str("residual blocks")?,
            (Some(Convolutional { kernel, .. }), is_residual) => {
                f.write_str(if is_residual { "residual blocks of " } else { "" })?;
                write!(f, "convolutions ({kernel} x {kernel})")?;
            }
        }
        write!(f, " of {}", self.width)?;
        match self.norm {
            Norm::None => Ok(()),
            Norm::Batch => f.write_str(" with batch norm"),
            Norm::Layer => f.write_str(" with layer norm"),
        }
    }
}
