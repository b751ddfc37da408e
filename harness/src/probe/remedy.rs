//! The remedy in closed form: the smallest change that theory says keeps the gradient within half a decade, and what
//! it did when it was run.
//!
//! In this order: undo a planted defect; leave out a normalisation; weights on the edge of chaos where the length is
//! stable there; batch norm; layer norm; residual branches scaled by 1/sqrt(L), whose squared growth is at most e in
//! all. Without one that is predicted to be healthy, the one that is predicted to be best.
//!
//! Source: He et al. 2015; Schoenholz et al. 2017; Ioffe and Szegedy 2015; Hanin and Rolnick 2018.

use isobath_kernels::Level;

use super::measure::{ProbeError, measure};
use super::setup::Setup;
use super::verdict::{Cause, HEALTHY, Verdict};
use crate::activation::Activation;
use crate::architecture::{Architecture, Norm, Residual};
use crate::data::Dataset;
use crate::init::{Family, Init, WeightVariance};
use crate::theory::ensemble::slope_moment;
use crate::theory::phi::max_derivative;
use crate::theory::{TheoryError, edge_of_chaos, predict};

/// A change that should help.
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    /// In words.
    pub change: String,
    /// The networks with it.
    pub setup: Setup,
}

/// A remedy and what it did.
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
}

impl Remedy {
    /// Runs it.
    pub(super) fn run(self, data: Option<&Dataset>, level: Level) -> Result<Fix, ProbeError> {
        let theory = predict(&self.setup.question(data))?;
        let figures = measure(&self.setup, data, level, &theory)?;
        let factors = self.setup.factors().max(1) as f64;
        let measured_decades = figures.median_decades;
        Ok(Fix {
            predicted_factor: theory.log10_delta_ratio.map(|decades| 10f64.powf(decades / factors)),
            measured_factor: measured_decades.map(|decades| 10f64.powf(decades / factors)),
            measured_decades,
            remedy: self,
        })
    }
}

/// What would help the networks of `setup`; none where nothing is wrong or nothing is known.
///
/// # Errors
/// A parameter of the setup that theory refuses.
pub fn remedy(
    setup: &Setup,
    data: Option<&Dataset>,
    verdict: &Verdict,
) -> Result<Option<Remedy>, TheoryError> {
    let planted = setup.architecture.scale_layer.filter(|(layer, _)| verdict.layer == Some(*layer));
    let (sound, undone) = match planted {
        Some((layer, factor)) => {
            let architecture = Architecture { scale_layer: None, ..setup.architecture };
            let change = format!("divide the weights of layer {layer} by {factor}");
            (Setup { architecture, ..*setup }, Some(change))
        }
        None => (*setup, None),
    };
    let sick = match undone {
        Some(_) => decades(&sound, data)?.is_some_and(|decades| decades >= 1.0),
        None => verdict.kind.is_sick(),
    };
    let best = if sick { best(candidates(&sound, verdict)?, data)? } else { None };
    Ok(match (undone, best) {
        (Some(undone), None) => Some(Remedy { change: undone, setup: sound }),
        (Some(undone), Some(best)) => Some(Remedy { change: format!("{undone}; {}", best.change), ..best }),
        (None, best) => best,
    })
}

/// |log10| of the gradient ratio that theory predicts.
fn decades(setup: &Setup, data: Option<&Dataset>) -> Result<Option<f64>, TheoryError> {
    Ok(predict(&setup.question(data))?.log10_delta_ratio.map(f64::abs))
}

/// The first that is predicted to be healthy, else the least sick one.
fn best(candidates: Vec<Remedy>, data: Option<&Dataset>) -> Result<Option<Remedy>, TheoryError> {
    let mut best: Option<(f64, Remedy)> = None;
    for candidate in candidates {
        let Some(decades) = decades(&candidate.setup, data)? else { continue };
        if decades <= HEALTHY {
            return Ok(Some(candidate));
        }
        if best.as_ref().is_none_or(|(least, _)| decades < *least) {
            best = Some((decades, candidate));
        }
    }
    Ok(best.map(|(_, candidate)| candidate))
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
    if residual.is_none() {
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
    let branch = setup.architecture.residual.unwrap_or(Residual { scale, layers: 2, last_is_linear: true });
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
