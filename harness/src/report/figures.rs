//! The figures of a group: which lines each of them holds and what its caption says.

use super::bars;
use super::chart::{Chart, Line, Scales};
use super::figure::{Figure, panel};
use super::format::{accuracy, baseline};
use super::mark::{Mark, legend};
use super::points::{LAYERS, Points, log10, over_steps, per_layer};
use super::ranking::{has_accuracy, shows_speed};
use super::{files, heat, steps, time, treatment};
use crate::study::summary::{Data, Group, LayerFigures, Row};

/// Size of a panel, in units of the page.
pub(super) const PANEL: (u32, u32) = (340, 230);

/// All figures of a group.
pub(super) fn of(group: &Group, data: &Data) -> Vec<Figure> {
    let speed = shows_speed(group, data).then(|| speeds(group));
    let accuracies = has_accuracy(group).then(|| accuracies(group, data));
    let time = time::of(group).then(|| through_time(group));
    let layers = has_layers(group).then(|| layers(group));
    let maps = if has_layers(group) { heat_maps(group) } else { None };
    let figures = [speed, accuracies, time, layers, maps, Some(courses(group))];
    figures.into_iter().flatten().chain(treatment::of(group)).collect()
}

/// Whether any network of the group has layers to compare.
fn has_layers(group: &Group) -> bool {
    group.rows.iter().any(|row| row.layers.len() > 1)
}

fn accuracies(group: &Group, data: &Data) -> Figure {
    let beaten = match data.linear.as_ref() {
        Some(linear) => format!(
            "A network earns its hidden layers only to the right of linear softmax, {}.",
            accuracy(linear.accuracy.as_ref())
        ),
        None => format!("A network that learned something ends to the right of {}.", baseline(data)),
    };
    Figure {
        title: "Accuracy on the test samples".to_owned(),
        caption: format!("Bar: median of the seeds. Whisker: from the worst seed to the best. {beaten}"),
        body: format!("<div class=\"bars\">{}</div>\n", bars::svg(group, data)),
        data: vec![files::accuracies(group)],
    }
}

fn through_time(group: &Group) -> Figure {
    let of = |moment| group.rows.iter().flat_map(move |row| time::curve(row, moment));
    let both: Vec<f64> = of(0).chain(of(1)).flatten().copied().collect();
    let mut panels = String::new();
    for (moment, when) in ["before training", "after training"].into_iter().enumerate() {
        let title = format!("Gradient of the state {when}");
        let points = |row: &Row| time::points(row, moment);
        panels += &panel(&title, &lines(&title, time::TIME, &both, group, points));
    }
    Figure {
        title: "Back through time".to_owned(),
        caption: "Norm of the loss's gradient with respect to the state (c of an LSTM, else h) of the topmost \
                  recurrent layer after each step. A line that falls to the left is a gradient that vanishes: \
                  what happened there moves the weights little. Medians over the seeds."
            .to_owned(),
        body: rows_legend(group) + &panels_of(&panels),
        data: vec![files::through_time(group)],
    }
}

fn layers(group: &Group) -> Figure {
    type Figures = fn(&LayerFigures) -> &[Option<f64>; 2];
    let kinds: [(&str, Figures); 3] = [
        ("Gradient ‖δ‖", |l| &l.log10_delta),
        ("Layer input ‖x‖", |l| &l.log10_x),
        ("Weight gradient ‖gW‖", |l| &l.log10_gw),
    ];
    let mut panels = String::new();
    for (moment, when) in ["before the first step", "after the last step"].into_iter().enumerate() {
        for (kind, figures) in kinds {
            let title = format!("{kind} {when}");
            let all = group.rows.iter().flat_map(|row| row.layers.iter().flat_map(figures));
            let both: Vec<f64> = all.flatten().copied().collect();
            let chart =
                lines(&title, LAYERS, &both, group, |row| per_layer(row, |layer| figures(layer)[moment]));
            panels += &panel(&title, &chart);
        }
    }
    Figure {
        title: "Layer by layer".to_owned(),
        caption: "A line that falls to the left in ‖δ‖ is a vanishing gradient, one that rises an \
                  exploding one. Look at all three: ‖gW‖ is about the product of the other two and can be \
                  level while ‖δ‖ vanishes, because ‖x‖ shrinks the other way."
            .to_owned(),
        body: rows_legend(group) + &panels_of(&panels),
        data: vec![files::layers(group)],
    }
}

fn heat_maps(group: &Group) -> Option<Figure> {
    let maps = heat::maps(group)?;
    Some(Figure {
        title: "‖δ‖ over layers and training".to_owned(),
        caption: "Each map is one network: training runs to the right, depth upwards, from the layer next \
                  to the input at the bottom. One scale of colours serves all; dark is small, blank is \
                  zero or not finite. An even map is a gradient that reaches every layer. Below, the layers of all \
                  networks at one step. First fresh seed."
            .to_owned(),
        body: maps + &steps::html(group),
        data: vec![files::gradients(group)],
    })
}

fn courses(group: &Group) -> Figure {
    let x = "step";
    let loss = lines("Training loss", x, &[], group, |row| {
        over_steps(row, row.course.loss.iter().map(|&loss| log10(loss)))
    });
    let gradient = lines("Norm of all gradients together", x, &[], group, |row| {
        over_steps(row, row.course.log10_gradient.iter().copied())
    });
    let moved = lines("How far the weights moved", LAYERS, &[], group, |row| {
        per_layer(row, |layer| log10(layer.moved))
    });
    let mut panels =
        panel("Training loss", &loss) + &panel("Norm of all gradients, before clipping", &gradient);
    if has_layers(group) {
        panels += &panel("How far the weights moved, ‖ΔW‖ / ‖W‖", &moved);
    }
    let layers = " On the right, how far each layer's weights travelled from where they started: a layer that hardly \
                  moved learned nothing, whatever the loss did.";
    Figure {
        title: "What training did".to_owned(),
        caption: format!(
            "Loss and gradient of the first fresh seed over the steps; a line that breaks off diverged there.{}",
            if has_layers(group) { layers } else { "" }
        ),
        body: rows_legend(group) + &panels_of(&panels),
        data: vec![files::courses(group)],
    }
}

fn speeds(group: &Group) -> Figure {
    let figures = group.rows.iter().flat_map(|row| row.course.speed.iter().flatten());
    let all: Vec<f64> = figures.filter_map(|&speed| log10(speed)).collect();
    let mut panels = String::new();
    for row in &group.rows {
        let depth = row.layers.len();
        let line = |layer: usize| {
            let speeds = row.course.speed.iter().map(|step| step.get(layer).copied().flatten());
            Line { mark: layer_mark(layer), points: over_steps(row, speeds.map(log10)) }
        };
        let label = format!("Speed of learning of each hidden layer of {}", row.name);
        let lines = (0..depth).map(line).collect();
        panels += &panel(
            &row.name,
            &Chart { label: &label, x: "step", size: PANEL, scales: Scales::LOG, holds: &all, lines }.svg(),
        );
    }
    let deepest = group.rows.iter().map(|row| row.layers.len()).max().unwrap_or_default();
    let marks: Vec<Mark> = (0..deepest).map(layer_mark).collect();
    Figure {
        title: "Speed of learning over training".to_owned(),
        caption: "‖Σδ‖ of each hidden layer, layer 1 next to the input. Where the lines lie apart, the \
                  layers learn at different speeds; evenly apart, the speed changes by the same factor \
                  from layer to layer. First fresh seed."
            .to_owned(),
        body: legend(&marks) + &panels_of(&panels),
        data: vec![files::speeds(group)],
    }
}

/// A chart with a line for each row of a group, over powers of ten.
fn lines(label: &str, x: &str, holds: &[f64], group: &Group, points: impl Fn(&Row) -> Points) -> String {
    rows_chart(label, x, Scales::LOG, holds, group, points)
}

/// A chart with a line for each row of a group.
pub(super) fn rows_chart(
    label: &str,
    x: &str,
    scales: Scales,
    holds: &[f64],
    group: &Group,
    points: impl Fn(&Row) -> Points,
) -> String {
    let line = |(place, row): (usize, &Row)| Line { mark: Mark::row(place, &row.name), points: points(row) };
    // The untreated network is drawn last, over the others.
    let lines = group.rows.iter().enumerate().rev().map(line).collect();
    Chart { label, x, size: PANEL, scales, holds, lines }.svg()
}

pub(super) fn rows_legend(group: &Group) -> String {
    let marks: Vec<Mark> =
        group.rows.iter().enumerate().map(|(place, row)| Mark::row(place, &row.name)).collect();
    legend(&marks)
}

pub(super) fn panels_of(panels: &str) -> String {
    format!("<div class=\"panels\">\n{panels}</div>\n")
}

/// The mark of a layer, counted from 0.
pub(super) fn layer_mark(layer: usize) -> Mark {
    Mark::numbered(layer, format!("layer {}", layer + 1))
}
