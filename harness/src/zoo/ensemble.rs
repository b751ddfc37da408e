//! The animals: ensembles of deep random networks, some with a fault in one layer.

use std::fmt;

use crate::activation::Activation;
use crate::data::glyphs;

/// phi.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phi {
    /// max(h, 0).
    Relu,
    /// h, or a fifth of it below 0.
    Leaky,
    /// tanh h.
    Tanh,
    /// 1 / (1 + e^-h).
    Sigmoid,
    /// h, or e^h - 1 below 0.
    Elu,
}

impl Phi {
    /// Value and slope.
    pub fn at(self, h: f64) -> (f64, f64) {
        match self {
            Self::Relu if h > 0.0 => (h, 1.0),
            Self::Relu => (0.0 * h, 0.0),
            Self::Leaky if h > 0.0 => (h, 1.0),
            Self::Leaky => (0.2 * h, 0.2),
            Self::Tanh => (h.tanh(), h.cosh().powi(-2)),
            Self::Sigmoid => {
                let small = (-h.abs()).exp();
                let slope = small / (1.0 + small).powi(2);
                (if h > 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }, slope)
            }
            Self::Elu if h > 0.0 => (h, 1.0),
            Self::Elu => (h.exp_m1(), h.exp()),
        }
    }

    /// Its largest slope.
    pub fn steepest(self) -> f64 {
        if self == Self::Sigmoid { 0.25 } else { 1.0 }
    }

    /// Whether phi(c h) = c phi(h) for c > 0.
    pub fn is_homogeneous(self) -> bool {
        matches!(self, Self::Relu | Self::Leaky)
    }

    /// What the networks under diagnosis call it.
    pub fn activation(self) -> Activation {
        match self {
            Self::Relu => Activation::Relu,
            Self::Leaky => Activation::Leaky(0.2),
            Self::Tanh => Activation::Tanh,
            Self::Sigmoid => Activation::Sigmoid,
            Self::Elu => Activation::Elu(1.0),
        }
    }
}

/// How weights are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weights {
    /// Independent and normal.
    Gaussian,
    /// Independent and uniform.
    Uniform,
    /// Orthonormal rows or columns, whichever are fewer, times s_w.
    Orthogonal,
}

/// What is wrong with one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Its weights times this.
    Scaled(f64),
    /// Its biases moved by this.
    Shifted(f64),
    /// Its weights all 0.
    Silent,
    /// The weights and biases of every other unit 0.
    Halved,
    /// Only so many different units, again and again.
    Alike(usize),
    /// The gains of its batch norm 0.
    Mute,
    /// A weight that is not a number.
    Broken,
}

/// What networks are fed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// Normal numbers of this mean square, as many as a layer has units.
    Gaussian(f64),
    /// Images of [`glyphs`].
    Glyphs,
}

/// An ensemble of plain networks of dense layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ensemble {
    /// phi.
    pub phi: Phi,
    /// The weights' distribution.
    pub weights: Weights,
    /// s_w^2 = fan-in times Var W.
    pub weight_variance: f64,
    /// s_b^2.
    pub bias_variance: f64,
    /// Hidden layers.
    pub depth: usize,
    /// Units per layer.
    pub width: usize,
    /// Samples over which batch norm (before phi) is taken; 1 is no batch norm.
    pub batch: usize,
    /// What comes in.
    pub input: Input,
    /// Whether what comes down is the gradient of softmax cross-entropy through a linear head, instead of normal numbers
    /// at the last hidden output.
    pub loss: bool,
    /// A fault, and its layer from 1.
    pub fault: Option<(usize, Fault)>,
}

impl fmt::Display for Ensemble {
    /// In a line or two of a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { phi, weights, weight_variance, bias_variance, depth, width, .. } = self;
        write!(
            f,
            "{phi:?} {depth} x {width}, {weights:?}, s_w^2 {weight_variance:.3}, s_b^2 {bias_variance:.2}"
        )?;
        if self.batch > 1 {
            f.write_str(", batch norm")?;
        }
        if self.input == Input::Glyphs {
            f.write_str(", glyphs")?;
        }
        if let Some((layer, fault)) = self.fault {
            write!(f, ", layer {layer} {fault:?}")?;
        }
        Ok(())
    }
}

impl Ensemble {
    /// Columns of the input.
    pub fn input_width(&self) -> usize {
        match self.input {
            Input::Gaussian(_) => self.width,
            Input::Glyphs => glyphs::FEATURES,
        }
    }

    /// The fault of layer `number`.
    pub fn fault_of(&self, number: usize) -> Option<Fault> {
        self.fault.filter(|(layer, _)| *layer == number).map(|(_, fault)| fault)
    }

    /// The layer whose parameters are at fault: none in a sound network, or where batch norm heals the fault.
    pub fn faulty_layer(&self) -> Option<usize> {
        match self.fault {
            Some((_, Fault::Scaled(_))) if self.batch > 1 => None,
            fault => fault.map(|(layer, _)| layer),
        }
    }
}
