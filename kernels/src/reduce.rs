//! Reductions in a fixed order: sums, dot products, norms, the largest magnitude, and sums over columns.
//!
//! A *slice* is cut into chunks of 4096 elements. In a chunk, element i goes to virtual lane i mod 64; each lane is a
//! chain from +0.0; lane i + 32 is then added to lane i, then i + 16, 8, 4, 2, 1. The chunks' results are added in
//! order to +0.0, so a result that is zero is +0.0. Products are fused: each step of a dot product rounds once.
//! A *column* is a chain from +0.0 over each block of 64 rows, and the blocks' results are added in order to +0.0.
//! *Several slices* have their results added in the order of the list. Vector width, tails and threads (which may
//! share chunks or blocks) never show.
//!
//! Numerics, with u = 2^-24 and n the length: the error of a sum is at most (70 + n / 4096) u sum |x_i|, and of a
//! dot product the same of sum |a_i b_i|, barring underflow; a column's is (64 + rows / 64) u sum |x_i|. NaN, or
//! infinities of both signs, give NaN. Norms cover the whole range of f32, see [`Scaled`].
//! Cost: n additions or fused multiply-adds and one read of the input; no workspace.
//! Source: blocked and pairwise summation, Higham, "Accuracy and Stability of Numerical Algorithms", section 4.2.

pub(crate) mod columns;
pub(crate) mod lanes;
mod max_abs;
mod scaled;
mod shape;
pub(crate) mod squares;

pub use max_abs::max_abs;
pub use scaled::Scaled;
pub use shape::ShapeError;
pub(crate) use shape::same_shape;
pub use squares::{norm, norm_of_slices, sum_of_squares};

use crate::length::same;
use crate::simd::{Level, Simd, dispatch};
use crate::{LengthError, MatRef};
use columns::VECTORS;

/// A Euclidean norm: non-negative, and beyond the range of f32 where it has to be.
pub type Norm = Scaled;

/// The sum of the elements; +0.0 if there are none.
///
/// ```
/// use isobath_kernels::{Level, reduce};
///
/// // The order of the sum is defined, so every instruction set gives the same bits.
/// let x: Vec<f32> = (0..10_000).map(|i| (i as f32).sqrt()).collect();
/// let sums: Vec<f32> = Level::available().map(|level| reduce::sum(level, &x)).collect();
/// assert!(sums.iter().all(|sum| sum.to_bits() == sums[0].to_bits()));
/// ```
pub fn sum(level: Level, x: &[f32]) -> f32 {
    dispatch!(level, simd => sum_with(simd, x))
}

/// The sum of a_i b_i.
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::{Level, LengthError, reduce};
///
/// assert_eq!(reduce::dot(Level::detect(), &[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0])?, 32.0);
/// let error = reduce::dot(Level::detect(), &[1.0, 2.0], &[1.0]);
/// assert_eq!(error, Err(LengthError { expected: 2, found: 1 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn dot(level: Level, a: &[f32], b: &[f32]) -> Result<f32, LengthError> {
    same(a.len(), b.len())?;
    Ok(dispatch!(level, simd => dot_with(simd, a, b)))
}

/// The sum of each column: the gradient of a bias.
///
/// # Errors
/// `out` has not one element per column.
///
/// ```
/// use isobath_kernels::{Level, MatRef, reduce};
///
/// let (dy, mut d_bias) = ([1.0, 2.0, 3.0, 4.0], [0.0; 2]);
/// reduce::column_sums(Level::detect(), MatRef::new(&dy, 2, 2)?, &mut d_bias)?;
/// assert_eq!(d_bias, [4.0, 6.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn column_sums(level: Level, x: MatRef<'_>, out: &mut [f32]) -> Result<(), LengthError> {
    same(x.columns(), out.len())?;
    dispatch!(level, simd => column_sums_with(simd, x, out));
    Ok(())
}

#[inline(always)]
pub(crate) fn sum_with<S: Simd>(simd: S, x: &[f32]) -> f32 {
    let [sum] = lanes::reduce(
        simd,
        [x],
        [0.0],
        #[inline(always)]
        |[sum], [x]| [simd.add(sum, x)],
    );
    sum
}

#[inline(always)]
fn dot_with<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let [sum] = lanes::reduce(
        simd,
        [a, b],
        [0.0, 0.0],
        #[inline(always)]
        |[sum], [a, b]| [simd.mul_add(a, b, sum)],
    );
    sum
}

#[inline(always)]
fn column_sums_with<S: Simd>(simd: S, x: MatRef<'_>, out: &mut [f32]) {
    out.fill(0.0);
    for block in columns::blocks(x.rows()) {
        for strip in columns::strips::<S, VECTORS>(x.columns()) {
            let sums = columns::chains(
                simd,
                block.clone(),
                strip,
                &[[]; VECTORS],
                [strip.rows_of(x, &block)],
                #[inline(always)]
                |_| (),
                #[inline(always)]
                |[], (), [sum], [x]| [simd.add(sum, x)],
            );
            columns::accumulate(simd, strip, &sums, [&mut *out]);
        }
    }
}
