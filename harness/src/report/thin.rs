//! A large study made small enough for a page: of its layers and recorded steps as many as a budget of bytes allows.
//!
//! Layers are kept at equal distances, the first and the last of each row among them; steps likewise. Figures are those of
//! the study, none is averaged. Norms over all layers together (`log10_w`) keep all layers, as they are added up.
//! Cost: a copy of what is kept where the study is too large, else nothing.

use std::borrow::Cow;

use super::format::plural;
use crate::study::summary::{Course, Group, Row, Summary};

/// What the rows of a page may take, in bytes. With this, 100 networks of 1,000 layers stay below 20 MB.
const BUDGET: usize = 9_000_000;
/// Bytes that a layer of a row takes in charts and files, over all figures.
const LAYER: usize = 1300;
/// Bytes that a layer at a recorded step takes.
const CELL: usize = 32;
/// Bytes of a recorded step.
const STEP: usize = 350;
/// Bytes of a row besides, most of them in its histograms.
const ROW: usize = 30_000;
/// So many layers and steps are always kept.
const FEWEST: usize = 12;

/// The study as the page shows it, and in words what was left out.
pub(super) fn thinned(summary: &Summary) -> (Cow<'_, Summary>, Option<String>) {
    let rows = || summary.groups.iter().flat_map(|group| &group.rows);
    let most = |count: fn(&Row) -> usize| rows().map(count).max().unwrap_or(0);
    let (all_layers, all_steps) = (most(|row| row.layers.len()), most(|row| row.course.steps.len()));
    let size = |layers: usize, steps: usize| -> usize {
        let row = |row: &Row| {
            let (layers, steps) = (row.layers.len().min(layers), row.course.steps.len().min(steps));
            ROW + LAYER * layers + (CELL * layers + STEP) * steps
        };
        rows().map(row).sum()
    };
    let (mut layers, mut steps) = (all_layers, all_steps);
    while size(layers, steps) > BUDGET && (layers > FEWEST || steps > FEWEST) {
        // Whatever is more.
        let larger = if layers >= steps { &mut layers } else { &mut steps };
        *larger = (*larger * 3 / 4).max(FEWEST);
    }
    if (layers, steps) == (all_layers, all_steps) {
        return (Cow::Borrowed(summary), None);
    }
    // One row is copied whole at a time.
    let small_row = |row: &Row| {
        let mut row = row.clone();
        thin_layers(&mut row, layers);
        thin_steps(&mut row.course, steps);
        row
    };
    let small_group = |group: &Group| {
        let Group { name, title, data, sweep, budget, rows } = group;
        let (name, title, data, sweep) = (name.clone(), title.clone(), data.clone(), sweep.clone());
        Group { name, title, data, sweep, budget: *budget, rows: rows.iter().map(small_row).collect() }
    };
    let small = Summary {
        name: summary.name.clone(),
        title: summary.title.clone(),
        data: summary.data.clone(),
        training: summary.training.clone(),
        groups: summary.groups.iter().map(small_group).collect(),
        claims: summary.claims.clone(),
        hash: summary.hash.clone(),
        machine: summary.machine.clone(),
        ..*summary
    };
    let note = format!(
        "Figures and files of this page show at most {} and {} of each network, at equal distances, first and last among \
         them; means over layers are over those. summary.json and records.jsonl in the run folder hold all of them, and \
         isobath export gives them to other programs.",
        plural(layers, "layer"),
        plural(steps, "recorded step")
    );
    (Cow::Owned(small), Some(note))
}

/// Of `count` places, `most` at equal distances, the first and the last among them.
fn kept(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|i| i * (count - 1) / (most - 1).max(1)).collect()
}

fn only<T: Clone>(all: &[T], kept: &[usize]) -> Vec<T> {
    kept.iter().filter_map(|place| all.get(*place).cloned()).collect()
}

fn thin_layers(row: &mut Row, most: usize) {
    let places = kept(row.layers.len(), most);
    if row.predicted.len() == row.layers.len() {
        row.predicted = only(&row.predicted, &places);
    }
    row.layers = only(&row.layers, &places);
    let Course { log10_delta, speed, prelu, .. } = &mut row.course;
    for step in log10_delta.iter_mut().chain(speed) {
        *step = only(step, &places);
    }
    // Its slopes are counted by themselves: a residual block may have several.
    prelu.iter_mut().for_each(|slopes| slopes.truncate(most));
}

fn thin_steps(course: &mut Course, most: usize) {
    let places = kept(course.steps.len(), most);
    let Course { steps, loss, penalty, log10_gradient, clipped, log10_delta, log10_w, prelu, speed } = course;
    *steps = only(steps, &places);
    for figures in [loss, penalty, log10_gradient] {
        *figures = only(figures, &places);
    }
    *clipped = only(clipped, &places);
    for figures in [log10_delta, log10_w, prelu, speed] {
        *figures = only(figures, &places);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{large, remedies};

    #[test]
    fn a_small_study_is_left_as_it_is() {
        let study = remedies();
        let (shown, note) = thinned(&study);
        assert!(matches!(shown, Cow::Borrowed(_)) && note.is_none());
    }

    #[test]
    fn first_and_last_layers_and_steps_stay_and_all_are_figures_of_the_study() {
        let study = large(12, 1000, 200);
        let (shown, note) = thinned(&study);
        let (row, all) = (&shown.groups[0].rows[1], &study.groups[0].rows[1]);
        assert!(row.layers.len() < 1000 && row.course.steps.len() < 200);
        assert_eq!((row.layers[0].layer, row.layers.last().unwrap().layer), (1, 1000));
        assert_eq!((row.course.steps[0], row.course.steps.last()), (0, all.course.steps.last()));
        for (i, step) in row.course.steps.iter().enumerate() {
            let at = all.course.steps.iter().position(|other| other == step).unwrap();
            assert_eq!(row.course.loss[i], all.course.loss[at]);
            assert_eq!(row.course.log10_w[i], all.course.log10_w[at], "all layers");
            for (l, layer) in row.layers.iter().enumerate() {
                assert_eq!(row.course.log10_delta[i][l], all.course.log10_delta[at][layer.layer - 1]);
            }
        }
        assert!(note.unwrap().contains(&format!("{} layers", row.layers.len())));
        assert_eq!(kept(5, 3), [0, 2, 4]);
        assert_eq!(kept(2, 3), [0, 1]);
    }
}
