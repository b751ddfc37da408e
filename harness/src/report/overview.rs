//! The one figure of the first screen; of a sweep, what each network reached.

use super::chart::{Chart, Line, Scales};
use super::figure::Figure;
use super::files;
use super::mark::{Mark, legend};
use super::points::{LAYERS, log10, per_layer};
use super::ranking::{best, has_accuracy};
use super::{sweep, time};
use crate::study::summary::{Group, Row, Summary};

/// Gradients of the sick and the cured, or speeds of learning where nothing is scored.
pub(super) fn figure(summary: &Summary) -> Option<Figure> {
    if let Some(family) = sweep::families(summary).first() {
        return Some(sweep::overview(family));
    }
    let scored = summary.groups.iter().any(has_accuracy);
    let lines = if scored { sick_and_cured(summary) } else { starting_speeds(summary) };
    lines.iter().flat_map(|line| &line.points).find(|(_, y)| y.is_some())?;
    let in_time = scored && looks_through_time(summary);
    let (title, caption) = if in_time {
        (
            "Gradient of the state after each step in time, before training",
            "Dashed: untreated. Solid: the group's best remedy. The gradient comes from the last step, on the right, \
             and travels back in time, to the left; a healthy line is level.",
        )
    } else if scored {
        (
            "‖δ‖ in each hidden layer before the first step",
            "Dashed: untreated. Solid: the group's best remedy. The gradient arrives at the last layer, on \
             the right, and travels to the left; a healthy line is level.",
        )
    } else {
        (
            "Speed of learning before the first step",
            "‖Σδ‖ of each hidden layer, a line for each network. The steeper the line, the further the \
             first layers fall behind the last.",
        )
    };
    let marks: Vec<Mark> = lines.iter().map(|line| line.mark.clone()).collect();
    let data = files::points(&summary.name, &lines);
    Some(Figure {
        title: title.to_owned(),
        caption: caption.to_owned(),
        body: legend(&marks)
            + &Chart {
                label: title,
                x: if in_time { time::TIME } else { LAYERS },
                size: (390, 280),
                scales: Scales::LOG,
                holds: &[],
                bands: &[],
                lines,
            }
            .svg(),
        data: vec![data],
    })
}

/// Whether every group is recurrent: layers and steps in time have no axis in common.
fn looks_through_time(summary: &Summary) -> bool {
    summary.groups.iter().all(time::of)
}

/// log10 ||delta|| per layer before the first step, or of the state after each step in time where all groups are
/// recurrent, of each group's untreated network and its best remedy. Beside others, recurrent groups are left out.
fn sick_and_cured(summary: &Summary) -> Vec<Line> {
    let in_time = looks_through_time(summary);
    let mut lines = Vec::new();
    for (i, group) in summary.groups.iter().enumerate().filter(|(_, group)| in_time || !time::of(group)) {
        let untreated = group.rows.first().map(|row| (row, 1, format!("{}: {}", group.name, row.name)));
        let cured = best(group).map(|(_, row)| (row, 0, format!("{}: {}", group.name, row.name)));
        for (row, dash, title) in untreated.into_iter().chain(cured) {
            let points = match in_time {
                true => time::points(row, 0),
                false => per_layer(row, |layer| layer.log10_delta[0]),
            };
            lines.push(Line { mark: Mark::plain(i, dash, title), points });
        }
    }
    lines
}

/// The speed of learning per layer before the first step, of every network.
fn starting_speeds(summary: &Summary) -> Vec<Line> {
    let rows = summary.groups.iter().flat_map(|group| group.rows.iter().map(move |row| (group, row)));
    let line = |(i, (group, row)): (usize, (&Group, &Row))| Line {
        mark: Mark::numbered(i, format!("{}: {}", group.name, row.name)),
        points: per_layer(row, |layer| log10(layer.speed[0])),
    };
    rows.enumerate().map(line).collect()
}
