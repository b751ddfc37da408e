//! Recurrent rows: the gradient of the state step by step through time, and when it is forgotten.

use super::format::{NOTHING, list};
use super::points::Points;
use crate::study::summary::{Group, Row};
use crate::train::forgetting;

/// log10 of the gradient of the topmost layer's state after each step, from the first; empty unless the row is
/// recurrent. `moment` is 0 before the first training step and 1 after the last.
pub(super) fn curve(row: &Row, moment: usize) -> &[Option<f64>] {
    row.layers.last().map_or(&[], |layer| &layer.through_time[moment])
}

/// Steps in time of a recurrent row.
pub(super) fn steps(row: &Row) -> Option<usize> {
    let steps = curve(row, 0).len();
    (steps > 1).then_some(steps)
}

/// Whether a group looks through time: any of its rows is recurrent.
pub(super) fn of(group: &Group) -> bool {
    group.rows.iter().any(|row| steps(row).is_some())
}

/// Name of the axis of points through time.
pub(super) const TIME: &str = "step in time";

/// What the ratio of such rows compares.
pub(super) const RATIO: &str =
    "of the state's gradient after the first step in time over that after the last";

/// The same as points over the steps, from 1.
pub(super) fn points(row: &Row, moment: usize) -> Points {
    (1..).map(f64::from).zip(curve(row, moment).iter().copied()).collect()
}

/// When each row of a group forgets, in words; none where no row is recurrent.
pub(super) fn forgetting_times(group: &Group) -> Option<String> {
    let time = |row: &Row, moment| match forgetting(curve(row, moment)) {
        None => NOTHING.to_owned(),
        Some(all) if Some(all) == steps(row) => format!("over {}", all - 1),
        Some(steps) => steps.to_string(),
    };
    let rows = group.rows.iter().filter(|row| steps(row).is_some());
    let times: Vec<String> =
        rows.map(|row| format!("{} ({} → {})", row.name, time(row, 0), time(row, 1))).collect();
    (!times.is_empty()).then(|| {
        format!(
            "steps back in time over which the gradient of the state falls to a tenth, before → after training: {}.",
            list(&times)
        )
    })
}
