//! Answers a whole question: which laws apply, their figures, layer by layer and in sum, and reasons where
//! none applies.
//!
//! log10_delta_ratio sums the layers' mean log gains at the lengths that the real input takes through the
//! network, so transients and unstable length maps are in it. A plain network of L hidden layers has L - 1
//! factors, a residual one of L blocks has L. Formulas stand with their laws in the sibling modules.

use super::born_dead::{born_dead, dies};
use super::course::course;
use super::ensemble::{Ensemble, slope_moment};
use super::error::TheoryError;
use super::headroom::depth_within_decade;
use super::jacobian::jacobian_spread;
use super::layer_law::{LayerLaw, batch_rate};
use super::length_map::{FixedPoint, FixedPoints};
use super::mean_field::depth_scale;
use super::phi::max_derivative;
use super::prediction::{LayerPrediction, Prediction, Source, TotalLogGain, band95};
use super::question::{Norm, Question};
use super::recurrent::Recurrence;
use super::residual::Residual;

/// The fields that only a plain network's mean field has.
const MEAN_FIELD: [&str; 7] =
    ["q_star", "length_stable", "chi", "sqrt_chi", "depth_scale", "c_star", "correlation_depth_scale"];

/// The fields that say how the gradient changes.
const TOTALS: [&str; 6] =
    ["rate_squared", "rate_norm", "log10_delta_ratio", "band95", "log_gain", "max_depth_one_decade"];

/// Everything that theory says about a network at initialisation.
///
/// # Errors
/// The first parameter of the question that is out of its range.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::Setup;
/// use isobath::theory::predict;
///
/// let setup = Setup::plain(Architecture::plain(30, 64, Activation::Sigmoid, Init::XAVIER), 1);
/// let prediction = predict(&setup.question(None))?;
/// assert!((prediction.chi.unwrap() - 0.0557207).abs() < 1e-6); // each layer leaves a twentieth of the squared norm
/// assert_eq!(prediction.max_depth_one_decade, Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn predict(question: &Question) -> Result<Prediction, TheoryError> {
    let ensemble = question.ensemble()?;
    let mut prediction = Prediction::empty(Source::None);
    prediction.max_derivative = Some(max_derivative(question.activation));
    match question.residual {
        Some(_) if question.norm != Norm::None => {
            let why = "a normalised residual branch has no closed form here";
            prediction.explain(&MEAN_FIELD, why);
            prediction.explain(&["valid_if"], why);
            prediction.explain(&TOTALS, why);
        }
        Some(residual) => {
            prediction.explain(
                &MEAN_FIELD,
                "a residual network's length grows and has no fixed point; see rate_squared",
            );
            residual_totals(&mut prediction, question, ensemble, residual);
        }
        None => {
            if question.norm == Norm::None {
                mean_field(&mut prediction, question, ensemble);
            } else {
                prediction.explain(&MEAN_FIELD, "normalisation sets the length; see rate_squared");
            }
            match LayerLaw::new(question, ensemble) {
                Ok(law) => layer_totals(&mut prediction, question, law),
                Err(why) => {
                    prediction.explain(&["valid_if"], why);
                    prediction.explain(&TOTALS, why);
                }
            }
        }
    }
    special_laws(&mut prediction, question, ensemble);
    Ok(prediction)
}

/// The prediction for `steps` steps of a recurrence.
///
/// # Errors
/// A parameter of the recurrence that is not finite.
///
/// ```
/// use isobath::theory::{Recurrence, predict_recurrent};
///
/// // A forget gate that starts at sigma(0) = 1/2 loses a decade in three steps.
/// let closed = predict_recurrent(Recurrence::ZeroWeightGate { forget_bias: 0.0 }, 10)?;
/// assert_eq!((closed.rate_norm, closed.max_depth_one_decade), (Some(0.5), Some(3)));
/// assert!((closed.log10_delta_ratio.unwrap() - 0.5_f64.powi(10).log10()).abs() < 1e-12);
///
/// let error = predict_recurrent(Recurrence::ScaledOrthogonal { gain: 0.0 }, 10).unwrap_err();
/// assert_eq!(error.parameter, "gain");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn predict_recurrent(recurrence: Recurrence, steps: usize) -> Result<Prediction, TheoryError> {
    recurrence.check()?;
    let mut prediction = Prediction::empty(Source::Recurrent);
    let why = "defined for networks that are deep in layers, not in time";
    prediction.explain(&MEAN_FIELD, why);
    prediction.explain(
        &[
            "batch_norm_rate",
            "max_derivative",
            "born_dead",
            "gradient_correlation",
            "jacobian_var",
            "valid_if",
        ],
        why,
    );
    let Some(rate) = recurrence.rate() else {
        prediction.source = Source::None;
        prediction.explain(
            &TOTALS,
            "a cell's gate product is exact at zero weights only; random weights have no closed form",
        );
        return Ok(prediction);
    };
    prediction.set_rate(rate * rate);
    let log = 2.0 * rate.ln();
    prediction.set_total(TotalLogGain { mean: steps as f64 * log, var: Some(0.0) }, 1);
    if log == 0.0 {
        prediction.explain(&["max_depth_one_decade"], "the gradient keeps its size at every depth");
    } else {
        prediction.max_depth_one_decade = Some((2.0 * core::f64::consts::LN_10 / log.abs()) as usize);
    }
    Ok(prediction)
}

/// Fills in q*, chi, c* and their depth scales.
fn mean_field(prediction: &mut Prediction, question: &Question, ensemble: Ensemble) {
    let homogeneous = ensemble.activation.is_homogeneous();
    let point = match ensemble.fixed_points() {
        FixedPoints::Every => {
            prediction.explain(&["q_star"], "every length is fixed");
            prediction.length_stable = Some(true);
            None
        }
        FixedPoints::Isolated(points) => {
            let point = relevant_point(question, ensemble, &points);
            if point.is_none() {
                prediction.explain(&["q_star"], "lengths diverge");
            }
            prediction.length_stable = Some(point.is_some_and(FixedPoint::is_stable));
            point
        }
    };
    prediction.q_star = point.map(|point| point.q);
    match point {
        Some(point) => prediction.chi = Some(ensemble.chi(point.q)),
        None if homogeneous => prediction.chi = Some(ensemble.chi(1.0)),
        None => prediction.explain(&["chi", "sqrt_chi", "depth_scale"], "lengths diverge"),
    }
    prediction.sqrt_chi = prediction.chi.map(f64::sqrt);
    prediction.depth_scale = prediction.chi.and_then(depth_scale);
    if prediction.chi.is_some() && prediction.depth_scale.is_none() {
        prediction.explain(&["depth_scale"], "infinite at chi = 1");
    }
    correlations(prediction, ensemble, point);
}

/// The fixed point that the question is about: the one its input leads to, or with no input given the largest
/// stable positive one, else a positive unstable one, else 0.
fn relevant_point(question: &Question, ensemble: Ensemble, points: &[FixedPoint]) -> Option<FixedPoint> {
    if let Some(input_q) = question.input_q {
        return ensemble.reached_from(points, ensemble.pre_activation_variance(input_q));
    }
    let stable = points.iter().rfind(|point| point.is_stable() && point.q > 0.0);
    stable.or_else(|| points.iter().rfind(|point| point.q > 0.0)).or(points.first()).copied()
}

/// Fills in c* and its depth scale.
fn correlations(prediction: &mut Prediction, ensemble: Ensemble, point: Option<FixedPoint>) {
    const FIELDS: [&str; 2] = ["c_star", "correlation_depth_scale"];
    match point {
        _ if ensemble.activation.is_homogeneous() && ensemble.bias_variance == 0.0 => {
            if ensemble.slope_correlation(1.0, 0.0) == 1.0 {
                prediction.explain(&FIELDS, "a linear network keeps every correlation");
            } else {
                prediction.c_star = Some(1.0);
                prediction.explain(&FIELDS[1..], "correlations approach 1 as a power of depth");
            }
        }
        Some(point) if point.q > 0.0 => {
            let found = ensemble.correlation_point(point.q);
            prediction.c_star = Some(found.c_star);
            prediction.correlation_depth_scale = found.depth_scale;
            if found.depth_scale.is_none() {
                prediction.explain(&FIELDS[1..], "correlations approach c* as a power of depth");
            }
        }
        Some(_) => prediction.explain(&FIELDS, "signals fade to 0 and keep their correlation"),
        None => prediction.explain(&FIELDS, "lengths diverge"),
    }
}

/// Fills in the layers and totals of a network without skips.
fn layer_totals(prediction: &mut Prediction, question: &Question, law: LayerLaw<'_>) {
    let (steps, top_q) = course(law, question.depth - 1);
    prediction.per_layer = steps
        .iter()
        .map(|step| (step.q, Some(step.gain)))
        .chain([(top_q, None)])
        .zip(1..)
        .map(|((q, gain), layer)| {
            let slope_rms = slope_moment(question.activation, q, 2).sqrt();
            let factor = gain.map(|gain| (0.5 * gain.mean).exp());
            LayerPrediction {
                layer,
                q,
                slope_rms: Some(slope_rms),
                weight_gain: factor.map(|factor| factor / slope_rms),
                factor,
                band95: gain.and_then(|gain| Some(factor_band(gain.mean, gain.var?, question.nets))),
            }
        })
        .collect();
    let total = TotalLogGain {
        mean: steps.iter().map(|step| step.gain.mean).sum(),
        var: steps.iter().map(|step| step.added_var).sum(),
    };
    let (source, valid_if) = law.source();
    prediction.source = source;
    prediction.valid_if = Some(valid_if);
    prediction.set_total(total, question.nets);
    if total.var.is_none() {
        prediction
            .explain(&["band95"], "the spread over networks with normalisation has no closed form here");
    }
    // The rate that depth tends to where lengths settle, and the average over these layers where they do not.
    prediction.set_rate(match prediction.chi {
        Some(chi) if prediction.length_stable == Some(true) || law.ignores_length() => chi,
        _ if question.norm != Norm::None || steps.is_empty() => law.rate(top_q),
        _ => (steps.iter().map(|step| step.rate.ln()).sum::<f64>() / steps.len() as f64).exp(),
    });
    let log_gain = |depth: usize| course(law, depth - 1).0.iter().map(|step| step.gain.mean).sum();
    set_headroom(prediction, depth_within_decade(log_gain));
}

/// Fills in the blocks and totals of a residual network.
fn residual_totals(prediction: &mut Prediction, question: &Question, ensemble: Ensemble, residual: Residual) {
    let input_q = question.input_mean_square(ensemble);
    let blocks = residual.blocks(ensemble, input_q, question.depth, question.width);
    let mut total = (0.0, 0.0);
    let mut log_rate = 0.0;
    for (index, block) in blocks.iter().enumerate() {
        let gain = block.log_gain(residual.scale, question.width);
        total = (total.0 + gain.mean, total.1 + gain.var);
        log_rate += (1.0 + residual.scale * residual.scale * block.branch_gain).ln();
        prediction.per_layer.push(LayerPrediction {
            layer: index + 1,
            q: block.mean_square,
            slope_rms: None,
            weight_gain: None,
            factor: Some((0.5 * gain.mean).exp()),
            band95: Some(factor_band(gain.mean, gain.var, question.nets)),
        });
    }
    prediction.source = Source::Residual;
    prediction.valid_if = Some("width is large against 1; one input and a Gaussian cotangent per net");
    prediction.set_total(TotalLogGain { mean: total.0, var: Some(total.1) }, question.nets);
    prediction.set_rate((log_rate / blocks.len() as f64).exp());
    let log_gain = |depth: usize| {
        let blocks = residual.blocks(ensemble, input_q, depth, question.width);
        blocks.iter().map(|block| block.log_gain(residual.scale, question.width).mean).sum()
    };
    set_headroom(prediction, depth_within_decade(log_gain));
}

/// Fills in the depth limit or why there is none.
fn set_headroom(prediction: &mut Prediction, depth: Result<usize, &'static str>) {
    match depth {
        Ok(depth) => prediction.max_depth_one_decade = Some(depth),
        Err(why) => prediction.explain(&["max_depth_one_decade"], why),
    }
}

/// The band of a norm factor from its log gain.
fn factor_band(mean: f64, var: f64, nets: usize) -> (f64, f64) {
    let (low, high) = band95(mean, var, nets);
    ((0.5 * low).exp(), (0.5 * high).exp())
}

/// Fills in the laws that stand on their own.
fn special_laws(prediction: &mut Prediction, question: &Question, ensemble: Ensemble) {
    let plain = question.norm == Norm::None && question.residual.is_none();
    let only_plain = "known for plain networks only";
    let batch = question.batch.filter(|_| question.norm == Norm::Batch);
    match batch_rate(question.activation, batch) {
        Ok(rate) => prediction.batch_norm_rate = Some(rate),
        Err(why) => prediction.explain(&["batch_norm_rate"], why),
    }
    if plain || !dies(question.activation) {
        prediction.born_dead = Some(born_dead(question.activation, question.width, question.depth));
    } else {
        prediction.explain(&["born_dead"], only_plain);
    }
    match question.pair_correlation {
        Some(rho) if plain => {
            let input_q = question.input_mean_square(ensemble);
            prediction.gradient_correlation =
                Some(ensemble.gradient_correlation(input_q, rho, question.depth));
        }
        Some(_) => prediction.explain(&["gradient_correlation"], only_plain),
        None => prediction.explain(&["gradient_correlation"], "no pair correlation was given"),
    }
    if plain && question.input_width == question.width {
        let spread = |row: &LayerPrediction| jacobian_spread(question.activation, row.q, question.orthogonal);
        prediction.jacobian_var = Some(prediction.per_layer.iter().map(spread).sum());
    } else {
        prediction.explain(&["jacobian_var"], "known for plain networks with an input as wide as the layers");
    }
}

#[cfg(test)]
mod tests;
