//! The figures of what was done to units, weights and gradients: dead and saturated units, where outputs lie, what a step
//! costs, PReLU's slopes, how much clipping cut, what a penalty added, how large weights became.

use super::chart::{Chart, Line, Scales};
use super::figure::{Figure, panel};
use super::figures::{PANEL, layer_mark, panels_of, rows_chart, rows_legend};
use super::files;
use super::format::{NOTHING, escape, fraction, significant};
use super::mark::{Mark, legend};
use super::points::{LAYERS, log10, over_steps, per_layer};
use super::time;
use crate::study::summary::{Group, LayerFigures, Row};

/// Before the first step and after the last.
const MOMENTS: [&str; 2] = ["before the first step", "after the last step"];
/// The ends of an axis of fractions.
const WHOLE: [f64; 2] = [0.0, 1.0];

/// The figures that a group has anything to show in.
pub(super) fn of(group: &Group) -> impl Iterator<Item = Figure> {
    [units(group), slopes(group), held_back(group)].into_iter().flatten()
}

/// Dead and saturated units, mean and deviation of outputs.
fn units(group: &Group) -> Option<Figure> {
    type Figures = fn(&LayerFigures) -> [Option<f64>; 2];
    group.rows.iter().flat_map(|row| &row.layers).find(|layer| layer.dead[0].is_some())?;
    let kinds: [(&str, usize, Figures, &[f64]); 5] = [
        ("Dead units", 1, |l| l.dead, &WHOLE),
        ("Saturated", 1, |l| l.saturated, &WHOLE),
        ("Mean of the outputs", 0, |l| l.mean, &[0.0]),
        ("Mean of the outputs", 1, |l| l.mean, &[0.0]),
        ("Deviation of the outputs", 1, |l| l.deviation, &[0.0]),
    ];
    let panels = kinds.map(|(kind, moment, figures, holds)| {
        let title = format!("{kind} {}", MOMENTS[moment]);
        // Layers with a cell have several activations, of which none stands for the units.
        let points = |row: &Row| match time::steps(row) {
            None => per_layer(row, |layer| figures(layer)[moment]),
            Some(_) => Vec::new(),
        };
        if group.rows.iter().flat_map(points).all(|(_, figure)| figure.is_none()) {
            return String::new();
        }
        panel(&title, &rows_chart(&title, LAYERS, Scales::LINEAR, holds, group, points))
    });
    let panels = panels.concat();
    let has_units = !panels.is_empty();
    let units = "A unit is dead if its slope is 0 on every sample of a batch: it learns no more. It is saturated on a sample \
                 where its slope is below 1 % of the steepest; for ReLU that is the half that it cuts off. Outputs whose \
                 mean is not 0, as those of ReLU and sigmoid, shift every sum of the next layer. ";
    let steps = "The noise scale is the batch size at which noise and gradient are level, tr(Σ)/|G|²; it is missing with \
                 batch norm and where noise drowns the gradient. Milliseconds differ between machines.";
    Some(Figure {
        title: if has_units { "What the units do" } else { "Price and noise of a step" }.to_owned(),
        caption: if has_units { units } else { "" }.to_owned() + steps,
        body: table(group, has_units)
            + &if has_units { rows_legend(group) + &panels_of(&panels) } else { String::new() },
        data: vec![files::units(group)],
    })
}

/// One line for each row: means over its hidden layers after the last step, if it has units to show, the price of a
/// step, the noise scale.
fn table(group: &Group, has_units: bool) -> String {
    let header =
        ["dead", "saturated", "mean", "deviation", "ms per step", "noise scale, start", "noise scale, end"]
            .map(|name| format!("<th scope=\"col\">{name}</th>"));
    // Four columns of units before those of steps.
    let shown =
        |units: &[String], step: &[String]| [if has_units { units } else { &[] }, step].concat().concat();
    let number = |value: Option<f64>, text: fn(f64) -> String| {
        format!("<td class=\"number\">{}</td>", value.map_or(NOTHING.to_owned(), text).replace('-', "−"))
    };
    let rows = group.rows.iter().map(|row| {
        let mean = |figure: fn(&LayerFigures) -> [Option<f64>; 2]| {
            let known: Option<Vec<f64>> = row.layers.iter().map(|layer| figure(layer)[1]).collect();
            known
                .filter(|all| !all.is_empty() && time::steps(row).is_none())
                .map(|all| all.iter().sum::<f64>() / all.len() as f64)
        };
        // The estimate is a difference: where noise drowns the gradient it can fall below 0.
        let noise = |moment: usize| row.noise_scale[moment].filter(|scale| *scale > 0.0);
        let units = [
            number(mean(|l| l.dead), fraction),
            number(mean(|l| l.saturated), fraction),
            number(mean(|l| l.mean), significant),
            number(mean(|l| l.deviation), significant),
        ];
        let step = [
            number(row.step_seconds.map(|seconds| 1e3 * seconds), significant),
            number(noise(0), significant),
            number(noise(1), significant),
        ];
        format!("<tr><th scope=\"row\">{}</th>{}</tr>\n", escape(&row.name), shown(&units, &step))
    });
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Units and steps\"><table class=\"plain\">\
         {}<thead><tr><th scope=\"col\">network</th>{}</tr></thead>\n\
         <tbody>\n{}</tbody></table></div>\n",
        if has_units {
            "<caption>Units: means over the hidden layers after the last step.</caption>\n"
        } else {
            ""
        },
        shown(&header[..4], &header[4..]),
        rows.collect::<String>()
    )
}

/// The slopes k that PReLU learned.
fn slopes(group: &Group) -> Option<Figure> {
    let learned = |row: &&Row| !row.course.prelu.is_empty();
    let count = |row: &Row| row.course.prelu.iter().map(Vec::len).max().unwrap_or_default();
    let all: Vec<f64> =
        group.rows.iter().flat_map(|row| row.course.prelu.iter().flatten().flatten()).copied().collect();
    let deepest = group.rows.iter().map(count).max().filter(|count| *count > 0)?;
    let panels = group.rows.iter().filter(learned).map(|row| {
        let line = |layer: usize| Line {
            mark: layer_mark(layer + 1),
            points: over_steps(row, row.course.prelu.iter().map(|step| step.get(layer).copied().flatten())),
        };
        let label = format!("Slope k of each PReLU of {}", row.name);
        let lines = (0..count(row)).map(line).collect();
        let chart = Chart {
            label: &label,
            x: "step",
            size: PANEL,
            scales: Scales::LINEAR,
            holds: &all,
            bands: &[],
            lines,
        };
        panel(&row.name, &chart.svg())
    });
    let marks: Vec<Mark> = (1..=deepest).map(layer_mark).collect();
    Some(Figure {
        title: "PReLU's slope over training".to_owned(),
        caption: "k of φ(h) = k h for h < 0, one per layer, learned like a weight; layer 1 next to the input. 0 would be \
                  ReLU, 1 no activation at all. First fresh seed."
            .to_owned(),
        body: legend(&marks) + &panels_of(&panels.collect::<String>()),
        data: vec![files::slopes(group)],
    })
}

/// Clipping, penalty and weights over the steps.
fn held_back(group: &Group) -> Option<Figure> {
    let courses = || group.rows.iter().map(|row| &row.course);
    courses().find(|course| !course.log10_w.is_empty())?;
    let mut panels = String::new();
    let mut add = |title: &str, scale, holds: &[f64], points: &dyn Fn(&Row) -> Vec<Option<f64>>| {
        let points = |row: &Row| over_steps(row, points(row).into_iter());
        panels += &panel(title, &rows_chart(title, "step", scale, holds, group, points));
    };
    // Themselves where a reader can compare them so, which shows what decay does; powers of ten where they explode.
    let sizes: Vec<f64> = group.rows.iter().flat_map(weights).flatten().collect();
    if sizes.iter().all(|log10| (log10 - sizes[0]).abs() < 1.0) {
        let sizes = |row: &Row| weights(row).into_iter().map(|log10| log10.map(|v| 10f64.powf(v))).collect();
        add("Norm of all hidden weights together", Scales::LINEAR, &[0.0], &sizes);
    } else {
        add("Norm of all hidden weights together", Scales::LOG, &[], &weights);
    }
    if courses().any(|course| course.clipped.iter().any(|fraction| *fraction > 0.0)) {
        // The last record measures the trained network, and takes no step that could be clipped.
        let clipped = |row: &Row| {
            let recorded = row.course.steps.iter().zip(&row.course.clipped);
            recorded.map(|(step, fraction)| (*step < row.steps).then_some(*fraction)).collect()
        };
        add("Fraction of the gradient that clipping changed", Scales::LINEAR, &WHOLE, &clipped);
    }
    if courses().any(|course| course.penalty.iter().flatten().any(|penalty| *penalty > 0.0)) {
        let penalty = |row: &Row| row.course.penalty.iter().map(|penalty| log10(*penalty)).collect();
        add("Penalty in the loss", Scales::LOG, &[], &penalty);
    }
    Some(Figure {
        title: "What was held back".to_owned(),
        caption: "How large the hidden layers' weights became, and where there is any: how much of the gradient clipping \
                  changed, of its elements or, unit by unit, of the units; and what the penalty adds to the loss. First \
                  fresh seed."
            .to_owned(),
        body: rows_legend(group) + &panels_of(&panels),
        // The figures over the steps have one file, with the losses.
        data: Vec::new(),
    })
}

/// log10 of the norm of a row's hidden weights together at each recorded step; none where a layer's is none.
pub(super) fn weights(row: &Row) -> Vec<Option<f64>> {
    let together = |layers: &Vec<Option<f64>>| {
        let known: Option<Vec<f64>> = layers.iter().copied().collect();
        let known = known.filter(|layers| !layers.is_empty())?;
        let largest = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let squares: f64 = known.iter().map(|log10| 10f64.powf(2.0 * (log10 - largest))).sum();
        Some(largest + squares.log10() / 2.0)
    };
    row.course.log10_w.iter().map(together).collect()
}
