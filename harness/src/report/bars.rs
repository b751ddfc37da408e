//! The accuracies of a group as bars, with whiskers over the seeds and lines for what has to be beaten.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;
use super::chart::{FINE, GRID, INK, canvas, font, stand_in};
use super::format::{accuracy, baseline, fraction, outcome};
use super::mark::Mark;
use super::ranking::ranked;
use crate::study::summary::{Data, Group};

const WIDTH: u32 = 440;
/// Height of a row: its name over its bar.
const ROW: u32 = 34;
/// The longest name that fits over a bar, in characters.
const LONGEST: usize = 44;

/// The chart, from the best row to the worst.
pub(super) fn svg(group: &Group, data: &Data) -> String {
    let rows = ranked(group);
    let marks: Vec<Mark> = rows
        .iter()
        .map(|(place, row)| Mark {
            attributes: format!("class=\"bar {}\" data-row=\"{place}\"", outcome(&row.outcome)),
            title: format!("{}: {}, {}", row.name, accuracy(row.accuracy.as_ref()), outcome(&row.outcome)),
        })
        .collect();
    let linear = data.linear_accuracy();
    let height = ROW * (rows.len() as u32 + 1) + 34;
    let label = format!("Test accuracy of each network of {}, best first", group.name);
    canvas(&label, (WIDTH, height), &marks.iter().collect::<Vec<_>>(), |area| {
        let count = rows.len() as f64;
        let mut chart = ChartBuilder::on(area)
            .margin_top(6 * FINE)
            .margin_left(10 * FINE)
            .margin_right(18 * FINE)
            .x_label_area_size(28 * FINE)
            .build_cartesian_2d(Axis::new(0.0, 1.0, 5, 0.0), Axis::bare(count, -1.0))?;
        chart
            .configure_mesh()
            .axis_style(INK)
            .bold_line_style(GRID)
            .disable_y_mesh()
            .disable_y_axis()
            .set_all_tick_mark_size(4 * FINE)
            .x_label_formatter(&|x| format!("{x:.1}"))
            .label_style(font(11))
            .draw()?;
        for (i, (_, row)) in rows.iter().enumerate() {
            let Some(score) = &row.accuracy else { continue };
            let top = i as f64;
            let bar = [(0.0, top + 0.6), (score.median, top + 0.94)];
            chart.draw_series([Rectangle::new(bar, stand_in(i).filled())])?;
            let middle = top + 0.77;
            let cap = |x| PathElement::new(vec![(x, middle - 0.11), (x, middle + 0.11)], INK);
            let whisker = PathElement::new(vec![(score.min, middle), (score.max, middle)], INK);
            chart.draw_series([cap(score.min), whisker, cap(score.max)])?;
        }
        let references =
            [(baseline(data), Some(data.majority_accuracy), 0.45), ("linear softmax", linear, 0.9)];
        let known = || references.iter().filter_map(|(name, value, top)| Some((name, (*value)?, *top)));
        for (_, value, top) in known() {
            chart.draw_series([PathElement::new(vec![(value, count), (value, -top)], INK)])?;
        }
        for (name, value, top) in known() {
            let label = format!("{name} {}", fraction(value));
            let (side, gap) = if value > 0.6 { (HPos::Right, -0.01) } else { (HPos::Left, 0.01) };
            let style = font(11).pos(Pos::new(side, VPos::Top));
            chart.draw_series([Text::new(label, (value + gap, -top), style)])?;
        }
        // Names and scores last, so that no line runs through them.
        for (i, (_, row)) in rows.iter().enumerate() {
            let top = i as f64 + 0.13;
            chart.draw_series([Text::new(shortened(&row.name), (0.0, top), font(12))])?;
            let Some(score) = &row.accuracy else { continue };
            let note = format!("{} {}", fraction(score.median), outcome(&row.outcome));
            let style = font(11).pos(Pos::new(HPos::Right, VPos::Top));
            chart.draw_series([Text::new(note, (1.0, top), style)])?;
        }
        Ok(())
    })
    .html()
}

/// A name that leaves room for the score beside it.
fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}
