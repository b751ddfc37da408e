//! An axis of a chart: a range of figures with the round ones among them marked.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// A linear axis with given ticks; `to` may be less than `from`, which turns the axis round.
pub(super) struct Axis {
    from: f64,
    to: f64,
    ticks: Vec<f64>,
}

impl Axis {
    /// An axis without ticks.
    pub(super) fn bare(from: f64, to: f64) -> Self {
        Self { from, to, ticks: Vec::new() }
    }

    /// An axis with about `count` ticks, at least `least` apart.
    pub(super) fn new(from: f64, to: f64, count: u32, least: f64) -> Self {
        let rough = (to - from) / f64::from(count);
        let unit = 10f64.powf(rough.log10().floor());
        let round = [1.0, 2.0, 5.0, 10.0].map(|m| m * unit);
        let step = round.into_iter().find(|&step| step >= rough).unwrap_or(rough).max(least);
        let first = (from / step).ceil();
        let ticks = (0..=count).map(|i| (first + f64::from(i)) * step);
        Self { from, to, ticks: ticks.filter(|&tick| tick <= to + step * 1e-9).collect() }
    }

    /// An axis of powers of ten, whose figures are exponents: 1, 2 and 5 of each decade are marked, of many decades 1 alone,
    /// and of very many some.
    pub(super) fn powers(from: f64, to: f64) -> Self {
        let marked = |multiples: &[f64]| -> Vec<f64> {
            let decades = from.floor() as i32..=to.ceil() as i32;
            let all = decades.flat_map(|decade| multiples.iter().map(move |m| f64::from(decade) + m.log10()));
            all.filter(|tick| (from - 1e-9..=to + 1e-9).contains(tick)).collect()
        };
        let fine = marked(&[1.0, 2.0, 5.0]);
        let ticks = match fine.len() {
            0 | 1 => vec![from, to],
            2..=9 => fine,
            _ => {
                let decades = marked(&[1.0]);
                let apart = decades.len().div_ceil(7) as i32;
                decades.into_iter().filter(|tick| tick.round() as i32 % apart == 0).collect()
            }
        };
        Self { from, to, ticks }
    }

    /// The axis with its start marked too, where that leaves room.
    pub(super) fn with_its_start(mut self) -> Self {
        if let [first, second, ..] = self.ticks[..]
            && first - self.from > (second - first) * 0.5
        {
            self.ticks.insert(0, self.from);
        }
        self
    }

    /// The range of finite figures, its ends moved apart where they are equal; none without figures.
    pub(super) fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
        let (min, max) = values
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), v| (min.min(v), max.max(v)));
        (min <= max).then_some(if max > min { (min, max) } else { (min - 0.5, max + 0.5) })
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (low, high): (i32, i32)) -> i32 {
        let place = (value - self.from) / (self.to - self.from);
        low + (place * f64::from(high - low)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_marked_at_round_figures() {
        let marks = |from: f64, to: f64| -> Vec<f64> {
            let axis = Axis::powers(from.log10(), to.log10());
            axis.ticks.iter().map(|tick| (10f64.powf(*tick) * 1e6).round() / 1e6).collect()
        };
        assert_eq!(marks(1.0, 100.0), [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        assert_eq!(marks(0.25, 16.0), [0.5, 1.0, 2.0, 5.0, 10.0]);
        assert_eq!(marks(1.0, 1e5), [1.0, 10.0, 100.0, 1e3, 1e4, 1e5]);
        assert_eq!(Axis::powers(-20.5, 9.5).ticks, [-20.0, -15.0, -10.0, -5.0, 0.0, 5.0]);
        assert_eq!(marks(6.0, 9.0), [6.0, 9.0], "no round figure: its ends");
    }
}
