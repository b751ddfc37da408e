//! A layer that stands out: whose weights multiply the gradient by far more or less than its neighbours' do.
//!
//! Scaling W^{l+1} changes factor_l, and with it the slopes of all layers above, so weight gains are compared and not
//! factors. Each gain's logarithm is held against the median of up to four neighbours on either side; the layer that
//! is farthest off is named if it is off by more than six robust standard deviations (1.4826 times the median absolute
//! deviation) of all layers, and by more than a factor of 1.5.

use super::measure::Figures;
use super::statistics::median;

/// Neighbours on either side.
const NEIGHBOURS: usize = 4;
/// Fewer layers have no neighbourhood to stand out from.
const FEWEST: usize = 5;
/// Robust standard deviations.
const DEVIATIONS: f64 = 6.0;
/// Least factor by which a layer must be off.
const LEAST: f64 = 1.5;

/// A layer that stands out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Defect {
    /// The layer whose parameters are at fault.
    pub(super) layer: usize,
    /// How many times as large as its neighbours' its gain is.
    pub(super) excess: f64,
}

/// The layer that stands out most, if one does.
pub(super) fn find(figures: &Figures, residual: bool) -> Option<Defect> {
    let hidden = || figures.layers.iter().filter_map(|row| row.hidden.map(|hidden| (row.layer, hidden)));
    let gains: Vec<(usize, f64)> = if residual {
        // A block's own factor.
        hidden().filter_map(|(layer, row)| Some((layer, row.factor?.ln()))).collect()
    } else {
        let input = figures.input_gain.map(|gain| (1, gain.ln()));
        let above = hidden().filter_map(|(layer, row)| Some((layer + 1, row.weight_gain?.ln())));
        input.into_iter().chain(above).collect()
    };
    if gains.len() < FEWEST {
        return None;
    }
    let offsets: Vec<f64> = (0..gains.len())
        .filter_map(|i| {
            let from = i.saturating_sub(NEIGHBOURS);
            let to = (i + NEIGHBOURS + 1).min(gains.len());
            let others = (from..to).filter(|j| *j != i).map(|j| gains[j].1).collect();
            Some(gains[i].1 - median(others)?)
        })
        .collect();
    let spread = 1.4826 * median(offsets.iter().map(|offset| offset.abs()).collect())?;
    let (layer, offset) = gains
        .iter()
        .map(|(layer, _)| *layer)
        .zip(offsets)
        .max_by(|(_, one), (_, other)| one.abs().total_cmp(&other.abs()))?;
    let stands_out = offset.abs() > (DEVIATIONS * spread).max(LEAST.ln());
    stands_out.then(|| Defect { layer, excess: offset.exp() })
}
