//! The power of two beside an array: when it changes, and how.
//!
//! Deep networks take signals and gradients out of the range of f32, so each array of values and each delta stands for
//! `stored * 2^exponent`. Scaling by a power of two is exact, so results are those of an f32 with a wider exponent per
//! array. What is 2^-69 times the array's largest, or becomes so in a product with a weight, can underflow. Weights,
//! slopes, scales of branches and the network's input have no such power: above 2^60 their products can overflow.
//! Cost: one look at the largest element of each array that a product or a sum has written.

use isobath_kernels::{Level, optimizer, reduce, residual};

use super::share::share;
use crate::threads::Threads;

/// The largest |log2| that the largest of an array of values may have without a power of two. Squares, which
/// normalisations sum, stay within f32, and so do products with deltas.
pub(super) const BAND: i32 = 56;

/// e with 2^(e-1) <= max |x_i| < 2^e over the finite elements; none where these are all 0.
pub(super) fn exponent_of<T: Threads>(level: Level, threads: &T, x: &[f32]) -> Option<i32> {
    let mut largest: f32 = share(threads, x.len(), x.len(), x, &|x| reduce::max_abs(level, x));
    if !largest.is_finite() {
        largest = x.iter().filter(|x| x.is_finite()).fold(0.0, |largest: f32, x| largest.max(x.abs()));
    }
    (largest != 0.0).then(|| libm::frexpf(largest).1)
}

/// The power of two to take out of values whose largest is below 2^top: none within the band; else what brings them to
/// its upper end, which leaves most of f32 below them.
pub(super) fn excess(top: i32) -> i32 {
    if top.abs() <= BAND { 0 } else { top - BAND }
}

/// Rescales values that stand for x 2^exponent, and gives their new power of two: 0 where their true values are in the
/// band, or all 0.
pub(super) fn settle<T: Threads>(level: Level, threads: &T, x: &mut [f32], exponent: i32) -> i32 {
    let settled = exponent_of(level, threads, x).map_or(0, |top| excess(top + exponent));
    ldexp(level, x, exponent - settled);
    settled
}

/// x 2^exponent, exactly, but for what leaves the range of f32. The odd step comes first: of what a later one
/// leaves in the range, none has been rounded before.
pub(super) fn ldexp(level: Level, x: &mut [f32], exponent: i32) {
    const STEP: i32 = 100;
    let mut left = exponent.clamp(-4 * STEP, 4 * STEP);
    while left != 0 {
        let step = if left % STEP == 0 { left.signum() * STEP } else { left % STEP };
        optimizer::scale(level, libm::ldexpf(1.0, step), x);
        left -= step;
    }
}

/// x = y + factor x, of which each has its power of two; gives that of the sum. `scratch` is as long as x. None where the
/// lengths differ.
pub(super) fn scale_add<T: Threads>(
    level: Level,
    threads: &T,
    factor: f32,
    (x, of_x): (&mut [f32], i32),
    (y, of_y): (&[f32], i32),
    scratch: &mut [f32],
) -> Option<i32> {
    let add = |factor: f32, x: &mut [f32], y: &[f32]| {
        share(threads, 3 * x.len(), x.len(), (x, y), &|(x, y)| residual::scale_add(level, factor, x, y).ok())
    };
    // 0 times anything is 0, whatever its power.
    let of_x = if factor == 0.0 { of_y } else { of_x };
    if of_x == of_y {
        add(factor, x, y)?;
        return Some(of_x);
    }
    let (significand, of_factor) = libm::frexpf(factor);
    let of_x = of_x + of_factor;
    let top = |x: &[f32], exponent: i32| exponent_of(level, threads, x).map(|top| top + exponent);
    let common = top(x, of_x).max(top(y, of_y)).map_or(0, excess);
    ldexp(level, x, of_x - common);
    scratch.copy_from_slice(y);
    ldexp(level, scratch, of_y - common);
    add(significand, x, scratch)?;
    Some(common)
}
