//! Records of a network's norms: what `diagnose` knows of it.
//!
//! `norms.csv` has a header and one row per step and hidden layer, in any order of rows and columns:
//!
//! | column | is |
//! |---|---|
//! | `step` | optimiser steps taken before, from 0 |
//! | `layer` | 1 next to the input, to the last hidden layer; 0, if there, has only `delta`, that of the input |
//! | `x` | norm of the layer's input |
//! | `delta` | norm of the loss's gradient with respect to the layer's pre-activation |
//! | `gw` | norm of the weight gradient |
//! | `w` | norm of the weights |
//!
//! | `saturated` | optional: fraction of units and inputs where the slope is below 1 % of the activation's largest |
//! | `rank` | optional: effective rank of the layer's output over the batch, (tr C)^2 / tr C^2; in row 0, of the input |
//! | `units` | optional: number of the layer's units, if no normalisation divides its weights out |
//! | `correlation` | optional: cosine between the deltas of two inputs of correlation 0.9; the lowest layer's counts |
//!
//! Norms are Euclidean, over the whole batch. An empty field is a figure that was not taken; `nan` and `inf` are results.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::RangeInclusive;

use thiserror::Error;

use crate::probe::mean_rank;
use crate::statistics::Moments;

/// The columns that a file must have.
pub const COLUMNS: [&str; 6] = ["step", "layer", "x", "delta", "gw", "w"];

/// And those that it may have.
pub const OPTIONAL: [&str; 4] = ["saturated", "rank", "correlation", "units"];

/// A norm, as log10 where it has one.
///
/// ```
/// use isobath::diagnose::Norm;
///
/// // A gradient of 1e-60 is none in f32, but has a logarithm.
/// let tiny = Norm::Log10(-60.0);
/// assert_eq!((tiny.log10(), Norm::Zero.log10(), Norm::Missing.log10()), (Some(-60.0), None, None));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Norm {
    /// It was not taken.
    #[default]
    Missing,
    /// Exactly 0.
    Zero,
    /// log10 of it.
    Log10(f64),
    /// Infinite, or not a number.
    NotFinite,
}

impl Norm {
    /// The norm `value`; none for a negative one.
    ///
    /// ```
    /// use isobath::diagnose::Norm;
    ///
    /// assert_eq!(Norm::new(0.01), Some(Norm::Log10(-2.0)));
    /// assert_eq!(Norm::new(0.0), Some(Norm::Zero));
    /// assert_eq!(Norm::new(f64::NAN), Some(Norm::NotFinite));
    /// assert_eq!(Norm::new(-1.0), None);
    /// ```
    pub fn new(value: f64) -> Option<Self> {
        match value {
            _ if !value.is_finite() => Some(Self::NotFinite),
            0.0 => Some(Self::Zero),
            _ if value > 0.0 => Some(Self::Log10(value.log10())),
            _ => None,
        }
    }

    /// The mean over networks.
    fn mean(norms: Vec<Self>) -> Self {
        for special in [Self::NotFinite, Self::Zero] {
            if 2 * norms.iter().filter(|norm| **norm == special).count() >= norms.len() {
                return special;
            }
        }
        let logs: Vec<f64> = norms.iter().filter_map(|norm| norm.log10()).collect();
        Moments::of(&logs).map_or(Self::Missing, |moments| Self::Log10(moments.mean))
    }

    /// The logarithm, if it has one.
    ///
    /// ```
    /// use isobath::diagnose::Norm;
    ///
    /// assert_eq!(Norm::Log10(-2.0).log10(), Some(-2.0));
    /// assert_eq!(Norm::Zero.log10(), None);
    /// ```
    pub fn log10(self) -> Option<f64> {
        if let Self::Log10(value) = self { Some(value) } else { None }
    }
}

/// One hidden layer's norms; those of the input are a delta alone.
///
/// ```
/// use isobath::diagnose::{LayerRecord, Norm};
///
/// // What was not taken is left out.
/// let layer = LayerRecord { delta: Norm::Log10(-3.5), ..LayerRecord::default() };
/// assert_eq!((layer.x, layer.saturated), (Norm::Missing, None));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LayerRecord {
    /// Of the layer's input.
    pub x: Norm,
    /// Of the gradient with respect to the pre-activation.
    pub delta: Norm,
    /// Of the weight gradient.
    pub gw: Norm,
    /// Of the weights.
    pub w: Norm,
    /// Fraction of saturated units and inputs.
    pub saturated: Option<f64>,
    /// Effective rank of the layer's output.
    pub rank: Option<f64>,
    /// Number of units, if no normalisation divides the weights out.
    pub units: Option<f64>,
}

/// A network at one step.
///
/// ```
/// use isobath::diagnose::{LayerRecord, Norm, Record, judge};
/// use isobath::probe::Kind;
///
/// // A network of ten layers whose gradient grows by 1.6 per layer on its way down.
/// let delta = |l: i32| Norm::new(1.6_f64.powi(10 - l)).unwrap();
/// let layers = (1..=10).map(|l| LayerRecord { delta: delta(l), ..LayerRecord::default() }).collect();
/// let record = Record { step: 100, layers, ..Record::default() };
/// assert!((record.decades().unwrap() - 9.0 * 1.6_f64.log10()).abs() < 1e-12);
/// assert_eq!(judge(&record).kind, Kind::Exploding);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Optimiser steps taken before.
    pub step: u64,
    /// Of the gradient with respect to the network's input.
    pub input_delta: Norm,
    /// Effective rank of the network's input.
    pub input_rank: Option<f64>,
    /// Cosine between the gradients of two neighbouring inputs.
    pub correlation: Option<f64>,
    /// Layer 1 first.
    pub layers: Vec<LayerRecord>,
}

impl Record {
    /// One record for networks of the same kind: means of logarithms and of fractions. What is not finite, or zero, in
    /// half of the networks is so in the mean. None for no networks or for networks of different depth.
    ///
    /// ```
    /// use isobath::diagnose::{LayerRecord, Norm, Record};
    ///
    /// let layer = |delta| LayerRecord { delta, ..LayerRecord::default() };
    /// let network = |delta| Record { layers: vec![layer(delta)], ..Record::default() };
    /// // Means are those of logarithms: 1e-2 and 1e-4 make 1e-3.
    /// let mean = Record::mean(&[network(Norm::Log10(-2.0)), network(Norm::Log10(-4.0))]).unwrap();
    /// assert_eq!(mean.layers[0].delta, Norm::Log10(-3.0));
    /// // Networks of different depth have none.
    /// assert_eq!(Record::mean(&[network(Norm::Zero), Record::default()]), None);
    /// ```
    pub fn mean(records: &[Self]) -> Option<Self> {
        let first = records.first()?;
        if records.iter().any(|record| record.layers.len() != first.layers.len()) {
            return None;
        }
        let norm = |of: &dyn Fn(&Self) -> Norm| Norm::mean(records.iter().map(of).collect());
        let figure = |of: &dyn Fn(&Self) -> Option<f64>| {
            Moments::of(&records.iter().filter_map(of).collect::<Vec<_>>()).map(|moments| moments.mean)
        };
        let layer = |l: usize| LayerRecord {
            x: norm(&|record| record.layers[l].x),
            delta: norm(&|record| record.layers[l].delta),
            gw: norm(&|record| record.layers[l].gw),
            w: norm(&|record| record.layers[l].w),
            saturated: figure(&|record| record.layers[l].saturated),
            rank: mean_rank(records.iter().filter_map(|record| record.layers[l].rank).collect()),
            units: figure(&|record| record.layers[l].units),
        };
        Some(Self {
            step: first.step,
            input_delta: norm(&|record| record.input_delta),
            input_rank: mean_rank(records.iter().filter_map(|record| record.input_rank).collect()),
            correlation: figure(&|record| record.correlation),
            layers: (0..first.layers.len()).map(layer).collect(),
        })
    }

    /// log10(||delta^1|| / ||delta^L||), where both have a logarithm.
    ///
    /// ```
    /// use isobath::diagnose::{LayerRecord, Norm, Record};
    ///
    /// let layer = |log10| LayerRecord { delta: Norm::Log10(log10), ..LayerRecord::default() };
    /// let record = Record { layers: vec![layer(-6.0), layer(-3.5), layer(-1.0)], ..Record::default() };
    /// assert_eq!(record.decades(), Some(-5.0));
    /// assert_eq!(Record::default().decades(), None);
    /// ```
    pub fn decades(&self) -> Option<f64> {
        Some(self.layers.first()?.delta.log10()? - self.layers.last()?.delta.log10()?)
    }
}

/// What is wrong with a file of records.
///
/// ```
/// use isobath::diagnose::records;
///
/// let error = |table: &str| records::read(table.as_bytes()).unwrap_err().to_string();
/// assert!(error("step,layer,x\n0,1,8\n").starts_with("there is no column `delta`"));
/// assert_eq!(
///     error("step,layer,x,delta,gw,w\n0,1,8,-1,1,8\n"),
///     "line 2, column delta: `-1`; allowed is a number, 0 or more, nan, inf, or nothing"
/// );
/// ```
#[derive(Debug, Error)]
pub enum RecordsError {
    /// It is no table.
    #[error("{0}")]
    Csv(#[from] csv::Error),
    /// A column is missing.
    #[error("there is no column `{0}`; the header must name step, layer, x, delta, gw and w")]
    Column(&'static str),
    /// A field does not hold what it should.
    #[error("line {line}, column {column}: `{found}`; allowed is {allowed}")]
    Field {
        /// From 1, the header.
        line: u64,
        /// Its name.
        column: &'static str,
        /// What is there.
        found: String,
        /// What may be.
        allowed: &'static str,
    },
    /// A layer is there twice.
    #[error("line {line}: layer {layer} of step {step} is there twice")]
    Twice {
        /// From 1, the header.
        line: u64,
        /// The step.
        step: u64,
        /// The layer.
        layer: usize,
    },
    /// A layer is missing.
    #[error("step {step} has no layer {layer}; layers must be 1 to {last}, without gaps")]
    Gap {
        /// The step.
        step: u64,
        /// The first that is missing.
        layer: usize,
        /// The largest number of a layer.
        last: usize,
    },
    /// There are no rows.
    #[error("there are no rows with layer 1 or more")]
    Empty,
}

/// The deepest network that is read: one row more would be a mistaken number.
const DEEPEST: usize = 1_000_000;

/// Reads a table of norms; records come in the order of their steps.
///
/// # Errors
/// It is no such table, see [`RecordsError`].
///
/// ```
/// use isobath::diagnose::{Norm, records};
///
/// // Rows and columns in any order; an empty field was not taken.
/// let table = "layer,step,delta,x,gw,w\n2,0,0.1,8,,\n1,0,0.01,8,,\n";
/// let records = records::read(table.as_bytes())?;
/// assert_eq!((records.len(), records[0].layers.len()), (1, 2));
/// assert_eq!((records[0].layers[0].delta, records[0].layers[0].gw), (Norm::Log10(-2.0), Norm::Missing));
///
/// let error = records::read("step,layer,x,delta,gw,w\n0,2,8,1,1,8\n".as_bytes()).unwrap_err();
/// assert_eq!(error.to_string(), "step 0 has no layer 1; layers must be 1 to 2, without gaps");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(table: impl Read) -> Result<Vec<Record>, RecordsError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(table);
    let header = reader.headers()?.clone();
    let mut places = [0; COLUMNS.len()];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        *place = header.iter().position(|name| name == column).ok_or(RecordsError::Column(column))?;
    }
    let optional = OPTIONAL.map(|column| header.iter().position(|name| name == column));
    let mut steps: BTreeMap<u64, BTreeMap<usize, Row>> = BTreeMap::new();
    for row in reader.records() {
        let row = row?;
        let line = row.position().map_or(0, csv::Position::line);
        let field = |i: usize| row.get(places[i]).unwrap_or("");
        let wrong = |i: usize, allowed| RecordsError::Field {
            line,
            column: COLUMNS[i],
            found: field(i).to_owned(),
            allowed,
        };
        let norm = |i: usize| match field(i) {
            "" => Ok(Norm::Missing),
            text => text
                .parse()
                .ok()
                .and_then(Norm::new)
                .ok_or_else(|| wrong(i, "a number, 0 or more, nan, inf, or nothing")),
        };
        let figure = |i: usize, range: RangeInclusive<f64>, allowed| {
            let text = optional[i].and_then(|at| row.get(at)).unwrap_or("");
            let known = |value: f64| range.contains(&value).then_some(value);
            match text {
                "" => Ok(None),
                _ => text.parse().ok().and_then(known).map(Some).ok_or_else(|| RecordsError::Field {
                    line,
                    column: OPTIONAL[i],
                    found: text.to_owned(),
                    allowed,
                }),
            }
        };
        let step = field(0).parse().map_err(|_| wrong(0, "a whole number, 0 or more"))?;
        let layer = field(1).parse().ok().filter(|layer| *layer <= DEEPEST);
        let layer = layer.ok_or_else(|| wrong(1, "a whole number from 0 to 1000000"))?;
        let record = LayerRecord {
            x: norm(2)?,
            delta: norm(3)?,
            gw: norm(4)?,
            w: norm(5)?,
            saturated: figure(0, 0.0..=1.0, "a number from 0 to 1, or nothing")?,
            rank: figure(1, 0.0..=f64::MAX, "a number, 0 or more, or nothing")?,
            units: figure(3, 1.0..=f64::MAX, "a number, 1 or more, or nothing")?,
        };
        let correlation = figure(2, -1.0..=1.0, "a number from -1 to 1, or nothing")?;
        if steps.entry(step).or_default().insert(layer, Row { record, correlation }).is_some() {
            return Err(RecordsError::Twice { line, step, layer });
        }
    }
    steps
        .into_iter()
        .map(|(step, layers)| record(step, layers))
        .collect::<Result<Vec<_>, _>>()
        .and_then(|records| if records.is_empty() { Err(RecordsError::Empty) } else { Ok(records) })
}

/// One row of the table.
struct Row {
    record: LayerRecord,
    correlation: Option<f64>,
}

fn record(step: u64, mut layers: BTreeMap<usize, Row>) -> Result<Record, RecordsError> {
    let correlation = layers.values().find_map(|row| row.correlation);
    let input = layers.remove(&0).map(|row| row.record).unwrap_or_default();
    let last = *layers.keys().next_back().ok_or(RecordsError::Empty)?;
    if let Some((layer, _)) = (1..).zip(layers.keys()).find(|(expected, found)| expected != *found) {
        return Err(RecordsError::Gap { step, layer, last });
    }
    Ok(Record {
        step,
        input_delta: input.delta,
        input_rank: input.rank,
        correlation,
        layers: layers.into_values().map(|row| row.record).collect(),
    })
}

#[cfg(test)]
mod tests;
