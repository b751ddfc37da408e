//! Mean and variance of each column of a batch, and their running averages over training.

use super::{BatchNormError, check_batch};
use crate::MatRef;
use crate::length::same;
use crate::part::{from, from_mut};
use crate::reduce::columns::{self, Strip, VECTORS};
use crate::simd::{Level, Simd, dispatch};

/// Moves the running statistics towards those of a batch: r = fma(momentum, new - r, r).
///
/// The running variance takes the unbiased variance, batch / (batch - 1) times the biased one that training
/// normalises with: as PyTorch does. `momentum` is the weight of the new value (0.1 is common).
///
/// # Errors
/// The slices differ in length, or the batch had fewer than 2 rows.
///
/// ```
/// use isobath_kernels::{Level, batch_norm};
///
/// // A batch of 2 with mean 4 and biased variance 2, so an unbiased one of 4: half the way there from 0 and 1.
/// let (mut mean, mut variance) = ([0.0], [1.0]);
/// batch_norm::update_running(Level::detect(), &mut mean, &mut variance, &[4.0], &[2.0], 0.5, 2)?;
/// assert_eq!((mean, variance), ([2.0], [2.5]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn update_running(
    level: Level,
    running_mean: &mut [f32],
    running_variance: &mut [f32],
    mean: &[f32],
    variance: &[f32],
    momentum: f32,
    batch: usize,
) -> Result<(), BatchNormError> {
    check_batch(batch)?;
    for length in [running_variance.len(), mean.len(), variance.len()] {
        same(running_mean.len(), length)?;
    }
    let unbiased = batch as f32 / (batch - 1) as f32;
    dispatch!(level, simd => {
        move_towards(simd, running_mean, mean, 1.0, momentum);
        move_towards(simd, running_variance, variance, unbiased, momentum);
    });
    Ok(())
}

/// r = fma(momentum, factor new - r, r).
#[inline(always)]
fn move_towards<S: Simd>(simd: S, running: &mut [f32], new: &[f32], factor: f32, momentum: f32) {
    let (factor, momentum) = (simd.splat(factor), simd.splat(momentum));
    for at in (0..running.len()).step_by(S::LANES) {
        let running = from_mut(running, at);
        let r = simd.load(running);
        let step = simd.sub(simd.mul(simd.load(from(new, at)), factor), r);
        simd.store(simd.mul_add(momentum, step, r), running);
    }
}

/// Writes each column's mean, and its biased variance; `offset` is for use in between.
#[inline(always)]
pub(super) fn mean_and_variance<S: Simd>(
    simd: S,
    x: MatRef<'_>,
    mean: &mut [f32],
    offset: &mut [f32],
    variance: &mut [f32],
) {
    for strip in columns::strips::<S, VECTORS>(x.columns()) {
        let (pivot, offset, moment) = (strip.of_mut(mean), strip.of_mut(offset), strip.of_mut(variance));
        for block in columns::blocks(x.rows()) {
            let (before, n) = (block.start as f32, block.len() as f32);
            let moments = block_moments(simd, x.sub_rows(block.start, block.end), strip);
            merge(simd, before, n, &moments, pivot, offset, moment);
        }
    }
    let rows = simd.splat(x.rows() as f32);
    for at in (0..mean.len()).step_by(S::LANES) {
        let (mean, variance) = (from_mut(mean, at), from_mut(variance, at));
        simd.store(simd.add(simd.load(mean), simd.load(from(offset, at))), mean);
        simd.store(simd.div(simd.load(variance), rows), variance);
    }
}

/// Pivot, offset and centred second moment of each column of a strip of a block: the mean is pivot + offset.
#[inline(always)]
fn block_moments<S: Simd>(simd: S, block: MatRef<'_>, strip: Strip) -> [[S::F32; 3]; VECTORS] {
    let (n, all) = (simd.splat(block.rows() as f32), 0..block.rows());
    let mut pivots = columns::chains(
        simd,
        all.clone(),
        strip,
        &[[]; VECTORS],
        [strip.rows_of(block, &all)],
        #[inline(always)]
        |_| (),
        #[inline(always)]
        |[], (), [sum], [x]| [simd.add(sum, x)],
    );
    for [pivot] in pivots.iter_mut().take(strip.vectors::<S>()) {
        *pivot = simd.div(*pivot, n);
    }
    let sums = columns::chains(
        simd,
        all.clone(),
        strip,
        &pivots,
        [strip.rows_of(block, &all)],
        #[inline(always)]
        |_| (),
        #[inline(always)]
        |[pivot], (), [s1, s2], [x]| {
            let d = simd.sub(x, pivot);
            [simd.add(s1, d), simd.mul_add(d, d, s2)]
        },
    );
    let zero = simd.splat(0.0);
    let mut moments = [[zero; 3]; VECTORS];
    for ((moments, [s1, s2]), [pivot]) in moments.iter_mut().zip(sums).zip(pivots).take(strip.vectors::<S>())
    {
        let offset = simd.div(s1, n);
        // Rounding may leave a constant column a trifle below zero, or at -0, which + 0 makes +0.
        let moment = simd.neg_mul_add(s1, offset, s2);
        let moment = simd.select(simd.lt(moment, zero), zero, simd.add(moment, zero));
        *moments = [pivot, offset, moment];
    }
    moments
}

/// Chan's formula: the moments of `before` rows and those of the next `n` rows make those of all of them.
///
/// The pivot stays that of the first block, and means are compared by their offsets: a mean rounded to f32 would be
/// too coarse to tell the means of two blocks apart where the deviation is small.
#[inline(always)]
fn merge<S: Simd>(
    simd: S,
    before: f32,
    n: f32,
    moments: &[[S::F32; 3]; VECTORS],
    pivot: &mut [f32],
    offset: &mut [f32],
    moment: &mut [f32],
) {
    let weight = n / (before + n);
    let vectors = pivot.len().div_ceil(S::LANES);
    for (v, moments) in moments.iter().enumerate().take(vectors) {
        let [block_pivot, block_offset, block_moment] = *moments;
        let at = v * S::LANES;
        let (pivot, offset, moment) = (from_mut(pivot, at), from_mut(offset, at), from_mut(moment, at));
        if before == 0.0 {
            simd.store(block_pivot, pivot);
            simd.store(block_offset, offset);
            simd.store(block_moment, moment);
        } else {
            let old = simd.load(offset);
            let block_mean = simd.add(simd.sub(block_pivot, simd.load(pivot)), block_offset);
            let delta = simd.sub(block_mean, old);
            let between = simd.mul(delta, simd.splat(before * weight));
            let within = simd.add(simd.load(moment), block_moment);
            simd.store(simd.mul_add(delta, simd.splat(weight), old), offset);
            simd.store(simd.mul_add(delta, between, within), moment);
        }
    }
}
