//! ‖δ‖ of every layer at one step of training, and the slider that chooses the step.
//!
//! The chart is drawn for the first step; the page's script draws it anew from the figures that the heat maps carry. A row
//! is shown with its last record up to the step; one whose records have ended before, because it diverged, is not.

use super::chart::{Chart, Line, Scales};
use super::figures::rows_legend;
use super::mark::Mark;
use super::points::{LAYERS, layer_number};
use crate::study::summary::{Group, Row};

/// Width and height in units of the page.
const SIZE: (u32, u32) = (520, 260);

/// Every recorded step of a group, in order.
fn steps(group: &Group) -> Vec<usize> {
    let mut steps: Vec<usize> = group.rows.iter().flat_map(|row| row.course.steps.iter().copied()).collect();
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// Legend, slider and chart; nothing where there is a single step.
pub(super) fn html(group: &Group) -> String {
    let steps = steps(group);
    let [first, .., _] = steps[..] else { return String::new() };
    let all: Vec<f64> = group
        .rows
        .iter()
        .flat_map(|row| row.course.log10_delta.iter().flatten().flatten().copied())
        .collect();
    let line = |(place, row): (usize, &Row)| {
        let figures = row.course.log10_delta.first().into_iter().flatten().copied().enumerate();
        let points = figures.map(|(at, figure)| (layer_number(row, at) as f64, figure)).collect();
        Line { mark: Mark::row(place, &row.name), points }
    };
    let lines = group.rows.iter().enumerate().rev().map(line).collect();
    let label = "Gradient of each layer at the chosen step";
    let chart =
        Chart { label, x: LAYERS, size: SIZE, scales: Scales::LOG, holds: &all, bands: &[], lines }.svg();
    let listed: Vec<String> = steps.iter().map(usize::to_string).collect();
    format!(
        "{}<div class=\"at-step\" data-steps=\"{}\">\n<label class=\"slider\" hidden><span>Step</span> \
         <input type=\"range\" min=\"0\" max=\"{}\" value=\"0\" step=\"1\" aria-label=\"Step of training\" \
         aria-valuetext=\"step {first}\"/> <output>{first}</output></label>\n{chart}</div>\n",
        rows_legend(group),
        listed.join(" "),
        steps.len() - 1,
    )
}
