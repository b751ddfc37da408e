//! Loops that run into one limit of the machine each: what a measured speed is to be compared with.
//!
//! There is no clock here; the caller times a loop and divides by what it did. Results serve to keep the work alive.

use core::hint::black_box;

use crate::simd::{Level, Simd, dispatch};

/// Chains of [`multiply_adds`]: more than a CPU needs that starts two multiply-adds per cycle and takes five cycles for
/// one, and few enough for sixteen registers.
const CHAINS: usize = 12;

/// Accumulators of [`read`].
const ACCUMULATORS: usize = 8;

/// Lanes of a vector at this level, which a chain of multiply-adds carries forward at once.
///
/// ```
/// use isobath_kernels::{Level, peak};
///
/// assert_eq!(peak::lanes(Level::SCALAR), 1);
/// assert!(Level::available().all(|level| peak::lanes(level) == level.lanes()));
/// ```
pub fn lanes(level: Level) -> usize {
    fn of<S: Simd>(_: S) -> usize {
        S::LANES
    }
    dispatch!(level, simd => of(simd))
}

/// Floating-point operations of one step of [`multiply_adds`].
///
/// ```
/// use isobath_kernels::{Level, peak};
///
/// // Twelve chains, and two operations for each lane of a fused multiply-add.
/// assert_eq!(peak::flops_per_step(Level::SCALAR), 12 * 2);
/// ```
pub fn flops_per_step(level: Level) -> usize {
    2 * CHAINS * lanes(level)
}

/// `steps` steps of independent multiply-adds in registers: the peak of arithmetic.
///
/// ```
/// use std::time::Instant;
///
/// use isobath_kernels::{Level, peak};
///
/// let (level, steps) = (Level::detect(), 1000);
/// let start = Instant::now();
/// let result = peak::multiply_adds(level, steps);
/// let flops_per_second = (steps * peak::flops_per_step(level)) as f64 / start.elapsed().as_secs_f64();
/// assert!(flops_per_second > 0.0);
/// // x = x / 2 + 1 comes to 2 in each of the twelve chains.
/// assert_eq!(result, 24.0);
/// ```
pub fn multiply_adds(level: Level, steps: usize) -> f32 {
    dispatch!(level, simd => chains::<_, CHAINS>(simd, steps))
}

/// `steps` multiply-adds of vectors, each of which needs the result of the one before: the latency.
///
/// ```
/// use isobath_kernels::{Level, peak};
///
/// // The one chain is x = x / 2 + 1 from 0: 1, 1.5, 1.75.
/// assert_eq!(peak::chained_multiply_adds(Level::detect(), 3), 1.75);
/// ```
pub fn chained_multiply_adds(level: Level, steps: usize) -> f32 {
    dispatch!(level, simd => chains::<_, 1>(simd, steps))
}

/// Reads every element once: the bandwidth of whichever memory holds them. Elements beyond the last whole group of
/// vectors are left out.
///
/// ```
/// use std::time::Instant;
///
/// use isobath_kernels::{Level, peak};
///
/// let x = vec![1.0; 1 << 14];
/// let start = Instant::now();
/// let bits = peak::read(Level::detect(), &x);
/// let bytes_per_second = size_of_val(&x[..]) as f64 / start.elapsed().as_secs_f64();
/// assert!(bytes_per_second > 0.0);
/// assert_eq!(bits, 0.0); // the exclusive or of an even number of equal elements
/// ```
pub fn read(level: Level, x: &[f32]) -> f32 {
    dispatch!(level, simd => read_with(simd, x))
}

#[inline(always)]
fn chains<S: Simd, const N: usize>(simd: S, steps: usize) -> f32 {
    let (factor, term) = (simd.splat(black_box(0.5)), simd.splat(black_box(1.0)));
    let mut sums = [simd.splat(black_box(0.0)); N];
    for _ in 0..steps {
        for sum in &mut sums {
            *sum = simd.mul_add(*sum, factor, term);
        }
    }
    let mut total = simd.splat(0.0);
    for sum in sums {
        total = simd.add(total, sum);
    }
    first(simd, total)
}

#[inline(always)]
fn read_with<S: Simd>(simd: S, x: &[f32]) -> f32 {
    let mut bits = [simd.splat(0.0); ACCUMULATORS];
    for group in x.chunks_exact(ACCUMULATORS * S::LANES) {
        for (bits, vector) in bits.iter_mut().zip(group.chunks_exact(S::LANES)) {
            *bits = simd.xor_bits(*bits, simd.load(vector));
        }
    }
    let mut total = simd.splat(0.0);
    for bits in bits {
        total = simd.xor_bits(total, bits);
    }
    first(simd, total)
}

#[inline(always)]
fn first<S: Simd>(simd: S, v: S::F32) -> f32 {
    let mut out = [0.0];
    simd.store(v, &mut out);
    out[0]
}
