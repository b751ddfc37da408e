//! The points of a row's lines: over its layers, or over its steps.

use crate::study::summary::{LayerFigures, Row};

/// Points (x, log10 of the figure), with gaps where a figure does not exist.
pub(super) type Points = Vec<(f64, Option<f64>)>;

/// Name of the axis of layers.
pub(super) const LAYERS: &str = "hidden layer, from the input";

/// A figure of each hidden layer of a row.
pub(super) fn per_layer(row: &Row, figure: impl Fn(&LayerFigures) -> Option<f64>) -> Points {
    row.layers.iter().map(|layer| (layer.layer as f64, figure(layer))).collect()
}

/// A figure of each recorded step of a row.
pub(super) fn over_steps(row: &Row, figures: impl Iterator<Item = Option<f64>>) -> Points {
    row.course.steps.iter().map(|&step| step as f64).zip(figures).collect()
}

/// log10 of a positive figure.
pub(super) fn log10(figure: Option<f64>) -> Option<f64> {
    figure.filter(|&v| v > 0.0).map(f64::log10)
}

/// The number of the layer at a place of a row's records, both counted from the input.
pub(super) fn layer_number(row: &Row, place: usize) -> usize {
    row.layers.get(place).map_or(place + 1, |layer| layer.layer)
}
