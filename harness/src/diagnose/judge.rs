//! What a record means: a verdict, where the trouble is, how fast it grows, what causes it and what would mend it.
//!
//! |log10(||delta^1|| / ||delta^L||)| of at least a decade is sick, up to half a decade healthy, borderline between; a
//! network is sick only if the 95 % interval of its rate says so too, since a single healthy network strays by about
//! sqrt(5 L / n) / 4.6 decades.
//!
//! Causes, from how signal and gradient move together: weights of the wrong size shrink (or grow) both alike; slopes
//! shrink the gradient alone; a gradient that grows while the signal keeps its size is a normalisation's doing, or that
//! of large weights on a saturating activation.

use serde::Serialize;

use super::defect::{self, Defect};
use super::records::{Norm, Record};
use super::trend::{Rate, rate};
use crate::probe::{Cause, HEALTHY, Kind, SICK, Signs};
use crate::statistics::{Moments, deviations, robust_spread};

/// log10 of the norms below which an f32 program has lost digits, and next rounds to zero.
const SINKING: f64 = -34.0;

/// A cause and its part of the trouble.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Blame {
    /// The cause.
    pub cause: Cause,
    /// The decades that it accounts for; none where it cannot be said.
    pub decades: Option<f64>,
}

/// A change that helps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fix {
    /// In words.
    pub change: String,
    /// A command that runs it; none for a network that is not described by flags.
    pub command: Option<String>,
    /// The factor per layer that is expected then.
    pub predicted_factor: Option<f64>,
    /// The factor that was measured when it was run.
    pub measured_factor: Option<f64>,
}

/// What is said of a network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// How the gradient fares.
    pub kind: Kind,
    /// The layer whose parameters are at fault, if it is one layer.
    pub layer: Option<usize>,
    /// How many times as large as its neighbours' that layer's part in the factors is.
    pub excess: Option<f64>,
    /// What one layer multiplies the gradient by.
    pub rate: Option<Rate>,
    /// What theory says it is; none for a network that is known by its norms alone.
    pub predicted_factor: Option<f64>,
    /// log10(||delta^1|| / ||delta^L||).
    pub decades: Option<f64>,
    /// The deepest network with this rate whose gradient stays within a decade; none if the rate is 1.
    pub max_depth_one_decade: Option<usize>,
    /// Causes, the largest part first.
    pub causes: Vec<Blame>,
    /// What would help.
    pub fix: Option<Fix>,
    /// What was not looked at.
    pub not_checked: Vec<&'static str>,
}

/// Judges a network by its record.
pub fn judge(record: &Record) -> Diagnosis {
    assess(record, None, 0.0)
}

/// Judges several networks of one kind, each by a record of the same step; their spread gives the interval of the rate.
/// None for no networks or for networks of different depth.
pub fn judge_networks(records: &[Record]) -> Option<Diagnosis> {
    let decades: Vec<f64> = records.iter().filter_map(Record::decades).collect();
    let correlations: Vec<f64> = records.iter().filter_map(|record| record.correlation).collect();
    let doubt =
        Moments::of(&correlations).and_then(Moments::ci95).map_or(0.0, |(low, high)| 0.5 * (high - low));
    Some(assess(&Record::mean(records)?, Moments::of(&decades), doubt))
}

/// Judges a record, the mean of networks whose decades have the moments `spread`, and the 95 % interval of whose
/// correlation reaches as far as `doubt`.
fn assess(record: &Record, spread: Option<Moments>, doubt: f64) -> Diagnosis {
    let layers = &record.layers;
    if layers.iter().any(|layer| [layer.x, layer.delta, layer.w].contains(&Norm::NotFinite)) {
        // Weights name their layer. Signals break upwards: what enters a layer comes from the one below. Gradients
        // break downwards, by the weights above.
        let weights = layers.iter().position(|layer| layer.w == Norm::NotFinite).map(|l| l + 1);
        let signal = || layers.iter().position(|layer| layer.x == Norm::NotFinite).map(|l| l.max(1));
        let gradient = || layers.iter().rposition(|layer| layer.delta == Norm::NotFinite).map(|l| l + 2);
        let layer = weights.or_else(signal).or_else(gradient).map(|layer| layer.min(layers.len()));
        return lost(record, Kind::Exploding, Cause::Overflow, layer);
    }
    if let Some(l) = layers.iter().rposition(|layer| layer.delta == Norm::Zero) {
        return silent(record, Some(l));
    }
    if record.input_delta == Norm::Zero {
        return silent(record, None);
    }
    let deltas: Option<Vec<f64>> = layers.iter().map(|layer| layer.delta.log10()).collect();
    let Some(deltas) = deltas else {
        // A network of which not every delta was recorded has no rate.
        let mut diagnosis = empty(record, Kind::Borderline);
        diagnosis.not_checked.insert(0, "the gradient: the column delta is empty in some layers");
        return diagnosis;
    };
    let decades = deltas[0] - deltas[deltas.len() - 1];
    let interval = spread.and_then(Moments::ci95);
    let rate = rate(&deltas).map(|rate| rate.of_networks(interval, deltas.len() - 1));
    let size = size(&deltas, decades, spread);
    let signs = signs(record, doubt);
    // Where most units are flat, a layer's slopes hang on the few that are not, and differ by chance.
    let by_chance = |defect: &Defect| defect.cause == Cause::Slope && signs.is_saturated();
    let defect = defect::find(record).filter(|defect| !by_chance(defect));
    let mut causes = causes(record, decades, size, defect);
    let by_slopes = defect.is_none() && causes.first().is_some_and(|blame| blame.cause == Cause::Slope);
    let kind = signs.verdict(size, by_slopes);
    let alike = signs.collapsed_layer();
    match kind {
        Kind::RankCollapse => {
            let cause = if alike.is_some() { Cause::Alike } else { Cause::Width };
            causes.insert(0, Blame { cause, decades: None });
        }
        Kind::Shattering => causes.insert(0, Blame { cause: Cause::Depth, decades: None }),
        _ => {}
    }
    let fix = match defect.filter(|_| alike.is_none()) {
        Some(defect) => Some(Fix {
            command: None,
            measured_factor: None,
            change: format!(
                "bring the weights and biases of layer {} to the size of their neighbours': its part in the factors is {:.3} times theirs",
                defect.layer, defect.excess
            ),
            predicted_factor: rate.map(|rate| {
                let factors = (deltas.len() - 1).max(1) as f64;
                rate.factor / if defect.layer > 1 { defect.excess.powf(1.0 / factors) } else { 1.0 }
            }),
        }),
        None => advice(kind, rate, &causes),
    };
    Diagnosis {
        layer: alike.or(defect.map(|defect| defect.layer)),
        excess: defect.map(|defect| defect.excess),
        rate,
        decades: (deltas.len() > 1).then_some(decades),
        max_depth_one_decade: rate.and_then(|rate| headroom(rate.factor)),
        causes,
        fix,
        ..empty(record, kind)
    }
}

/// What was recorded beside the norms.
fn signs(record: &Record, doubt: f64) -> Signs {
    let saturated: Vec<f64> = record.layers.iter().filter_map(|layer| layer.saturated).collect();
    let ranks = core::iter::once(record.input_rank).chain(record.layers.iter().map(|layer| layer.rank));
    Signs {
        saturated: Moments::of(&saturated).map(|moments| moments.mean),
        ranks: ranks.collect::<Option<_>>().unwrap_or_default(),
        correlation: record.correlation.map(|cosine| (cosine, doubt)),
    }
}

/// Sick by a decade, and beyond doubt: healthy networks stray as far as the noise of their factors takes them.
fn size(deltas: &[f64], decades: f64, spread: Option<Moments>) -> Kind {
    const DOUBT: f64 = 2.0;
    let size = decades.abs();
    if size <= HEALTHY {
        return Kind::Healthy;
    }
    let steps: Vec<f64> = deltas.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // A defect is no noise, hence the robust spread; so is none that all layers share, hence the deviations.
    let of_layers = || robust_spread(&deviations(&steps)) * (steps.len() as f64).sqrt();
    let noise = spread.and_then(Moments::standard_error).unwrap_or_else(of_layers);
    match size {
        _ if size < SICK || size - DOUBT * noise < HEALTHY => Kind::Borderline,
        _ if decades < 0.0 => Kind::Vanishing,
        _ => Kind::Exploding,
    }
}

/// The layers over which the gradient stays within a decade.
pub(super) fn headroom(factor: f64) -> Option<usize> {
    let per_layer = factor.log10().abs();
    (per_layer > 1e-4).then(|| (1.0 / per_layer).floor() as usize + 1)
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
        ..empty(record, kind)
    }
}

fn empty(record: &Record, kind: Kind) -> Diagnosis {
    let recorded = |norm: fn(&super::LayerRecord) -> Norm| {
        record.layers.iter().all(|layer| norm(layer) != Norm::Missing)
    };
    let mut not_checked = Vec::new();
    for (there, what) in [
        (recorded(|layer| layer.x), "slopes against weights: the column x is not filled"),
        (recorded(|layer| layer.w), "the size of each layer's weights: the column w is not filled"),
        (
            record.layers.iter().all(|layer| layer.saturated.is_some()),
            "saturation: there is no column saturated",
        ),
        (
            record.input_rank.is_some() && record.layers.iter().all(|layer| layer.rank.is_some()),
            "rank collapse: the column rank is not filled in row 0 and all others",
        ),
        (
            record.correlation.is_some(),
            "whether gradients of neighbouring inputs agree: there is no column correlation",
        ),
        (false, "the remedy's effect: the network is not ours to run"),
    ] {
        if !there {
            not_checked.push(what);
        }
    }
    Diagnosis {
        kind,
        layer: None,
        excess: None,
        rate: None,
        predicted_factor: None,
        decades: None,
        max_depth_one_decade: None,
        causes: Vec::new(),
        fix: None,
        not_checked,
    }
}

/// The causes of a network that is not healthy, with the decades that each accounts for.
fn causes(record: &Record, decades: f64, kind: Kind, defect: Option<Defect>) -> Vec<Blame> {
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
fn advice(kind: Kind, rate: Option<Rate>, causes: &[Blame]) -> Option<Fix> {
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
