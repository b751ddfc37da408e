//! The figures of many networks together: means of logarithms, their spread, and how they stand to theory.

use serde::Serialize;

use super::jacobian;
use super::moments::OutputMoments;
use super::net::Net;
use super::rank::mean_rank;
use super::saturation::Fractions;
use super::setup::Setup;
use crate::architecture::Norm;
use crate::statistics::{Moments, log_gain, median};
use crate::theory::{LayerPrediction, Prediction, Question};
use crate::train::LayerNorms;

/// Where a mean lies with 95 % confidence.
pub type Interval = (f64, f64);

/// A mean over networks; none where no network could be measured.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, measure};
/// use isobath::theory::predict;
/// use isobath_kernels::Level;
///
/// let setup = Setup::plain(Architecture::plain(10, 32, Activation::Sigmoid, Init::XAVIER), 1);
/// let figures = measure(&setup, None, Level::detect(), &predict(&setup.question(None))?)?;
/// let chi = figures.measured.chi;
/// let (low, high) = chi.ci95.unwrap();
/// assert!(low < chi.mean.unwrap() && chi.mean.unwrap() < high);
/// // A single network has no interval.
/// let one = Setup { nets: 1, ..setup };
/// let figures = measure(&one, None, Level::detect(), &predict(&one.question(None))?)?;
/// assert_eq!(figures.measured.chi.ci95, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// The mean.
    pub mean: Option<f64>,
    /// None for a single network.
    pub ci95: Option<Interval>,
}

impl Sample {
    fn of(values: &[f64], transform: impl Fn(f64) -> f64) -> Self {
        let moments = Moments::of(values);
        let ci95 = moments.and_then(Moments::ci95);
        Self {
            mean: moments.map(|moments| transform(moments.mean)),
            ci95: ci95.map(|(low, high)| (transform(low), transform(high))),
        }
    }
}

/// ln of the squared gradient ratio over networks.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, measure};
/// use isobath::theory::predict;
/// use isobath_kernels::Level;
///
/// let setup = Setup::plain(Architecture::plain(10, 32, Activation::Sigmoid, Init::XAVIER), 1);
/// let figures = measure(&setup, None, Level::detect(), &predict(&setup.question(None))?)?;
/// // ln of the squared ratio: 2 ln 10 times as much as the decades.
/// let (gain, ratio) = (figures.measured.log_gain, figures.measured.log10_delta_ratio);
/// assert!((gain.mean.unwrap() / ratio.mean.unwrap() - 2.0 * 10f64.ln()).abs() < 1e-9);
/// assert!(gain.var.unwrap() > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LogGain {
    /// Mean.
    pub mean: Option<f64>,
    /// Variance; none for a single network.
    pub var: Option<f64>,
}

/// From the top to the bottom.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, measure};
/// use isobath::theory::predict;
/// use isobath_kernels::Level;
///
/// let setup = Setup::plain(Architecture::plain(10, 32, Activation::Sigmoid, Init::XAVIER), 1);
/// let figures = measure(&setup, None, Level::detect(), &predict(&setup.question(None))?)?;
/// let measured = figures.measured;
/// // Ten layers have nine factors; sigmoids leave at most a sixteenth of the square each, more than a decade in two.
/// assert_eq!(measured.factors, 9);
/// assert!(measured.chi.mean.unwrap() < 1.0 / 16.0);
/// assert!(measured.log10_delta_ratio.mean.unwrap() < -4.5);
/// assert_eq!(measured.zero_gradient_fraction, 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// How many factors lie between.
    pub factors: usize,
    /// What one layer multiplies the squared norm by: exp(mean `log_gain` / factors).
    pub chi: Sample,
    /// log10(||delta|| at the bottom / at the top).
    pub log10_delta_ratio: Sample,
    /// Its distance from theory in standard errors; none where theory has no band.
    pub z: Option<f64>,
    /// The same ratio of the weight gradients, between the first hidden layer and the last.
    pub log10_gw_ratio: Sample,
    /// ln of the squared ratio.
    pub log_gain: LogGain,
    /// Networks whose gradient at the input is exactly zero; they are in no mean.
    pub zero_gradient_fraction: f64,
    /// The cosine between two inputs' gradients; none where none were compared.
    pub gradient_correlation: Option<Sample>,
}

impl Measured {
    /// The figures of networks with these ratios, as logarithms to base 10.
    pub(super) fn of(factors: usize, ratios: &[f64], gw_ratios: &[f64], zero_gradient_fraction: f64) -> Self {
        let gains: Vec<f64> = ratios.iter().map(|ratio| log_gain(*ratio)).collect();
        let moments = Moments::of(&gains);
        let chi = if factors == 0 {
            Sample { mean: None, ci95: None }
        } else {
            Sample::of(&gains, |gain| (gain / factors as f64).exp())
        };
        Self {
            factors,
            chi,
            log10_delta_ratio: Sample::of(ratios, |ratio| ratio),
            z: None,
            log10_gw_ratio: Sample::of(gw_ratios, |ratio| ratio),
            log_gain: LogGain {
                mean: moments.map(|moments| moments.mean),
                var: moments.and_then(|moments| moments.var),
            },
            zero_gradient_fraction,
            gradient_correlation: None,
        }
    }
}

/// The Jacobian dx^L / dx^0.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, measure};
/// use isobath::theory::predict;
/// use isobath_kernels::Level;
///
/// // Orthogonal matrices without a nonlinearity treat all directions alike: every singular value is 1.
/// let architecture = Architecture::plain(4, 8, Activation::Identity, Init::ORTHOGONAL);
/// let setup = Setup { jacobian: true, ..Setup::plain(architecture, 1) };
/// let figures = measure(&setup, None, Level::detect(), &predict(&setup.question(None))?)?;
/// let jacobian = figures.jacobian.unwrap();
/// assert_eq!(jacobian.singular_values.len(), 8);
/// assert!(jacobian.singular_values.iter().all(|s| (s - 1.0).abs() < 1e-5));
/// assert!(jacobian.spread.mean.unwrap() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Jacobian {
    /// The first network's singular values s, in decreasing order.
    pub singular_values: Vec<f64>,
    /// Var(s^2) / mean(s^2)^2 over the networks.
    pub spread: Sample,
    /// The largest s over the networks.
    pub largest: Sample,
}

/// One hidden layer.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, measure};
/// use isobath::theory::predict;
/// use isobath_kernels::Level;
///
/// let setup = Setup::plain(Architecture::plain(10, 32, Activation::Sigmoid, Init::XAVIER), 1);
/// let figures = measure(&setup, None, Level::detect(), &predict(&setup.question(None))?)?;
/// let row = figures.layers[1].hidden.unwrap();
/// // The slopes are to blame, at most 1/4, and not the weights, which pass nearly all.
/// assert!(row.slope_rms.unwrap() < 0.25 && (0.7..1.4).contains(&row.weight_gain.unwrap()));
/// assert!((row.factor.unwrap() - row.slope_rms.unwrap() * row.weight_gain.unwrap()).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LayerRow {
    /// Root mean square of the layer's input; none where it leaves even f64.
    pub x_rms: Option<f64>,
    /// Its logarithm to base 10.
    pub log10_x_rms: Option<f64>,
    /// log10 of the weight gradient's norm.
    pub log10_gw: Option<f64>,
    /// ||delta^l|| / ||delta^{l+1}||; none for a plain network's last layer.
    pub factor: Option<f64>,
    /// What theory says it is.
    pub predicted_factor: Option<f64>,
    /// Where it lies with 95 % probability.
    pub band95: Option<Interval>,
    /// How many standard errors it is off.
    pub z: Option<f64>,
    /// sqrt(mean phi'^2); none for residual blocks.
    pub slope_rms: Option<f64>,
    /// factor / `slope_rms`: what the weights above, and a normalisation, contribute.
    pub weight_gain: Option<f64>,
    /// Fraction of saturated units and inputs.
    pub saturated: f64,
    /// Fraction of dead units.
    pub dead: f64,
    /// Fraction of inputs for which no unit has a slope.
    pub dead_inputs: f64,
    /// Mean of the outputs over units and inputs.
    pub output_mean: Option<f64>,
    /// Their variance.
    pub output_variance: Option<f64>,
    /// Their kurtosis: 3 for normal ones.
    pub output_kurtosis: Option<f64>,
    /// How many directions the outputs for different inputs spread over: (tr C)^2 / tr C^2 of their covariance.
    pub effective_rank: Option<f64>,
}

/// A row: the input, which has only a gradient, or a hidden layer.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, measure};
/// use isobath::theory::predict;
/// use isobath_kernels::Level;
///
/// let setup = Setup::plain(Architecture::plain(10, 32, Activation::Sigmoid, Init::XAVIER), 1);
/// let figures = measure(&setup, None, Level::detect(), &predict(&setup.question(None))?)?;
/// // The input, then ten layers, from the bottom to the top, where the gradient is largest.
/// let rows = &figures.layers;
/// assert!(rows.len() == 11 && rows[0].hidden.is_none());
/// assert!(rows.windows(2).all(|pair| pair[0].layer + 1 == pair[1].layer));
/// assert!(rows[1].log10_delta.unwrap() < rows[10].log10_delta.unwrap() - 4.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// 0 is the input.
    pub layer: usize,
    /// log10 ||delta||, at the input of dL/dx^0.
    pub log10_delta: Option<f64>,
    /// None for the input.
    #[serde(flatten)]
    pub hidden: Option<LayerRow>,
}

/// log10 of the ratio from the top to the bottom in one network.
fn log10_ratio(setup: &Setup, net: &Net) -> Option<f64> {
    let residual = setup.architecture.residual.is_some();
    let top = if residual { net.log10_top } else { net.layers.last()?.log10_delta };
    Some(net.layers.first()?.log10_delta? - top?)
}

/// The median over networks.
pub(super) fn median_decades(setup: &Setup, nets: &[&Net]) -> Option<f64> {
    median(nets.iter().filter_map(|net| log10_ratio(setup, net)).collect())
}

pub(super) fn measured(
    setup: &Setup,
    nets: &[&Net],
    zero_gradient_fraction: f64,
    theory: &Prediction,
) -> Measured {
    let factors = setup.factors();
    let ratios: Vec<f64> = nets.iter().filter_map(|net| log10_ratio(setup, net)).collect();
    let gw_ratio = |net: &&Net| Some(net.layers.first()?.log10_gw? - net.layers.last()?.log10_gw?);
    let gw_ratios: Vec<f64> = nets.iter().filter_map(gw_ratio).collect();
    let cosines: Vec<f64> = nets.iter().filter_map(|net| net.gradient_correlation).collect();
    let measured = Measured::of(factors, &ratios, &gw_ratios, zero_gradient_fraction);
    Measured {
        z: standard_errors(measured.log10_delta_ratio.mean, theory.log10_delta_ratio, theory.band95),
        gradient_correlation: setup.pair_correlation.map(|_| Sample::of(&cosines, |cosine| cosine)),
        ..measured
    }
}

/// The Jacobians of networks that have one.
pub(super) fn jacobian(nets: &[&Net]) -> Option<Jacobian> {
    let values: Vec<&Vec<f64>> = nets.iter().filter_map(|net| net.singular_values.as_ref()).collect();
    let spreads: Vec<f64> = values.iter().filter_map(|values| jacobian::spread(values)).collect();
    let largest: Vec<f64> = values.iter().filter_map(|values| values.first().copied()).collect();
    Some(Jacobian {
        singular_values: (*values.first()?).clone(),
        spread: Sample::of(&spreads, |spread| spread),
        largest: Sample::of(&largest, |largest| largest),
    })
}

/// The mean of a logarithm over networks.
fn mean(nets: &[&Net], value: impl Fn(&Net) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = nets.iter().filter_map(|net| value(net)).collect();
    Some(Moments::of(&values)?.mean)
}

/// Effective rank of the inputs.
pub(super) fn input_rank(nets: &[&Net]) -> Option<f64> {
    mean_rank(nets.iter().filter_map(|net| net.input_rank).collect())
}

/// All rows. Saturated and dead units are counted in `all` networks, the rest in those that could be measured.
pub(super) fn rows(setup: &Setup, nets: &[&Net], all: &[Net], theory: &Prediction) -> Vec<Row> {
    let input = Row { layer: 0, log10_delta: mean(nets, |net| net.log10_input), hidden: None };
    let hidden = (0..setup.architecture.depth).map(|l| {
        let at = |figure: fn(&LayerNorms) -> Option<f64>| move |net: &Net| net.layers.get(l).and_then(figure);
        let row = layer_row(setup, nets, all, l, theory.per_layer.get(l));
        Row { layer: l + 1, log10_delta: mean(nets, at(|norms| norms.log10_delta)), hidden: Some(row) }
    });
    core::iter::once(input).chain(hidden).collect()
}

fn layer_row(
    setup: &Setup,
    nets: &[&Net],
    all: &[Net],
    l: usize,
    prediction: Option<&LayerPrediction>,
) -> LayerRow {
    let architecture = &setup.architecture;
    let residual = architecture.residual.is_some();
    let columns = if l == 0 && !residual { setup.input_width } else { architecture.width };
    let scale = 0.5 * ((setup.batch * columns) as f64).log10();
    let log10_factor = mean(nets, |net| {
        let above = if residual && l + 1 == net.layers.len() {
            net.log10_top
        } else {
            net.layers.get(l + 1)?.log10_delta
        };
        Some(net.layers.get(l)?.log10_delta? - above?)
    });
    let slope_rms = mean(nets, |net| net.slope_rms.get(l).filter(|slope| **slope > 0.0).map(|s| s.log10()))
        .map(|log10| 10f64.powf(log10))
        .filter(|_| !residual);
    let factor = log10_factor.map(|log10| 10f64.powf(log10));
    let share = |part: fn(&Fractions) -> f64| {
        all.iter().filter_map(|net| net.fractions.get(l)).map(part).sum::<f64>() / all.len().max(1) as f64
    };
    let ranks = nets.iter().filter_map(|net| net.outputs.get(l)?.effective_rank);
    let moment =
        |part: fn(OutputMoments) -> Option<f64>| mean(nets, |net| part(net.outputs.get(l)?.moments?));
    let predicted_factor = prediction.and_then(|p| p.factor);
    let band95 = prediction.and_then(|p| p.band95);
    let log10_x_rms = mean(nets, |net| net.layers.get(l)?.log10_x).map(|log10| log10 - scale);
    LayerRow {
        x_rms: log10_x_rms.map(|log10| 10f64.powf(log10)).filter(|rms| rms.is_normal()),
        log10_x_rms,
        log10_gw: mean(nets, |net| net.layers.get(l)?.log10_gw),
        factor,
        predicted_factor,
        band95,
        z: standard_errors(
            log10_factor,
            predicted_factor.map(f64::log10),
            band95.map(|(low, high)| (low.log10(), high.log10())),
        ),
        slope_rms,
        weight_gain: factor.zip(slope_rms).map(|(factor, slope)| factor / slope),
        saturated: share(|fractions| fractions.saturated),
        dead: share(|fractions| fractions.dead),
        dead_inputs: share(|fractions| fractions.dead_inputs),
        output_mean: moment(|moments| Some(moments.mean)),
        output_variance: moment(|moments| Some(moments.variance)),
        output_kurtosis: moment(|moments| moments.kurtosis),
        effective_rank: mean_rank(ranks.collect()),
    }
}

/// A figure's distance from its prediction in standard errors, of which the band is 2 x 1.96 wide.
fn standard_errors(found: Option<f64>, predicted: Option<f64>, band: Option<Interval>) -> Option<f64> {
    let (low, high) = band?;
    let error = (high - low) / (2.0 * 1.959963984540054);
    (error > 0.0).then_some((found? - predicted?) / error)
}

/// ||dL/dx^0|| / ||delta^1|| over sqrt(s_w^2 of layer 1 / s_w^2 of the others), which is what the gain of layer 1's
/// weights would be in the middle of the network; none with a normalisation, which sees another input there.
pub(super) fn input_gain(setup: &Setup, nets: &[&Net], question: &Question) -> Option<f64> {
    if question.residual.is_some() || setup.architecture.norm != Norm::None {
        return None;
    }
    let log10 = mean(nets, |net| Some(net.log10_input? - net.layers.first()?.log10_delta?))?;
    Some(10f64.powf(log10) / setup.first_layer_excess().sqrt())
}
