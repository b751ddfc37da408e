//! The backward pass, with x^ = (x - mean) inv_std and n rows:
//! d_beta = sum dy, d_gamma = sum dy x^, dx = gamma inv_std (dy - d_beta / n - x^ d_gamma / n).

use super::{BatchNormError, check_batch};
use crate::length::same;
use crate::reduce::columns::{self, Source, VECTORS};
use crate::reduce::same_shape;
use crate::simd::{Level, Simd, dispatch};
use crate::{MatMut, MatRef};

/// What the forward pass knew of each channel.
#[derive(Clone, Copy)]
struct Channels<'a> {
    gamma: &'a [f32],
    mean: &'a [f32],
    inv_std: &'a [f32],
}

/// Gradients of a training step's input and parameters; d_gamma and d_beta are written, not added to.
///
/// # Errors
/// Shapes differ, or the batch has fewer than 2 rows.
///
/// ```
/// use isobath_kernels::{Level, MatMut, MatRef, batch_norm};
///
/// // One channel of mean 0 and variance 1; only the first sample has a gradient.
/// let (x, dy, mut dx) = ([-1.0, -1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0], [0.0; 4]);
/// let (mut d_gamma, mut d_beta) = ([0.0], [0.0]);
/// let (x, dy, out) = (MatRef::new(&x, 4, 1)?, MatRef::new(&dy, 4, 1)?, MatMut::new(&mut dx, 4, 1)?);
/// let (gamma, mean, inv_std) = ([1.0], [0.0], [1.0]);
/// batch_norm::backward(Level::detect(), x, dy, &gamma, &mean, &inv_std, out, &mut d_gamma, &mut d_beta)?;
/// assert_eq!((d_gamma, d_beta), ([-1.0], [1.0]));
/// // 1 - 1/4 - (-1)(-1)/4 and so on: neither the mean nor the scale of x matters, so dx has no part along them.
/// assert_eq!(dx, [0.5, -0.5, 0.0, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn backward(
    level: Level,
    x: MatRef<'_>,
    dy: MatRef<'_>,
    gamma: &[f32],
    mean: &[f32],
    inv_std: &[f32],
    mut dx: MatMut<'_>,
    d_gamma: &mut [f32],
    d_beta: &mut [f32],
) -> Result<(), BatchNormError> {
    let channels = Channels { gamma, mean, inv_std };
    same_shape((x.rows(), x.columns()), (dy.rows(), dy.columns()))?;
    check(x, &dx, channels, d_gamma, d_beta)?;
    dispatch!(level, simd => backward_with(simd, x, Some(dy), channels, &mut dx, d_gamma, d_beta));
    Ok(())
}

/// [`backward`] with dx over dy.
///
/// # Errors
/// Shapes differ, or the batch has fewer than 2 rows.
///
/// ```
/// use isobath_kernels::{Level, MatMut, MatRef, batch_norm};
///
/// // A gradient that is the same for all samples would shift the mean, which the batch takes out again.
/// let (x, mut dy, mut d_gamma, mut d_beta) = ([-1.0, 1.0], [3.0, 3.0], [0.0], [0.0]);
/// batch_norm::backward_in_place(
///     Level::detect(),
///     MatRef::new(&x, 2, 1)?,
///     MatMut::new(&mut dy, 2, 1)?,
///     &[1.0], // gamma
///     &[0.0], // mean
///     &[1.0], // inv_std
///     &mut d_gamma,
///     &mut d_beta,
/// )?;
/// assert_eq!((dy, d_gamma, d_beta), ([0.0, 0.0], [0.0], [6.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn backward_in_place(
    level: Level,
    x: MatRef<'_>,
    mut dy: MatMut<'_>,
    gamma: &[f32],
    mean: &[f32],
    inv_std: &[f32],
    d_gamma: &mut [f32],
    d_beta: &mut [f32],
) -> Result<(), BatchNormError> {
    let channels = Channels { gamma, mean, inv_std };
    check(x, &dy, channels, d_gamma, d_beta)?;
    dispatch!(level, simd => backward_with(simd, x, None, channels, &mut dy, d_gamma, d_beta));
    Ok(())
}

fn check(
    x: MatRef<'_>,
    dx: &MatMut<'_>,
    channels: Channels<'_>,
    d_gamma: &[f32],
    d_beta: &[f32],
) -> Result<(), BatchNormError> {
    check_batch(x.rows())?;
    same_shape((x.rows(), x.columns()), (dx.rows(), dx.columns()))?;
    let Channels { gamma, mean, inv_std } = channels;
    for length in [gamma.len(), mean.len(), inv_std.len(), d_gamma.len(), d_beta.len()] {
        same(x.columns(), length)?;
    }
    Ok(())
}

#[inline(always)]
fn backward_with<S: Simd>(
    simd: S,
    x: MatRef<'_>,
    dy: Source<'_>,
    channels: Channels<'_>,
    dx: &mut MatMut<'_>,
    d_gamma: &mut [f32],
    d_beta: &mut [f32],
) {
    let Channels { gamma, mean, inv_std } = channels;
    d_gamma.fill(0.0);
    d_beta.fill(0.0);
    let n = simd.splat(x.rows() as f32);
    for strip in columns::strips::<S, VECTORS>(x.columns()) {
        let mut known = [[simd.splat(0.0); 2]; VECTORS];
        for (v, known) in known.iter_mut().enumerate().take(strip.vectors::<S>()) {
            *known = [strip.load(simd, mean, v), strip.load(simd, inv_std, v)];
        }
        for block in columns::blocks(x.rows()) {
            let sums = columns::chains(
                simd,
                block.clone(),
                strip,
                &known,
                [strip.rows_of(x, &block), strip.rows(dy, dx, &block)],
                #[inline(always)]
                |_| (),
                #[inline(always)]
                |[mean, inv_std], (), [d_gamma, d_beta], [x, dy]| {
                    let normal = simd.mul(simd.sub(x, mean), inv_std);
                    [simd.mul_add(dy, normal, d_gamma), simd.add(d_beta, dy)]
                },
            );
            columns::accumulate(simd, strip, &sums, [&mut *d_gamma, &mut *d_beta]);
        }
        let mut parameters = [[simd.splat(0.0); 5]; VECTORS];
        let used = parameters.iter_mut().zip(known).enumerate().take(strip.vectors::<S>());
        for (v, (parameters, [mean, inv_std])) in used {
            let scale = simd.mul(strip.load(simd, gamma, v), inv_std);
            let d_gamma = simd.div(strip.load(simd, d_gamma, v), n);
            let d_beta = simd.div(strip.load(simd, d_beta, v), n);
            *parameters = [mean, inv_std, scale, d_gamma, d_beta];
        }
        columns::map(
            simd,
            0..x.rows(),
            strip,
            &parameters,
            [Some(x), dy],
            dx,
            #[inline(always)]
            |[mean, inv_std, scale, d_gamma, d_beta], [x, dy]| {
                let normal = simd.mul(simd.sub(x, mean), inv_std);
                simd.mul(scale, simd.neg_mul_add(normal, d_gamma, simd.sub(dy, d_beta)))
            },
        );
    }
}
