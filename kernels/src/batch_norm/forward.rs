//! The forward pass: y = fma(x - mean, gamma inv_std, beta), with inv_std = 1 / sqrt(variance + epsilon).
//!
//! Inference takes running statistics. Training takes those of the batch, then does what inference does with them; it
//! leaves x alone, which the backward pass reads.

use super::statistics::mean_and_variance;
use super::{BatchNormError, BatchStatistics, check_batch};
use crate::length::same;
use crate::part::{from, from_mut};
use crate::reduce::columns::{self, Source, VECTORS};
use crate::reduce::{ShapeError, same_shape};
use crate::simd::{Level, Simd, dispatch};
use crate::{MatMut, MatRef};

/// What normalises each channel.
#[derive(Clone, Copy)]
struct Channels<'a> {
    gamma: &'a [f32],
    beta: &'a [f32],
    mean: &'a [f32],
    variance: &'a [f32],
    epsilon: f32,
}

impl Channels<'_> {
    fn check(&self, columns: usize) -> Result<(), ShapeError> {
        for length in [self.gamma.len(), self.beta.len(), self.mean.len(), self.variance.len()] {
            same(columns, length)?;
        }
        Ok(())
    }
}

/// Normalises each column of x by its own mean and variance, which go to `saved`.
///
/// # Errors
/// Shapes differ, or the batch has fewer than 2 rows.
///
/// ```
/// use isobath_kernels::batch_norm::{self, BatchStatistics};
/// use isobath_kernels::{Level, MatMut, MatRef};
///
/// // A batch of 4 samples with 2 channels, one of them a thousand times larger than the other.
/// let x = [1.0, 1000.0, 2.0, 2000.0, 3.0, 3000.0, 4.0, 4000.0];
/// let (gamma, beta, mut y) = ([1.0; 2], [0.0; 2], [0.0; 8]);
/// let (mut mean, mut inv_std, mut variance) = ([0.0; 2], [0.0; 2], [0.0; 2]);
/// let saved = BatchStatistics { mean: &mut mean, inv_std: &mut inv_std, variance: &mut variance };
/// let (x, out) = (MatRef::new(&x, 4, 2)?, MatMut::new(&mut y, 4, 2)?);
/// batch_norm::forward_training(Level::detect(), x, &gamma, &beta, 1e-5, out, saved)?;
/// assert_eq!((mean, variance), ([2.5, 2500.0], [1.25, 1.25e6]));
/// assert!((y[6] - y[7]).abs() < 1e-4); // both channels have mean 0 and variance 1
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn forward_training(
    level: Level,
    x: MatRef<'_>,
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
    mut y: MatMut<'_>,
    saved: BatchStatistics<'_>,
) -> Result<(), BatchNormError> {
    let BatchStatistics { mean, inv_std, variance } = saved;
    check_batch(x.rows())?;
    same_shape((x.rows(), x.columns()), (y.rows(), y.columns()))?;
    Channels { gamma, beta, mean, variance, epsilon }.check(x.columns())?;
    same(x.columns(), inv_std.len())?;
    dispatch!(level, simd => {
        mean_and_variance(simd, x, mean, inv_std, variance);
        inverse_deviations(simd, variance, epsilon, inv_std);
        let channels = Channels { gamma, beta, mean, variance, epsilon };
        normalise(simd, channels, Some(x), &mut y);
    });
    Ok(())
}

/// Normalises each column of x by the given mean and variance.
///
/// # Errors
/// Shapes differ.
///
/// ```
/// use isobath_kernels::{Level, MatMut, MatRef, batch_norm};
///
/// // One sample is enough here. Channel 0: 2 (1 - 3) / 2 + 1, channel 1: 10 (5 - 5) / 1 + 0.
/// let (x, mut y) = ([1.0, 5.0], [0.0; 2]);
/// let (gamma, beta, mean, variance) = ([2.0, 10.0], [1.0, 0.0], [3.0, 5.0], [4.0, 1.0]);
/// let (x, out) = (MatRef::new(&x, 1, 2)?, MatMut::new(&mut y, 1, 2)?);
/// batch_norm::forward_inference(Level::detect(), x, &gamma, &beta, &mean, &variance, 0.0, out)?;
/// assert_eq!(y, [-1.0, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn forward_inference(
    level: Level,
    x: MatRef<'_>,
    gamma: &[f32],
    beta: &[f32],
    mean: &[f32],
    variance: &[f32],
    epsilon: f32,
    mut y: MatMut<'_>,
) -> Result<(), ShapeError> {
    let channels = Channels { gamma, beta, mean, variance, epsilon };
    same_shape((x.rows(), x.columns()), (y.rows(), y.columns()))?;
    channels.check(x.columns())?;
    dispatch!(level, simd => normalise(simd, channels, Some(x), &mut y));
    Ok(())
}

/// [`forward_inference`] with the result over its input.
///
/// # Errors
/// Shapes differ.
///
/// ```
/// use isobath_kernels::{Level, MatMut, batch_norm};
///
/// // Two samples of one channel with mean 1 and deviation 1/2.
/// let mut x = [1.5, 0.5];
/// let view = MatMut::new(&mut x, 2, 1)?;
/// batch_norm::forward_inference_in_place(Level::detect(), view, &[1.0], &[0.0], &[1.0], &[0.25], 0.0)?;
/// assert_eq!(x, [1.0, -1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn forward_inference_in_place(
    level: Level,
    mut x: MatMut<'_>,
    gamma: &[f32],
    beta: &[f32],
    mean: &[f32],
    variance: &[f32],
    epsilon: f32,
) -> Result<(), ShapeError> {
    let channels = Channels { gamma, beta, mean, variance, epsilon };
    channels.check(x.columns())?;
    dispatch!(level, simd => normalise(simd, channels, None, &mut x));
    Ok(())
}

#[inline(always)]
fn inverse_deviation<S: Simd>(simd: S, variance: S::F32, epsilon: f32) -> S::F32 {
    simd.div(simd.splat(1.0), simd.sqrt(simd.add(variance, simd.splat(epsilon))))
}

#[inline(always)]
fn inverse_deviations<S: Simd>(simd: S, variance: &[f32], epsilon: f32, inv_std: &mut [f32]) {
    for at in (0..variance.len()).step_by(S::LANES) {
        let variance = simd.load(from(variance, at));
        simd.store(inverse_deviation(simd, variance, epsilon), from_mut(inv_std, at));
    }
}

#[inline(always)]
fn normalise<S: Simd>(simd: S, channels: Channels<'_>, x: Source<'_>, y: &mut MatMut<'_>) {
    let Channels { gamma, beta, mean, variance, epsilon } = channels;
    for strip in columns::strips::<S, VECTORS>(y.columns()) {
        let mut parameters = [[simd.splat(0.0); 3]; VECTORS];
        for (v, parameters) in parameters.iter_mut().enumerate().take(strip.vectors::<S>()) {
            let inv_std = inverse_deviation(simd, strip.load(simd, variance, v), epsilon);
            let scale = simd.mul(strip.load(simd, gamma, v), inv_std);
            *parameters = [strip.load(simd, mean, v), scale, strip.load(simd, beta, v)];
        }
        columns::map(
            simd,
            0..y.rows(),
            strip,
            &parameters,
            [x],
            y,
            #[inline(always)]
            |[mean, scale, beta], [x]| simd.mul_add(simd.sub(x, mean), scale, beta),
        );
    }
}
