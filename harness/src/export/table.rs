//! Finished runs as one table.
//!
//! A row belongs to a run (network, phase, setting, seed), a recorded step, and either a hidden layer, from 1, or the network
//! as a whole, whose layer is null. Networks' rows have [`NETWORK_FIGURES`], layers' rows [`LAYER_FIGURES`]; what was not
//! taken at a step, or is zero or not finite where a logarithm is taken, is null. `accuracy` stands in the last recorded
//! step, what units do and the norms of inputs and weight gradients in the first and the last one. Slopes of PReLU, which
//! belong to activations rather than layers, are left out.

use crate::study::store::{Phase, RunId};
use crate::train::Trained;

/// The figures of a network at a step.
pub const NETWORK_FIGURES: [&str; 5] = ["loss", "penalty", "log10_gradient", "clipped", "accuracy"];

/// The figures of a hidden layer at a step.
pub const LAYER_FIGURES: [&str; 10] = [
    "log10_delta",
    "log10_w",
    "speed",
    "log10_x",
    "log10_gw",
    "dead",
    "saturated",
    "output_mean",
    "output_deviation",
    "moved",
];

/// Columns before the figures.
pub const KEYS: [&str; 6] = ["network", "phase", "setting", "seed", "step", "layer"];

/// One row.
///
/// ```
/// use isobath::export::table::{LAYER_FIGURES, NETWORK_FIGURES, Row};
/// use isobath::study::store::{Phase, RunId};
///
/// let id = RunId { network: "deep/untreated".to_owned(), phase: Phase::Trial, setting: 0, seed: 1 };
/// let mut figures = vec![None; LAYER_FIGURES.len()];
/// figures[0] = Some(-3.5);
/// let row = Row { id, step: 50, layer: Some(2), figures };
/// assert!(row.known().eq([("log10_delta", -3.5)]));
/// // The columns of the network come first; a layer has nothing there.
/// let columns: Vec<_> = row.columns().collect();
/// assert_eq!(columns.len(), NETWORK_FIGURES.len() + LAYER_FIGURES.len());
/// assert_eq!(columns[NETWORK_FIGURES.len()], Some(-3.5));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which run.
    pub id: RunId,
    /// Optimiser steps taken before.
    pub step: usize,
    /// The hidden layer, from 1; none for the network as a whole.
    pub layer: Option<usize>,
    /// In the order of [`NETWORK_FIGURES`] or [`LAYER_FIGURES`], as the layer says.
    pub figures: Vec<Option<f64>>,
}

impl Row {
    /// All figures in the order of the columns: the network's, then a layer's.
    pub fn columns(&self) -> impl Iterator<Item = Option<f64>> {
        let (network, layer) = (NETWORK_FIGURES.len(), LAYER_FIGURES.len());
        let (before, behind) = if self.layer.is_some() { (network, 0) } else { (0, layer) };
        let figures = self.figures.iter().copied();
        std::iter::repeat_n(None, before).chain(figures).chain(std::iter::repeat_n(None, behind))
    }

    /// The names and the values of the figures that there are.
    pub fn known(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let names = if self.layer.is_some() { &LAYER_FIGURES[..] } else { &NETWORK_FIGURES[..] };
        names.iter().zip(&self.figures).filter_map(|(name, value)| Some((*name, (*value)?)))
    }
}

/// `tuning` or `trial`.
pub(super) fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Tuning => "tuning",
        Phase::Trial => "trial",
    }
}

/// The rows of runs: step by step, first the network, then its layers from the input.
///
/// ```
/// use isobath::export::table::rows;
/// use isobath::study::store::trials;
///
/// # let folder = std::env::temp_dir().join(format!("isobath-rows-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # study(&folder)?;
/// // `folder` is that of a study whose networks have three layers and three recorded steps.
/// let trials = trials(&folder)?;
/// let run = trials.iter().filter(|(id, _)| id.network == "deep/untreated").take(1);
/// let rows = rows(run);
/// assert_eq!(rows.len(), 3 * (1 + 3));
/// assert!(rows[..5].iter().map(|row| (row.step, row.layer)).eq([
///     (0, None),
///     (0, Some(1)),
///     (0, Some(2)),
///     (0, Some(3)),
///     (5, None),
/// ]));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn rows<'a>(runs: impl IntoIterator<Item = &'a (RunId, Trained)>) -> Vec<Row> {
    runs.into_iter().flat_map(|(id, trained)| rows_of(id, trained)).collect()
}

fn rows_of(id: &RunId, trained: &Trained) -> Vec<Row> {
    let course = &trained.course;
    let mut rows = Vec::new();
    for (i, &step) in course.steps.iter().enumerate() {
        let row = |layer, mut figures: Vec<Option<f64>>| {
            figures.iter_mut().for_each(|figure| *figure = figure.filter(|value| value.is_finite()));
            Row { id: id.clone(), step, layer, figures }
        };
        let of = |values: &[Option<f64>]| values.get(i).copied().flatten();
        let is_last = i + 1 == course.steps.len();
        rows.push(row(
            None,
            vec![
                of(&course.loss),
                of(&course.penalty),
                of(&course.log10_gradient),
                course.clipped.get(i).copied(),
                is_last.then_some(trained.accuracy),
            ],
        ));
        // What was taken before the first step and after the last. A loss that is not finite ends a run before that.
        let is_whole = trained.divergence.is_none_or(|divergence| divergence.step != step);
        let end = match (i, is_last && is_whole) {
            (0, _) => Some(0),
            (_, true) => Some(1),
            _ => None,
        };
        for l in 0..course.log10_delta.get(i).map_or(0, Vec::len) {
            let of = |values: &[Vec<Option<f64>>]| values.get(i).and_then(|v| v.get(l).copied()).flatten();
            let norms = end.and_then(|end| trained.layers[end].get(l));
            let units = end.and_then(|end| trained.units[end].get(l));
            rows.push(row(
                Some(l + 1),
                vec![
                    of(&course.log10_delta),
                    of(&course.log10_w),
                    of(&course.speed),
                    norms.and_then(|norms| norms.log10_x),
                    norms.and_then(|norms| norms.log10_gw),
                    units.map(|units| units.dead),
                    units.map(|units| units.saturated),
                    units.and_then(|units| units.mean),
                    units.and_then(|units| units.deviation),
                    if is_last { trained.moved.get(l).copied().flatten() } else { None },
                ],
            ));
        }
    }
    rows
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::train::{Course, LayerNorms, UnitFigures};

    /// Two runs of two layers with three recorded steps, whose last loss is not finite and whose first delta is 0.
    pub(crate) fn runs() -> Vec<(RunId, Trained)> {
        let norms = |x| LayerNorms { log10_x: Some(x), log10_gw: Some(-x), ..LayerNorms::default() };
        let units = |dead| UnitFigures { dead, saturated: 0.5, mean: Some(0.1), deviation: None };
        let course = Course {
            steps: vec![0, 10, 20],
            loss: vec![Some(2.25), Some(1.0 / 3.0), None],
            penalty: vec![Some(0.0); 3],
            log10_gradient: vec![Some(-1.5), Some(-2.0), None],
            clipped: vec![0.0, 0.25, 0.0],
            log10_delta: vec![vec![None, Some(-3.0)], vec![Some(-49.5), Some(-2.0)], vec![Some(-5.0); 2]],
            log10_w: vec![vec![Some(0.5), Some(0.75)]; 3],
            speed: vec![vec![Some(1e-30), Some(0.5)]; 3],
            ..Course::default()
        };
        let trained = Trained {
            accuracy: 0.875,
            at_checkpoint: None,
            divergence: None,
            steps: 20,
            multiply_adds: 1,
            ratio: [None; 2],
            layers: [vec![norms(0.5), norms(1.5)], vec![norms(2.5), norms(3.5)]],
            units: [vec![units(0.0), units(0.25)], vec![units(0.5), units(0.75)]],
            histograms: Default::default(),
            spectra: Default::default(),
            noise: [None; 2],
            moved: vec![Some(0.01), None],
            course,
            hash: 7,
            seconds: 1.0,
            step_seconds: None,
        };
        let id = |network: &str, phase, seed| RunId { network: network.to_owned(), phase, setting: 1, seed };
        vec![
            (id("sick/a \"quoted\", é", Phase::Trial, 0), trained.clone()),
            (id("b", Phase::Tuning, 2), trained),
        ]
    }

    #[test]
    fn a_row_for_the_network_and_each_layer_at_each_step_with_what_was_taken_there() {
        let rows = rows(&runs());
        assert_eq!(rows.len(), 2 * 3 * 3);
        let places: Vec<_> = rows[..9].iter().map(|row| (row.step, row.layer)).collect();
        assert_eq!(places[..4], [(0, None), (0, Some(1)), (0, Some(2)), (10, None)]);
        let known = |row: usize| rows[row].known().collect::<Vec<_>>();
        assert_eq!(
            known(3),
            [("loss", 1.0 / 3.0), ("penalty", 0.0), ("log10_gradient", -2.0), ("clipped", 0.25)]
        );
        assert_eq!(known(4), [("log10_delta", -49.5), ("log10_w", 0.5), ("speed", 1e-30)]);
        assert_eq!(known(6), [("penalty", 0.0), ("clipped", 0.0), ("accuracy", 0.875)]);
        assert!(known(7).contains(&("log10_x", 2.5)) && known(7).contains(&("moved", 0.01)));
        assert!(known(2).contains(&("dead", 0.25)) && known(1)[0] == ("log10_w", 0.5));
        let width = NETWORK_FIGURES.len() + LAYER_FIGURES.len();
        assert!(rows.iter().all(|row| row.columns().count() == width));
    }
}
