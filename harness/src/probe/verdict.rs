//! What the figures mean: whether the gradient survives the way down, where it does not, and which factor is to blame.
//!
//! By the median over networks of log10(||delta|| at the bottom / at the top): at least a decade either way is sick,
//! at most half a decade healthy, borderline between. Half of the networks without any gradient are dead. What else may
//! be wrong with a gradient of sound size is in [`signs`](super::signs).

use std::fmt;

use serde::Serialize;

use super::defect;
use super::measure::{Figures, Tally};
use super::setup::Setup;
use super::signs::{NEIGHBOURS, SPREAD, Signs};
use crate::architecture::Norm;
use crate::theory::Prediction;

/// Decades from which a network is sick.
pub const SICK: f64 = 1.0;
/// Decades up to which it is healthy.
pub const HEALTHY: f64 = 0.5;

/// How the gradient fares.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Kind, Setup, probe};
/// use isobath_kernels::Level;
///
/// let kind = |activation, init| {
///     let setup = Setup::plain(Architecture::plain(10, 64, activation, init), 1);
///     probe(&setup, None, Level::detect()).map(|report| report.verdict.kind)
/// };
/// assert_eq!(kind(Activation::Sigmoid, Init::XAVIER)?, Kind::Vanishing);
/// assert_eq!(kind(Activation::Relu, Init::HE)?, Kind::Healthy);
/// assert_eq!(kind(Activation::Relu, Init::gaussian(4.0, 0.0))?, Kind::Exploding);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It loses a decade or more.
    Vanishing,
    /// It gains a decade or more, or leaves f32.
    Exploding,
    /// It keeps its size within half a decade.
    Healthy,
    /// Between healthy and sick.
    Borderline,
    /// It is exactly zero in half of the networks or more.
    Dead,
    /// It vanishes because most units sit where the activation is flat.
    Saturated,
    /// Its size is sound, but a layer's outputs for different inputs fall to a line or two.
    RankCollapse,
    /// Its size is sound, but gradients of neighbouring inputs have nothing in common.
    Shattering,
}

impl Kind {
    /// Whether something has to be done.
    ///
    /// ```
    /// use isobath::probe::Kind;
    ///
    /// assert!(Kind::Vanishing.is_sick() && Kind::Shattering.is_sick());
    /// assert!(!Kind::Healthy.is_sick() && !Kind::Borderline.is_sick());
    /// ```
    pub fn is_sick(self) -> bool {
        !matches!(self, Self::Healthy | Self::Borderline)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Vanishing => "vanishing",
            Self::Exploding => "exploding",
            Self::Healthy => "healthy",
            Self::Borderline => "borderline",
            Self::Dead => "dead",
            Self::Saturated => "saturated",
            Self::RankCollapse => "rank collapse",
            Self::Shattering => "shattering",
        })
    }
}

/// Where the trouble is.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Extent, Setup, probe};
/// use isobath_kernels::Level;
///
/// // Sigmoids lose the gradient everywhere, a planted defect in one place.
/// let plain = Architecture::plain(10, 32, Activation::Sigmoid, Init::XAVIER);
/// let extent =
///     |architecture| probe(&Setup::plain(architecture, 1), None, Level::detect()).map(|r| r.verdict.extent);
/// assert_eq!(extent(plain)?, Some(Extent::Uniform));
/// let defective = Architecture { scale_layer: Some((5, 0.001)), activation: Activation::Identity, ..plain };
/// assert_eq!(extent(defective)?, Some(Extent::Layer));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// In every layer alike.
    Uniform,
    /// In one layer.
    Layer,
}

/// What is to blame.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Cause, Setup, probe};
/// use isobath_kernels::Level;
///
/// // Sigmoids are flat; where there is no nonlinearity, nothing but the weights can be too small.
/// let cause = |activation, init| {
///     let setup = Setup::plain(Architecture::plain(10, 32, activation, init), 1);
///     probe(&setup, None, Level::detect()).map(|report| report.verdict.cause)
/// };
/// assert_eq!(cause(Activation::Sigmoid, Init::XAVIER)?, Some(Cause::Slope));
/// assert_eq!(cause(Activation::Identity, Init::UNIFORM)?, Some(Cause::Weights));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The activation's derivative.
    Slope,
    /// The size of the weights.
    Weights,
    /// The normalisation, which amplifies what the activation has made small.
    Normalisation,
    /// The residual branches, which add up.
    Branches,
    /// A recurrent cell's gates, which let go of the state or hold too much of it.
    Gates,
    /// Too few units: wide layers of the same kind would be healthy.
    Width,
    /// Units that are 0 and have no slope.
    DeadUnits,
    /// The signal sinks below the range of f32.
    Underflow,
    /// Values leave the range of f32.
    Overflow,
    /// The units of a layer that have the same weights, and so give the same outputs.
    Alike,
    /// More layers than gradients of neighbouring inputs stay together over.
    Depth,
}

/// The judgement.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Cause, Kind, Setup, probe};
/// use isobath_kernels::Level;
///
/// // The weights of layer 5 are a thousand times too small.
/// let plain = Architecture::plain(10, 64, Activation::Relu, Init::HE);
/// let setup = Setup::plain(Architecture { scale_layer: Some((5, 0.001)), ..plain }, 1);
/// let verdict = probe(&setup, None, Level::detect())?.verdict;
/// assert_eq!(
///     (verdict.kind, verdict.layer, verdict.cause),
///     (Kind::Vanishing, Some(5), Some(Cause::Weights))
/// );
/// assert!((verdict.decades.unwrap() + 3.0).abs() < 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// How the gradient fares.
    pub kind: Kind,
    /// Where the trouble is; none where there is none.
    #[serde(rename = "where")]
    pub extent: Option<Extent>,
    /// The layer whose parameters are at fault, if it is one layer.
    pub layer: Option<usize>,
    /// How many times as large as its neighbours' that layer's gain is.
    #[serde(skip)]
    pub excess: Option<f64>,
    /// ||delta^l|| / ||delta^{l+1}||, the geometric mean over layers.
    pub factor_per_layer: Option<f64>,
    /// The median of log10 of the whole ratio.
    pub decades: Option<f64>,
    /// What is to blame.
    pub cause: Option<Cause>,
}

/// How a gradient that changes by so many decades fares.
pub(super) fn size_of(decades: f64) -> Kind {
    match decades {
        _ if decades.abs() <= HEALTHY => Kind::Healthy,
        _ if decades.abs() < SICK => Kind::Borderline,
        _ if decades < 0.0 => Kind::Vanishing,
        _ => Kind::Exploding,
    }
}

/// Judges the networks of `setup`.
pub(super) fn judge(setup: &Setup, figures: &Figures, theory: &Prediction) -> Verdict {
    let failed = &figures.failed;
    let most = |tally: Tally| 2 * tally.nets >= setup.nets.max(1);
    let lost = |kind, tally: Tally, cause| Verdict {
        kind,
        extent: Some(if tally.layer.is_some() { Extent::Layer } else { Extent::Uniform }),
        layer: tally.layer,
        excess: None,
        factor_per_layer: None,
        decades: None,
        cause: Some(cause),
    };
    if most(failed.overflow) {
        return lost(Kind::Exploding, failed.overflow, Cause::Overflow);
    }
    if most(failed.zero) {
        return lost(Kind::Dead, failed.zero, Cause::DeadUnits);
    }
    let decades = figures.median_decades;
    let size = decades.unwrap_or(0.0);
    let uniform = uniform_cause(setup, figures, theory, size < 0.0);
    let kind = signs(setup, figures).verdict(size_of(size), uniform == Cause::Slope);
    let uniform = match kind {
        Kind::RankCollapse => Cause::Width,
        Kind::Shattering => Cause::Depth,
        _ => uniform,
    };
    let defect = defect::find(figures, setup.architecture.residual.is_some());
    let factors = figures.measured.factors;
    Verdict {
        kind,
        extent: match defect {
            Some(_) => Some(Extent::Layer),
            None => (kind != Kind::Healthy).then_some(Extent::Uniform),
        },
        layer: defect.map(|defect| defect.layer),
        excess: defect.map(|defect| defect.excess),
        factor_per_layer: decades.filter(|_| factors > 0).map(|size| 10f64.powf(size / factors as f64)),
        decades,
        cause: match defect {
            Some(_) => Some(Cause::Weights),
            None => (kind != Kind::Healthy).then_some(uniform),
        },
    }
}

/// What was seen beside the size. Layers of few units have a low rank by construction.
fn signs(setup: &Setup, figures: &Figures) -> Signs {
    let hidden = || figures.layers.iter().filter_map(|row| row.hidden);
    let count = hidden().count().max(1) as f64;
    let ranks = core::iter::once(figures.input_rank).chain(hidden().map(|row| row.effective_rank));
    let ranks = ranks.collect::<Option<Vec<f64>>>().unwrap_or_default();
    let wide = setup.architecture.width as f64 >= 2.0 * SPREAD;
    let neighbours = setup.pair_correlation.is_some_and(|rho| rho >= NEIGHBOURS);
    Signs {
        saturated: Some(hidden().map(|row| row.saturated).sum::<f64>() / count),
        ranks: if wide { ranks } else { Vec::new() },
        correlation: figures.measured.gradient_correlation.filter(|_| neighbours).and_then(|correlation| {
            let doubt = correlation.ci95.map_or(0.0, |(low, high)| 0.5 * (high - low));
            Some((correlation.mean?, doubt))
        }),
    }
}

/// The part of the factors that goes farthest in the direction of the trouble.
fn uniform_cause(setup: &Setup, figures: &Figures, theory: &Prediction, vanishing: bool) -> Cause {
    if setup.architecture.residual.is_some() {
        return Cause::Branches;
    }
    // The rate is that of infinite width; narrow layers lose about 5/(4 n) in the logarithm of the norm.
    let wide = theory.rate_norm.map(|rate| setup.factors() as f64 * rate.log10());
    if vanishing && setup.architecture.norm == Norm::None && wide.is_some_and(|wide| wide.abs() <= HEALTHY) {
        return Cause::Width;
    }
    let hidden = || figures.layers.iter().filter_map(|row| row.hidden);
    let slopes: f64 =
        hidden().filter(|row| row.factor.is_some()).filter_map(|row| row.slope_rms).map(f64::ln).sum();
    let gains: f64 = hidden().filter_map(|row| row.weight_gain).map(f64::ln).sum();
    let slope = if vanishing { slopes <= gains } else { slopes >= gains };
    match (slope, setup.architecture.norm) {
        (true, _) => Cause::Slope,
        (false, Norm::None) => Cause::Weights,
        (false, _) => Cause::Normalisation,
    }
}
