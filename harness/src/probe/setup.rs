//! What is probed: an ensemble of networks, how many of them, and what is sent through them.

use super::jacobian::LARGEST as LARGEST_JACOBIAN;
use super::measure::ProbeError;
use crate::architecture::{Architecture, Head, Norm, NormPosition};
use crate::data::Dataset;
use crate::init::{Family, Init};
use crate::theory::{self, BranchEnd, Question};

/// Classes of the loss where there is no data: labels are then random.
pub(super) const CLASSES: usize = 10;

/// Inputs, at least, over which saturated and dead units are counted in networks without batch norm.
pub const SURVEY_ROWS: usize = 64;

/// What the measurements are called that not all networks have.
const PAIR: &str = "pair-correlation";
const JACOBIAN: &str = "jacobian";

/// A batch that is large enough for batch norm's law, which errs by about 1 / batch.
pub const NORM_BATCH: usize = 128;

/// What is sent down from the top.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Cotangent, Setup, measure};
/// use isobath::theory::predict;
/// use isobath_kernels::Level;
///
/// // What a network does to a gradient hardly depends on where that comes from.
/// let setup = Setup::plain(Architecture::plain(10, 32, Activation::Sigmoid, Init::XAVIER), 1);
/// let factor = |cotangent| -> Result<f64, Box<dyn std::error::Error>> {
///     let setup = Setup { cotangent, ..setup };
///     let figures = measure(&setup, None, Level::detect(), &predict(&setup.question(None))?)?;
///     Ok(10f64.powf(figures.median_decades.unwrap() / setup.factors() as f64))
/// };
/// assert!((factor(Cotangent::Gaussian)? / factor(Cotangent::Loss)? - 1.0).abs() < 0.1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cotangent {
    /// dL/dx^L ~ N(0, 1): the network alone.
    #[default]
    Gaussian,
    /// The gradient of softmax cross-entropy through a linear head.
    Loss,
}

/// An ensemble and its measurement.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::Setup;
///
/// // More networks, and two inputs each whose gradients are compared.
/// let plain = Setup::plain(Architecture::plain(10, 32, Activation::Relu, Init::HE), 1);
/// let setup = Setup { nets: 32, pair_correlation: Some(0.9), ..plain };
/// assert_eq!((setup.input_width, setup.batch), (32, 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setup {
    /// The networks.
    pub architecture: Architecture,
    /// Columns of the input.
    pub input_width: usize,
    /// Samples per network whose gradients are measured together; the theory of networks without batch norm is for 1.
    pub batch: usize,
    /// Networks.
    pub nets: usize,
    /// What is sent down.
    pub cotangent: Cotangent,
    /// The correlation of two inputs whose gradients are compared; none compares none.
    pub pair_correlation: Option<f64>,
    /// Whether the Jacobian's singular values are computed.
    pub jacobian: bool,
    /// What everything random follows from.
    pub seed: u64,
}

impl Setup {
    /// Eight networks of `architecture` whose input is as wide as their layers, each seen by one input and a Gaussian
    /// cotangent.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::architecture::Architecture;
    /// use isobath::init::Init;
    /// use isobath::probe::Setup;
    ///
    /// let setup = Setup::plain(Architecture::plain(10, 32, Activation::Relu, Init::HE), 1);
    /// assert_eq!((setup.nets, setup.batch, setup.input_width), (8, 1, 32));
    /// assert!(setup.pair_correlation.is_none() && !setup.jacobian);
    /// ```
    pub fn plain(architecture: Architecture, seed: u64) -> Self {
        Self {
            architecture,
            input_width: architecture.width,
            batch: 1,
            nets: 8,
            cotangent: Cotangent::Gaussian,
            pair_correlation: None,
            jacobian: false,
            seed,
        }
    }

    /// How many factors there are from the top to the bottom.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::architecture::{Architecture, Residual};
    /// use isobath::init::Init;
    /// use isobath::probe::Setup;
    ///
    /// // Between ten layers lie nine factors; each of ten residual blocks has one.
    /// let plain = Architecture::plain(10, 32, Activation::Relu, Init::HE);
    /// let residual = Architecture { residual: Some(Residual::new(1.0, 2, true)), ..plain };
    /// assert_eq!(Setup::plain(plain, 1).factors(), 9);
    /// assert_eq!(Setup::plain(residual, 1).factors(), 10);
    /// ```
    pub fn factors(&self) -> usize {
        let residual = self.architecture.residual.is_some();
        if residual { self.architecture.depth } else { self.architecture.depth.saturating_sub(1) }
    }

    /// The question that theory answers about this. It is about networks without a planted defect.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::architecture::Architecture;
    /// use isobath::init::Init;
    /// use isobath::probe::Setup;
    ///
    /// let question = Setup::plain(Architecture::plain(10, 32, Activation::Relu, Init::HE), 1).question(None);
    /// assert_eq!((question.weight_variance, question.depth, question.nets), (2.0, 10, 8));
    /// // The mean square of the input is theory's to choose; data would set it.
    /// assert_eq!(question.input_q, None);
    /// ```
    pub fn question(&self, data: Option<&Dataset>) -> Question {
        let Architecture { activation, init, depth, width, norm, norm_position, residual, .. } =
            self.architecture;
        Question {
            activation,
            weight_variance: f64::from(init.weight_variance(width, width)),
            bias_variance: f64::from(init.bias_variance),
            orthogonal: init.family == Family::Orthogonal,
            depth,
            width,
            input_width: self.input_width,
            batch: Some(self.batch),
            norm: match norm {
                Norm::None => theory::Norm::None,
                Norm::Batch => theory::Norm::Batch,
                Norm::Layer => theory::Norm::Layer,
            },
            norm_position: match norm_position {
                NormPosition::Pre => theory::NormPosition::Pre,
                NormPosition::Post => theory::NormPosition::Post,
            },
            residual: residual.map(|residual| theory::Residual {
                scale: f64::from(residual.scale),
                layers: residual.layers,
                end: if residual.last_is_linear {
                    BranchEnd::Linear { weight_variance: 1.0 }
                } else {
                    BranchEnd::Activation
                },
            }),
            input_q: data.map(|data| mean_square(data.inputs()) * self.first_layer_excess()),
            pair_correlation: self.pair_correlation,
            nets: self.nets,
        }
    }

    /// s_w^2 of the first layer over that of the others: Xavier's depends on the width of the input.
    pub(crate) fn first_layer_excess(&self) -> f64 {
        let Architecture { init, width, residual, .. } = self.architecture;
        if residual.is_some() {
            return 1.0;
        }
        let first = init.weight_variance(self.input_width, width);
        f64::from(first) / f64::from(init.weight_variance(width, width))
    }

    /// What follows the last hidden layer.
    pub(super) fn head(&self, data: Option<&Dataset>) -> Head {
        match self.cotangent {
            Cotangent::Gaussian => Head::None,
            Cotangent::Loss => Head::Linear(data.map_or(CLASSES, Dataset::classes), Init::LECUN),
        }
    }

    /// Rows on which units are surveyed: batch norm makes a network of another batch another network.
    pub(super) fn survey_rows(&self) -> usize {
        if self.architecture.norm == Norm::Batch { self.batch } else { self.batch.max(SURVEY_ROWS) }
    }

    /// Refuses a pair of inputs or a Jacobian where there is none.
    ///
    /// # Errors
    /// Batch norm mixes the samples of a batch, so one input has no gradient of its own; inputs from data have no
    /// chosen correlation; a Jacobian may be too large.
    pub(super) fn check_extras(&self, data: Option<&Dataset>) -> Result<(), ProbeError> {
        let refuse = |what, why: String| Err(ProbeError::Impossible { what, why });
        let batch_norm = self.architecture.norm == Norm::Batch;
        for (what, wanted) in [(PAIR, self.pair_correlation.is_some()), (JACOBIAN, self.jacobian)] {
            if wanted && batch_norm {
                return refuse(
                    what,
                    "allowed without batch norm, which mixes the inputs of a batch, so that one alone has no gradient"
                        .to_owned(),
                );
            }
        }
        if let Some(rho) = self.pair_correlation {
            if data.is_some() {
                let why = "allowed on Gaussian inputs; those from data have no chosen correlation";
                return refuse(PAIR, why.to_owned());
            }
            if !(-1.0..=1.0).contains(&rho) {
                return refuse(PAIR, format!("{rho} was given; allowed is -1 to 1"));
            }
        }
        if self.jacobian && self.cotangent == Cotangent::Loss {
            let why = "allowed with the Gaussian cotangent: it is the network's own, without a loss";
            return refuse(JACOBIAN, why.to_owned());
        }
        let elements = self.input_width.saturating_mul(self.architecture.width);
        if self.jacobian && elements > LARGEST_JACOBIAN {
            let root = LARGEST_JACOBIAN.isqrt();
            let (rows, columns) = (self.architecture.width, self.input_width);
            return refuse(JACOBIAN, format!("it is {rows} x {columns}; allowed is up to {root} x {root}"));
        }
        Ok(())
    }

    /// This ensemble with its weights started in another way.
    #[must_use]
    pub(super) fn with_init(self, init: Init) -> Self {
        Self { architecture: Architecture { init, ..self.architecture }, ..self }
    }

    /// This ensemble with another normalisation. Batch norm needs a large batch; what takes its place has no more use
    /// for one.
    #[must_use]
    pub(super) fn with_norm(self, norm: Norm) -> Self {
        let batch = match norm {
            Norm::Batch => self.batch.max(NORM_BATCH),
            _ if self.architecture.norm == Norm::Batch => 1,
            _ => self.batch,
        };
        let norm_position = NormPosition::Pre;
        Self { architecture: Architecture { norm, norm_position, ..self.architecture }, batch, ..self }
    }
}

fn mean_square(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / values.len().max(1) as f64
}
