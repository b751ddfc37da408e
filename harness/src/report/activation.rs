//! An activation and its slope: the curves of phi and phi', with the line at 1 that the slope is judged by.

use plotters::prelude::*;

use super::axis::Axis;
use super::chart::{FINE, GRID, INK, canvas, font, stand_in};
use super::format::{concise, plural, power_of_ten, tick};
use super::mark::Mark;
use super::picture::Picture;
use crate::activation::Activation;
use crate::theory::phi::{d_phi, max_derivative, phi};
use crate::theory::slope::{Steepest, shrinking, steepest};

/// The curves run from -END to END.
const END: f64 = 4.0;
/// Points on either side of 0.
const POINTS: usize = 80;

/// A point of both curves: h, phi(h), phi'(h).
pub(super) type Point = (f64, f64, f64);

/// The figure as a file; `depth` is the number of layers whose slopes multiply.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::report::activation;
///
/// let figure = activation::svg(Activation::Sigmoid, 20);
/// assert!(figure.starts_with("<svg") && figure.contains("Steepest at h = 0"));
/// ```
#[must_use]
pub fn svg(activation: Activation, depth: usize) -> String {
    let [value, slope, ..] = &marks();
    picture(activation, (520, 330)).file(
        &format!("{activation}: the activation and its slope"),
        &[value, slope],
        &format!("{} Dotted: slope 1, below which a layer makes gradients smaller.", note(activation, depth)),
    )
}

/// The two curves, the line at 1, and the steepest place.
pub(super) fn marks() -> [Mark; 4] {
    [
        Mark::plain(0, 0, "φ(h)".to_owned()),
        Mark::plain(1, 1, "its slope φ′(h)".to_owned()),
        Mark { attributes: "class=\"axis d2\"".to_owned(), title: "slope 1".to_owned() },
        Mark::plain(1, 0, "steepest".to_owned()),
    ]
}

/// What the slope does to gradients, in words.
pub(super) fn note(activation: Activation, depth: usize) -> String {
    let largest = max_derivative(activation);
    let product = depth as f64 * largest.log10();
    let product =
        if product.abs() < 300.0 { concise(10f64.powf(product)) } else { power_of_ten(product.ceil()) };
    format!(
        "Steepest {}: |φ′| = {}. |φ′| < 1 {}. Over {} the slopes multiply to at most {product}.",
        steepest(activation),
        concise(largest),
        shrinking(activation).to_string().replace('-', "−"),
        plural(depth, "layer"),
    )
}

/// Both curves below 0 and above it: phi' may jump there, and -0.0 asks for its limit from below.
pub(super) fn curves(activation: Activation) -> [Vec<Point>; 2] {
    let at = |h: f64| (h, phi(activation, h), d_phi(activation, h));
    let place = |i: usize| i as f64 / POINTS as f64 * END;
    [(0..=POINTS).rev().map(|i| at(-place(i))).collect(), (0..=POINTS).map(|i| at(place(i))).collect()]
}

/// The curves; `size` in units of the page.
pub(super) fn picture(activation: Activation, size: (u32, u32)) -> Picture {
    let halves = curves(activation);
    let values = halves.iter().flatten().flat_map(|&(_, value, slope)| [value, slope]);
    let (low, high) = Axis::range(values.chain([0.0, 1.0])).unwrap_or((0.0, 1.0));
    let margin = 0.05 * (high - low);
    let steepest = match steepest(activation) {
        Steepest::At(h) => Some((h, d_phi(activation, h))),
        Steepest::BelowZero => Some((0.0, d_phi(activation, -0.0))),
        _ => None,
    };
    let label = format!("The activation {activation} and its slope from h = -{END} to {END}");
    let [_, _, one, ring] = marks();
    let lines: Vec<(Mark, Vec<(f64, f64)>)> = halves.iter().flat_map(|half| lines(half)).collect();
    let marks: Vec<&Mark> = [&one, &ring].into_iter().chain(lines.iter().map(|(mark, _)| mark)).collect();
    let picture = canvas(&label, size, &marks, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_top(8 * FINE)
            .margin_right(18 * FINE)
            .x_label_area_size(34 * FINE)
            .y_label_area_size(40 * FINE)
            .build_cartesian_2d(
                Axis::new(-END, END, 8, 1.0),
                Axis::new(low - margin, high + margin, 6, 0.0),
            )?;
        chart
            .configure_mesh()
            .axis_style(INK)
            .bold_line_style(GRID)
            .set_all_tick_mark_size(4 * FINE)
            .x_desc("h")
            .x_label_formatter(&|x| tick(*x))
            .y_label_formatter(&|y| tick(*y))
            .label_style(font(11))
            .axis_desc_style(font(11))
            .draw()?;
        chart.draw_series([PathElement::new(vec![(-END, 1.0), (END, 1.0)], stand_in(0))])?;
        for (i, (_, points)) in lines.iter().enumerate() {
            chart.draw_series([PathElement::new(points.clone(), stand_in(2 + i))])?;
        }
        if let Some(place) = steepest {
            chart.draw_series([Circle::new(place, 4 * FINE, stand_in(1))])?;
        }
        Ok(())
    });
    Picture { data: " data-x=\"h\"".to_owned(), ..picture }
}

/// The two lines of a half, whose marks carry their figures in words for the page's script.
fn lines(half: &[Point]) -> [(Mark, Vec<(f64, f64)>); 2] {
    let [value, slope, ..] = marks();
    let line = |mark: Mark, figure: fn(&Point) -> f64| {
        let words = |of: &dyn Fn(&Point) -> f64| {
            half.iter().map(|point| tick(of(point))).collect::<Vec<_>>().join(" ")
        };
        let data = format!(" data-at=\"{}\" data-values=\"{}\"", words(&|point| point.0), words(&figure));
        let points = half.iter().map(|point| (point.0, figure(point))).collect();
        (Mark { attributes: mark.attributes + &data, title: mark.title }, points)
    };
    [line(value, |point| point.1), line(slope, |point| point.2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_say_where_and_how_much() {
        let words = |activation: Activation| note(activation, 30);
        assert_eq!(
            words(Activation::Sigmoid),
            "Steepest at h = 0: |φ′| = 0.25. |φ′| < 1 at every h. Over 30 layers the slopes multiply to at most 8.67e-19."
        );
        assert!(words(Activation::Relu).ends_with("at most 1."));
        // 1.12890414^30 = 38.04.
        assert!(words(Activation::Gelu).ends_with("at most 38."), "{}", words(Activation::Gelu));
        assert!(note(Activation::Sigmoid, 1000).ends_with("at most 10⁻⁶⁰²."));
        assert!(note(Activation::Tanh, 1).contains("Over 1 layer the"));
    }

    #[test]
    fn curves_keep_both_limits_at_a_jump() {
        let [below, above] = curves(Activation::Leaky(0.25));
        assert_eq!(below.last().copied(), Some((0.0, 0.0, 0.25)));
        assert_eq!(above.first().copied(), Some((0.0, 0.0, 1.0)));
        assert_eq!((below[0], above[POINTS]), ((-4.0, -1.0, 0.25), (4.0, 4.0, 1.0)));
    }

    #[test]
    fn every_activation_is_drawn() {
        for name in Activation::NAMES.split(", ").chain(["leaky:-1e38", "elu:3e38", "prelu:0"]) {
            let svg = svg(name.parse().unwrap(), 30);
            assert!(
                svg.contains("class=\"series h0 d0\"") && svg.contains("class=\"series h1 d1\""),
                "{name}"
            );
            assert!(
                !svg.contains("NaN") && !svg.contains("inf") && !svg.contains("Not drawn"),
                "{name}: {svg}"
            );
        }
    }
}
