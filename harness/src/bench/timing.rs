//! Timing by batches: so many calls that the clock's resolution and cost do not show, the best and the median of them.

use std::time::{Duration, Instant};

use serde::Serialize;

/// Seconds that a batch should take.
const BATCH: f64 = 2e-4;

/// A median over batches and where it lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The middle value, or the upper one of two.
    pub median: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// The same in another unit.
    pub(super) fn times(self, factor: f64) -> Self {
        Self { median: self.median * factor, low: self.low * factor, high: self.high * factor }
    }
}

/// Seconds per call in each batch so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Times(Vec<f64>);

impl Times {
    pub(super) fn push(&mut self, seconds: f64) {
        self.0.push(seconds);
    }

    /// The least; infinite before the first batch.
    pub(super) fn best(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The middle one; infinite before the first batch.
    pub(super) fn median(&self) -> f64 {
        self.interval().median
    }

    /// The middle one and its interval by order statistics, all values where there are fewer than six; infinite before
    /// the first batch.
    pub(super) fn interval(&self) -> Interval {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let at = |i: usize| sorted.get(i).copied().unwrap_or(f64::INFINITY);
        // Of n values, the number below the median is binomial with deviation sqrt(n) / 2.
        let outside = (0.5 * (count as f64 - 1.96 * (count as f64).sqrt())).max(0.0) as usize;
        Interval { median: at(count / 2), low: at(outside), high: at(count.saturating_sub(1 + outside)) }
    }
}

/// How many calls make a batch.
pub(super) fn calls_per_batch(mut call: impl FnMut()) -> u32 {
    let mut calls = 1;
    loop {
        let seconds = batch(calls, &mut call).as_secs_f64();
        if seconds >= BATCH || calls >= 1 << 20 {
            return calls;
        }
        calls = calls.saturating_mul(if seconds < BATCH / 8.0 { 8 } else { 2 });
    }
}

/// The time of a batch of calls.
pub(super) fn batch(calls: u32, call: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        call();
    }
    start.elapsed()
}

/// Seconds per call of one batch.
pub(super) fn seconds_per_call(calls: u32, call: &mut impl FnMut()) -> f64 {
    batch(calls, call).as_secs_f64() / f64::from(calls.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the binomial distribution, ranks 6 to 15 of 20 hold the median with 95.86 %, 1 to 6 of 6 with 96.88 %.
    #[test]
    fn the_interval_of_a_median_has_binomial_ranks() {
        let times = Times((1..=20).rev().map(f64::from).collect());
        assert_eq!(times.interval(), Interval { median: 11.0, low: 6.0, high: 15.0 });
        let six = Times(vec![6.0, 1.0, 2.0, 5.0, 3.0, 4.0]).interval();
        assert_eq!((six.low, six.high), (1.0, 6.0));
        let few = Times(vec![3.0, 1.0, 2.0]);
        assert_eq!(few.interval(), Interval { median: 2.0, low: 1.0, high: 3.0 });
        assert_eq!(few.interval().times(2.0).high, 6.0);
        assert!(Times::default().interval().low.is_infinite());
        // The share of the interval shrinks as 1 / sqrt(n).
        let many = Times((0..10_000).map(f64::from).collect()).interval();
        assert!((many.high - many.low - 196.0).abs() < 4.0, "{many:?}");
    }
}
