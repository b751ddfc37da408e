//! The diagnosis of networks that were probed: the probe's verdict and remedy, with the rate's interval and the parts
//! that slopes and weights have in it.

use super::diagnosis::{Blame, Diagnosis, Fix, headroom};
use super::records::{LayerRecord, Norm, Record};
use super::trend::rate;
use crate::probe::{Cause, Net, Outcome, Report, Setup};
use crate::train::LayerNorms;

/// What a probe's report says as a diagnosis; `command` writes a setup as a command line.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::diagnose::probed;
/// use isobath::init::Init;
/// use isobath::probe::{Cause, Kind, Setup, probe};
/// use isobath_kernels::Level;
///
/// let setup = Setup::plain(Architecture::plain(10, 32, Activation::Sigmoid, Init::XAVIER), 1);
/// let report = probe(&setup, None, Level::detect())?;
/// let diagnosis = probed(&setup, &report, |setup| format!("isobath probe --seed {}", setup.seed));
/// assert_eq!((diagnosis.kind, diagnosis.causes[0].cause), (Kind::Vanishing, Cause::Slope));
/// assert_eq!(diagnosis.fix.unwrap().command.unwrap(), "isobath probe --seed 1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn probed(setup: &Setup, report: &Report, command: impl Fn(&Setup) -> String) -> Diagnosis {
    let verdict = &report.verdict;
    let deltas: Option<Vec<f64>> = report.figures.layers.iter().skip(1).map(|row| row.log10_delta).collect();
    let factors = setup.factors().max(1) as f64;
    let theory = report.theory.log10_delta_ratio.filter(|_| setup.factors() > 0);
    Diagnosis {
        kind: verdict.kind,
        layer: verdict.layer,
        excess: verdict.excess,
        rate: deltas.and_then(|deltas| rate(&deltas)),
        predicted_factor: theory.map(|decades| 10f64.powf(decades / factors)),
        decades: verdict.decades,
        max_depth_one_decade: verdict.factor_per_layer.and_then(headroom),
        causes: causes(report),
        fix: report.fix.as_ref().map(|fix| Fix {
            change: fix.remedy.change.clone(),
            command: Some(command(&fix.remedy.setup)),
            predicted_factor: fix.predicted_factor,
            measured_factor: fix.measured_factor,
        }),
        not_checked: not_checked(setup),
    }
}

/// A probed network put on record: what a program that knows norms alone would have written down, and what the probe saw
/// besides.
pub(crate) fn recorded(net: &Net) -> Record {
    // Logarithms that are missing are those of 0, or of what is not finite.
    let overflow = matches!(net.outcome, Outcome::Overflow(_));
    let norm = |log10: Option<f64>| match log10 {
        Some(log10) => Norm::Log10(log10),
        None if overflow => Norm::NotFinite,
        None => Norm::Zero,
    };
    let layer = |(l, norms): (usize, &LayerNorms)| LayerRecord {
        x: norm(norms.log10_x),
        delta: norm(norms.log10_delta),
        gw: norm(norms.log10_gw),
        w: norm(net.log10_weights.get(l).copied().flatten()),
        saturated: net.fractions.get(l).map(|fractions| fractions.saturated),
        rank: net.outputs.get(l).and_then(|outputs| outputs.effective_rank),
        units: None,
    };
    Record {
        step: 0,
        input_delta: norm(net.log10_input),
        input_rank: net.input_rank,
        correlation: net.gradient_correlation,
        layers: net.layers.iter().enumerate().map(layer).collect(),
    }
}

/// The verdict's cause first, then what the other part of the factors did, if it pulled the same way.
fn causes(report: &Report) -> Vec<Blame> {
    let verdict = &report.verdict;
    let Some(first) = verdict.cause else { return Vec::new() };
    if let Some(excess) = verdict.excess {
        return vec![Blame { cause: first, decades: Some(excess.log10()) }];
    }
    let hidden = || report.figures.layers.iter().filter_map(|row| row.hidden);
    let sum = |logs: Vec<Option<f64>>| logs.into_iter().flatten().map(f64::log10).sum::<f64>();
    let slopes = sum(hidden().filter(|row| row.factor.is_some()).map(|row| row.slope_rms).collect());
    let weights = sum(hidden().map(|row| row.weight_gain).collect());
    let decades = verdict.decades.unwrap_or(0.0);
    let parts = match first {
        Cause::Slope => vec![(first, slopes), (Cause::Weights, weights)],
        Cause::Weights | Cause::Normalisation => vec![(first, weights), (Cause::Slope, slopes)],
        _ => return vec![Blame { cause: first, decades: verdict.decades }],
    };
    parts
        .into_iter()
        .filter(|(_, part)| part * decades > 0.0)
        .map(|(cause, part)| Blame { cause, decades: Some(part) })
        .collect()
}

fn not_checked(setup: &Setup) -> Vec<&'static str> {
    let mut not_checked = vec!["training: these networks are at initialisation"];
    if setup.pair_correlation.is_none() {
        not_checked.push("whether gradients of neighbouring inputs agree (--pair-correlation)");
    }
    if !setup.jacobian {
        not_checked.push("whether all directions fare alike (--jacobian)");
    }
    not_checked
}

/// Whether a verdict asks for something to be done.
pub(crate) fn is_sick<'a>(mut diagnoses: impl Iterator<Item = &'a Diagnosis>) -> bool {
    diagnoses.any(|diagnosis| diagnosis.kind.is_sick())
}
