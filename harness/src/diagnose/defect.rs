//! The layer whose own parameters are at fault, from norms alone.
//!
//! W^l stands in the factor from delta^l to delta^{l-1} and in the step from x_l to x_{l+1}; the biases of layer l stand
//! in its slopes, and so in the factor from delta^{l+1} to delta^l. Each sequence of logarithms is searched for a value
//! that stands out from its neighbours (see [`outlier`]). Weights that stand out are at fault if what they stand in moves
//! with them, by a third at least, or if they saturate their own layer; under a normalisation nothing moves, and weights
//! of any size are sound. A jump of the gradient where the weights are as large as elsewhere is the fault of the slopes
//! below it.

use core::f64::consts::LN_10;

use super::records::{LayerRecord, Norm, Record};
use crate::probe::Cause;
use crate::statistics::{deviations, outlier};

/// The layer at fault, and how many times as large as its neighbours' its part in the factors is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Defect {
    pub(super) layer: usize,
    pub(super) excess: f64,
    /// Its weights or its slopes.
    pub(super) cause: Cause,
}

/// The least factor by which signals and gradients stand out.
const STANDS_OUT: f64 = 1.5;
/// And by which weights do, whose norms hardly vary: a layer of which every other unit is 0 has 0.71 times the norm.
const WEIGHTS_STAND_OUT: f64 = 1.25;

/// What moves with the weights at fault, at least, of their own deviation.
const FOLLOWS: f64 = 1.0 / 3.0;

/// By how much the saturated fraction of a layer exceeds its neighbours' whose own parameters are at fault, at least.
const MORE_SATURATED: f64 = 0.15;

/// Whether layer `i` + 1 is saturated more than its neighbours are.
fn stands_out_saturated(record: &Record, i: usize) -> bool {
    let saturated: Option<Vec<f64>> = record.layers.iter().map(|layer| layer.saturated).collect();
    saturated.is_some_and(|saturated| deviations(&saturated)[i] > MORE_SATURATED)
}

/// The defect of a network, if its norms show one.
pub(super) fn find(record: &Record) -> Option<Defect> {
    let of_norms = |norm: fn(&LayerRecord) -> Norm| {
        let logs = record.layers.iter().map(|layer| Some(norm(layer).log10()? * LN_10));
        logs.collect::<Option<Vec<f64>>>().unwrap_or_default()
    };
    let steps = |logs: Vec<f64>| logs.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
    let sizes = of_norms(|layer| layer.w);
    // Entry l - 1: from x_l to x_{l+1}; and from delta^{l+1} to delta^l, where W^{l+1} stands.
    let signal = steps(of_norms(|layer| layer.x));
    let gradient: Vec<f64> = steps(of_norms(|layer| layer.delta)).iter().map(|step| -step).collect();
    if let Some((i, offset)) = outlier(&sizes, WEIGHTS_STAND_OUT) {
        let follows = |deviations: &[f64], at: Option<usize>| {
            at.and_then(|at| deviations.get(at)).is_some_and(|found| found / offset > FOLLOWS)
        };
        let (signals, gradients) = (deviations(&signal), deviations(&gradient));
        let saturates = gradients.get(i).is_some_and(|found| *found < -FOLLOWS * offset.abs());
        let down = follows(&gradients, i.checked_sub(1));
        let saturates = saturates || stands_out_saturated(record, i);
        if down || saturates || follows(&signals, Some(i)) {
            return Some(Defect { layer: i + 1, excess: offset.exp(), cause: Cause::Weights });
        }
    }
    let (i, offset) = outlier(&gradient, STANDS_OUT)?;
    let above = i + 2;
    let slopes = !sizes.is_empty() || outlier(&signal, STANDS_OUT).is_some_and(|(at, _)| at == i);
    let (layer, cause) = if slopes { (above - 1, Cause::Slope) } else { (above, Cause::Weights) };
    Some(Defect { layer, excess: offset.exp(), cause })
}
