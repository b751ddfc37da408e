//! Adaptive gradient clipping: each unit's gradient is bounded by the norm of the unit's own weights.
//!
//! g_j = g_j min(1, lambda max(||w_j||, epsilon) / ||g_j||). Weights are stored fan-in x fan-out (the layer is
//! x W + b), so a unit's weights are a *column* of W, not a row as where W is stored the other way round. epsilon
//! lets units that start at zero move (the paper has 1e-3, lambda 0.01). A unit with an infinite or NaN norm, of its
//! weights or of its gradient, is left as it is.
//!
//! Column norms take the order of column sums, each with its own scale, see [`crate::reduce`]. The reported norm adds
//! the columns' squares from left to right. Shapes: w and g are both fan-in x fan-out.
//! Cost: 4 flops per weight and one read of w and g; where a strip clips, 2 flops, one read and one write of it.
//! About 4 KiB of stack.
//! Source: Brock, De, Smith and Simonyan 2021.

use super::{ClipError, ClipReport, check_bound, factors, scale_for};
use crate::part::from;
use crate::reduce::columns::{self, Strip};
use crate::reduce::squares::{MAX_WIDTH, VECTORS, strip_squares};
use crate::reduce::{Norm, Scaled, same_shape};
use crate::simd::{Level, Simd, dispatch};
use crate::{MatMut, MatRef};

/// Scales each column of g so that its norm is at most lambda max(norm of the column of w, epsilon).
///
/// # Errors
/// The shapes differ, or lambda or epsilon is negative or NaN.
///
/// ```
/// use isobath_kernels::{Level, MatMut, MatRef, clip};
///
/// // Two units with the same gradient; the second has weights a hundred times larger, and may move as much more.
/// let (w, mut g) = ([1.0, 100.0], [0.5, 0.5]);
/// let (w, out) = (MatRef::new(&w, 1, 2)?, MatMut::new(&mut g, 1, 2)?);
/// let report = clip::adaptive(Level::detect(), w, out, 0.01, 1e-3)?;
/// assert_eq!((g, report.clipped), ([0.01, 0.5], 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn adaptive(
    level: Level,
    w: MatRef<'_>,
    mut g: MatMut<'_>,
    lambda: f32,
    epsilon: f32,
) -> Result<ClipReport, ClipError> {
    same_shape((w.rows(), w.columns()), (g.rows(), g.columns()))?;
    let [lambda, epsilon] = [check_bound(lambda)?, check_bound(epsilon)?].map(Scaled::new);
    Ok(dispatch!(level, simd => adaptive_with(simd, w, &mut g, lambda, epsilon)))
}

#[inline(always)]
fn adaptive_with<S: Simd>(
    simd: S,
    w: MatRef<'_>,
    g: &mut MatMut<'_>,
    lambda: Scaled,
    epsilon: Scaled,
) -> ClipReport {
    let mut squares = Scaled::ZERO;
    let mut least = Scaled::new(1.0);
    let mut clipped = 0;
    for strip in columns::strips::<S, VECTORS>(w.columns()) {
        let all = 0..w.rows();
        let of_w = strip_squares(simd, strip, strip.rows_of(w, &all));
        let of_g = strip_squares(simd, strip, strip.rows(None, g, &all));
        let mut scales = [Scaled::new(1.0); MAX_WIDTH];
        let before = clipped;
        for ((scale, w), g) in scales.iter_mut().zip(of_w).zip(of_g).take(strip.width) {
            squares = squares.plus(g);
            if let Some(factor) = scale_for(g.sqrt(), lambda.times(larger(w.sqrt(), epsilon))) {
                *scale = factor;
                clipped += 1;
                least = if factor.is_less_than(least) { factor } else { least };
            }
        }
        if clipped > before {
            scale_columns(simd, g, strip, scales.map(factors));
        }
    }
    ClipReport { norm: squares.sqrt(), scale: least.to_f32(), clipped }
}

/// The larger of the two; NaN if `norm` is.
fn larger(norm: Norm, epsilon: Scaled) -> Scaled {
    if norm.is_less_than(epsilon) { epsilon } else { norm }
}

/// Multiplies each column of a strip by its two factors, one after the other.
#[inline(always)]
fn scale_columns<S: Simd>(simd: S, g: &mut MatMut<'_>, strip: Strip, scales: [[f32; 2]; MAX_WIDTH]) {
    let (powers, rests) = (scales.map(|[power, _]| power), scales.map(|[_, rest]| rest));
    let mut parameters = [[simd.splat(1.0); 2]; VECTORS];
    for (v, parameters) in parameters.iter_mut().enumerate() {
        let at = v * S::LANES;
        *parameters = [simd.load(from(&powers, at)), simd.load(from(&rests, at))];
    }
    columns::map(
        simd,
        0..g.rows(),
        strip,
        &parameters,
        [None],
        g,
        #[inline(always)]
        |[power, rest], [g]| simd.mul(simd.mul(g, power), rest),
    );
}
