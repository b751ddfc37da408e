//! Heat maps over layers and steps, one for each row, in one scale of colours: log10 ||delta||, and log10 of the factor
//! ||delta^l|| / ||delta^{l+1}|| by which a layer changes it.
//!
//! Cells of one colour are one path of horizontal strokes, so that a map costs a few kilobytes. Where layers were left out
//! a factor is the mean over those up to the next one.

use super::format::{concise, escape, exactly, power_of_ten};
use super::points::layer_number;
use crate::study::summary::{Group, Row};

/// Colours from small to large: dark blue to yellow, told apart by lightness alone.
const RAMP: [[f64; 3]; 5] = [
    [0.0, 34.0, 78.0],
    [62.0, 76.0, 107.0],
    [124.0, 123.0, 120.0],
    [188.0, 174.0, 108.0],
    [253.0, 231.0, 55.0],
];
/// From less than 1 to more: blue, a light grey that is not the page's white, red.
const DIVERGING: [[f64; 3]; 5] = [
    [33.0, 102.0, 172.0],
    [146.0, 178.0, 214.0],
    [236.0, 236.0, 236.0],
    [217.0, 141.0, 150.0],
    [178.0, 24.0, 43.0],
];
/// The most colours in use.
const COLOURS: f64 = 15.0;
/// Widths of a colour, in decades.
const WIDTHS: [f64; 9] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];

/// What a map shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// log10 ||delta||.
    Gradient,
    /// log10 of the factor per layer.
    Factor,
}

impl Kind {
    /// The figures of a row, `[step][layer]`.
    fn of(self, row: &Row) -> Vec<Vec<Option<f64>>> {
        match self {
            Self::Gradient => row.course.log10_delta.clone(),
            Self::Factor => row.course.log10_delta.iter().map(|step| factors(row, step)).collect(),
        }
    }
}

/// log10 of the factor of each layer but the last.
fn factors(row: &Row, log10_delta: &[Option<f64>]) -> Vec<Option<f64>> {
    let pairs = log10_delta.windows(2).enumerate();
    let factor = |(place, pair): (usize, &[Option<f64>])| {
        let layers = layer_number(row, place + 1) - layer_number(row, place);
        Some((pair[0]? - pair[1]?) / layers as f64)
    };
    pairs.map(factor).collect()
}

/// A scale of colours from `low`, each colour `step` decades wide.
struct Colours {
    ramp: [[f64; 3]; 5],
    low: f64,
    step: f64,
    count: usize,
}

impl Colours {
    /// The scale that holds the figures of all rows of a group. Factors have 1 in the middle of the middle colour.
    fn of(group: &Group, kind: Kind) -> Option<Self> {
        let all: Vec<f64> =
            group.rows.iter().flat_map(|row| kind.of(row).into_iter().flatten().flatten()).collect();
        let (min, max) =
            all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
        if min > max {
            return None;
        }
        let width = |range: f64| {
            WIDTHS.into_iter().find(|width| range <= width * COLOURS).unwrap_or((range / COLOURS).ceil())
        };
        Some(match kind {
            Kind::Gradient => {
                let (low, high) = (min.floor(), max.floor() + 1.0);
                let step = width(high - low);
                Self { ramp: RAMP, low, step, count: ((high - low) / step).round().max(1.0) as usize }
            }
            Kind::Factor => {
                // Half a colour is left free at either end.
                let end = min.abs().max(max.abs()).max(0.01);
                let step = width(2.0 * end * COLOURS / (COLOURS - 1.0));
                let half = (end / step).ceil();
                Self { ramp: DIVERGING, low: -(half + 0.5) * step, step, count: 2 * half as usize + 1 }
            }
        })
    }

    /// The colour of a figure.
    fn index(&self, value: f64) -> usize {
        (((value - self.low) / self.step) as usize).min(self.count - 1)
    }

    /// A colour in hexadecimal.
    fn colour(&self, index: usize) -> String {
        let at = index as f64 / self.count.saturating_sub(1).max(1) as f64 * (self.ramp.len() - 1) as f64;
        let from = (at as usize).min(self.ramp.len() - 2);
        let mix = |channel: usize| {
            let [a, b] = [self.ramp[from][channel], self.ramp[from + 1][channel]];
            (a + (b - a) * (at - from as f64)).round() as u8
        };
        format!("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2))
    }

    /// The figures that a colour stands for.
    fn meaning(&self, index: usize) -> String {
        let from = self.low + self.step * index as f64;
        format!("{} to {}", exactly(from), exactly(from + self.step))
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
             role=\"img\" aria-label=\"Scale of colours, from small to large\">{}</svg> <span>{}</span></p>\n",
            end_of_scale(self.low),
            (0..self.count).map(swatch).collect::<String>(),
            end_of_scale(end),
            width = 20 * self.count,
        )
    }
}

/// 10^log10 at an end of the key.
fn end_of_scale(log10: f64) -> String {
    let is_whole = (log10 - log10.round()).abs() < 1e-9;
    if is_whole { power_of_ten(log10.round()) } else { concise(10f64.powf(log10)) }
}

/// The maps of all rows and the key to their colours; none if no row has figures.
pub(super) fn maps(group: &Group, kind: Kind) -> Option<String> {
    let colours = Colours::of(group, kind)?;
    let map = |(place, row)| map(place, row, kind, &colours);
    let maps: String = group.rows.iter().enumerate().map(map).collect();
    Some(format!("{}<div class=\"maps\">\n{maps}</div>\n", colours.key()))
}

/// The map of one row: steps to the right, layers upwards.
fn map(place: usize, row: &Row, kind: Kind, colours: &Colours) -> String {
    let figures = kind.of(row);
    let steps = figures.len();
    let layers = figures.iter().map(Vec::len).max().unwrap_or_default();
    let name = escape(&row.name);
    let what = match kind {
        Kind::Gradient => "Gradient",
        Kind::Factor => "Factor",
    };
    let body = if figures.iter().flatten().flatten().next().is_none() {
        "<p class=\"none\">No gradient was finite and other than zero.</p>\n".to_owned()
    } else {
        let (first, last) = (row.course.steps.first().unwrap_or(&0), row.course.steps.last().unwrap_or(&0));
        format!(
            "<svg class=\"chart\" viewBox=\"0 0 180 128\" role=\"img\" aria-label=\"{what} of {name} by \
             layer and step\">\n<svg x=\"22\" y=\"2\" width=\"156\" height=\"108\" viewBox=\"0 0 {steps} \
             {layers}\" preserveAspectRatio=\"none\" class=\"cells\">\n<rect class=\"missing\" \
             width=\"{steps}\" height=\"{layers}\"><title>zero or not finite</title></rect>\n{}</svg>\n\
             <g class=\"axis\"><text x=\"18\" y=\"11\" text-anchor=\"end\">{top}</text>\
             <text x=\"18\" y=\"110\" text-anchor=\"end\">1</text>\
             <text x=\"22\" y=\"124\">step {first}</text><text x=\"178\" y=\"124\" \
             text-anchor=\"end\">{last}</text></g>\n</svg>\n",
            cells(&figures, layers, colours),
            top = layer_number(row, layers.saturating_sub(1)),
        )
    };
    let data = match kind {
        Kind::Gradient => for_the_script(row),
        Kind::Factor => " data-factors".to_owned(),
    };
    format!(
        "<div class=\"map\" data-row=\"{place}\"{data}><p class=\"panel-title\">{name}</p>\n{body}</div>\n",
    )
}

/// What the script needs to show a figure and to draw the layers at a step: steps, layers, and for each step the layers'
/// log10.
fn for_the_script(row: &Row) -> String {
    let list = |numbers: &mut dyn Iterator<Item = usize>| {
        numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(" ")
    };
    let count = row.course.log10_delta.iter().map(Vec::len).max().unwrap_or_default();
    let layer = |figure: &Option<f64>| figure.map_or(String::new(), |figure| format!("{figure:.2}"));
    let step = |layers: &Vec<Option<f64>>| layers.iter().map(layer).collect::<Vec<_>>().join(" ");
    let figures: Vec<String> = row.course.log10_delta.iter().map(step).collect();
    format!(
        " data-name=\"{}\" data-steps=\"{}\" data-layers=\"{}\" data-figures=\"{}\"",
        escape(&row.name),
        list(&mut row.course.steps.iter().copied()),
        list(&mut (0..count).map(|place| layer_number(row, place))),
        figures.join(";")
    )
}

/// One path for each colour in use.
fn cells(figures: &[Vec<Option<f64>>], layers: usize, colours: &Colours) -> String {
    let mut paths = vec![String::new(); colours.count];
    for layer in 0..layers {
        let colour_at = |step: &Vec<Option<f64>>| Some(colours.index(step.get(layer).copied().flatten()?));
        let line: Vec<Option<usize>> = figures.iter().map(colour_at).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::remedies;

    #[test]
    fn a_factor_of_one_has_no_hue_and_factors_are_those_of_one_layer() {
        let mut group = remedies().groups.remove(0);
        let colours = Colours::of(&group, Kind::Factor).unwrap();
        assert_eq!(colours.colour(colours.index(0.0)), "#ececec");
        assert!(colours.count <= COLOURS as usize && colours.count % 2 == 1);
        let row = &mut group.rows[0];
        assert_eq!(factors(row, &[Some(-3.0), None, Some(1.0), Some(2.5)]), [None, None, Some(-1.5)]);
        // Layers 1 and 4 with two between them that are not shown.
        row.layers[1].layer = 4;
        assert_eq!(factors(row, &[Some(-3.0), Some(0.0)]), [Some(-1.0)]);
    }

    #[test]
    fn every_figure_has_a_colour_that_means_it() {
        let group = remedies().groups.remove(0);
        for kind in [Kind::Gradient, Kind::Factor] {
            let colours = Colours::of(&group, kind).unwrap();
            for value in group.rows.iter().flat_map(|row| kind.of(row).into_iter().flatten().flatten()) {
                let from = colours.low + colours.step * colours.index(value) as f64;
                assert!((from - 1e-9..=from + colours.step + 1e-9).contains(&value), "{value} from {from}");
            }
        }
    }
}
