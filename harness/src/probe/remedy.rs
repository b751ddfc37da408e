//! The remedy in closed form: the smallest change that theory says keeps the gradient within half a decade, and what
//! it did when it was run.
//!
//! In this order: undo a planted defect; widen layers that are too narrow; leave out a normalisation; weights on the edge of chaos
//! where the length is stable there; batch norm; layer norm; residual branches scaled by 1/sqrt(L), whose squared growth
//! is at most e in all. A prediction holds in the limit of wide layers, so the remedy is run before it is given.
//!
//! Source: He et al. 2015; Schoenholz et al. 2017; Ioffe and Szegedy 2015; Hanin and Rolnick 2018.

use isobath_kernels::Level;

use super::measure::{ProbeError, measure};
use super::setup::Setup;
use super::signs::NEAR_SHATTERED;
use super::verdict::{Cause, HEALTHY, Kind, SICK, Verdict};
use crate::activation::Activation;
use crate::architecture::{Architecture, Norm, Residual};
use crate::data::Dataset;
use crate::init::{Family, Init, WeightVariance};
use crate::theory::born_dead::dies;
use crate::theory::ensemble::slope_moment;
use crate::theory::phi::max_derivative;
use crate::theory::{Prediction, TheoryError, edge_of_chaos, predict};

/// A change that should help.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, probe};
/// use isobath_kernels::Level;
///
/// // ReLUs with Xavier's weights lose half of the squared gradient per layer. They want He's.
/// let setup = Setup::plain(Architecture::plain(10, 32, Activation::Relu, Init::XAVIER), 1);
/// let remedy = probe(&setup, None, Level::detect())?.fix.unwrap().remedy;
/// println!("{}", remedy.change);
/// assert_eq!(remedy.setup.architecture.init.weight_variance(32, 32), 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    /// In words.
    pub change: String,
    /// The networks with it.
    pub setup: Setup,
}

/// A remedy and what it did.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::{Setup, probe};
/// use isobath_kernels::Level;
///
/// let setup = Setup::plain(Architecture::plain(10, 64, Activation::Relu, Init::XAVIER), 1);
/// let fix = probe(&setup, None, Level::detect())?.fix.unwrap();
/// // Predicted to keep the gradient's norm, and run to see that it does.
/// assert!((fix.predicted_factor.unwrap() - 1.0).abs() < 0.05);
/// assert!((fix.measured_factor.unwrap() - 1.0).abs() < 0.05);
/// assert!(fix.measured_decades.unwrap().abs() < 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// The remedy.
    pub remedy: Remedy,
    /// The factor per layer that theory predicts; none where it has none.
    pub predicted_factor: Option<f64>,
    /// The factor per layer that was measured.
    pub measured_factor: Option<f64>,
    /// log10 of the whole ratio that was measured.
    pub measured_decades: Option<f64>,
    /// The cosine of neighbouring inputs' gradients, where shattered ones are to be mended.
    pub correlation: Option<f64>,
}

impl Fix {
    /// Runs a remedy of which theory predicts this.
    fn run(
        remedy: Remedy,
        theory: &Prediction,
        data: Option<&Dataset>,
        level: Level,
    ) -> Result<Self, ProbeError> {
        let figures = measure(&remedy.setup, data, level, theory)?;
        let factors = remedy.setup.factors().max(1) as f64;
        let measured_decades = figures.median_decades;
        Ok(Self {
            predicted_factor: theory.log10_delta_ratio.map(|decades| 10f64.powf(decades / factors)),
            measured_factor: measured_decades.map(|decades| 10f64.powf(decades / factors)),
            measured_decades,
            correlation: figures.measured.gradient_correlation.and_then(|correlation| correlation.mean),
            remedy,
        })
    }

    /// |log10| of the measured ratio; infinite if there was nothing to measure, or gradients are shattered still.
    fn sickness(&self) -> f64 {
        if self.correlation.is_some_and(|cosine| cosine <= NEAR_SHATTERED) {
            return f64::INFINITY;
        }
        self.measured_decades.map_or(f64::INFINITY, f64::abs)
    }
}

/// Remedies that are run before the best of them is taken.
const TRIALS: usize = 3;

/// What helps the networks of `setup`, with the proof; none where nothing is wrong or nothing is known.
///
/// # Errors
/// A remedy's networks cannot be measured.
pub(super) fn fix(
    setup: &Setup,
    data: Option<&Dataset>,
    level: Level,
    verdict: &Verdict,
) -> Result<Option<Fix>, ProbeError> {
    // What is looked at beside the gradient's size is part of the proof only where it is what is wrong.
    let pair_correlation = setup.pair_correlation.filter(|_| verdict.kind == Kind::Shattering);
    let setup = &Setup { pair_correlation, jacobian: false, ..*setup };
    let planted = setup.architecture.scale_layer.filter(|(layer, _)| verdict.layer == Some(*layer));
    let Some((layer, factor)) = planted else {
        let sick = verdict.kind.is_sick();
        return if sick { best(candidates(setup, verdict)?, data, level) } else { Ok(None) };
    };
    let architecture = Architecture { scale_layer: None, ..setup.architecture };
    let sound = Setup { architecture, ..*setup };
    let change = format!("take the factor {factor} off the weights of layer {layer}");
    let theory = predict(&sound.question(data))?;
    let undone = Fix::run(Remedy { change: change.clone(), setup: sound }, &theory, data, level)?;
    if undone.sickness() < SICK {
        return Ok(Some(undone));
    }
    let more = candidates(&sound, verdict)?.into_iter();
    let more = more.map(|more| Remedy { change: format!("{change}; {}", more.change), ..more }).collect();
    Ok(best(more, data, level)?.or(Some(undone)))
}

/// Of the candidates that are predicted to be healthy, the first that proves to be; failing that, the one that proves
/// to be least sick.
fn best(candidates: Vec<Remedy>, data: Option<&Dataset>, level: Level) -> Result<Option<Fix>, ProbeError> {
    let mut best: Option<Fix> = None;
    let mut trials = 0;
    let mut doubtful = Vec::new();
    let mut run = |remedy, theory: &Prediction| -> Result<bool, ProbeError> {
        let fix = Fix::run(remedy, theory, data, level)?;
        let healthy = fix.sickness() <= HEALTHY;
        if best.as_ref().is_none_or(|best| fix.sickness() < best.sickness()) {
            best = Some(fix);
        }
        trials += 1;
        Ok(healthy || trials == TRIALS)
    };
    for candidate in candidates {
        let theory = predict(&candidate.setup.question(data))?;
        let Some(decades) = theory.log10_delta_ratio.map(f64::abs) else { continue };
        if decades > HEALTHY {
            doubtful.push((decades, candidate, theory));
        } else if run(candidate, &theory)? {
            return Ok(best);
        }
    }
    doubtful.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    for (_, candidate, theory) in doubtful {
        if run(candidate, &theory)? {
            break;
        }
    }
    Ok(best)
}

/// Everything that may help, the smallest change first.
fn candidates(setup: &Setup, verdict: &Verdict) -> Result<Vec<Remedy>, TheoryError> {
    let Architecture { activation, norm, residual, .. } = setup.architecture;
    let mut remedies = Vec::new();
    let mut add = |change: String, changed: Setup| {
        if changed != *setup {
            remedies.push(Remedy { change, setup: changed });
        }
    };
    if verdict.cause == Some(Cause::Width) {
        // The mean logarithm of the squared gain, about -5 L / (2 n), then stays above -1/4.
        let width = (10 * setup.architecture.depth).next_power_of_two();
        let wide = Setup { architecture: Architecture { width, ..setup.architecture }, ..*setup };
        add(format!("widen the layers to {width} units"), wide);
    }
    if verdict.cause == Some(Cause::DeadUnits) && residual.is_none() {
        let width = (2 * setup.architecture.depth).max(16).next_power_of_two();
        if dies(activation) && width > setup.architecture.width {
            let wide = Setup { architecture: Architecture { width, ..setup.architecture }, ..*setup };
            add(format!("widen the layers to {width} units, so that none dies whole"), wide);
        }
    }
    // Neither weights nor normalisations bring gradients of neighbours together; skip connections do.
    if residual.is_none() && verdict.kind != Kind::Shattering {
        let left_out = match norm {
            Norm::None => "",
            Norm::Batch => "leave out batch norm; ",
            Norm::Layer => "leave out layer norm; ",
        };
        if let Some((name, init)) = critical_init(setup)? {
            let plain = setup.with_norm(Norm::None).with_init(init);
            add(format!("{left_out}{name}"), plain);
        }
        if verdict.cause != Some(Cause::Normalisation) {
            add("add batch norm before the activation".to_owned(), setup.with_norm(Norm::Batch));
            add("add layer norm before the activation".to_owned(), setup.with_norm(Norm::Layer));
        } else {
            add("layer norm in place of batch norm".to_owned(), setup.with_norm(Norm::Layer));
        }
    }
    let scaled = with_scaled_branches(setup);
    let branches = match residual {
        Some(_) => "scale the branches by 1/sqrt(L)",
        None => "add residual branches scaled by 1/sqrt(L)",
    };
    add(branches.to_owned(), scaled);
    let init = if activation.is_homogeneous() { critical_homogeneous(setup) } else { Init::LECUN };
    add(
        format!("{branches}; {}; no normalisation", variances(&init)),
        scaled.with_norm(Norm::None).with_init(init),
    );
    Ok(remedies)
}

/// Residual branches of two layers, or those there are, scaled so that the squared growth stays below e.
fn with_scaled_branches(setup: &Setup) -> Setup {
    let scale = (1.0 / (setup.architecture.depth as f64).sqrt()) as f32;
    let branch = setup.architecture.residual.unwrap_or(Residual::new(scale, 2, true));
    let architecture = Architecture { residual: Some(Residual { scale, ..branch }), ..setup.architecture };
    Setup { architecture, ..*setup }
}

/// The initialiser on the edge of chaos: with this bias variance if the length is stable there, else with the usual
/// small one; none where it would saturate the units.
fn critical_init(setup: &Setup) -> Result<Option<(String, Init)>, TheoryError> {
    const SMALL_BIAS: f32 = 0.05;
    let Architecture { activation, init, .. } = setup.architecture;
    if activation.is_homogeneous() {
        let critical = critical_homogeneous(setup);
        let name = if critical == Init::HE { "He initialisation".to_owned() } else { variances(&critical) };
        return Ok(Some((name, critical)));
    }
    for bias_variance in [init.bias_variance, SMALL_BIAS] {
        let points = edge_of_chaos(activation, f64::from(bias_variance))?;
        let usable = points.iter().find(|point| {
            point.length_slope < 1.0
                && point.q > 0.0
                && slope_moment(activation, point.q, 2) > 0.25 * max_derivative(activation).powi(2)
        });
        if let Some(point) = usable {
            let critical = with_variances(setup, point.weight_variance as f32, bias_variance);
            return Ok(Some((variances(&critical), critical)));
        }
    }
    Ok(None)
}

/// s_w^2 = 1 / E phi'^2 without biases: He's for ReLU.
fn critical_homogeneous(setup: &Setup) -> Init {
    let weight_variance = 1.0 / slope_moment(setup.architecture.activation, 1.0, 2);
    // He's is 2 exactly; quadrature leaves the last digits open.
    let exact = if setup.architecture.activation == Activation::Relu { 2.0 } else { weight_variance as f32 };
    with_variances(setup, exact, 0.0)
}

/// These variances in the setup's family of weights; an independent family becomes Gaussian.
fn with_variances(setup: &Setup, weight_variance: f32, bias_variance: f32) -> Init {
    let family = match setup.architecture.init.family {
        Family::Orthogonal => Family::Orthogonal,
        Family::Gaussian | Family::Uniform => Family::Gaussian,
    };
    Init { family, weight_variance: WeightVariance::Fixed(weight_variance), bias_variance }
}

fn variances(init: &Init) -> String {
    let weight_variance = init.weight_variance(1, 1);
    format!("weights with s_w^2 = {weight_variance} and s_b^2 = {}", init.bias_variance)
}
