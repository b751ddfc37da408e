//! The plain recurrence h' = phi(x W + b + h U) (Elman 1990). Back: D = dh' phi', dh = D U^T.

use isobath_kernels::activation::forward_with_derivative_in_place;
use isobath_kernels::{Level, activation};

use super::{Backward, Forward};
use crate::activation::{Activation, with_kernel};

/// Leaves phi' in `gates`.
pub(super) fn forward(level: Level, phi: Activation, step: Forward<'_>) -> Option<()> {
    let Forward { gates, recalled, after, .. } = step;
    let sums = gates.iter().zip(recalled);
    after.iter_mut().zip(sums).for_each(|(h, (sum, recalled))| *h = sum + recalled);
    with_kernel!(phi, kernel => forward_with_derivative_in_place(level, kernel, after, gates)).ok()
}

/// One step back.
pub(super) fn backward(level: Level, step: Backward<'_>) -> Option<()> {
    let Backward { gates, state, deltas, .. } = step;
    deltas.copy_from_slice(state);
    activation::multiply(level, gates, deltas).ok()?;
    state.fill(0.0);
    Some(())
}
