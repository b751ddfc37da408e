//! The figures' data as comma-separated values.

use std::collections::{BTreeMap, BTreeSet};

use super::activation::curves;
use super::band;
use super::chart::Line;
use super::format::{escape, outcome};
use super::points::layer_number;
use super::ranking::ranked;
use super::sweep::Family;
use super::theory::Place;
use super::time;
use super::treatment::weights;
use crate::activation::Activation;
use crate::study::summary::{Group, Histogram, Row, Spread};

/// A file of comma-separated values.
pub(super) struct Csv {
    /// Name of the file.
    name: String,
    text: String,
}

impl Csv {
    fn new(of: &str, what: &str, header: &[String], records: impl Iterator<Item = Vec<String>>) -> Self {
        let name = format!("{of}-{what}.csv");
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing to memory does not fail, and all records of a file have the header's length.
        let written = writer
            .write_record(header)
            .and_then(|()| records.into_iter().try_for_each(|r| writer.write_record(r)));
        let bytes = writer.into_inner().unwrap_or_default();
        let text = match written {
            Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => error.to_string(),
        };
        Self { name, text }
    }

    /// The file to read, folded away; the page's script offers to save it.
    pub(super) fn html(&self) -> String {
        let name = escape(&self.name);
        format!(
            "<details class=\"data\"><summary>Data: {name}</summary>\n\
             <pre tabindex=\"0\" role=\"region\" aria-label=\"{name}\" \
             data-file=\"{name}\">{}</pre></details>\n",
            escape(&self.text)
        )
    }
}

/// The points of a chart over layers.
pub(super) fn points(study: &str, lines: &[Line]) -> Csv {
    let points = lines.iter().flat_map(|line| line.points.iter().map(move |point| (&line.mark.title, point)));
    let records = points.map(|(title, &(x, y))| vec![title.clone(), format!("{x}"), cell(y, fixed)]);
    Csv::new(study, "start", &header("network,layer,log10"), records)
}

/// The gradient through time of each row, before and after training.
pub(super) fn through_time(group: &Group) -> Csv {
    let records = group.rows.iter().flat_map(|row| {
        let [start, end] = [0, 1].map(|moment| time::curve(row, moment));
        start.iter().enumerate().map(move |(t, norm)| {
            let after = end.get(t).copied().flatten();
            vec![row.name.clone(), (t + 1).to_string(), cell(*norm, fixed), cell(after, fixed)]
        })
    });
    Csv::new(&group.name, "time", &header("network,step,log10_start,log10_end"), records)
}

/// Accuracy of each row, best first.
pub(super) fn accuracies(group: &Group) -> Csv {
    let records = ranked(group).into_iter().filter_map(|(_, row)| {
        let score = row.accuracy.as_ref()?;
        let words = [row.name.clone(), row.rank.to_string(), outcome(&row.outcome).to_owned()];
        Some(words.into_iter().chain([score.median, score.min, score.max].map(fixed)).collect())
    });
    Csv::new(&group.name, "accuracy", &header("network,rank,outcome,median,min,max"), records)
}

/// Accuracy and gradient ratio of each row of a sweep at each value.
pub(super) fn sweep(family: &Family<'_>) -> Csv {
    let names = family.rows().map(str::to_owned).enumerate();
    let records = names.flat_map(|(place, name)| {
        family.row(place).map(move |(value, row)| {
            let median = |spread: &Option<Spread>| spread.as_ref().map(|spread| spread.median);
            let figures = [median(&row.accuracy), median(&row.ratio_start), median(&row.ratio_end)];
            let words = [name.clone(), value.to_string(), outcome(&row.outcome).to_owned()];
            words.into_iter().chain(figures.map(|figure| cell(figure, fixed))).collect()
        })
    });
    let header =
        format!("network,{},outcome,accuracy,log10_ratio_start,log10_ratio_end", family.field.name());
    Csv::new(family.name, "sweep", &self::header(&header), records)
}

/// What was measured in each layer of each row.
pub(super) fn layers(group: &Group) -> Csv {
    const COLUMNS: &str = "network,layer,log10_x_start,log10_x_end,log10_delta_start,log10_delta_end,\
                           log10_gw_start,log10_gw_end,speed_start,speed_end,moved,\
                           expected_log10_x_start,expected_log10_delta_start";
    let layers = group.rows.iter().flat_map(|row| {
        let expected = [band::inputs(row), band::gradients(row)];
        let at =
            move |place: usize| expected.each_ref().map(|points| points.get(place).and_then(|point| point.1));
        row.layers.iter().enumerate().map(move |(place, layer)| (row, layer, at(place)))
    });
    let records = layers.map(|(row, layer, expected)| {
        let logs = [layer.log10_x, layer.log10_delta, layer.log10_gw].concat();
        let sizes = [layer.speed[0], layer.speed[1], layer.moved];
        let place = [row.name.clone(), layer.layer.to_string()];
        let figures = logs.into_iter().map(|v| cell(v, fixed)).chain(sizes.map(|v| cell(v, scientific)));
        place.into_iter().chain(figures).chain(expected.map(|v| cell(v, fixed))).collect()
    });
    Csv::new(&group.name, "layers", &header(COLUMNS), records)
}

/// What the units of each layer of each row do.
pub(super) fn units(group: &Group) -> Csv {
    const COLUMNS: &str = "network,layer,dead_start,dead_end,saturated_start,saturated_end,mean_start,mean_end,\
                           deviation_start,deviation_end";
    let layers = group.rows.iter().flat_map(|row| row.layers.iter().map(move |layer| (row, layer)));
    let records = layers.map(|(row, layer)| {
        let fractions = [layer.dead, layer.saturated].concat().into_iter().map(|v| cell(v, fixed));
        let outputs = [layer.mean, layer.deviation].concat().into_iter().map(|v| cell(v, scientific));
        [row.name.clone(), layer.layer.to_string()].into_iter().chain(fractions).chain(outputs).collect()
    });
    Csv::new(&group.name, "units", &header(COLUMNS), records)
}

/// The histograms of layers of each row: values in bins of equal width from the least value to the largest.
pub(super) fn histograms(group: &Group) -> Csv {
    let mut records = Vec::new();
    for row in &group.rows {
        for (moment, layers) in ["start", "end"].into_iter().zip(&row.histograms) {
            for of in layers {
                for (figure, histogram) in [("h", &of.signal), ("log10_delta", &of.log10_delta)] {
                    let Some(Histogram { low, high, counts, outside }) = histogram else { continue };
                    let words =
                        [row.name.clone(), of.layer.to_string(), moment.to_owned(), figure.to_owned()];
                    let figures = [scientific(*low), scientific(*high), outside.to_string()];
                    let counts = counts.iter().map(u32::to_string);
                    records.push(words.into_iter().chain(figures).chain(counts).collect::<Vec<String>>());
                }
            }
        }
    }
    let mut header = header("network,layer,moment,figure,least,largest,not_finite");
    let bins = records.first().map_or(0, |record| record.len() - header.len());
    header.extend((1..=bins).map(|bin| format!("bin_{bin}")));
    Csv::new(&group.name, "histograms", &header, records.into_iter())
}

/// The singular values of each row.
pub(super) fn spectra(group: &Group) -> Csv {
    let records = group.rows.iter().flat_map(|row| {
        let moments = ["start", "end"].into_iter().zip(&row.spectra);
        moments.flat_map(move |(moment, spectrum)| {
            let values = spectrum.iter().flat_map(|spectrum| &spectrum.log10);
            values.map(move |value| vec![row.name.clone(), moment.to_owned(), fixed(*value)])
        })
    });
    Csv::new(&group.name, "spectra", &header("network,moment,log10_s"), records)
}

/// PReLU's slope in each layer of each row over its steps.
pub(super) fn slopes(group: &Group) -> Csv {
    per_step_and_layer(group, "prelu", |row| &row.course.prelu, |_, place| place + 1, fixed)
}

/// Loss, penalty, gradient, clipping and weights of each row over its steps.
pub(super) fn courses(group: &Group) -> Csv {
    let records = group.rows.iter().flat_map(|row| {
        let (course, weights) = (&row.course, weights(row));
        course.steps.iter().enumerate().map(move |(i, step)| {
            let at = |figures: &[Option<f64>]| figures.get(i).copied().flatten();
            vec![
                row.name.clone(),
                step.to_string(),
                cell(at(&course.loss), scientific),
                cell(at(&course.penalty), scientific),
                cell(at(&course.log10_gradient), fixed),
                cell(course.clipped.get(i).copied(), fixed),
                cell(at(&weights), fixed),
            ]
        })
    });
    Csv::new(
        &group.name,
        "course",
        &header("network,step,loss,penalty,log10_gradient,clipped,log10_w"),
        records,
    )
}

/// log10 ||delta|| of each layer of each row over its steps.
pub(super) fn gradients(group: &Group) -> Csv {
    per_step_and_layer(group, "log10-delta", |row| &row.course.log10_delta, layer_number, fixed)
}

/// Speed of learning of each layer of each row over its steps.
pub(super) fn speeds(group: &Group) -> Csv {
    per_step_and_layer(group, "speed", |row| &row.course.speed, layer_number, scientific)
}

/// The curves of activations.
pub(super) fn activations(study: &str, activations: &[Activation]) -> Csv {
    let records = activations.iter().flat_map(|activation| {
        let points = curves(*activation).into_iter().flatten();
        points.map(move |(h, value, slope)| {
            [activation.to_string()].into_iter().chain([h, value, slope].map(fixed)).collect()
        })
    });
    Csv::new(study, "activations", &header("activation,h,phi,slope"), records)
}

/// Where plain networks lie in the phase diagram.
pub(super) fn phases(study: &str, places: &[Place<'_>]) -> Csv {
    let records = places.iter().flat_map(|place| {
        place.networks.iter().map(move |network| {
            let (weights, biases) = place.deviations;
            let words = [place.activation.to_string(), network.group.to_owned(), network.name.to_owned()];
            let figures = [fixed(weights), fixed(biases), cell(place.limit.chi, scientific)];
            words.into_iter().chain(figures).collect()
        })
    });
    Csv::new(study, "phases", &header("activation,group,network,s_w,s_b,chi"), records)
}

/// A file with a record for each recorded step of each row and a column for each layer; `number` says which layer stands at
/// a place of a row's records.
fn per_step_and_layer(
    group: &Group,
    what: &str,
    figures: impl Fn(&Row) -> &Vec<Vec<Option<f64>>>,
    number: impl Fn(&Row, usize) -> usize,
    text: fn(f64) -> String,
) -> Csv {
    let places = |row: &Row| 0..figures(row).iter().map(Vec::len).max().unwrap_or_default();
    let numbers: BTreeSet<usize> = group
        .rows
        .iter()
        .flat_map(|row| places(row).map(|place| number(row, place)).collect::<Vec<_>>())
        .collect();
    let layers = numbers.iter().map(|layer| format!("layer_{layer}"));
    let header: Vec<String> = ["network", "step"].map(str::to_owned).into_iter().chain(layers).collect();
    let mut records = Vec::new();
    for row in &group.rows {
        let at: BTreeMap<usize, usize> = places(row).map(|place| (number(row, place), place)).collect();
        for (step, layers) in row.course.steps.iter().zip(figures(row)) {
            let value = |layer: &usize| {
                let figure = at.get(layer).and_then(|place| layers.get(*place).copied().flatten());
                figure.map_or_else(String::new, text)
            };
            let values = numbers.iter().map(value);
            records.push([row.name.clone(), step.to_string()].into_iter().chain(values).collect());
        }
    }
    Csv::new(&group.name, what, &header, records.into_iter())
}

fn header(columns: &str) -> Vec<String> {
    columns.split(',').map(str::to_owned).collect()
}

/// A figure, or nothing where it does not exist.
fn cell(value: Option<f64>, text: fn(f64) -> String) -> String {
    value.map_or_else(String::new, text)
}

fn fixed(value: f64) -> String {
    format!("{value:.4}")
}

fn scientific(value: f64) -> String {
    format!("{value:.4e}")
}
