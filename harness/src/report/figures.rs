//! The figures of a group: which lines each of them holds and what its caption says.

use super::bars;
use super::chart::{Chart, Line};
use super::figure::{Csv, Figure, cell, panel};
use super::format::accuracy;
use super::heat;
use super::mark::{Mark, legend};
use super::ranking::{best, has_accuracy, ranked, shows_speed};
use crate::study::summary::{Data, Group, LayerFigures, Row, Summary};

/// Size of a panel, in units of the page.
const PANEL: (u32, u32) = (340, 230);

/// The untreated network of each group beside its best remedy: log10 ||delta|| per layer before the first step.
pub(super) fn overview(summary: &Summary) -> Option<Figure> {
    let mut lines = Vec::new();
    for (i, group) in summary.groups.iter().enumerate() {
        let untreated = group.rows.first().map(|row| (row, 1, format!("{}: untreated", group.name)));
        let cured = best(group).map(|(_, row)| (row, 0, format!("{}: {}", group.name, row.name)));
        for (row, dash, title) in untreated.into_iter().chain(cured) {
            lines.push(Line {
                mark: Mark::plain(i, dash, title),
                points: per_layer(row, |l| l.log10_delta[0]),
            });
        }
    }
    let drawn = lines.iter().any(|line| line.points.iter().any(|(_, y)| y.is_some()));
    let marks: Vec<Mark> = lines.iter().map(|line| line.mark.clone()).collect();
    let label = "Norm of the gradient per hidden layer before the first step";
    let svg = Chart { label, x: "hidden layer, from the input", size: (460, 320), lines }.svg();
    drawn.then(|| Figure {
        title: "‖δ‖ in each hidden layer before the first step".to_owned(),
        caption: "Dashed: untreated. Solid: the group's best remedy. The gradient arrives at the last layer, on the right, and \
                  travels to the left; a healthy line is level."
            .to_owned(),
        body: legend(&marks) + &svg,
        data: Vec::new(),
    })
}

/// All figures of a group.
pub(super) fn of(group: &Group, data: &Data) -> Vec<Figure> {
    let speed = shows_speed(group, data).then(|| speeds(group));
    let accuracies = has_accuracy(group).then(|| accuracies(group, data));
    let figures = [speed, accuracies, Some(layers(group)), heat_maps(group), Some(courses(group))];
    figures.into_iter().flatten().collect()
}

fn accuracies(group: &Group, data: &Data) -> Figure {
    let header = ["network", "rank", "outcome", "median", "min", "max"].map(str::to_owned);
    let records = ranked(group).into_iter().filter_map(|(_, row)| {
        let score = row.accuracy.as_ref()?;
        let scores = [score.median, score.min, score.max].map(|v| cell(Some(v)));
        Some(
            [
                vec![row.name.clone(), row.rank.to_string(), super::format::outcome(&row.outcome).to_owned()],
                scores.to_vec(),
            ]
            .concat(),
        )
    });
    let beaten = match data.linear.as_ref() {
        Some(linear) => format!(
            "A network earns its hidden layers only to the right of linear softmax, {}.",
            accuracy(linear.accuracy.as_ref())
        ),
        None => "A network that learned something ends to the right of the commonest class.".to_owned(),
    };
    Figure {
        title: "Accuracy on the test samples".to_owned(),
        caption: format!("Bar: median of the seeds. Whisker: from the worst seed to the best. {beaten}"),
        body: format!("<div class=\"bars\">{}</div>\n", bars::svg(group, data)),
        data: vec![Csv::new(format!("{}-accuracy.csv", group.name), &header, records)],
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
            let chart = lines(&title, "hidden layer, from the input", group, |row| {
                per_layer(row, |layer| figures(layer)[moment])
            });
            panels += &panel(&title, &chart);
        }
    }
    let header = "network,layer,log10_x_start,log10_x_end,log10_delta_start,log10_delta_end,log10_gw_start,log10_gw_end,\
                  speed_start,speed_end,moved";
    let header: Vec<String> = header.split(',').map(str::to_owned).collect();
    let records =
        group.rows.iter().flat_map(|row| row.layers.iter().map(move |layer| (row, layer))).map(|(row, l)| {
            let figures = [l.log10_x, l.log10_delta, l.log10_gw].concat();
            let small = [&l.speed[..], &[l.moved]].concat();
            let small = small.iter().map(|v| v.map_or_else(String::new, |v| format!("{v:.3e}")));
            [row.name.clone(), l.layer.to_string()]
                .into_iter()
                .chain(figures.into_iter().map(cell))
                .chain(small)
                .collect()
        });
    Figure {
        title: "Layer by layer".to_owned(),
        caption: "A line that falls to the left in ‖δ‖ is a vanishing gradient, one that rises an exploding one. Look at all \
                  three: ‖gW‖ is about the product of the other two and can be level while ‖δ‖ vanishes, because ‖x‖ \
                  shrinks the other way."
            .to_owned(),
        body: rows_legend(group) + &panels_of(&panels),
        data: vec![Csv::new(format!("{}-layers.csv", group.name), &header, records)],
    }
}

fn heat_maps(group: &Group) -> Option<Figure> {
    let maps = heat::maps(group)?;
    Some(Figure {
        title: "‖δ‖ over layers and training".to_owned(),
        caption: "Each map is one network: training runs to the right, depth upwards, from the layer next to the input at the \
                  bottom. One scale of colours serves all; dark is small, crossed out is zero or not finite. An even map is a \
                  gradient that reaches every layer. First fresh seed."
            .to_owned(),
        body: maps,
        data: vec![per_step_and_layer(group, "log10-delta", |row| &row.course.log10_delta, |v| cell(Some(v)))],
    })
}

fn courses(group: &Group) -> Figure {
    let log10 = |v: Option<f64>| v.filter(|&v| v > 0.0).map(f64::log10);
    let x = "step";
    let loss = lines("Training loss", x, group, |row| {
        over_steps(row, row.course.loss.iter().map(|&loss| log10(loss)))
    });
    let gradient = lines("Norm of all gradients together", x, group, |row| {
        over_steps(row, row.course.log10_gradient.iter().copied())
    });
    let moved = lines("How far the weights moved", "hidden layer, from the input", group, |row| {
        per_layer(row, |layer| log10(layer.moved))
    });
    let header = ["network", "step", "loss", "log10_gradient", "clipped"].map(str::to_owned);
    let records = group.rows.iter().flat_map(|row| {
        let course = &row.course;
        course.steps.iter().enumerate().map(move |(i, step)| {
            let figure = |values: &[Option<f64>]| cell(values.get(i).copied().flatten());
            let clipped = cell(course.clipped.get(i).copied());
            vec![
                row.name.clone(),
                step.to_string(),
                figure(&course.loss),
                figure(&course.log10_gradient),
                clipped,
            ]
        })
    });
    let panels = panel("Training loss", &loss)
        + &panel("Norm of all gradients, before clipping", &gradient)
        + &panel("How far the weights moved, ‖ΔW‖ / ‖W‖", &moved);
    Figure {
        title: "What training did".to_owned(),
        caption: "Loss and gradient of the first fresh seed over the steps; a line that breaks off diverged there. On the right, \
                  how far each layer's weights travelled from where they started: a layer that hardly moved learned \
                  nothing, whatever the loss did."
            .to_owned(),
        body: rows_legend(group) + &panels_of(&panels),
        data: vec![Csv::new(format!("{}-course.csv", group.name), &header, records)],
    }
}

fn speeds(group: &Group) -> Figure {
    let mut panels = String::new();
    for row in &group.rows {
        let depth = row.layers.len();
        let line = |layer: usize| {
            let speeds = row.course.speed.iter().map(|step| step.get(layer).copied().flatten());
            let log10 = speeds.map(|speed| speed.filter(|&v| v > 0.0).map(f64::log10));
            Line { mark: Mark::layer(layer + 1), points: over_steps(row, log10) }
        };
        let label = format!("Speed of learning of each hidden layer of {}", row.name);
        let lines = (0..depth).map(line).collect();
        panels += &panel(&row.name, &Chart { label: &label, x: "step", size: PANEL, lines }.svg());
    }
    let deepest = group.rows.iter().map(|row| row.layers.len()).max().unwrap_or_default();
    let marks: Vec<Mark> = (1..=deepest).map(Mark::layer).collect();
    Figure {
        title: "Speed of learning over training".to_owned(),
        caption: "‖Σδ‖ of each hidden layer, layer 1 next to the input. Where the lines lie apart, the layers learn at different \
                  speeds; evenly apart, the speed changes by the same factor from layer to layer. First fresh seed."
            .to_owned(),
        body: legend(&marks) + &panels_of(&panels),
        data: vec![per_step_and_layer(group, "speed", |row| &row.course.speed, |v| format!("{v:.3e}"))],
    }
}

/// A chart with a line for each row of a group.
fn lines(label: &str, x: &str, group: &Group, points: impl Fn(&Row) -> Vec<(f64, Option<f64>)>) -> String {
    let line = |(place, row): (usize, &Row)| Line { mark: Mark::row(place, &row.name), points: points(row) };
    // The untreated network is drawn last, over the others.
    let lines = group.rows.iter().enumerate().rev().map(line).collect();
    Chart { label, x, size: PANEL, lines }.svg()
}

fn rows_legend(group: &Group) -> String {
    let marks: Vec<Mark> =
        group.rows.iter().enumerate().map(|(place, row)| Mark::row(place, &row.name)).collect();
    legend(&marks)
}

fn panels_of(panels: &str) -> String {
    format!("<div class=\"panels\">\n{panels}</div>\n")
}

fn per_layer(row: &Row, figure: impl Fn(&LayerFigures) -> Option<f64>) -> Vec<(f64, Option<f64>)> {
    row.layers.iter().map(|layer| (layer.layer as f64, figure(layer))).collect()
}

fn over_steps(row: &Row, figures: impl Iterator<Item = Option<f64>>) -> Vec<(f64, Option<f64>)> {
    row.course.steps.iter().map(|&step| step as f64).zip(figures).collect()
}

/// A file with a record for each recorded step of each row and a column for each layer.
fn per_step_and_layer(
    group: &Group,
    what: &str,
    figures: impl Fn(&Row) -> &Vec<Vec<Option<f64>>>,
    text: impl Fn(f64) -> String,
) -> Csv {
    let deepest = group.rows.iter().map(|row| row.layers.len()).max().unwrap_or_default();
    let layers = (1..=deepest).map(|layer| format!("layer_{layer}"));
    let header: Vec<String> = ["network", "step"].map(str::to_owned).into_iter().chain(layers).collect();
    let mut records = Vec::new();
    for row in &group.rows {
        for (step, layers) in row.course.steps.iter().zip(figures(row)) {
            let value = |layer| layers.get(layer).copied().flatten().map_or_else(String::new, &text);
            records.push(
                [row.name.clone(), step.to_string()].into_iter().chain((0..deepest).map(value)).collect(),
            );
        }
    }
    Csv::new(format!("{}-{what}.csv", group.name), &header, records.into_iter())
}
