//! The speed of learning of each hidden layer before the first step, `||sum over the batch of delta||`.

use crate::study::summary::Row;

/// The speed of one layer, under both of the numberings in use.
pub(super) struct LayerSpeed {
    /// 1 next to the input.
    pub(super) layer: usize,
    /// 1 next to the output.
    pub(super) from_output: usize,
    /// Speed of learning.
    pub(super) speed: f64,
    /// How many times slower than the last hidden layer.
    pub(super) slowdown: f64,
}

/// The layers of a row whose speed is known, if the last one's is known and not zero.
pub(super) fn at_start(row: &Row) -> Vec<LayerSpeed> {
    let Some(last) = row.layers.last().and_then(|layer| layer.speed[0]).filter(|&speed| speed > 0.0) else {
        return Vec::new();
    };
    let count = row.layers.last().map_or(0, |layer| layer.layer);
    let known =
        |(layer, speed)| LayerSpeed { layer, from_output: count + 1 - layer, speed, slowdown: last / speed };
    let speeds = row.layers.iter().filter_map(|layer| Some((layer.layer, layer.speed[0]?)));
    speeds.filter(|&(_, speed)| speed > 0.0).map(known).collect()
}

/// How the first layer's speed compares with the last one's, both layers being known.
pub(super) fn first_to_last(speeds: &[LayerSpeed]) -> Option<(&LayerSpeed, &LayerSpeed)> {
    match speeds {
        [first, .., last] if first.layer == 1 => Some((first, last)),
        _ => None,
    }
}
