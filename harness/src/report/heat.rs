//! Heat maps of log10 ||delta|| over layers and steps, one for each row, in one scale of colours.
//!
//! Cells of one colour are one path of horizontal strokes, so that a map costs a few kilobytes.

use super::format::{escape, power_of_ten};
use crate::study::summary::{Group, Row};

/// Colours from small to large: dark blue to yellow, told apart by lightness alone.
const RAMP: [[f64; 3]; 5] = [
    [0.0, 34.0, 78.0],
    [62.0, 76.0, 107.0],
    [124.0, 123.0, 120.0],
    [188.0, 174.0, 108.0],
    [253.0, 231.0, 55.0],
];
/// The most colours in use.
const COLOURS: f64 = 14.0;

/// A scale of colours: whole decades from `low`, each colour `step` decades wide.
struct Colours {
    low: f64,
    step: f64,
    count: usize,
}

impl Colours {
    /// The scale that holds the figures of all rows of a group.
    fn of(group: &Group) -> Option<Self> {
        let figures = group.rows.iter().flat_map(|row| row.course.log10_delta.iter().flatten().flatten());
        let (min, max) = figures.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
        let (low, high) = (min.floor(), max.floor() + 1.0);
        let step = ((high - low) / COLOURS).ceil();
        (min <= max).then(|| Self { low, step, count: ((high - low) / step).ceil() as usize })
    }

    /// The colour of a figure.
    fn index(&self, value: f64) -> usize {
        (((value - self.low) / self.step) as usize).min(self.count - 1)
    }

    /// A colour in hexadecimal.
    fn colour(&self, index: usize) -> String {
        let at = index as f64 / self.count.saturating_sub(1).max(1) as f64 * (RAMP.len() - 1) as f64;
        let from = (at as usize).min(RAMP.len() - 2);
        let mix = |channel: usize| {
            let [a, b] = [RAMP[from][channel], RAMP[from + 1][channel]];
            (a + (b - a) * (at - from as f64)).round() as u8
        };
        format!("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2))
    }

    /// The figures that a colour stands for.
    fn meaning(&self, index: usize) -> String {
        let from = self.low + self.step * index as f64;
        format!("{} to {}", power_of_ten(from), power_of_ten(from + self.step))
    }

    /// The key to the colours.
    fn key(&self) -> String {
        let swatch = |i: usize| {
            format!(
                "<rect x=\"{}\" width=\"20\" height=\"12\" fill=\"{}\"><title>{}</title></rect>",
                20 * i,
                self.colour(i),
                self.meaning(i)
            )
        };
        let end = self.low + self.step * self.count as f64;
        format!(
            "<p class=\"key\"><span>{}</span> <svg viewBox=\"0 0 {width} 12\" width=\"{width}\" \
             role=\"img\" aria-label=\"Scale of colours, dark is small\">{}</svg> <span>{}</span></p>\n",
            power_of_ten(self.low),
            (0..self.count).map(swatch).collect::<String>(),
            power_of_ten(end),
            width = 20 * self.count,
        )
    }
}

/// The maps of all rows and the key to their colours; none if no row has figures.
pub(super) fn maps(group: &Group) -> Option<String> {
    let colours = Colours::of(group)?;
    let maps: String = group.rows.iter().enumerate().map(|(place, row)| map(place, row, &colours)).collect();
    Some(format!("{}<div class=\"maps\">\n{maps}</div>\n", colours.key()))
}

/// The map of one row: steps to the right, layers upwards.
fn map(place: usize, row: &Row, colours: &Colours) -> String {
    let steps = row.course.log10_delta.len();
    let layers = row.course.log10_delta.iter().map(Vec::len).max().unwrap_or_default();
    let name = escape(&row.name);
    let body = if row.course.log10_delta.iter().flatten().flatten().next().is_none() {
        "<p class=\"none\">No gradient was finite and other than zero.</p>\n".to_owned()
    } else {
        let (first, last) = (row.course.steps.first().unwrap_or(&0), row.course.steps.last().unwrap_or(&0));
        format!(
            "<svg class=\"chart\" viewBox=\"0 0 180 128\" role=\"img\" aria-label=\"Gradient of {name} by \
             layer and step\">\n<svg x=\"22\" y=\"2\" width=\"156\" height=\"108\" viewBox=\"0 0 {steps} \
             {layers}\" preserveAspectRatio=\"none\" class=\"cells\">\n<rect class=\"missing\" \
             width=\"{steps}\" height=\"{layers}\"><title>zero or not finite</title></rect>\n{}</svg>\n\
             <g class=\"axis\"><text x=\"18\" y=\"11\" text-anchor=\"end\">{layers}</text>\
             <text x=\"18\" y=\"110\" text-anchor=\"end\">1</text>\
             <text x=\"22\" y=\"124\">step {first}</text><text x=\"178\" y=\"124\" \
             text-anchor=\"end\">{last}</text></g>\n</svg>\n",
            cells(row, layers, colours),
        )
    };
    format!(
        "<div class=\"map\" data-row=\"{place}\"{}><p class=\"panel-title\">{name}</p>\n{body}</div>\n",
        figures(row)
    )
}

/// What the script needs to show a figure and to draw the layers at a step: steps, and for each of them the layers' log10.
fn figures(row: &Row) -> String {
    let steps: Vec<String> = row.course.steps.iter().map(usize::to_string).collect();
    let layer = |figure: &Option<f64>| figure.map_or(String::new(), |figure| format!("{figure:.2}"));
    let step = |layers: &Vec<Option<f64>>| layers.iter().map(layer).collect::<Vec<_>>().join(" ");
    let figures: Vec<String> = row.course.log10_delta.iter().map(step).collect();
    format!(
        " data-name=\"{}\" data-steps=\"{}\" data-figures=\"{}\"",
        escape(&row.name),
        steps.join(" "),
        figures.join(";")
    )
}

/// One path for each colour in use.
fn cells(row: &Row, layers: usize, colours: &Colours) -> String {
    let mut paths = vec![String::new(); colours.count];
    for layer in 0..layers {
        let colour_at = |step: &Vec<Option<f64>>| Some(colours.index(step.get(layer).copied().flatten()?));
        let line: Vec<Option<usize>> = row.course.log10_delta.iter().map(colour_at).collect();
        let mut step = 0;
        for run in line.chunk_by(|a, b| a == b) {
            if let Some(path) = run[0].and_then(|index| paths.get_mut(index)) {
                path.push_str(&format!("M{step} {}.5h{}", layers - 1 - layer, run.len()));
            }
            step += run.len();
        }
    }
    let used = paths.iter().enumerate().filter(|(_, path)| !path.is_empty());
    used.map(|(i, path)| {
        format!(
            "<path stroke=\"{}\" d=\"{path}\"><title>{}</title></path>\n",
            colours.colour(i),
            colours.meaning(i)
        )
    })
    .collect()
}
