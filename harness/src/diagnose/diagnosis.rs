//! What is said of a network.

use serde::Serialize;

use super::records::{LayerRecord, Norm, Record};
use super::trend::Rate;
use crate::probe::{Cause, Kind};

/// A cause and its part of the trouble.
///
/// ```
/// use isobath::diagnose::{judge, records};
/// use isobath::probe::Cause;
///
/// // Signals keep their size, so the weights do; what halves delta from layer to layer are slopes.
/// let mut table = String::from("step,layer,x,delta,gw,w\n");
/// for layer in 1..=12 {
///     table += &format!("0,{layer},8,{},,8\n", 0.5_f64.powi(12 - layer));
/// }
/// let causes = judge(&records::read(table.as_bytes())?[0]).causes;
/// assert_eq!(causes[0].cause, Cause::Slope);
/// // Eleven halvings, all of them.
/// assert!((causes[0].decades.unwrap() + 11.0 * 2f64.log10()).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Blame {
    /// The cause.
    pub cause: Cause,
    /// The decades that it accounts for; none where it cannot be said.
    pub decades: Option<f64>,
}

/// A change that helps.
///
/// ```
/// use isobath::diagnose::{judge, records};
///
/// // Slopes halve delta in every layer.
/// let mut table = String::from("step,layer,x,delta,gw,w\n");
/// for layer in 1..=12 {
///     table += &format!("0,{layer},8,{},,8\n", 0.5_f64.powi(12 - layer));
/// }
/// let fix = judge(&records::read(table.as_bytes())?[0]).fix.unwrap();
/// assert!(fix.change.starts_with("add batch norm before the activation"));
/// // A network that is known by its norms alone cannot be run here.
/// assert_eq!((fix.command, fix.measured_factor), (None, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use isobath::diagnose::{LayerRecord, Norm, Record, judge};
/// use isobath::probe::Kind;
///
/// // delta loses half of itself in every one of twelve layers.
/// let delta = |l: i32| Norm::Log10(f64::from(l - 12) * 2f64.log10());
/// let layers = (1..=12).map(|l| LayerRecord { delta: delta(l), ..LayerRecord::default() }).collect();
/// let record = Record { layers, ..Record::default() };
/// let diagnosis = judge(&record);
/// assert_eq!(diagnosis.kind, Kind::Vanishing);
/// assert!((diagnosis.decades.unwrap() + 11.0 * 2f64.log10()).abs() < 1e-12);
/// // 2^3 < 10 < 2^4: four layers, which have three factors, stay within a decade.
/// assert_eq!(diagnosis.max_depth_one_decade, Some(4));
/// assert!(diagnosis.not_checked.iter().any(|what| what.starts_with("saturation")));
/// ```
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

impl Diagnosis {
    /// A verdict without grounds, and what was not looked at.
    pub(super) fn empty(record: &Record, kind: Kind) -> Self {
        let recorded =
            |norm: fn(&LayerRecord) -> Norm| record.layers.iter().all(|layer| norm(layer) != Norm::Missing);
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
        Self {
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
}

/// The layers over which the gradient stays within a decade.
pub(super) fn headroom(factor: f64) -> Option<usize> {
    let per_layer = factor.log10().abs();
    (per_layer > 1e-4).then(|| (1.0 / per_layer).floor() as usize + 1)
}
