//! The figures of a group: which lines each of them holds and what its caption says.

use std::collections::BTreeSet;

use super::bars;
use super::chart::{Chart, Line, Scales};
use super::figure::{Figure, panel};
use super::format::{accuracy, baseline};
use super::heat::Kind;
use super::mark::{Mark, legend};
use super::points::{LAYERS, Points, layer_number, log10, over_steps, per_layer};
use super::ranking::{has_accuracy, shows_speed};
use super::{band, files, heat, histogram, spectra, steps, time, treatment};
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
    let inside = [histogram::figure(group), spectra::figure(group)];
    let figures =
        [speed, accuracies, time, layers, maps].into_iter().chain(inside).chain([Some(courses(group))]);
    figures.flatten().chain(treatment::of(group)).collect()
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
    const GRADIENT: &str = "Gradient ‖δ‖";
    const INPUT: &str = "Layer input ‖x‖";
    let kinds: [(&str, Figures); 3] =
        [(GRADIENT, |l| &l.log10_delta), (INPUT, |l| &l.log10_x), ("Weight gradient ‖gW‖", |l| &l.log10_gw)];
    let mut panels = String::new();
    for (moment, when) in ["before the first step", "after the last step"].into_iter().enumerate() {
        for (kind, figures) in kinds {
            let title = format!("{kind} {when}");
            let all = group.rows.iter().flat_map(|row| row.layers.iter().flat_map(figures));
            let both: Vec<f64> = all.flatten().copied().collect();
            let mut lines = rows_lines(group, |row| per_layer(row, |layer| figures(layer)[moment]));
            let mut bands = Vec::new();
            // Theory speaks of the start, and of these two.
            match (moment, kind) {
                (0, GRADIENT) => {
                    lines.extend(band::lines(group, band::gradients));
                    bands = band::bands(group);
                }
                (0, INPUT) => lines.extend(band::lines(group, band::inputs)),
                _ => {}
            }
            let scales = Scales::LOG;
            let chart =
                Chart { label: &title, x: LAYERS, size: PANEL, scales, holds: &both, bands: &bands, lines };
            panels += &panel(&title, &chart.svg());
        }
    }
    Figure {
        title: "Layer by layer".to_owned(),
        caption: "A line that falls to the left in ‖δ‖ is a vanishing gradient, one that rises an \
                  exploding one. Look at all three: ‖gW‖ is about the product of the other two and can be \
                  level while ‖δ‖ vanishes, because ‖x‖ shrinks the other way. Dotted, before the first step: what theory \
                  expects of each network that it knows, from the gradient of the last layer and from the data; the \
                  band holds the mean of the seeds with 95 % probability if one input and a Gaussian gradient went through \
                  layers independent of each other."
            .to_owned(),
        body: rows_legend(group) + &panels_of(&panels),
        data: vec![files::layers(group)],
    }
}

fn heat_maps(group: &Group) -> Option<Figure> {
    let gradients = heat::maps(group, Kind::Gradient)?;
    let factors = heat::maps(group, Kind::Factor).map_or(String::new(), |maps| {
        format!("<p class=\"part-title\">Factor of each layer, ‖δ‖ of it over ‖δ‖ of the next</p>\n{maps}")
    });
    Some(Figure {
        title: "‖δ‖ over layers and training".to_owned(),
        caption: "Each map is one network: training runs to the right, depth upwards, from the layer next \
                  to the input at the bottom. One scale of colours serves all maps of a kind; of ‖δ‖, dark is small, and an \
                  even map is a gradient that reaches every layer; of factors, blue shrinks it, grey keeps it, and red \
                  makes it larger. Blank is zero or not finite. Below, the layers of all networks at one step. First fresh \
                  seed."
            .to_owned(),
        body: gradients + &factors + &steps::html(group),
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
        let line = |place: usize| {
            let speeds = row.course.speed.iter().map(|step| step.get(place).copied().flatten());
            Line { mark: layer_mark(layer_number(row, place)), points: over_steps(row, speeds.map(log10)) }
        };
        let label = format!("Speed of learning of each hidden layer of {}", row.name);
        let lines = (0..depth).map(line).collect();
        panels += &panel(
            &row.name,
            &Chart {
                label: &label,
                x: "step",
                size: PANEL,
                scales: Scales::LOG,
                holds: &all,
                bands: &[],
                lines,
            }
            .svg(),
        );
    }
    let numbers: BTreeSet<usize> =
        group.rows.iter().flat_map(|row| row.layers.iter().map(|layer| layer.layer)).collect();
    let marks: Vec<Mark> = numbers.into_iter().map(layer_mark).collect();
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
    let lines = rows_lines(group, points);
    Chart { label, x, size: PANEL, scales, holds, bands: &[], lines }.svg()
}

/// A line for each row of a group, the untreated network last, over the others.
fn rows_lines(group: &Group, points: impl Fn(&Row) -> Points) -> Vec<Line> {
    let line = |(place, row): (usize, &Row)| Line { mark: Mark::row(place, &row.name), points: points(row) };
    group.rows.iter().enumerate().rev().map(line).collect()
}

pub(super) fn rows_legend(group: &Group) -> String {
    let marks: Vec<Mark> =
        group.rows.iter().enumerate().map(|(place, row)| Mark::row(place, &row.name)).collect();
    legend(&marks)
}

pub(super) fn panels_of(panels: &str) -> String {
    format!("<div class=\"panels\">\n{panels}</div>\n")
}

/// The mark of a layer, counted from 1.
pub(super) fn layer_mark(layer: usize) -> Mark {
    Mark::numbered(layer - 1, format!("layer {layer}"))
}
