//! What a record means: a verdict, where the trouble is and how fast it grows.
//!
//! |log10(||delta^1|| / ||delta^L||)| of at least a decade is sick, up to half a decade healthy, borderline between; a
//! network is sick only if the 95 % interval of its rate says so too, since a single healthy network strays by about
//! sqrt(5 L / n) / 4.6 decades.

use super::causes::{advice, causes};
use super::defect::{self, Defect};
use super::diagnosis::{Blame, Diagnosis, Fix, headroom};
use super::lost;
use super::records::{Norm, Record};
use super::trend::rate;
use crate::probe::{Cause, HEALTHY, Kind, SICK, Signs};
use crate::statistics::{Moments, deviations, robust_spread};

/// Judges a network by its record.
///
/// ```
/// use isobath::diagnose::{judge, records};
/// use isobath::probe::Kind;
///
/// // Norms of one backward pass, recorded anywhere: delta loses half of itself in every layer.
/// let mut table = String::from("step,layer,x,delta,gw,w\n");
/// for layer in 1..=12 {
///     table += &format!("0,{layer},8,{},{},8\n", 0.5_f64.powi(12 - layer), 8.0 * 0.5_f64.powi(12 - layer));
/// }
/// let diagnosis = judge(&records::read(table.as_bytes())?[0]);
/// assert_eq!(diagnosis.kind, Kind::Vanishing);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn judge(record: &Record) -> Diagnosis {
    assess(record, None, 0.0)
}

/// Judges several networks of one kind, each by a record of the same step; their spread gives the interval of the rate.
/// None for no networks or for networks of different depth.
///
/// ```
/// use isobath::diagnose::{LayerRecord, Norm, Record, judge_networks};
/// use isobath::probe::Kind;
///
/// // Three networks that lose a third, a half and three quarters of delta per layer.
/// let network = |factor: f64| {
///     let delta = |l: i32| Norm::Log10(f64::from(8 - l) * factor.log10());
///     let layers = (1..=8).map(|l| LayerRecord { delta: delta(l), ..LayerRecord::default() }).collect();
///     Record { layers, ..Record::default() }
/// };
/// let diagnosis = judge_networks(&[network(2.0 / 3.0), network(0.5), network(0.25)]).unwrap();
/// assert_eq!(diagnosis.kind, Kind::Vanishing);
/// let (rate, mean) = (diagnosis.rate.unwrap(), (2.0 / 3.0 * 0.5 * 0.25_f64).cbrt());
/// let (low, high) = rate.ci95.unwrap();
/// assert!((rate.factor - mean).abs() < 1e-9 && low < mean && mean < high);
/// assert!(judge_networks(&[]).is_none());
/// ```
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
    if let Some(lost) = lost::judge(record) {
        return lost;
    }
    let deltas: Option<Vec<f64>> = layers.iter().map(|layer| layer.delta.log10()).collect();
    let (Some(deltas), Some(decades)) = (deltas, record.decades()) else {
        // A network without layers, or of which not every delta was recorded, has no rate.
        let mut diagnosis = Diagnosis::empty(record, Kind::Borderline);
        diagnosis
            .not_checked
            .insert(0, "the gradient: there is no delta of some layers, or there are no layers");
        return diagnosis;
    };
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
    let mut diagnosis = Diagnosis {
        layer: alike.or(defect.map(|defect| defect.layer)),
        excess: defect.map(|defect| defect.excess),
        rate,
        decades: (deltas.len() > 1).then_some(decades),
        max_depth_one_decade: rate.and_then(|rate| headroom(rate.factor)),
        causes,
        fix,
        ..Diagnosis::empty(record, kind)
    };
    // Slopes may be blamed for weights, see `causes`.
    let half_known = layers.iter().all(|layer| layer.w != Norm::Missing && layer.units.is_none());
    if by_slopes && decades < 0.0 && half_known {
        diagnosis.not_checked.insert(0, "weights that biases hide: there is no column units");
    }
    diagnosis
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
