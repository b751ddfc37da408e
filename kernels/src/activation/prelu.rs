//! The parametric rectifier: the leaky one with a learned slope of any value and sign, and the slope's gradient.
//!
//! Formula: f(h) = h for h > 0, else slope h; dL/dslope = sum of dy h over the elements with h <= 0.
//! Shapes: h and dy are rows x columns; one slope per column, or one for all.
//! Numerics: per column one chain of fused multiply-adds over each block of 64 rows, from +0.0; the blocks are added in
//! order. The shared slope's gradient is the sum of the columns' gradients in order, from +0.0. Elements with h > 0 take no
//! part, whatever dy is there; NaN in h does.
//! Cost: one fused multiply-add per element; h and dy are read once.

use super::Activation;
use super::leaky_relu::leaky;
use super::relu::is_positive;
use crate::length::{LengthError, same};
use crate::reduce::columns::{self, VECTORS};
use crate::simd::{Level, Simd, dispatch};
use crate::view::MatRef;

/// f(h) = h for h > 0, else slope h; the slope is learned.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{PRelu, forward_in_place};
///
/// let act = PRelu { slope: -0.5 }; // learned slopes may be negative
/// let mut h = [-4.0, 6.0];
/// forward_in_place(Level::detect(), act, &mut h);
/// assert_eq!(h, [2.0, 6.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PRelu {
    /// The slope for h <= 0; any value.
    pub slope: f32,
}

impl Activation for PRelu {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        leaky(simd, self.slope, h)
    }
}

/// Columns whose gradients are summed at a time.
const COLUMNS: usize = 256;

/// `d_slope[j]` = the sum over rows i of dy(i, j) h(i, j) where h(i, j) <= 0.
///
/// # Errors
/// `dy` has another shape than `h`, or `d_slope` another length than a row.
///
/// ```
/// use isobath_kernels::{Level, MatRef, activation};
///
/// // Two samples of two units; the second unit has one negative h.
/// let (h, dy, mut d_slope) = ([-1.0, 2.0, -3.0, -4.0], [1.0, 1.0, 1.0, 0.5], [0.0; 2]);
/// let (h, dy) = (MatRef::new(&h, 2, 2)?, MatRef::new(&dy, 2, 2)?);
/// activation::prelu_slope_gradient(Level::detect(), h, dy, &mut d_slope)?;
/// assert_eq!(d_slope, [-1.0 - 3.0, -4.0 * 0.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn prelu_slope_gradient(
    level: Level,
    h: MatRef,
    dy: MatRef,
    d_slope: &mut [f32],
) -> Result<(), LengthError> {
    same(h.rows(), dy.rows())?;
    same(h.columns(), dy.columns())?;
    same(h.columns(), d_slope.len())?;
    dispatch!(level, simd => all_columns(simd, h, dy, d_slope));
    Ok(())
}

/// The gradient of one slope shared by all columns.
///
/// # Errors
/// `dy` has another shape than `h`.
///
/// ```
/// use isobath_kernels::{Level, MatRef, activation};
///
/// let (h, dy) = ([-2.0, 3.0, -1.0], [0.5, 9.0, 4.0]);
/// let (h, dy) = (MatRef::new(&h, 1, 3)?, MatRef::new(&dy, 1, 3)?);
/// let gradient = activation::prelu_shared_slope_gradient(Level::detect(), h, dy)?;
/// assert_eq!(gradient, -2.0 * 0.5 - 1.0 * 4.0);
/// assert!(activation::prelu_shared_slope_gradient(Level::detect(), h, dy.sub_columns(0, 2)).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn prelu_shared_slope_gradient(level: Level, h: MatRef, dy: MatRef) -> Result<f32, LengthError> {
    same(h.rows(), dy.rows())?;
    same(h.columns(), dy.columns())?;
    let mut total = 0.0;
    let mut part = [0.0; COLUMNS];
    for from in (0..h.columns()).step_by(COLUMNS) {
        let (h, dy) = (h.sub_columns(from, from + COLUMNS), dy.sub_columns(from, from + COLUMNS));
        let sums = part.get_mut(..h.columns()).unwrap_or_default();
        dispatch!(level, simd => all_columns(simd, h, dy, sums));
        for sum in sums {
            total += *sum;
        }
    }
    Ok(total)
}

#[inline(always)]
fn all_columns<S: Simd>(simd: S, h: MatRef, dy: MatRef, d_slope: &mut [f32]) {
    d_slope.fill(0.0);
    for block in columns::blocks(h.rows()) {
        for strip in columns::strips::<S, VECTORS>(h.columns()) {
            let sums = columns::chains(
                simd,
                block.clone(),
                strip,
                &[[]; VECTORS],
                [strip.rows_of(h, &block), strip.rows_of(dy, &block)],
                #[inline(always)]
                |_| (),
                #[inline(always)]
                |[], (), [sum], [h, dy]| [simd.select(is_positive(simd, h), sum, simd.mul_add(dy, h, sum))],
            );
            columns::accumulate(simd, strip, &sums, [&mut *d_slope]);
        }
    }
}
