//! All networks of a setup, in parallel, and their figures together.
//!
//! Results are collected in the order of the networks, so neither threads nor scheduling show in a bit.

use isobath_kernels::Level;
use rayon::prelude::*;
use thiserror::Error;

use super::figures::{self, Jacobian, Measured, Row};
use super::net::{self, Inputs, Net, Outcome, Tamper};
use super::pair::PAIRS;
use super::setup::Setup;
use crate::data::{Dataset, Target};
use crate::hash::Hash;
use crate::machine::available_memory;
use crate::net::{NetError, Place, Plan, PlanError};
use crate::theory::{Prediction, TheoryError};

/// Why a setup could not be probed. A gradient that vanishes or overflows is a result, not an error.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{ProbeError, Setup, measure};
/// use isobath::theory::predict;
/// use isobath_kernels::Level;
///
/// let setup = Setup::plain(Architecture::plain(10, 32, Activation::Sigmoid, Init::XAVIER), 1);
/// let theory = predict(&setup.question(None))?;
/// let pair = Setup { pair_correlation: Some(1.5), ..setup };
/// let error = measure(&pair, None, Level::detect(), &theory).unwrap_err();
/// assert!(matches!(error, ProbeError::Theory(_)));
/// assert_eq!(error.to_string(), "pair correlation is 1.5; allowed is -1 to 1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Error)]
pub enum ProbeError {
    /// A parameter is out of its range.
    #[error("{0}")]
    Theory(#[from] TheoryError),
    /// The layers are no network.
    #[error("{0}")]
    Plan(#[from] PlanError),
    /// A pass did not fit its plan.
    #[error("{0}")]
    Net(#[from] NetError),
    /// More samples are needed than the data has, or they are of another width.
    #[error("the data has {found} {what}, but {needed} are needed")]
    Data {
        /// Samples or columns.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many it takes.
        needed: usize,
    },
    /// The networks do not fit into memory.
    #[error("the networks need {needed} MiB of memory at once, of which {available} are free")]
    Memory {
        /// MiB of the networks in flight.
        needed: u64,
        /// MiB that can be had.
        available: u64,
    },
    /// A measurement that these networks do not have.
    #[error("{what}: {why}")]
    Impossible {
        /// The measurement.
        what: &'static str,
        /// Why there is none.
        why: String,
    },
    /// The loss was given shapes that do not fit.
    #[error("the loss: {0}")]
    Loss(String),
}

/// What was measured.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, measure};
/// use isobath::theory::predict;
/// use isobath_kernels::Level;
///
/// let setup = Setup::plain(Architecture::plain(5, 16, Activation::Sigmoid, Init::XAVIER), 1);
/// let figures = measure(&setup, None, Level::detect(), &predict(&setup.question(None))?)?;
/// assert_eq!(figures.layers.len(), 1 + 5);
/// assert!(figures.median_decades.unwrap() < -2.0);
/// assert_eq!(figures.failed.zero.nets, 0);
/// // The hash is that of all gradients: the same seed, the same bits.
/// let again = measure(&setup, None, Level::SCALAR, &predict(&setup.question(None))?)?;
/// assert_eq!(figures.hash, again.hash);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Figures {
    /// End to end.
    pub measured: Measured,
    /// Row 0 is the input, then one per hidden layer.
    pub layers: Vec<Row>,
    /// ||dL/dx^0|| / ||delta^1||, over what the weights of layer 1 are drawn for; none in residual networks.
    pub input_gain: Option<f64>,
    /// The Jacobian, if it was asked for and is finite.
    pub jacobian: Option<Jacobian>,
    /// Effective rank of the inputs.
    pub input_rank: Option<f64>,
    /// log10 of the gradient's ratio, the median over networks.
    pub median_decades: Option<f64>,
    /// Networks that have no figures.
    pub failed: Failed,
    /// Over the stored deltas and gradients of all networks.
    pub hash: u64,
}

/// Networks whose gradient is zero or not finite.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, measure};
/// use isobath::theory::predict;
/// use isobath_kernels::Level;
///
/// // In ten layers of two ReLUs some layer is dead almost surely: 1 - (3/4)^10 = 94 %.
/// let setup = Setup::plain(Architecture::plain(10, 2, Activation::Relu, Init::HE), 1);
/// let figures = measure(&setup, None, Level::detect(), &predict(&setup.question(None))?)?;
/// assert!(figures.failed.zero.nets > setup.nets / 2);
/// assert_eq!(figures.failed.overflow.nets, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Failed {
    /// A layer passes no gradient.
    pub zero: Tally,
    /// A value or a gradient is not finite.
    pub overflow: Tally,
}

/// How many networks, and the layer at fault if all of them name the same.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, measure};
/// use isobath::theory::predict;
/// use isobath_kernels::Level;
///
/// // Weights of layer 3 that are not finite: all networks name that layer.
/// let plain = Architecture::plain(6, 16, Activation::Tanh, Init::XAVIER);
/// let setup = Setup::plain(Architecture { scale_layer: Some((3, f32::INFINITY)), ..plain }, 1);
/// let figures = measure(&setup, None, Level::detect(), &predict(&setup.question(None))?)?;
/// let tally = figures.failed.overflow;
/// assert_eq!((tally.nets, tally.layer), (setup.nets, Some(3)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Networks.
    pub nets: usize,
    /// The layer.
    pub layer: Option<usize>,
}

impl Tally {
    /// `layer` picks the outcomes that count, and the layer that each names.
    fn of(nets: &[Net], layer: impl Fn(Outcome) -> Option<Option<usize>>) -> Self {
        let layers: Vec<Option<usize>> = nets.iter().filter_map(|net| layer(net.outcome)).collect();
        let first = layers.first().copied().flatten();
        let common = first.filter(|_| layers.iter().all(|layer| *layer == first));
        Self { nets: layers.len(), layer: common }
    }
}

/// Measures the networks of `setup`; `theory` is what the rows are held against.
///
/// # Errors
/// The setup is no network, or does not fit the data or the memory.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, measure};
/// use isobath::theory::predict;
/// use isobath_kernels::Level;
///
/// // ReLU with He's variance: theory says that gradients keep their size, and wide networks do as it says.
/// let setup = Setup::plain(Architecture::plain(10, 128, Activation::Relu, Init::HE), 1);
/// let theory = predict(&setup.question(None))?;
/// let figures = measure(&setup, None, Level::detect(), &theory)?;
/// assert!((figures.measured.chi.mean.unwrap() - 1.0).abs() < 0.1);
/// // Fewer than two standard errors off what is expected of networks of this width.
/// assert!(figures.measured.z.unwrap().abs() < 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn measure(
    setup: &Setup,
    data: Option<&Dataset>,
    level: Level,
    theory: &Prediction,
) -> Result<Figures, ProbeError> {
    let inputs = match data {
        Some(data) => Inputs::Data(data),
        None => {
            let question = setup.question(None);
            let mean_square = question.input_mean_square(question.ensemble()?);
            Inputs::Gaussian(mean_square / setup.first_layer_excess())
        }
    };
    let nets = networks(setup, inputs, level, &|_, _, _| {})?;
    Ok(summarise(setup, data, &nets, theory))
}

/// Runs the networks of `setup`, each after `tamper` has changed it.
///
/// # Errors
/// As [`measure`].
pub(crate) fn networks(
    setup: &Setup,
    inputs: Inputs<'_>,
    level: Level,
    tamper: Tamper<'_>,
) -> Result<Vec<Net>, ProbeError> {
    let data = if let Inputs::Data(data) = inputs { Some(data) } else { None };
    let rows = match data {
        None => setup.survey_rows(),
        Some(data) => {
            let wrong = |what, found, needed| Err(ProbeError::Data { what, found, needed });
            if data.form().answers() != 1 || data.target() == Target::Number {
                let why =
                    "the networks name one class per sample, which these data do not ask for".to_owned();
                return Err(ProbeError::Impossible { what: "data", why });
            }
            if data.features() != setup.input_width {
                return wrong("columns", data.features(), setup.input_width);
            }
            if data.len() < setup.batch {
                return wrong("training samples", data.len(), setup.batch);
            }
            setup.survey_rows().min(data.len())
        }
    };
    setup.check_extras(data)?;
    let rows = rows.max(if setup.pair_correlation.is_some() { 2 * PAIRS } else { 1 });
    let built = setup.architecture.build(setup.input_width, setup.head(data));
    let mut places = vec![Place::default(); built.layers.len()];
    let plan = Plan::new(setup.input_width, rows, &built.layers, &mut places)?;
    check_memory(&plan, setup.nets)?;
    let run = |index| net::run(setup, inputs, &built, &plan, tamper, index, level);
    (0..setup.nets).into_par_iter().map(run).collect()
}

/// The figures of all networks together.
fn summarise(setup: &Setup, data: Option<&Dataset>, nets: &[Net], theory: &Prediction) -> Figures {
    let mut hash = Hash::new();
    nets.iter().for_each(|net| hash.u64(net.hash));
    let question = setup.question(data);
    let measured: Vec<&Net> = nets.iter().filter(|net| net.outcome == Outcome::Measured).collect();
    let failed = Failed {
        zero: Tally::of(nets, |outcome| match outcome {
            Outcome::Zero(layer) => Some(Some(layer)),
            _ => None,
        }),
        overflow: Tally::of(nets, |outcome| match outcome {
            Outcome::Overflow(layer) => Some(layer),
            _ => None,
        }),
    };
    let zero = failed.zero.nets as f64 / setup.nets.max(1) as f64;
    Figures {
        measured: figures::measured(setup, &measured, zero, theory),
        layers: figures::rows(setup, &measured, nets, theory),
        input_gain: figures::input_gain(setup, &measured, &question),
        jacobian: figures::jacobian(&measured),
        input_rank: figures::input_rank(&measured),
        median_decades: figures::median_decades(setup, &measured),
        failed,
        hash: hash.finish(),
    }
}

/// Refuses networks that the machine cannot hold: as many at once as there are threads.
fn check_memory(plan: &Plan<'_>, nets: usize) -> Result<(), ProbeError> {
    let at_once = nets.min(rayon::current_num_threads()) as u64;
    let length = plan.arena_len(0, 1)? as u64;
    let needed = length.saturating_mul(4).saturating_mul(at_once);
    match available_memory() {
        Some(available) if needed > available => {
            Err(ProbeError::Memory { needed: needed >> 20, available: available >> 20 })
        }
        _ => Ok(()),
    }
}
