//! The backward pass, with x^ = (x - mean) inv_std, g = dy gamma and n features:
//! dx = inv_std (g - sum g / n - x^ sum g x^ / n), sums over the row; d_gamma = sum dy x^, d_beta = sum dy, sums over
//! the columns.

use core::ops::Range;

use crate::length::same;
use crate::part::{from, from_mut};
use crate::reduce::columns::{self, VECTORS};
use crate::reduce::{ShapeError, lanes, same_shape};
use crate::simd::{Level, Simd, dispatch};
use crate::{MatMut, MatRef};

/// Gradients of the input and the parameters; d_gamma and d_beta are written, not added to.
///
/// # Errors
/// Shapes differ.
///
/// ```
/// use isobath_kernels::{Level, MatMut, MatRef, layer_norm};
///
/// // One sample of 4 features with mean 0 and variance 1; the first feature alone has a gradient.
/// let (x, dy, mut dx) = ([-1.0, -1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0], [0.0; 4]);
/// let (gamma, mut d_gamma, mut d_beta) = ([2.0; 4], [0.0; 4], [0.0; 4]);
/// let (x, dy, out) = (MatRef::new(&x, 1, 4)?, MatRef::new(&dy, 1, 4)?, MatMut::new(&mut dx, 1, 4)?);
/// layer_norm::backward(Level::detect(), x, dy, &gamma, &[0.0], &[1.0], out, &mut d_gamma, &mut d_beta)?;
/// assert_eq!((d_gamma, d_beta), ([-1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]));
/// assert_eq!(dx, [1.0, -1.0, 0.0, 0.0]); // g = (2, 0, 0, 0), less 1/2 for its mean, less x^ (-1/2)
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
) -> Result<(), ShapeError> {
    let shape = (x.rows(), x.columns());
    same_shape(shape, (dy.rows(), dy.columns()))?;
    same_shape(shape, (dx.rows(), dx.columns()))?;
    for length in [gamma.len(), d_gamma.len(), d_beta.len()] {
        same(x.columns(), length)?;
    }
    for length in [mean.len(), inv_std.len()] {
        same(x.rows(), length)?;
    }
    let rows = Rows { x, dy, mean, inv_std };
    d_gamma.fill(0.0);
    d_beta.fill(0.0);
    dispatch!(level, simd => for block in columns::blocks(x.rows()) {
        // The block stays in the cache between the two passes.
        parameter_gradients(simd, rows, block.clone(), d_gamma, d_beta);
        for i in block {
            input_gradient(simd, rows, i, gamma, dx.row_mut(i));
        }
    });
    Ok(())
}

/// The operands that have rows.
#[derive(Clone, Copy)]
struct Rows<'a> {
    x: MatRef<'a>,
    dy: MatRef<'a>,
    mean: &'a [f32],
    inv_std: &'a [f32],
}

impl Rows<'_> {
    /// Mean and inverse deviation of row i.
    #[inline(always)]
    fn statistics(&self, i: usize) -> [f32; 2] {
        [self.mean, self.inv_std].map(|x| x.get(i).copied().unwrap_or(0.0))
    }
}

/// Adds a block's rows to d_gamma and d_beta.
#[inline(always)]
fn parameter_gradients<S: Simd>(
    simd: S,
    rows: Rows<'_>,
    block: Range<usize>,
    d_gamma: &mut [f32],
    d_beta: &mut [f32],
) {
    for strip in columns::strips::<S, VECTORS>(rows.x.columns()) {
        let sums = columns::chains(
            simd,
            block.clone(),
            strip,
            &[[]; VECTORS],
            [strip.rows_of(rows.x, &block), strip.rows_of(rows.dy, &block)],
            #[inline(always)]
            |i| rows.statistics(i),
            #[inline(always)]
            |[], [mean, inv_std], [d_gamma, d_beta], [x, dy]| {
                let normal = simd.mul(simd.sub(x, simd.splat(mean)), simd.splat(inv_std));
                [simd.mul_add(dy, normal, d_gamma), simd.add(d_beta, dy)]
            },
        );
        columns::accumulate(simd, strip, &sums, [&mut *d_gamma, &mut *d_beta]);
    }
}

/// Writes row i of dx.
#[inline(always)]
fn input_gradient<S: Simd>(simd: S, rows: Rows<'_>, i: usize, gamma: &[f32], dx: &mut [f32]) {
    let (x, dy, [row_mean, row_inv_std]) = (rows.x.row(i), rows.dy.row(i), rows.statistics(i));
    let (mean, inv_std) = (simd.splat(row_mean), simd.splat(row_inv_std));
    let [sum, product] = lanes::reduce(
        simd,
        [x, dy, gamma],
        [row_mean, 0.0, 0.0],
        #[inline(always)]
        |[sum, product], [x, dy, gamma]| {
            let g = simd.mul(dy, gamma);
            let normal = simd.mul(simd.sub(x, mean), inv_std);
            [simd.add(sum, g), simd.mul_add(g, normal, product)]
        },
    );
    let n = x.len() as f32;
    let (sum, product) = (simd.splat(sum / n), simd.splat(product / n));
    for at in (0..x.len()).step_by(S::LANES) {
        let g = simd.mul(simd.load(from(dy, at)), simd.load(from(gamma, at)));
        let normal = simd.mul(simd.sub(simd.load(from(x, at)), mean), inv_std);
        let centred = simd.neg_mul_add(normal, product, simd.sub(g, sum));
        simd.store(simd.mul(inv_std, centred), from_mut(dx, at));
    }
}
