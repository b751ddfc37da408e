//! The kernels again as plain loops in their documented order, one element at a time, over an independent fused
//! multiply-add: what every level must equal bit for bit.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use crate::fma::fma;

/// Numbers spread evenly over [-1, 1), the same for a seed everywhere.
pub fn noise(seed: u64, length: usize) -> Vec<f32> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..length).map(|_| (random.next_u64() >> 40) as f32 * 2f32.powi(-23) - 1.0).collect()
}

/// A chain per lane i mod 64 over each chunk of 4096, the tree, the chunks in order; `step(sum, i)` adds element i.
pub fn reduce(length: usize, step: impl Fn(f32, usize) -> f32) -> f32 {
    let mut total = 0.0;
    for start in (0..length).step_by(4096) {
        let mut lanes = [0.0; 64];
        for i in start..length.min(start + 4096) {
            lanes[i % 64] = step(lanes[i % 64], i);
        }
        for half in [32, 16, 8, 4, 2, 1] {
            for i in 0..half {
                lanes[i] += lanes[i + half];
            }
        }
        total += lanes[0];
    }
    total
}

/// A chain over each block of 64 rows, the blocks in order; `step(sum, i)` adds row i.
pub fn column(rows: usize, step: impl Fn(f32, usize) -> f32) -> f32 {
    let mut total = 0.0;
    for start in (0..rows).step_by(64) {
        total += (start..rows.min(start + 64)).fold(0.0, &step);
    }
    total
}

/// The sum of a slice.
pub fn sum(x: &[f32]) -> f32 {
    reduce(x.len(), |sum, i| sum + x[i])
}

/// The sum of a_i b_i.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    reduce(a.len(), |sum, i| fma(a[i], b[i], sum))
}

/// Rounded to the 24 bits of f32, whatever the exponent. Correct after one sum, product, quotient or root of such
/// numbers in f64, because 53 >= 2 * 24 + 2.
pub fn round24(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let unit = f64::from(exponent(x) - 23).exp2();
    (x / unit).round_ties_even() * unit
}

/// e with |x| in [2^e, 2^(e + 1)), for a normal x.
fn exponent(x: f64) -> i32 {
    (x.to_bits() >> 52 & 0x7ff) as i32 - 1023
}

/// A sum of squares that has been computed as it is, or with a scale if that is out of range; f64 stands for an f32
/// with any exponent.
fn rescued(max: f32, sum: impl Fn(f32) -> f32) -> f64 {
    let plain = sum(1.0);
    if plain >= 2f32.powi(-60) && plain < f32::INFINITY || max == 0.0 {
        return plain.into();
    }
    if !max.is_finite() {
        return max.into();
    }
    let e = exponent(max.into()).clamp(-127, 126);
    f64::from(sum(f64::from(-e).exp2() as f32)) * f64::from(2 * e).exp2()
}

/// The largest magnitude; NaN if there is one.
pub fn max_abs(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |max: f32, x| if x.is_nan() || max.is_nan() { f32::NAN } else { max.max(x.abs()) })
}

/// `total` and the squares of each chunk.
pub fn add_squares(mut total: f64, x: &[f32]) -> f64 {
    for chunk in x.chunks(4096) {
        let sum = |scale: f32| reduce(chunk.len(), |sum, i| fma(chunk[i] * scale, chunk[i] * scale, sum));
        total = round24(total + rescued(max_abs(chunk), sum));
    }
    total
}

/// The norm of several slices.
pub fn norm(slices: &[&[f32]]) -> f64 {
    round24(slices.iter().fold(0.0, |total, x| add_squares(total, x)).sqrt())
}

/// The sum of squares of a column.
pub fn column_squares(column_of: &[f32]) -> f64 {
    let sum =
        |scale: f32| column(column_of.len(), |sum, i| fma(column_of[i] * scale, column_of[i] * scale, sum));
    rescued(max_abs(column_of), sum)
}

/// Mean and biased variance of a column: moments of blocks of 64 rows about a pivot, merged in order.
pub fn column_moments(x: &[f32]) -> (f32, f32) {
    let (mut rows, mut pivot, mut offset, mut moment) = (0.0, 0.0, 0.0, 0.0);
    for block in x.chunks(64) {
        let n = block.len() as f32;
        let block_pivot = block.iter().fold(0.0, |sum, x| sum + x) / n;
        let (mut s1, mut s2) = (0.0, 0.0);
        for x in block {
            let d = x - block_pivot;
            s1 += d;
            s2 = fma(d, d, s2);
        }
        let block_moment = not_negative(fma(-s1, s1 / n, s2));
        if rows == 0.0 {
            (pivot, offset, moment) = (block_pivot, s1 / n, block_moment);
        } else {
            let weight = n / (rows + n);
            let delta = block_pivot - pivot + s1 / n - offset;
            let between = delta * (rows * weight);
            (offset, moment) = (fma(delta, weight, offset), fma(delta, between, moment + block_moment));
        }
        rows += n;
    }
    (pivot + offset, moment / x.len() as f32)
}

/// Mean and biased variance of a row.
pub fn row_moments(x: &[f32]) -> (f32, f32) {
    let n = x.len() as f32;
    let mean = sum(x) / n;
    let s1 = reduce(x.len(), |sum, i| sum + (x[i] - mean));
    let s2 = reduce(x.len(), |sum, i| fma(x[i] - mean, x[i] - mean, sum));
    (mean + s1 / n, not_negative(fma(-s1, s1 / n, s2)) / n)
}

fn not_negative(x: f32) -> f32 {
    if x <= 0.0 { 0.0 } else { x }
}

/// 1 / sqrt(variance + epsilon).
pub fn inverse_deviation(variance: f32, epsilon: f32) -> f32 {
    1.0 / (variance + epsilon).sqrt()
}

/// Gradients of a column that was normalised over its rows: dx, d_gamma, d_beta.
pub fn batch_norm_backward(
    x: &[f32],
    dy: &[f32],
    gamma: f32,
    mean: f32,
    inv_std: f32,
) -> (Vec<f32>, f32, f32) {
    let normal = |i: usize| (x[i] - mean) * inv_std;
    let d_gamma = column(x.len(), |sum, i| fma(dy[i], normal(i), sum));
    let d_beta = column(x.len(), |sum, i| sum + dy[i]);
    let n = x.len() as f32;
    let dx = |i: usize| gamma * inv_std * fma(-normal(i), d_gamma / n, dy[i] - d_beta / n);
    ((0..x.len()).map(dx).collect(), d_gamma, d_beta)
}

/// dx of a row that was normalised over its features.
pub fn layer_norm_input_gradient(x: &[f32], dy: &[f32], gamma: &[f32], mean: f32, inv_std: f32) -> Vec<f32> {
    let n = x.len() as f32;
    let normal = |i: usize| (x[i] - mean) * inv_std;
    let sum = reduce(x.len(), |sum, i| sum + dy[i] * gamma[i]) / n;
    let product = reduce(x.len(), |sum, i| fma(dy[i] * gamma[i], normal(i), sum)) / n;
    let dx = |i: usize| inv_std * fma(-normal(i), product, dy[i] * gamma[i] - sum);
    (0..x.len()).map(dx).collect()
}

/// min(1, max_norm / norm) as an f32 with any exponent; 1 where the norm is not finite.
pub fn clip_scale(norm: f64, max_norm: f64) -> f64 {
    if norm.is_finite() && max_norm < norm { round24(max_norm / norm) } else { 1.0 }
}

/// x times a scale of any exponent, rounded once.
pub fn times_scale(x: f32, scale: f64) -> f32 {
    // 48 bits are exact in f64 wherever the result is not 0.
    (f64::from(x) * scale) as f32
}
