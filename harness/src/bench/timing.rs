//! Timing by batches: so many calls that the clock's resolution and cost do not show, the best and the median of them.

use std::time::{Duration, Instant};

/// Seconds that a batch should take.
const BATCH: f64 = 2e-4;

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
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::INFINITY)
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
