//! What causes the trouble, and what would mend it, from how signal and gradient move together.
//!
//! Weights of the wrong size shrink (or grow) both alike; slopes shrink the gradient alone; a gradient that grows while
//! the signal keeps its size is a normalisation's doing, or that of large weights on a saturating activation.
//!
//! Biases may hold the signal up beside weights that are too small. Where the number of units is on record, what weights
//! do to the gradient is known without the signal: ||W^T d||^2 = ||d||^2 ||W||^2 / units in the mean over d.

use super::defect::Defect;
use super::diagnosis::{Blame, Fix};
use super::records::Record;
use super::trend::Rate;
use crate::probe::{Cause, Kind, SICK};

/// The causes of a network that is not healthy, with the decades that each accounts for.
pub(super) fn causes(record: &Record, decades: f64, kind: Kind, defect: Option<Defect>) -> Vec<Blame> {
    let mut causes = Vec::new();
    if let Some(defect) = defect {
        causes.push(Blame { cause: defect.cause, decades: Some(defect.excess.log10()) });
    }
    // With the one layer mended, the rest may be sound.
    let mended = defect.filter(|defect| defect.layer > 1).map_or(0.0, |defect| defect.excess.log10());
    let decades = decades - mended;
    if kind == Kind::Healthy || (defect.is_some() && decades.abs() < SICK) {
        return causes;
    }
    // What happens to the signal between the same layers: phi(h^l) enters layer l + 1.
    let layers = &record.layers;
    let signal = || Some(layers.last()?.x.log10()? - layers.get(1)?.x.log10()?);
    let between = layers.len().saturating_sub(2) as f64;
    let signal = signal().filter(|_| between > 0.0).map(|signal| {
        // The defect may or may not have moved the signal.
        let signal = if (signal - mended).abs() < signal.abs() { signal - mended } else { signal };
        signal * (between + 1.0) / between
    });
    // Of a gradient that vanishes, weights have at least the part that their norms say.
    let by_norms = weights(record).filter(|_| decades < 0.0).map(|part| match defect {
        Some(Defect { cause: Cause::Weights, .. }) => part - mended,
        _ => part,
    });
    let Some(weights) = signal.into_iter().chain(by_norms).reduce(f64::min) else { return causes };
    let rest = decades - weights;
    let other = if decades < 0.0 { Cause::Slope } else { Cause::Normalisation };
    let mut parts = vec![
        Blame { cause: Cause::Weights, decades: Some(weights) },
        Blame { cause: other, decades: Some(rest) },
    ];
    // Only what pulls in the direction of the trouble is a cause.
    parts.retain(|part| part.decades.is_some_and(|part| part * decades > 0.0));
    parts.sort_by(|one, two| {
        let size = |blame: &Blame| blame.decades.unwrap_or(0.0).abs();
        size(two).total_cmp(&size(one))
    });
    causes.extend(parts);
    causes
}

/// The decades by which W^2 to W^L change the gradient's norm; none where a norm or the number of units is not on record.
fn weights(record: &Record) -> Option<f64> {
    let above = record.layers.get(1..)?.iter();
    above.map(|layer| Some(layer.w.log10()? - 0.5 * layer.units?.log10())).sum()
}

/// The change in closed form.
pub(super) fn advice(kind: Kind, rate: Option<Rate>, causes: &[Blame]) -> Option<Fix> {
    let rate = rate.filter(|_| kind.is_sick())?;
    let change = match causes.first().map(|blame| blame.cause)? {
        Cause::Weights => format!(
            "multiply the initial weights of every hidden layer by {:.4}, which is 1 / {:.4}: He initialisation for ReLU",
            1.0 / rate.factor,
            rate.factor
        ),
        Cause::Alike => "draw the weights of the layer anew, each unit's by itself".to_owned(),
        Cause::Width => "widen the layers, or add residual branches".to_owned(),
        Cause::Depth => "add residual branches scaled by 1/sqrt(L), or use fewer layers".to_owned(),
        Cause::Slope => {
            "add batch norm before the activation, or use an activation whose slope is 1 at 0, critically initialised"
                .to_owned()
        }
        _ => "leave out the normalisation and start the weights critically, or add residual branches scaled by 1/sqrt(L)"
            .to_owned(),
    };
    Some(Fix { command: None, measured_factor: None, change, predicted_factor: Some(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::judge;
    use crate::zoo::{Ensemble, Input, Phi, Weights};

    /// Networks as the zoo simulates them, which asks neither kernels nor theory: the cause without the number of units and
    /// with it, and the decades of the second.
    #[test]
    fn weights_are_told_from_slopes_where_biases_hold_the_signal_up() {
        let small = Ensemble {
            phi: Phi::Tanh,
            weights: Weights::Uniform,
            weight_variance: 1.0 / 3.0,
            bias_variance: 1.0 / 192.0,
            depth: 12,
            width: 64,
            batch: 1,
            input: Input::Gaussian(1.0),
            loss: false,
            fault: None,
        };
        let of =
            |weight_variance, bias_variance, phi| Ensemble { weight_variance, bias_variance, phi, ..small };
        // Eleven factors: Var W n = 1/3 takes sqrt(1/3) of a gradient, 1 nothing.
        let third = 11.0 * (1.0_f64 / 3.0).sqrt().log10();
        for (ensemble, without, with, decades) in [
            // PyTorch's own initial weights and biases.
            (small, Cause::Slope, Cause::Weights, Some(third)),
            (of(1.0 / 3.0, 0.0, Phi::Tanh), Cause::Weights, Cause::Weights, Some(third)),
            // Biases that saturate.
            (of(1.0, 1.5, Phi::Tanh), Cause::Slope, Cause::Slope, None),
            (of(1.0, 0.0, Phi::Sigmoid), Cause::Slope, Cause::Slope, None),
            // Slopes of 1/4 are worse than weights of .58.
            (of(1.0 / 3.0, 1.0 / 192.0, Phi::Sigmoid), Cause::Slope, Cause::Slope, None),
            // ReLU halves the signal as it halves the gradient: weights mend both.
            (of(1.0, 0.0, Phi::Relu), Cause::Weights, Cause::Weights, None),
        ] {
            for net in 0..4 {
                let mut record = ensemble.run(net, false).record;
                let first = |record: &Record| judge(record).causes.first().copied();
                assert_eq!(first(&record).map(|blame| blame.cause), Some(without), "{ensemble}");
                let hints =
                    |record: &Record| judge(record).not_checked.iter().any(|what| what.contains("units"));
                assert_eq!(hints(&record), without == Cause::Slope, "{ensemble}");
                record.layers.iter_mut().for_each(|layer| layer.units = Some(64.0));
                assert!(!hints(&record), "{ensemble}");
                let found = first(&record).unwrap();
                assert_eq!(found.cause, with, "{ensemble}");
                if let Some(decades) = decades {
                    let found = found.decades.unwrap();
                    assert!((found / decades - 1.0).abs() < 0.06, "{ensemble}: {found} and {decades}");
                }
            }
        }
    }
}
