//! What causes the trouble, and what would mend it, from how signal and gradient move together.
//!
//! Weights of the wrong size shrink (or grow) both alike; slopes shrink the gradient alone; a gradient that grows while
//! the signal keeps its size is a normalisation's doing, or that of large weights on a saturating activation.

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
    let Some(signal) = signal().filter(|_| between > 0.0) else {
        return causes;
    };
    // The defect may or may not have moved the signal.
    let signal = if (signal - mended).abs() < signal.abs() { signal - mended } else { signal };
    let signal = signal * (between + 1.0) / between;
    let rest = decades - signal;
    let other = if decades < 0.0 { Cause::Slope } else { Cause::Normalisation };
    let mut parts = vec![
        Blame { cause: Cause::Weights, decades: Some(signal) },
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
