//! A question to the theory: one network ensemble, its depth and width, and how it will be measured.
//!
//! Hidden layers are numbered 1 (next to the input) to `depth`; with a residual branch `depth` counts blocks.

use super::ensemble::Ensemble;
use super::error::{TheoryError, at_least};
use super::length_map::FixedPoints;
use super::residual::Residual;
use crate::activation::Activation;

/// Which normalisation each layer has.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::Setup;
/// use isobath::theory::{Norm, Question, predict};
///
/// // Layer norm makes a ReLU network indifferent to the size of its weights, batch norm does not hold its gradient.
/// let setup = Setup::plain(Architecture::plain(20, 64, Activation::Relu, Init::LECUN), 1);
/// let rate =
///     |norm| predict(&Question { norm, batch: None, ..setup.question(None) }).map(|p| p.rate_squared);
/// assert!((rate(Norm::None)?.unwrap() - 0.5).abs() < 1e-9);
/// assert!((rate(Norm::Layer)?.unwrap() - 1.0).abs() < 1e-9);
/// assert!(rate(Norm::Batch)?.unwrap() > 1.4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// None.
    None,
    /// Over the batch, per unit.
    Batch,
    /// Over a layer's units, per sample.
    Layer,
}

/// Where the normalisation stands.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::Setup;
/// use isobath::theory::{Norm, NormPosition, Question, predict};
///
/// // Before ReLU, layer norm keeps gradients. Behind it, it takes the mean off the signal and scales up what is left,
/// // and gradients with it.
/// let setup = Setup::plain(Architecture::plain(20, 64, Activation::Relu, Init::LECUN), 1);
/// let rate = |norm_position| {
///     let question = Question { norm: Norm::Layer, norm_position, ..setup.question(None) };
///     predict(&question).map(|prediction| prediction.rate_squared.unwrap())
/// };
/// assert!((rate(NormPosition::Pre)? - 1.0).abs() < 1e-9);
/// assert!(rate(NormPosition::Post)? > 1.4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormPosition {
    /// Between the dense layer and the activation.
    Pre,
    /// After the activation.
    Post,
}

/// One network ensemble and its measurement.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::{Norm, NormPosition, Question, predict};
///
/// let question = Question {
///     activation: Activation::Relu,
///     weight_variance: 2.0,
///     bias_variance: 0.0,
///     orthogonal: false,
///     depth: 10,
///     width: 128,
///     input_width: 128,
///     batch: None,
///     norm: Norm::None,
///     norm_position: NormPosition::Pre,
///     residual: None,
///     input_q: Some(1.0),
///     pair_correlation: None,
///     nets: 8,
/// };
/// assert!((predict(&question)?.chi.unwrap() - 1.0).abs() < 1e-9);
/// let error = predict(&Question { depth: 0, ..question }).unwrap_err();
/// assert_eq!(error.to_string(), "depth is 0; allowed is 1 or more");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question {
    /// phi.
    pub activation: Activation,
    /// s_w^2 = fan_in Var W.
    pub weight_variance: f64,
    /// s_b^2 = Var b.
    pub bias_variance: f64,
    /// Whether W is s_w times an orthogonal matrix instead of Gaussian.
    pub orthogonal: bool,
    /// Hidden layers, or residual blocks.
    pub depth: usize,
    /// Units per hidden layer.
    pub width: usize,
    /// Units of the input.
    pub input_width: usize,
    /// Samples per batch, which batch norm depends on; None for very many.
    pub batch: Option<usize>,
    /// The normalisation.
    pub norm: Norm,
    /// Its place.
    pub norm_position: NormPosition,
    /// The residual branch, if the network has identity skips.
    pub residual: Option<Residual>,
    /// The mean square of the input (of the first block's input in a residual network); None starts layer 1
    /// at the largest stable q* > 0, or takes 1 where there is none.
    pub input_q: Option<f64>,
    /// The correlation of two inputs whose gradients are compared.
    pub pair_correlation: Option<f64>,
    /// Networks that a measurement averages over.
    pub nets: usize,
}

impl Question {
    /// The ensemble, once every number is checked.
    ///
    /// # Errors
    /// The first parameter that is out of its range.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::architecture::Architecture;
    /// use isobath::init::Init;
    /// use isobath::probe::Setup;
    /// use isobath::theory::Question;
    ///
    /// let question = Setup::plain(Architecture::plain(20, 64, Activation::Relu, Init::HE), 1).question(None);
    /// let ensemble = question.ensemble()?;
    /// assert_eq!((ensemble.weight_variance, ensemble.bias_variance), (2.0, 0.0));
    /// let error = Question { pair_correlation: Some(1.5), ..question }.ensemble().unwrap_err();
    /// assert_eq!(error.to_string(), "pair correlation is 1.5; allowed is -1 to 1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ensemble(&self) -> Result<Ensemble, TheoryError> {
        let ensemble = Ensemble::new(self.activation, self.weight_variance, self.bias_variance)?;
        for (parameter, count) in [
            ("depth", self.depth),
            ("width", self.width),
            ("input width", self.input_width),
            ("nets", self.nets),
            ("batch", self.batch.unwrap_or(1)),
        ] {
            at_least(parameter, count as f64, 1.0, "1 or more")?;
        }
        if let Some(input_q) = self.input_q {
            at_least("input mean square", input_q, 0.0, "a finite number, 0 or more")?;
        }
        if let Some(value) = self.pair_correlation
            && !(-1.0..=1.0).contains(&value)
        {
            return Err(TheoryError { parameter: "pair correlation", value, allowed: "-1 to 1" });
        }
        if let Some(Residual { scale, layers, end }) = self.residual {
            Residual::new(scale, layers, end)?;
        }
        Ok(ensemble)
    }

    /// The input's mean square, chosen if it was left open.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::architecture::Architecture;
    /// use isobath::init::Init;
    /// use isobath::probe::Setup;
    ///
    /// // Left open, the input is one that gives layer 1 the variance at which sigmoid networks settle.
    /// let question =
    ///     Setup::plain(Architecture::plain(20, 64, Activation::Sigmoid, Init::XAVIER), 1).question(None);
    /// let ensemble = question.ensemble()?;
    /// let q = ensemble.pre_activation_variance(question.input_mean_square(ensemble));
    /// assert!((ensemble.length_map(q) - q).abs() < 1e-9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn input_mean_square(&self, ensemble: Ensemble) -> f64 {
        self.input_q.unwrap_or_else(|| match ensemble.fixed_points() {
            FixedPoints::Isolated(points) if self.norm == Norm::None && self.residual.is_none() => points
                .iter()
                .rfind(|point| point.is_stable() && point.q > 0.0)
                .map_or(1.0, |point| (point.q - self.bias_variance) / self.weight_variance),
            _ => 1.0,
        })
    }
}
