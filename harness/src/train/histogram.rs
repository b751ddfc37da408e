//! Histograms of a few hidden layers on a batch: of the signal where delta is taken (h of a plain layer, the input of a
//! residual block), and of log10 |delta|, element by element.
//!
//! A histogram of delta shows what its norm hides: whether a gradient is small everywhere or zero in most units. Layers
//! are the first, the last and three between them; of a large layer some values at equal distances are counted. Recurrent
//! layers, whose signals differ step by step, have none.
//! Cost: two looks at up to 2^14 values of five layers, and a logarithm each; twice in a run.

use isobath_kernels::MatRef;
use serde::{Deserialize, Serialize};

use crate::architecture::Built;
use crate::net::{Layer, Watch};

/// Layers of which histograms are kept.
const LAYERS: usize = 5;
/// Bins of a histogram.
const BINS: usize = 32;
/// The most values that are counted.
const VALUES: usize = 1 << 14;

/// How many values lie where, in bins of equal width.
///
/// ```
/// # use isobath::architecture::Architecture;
/// # use isobath::data::{Sizes, Source};
/// # use isobath::study::plan::StudyPlan;
/// # use isobath::threads::Serial;
/// # use isobath::train::{Recipe, train};
/// # let plan = StudyPlan::load("remedies", None, false)?;
/// # let row = plan.recipe(&plan.groups[0].rows[0], &plan.grid[0]);
/// # let architecture = Architecture::plain(3, 4, "tanh".parse()?, "xavier".parse()?);
/// # let recipe = Recipe { architecture, steps: 10, batch: 40, record_every: 5, ..row };
/// # let splits = Source::TwoSpirals.load(&Sizes { train: 40, validation: 0, test: 20 }, 1)?;
/// # let level = isobath_kernels::Level::detect();
/// # let trained = train(&recipe, &splits.train, &splits.test, 1, level, &Serial, |_, _| true)?;
/// # let trained = trained.expect("nobody stopped it");
/// // `trained` is the result of a network of layers of 4 units on batches of 40 samples.
/// let histogram = trained.histograms[0][0].signal.as_ref().expect("all values are finite");
/// assert!(histogram.low < histogram.high);
/// assert_eq!(histogram.counts.iter().sum::<u32>(), 40 * 4);
/// assert_eq!(histogram.outside, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// The least value.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// Values in each bin, from the lowest.
    pub counts: Vec<u32>,
    /// Values that are not finite; of logarithms, those of zero.
    pub outside: u32,
}

impl Histogram {
    /// Of these values; none if no value is finite.
    fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let finite = || values.clone().filter(|value| value.is_finite());
        let (least, largest) =
            finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
        if least > largest {
            return None;
        }
        // Where all are equal they are in the middle.
        let (low, high) = if least < largest { (least, largest) } else { (least - 0.5, least + 0.5) };
        let mut counts = vec![0; BINS];
        for value in finite() {
            let bin = ((value - low) / (high - low) * BINS as f64) as usize;
            counts[bin.min(BINS - 1)] += 1;
        }
        let outside = values.filter(|value| !value.is_finite()).count() as u32;
        Some(Self { low, high, counts, outside })
    }
}

/// The histograms of one hidden layer.
///
/// ```
/// # use isobath::architecture::Architecture;
/// # use isobath::data::{Sizes, Source};
/// # use isobath::study::plan::StudyPlan;
/// # use isobath::threads::Serial;
/// # use isobath::train::{Recipe, train};
/// # let plan = StudyPlan::load("remedies", None, false)?;
/// # let row = plan.recipe(&plan.groups[0].rows[0], &plan.grid[0]);
/// # let architecture = Architecture::plain(3, 4, "tanh".parse()?, "xavier".parse()?);
/// # let recipe = Recipe { architecture, steps: 10, batch: 40, record_every: 5, ..row };
/// # let splits = Source::TwoSpirals.load(&Sizes { train: 40, validation: 0, test: 20 }, 1)?;
/// # let level = isobath_kernels::Level::detect();
/// # let trained = train(&recipe, &splits.train, &splits.test, 1, level, &Serial, |_, _| true)?;
/// # let trained = trained.expect("nobody stopped it");
/// // `trained` is the result of a network of three layers: of more than five, some are chosen.
/// let [before, after] = &trained.histograms;
/// assert!(before.iter().map(|histograms| histograms.layer).eq(1..=3));
/// assert!(after.iter().all(|histograms| histograms.log10_delta.is_some()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerHistograms {
    /// 1 next to the input.
    pub layer: usize,
    /// Of the signal where delta is taken; none where no value is finite.
    pub signal: Option<Histogram>,
    /// Of log10 |delta|; none where all of delta is zero or not finite.
    pub log10_delta: Option<Histogram>,
}

/// Fills [`LayerHistograms`] while a forward and a backward pass run.
pub(super) struct Histograms<'a> {
    built: &'a Built,
    pub(super) layers: Vec<LayerHistograms>,
}

impl<'a> Histograms<'a> {
    pub(super) fn new(built: &'a Built) -> Self {
        let depth = built.delta_at.len();
        let is_recurrent = built.layers.iter().any(|layer| matches!(layer, Layer::Recurrent(_)));
        let count = if is_recurrent { 0 } else { depth.min(LAYERS) };
        let number = |i: usize| 1 + i * (depth - 1) / (count - 1).max(1);
        let layer = |i| LayerHistograms { layer: number(i), ..LayerHistograms::default() };
        Self { built, layers: (0..count).map(layer).collect() }
    }

    /// The histograms of the hidden layer whose delta is taken at the input of this layer, if they are kept.
    fn at(&mut self, layer: usize) -> Option<&mut LayerHistograms> {
        let number = self.built.delta_at.binary_search(&layer).ok()? + 1;
        self.layers.iter_mut().find(|of| of.layer == number)
    }
}

/// Some values of a matrix at equal distances.
fn some<'a>(x: &'a MatRef<'_>) -> impl Iterator<Item = f64> + Clone + 'a {
    let stride = (x.rows() * x.columns()).div_ceil(VALUES).max(1);
    (0..x.rows()).flat_map(|i| x.row(i)).step_by(stride).map(|value| f64::from(*value))
}

impl Watch for Histograms<'_> {
    fn input(&mut self, layer: usize, x: MatRef<'_>, exponent: i32) {
        if let Some(of) = self.at(layer) {
            of.signal = Histogram::of(some(&x).map(|value| libm::ldexp(value, exponent)));
        }
    }

    fn delta(&mut self, layer: usize, delta: MatRef<'_>, exponent: i32) {
        if let Some(of) = self.at(layer) {
            let power = f64::from(exponent) * std::f64::consts::LOG10_2;
            of.log10_delta = Histogram::of(some(&delta).map(|value| libm::log10(value.abs()) + power));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::{Architecture, Head};

    #[test]
    fn every_value_is_counted_once() {
        let found = Histogram::of([-1.0, 0.0, 0.5, 3.0, f64::NEG_INFINITY, f64::NAN].into_iter()).unwrap();
        assert_eq!((found.low, found.high, found.outside), (-1.0, 3.0, 2));
        assert_eq!(found.counts.iter().sum::<u32>(), 4);
        // Bins are an eighth wide.
        let filled: Vec<usize> = (0..BINS).filter(|bin| found.counts[*bin] > 0).collect();
        assert_eq!(filled, [0, 8, 12, 31]);
        let equal = Histogram::of([2.0; 3].into_iter()).unwrap();
        assert_eq!((equal.low, equal.high, equal.counts[16]), (1.5, 2.5, 3));
        assert_eq!(Histogram::of([f64::NAN].into_iter()), None);
    }

    #[test]
    fn five_layers_are_watched_where_delta_is_taken_with_their_powers_of_two() {
        let plain = Architecture::plain(30, 4, "tanh".parse().unwrap(), "xavier".parse().unwrap());
        let built = plain.build(3, Head::None);
        let mut watch = Histograms::new(&built);
        let numbers: Vec<usize> = watch.layers.iter().map(|of| of.layer).collect();
        assert_eq!(numbers, [1, 8, 15, 22, 30]);
        let values = [0.5, -0.25, 0.0, 1.0];
        for &at in &built.delta_at {
            let x = MatRef::new(&values, 2, 2).unwrap();
            watch.input(at, x, 1);
            watch.delta(at, x, -200);
        }
        for of in &watch.layers {
            let (signal, delta) = (of.signal.as_ref().unwrap(), of.log10_delta.as_ref().unwrap());
            assert_eq!((signal.low, signal.high), (-0.5, 2.0));
            let two = std::f64::consts::LOG10_2;
            assert!((delta.low + 202.0 * two).abs() < 1e-12 && (delta.high + 200.0 * two).abs() < 1e-12);
            assert_eq!(delta.outside, 1, "log10 of 0");
        }
        let shallow = Architecture { depth: 1, ..plain }.build(3, Head::None);
        assert_eq!(Histograms::new(&shallow).layers.len(), 1);
    }
}
