//! Line charts and the canvas of all charts: `plotters` lays them out, the page's style sheet colours them.
//!
//! A chart is drawn in stand-in colours, of which each says what an element is. [`themed`] replaces them by
//! classes, so that the figure follows the reader's light or dark theme, and gives each mark its title.

use std::error::Error;

use plotters::prelude::*;

use super::axis::Axis;
use super::format::{concise, escape, exactly, power_of_ten, tick};
use super::mark::Mark;
use super::picture::Picture;
use super::points::Points;

/// Pixels of the canvas per unit of the figure: `plotters` rounds to whole pixels.
pub(super) const FINE: u32 = 4;
/// Stand-in for text and axes.
pub(super) const INK: RGBColor = RGBColor(1, 0, 0);
/// Stand-in for grid lines.
pub(super) const GRID: RGBColor = RGBColor(GRID_ROLE, 0, 0);
const GRID_ROLE: u8 = 2;
/// First byte of the stand-ins for marks; the other two are the mark's index.
const MARK: u8 = 3;

/// A line: a mark and its points.
pub(super) struct Line {
    pub(super) mark: Mark,
    pub(super) points: Points,
}

/// An area between two lines: places of the horizontal axis with the least and the largest figure there.
pub(super) struct Band {
    pub(super) mark: Mark,
    pub(super) points: Vec<(f64, f64, f64)>,
}

impl Band {
    /// Its outline.
    fn outline(&self) -> Vec<(f64, f64)> {
        let lower = self.points.iter().map(|(x, low, _)| (*x, *low));
        let upper = self.points.iter().rev().map(|(x, _, high)| (*x, *high));
        lower.chain(upper).collect()
    }
}

/// How the axes of a chart are marked.
#[derive(Clone, Copy)]
pub(super) struct Scales {
    /// What is written at a place of the horizontal axis.
    x: fn(f64) -> String,
    /// The same place in words.
    at: fn(f64) -> String,
    /// The same of the vertical one.
    y: fn(f64) -> String,
    /// A figure of the vertical axis in words.
    value: fn(f64) -> String,
    /// The least distance of marks on the horizontal axis; none where its figures are powers of ten.
    step: Option<f64>,
    /// The same on the vertical axis, which begins and ends at a multiple of it; 0 leaves it as the lines are.
    least: f64,
}

impl Scales {
    /// Whole numbers, and powers of ten above each other.
    pub(super) const LOG: Self = Self {
        x: |x| format!("{x:.0}"),
        at: |x| format!("{x:.0}"),
        y: power_of_ten,
        value: exactly,
        step: Some(1.0),
        least: 1.0,
    };
    /// Whole numbers beside, figures as they are above each other.
    pub(super) const LINEAR: Self = Self { y: tick, value: concise, least: 0.0, ..Self::LOG };
    /// Powers of ten on both axes.
    pub(super) const LOG_LOG: Self =
        Self { x: |x| concise(10f64.powf(x)), at: |x| concise(10f64.powf(x)), step: None, ..Self::LOG };
    /// Powers of ten beside each other, a density above.
    pub(super) const DENSITY: Self =
        Self { x: place, at: exactly, y: tick, value: concise, least: 0.0, ..Self::LOG_LOG };
    /// Powers of ten beside each other, fractions above.
    pub(super) const FRACTIONS: Self =
        Self { y: |y| format!("{y:.1}"), value: concise, least: 0.1, ..Self::LOG_LOG };
}

/// A chart of lines.
pub(super) struct Chart<'a> {
    /// What it shows, for those who cannot see it.
    pub(super) label: &'a str,
    /// Name of the horizontal axis.
    pub(super) x: &'a str,
    /// Width and height in units of the page.
    pub(super) size: (u32, u32),
    pub(super) scales: Scales,
    /// What the vertical axis has to hold besides the lines, so that charts can be compared.
    pub(super) holds: &'a [f64],
    /// Areas behind the lines, which the vertical axis holds too.
    pub(super) bands: &'a [Band],
    pub(super) lines: Vec<Line>,
}

/// 10^x on an axis of them; far from 1 whole powers alone have room.
fn place(x: f64) -> String {
    match (x - x.round()).abs() < 1e-9 {
        _ if x.abs() < 2.5 => concise(10f64.powf(x)),
        true => power_of_ten(x.round()),
        false => String::new(),
    }
}

impl Chart<'_> {
    /// The chart as an SVG element, or the reason why there is none.
    pub(super) fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points).filter_map(|&(x, y)| Some((x, y?)));
        let ends =
            || self.bands.iter().flat_map(|band| &band.points).flat_map(|(_, low, high)| [*low, *high]);
        let (Some(xs), Some(ys)) = (
            Axis::range(points().map(|p| p.0)),
            Axis::range(points().map(|p| p.1).chain(self.holds.iter().copied()).chain(ends())),
        ) else {
            return "<p class=\"none\">No figures.</p>".to_owned();
        };
        let Scales { least, .. } = self.scales;
        let ys =
            if least > 0.0 { ((ys.0 / least).floor() * least, (ys.1 / least).ceil() * least) } else { ys };
        let across = match self.scales.step {
            Some(step) => Axis::new(xs.0, xs.1, 6, step).with_its_start(),
            None => Axis::powers(xs.0, xs.1),
        };
        let runs: Vec<(Mark, Run)> = self.lines.iter().flat_map(|line| self.runs(line)).collect();
        let bands = self.bands.iter().map(|band| &band.mark);
        let marks: Vec<&Mark> = bands.chain(runs.iter().map(|(mark, _)| mark)).collect();
        let mut frame = String::new();
        let picture = canvas(self.label, self.size, &marks, |area| {
            let mut chart = ChartBuilder::on(area)
                .margin_top(8 * FINE)
                .margin_right(18 * FINE)
                .x_label_area_size(34 * FINE)
                .y_label_area_size(46 * FINE)
                .build_cartesian_2d(across, Axis::new(ys.0, ys.1, 5, least))?;
            chart
                .configure_mesh()
                .axis_style(INK)
                .bold_line_style(GRID)
                .set_all_tick_mark_size(4 * FINE)
                .x_desc(self.x)
                .x_label_formatter(&|x| (self.scales.x)(*x))
                .y_label_formatter(&|y| (self.scales.y)(*y))
                .label_style(font(11))
                .axis_desc_style(font(11))
                .draw()?;
            for (i, band) in self.bands.iter().enumerate() {
                chart.draw_series([Polygon::new(band.outline(), stand_in(i).filled())])?;
            }
            for (i, (_, run)) in runs.iter().enumerate() {
                let colour = stand_in(self.bands.len() + i);
                if let [dot] = run[..] {
                    chart.draw_series([Circle::new(dot, 2 * FINE, colour.filled())])?;
                } else {
                    chart.draw_series([PathElement::new(run.clone(), colour)])?;
                }
            }
            let corners = [(xs.0, ys.0), (xs.1, ys.1)].map(|corner| (corner, chart.backend_coord(&corner)));
            let place =
                |((x, y), (across, down)): ((f64, f64), (i32, i32))| format!("{x} {across} {y} {down}");
            frame = corners.map(place).join(" ");
            Ok(())
        });
        let data = format!(" data-frame=\"{frame}\" data-x=\"{}\"", escape(self.x));
        Picture { data, ..picture }.html()
    }

    /// The parts of a line between its gaps, each with a mark that carries its figures in words for the page's script.
    fn runs(&self, line: &Line) -> Vec<(Mark, Run)> {
        let parts = line.points.split(|(_, y)| y.is_none()).filter(|part| !part.is_empty());
        parts
            .map(|part| {
                let run: Run = part.iter().filter_map(|&(x, y)| Some((x, y?))).collect();
                let xs: Vec<String> = run.iter().map(|(x, _)| (self.scales.at)(*x)).collect();
                let ys: Vec<String> = run.iter().map(|(_, y)| (self.scales.value)(*y)).collect();
                let data = format!(" data-at=\"{}\" data-values=\"{}\"", xs.join(" "), ys.join(" "));
                let Mark { attributes, title } = &line.mark;
                (Mark { attributes: format!("{attributes}{data}"), title: title.clone() }, run)
            })
            .collect()
    }
}

/// Points without a gap.
type Run = Vec<(f64, f64)>;

/// A drawing surface of `size` units of the page.
type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// What `draw` draws, `size` in units of the page, in classes instead of colours; the reason in words where it fails.
pub(super) fn canvas(
    label: &str,
    size: (u32, u32),
    marks: &[&Mark],
    draw: impl FnOnce(&Area<'_>) -> Result<(), Box<dyn Error>>,
) -> Picture {
    let (width, height) = (size.0 * FINE, size.1 * FINE);
    let mut drawn = String::new();
    let result = {
        let area = SVGBackend::with_string(&mut drawn, (width, height)).into_drawing_area();
        draw(&area).and_then(|()| Ok(area.present()?))
    };
    let body = match result {
        Ok(()) => themed(&drawn, marks),
        Err(error) => {
            format!("<text y=\"{}\">Not drawn: {}</text>\n", height / 2, escape(&error.to_string()))
        }
    };
    Picture { label: label.to_owned(), size: (width, height), body, data: String::new() }
}

/// The stand-in colour of mark `index`.
pub(super) fn stand_in(index: usize) -> RGBColor {
    let [high, low] = (index as u16).to_be_bytes();
    RGBColor(MARK, high, low)
}

/// Text of `size` units of the page.
pub(super) fn font(size: u32) -> TextStyle<'static> {
    // The backend divides the size by 1.24.
    ("sans-serif", f64::from(size * FINE) * 1.24).into_font().color(&INK)
}

/// The elements inside a drawn figure, with classes and titles in place of stand-in colours.
fn themed(drawn: &str, marks: &[&Mark]) -> String {
    let inner = drawn.lines().filter(|line| !line.starts_with("<svg") && !line.starts_with("</svg"));
    inner
        .map(|line| if line.starts_with('<') { element(line, marks) } else { line.to_owned() } + "\n")
        .collect()
}

/// One element, without the attributes that are the same for all.
fn element(line: &str, marks: &[&Mark]) -> String {
    const SHARED: [&str; 5] = [
        " opacity=\"1\"",
        " stroke-width=\"1\"",
        " fill=\"none\"",
        " stroke=\"none\"",
        " font-family=\"sans-serif\"",
    ];
    let plain = SHARED.iter().fold(line.to_owned(), |text, attribute| text.replace(attribute, ""));
    let Some((before, rest)) = plain.split_once("=\"#") else { return plain };
    let (Some((before, _)), Some((colour, after))) = (before.rsplit_once(' '), rest.split_once('"')) else {
        return plain;
    };
    let [_, role, index @ ..] = u32::from_str_radix(colour, 16).unwrap_or_default().to_be_bytes();
    match (role, marks.get(usize::from(u16::from_be_bytes(index)))) {
        (MARK, Some(mark)) => {
            let name = before.trim_start_matches('<').split(' ').next().unwrap_or_default();
            let after = after.trim_end_matches("/>");
            format!("{before} {}{after}><title>{}</title></{name}>", mark.attributes, escape(&mark.title))
        }
        (GRID_ROLE, _) => format!("{before} class=\"grid\"{after}"),
        _ => format!("{before} class=\"axis\"{after}"),
    }
}
