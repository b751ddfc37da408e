//! Sums of squares and Euclidean norms over the whole range of f32.
//!
//! A chunk of 4096 elements (a column, where columns are summed) is first summed as it is. Squares are not negative,
//! so a finite sum has not overflowed; and one of at least 2^-60 has lost less than n 2^-90 of itself to underflow,
//! n the number of elements. Any other sum is taken again of the elements times 2^-e, with e the exponent of the
//! largest: the squares are then below 16, and what underflows is below n 2^-90 of the sum again. The decision is
//! made from the chunk's elements alone. The chunks' sums are added in order as [`Scaled`] numbers.
//!
//! Numerics: relative error of a sum of squares at most (70 + n / 4096) 2^-24, of a norm half of that and 2^-24.
//! NaN gives NaN, infinity gives infinity. Cost: one read; a chunk taken again is read twice more from the cache.
//! Source: the scaling is that of Blue (ACM TOMS 4, 1978), by chunks instead of by accumulators.

use super::Norm;
use super::columns::{self, Strip};
use super::lanes::{self, CHUNK};
use super::max_abs::{larger_magnitude, max_abs_with};
use super::scaled::{Scaled, power_of_two};
use crate::part::{from, from_mut};
use crate::simd::{Level, Simd, dispatch};
use crate::view::Strips;

/// A sum of squares from here up to infinity is exact enough as it is: 2^-60.
const LEAST: f32 = 1.0 / (1u64 << 60) as f32;

/// The sum of x_i^2.
///
/// ```
/// use isobath_kernels::{Level, reduce};
///
/// assert_eq!(reduce::sum_of_squares(Level::detect(), &[3.0, 4.0]).to_f32(), 25.0);
/// // 1e-60 is no f32, but it is not zero either.
/// let tiny = reduce::sum_of_squares(Level::detect(), &[1e-30]);
/// assert!(tiny.to_f32() == 0.0 && !tiny.is_zero());
/// ```
pub fn sum_of_squares(level: Level, x: &[f32]) -> Scaled {
    dispatch!(level, simd => add_squares(simd, Scaled::ZERO, x))
}

/// The Euclidean norm, sqrt(sum of x_i^2).
///
/// ```
/// use isobath_kernels::{Level, reduce};
///
/// // The squares of these would be infinite in f32.
/// let norm = reduce::norm(Level::detect(), &[3e30, 4e30]);
/// assert_eq!(norm.to_f32(), 5e30);
/// ```
pub fn norm(level: Level, x: &[f32]) -> Norm {
    sum_of_squares(level, x).sqrt()
}

/// The Euclidean norm of all elements of several slices.
///
/// ```
/// use isobath_kernels::{Level, reduce};
///
/// // The gradients of weights and biases as one vector.
/// let (weights, biases) = ([2.0, 4.0], [4.0]);
/// assert_eq!(reduce::norm_of_slices(Level::detect(), &[&weights, &biases]).to_f32(), 6.0);
/// ```
pub fn norm_of_slices(level: Level, slices: &[&[f32]]) -> Norm {
    let add = |total: Scaled, slice: &&[f32]| total.plus(sum_of_squares(level, slice));
    slices.iter().fold(Scaled::ZERO, add).sqrt()
}

/// The total and the squares of each chunk of x.
#[inline(always)]
pub(crate) fn add_squares<S: Simd>(simd: S, mut total: Scaled, x: &[f32]) -> Scaled {
    for chunk in x.chunks(CHUNK) {
        let sum = scaled_squares(simd, chunk, 1.0);
        total = total.plus(if is_safe(sum) { Scaled::new(sum) } else { rescaled_squares(simd, chunk) });
    }
    total
}

fn is_safe(sum: f32) -> bool {
    (LEAST..f32::INFINITY).contains(&sum)
}

/// The sum of (factor x_i)^2.
#[inline(always)]
fn scaled_squares<S: Simd>(simd: S, x: &[f32], factor: f32) -> f32 {
    let factor = simd.splat(factor);
    let [sum] = lanes::reduce(
        simd,
        [x],
        [0.0],
        #[inline(always)]
        |[sum], [x]| {
            let x = simd.mul(x, factor);
            [simd.mul_add(x, x, sum)]
        },
    );
    sum
}

/// The sum of squares of a chunk whose plain sum is out of range.
#[inline(always)]
fn rescaled_squares<S: Simd>(simd: S, chunk: &[f32]) -> Scaled {
    let max = Scaled::new(max_abs_with(simd, chunk));
    if max.is_zero() || !max.is_finite() {
        return max;
    }
    let (factor, exponent) = scale_of(max);
    Scaled::with_exponent(scaled_squares(simd, chunk, factor), exponent)
}

/// The factor 2^-e by which a largest magnitude comes near 1, and the exponent 2 e that gives the squares back.
fn scale_of(max: Scaled) -> (f32, i32) {
    // 2^-e itself stays normal: the largest is then below 4, or a subnormal that comes to 2^-22 or more.
    let e = max.exponent.clamp(-127, 126);
    (power_of_two(-e), 2 * e)
}

/// Vectors across a strip whose squares are summed: few, for each column has a scale.
pub(crate) const VECTORS: usize = 4;

/// The most columns that such a strip has, on any instruction set.
pub(crate) const MAX_WIDTH: usize = VECTORS * 16;

/// The sum of squares of each column of a strip, whose part of all rows is `rows`.
#[inline(always)]
pub(crate) fn strip_squares<S: Simd>(simd: S, strip: Strip, rows: Strips<'_>) -> [Scaled; MAX_WIDTH] {
    let sums = scaled_strip_squares(simd, strip, rows, &[1.0; MAX_WIDTH]);
    if sums.iter().take(strip.width).all(|sum| is_safe(*sum)) {
        return sums.map(Scaled::new);
    }
    let chains = columns::chains(
        simd,
        0..rows.len(),
        strip,
        &[[]; VECTORS],
        [rows],
        #[inline(always)]
        |_| (),
        #[inline(always)]
        |[], (), [max], [x]| [larger_magnitude(simd, max, x)],
    );
    let mut maxima = [0.0; MAX_WIDTH];
    for (v, [max]) in chains.into_iter().enumerate() {
        simd.store(max, from_mut(&mut maxima, v * S::LANES));
    }
    let mut scales = [(1.0, 0); MAX_WIDTH];
    for ((scale, sum), max) in scales.iter_mut().zip(sums).zip(maxima) {
        let max = Scaled::new(max);
        if !is_safe(sum) && !max.is_zero() && max.is_finite() {
            *scale = scale_of(max);
        }
    }
    let sums = scaled_strip_squares(simd, strip, rows, &scales.map(|(factor, _)| factor));
    let mut squares = [Scaled::ZERO; MAX_WIDTH];
    for ((square, sum), (_, exponent)) in squares.iter_mut().zip(sums).zip(scales) {
        *square = Scaled::with_exponent(sum, exponent);
    }
    squares
}

/// The sum of (factor_j x_ij)^2 of each column j of a strip.
#[inline(always)]
fn scaled_strip_squares<S: Simd>(
    simd: S,
    strip: Strip,
    rows: Strips<'_>,
    factors: &[f32; MAX_WIDTH],
) -> [f32; MAX_WIDTH] {
    let mut parameters = [[simd.splat(1.0)]; VECTORS];
    for (v, [factor]) in parameters.iter_mut().enumerate() {
        *factor = simd.load(from(factors, v * S::LANES));
    }
    let mut totals = [0.0; MAX_WIDTH];
    for block in columns::blocks(rows.len()) {
        let rows = rows.from(block.start);
        let sums = columns::chains(
            simd,
            block,
            strip,
            &parameters,
            [rows],
            #[inline(always)]
            |_| (),
            #[inline(always)]
            |[factor], (), [sum], [x]| {
                let x = simd.mul(x, factor);
                [simd.mul_add(x, x, sum)]
            },
        );
        columns::accumulate(simd, Strip { column: 0, ..strip }, &sums, [&mut totals]);
    }
    totals
}
