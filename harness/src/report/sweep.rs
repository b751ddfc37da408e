//! A study's sweep: what became of each network at each value of the field, beside what theory predicts for its depth.

use super::answer::Answer;
use super::chart::{Chart, Line, Scales};
use super::figure::{Figure, panel};
use super::figures::{PANEL, panels_of};
use super::files;
use super::format::{NOTHING, concise, escape, fraction, list, plural};
use super::mark::{Mark, legend};
use super::points::Points;
use crate::study::summary::{Group, Outcome, Row, Summary};
use crate::study::sweep::{Field, Point};

/// Depth scales over which Schoenholz et al. (2017) find networks trainable.
const SCALES: f64 = 6.0;

/// The points of one group of the study's file.
pub(super) struct Family<'a> {
    /// The group's name in the file.
    pub(super) name: &'a str,
    pub(super) field: Field,
    /// Value and group, in the order of the values.
    pub(super) points: Vec<(f64, &'a Group)>,
}

/// The families of a study; none without a sweep.
pub(super) fn families(summary: &Summary) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for group in &summary.groups {
        let Some(Point { of, field, value }) = &group.sweep else { continue };
        match families.iter_mut().find(|family| family.name == of) {
            Some(family) => family.points.push((*value, group)),
            None => families.push(Family { name: of, field: *field, points: vec![(*value, group)] }),
        }
    }
    families
}

impl Family<'_> {
    /// The field in words.
    pub(super) fn axis(&self) -> String {
        self.field.name().replace('_', " ")
    }

    /// The names of the rows, which all points share.
    pub(super) fn rows(&self) -> impl Iterator<Item = &str> {
        self.points.iter().take(1).flat_map(|(_, group)| group.rows.iter().map(|row| row.name.as_str()))
    }

    /// Row `place` at each value.
    pub(super) fn row(&self, place: usize) -> impl Iterator<Item = (f64, &Row)> {
        self.points.iter().filter_map(move |(value, group)| Some((*value, group.rows.get(place)?)))
    }

    /// The values at which row `place` trains: the longest run of them, from where to where.
    pub(super) fn trains(&self, place: usize) -> String {
        let row: Vec<_> = self.row(place).collect();
        let runs = row.split(|(_, row)| row.outcome != Outcome::Trains);
        match runs.reduce(|longest, run| if run.len() > longest.len() { run } else { longest }) {
            None | Some([]) => NOTHING.to_owned(),
            Some([(only, _)]) => only.to_string(),
            Some([(first, _), .., (last, _)]) => format!("{first}–{last}"),
        }
    }

    /// The sick network in words, without the value.
    pub(super) fn title(&self) -> String {
        let Some((value, group)) = self.points.first() else { return self.name.to_owned() };
        let end = format!(", {} {value}", self.axis());
        group.title.strip_suffix(&end).unwrap_or(&group.title).to_owned()
    }

    /// Where the untreated network trains, and which networks train at most values.
    pub(super) fn answers(&self) -> Vec<Answer> {
        let count = |place| self.row(place).filter(|(_, row)| row.outcome == Outcome::Trains).count();
        let most = self.rows().enumerate().map(|(place, _)| count(place)).max().unwrap_or_default();
        let range = |place| match count(place) {
            0 => format!("at no {}", self.axis()),
            _ => format!("at {} {}", self.axis(), self.trains(place)),
        };
        let untreated = self.rows().next().map(|name| format!("{name} trains {}.", range(0)));
        let best = self.rows().enumerate().filter(|(place, _)| count(*place) == most);
        let names: Vec<String> = best.map(|(place, name)| format!("{name} ({})", range(place))).collect();
        let values = plural(self.points.len(), "value");
        let best = (most > 0).then(|| format!("{}: {most} of {values}.", list(&names)));
        let topics = [("Untreated", untreated), ("Widest range", best)];
        topics.into_iter().filter_map(|(topic, text)| Some(Answer { topic, text: text? })).collect()
    }

    /// The depth in layers to which theory expects row `place` to train: that of one decade of its gradient, and six
    /// depth scales, the shorter of the gradient's and the correlation's. Only where depth is swept.
    pub(super) fn predicted(&self, place: usize) -> [Option<f64>; 2] {
        if self.field != Field::Depth {
            return [None, None];
        }
        // Of the deepest: the law is that of many layers.
        let Some((value, row)) = self.row(place).last() else { return [None, None] };
        let Some(theory) = &row.theory else { return [None, None] };
        // A residual network's figures count blocks.
        let layers = (value / row.depth.max(1) as f64).round().max(1.0);
        let scale =
            [theory.depth_scale, theory.correlation_depth_scale].into_iter().flatten().reduce(f64::min);
        [theory.one_decade.map(|depth| depth as f64 * layers), scale.map(|scale| SCALES * scale * layers)]
    }
}

/// What is said of a prediction.
pub(super) fn depth(predicted: Option<f64>) -> String {
    predicted.map_or_else(|| NOTHING.to_owned(), concise)
}

/// The table of a family and its figure.
pub(super) fn html(family: &Family<'_>) -> String {
    let swept = family.field == Field::Depth;
    let values: String =
        family.points.iter().map(|(value, _)| format!("<th scope=\"col\">{value}</th>")).collect();
    let rows = family.rows().enumerate().map(|(place, name)| {
        let cell = |(_, row): (f64, &Row)| match (&row.outcome, &row.accuracy) {
            (Outcome::Trains, Some(accuracy)) => format!("<td><b>{}</b></td>", fraction(accuracy.median)),
            (Outcome::Diverged { .. }, _) | (_, None) => "<td>NaN</td>".to_owned(),
            (_, Some(accuracy)) => format!("<td>{}</td>", fraction(accuracy.median)),
        };
        let cells: String = family.row(place).map(cell).collect();
        let trains = family.trains(place);
        let predicted = if swept {
            family.predicted(place).map(|value| format!("<td>{}</td>", depth(value))).concat()
        } else {
            String::new()
        };
        format!(
            "<tr><th scope=\"row\">{}{}</th>{cells}<td>{trains}</td>{predicted}</tr>\n",
            Mark::row(place, name).swatch(),
            escape(name)
        )
    });
    let predictions = "<th scope=\"col\">one decade at</th><th scope=\"col\">6 depth scales</th>";
    format!(
        "<section class=\"group\">\n<h2>{}: {axis}</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"Sweep\"><table class=\"plain\"><caption>Median test accuracy at each {axis}; bold: every seed beats the linear \
         classifier. Trains: from where to where.{}</caption>\n<thead><tr><th scope=\"col\">network</th>\
         {values}<th scope=\"col\">trains</th>{}</tr></thead>\n<tbody>\n{}</tbody></table></div>\n{}</section>\n",
        escape(family.name),
        if swept {
            " Predicted beside it, in layers: where the gradient has changed tenfold, and six depth scales (Schoenholz et al. 2017); \
             a dash where theory sees no limit or has no law."
        } else {
            ""
        },
        if swept { predictions } else { "" },
        rows.collect::<String>(),
        figure(family).html(),
        axis = family.axis(),
    )
}

/// A chart of a figure over the values, a line for each network.
fn chart(
    family: &Family<'_>,
    label: &str,
    size: (u32, u32),
    scales: Scales,
    holds: &[f64],
    figure: impl Fn(&Row) -> Option<f64>,
) -> String {
    let line = |(place, name): (usize, &str)| {
        let points: Points = family.row(place).map(|(value, row)| (value.log10(), figure(row))).collect();
        Line { mark: Mark::row(place, name), points }
    };
    let mut lines: Vec<Line> = family.rows().enumerate().map(line).collect();
    // The untreated network is drawn last, over the others.
    lines.reverse();
    Chart { label, x: &family.axis(), size, scales, holds, bands: &[], lines }.svg()
}

fn accuracies(family: &Family<'_>, size: (u32, u32)) -> String {
    let median = |row: &Row| row.accuracy.as_ref().map(|spread| spread.median);
    chart(family, "Test accuracy", size, Scales::FRACTIONS, &[0.0, 1.0], median)
}

fn names(family: &Family<'_>) -> String {
    let marks: Vec<Mark> = family.rows().enumerate().map(|(place, name)| Mark::row(place, name)).collect();
    legend(&marks)
}

/// The figure of the first screen.
pub(super) fn overview(family: &Family<'_>) -> Figure {
    let axis = family.axis();
    Figure {
        title: format!("Test accuracy against {axis}"),
        caption: format!("Medians of the seeds. The horizontal axis ({axis}) is logarithmic."),
        body: names(family) + &accuracies(family, (390, 280)),
        data: vec![files::sweep(family)],
    }
}

fn figure(family: &Family<'_>) -> Figure {
    let axis = family.axis();
    let ratio = "‖δ‖ of layer 1 over the last layer's";
    let start = |row: &Row| row.ratio_start.as_ref().map(|spread| spread.median);
    let panels = panel("Test accuracy", &accuracies(family, PANEL))
        + &panel(ratio, &chart(family, ratio, PANEL, Scales::LOG_LOG, &[0.0], start));
    Figure {
        title: format!("Over the {axis}"),
        caption: format!(
            "First what training reached, then how the gradient's norm changes from the last hidden layer to the first \
             before the first step. The horizontal axis ({axis}) is logarithmic. A network trains as far as its line in \
             the second panel stays near 10⁰."
        ),
        body: names(family) + &panels_of(&panels),
        data: vec![files::sweep(family)],
    }
}
