//! What this machine can do: the peak of multiply-adds, their latency, and the bandwidth of its memories.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use isobath_kernels::{Level, peak};
use serde::Serialize;

use super::timing::{calls_per_batch, seconds_per_call};

/// Steps of a loop in registers per call.
const STEPS: usize = 20_000;
/// Batches of which the best counts.
const BATCHES: usize = 20;

/// The limits of one instruction set. Rates are of all threads together, latency and bandwidth of one.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Limits {
    /// Floating-point operations per second, a multiply-add being two, in 10^9.
    pub peak_gflops: f64,
    /// Time from a multiply-add to one that needs its result, in nanoseconds.
    pub fma_latency_ns: f64,
    /// Lanes of a vector.
    pub lanes: usize,
    /// Bytes per second that can be read from 16 KiB, in 10^9.
    pub read_16_kib_gb_s: f64,
    /// The same from 512 KiB.
    pub read_512_kib_gb_s: f64,
    /// The same from 64 MiB.
    pub read_64_mib_gb_s: f64,
}

impl Limits {
    /// Measures the limits of a level on `threads` threads; takes about half a second.
    pub fn measure(level: Level, threads: usize) -> Self {
        let mut chain = || {
            black_box(peak::chained_multiply_adds(level, STEPS));
        };
        Self {
            peak_gflops: (0..BATCHES).map(|_| peak_gflops(level, threads)).fold(0.0, f64::max),
            fma_latency_ns: best(&mut chain) / STEPS as f64 * 1e9,
            lanes: peak::lanes(level),
            read_16_kib_gb_s: read_gb_s(level, 16 << 10),
            read_512_kib_gb_s: read_gb_s(level, 512 << 10),
            read_64_mib_gb_s: read_gb_s(level, 64 << 20),
        }
    }

    /// The share of the peak that a product of m x k and k x n can reach where A and B are read at `read_gb_s`: each
    /// vector of C is a chain in which one multiply-add waits for the other.
    pub fn share_of_peak(&self, m: usize, n: usize, k: usize, read_gb_s: f64) -> f64 {
        let [m, n, k] = [m as f64, n as f64, k as f64];
        let bytes = 4.0 * (m * k + k * n);
        let chains = (m * n / self.lanes as f64).ceil();
        let by_latency = chains * 2.0 * self.lanes as f64 / self.fma_latency_ns;
        let by_bandwidth = 2.0 * m * n * k / bytes * read_gb_s;
        (by_latency.min(by_bandwidth) / self.peak_gflops).min(1.0)
    }
}

/// Bytes per second that one thread can read from so many bytes, in 10^9.
pub(super) fn read_gb_s(level: Level, bytes: usize) -> f64 {
    // Whole groups of vectors of any level.
    let data = vec![1.0f32; (bytes / size_of::<f32>()).next_multiple_of(128)];
    let mut call = || {
        black_box(peak::read(level, black_box(&data)));
    };
    size_of_val(data.as_slice()) as f64 / best(&mut call) / 1e9
}

/// The peak of one short run, in 10^9 operations per second.
pub(super) fn peak_gflops(level: Level, threads: usize) -> f64 {
    // Long enough on several threads that their start and end do not show.
    let steps = if threads > 1 { 20 * STEPS } else { STEPS };
    let work = || {
        black_box(peak::multiply_adds(level, black_box(steps)));
    };
    let flops = (threads * steps * peak::flops_per_step(level)) as f64;
    if threads <= 1 {
        let start = Instant::now();
        work();
        return flops / start.elapsed().as_secs_f64() / 1e9;
    }
    // From the moment when all have begun to the moment when the last has ended.
    let (begin, end) = (Barrier::new(threads), Barrier::new(threads));
    let seconds = std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| {
                begin.wait();
                work();
                end.wait();
            });
        }
        begin.wait();
        let start = Instant::now();
        work();
        end.wait();
        start.elapsed().as_secs_f64()
    });
    flops / seconds / 1e9
}

/// Seconds of the fastest call.
fn best(call: &mut impl FnMut()) -> f64 {
    let calls = calls_per_batch(&mut *call);
    (0..BATCHES).map(|_| seconds_per_call(calls, call)).fold(f64::INFINITY, f64::min)
}
