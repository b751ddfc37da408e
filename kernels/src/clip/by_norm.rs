//! Clipping by the global norm: g = g min(1, max_norm / ||g||), over all slices of a gradient together.
//!
//! Numerics: scale and elements are rounded once each, so the norm afterwards is max_norm to the error of a norm; a
//! max_norm of 0 makes every finite gradient zero, with its signs. Infinite or NaN norm: nothing is changed.
//! Cost: one read for the norm, and where it clips 1 flop, one read and one write.
//! Source: Pascanu, Mikolov and Bengio 2013.

use super::{ClipError, ClipReport, check_bound, factors, scale_for};
use crate::Level;
use crate::optimizer::scale;
use crate::reduce::{Norm, Scaled, sum_of_squares};

/// Scales several slices together so that their norm, taken in the order of the list, is at most `max_norm`.
///
/// # Errors
/// `max_norm` is negative or NaN.
///
/// ```
/// use isobath_kernels::{Level, clip};
///
/// // Two tensors whose gradients have norm 5 together: both shrink by the same factor.
/// let (mut weights, mut biases) = ([3.0, 0.0], [4.0]);
/// let report = clip::by_global_norm(Level::detect(), &mut [&mut weights, &mut biases], 1.0)?;
/// assert_eq!((report.norm.to_f32(), report.clipped), (5.0, 3));
/// assert_eq!((weights[0], biases[0]), (0.6, 0.8));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn by_global_norm(level: Level, gs: &mut [&mut [f32]], max_norm: f32) -> Result<ClipReport, ClipError> {
    check_bound(max_norm)?;
    let add = |total: Scaled, g: &&mut [f32]| total.plus(sum_of_squares(level, g));
    let norm = gs.iter().fold(Scaled::ZERO, add).sqrt();
    let mut report = ClipReport { norm, scale: 1.0, clipped: 0 };
    for g in gs {
        let part = scale_to_norm(level, g, norm, max_norm)?;
        report = ClipReport { clipped: report.clipped + part.clipped, ..part };
    }
    Ok(report)
}

/// Scales one slice of a gradient whose norm, over all its slices, is already known.
///
/// # Errors
/// `max_norm` is negative or NaN.
///
/// ```
/// use isobath_kernels::{Level, clip, reduce};
///
/// // Tensors that are clipped one by one, as their updates need them, by the norm of all.
/// let level = Level::detect();
/// let (mut weights, mut bias) = ([6.0], [-8.0]);
/// let norm = reduce::norm_of_slices(level, &[&weights, &bias]);
/// clip::scale_to_norm(level, &mut weights, norm, 5.0)?;
/// clip::scale_to_norm(level, &mut bias, norm, 5.0)?;
/// assert_eq!((weights, bias), ([3.0], [-4.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn scale_to_norm(
    level: Level,
    g: &mut [f32],
    norm: Norm,
    max_norm: f32,
) -> Result<ClipReport, ClipError> {
    let max_norm = Scaled::new(check_bound(max_norm)?);
    let Some(factor) = scale_for(norm, max_norm) else {
        return Ok(ClipReport { norm, scale: 1.0, clipped: 0 });
    };
    let [power, rest] = factors(factor);
    if power != 1.0 {
        scale(level, power, g);
    }
    scale(level, rest, g);
    Ok(ClipReport { norm, scale: factor.to_f32(), clipped: g.len() })
}
