//! Deep networks by a few numbers: depth, width, activation, initialiser, normalisation, residual branches.
//!
//! A plain hidden layer is dense, norm (if `pre`), activation, norm (if `post`). A residual network has a dense stem
//! where the input is not as wide as the blocks, then blocks x + s branch(x); a branch is K such layers, the last one
//! linear with Var W = 1/fan-in, or activated. A recurrent network has recurrent layers instead, each over the states
//! of the one below, and shows the states in which something is asked.

use std::fmt;

use crate::activation::Activation;
use crate::data::Form;
use crate::init::Init;
use crate::net::{Cell, Dense, ForgetBias, Layer, Recurrent, Shown};

/// Which normalisation a hidden layer has.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NormPosition {
    /// Before the activation.
    #[default]
    Pre,
    /// After it.
    Post,
}

/// Residual branches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// s, the factor on a branch.
    pub scale: f32,
    /// K, the dense layers of a branch.
    pub layers: usize,
    /// Whether the branch's last dense layer is linear, with Var W = 1/fan-in, instead of activated.
    pub last_is_linear: bool,
}

/// Recurrent layers in place of dense ones; W and U start as the architecture's `init` says.
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Architecture {
    /// Hidden layers, or blocks of a residual network. 0 is a linear model.
    pub depth: usize,
    /// Units per hidden layer.
    pub width: usize,
    /// phi.
    pub activation: Activation,
    /// How hidden dense layers are started.
    pub init: Init,
    /// The normalisation.
    pub norm: Norm,
    /// Its place.
    pub norm_position: NormPosition,
    /// Residual branches, if any.
    pub residual: Option<Residual>,
    /// A planted defect: the weights of this hidden layer (from 1) are multiplied by this factor.
    pub scale_layer: Option<(usize, f32)>,
    /// The layers are recurrent.
    pub cell: Option<Recurrence>,
}

/// What follows the last hidden layer.
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
#[derive(Clone, Debug, PartialEq)]
pub struct Built {
    /// All layers.
    pub layers: Vec<Layer>,
    /// Of hidden layer l (entry l - 1), the layer whose input gradient is delta^l: its activation, for a residual
    /// network the start of block l, and for a recurrent one what follows it.
    pub delta_at: Vec<usize>,
    /// Of hidden layer l, its (first) dense layer, or the recurrent one: there x enters and gW is taken.
    pub dense_at: Vec<usize>,
    /// The layer whose input gradient is that of the last hidden output.
    pub top_at: usize,
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
            scale_layer: None,
            cell: None,
        }
    }

    /// The list of layers for samples of this form.
    pub fn build(&self, form: impl Into<Form>, head: Head) -> Built {
        let form = form.into();
        let input = form.features();
        let mut built = Built {
            layers: Vec::new(),
            delta_at: Vec::with_capacity(self.depth),
            dense_at: Vec::with_capacity(self.depth),
            top_at: 0,
        };
        if self.residual.is_some() && self.depth > 0 && input != self.width {
            built.layers.push(Layer::dense(self.width, Init::LECUN));
        }
        for number in 1..=self.depth {
            match (self.cell, self.residual) {
                (Some(cell), _) => self.recurrent_layer(number, cell, form.answers(), &mut built),
                (None, None) => self.plain_layer(number, &mut built),
                (None, Some(residual)) => self.block(number, residual, &mut built),
            }
        }
        built.top_at = built.layers.len();
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
        self.dense(number, self.init, built);
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
                self.dense(number, Init::LECUN, built);
            } else {
                self.dense(number, self.init, built);
                self.normalise(NormPosition::Pre, built);
                built.layers.push(Layer::Activation(self.activation));
                self.normalise(NormPosition::Post, built);
            }
        }
        built.layers.push(Layer::SkipEnd { scale: residual.scale });
    }

    fn dense(&self, number: usize, init: Init, built: &mut Built) {
        let weight_scale = match self.scale_layer {
            Some((layer, factor)) if layer == number => factor,
            _ => 1.0,
        };
        built.layers.push(Layer::Dense(Dense { units: self.width, init, weight_scale }));
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
        let what = if self.residual.is_some() { "residual blocks" } else { "layers" };
        match self.cell.map(|of| of.cell) {
            Some(Cell::Lstm) => return write!(f, "{} LSTM layers of {}", self.depth, self.width),
            Some(Cell::Gru) => return write!(f, "{} GRU layers of {}", self.depth, self.width),
            Some(Cell::Rnn(phi)) => {
                return write!(f, "{} recurrent {phi} layers of {}", self.depth, self.width);
            }
            None => {}
        }
        write!(f, "{} {} {what} of {}", self.depth, self.activation, self.width)?;
        match self.norm {
            Norm::None => Ok(()),
            Norm::Batch => f.write_str(" with batch norm"),
            Norm::Layer => f.write_str(" with layer norm"),
        }
    }
}
