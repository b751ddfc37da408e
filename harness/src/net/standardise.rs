//! Standardised weights: a dense layer multiplies not by W but by W^, whose columns, one per unit, have mean 0 and a learned
//! size (Qiao et al. 2019; with the gain of Brock et al. 2021):
//!
//! w^_ij = g_j (w_ij - mean_j) / sqrt(n (var_j + epsilon)),
//!
//! mean and variance over the unit's n incoming weights. g_j is learned from s_w, so that W^ starts with the variance that the
//! initialiser is asked for. Inputs that are all alike, such as the mean of ReLU's outputs, then add up to 0.
//!
//! A column is to W what a channel is to a batch: the kernels of batch normalisation do it, forward and backward.
//! Parameters: weights, biases, gains. Statistics: W^, then per unit mean, inverse deviation, variance, g / sqrt(n), and a
//! shift of 0, which is scratch in the backward pass.
//! Cost: two reads and a write of the weights per pass, beside a product that reads them once per some rows of the batch.

use isobath_kernels::{Level, MatMut, MatRef, batch_norm, optimizer};

use super::arena::gradients_of;
use super::{Arena, Place};

/// Added to the variance of a unit's weights, which is about s_w^2 / n.
const EPSILON: f32 = 1e-10;
/// Arrays of one element per unit that follow W^ in the statistics.
const PER_UNIT: usize = 5;

/// Elements of the statistics that such a layer needs; none where that is beyond a `usize`.
pub(super) fn statistics_len(weights: usize, units: usize) -> Option<usize> {
    weights.checked_add(units.checked_mul(PER_UNIT)?)
}

/// The weights that a dense layer multiplies by: its own or, where it has gains, the standardised ones.
pub(super) fn effective<'a>(
    parameters: &'a [f32],
    statistics: &'a [f32],
    place: &Place,
) -> Option<MatRef<'a>> {
    let weights = if has_gains(place) {
        statistics.get(place.statistics..)?
    } else {
        parameters.get(place.parameters..)?
    };
    MatRef::new(weights, place.fan_in, place.width).ok()
}

/// Whether a dense layer has gains behind its biases.
fn has_gains(place: &Place) -> bool {
    place.parameter_count > place.weight_count + place.width
}

/// 1 / sqrt(n).
fn inverse_root(place: &Place) -> f32 {
    1.0 / libm::sqrtf(place.fan_in as f32)
}

/// Computes W^ where a layer has gains.
pub(super) fn forward(level: Level, arena: &mut Arena<'_>, place: &Place) -> Option<()> {
    if !has_gains(place) {
        return Some(());
    }
    let width = place.width;
    let parameters = arena.parameters.get(place.parameters..)?.get(..place.parameter_count)?;
    let (weights, rest) = parameters.split_at_checked(place.weight_count)?;
    let statistics = arena.statistics.get_mut(place.statistics..)?;
    let (standardised, units) = statistics.split_at_mut_checked(place.weight_count)?;
    let (mean, units) = units.split_at_mut_checked(width)?;
    let (inv_std, units) = units.split_at_mut_checked(width)?;
    let (variance, units) = units.split_at_mut_checked(width)?;
    let (gain, units) = units.split_at_mut_checked(width)?;
    gain.copy_from_slice(rest.get(width..)?);
    optimizer::scale(level, inverse_root(place), gain);
    let shift = units.get_mut(..width)?;
    shift.fill(0.0);
    let w = MatRef::new(weights, place.fan_in, width).ok()?;
    let out = MatMut::new(standardised, place.fan_in, width).ok()?;
    let saved = batch_norm::BatchStatistics { mean, inv_std, variance };
    batch_norm::forward_training(level, w, gain, shift, EPSILON, out, saved).ok()
}

/// Turns the gradient with respect to W^, which lies in the place of W's, into that of W, and adds that of the gains.
pub(super) fn backward(level: Level, arena: &mut Arena<'_>, place: &Place) -> Option<()> {
    if !has_gains(place) {
        return Some(());
    }
    let width = place.width;
    let weights = arena.parameters.get(place.parameters..)?.get(..place.weight_count)?;
    let gradients = gradients_of(arena.gradients, arena.parameters.len(), place)?;
    let (of_weights, rest) = gradients.split_at_mut_checked(place.weight_count)?;
    let of_gains = rest.get_mut(width..)?;
    let units = arena.statistics.get_mut(place.statistics..)?.get_mut(place.weight_count..)?;
    let (known, scratch) = units.split_at_mut_checked(4 * width)?;
    let (mean, inv_std) = known.split_at_checked(width)?;
    let (inv_std, gain) = (inv_std.get(..width)?, known.get(3 * width..)?);
    let w = MatRef::new(weights, place.fan_in, width).ok()?;
    let dw = MatMut::new(of_weights, place.fan_in, width).ok()?;
    let of_shift = scratch.get_mut(..width)?;
    batch_norm::backward_in_place(level, w, dw, gain, mean, inv_std, of_gains, of_shift).ok()?;
    optimizer::scale(level, inverse_root(place), of_gains);
    Some(())
}
