//! Histograms of a few layers of each network, one above the other, before training and after it.
//!
//! Each is drawn as high as its row: their shapes and places are compared, not their heights.

use super::figure::{Figure, panel};
use super::figures::panels_of;
use super::files;
use super::format::{concise, escape, tick};
use super::mark::{Mark, legend};
use crate::study::summary::{Group, Histogram, LayerHistograms, Row};

/// Width and height of a panel, and of the margins around its columns.
const SIZE: (f64, f64) = (340.0, 236.0);
const LEFT: f64 = 26.0;
const GAP: f64 = 22.0;
const ABOVE: f64 = 6.0;
const BELOW: f64 = 34.0;
/// Height of a histogram over the distance of two.
const HEIGHT: f64 = 0.9;

/// What is counted: its name on the axis, and where it stands.
type Kind = (&'static str, fn(&LayerHistograms) -> Option<&Histogram>);
pub(super) const KINDS: [Kind; 2] =
    [("h", |of| of.signal.as_ref()), ("log10 |δ|", |of| of.log10_delta.as_ref())];
/// Before the first step and after the last.
pub(super) const MOMENTS: [&str; 2] = ["before the first step", "after the last step"];

fn marks() -> [Mark; 2] {
    let mark = |look: &str, moment: usize| Mark {
        attributes: format!("class=\"series ridge {look}\""),
        title: MOMENTS[moment].to_owned(),
    };
    [mark("h0 d1", 0), mark("h1 d0", 1)]
}

/// The figure of a group; none where no row has histograms.
pub(super) fn figure(group: &Group) -> Option<Figure> {
    let panels: String = group.rows.iter().filter_map(|row| Some(panel(&row.name, &picture(row)?))).collect();
    (!panels.is_empty()).then(|| Figure {
        title: "Signals and gradients, unit by unit".to_owned(),
        caption: "Histograms over the units and samples of a batch, of a few hidden layers, the last one on top: h, on which \
                  the activation works (in a residual network a block's input), and the size of δ, in powers of ten. \
                  Where h lies far from 0, sigmoids are flat and half of all ReLUs cut off; where the histograms of δ \
                  move to the left from layer to layer downwards, the gradient vanishes in every unit. What \
                  is exactly 0 is not drawn, and told under the pointer. Each is as high as its row. First fresh seed."
            .to_owned(),
        body: legend(&marks()) + &panels_of(&panels),
        data: vec![files::histograms(group)],
    })
}

/// The histograms of a row: signals on the left, gradients on the right.
fn picture(row: &Row) -> Option<String> {
    let layers = row.histograms[0].len().max(row.histograms[1].len());
    let width = 0.5 * (SIZE.0 - LEFT - GAP);
    let columns = KINDS.iter().enumerate().map(|(i, kind)| {
        let column = Column { left: LEFT + (width + GAP) * i as f64, width, layers };
        column.svg(row, *kind)
    });
    let columns = columns.collect::<Option<String>>()?;
    let known = row.histograms.iter().find(|of| of.len() == layers)?;
    let numbers = known.iter().enumerate().map(|(i, of)| {
        format!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            base(i, layers),
            of.layer
        )
    });
    Some(format!(
        "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Histograms of signal and gradient in layers \
         of {}\" data-x=\"value\">\n{columns}<g class=\"axis\">{}</g>\n</svg>\n",
        SIZE.0,
        SIZE.1,
        escape(&row.name),
        numbers.collect::<String>(),
    ))
}

/// Where the line under layer `i` of so many is, the first one at the bottom.
fn base(i: usize, layers: usize) -> f64 {
    let distance = (SIZE.1 - ABOVE - BELOW) / layers as f64;
    SIZE.1 - BELOW - distance * i as f64
}

/// One kind of histograms, above each other.
struct Column {
    left: f64,
    width: f64,
    layers: usize,
}

impl Column {
    /// None where there is no histogram of the kind.
    fn svg(&self, row: &Row, (name, of): Kind) -> Option<String> {
        let all = || row.histograms.iter().flatten().filter_map(of);
        let low = all().map(|found| found.low).reduce(f64::min)?;
        let high = all().map(|found| found.high).reduce(f64::max)?;
        let x = |value: f64| self.left + self.width * (value - low) / (high - low);
        let mut ridges = String::new();
        for (mark, moment) in marks().iter().zip(&row.histograms) {
            for (i, layer) in moment.iter().enumerate() {
                let Some(found) = of(layer) else { continue };
                let shape = Shape {
                    found,
                    base: base(i, self.layers),
                    height: HEIGHT * (base(0, self.layers) - base(1, self.layers)),
                };
                ridges += &shape.svg(mark, layer.layer, name, x);
            }
        }
        let (right, under) = (self.left + self.width, SIZE.1 - BELOW);
        let lines = (0..self.layers).map(|i| format!("M{} {:.1}H{right}", self.left, base(i, self.layers)));
        Some(format!(
            "<path class=\"grid\" d=\"{}\"/>\n{ridges}<g class=\"axis\"><text x=\"{}\" y=\"{}\">{}</text>\
             <text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{}</text><text x=\"{}\" y=\"{}\" \
             text-anchor=\"middle\">{name}</text></g>\n",
            lines.collect::<String>(),
            self.left,
            under + 12.0,
            tick(low),
            under + 12.0,
            tick(high),
            0.5 * (self.left + right),
            under + 26.0,
        ))
    }
}

/// One histogram as a line over the middles of its bins, closed at either end.
struct Shape<'a> {
    found: &'a Histogram,
    base: f64,
    height: f64,
}

impl Shape<'_> {
    fn svg(&self, mark: &Mark, layer: usize, name: &str, x: impl Fn(f64) -> f64) -> String {
        let Histogram { low, high, counts, outside } = self.found;
        let all = f64::from(counts.iter().sum::<u32>() + outside);
        let most = f64::from(counts.iter().copied().max().unwrap_or(0).max(1));
        let middle = |bin: usize| low + (high - low) * (bin as f64 + 0.5) / counts.len() as f64;
        let inner = counts.iter().enumerate().map(|(bin, count)| (middle(bin), f64::from(*count)));
        let places: Vec<(f64, f64)> =
            std::iter::once((*low, 0.0)).chain(inner).chain(std::iter::once((*high, 0.0))).collect();
        let listed = |text: &dyn Fn(f64, f64) -> String, between: &str| {
            places.iter().map(|(at, count)| text(*at, *count)).collect::<Vec<_>>().join(between)
        };
        let points =
            listed(&|at, count| format!("{:.1},{:.1}", x(at), self.base - self.height * count / most), " ");
        let missing = match outside {
            0 => String::new(),
            outside => format!(", {} % zero or not finite", concise(100.0 * f64::from(*outside) / all)),
        };
        format!(
            "<polyline {} data-x=\"{name}\" data-at=\"{}\" data-values=\"{}\" points=\"{points}\"><title>layer {layer} {}{missing}\
             </title></polyline>\n",
            mark.attributes,
            listed(&|at, _| tick(at), " "),
            listed(&|_, count| format!("{}%", concise(100.0 * count / all)), " "),
            escape(&mark.title),
        )
    }
}
