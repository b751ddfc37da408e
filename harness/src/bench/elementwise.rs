//! The speed of element-wise kernels and of those that memory limits, beside loops that do nothing but move as many
//! bytes, in each cache and in main memory.
//!
//! Bytes are counted as the kernel asks for them: 4 for each element of each array that it reads or writes from end to
//! end, as often as it does ([`Streams`]). What a memory does beyond that (a cache reads the line that a store is about to
//! fill) is not counted, neither for the kernel nor for the loop it is compared with. Arrays with one element per row or
//! column are left out.

mod activations;
mod kernels;
mod memory;
mod operands;
mod streams;

pub use kernels::{Kernel, kernels};
pub use memory::{Memory, memories};
pub use streams::{Loop, Streams};

use std::time::{Duration, Instant};

use isobath_kernels::Level;
use serde::Serialize;

use super::timing::{Times, calls_per_batch, seconds_per_call};
use operands::Operands;
use streams::Reference;

/// Why a kernel refused its operands, which would be a defect.
pub type BenchError = Box<dyn std::error::Error + Send + Sync>;

/// What was measured of a kernel whose operands lie in one memory.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Speed {
    /// Where they lie.
    #[serde(flatten)]
    pub memory: Memory,
    /// Elements of each array.
    pub elements: usize,
    /// Nanoseconds per element, of the fastest batch.
    pub ns_per_element: f64,
    /// The bytes of [`Streams`] per second, in 10^9.
    pub gb_s: f64,
    /// What the loop of [`Streams`] moves per second there, in 10^9: the fastest of batches between those of the kernel.
    pub loop_gb_s: f64,
    /// The first in percent of the second. Above 100 where a kernel has a better mixture of reads and writes.
    pub percent: f64,
}

/// Measures kernels in one memory.
pub struct Bench {
    level: Level,
    memory: Memory,
    reference: Reference,
}

impl Bench {
    /// Takes the memory that the loops need.
    pub fn new(level: Level, memory: Memory) -> Self {
        Self { level, memory, reference: Reference::new(memory.bytes) }
    }

    /// Measures a kernel for so long.
    ///
    /// # Errors
    /// The kernel refused its operands.
    pub fn measure(&mut self, kernel: &Kernel, time: Duration) -> Result<Speed, BenchError> {
        let (level, like) = (self.level, kernel.streams.like);
        let mut operands = Operands::new(kernel, self.memory.bytes);
        kernel.run(level, &mut operands)?;
        let mut call = || {
            let _ = kernel.run(level, &mut operands); // the first call has shown that there is no error
        };
        let mut reference = || self.reference.run(level, like);
        let [calls, reference_calls] = [calls_per_batch(&mut call), calls_per_batch(&mut reference)];
        let (mut times, mut reference_times) = (Times::default(), Times::default());
        let start = Instant::now();
        loop {
            // One call each for nothing: the other has driven the operands out of the cache.
            reference();
            reference_times.push(seconds_per_call(reference_calls, &mut reference));
            call();
            times.push(seconds_per_call(calls, &mut call));
            if start.elapsed() >= time {
                break;
            }
        }
        let elements = operands.elements();
        let gb_s = (kernel.streams.bytes() * elements) as f64 / times.best() / 1e9;
        let loop_gb_s = self.reference.bytes(like) as f64 / reference_times.best() / 1e9;
        Ok(Speed {
            memory: self.memory,
            elements,
            ns_per_element: times.best() / elements as f64 * 1e9,
            gb_s,
            loop_gb_s,
            percent: 100.0 * gb_s / loop_gb_s,
        })
    }
}
