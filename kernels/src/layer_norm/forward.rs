//! The forward pass: mean and variance of each row, then y = fma((x - mean) inv_std, gamma, beta).

use core::slice;

use crate::length::same;
use crate::part::{from, from_mut};
use crate::reduce::{ShapeError, lanes, same_shape, sum_with};
use crate::simd::{Level, Simd, dispatch};
use crate::{MatMut, MatRef};

/// Normalises each row of x, whose statistics go to `mean` and `inv_std`.
///
/// # Errors
/// Shapes differ.
///
/// ```
/// use isobath_kernels::{Level, MatMut, MatRef, layer_norm};
///
/// // Two samples of 3 features, the second ten times the first: their outputs are alike.
/// let x = [1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
/// let (gamma, beta, mut y) = ([1.0; 3], [0.0; 3], [0.0; 6]);
/// let (mut mean, mut inv_std) = ([0.0; 2], [0.0; 2]);
/// let (x, out) = (MatRef::new(&x, 2, 3)?, MatMut::new(&mut y, 2, 3)?);
/// layer_norm::forward(Level::detect(), x, &gamma, &beta, 1e-5, out, &mut mean, &mut inv_std)?;
/// assert_eq!(mean, [2.0, 20.0]);
/// assert!((y[0] - y[3]).abs() < 1e-4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn forward(
    level: Level,
    x: MatRef<'_>,
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
    mut y: MatMut<'_>,
    mean: &mut [f32],
    inv_std: &mut [f32],
) -> Result<(), ShapeError> {
    same_shape((x.rows(), x.columns()), (y.rows(), y.columns()))?;
    same(x.columns(), gamma.len())?;
    same(x.columns(), beta.len())?;
    same(x.rows(), mean.len())?;
    same(x.rows(), inv_std.len())?;
    dispatch!(level, simd => for (i, (mean, inv_std)) in mean.iter_mut().zip(inv_std).enumerate() {
        let statistics = statistics(simd, x.row(i), epsilon);
        let [row_mean, row_inv_std] = statistics;
        simd.store(row_mean, slice::from_mut(mean));
        simd.store(row_inv_std, slice::from_mut(inv_std));
        normalise(simd, x.row(i), statistics, gamma, beta, y.row_mut(i));
    });
    Ok(())
}

/// Mean and 1 / sqrt(variance + epsilon) of a row, in every lane.
#[inline(always)]
fn statistics<S: Simd>(simd: S, x: &[f32], epsilon: f32) -> [S::F32; 2] {
    let (n, zero) = (x.len() as f32, simd.splat(0.0));
    let first_mean = sum_with(simd, x) / n;
    let (n, centre) = (simd.splat(n), simd.splat(first_mean));
    let [s1, s2] = lanes::reduce(
        simd,
        [x],
        [first_mean],
        #[inline(always)]
        |[s1, s2], [x]| {
            let d = simd.sub(x, centre);
            [simd.add(s1, d), simd.mul_add(d, d, s2)]
        },
    );
    let (s1, s2) = (simd.splat(s1), simd.splat(s2));
    let correction = simd.div(s1, n);
    // Rounding may leave a constant row a trifle below zero, or at -0, which + 0 makes +0.
    let moment = simd.neg_mul_add(s1, correction, s2);
    let moment = simd.select(simd.lt(moment, zero), zero, simd.add(moment, zero));
    let variance = simd.add(simd.div(moment, n), simd.splat(epsilon));
    [simd.add(centre, correction), simd.div(simd.splat(1.0), simd.sqrt(variance))]
}

#[inline(always)]
fn normalise<S: Simd>(
    simd: S,
    x: &[f32],
    [mean, inv_std]: [S::F32; 2],
    gamma: &[f32],
    beta: &[f32],
    y: &mut [f32],
) {
    for at in (0..x.len()).step_by(S::LANES) {
        let normal = simd.mul(simd.sub(simd.load(from(x, at)), mean), inv_std);
        let (gamma, beta) = (simd.load(from(gamma, at)), simd.load(from(beta, at)));
        simd.store(simd.mul_add(normal, gamma, beta), from_mut(y, at));
    }
}
