//! What theory expects of each layer at the start, beside what was measured: a line, and a band around it.

use super::chart::{Band, Line};
use super::mark::Mark;
use super::points::Points;
use crate::study::summary::{Group, LayerFigures, PredictedLayer, Row};

/// The layers of a row with what is expected of them; none where theory says nothing.
fn predicted(row: &Row) -> impl Iterator<Item = (f64, &PredictedLayer)> {
    let is_whole = row.predicted.len() == row.layers.len();
    row.layers.iter().map(|layer| layer.layer as f64).zip(&row.predicted).filter(move |_| is_whole)
}

/// log10 ||delta||: theory gives ratios, which begin at what was measured in the last layer.
fn gradient(row: &Row) -> Option<f64> {
    row.layers.last()?.log10_delta[0]
}

/// Expected log10 ||delta|| of each layer.
pub(super) fn gradients(row: &Row) -> Points {
    let Some(top) = gradient(row) else { return Vec::new() };
    predicted(row).map(|(layer, of)| (layer, of.log10_delta.map(|ratio| top + ratio))).collect()
}

/// Expected log10 ||x|| of each layer that was measured: what overflowed has no place on the axis.
pub(super) fn inputs(row: &Row) -> Points {
    let expected = |((layer, of), measured): ((f64, &PredictedLayer), &LayerFigures)| {
        (layer, of.log10_x.filter(|_| measured.log10_x[0].is_some()))
    };
    predicted(row).zip(&row.layers).map(expected).collect()
}

/// The band around the expected log10 ||delta||.
fn band(row: &Row) -> Vec<(f64, f64, f64)> {
    let Some(top) = gradient(row) else { return Vec::new() };
    let place = |(layer, of): (f64, &PredictedLayer)| {
        let (ratio, spread) = (of.log10_delta?, of.spread?);
        Some((layer, top + ratio - spread, top + ratio + spread))
    };
    predicted(row).map_while(place).collect()
}

/// The bands of a group's rows.
pub(super) fn bands(group: &Group) -> Vec<Band> {
    let rows = group.rows.iter().enumerate();
    let band = |(place, row): (usize, &Row)| Band { mark: Mark::band(place, &row.name), points: band(row) };
    rows.map(band).filter(|band| band.points.len() > 1).collect()
}

/// The lines of a group's rows.
pub(super) fn lines(group: &Group, points: fn(&Row) -> Points) -> Vec<Line> {
    let line =
        |(place, row): (usize, &Row)| Line { mark: Mark::predicted(place, &row.name), points: points(row) };
    group.rows.iter().enumerate().map(line).collect()
}
