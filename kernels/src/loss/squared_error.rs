//! Squared error: loss = 1 / (2 m) sum (y - target)^2 over all elements of m rows, dy = (y - target) / m.
//!
//! So loss is half the mean over rows of a row's squared distance, and dy is exactly its derivative: no factor depends
//! on the number of outputs. Numerics: dy rounds twice; relative error of the loss below (72 + columns / 4096 +
//! rows / 64) 2^-24. Infinite beyond f32, from differences of about 1e19 on; NaN gives NaN.
//! Cost: 4 flops of which a division, two reads and one write per element.

use super::{LossError, sum_over_rows};
use crate::part::{from, from_mut};
use crate::reduce::{lanes, same_shape};
use crate::simd::{Level, Simd, dispatch};
use crate::{MatMut, MatRef};

/// The loss; writes its gradient.
///
/// # Errors
/// Shapes differ.
///
/// ```
/// use isobath_kernels::{Level, MatMut, MatRef, loss};
///
/// let (y, target, mut dy) = ([1.0, 4.0], [0.0, 2.0], [0.0; 2]);
/// let (y, target) = (MatRef::new(&y, 2, 1)?, MatRef::new(&target, 2, 1)?);
/// let loss = loss::squared_error(Level::detect(), y, target, MatMut::new(&mut dy, 2, 1)?)?;
/// assert_eq!((loss, dy), ((1.0 + 4.0) / 4.0, [0.5, 1.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn squared_error(
    level: Level,
    y: MatRef<'_>,
    target: MatRef<'_>,
    mut dy: MatMut<'_>,
) -> Result<f32, LossError> {
    let shape = (y.rows(), y.columns());
    same_shape(shape, (target.rows(), target.columns()))?;
    same_shape(shape, (dy.rows(), dy.columns()))?;
    let rows = y.rows() as f32;
    let sum = dispatch!(level, simd => sum_over_rows(
        y.rows(),
        #[inline(always)]
        |i| {
            write_gradient(simd, y.row(i), target.row(i), rows, dy.row_mut(i));
            squared_distance(simd, y.row(i), target.row(i))
        },
    ));
    Ok(sum / rows * 0.5)
}

#[inline(always)]
fn write_gradient<S: Simd>(simd: S, y: &[f32], target: &[f32], rows: f32, dy: &mut [f32]) {
    let rows = simd.splat(rows);
    for at in (0..y.len()).step_by(S::LANES) {
        let difference = simd.sub(simd.load(from(y, at)), simd.load(from(target, at)));
        simd.store(simd.div(difference, rows), from_mut(dy, at));
    }
}

#[inline(always)]
fn squared_distance<S: Simd>(simd: S, y: &[f32], target: &[f32]) -> f32 {
    let [sum] = lanes::reduce(
        simd,
        [y, target],
        [0.0, 0.0],
        #[inline(always)]
        |[sum], [y, target]| {
            let d = simd.sub(y, target);
            [simd.mul_add(d, d, sum)]
        },
    );
    sum
}
