//! Networks whose gradient has no size: it is exactly zero, or not finite, somewhere.

use super::diagnosis::{Blame, Diagnosis, Fix, headroom};
use super::records::{Norm, Record};
use super::trend::rate;
use crate::probe::{Cause, Kind};

/// log10 of the norms below which an f32 program has lost digits, and next rounds to zero.
const SINKING: f64 = -34.0;

/// Judges such a network; none for others.
pub(super) fn judge(record: &Record) -> Option<Diagnosis> {
    let layers = &record.layers;
    if layers.iter().any(|layer| [layer.x, layer.delta, layer.w].contains(&Norm::NotFinite)) {
        // Weights name their layer. Signals break upwards: what enters a layer comes from the one below. Gradients
        // break downwards, by the weights above.
        let weights = layers.iter().position(|layer| layer.w == Norm::NotFinite).map(|l| l + 1);
        let signal = || layers.iter().position(|layer| layer.x == Norm::NotFinite).map(|l| l.max(1));
        let gradient = || layers.iter().rposition(|layer| layer.delta == Norm::NotFinite).map(|l| l + 2);
        let layer = weights.or_else(signal).or_else(gradient).map(|layer| layer.min(layers.len()));
        return Some(lost(record, Kind::Exploding, Cause::Overflow, layer));
    }
    if let Some(l) = layers.iter().rposition(|layer| layer.delta == Norm::Zero) {
        return Some(silent(record, Some(l)));
    }
    (record.input_delta == Norm::Zero).then(|| silent(record, None))
}

/// A gradient of exactly zero from layer `l` + 1 down, or at the input alone.
fn silent(record: &Record, l: Option<usize>) -> Diagnosis {
    let layers = &record.layers;
    let sinking = |norm: Norm| norm.log10().is_some_and(|log10| log10 < SINKING);
    let first = l.map_or(0, |l| l + 1);
    let above = layers.get(first);
    if above.is_some_and(|above| sinking(above.delta)) || layers.iter().any(|layer| sinking(layer.x)) {
        let mut diagnosis = lost(record, Kind::Vanishing, Cause::Underflow, None);
        let deltas: Vec<f64> = layers[first..].iter().filter_map(|layer| layer.delta.log10()).collect();
        diagnosis.rate = rate(&deltas);
        diagnosis.max_depth_one_decade = diagnosis.rate.and_then(|rate| headroom(rate.factor));
        diagnosis
            .not_checked
            .insert(0, "the size of what underflowed to zero in the program that recorded it");
        return diagnosis;
    }
    // Weights that are all 0; or the layer below the first signal that is, whose units are; or units of layer l + 1
    // without slopes.
    let weights = layers.iter().position(|layer| layer.w == Norm::Zero).map(|l| l + 1);
    let units = layers.iter().position(|layer| layer.x == Norm::Zero).filter(|l| *l > 0);
    lost(record, Kind::Dead, Cause::DeadUnits, Some(weights.or(units).unwrap_or(first.max(1))))
}

fn lost(record: &Record, kind: Kind, cause: Cause, layer: Option<usize>) -> Diagnosis {
    let change = match cause {
        Cause::Overflow => "start the weights smaller, or clip the gradients by their global norm",
        Cause::DeadUnits => {
            "widen the layer, start its biases at 0 and its weights as the others, or use an activation with a slope everywhere"
        }
        _ => "see `isobath probe` for these networks: it carries gradients beyond the range of f32",
    };
    Diagnosis {
        layer,
        causes: vec![Blame { cause, decades: None }],
        fix: Some(Fix {
            command: None,
            measured_factor: None,
            change: change.to_owned(),
            predicted_factor: None,
        }),
        ..Diagnosis::empty(record, kind)
    }
}
