//! The animals: ensembles of deep random networks, some with a fault in one layer.

use std::fmt;

use crate::activation::Activation;
use crate::data::glyphs;

/// phi.
///
/// ```
/// use isobath::zoo::{Ensemble, Input, Phi, Weights};
/// # const HE: Ensemble = Ensemble {
/// #     phi: Phi::Relu,
/// #     weights: Weights::Gaussian,
/// #     weight_variance: 2.0,
/// #     bias_variance: 0.0,
/// #     depth: 8,
/// #     width: 64,
/// #     batch: 1,
/// #     input: Input::Gaussian(1.0),
/// #     loss: false,
/// #     fault: None,
/// # };
///
/// // HE: eight layers of 64 ReLUs, with He's variance.
/// // The same weights: tanh and sigmoid hold a signal below a mean square of 1, a leak lets more through than ReLU.
/// let last = |phi| Ensemble { phi, ..HE }.run(1, false).record.layers[7].x.log10().unwrap();
/// let bound = 0.5 * 64f64.log10();
/// assert!(last(Phi::Tanh) < bound && last(Phi::Sigmoid) < bound);
/// assert!(last(Phi::Leaky) > last(Phi::Relu));
/// ```
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
    pub(super) fn at(self, h: f64) -> (f64, f64) {
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
    pub(super) fn steepest(self) -> f64 {
        if self == Self::Sigmoid { 0.25 } else { 1.0 }
    }

    /// Whether phi(c h) = c phi(h) for c > 0.
    pub(super) fn is_homogeneous(self) -> bool {
        matches!(self, Self::Relu | Self::Leaky)
    }

    /// What the networks under diagnosis call it.
    pub(super) fn activation(self) -> Activation {
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
///
/// ```
/// use isobath::zoo::{Ensemble, Input, Phi, Weights};
/// # const HE: Ensemble = Ensemble {
/// #     phi: Phi::Relu,
/// #     weights: Weights::Gaussian,
/// #     weight_variance: 2.0,
/// #     bias_variance: 0.0,
/// #     depth: 8,
/// #     width: 64,
/// #     batch: 1,
/// #     input: Input::Gaussian(1.0),
/// #     loss: false,
/// #     fault: None,
/// # };
///
/// // HE: eight layers of 64 ReLUs, with He's variance.
/// // Whatever the distribution, a variance is a variance: He's weights keep the gradient within half a decade.
/// for weights in [Weights::Gaussian, Weights::Uniform, Weights::Orthogonal] {
///     let decades = Ensemble { weights, ..HE }.run(1, false).record.decades().unwrap();
///     assert!(decades.abs() < 0.5, "{weights:?}: {decades}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use isobath::zoo::{Ensemble, Fault, Input, Phi, Weights};
/// # const HE: Ensemble = Ensemble {
/// #     phi: Phi::Relu,
/// #     weights: Weights::Gaussian,
/// #     weight_variance: 2.0,
/// #     bias_variance: 0.0,
/// #     depth: 8,
/// #     width: 64,
/// #     batch: 1,
/// #     input: Input::Gaussian(1.0),
/// #     loss: false,
/// #     fault: None,
/// # };
///
/// // HE: eight layers of 64 ReLUs, with He's variance.
/// // Weights of layer 3 that are a hundred times too large move the gradient below it by two decades.
/// let decades = |fault| Ensemble { fault, ..HE }.run(1, false).record.decades().unwrap();
/// let moved = decades(Some((3, Fault::Scaled(100.0)))) - decades(None);
/// assert!((moved - 2.0).abs() < 1e-9);
/// assert!(Ensemble { fault: Some((3, Fault::Silent)), ..HE }.run(1, false).is_dead);
/// ```
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
///
/// ```
/// use isobath::zoo::{Ensemble, Input, Phi, Weights};
/// # const HE: Ensemble = Ensemble {
/// #     phi: Phi::Relu,
/// #     weights: Weights::Gaussian,
/// #     weight_variance: 2.0,
/// #     bias_variance: 0.0,
/// #     depth: 8,
/// #     width: 64,
/// #     batch: 1,
/// #     input: Input::Gaussian(1.0),
/// #     loss: false,
/// #     fault: None,
/// # };
///
/// // HE: eight layers of 64 ReLUs, with He's variance.
/// // ReLUs scale with what they are fed.
/// let first = |input| Ensemble { input, ..HE }.run(1, false).record.layers[0].x.log10().unwrap();
/// assert!((first(Input::Gaussian(100.0)) - first(Input::Gaussian(1.0)) - 1.0).abs() < 1e-9);
/// assert!(first(Input::Glyphs).is_finite());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// Normal numbers of this mean square, as many as a layer has units.
    Gaussian(f64),
    /// Images of [`glyphs`].
    Glyphs,
}

/// An ensemble of plain networks of dense layers.
///
/// ```
/// use isobath::zoo::{Ensemble, Input, Phi, Weights};
///
/// let ensemble = Ensemble {
///     phi: Phi::Sigmoid,
///     weights: Weights::Gaussian,
///     weight_variance: 1.0,
///     bias_variance: 0.0,
///     depth: 8,
///     width: 32,
///     batch: 1,
///     input: Input::Gaussian(0.25),
///     loss: false,
///     fault: None,
/// };
/// assert_eq!(ensemble.to_string(), "Sigmoid 8 x 32, Gaussian, s_w^2 1.000, s_b^2 0.00");
/// // Seven slopes of at most 1/4: more than four decades are lost.
/// let seen = ensemble.run(1, false);
/// assert!(seen.is_finite && seen.record.decades().unwrap() < -4.0);
/// ```
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
    pub(super) fn input_width(&self) -> usize {
        match self.input {
            Input::Gaussian(_) => self.width,
            Input::Glyphs => glyphs::FEATURES,
        }
    }

    /// The fault of layer `number`.
    pub(super) fn fault_of(&self, number: usize) -> Option<Fault> {
        self.fault.filter(|(layer, _)| *layer == number).map(|(_, fault)| fault)
    }

    /// The layer whose parameters are at fault: none in a sound network, or where batch norm heals the fault.
    ///
    /// ```
    /// use isobath::zoo::{Ensemble, Fault, Input, Phi, Weights};
    /// # const HE: Ensemble = Ensemble {
    /// #     phi: Phi::Relu,
    /// #     weights: Weights::Gaussian,
    /// #     weight_variance: 2.0,
    /// #     bias_variance: 0.0,
    /// #     depth: 8,
    /// #     width: 64,
    /// #     batch: 1,
    /// #     input: Input::Gaussian(1.0),
    /// #     loss: false,
    /// #     fault: None,
    /// # };
    ///
    /// // HE: eight layers of 64 ReLUs, with He's variance.
    /// let faulty = Ensemble { fault: Some((3, Fault::Scaled(100.0))), ..HE };
    /// assert_eq!((HE.faulty_layer(), faulty.faulty_layer()), (None, Some(3)));
    /// // Batch norm takes any factor off again.
    /// assert_eq!(Ensemble { batch: 32, ..faulty }.faulty_layer(), None);
    /// ```
    pub fn faulty_layer(&self) -> Option<usize> {
        match self.fault {
            Some((_, Fault::Scaled(_))) if self.batch > 1 => None,
            fault => fault.map(|(layer, _)| layer),
        }
    }
}
