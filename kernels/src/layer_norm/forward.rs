//! The forward pass: mean and variance of each row, then y = fma((x - mean) inv_std, gamma, beta).

use crate::length::same;
use crate::reduce::{ShapeError, lanes, same_shape, sum_with};
use crate::simd::{Level, Scalar, Simd, dispatch};
use crate::{MatMut, MatRef};

/// Normalises each row of x, whose statistics go to `mean` and `inv_std`.
///
/// # Errors
/// Shapes differ.
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
        [*mean, *inv_std] = statistics(simd, x.row(i), epsilon);
        normalise(simd, x.row(i), *mean, *inv_std, gamma, beta, y.row_mut(i));
    });
    Ok(())
}

/// Mean and 1 / sqrt(variance + epsilon) of a row.
#[inline(always)]
fn statistics<S: Simd>(simd: S, x: &[f32], epsilon: f32) -> [f32; 2] {
    let n = x.len() as f32;
    let mean = sum_with(simd, x) / n;
    let centre = simd.splat(mean);
    let [s1, s2] = lanes::reduce(
        simd,
        [x],
        [mean],
        #[inline(always)]
        |[s1, s2], [x]| {
            let d = simd.sub(x, centre);
            [simd.add(s1, d), simd.mul_add(d, d, s2)]
        },
    );
    let correction = s1 / n;
    let moment = Scalar.neg_mul_add(s1, correction, s2);
    // Rounding may leave a constant row a trifle below zero, or at -0, which + 0 makes +0.
    let variance = if moment < 0.0 { 0.0 } else { (moment + 0.0) / n };
    [mean + correction, 1.0 / Scalar.sqrt(variance + epsilon)]
}

#[inline(always)]
fn normalise<S: Simd>(
    simd: S,
    x: &[f32],
    mean: f32,
    inv_std: f32,
    gamma: &[f32],
    beta: &[f32],
    y: &mut [f32],
) {
    let (mean, inv_std) = (simd.splat(mean), simd.splat(inv_std));
    let parameters = gamma.chunks(S::LANES).zip(beta.chunks(S::LANES));
    for ((y, x), (gamma, beta)) in y.chunks_mut(S::LANES).zip(x.chunks(S::LANES)).zip(parameters) {
        let normal = simd.mul(simd.sub(simd.load(x), mean), inv_std);
        simd.store(simd.mul_add(normal, simd.load(gamma), simd.load(beta)), y);
    }
}
