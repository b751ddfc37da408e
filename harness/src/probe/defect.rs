//! A layer that stands out: whose weights multiply the gradient by far more or less than its neighbours' do.
//!
//! Scaling W^{l+1} changes factor_l, and with it the slopes of all layers above, so weight gains are compared and not
//! factors.

use super::measure::Figures;
use crate::statistics::outlier;

/// The least factor by which a gain stands out.
const STANDS_OUT: f64 = 1.5;

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
    let logs: Vec<f64> = gains.iter().map(|(_, gain)| *gain).collect();
    let (i, offset) = outlier(&logs, STANDS_OUT)?;
    Some(Defect { layer: gains[i].0, excess: offset.exp() })
}
