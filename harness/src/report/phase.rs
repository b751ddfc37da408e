//! The phase diagram: where, in the plane of s_w and s_b, random networks make gradients vanish or explode.
//!
//! Blue is order (gradients vanish), red chaos (they explode), white lies between; hatched is where lengths diverge and
//! nothing is settled. The line is the edge of chaos, chi = 1, dashed where lengths run away from it. Dots are networks.
//! The plane looks the same in light and dark: its colours are data. Cells of one colour are one path.

use std::collections::BTreeMap;

use super::chart::FINE;
use super::format::{concise, escape, tick};
use super::picture::Picture;
use crate::theory::phase::{EdgePoint, PhaseDiagram};

/// What is left free around the plane for labels, in units of the page.
const LEFT: u32 = 54;
const RIGHT: u32 = 14;
const ABOVE: u32 = 8;
const BELOW: u32 = 40;
/// Full colour from this |log10 chi| on.
const FULL: f64 = 0.5;

/// What the colours and lines are, for a caption.
pub(super) const KEY: &str = "Blue: χ\u{a0}<\u{a0}1, gradients vanish; red: χ\u{a0}>\u{a0}1, they explode; full colour from χ\u{a0}=\u{a0}1/3.2 \
     and 3.2 on. Hatched: lengths diverge. Line: the edge of chaos χ\u{a0}=\u{a0}1, dashed where lengths run away from it.";

/// A network in the plane.
pub(super) struct Dot {
    /// s_w and s_b.
    pub(super) place: (f64, f64),
    /// What stands in it: a number, or nothing.
    pub(super) number: String,
    /// Plain text.
    pub(super) title: String,
}

/// The figure as a file; `title` is plain text, `network` is (s_w, s_b).
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::report::phase;
/// use isobath::theory::phase::PhaseDiagram;
///
/// // He's ReLU in its plane.
/// let network = (2f64.sqrt(), 0.0);
/// let diagram = PhaseDiagram::around(Activation::Relu, &[network], (12, 8))?;
/// let figure = phase::svg(&diagram, "ReLU", network);
/// assert!(figure.starts_with("<svg") && figure.contains("1.414"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn svg(diagram: &PhaseDiagram, title: &str, network: (f64, f64)) -> String {
    let name = format!("this network: s_w\u{a0}=\u{a0}{:.3}, s_b\u{a0}=\u{a0}{:.3}", network.0, network.1);
    let dot = Dot { place: network, number: String::new(), title: name.clone() };
    picture(diagram, title, (520, 350), "hatch", &[dot]).file(
        &format!("{title}: where gradients vanish and explode"),
        &[],
        &format!("{KEY} Dot: {name}."),
    )
}

/// The diagram with its dots; `size` in units of the page, `hatch` names its pattern, once in a page.
pub(super) fn picture(
    diagram: &PhaseDiagram,
    name: &str,
    size: (u32, u32),
    hatch: &str,
    dots: &[Dot],
) -> Picture {
    let size = (size.0 * FINE, size.1 * FINE);
    let plane = Plane {
        diagram,
        width: f64::from(size.0.saturating_sub((LEFT + RIGHT) * FINE)),
        height: f64::from(size.1.saturating_sub((ABOVE + BELOW) * FINE)),
    };
    let body = format!(
        "<defs><pattern id=\"{hatch}\" width=\"24\" height=\"24\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><rect width=\"24\" height=\"24\" fill=\"#f4f4f4\"/><path d=\"M0 0v24\" \
         stroke=\"#999\" stroke-width=\"4\"/></pattern></defs>\n\
         <g transform=\"translate({} {})\">\n\
         <rect width=\"{}\" height=\"{}\" fill=\"url(#{hatch})\"><title>lengths diverge</title></rect>\n{}{}{}{}</g>\n",
        LEFT * FINE,
        ABOVE * FINE,
        plane.width,
        plane.height,
        plane.cells(),
        plane.edge(),
        plane.axes(),
        dots.iter().map(|dot| plane.dot(dot)).collect::<String>()
    );
    Picture { label: format!("Phase diagram of {name}"), size, body, data: String::new() }
}

/// The diagram on the canvas, from (0, 0) at its upper left corner.
struct Plane<'a> {
    diagram: &'a PhaseDiagram,
    width: f64,
    height: f64,
}

impl Plane<'_> {
    fn x(&self, weight_deviation: f64) -> f64 {
        self.width * weight_deviation / self.diagram.ends.0
    }

    fn y(&self, bias_deviation: f64) -> f64 {
        self.height * (1.0 - bias_deviation / self.diagram.ends.1)
    }

    /// One path for each colour, of strokes as long as the colour lasts; where lengths diverge there is none.
    fn cells(&self) -> String {
        let (columns, rows) = self.diagram.cells;
        let mut paths: BTreeMap<i32, String> = BTreeMap::new();
        for (row, line) in self.diagram.chi.chunks(columns.max(1)).enumerate() {
            let mut column = 0;
            for run in line.chunk_by(|one, other| one.map(shade) == other.map(shade)) {
                if let Some(chi) = run[0] {
                    let stroke = format!("M{column} {}.5h{}", rows - 1 - row, run.len());
                    paths.entry(shade(chi)).or_default().push_str(&stroke);
                }
                column += run.len();
            }
        }
        let path = |(shade, strokes): (&i32, &String)| {
            format!(
                "<path stroke=\"{}\" d=\"{strokes}\"><title>{}</title></path>\n",
                colour(*shade),
                escape(&meaning(*shade))
            )
        };
        format!(
            "<svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {columns} {rows}\" preserveAspectRatio=\"none\" \
             class=\"cells\">\n{}</svg>\n",
            self.width,
            self.height,
            paths.iter().map(path).collect::<String>()
        )
    }

    /// The line where chi = 1; a single point is a mark on the axis.
    fn edge(&self) -> String {
        let place = |point: &EdgePoint| {
            format!("{:.0} {:.0}", self.x(point.weight_deviation), self.y(point.bias_deviation))
        };
        let line = |run: &[EdgePoint]| {
            let (class, meaning) = if run[0].stable {
                ("edge", "edge of chaos, χ = 1")
            } else {
                ("edge d1", "χ = 1, but lengths run away")
            };
            let points = match run {
                [point] => format!("{}v{}", place(point), -12 * FINE as i32),
                _ => run.iter().map(place).collect::<Vec<_>>().join("L"),
            };
            format!("<path class=\"{class}\" d=\"M{points}\"><title>{meaning}</title></path>\n")
        };
        self.diagram.edge.chunk_by(|one, other| one.stable == other.stable).map(line).collect()
    }

    fn axes(&self) -> String {
        let fine = f64::from(FINE);
        let ticks = (0..=4).map(|i| {
            let share = f64::from(i) / 4.0;
            let (weight, bias) = (share * self.diagram.ends.0, share * self.diagram.ends.1);
            // The last one ends where the plane does: it may be long.
            let anchor = if i == 4 { "end" } else { "middle" };
            format!(
                "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"{anchor}\">{}</text>\
                 <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>\n",
                self.x(weight) + if i == 4 { 12.0 * fine } else { 0.0 },
                self.height + 18.0 * fine,
                tick(weight),
                -8.0 * fine,
                self.y(bias) + 4.0 * fine,
                tick(bias),
            )
        });
        format!(
            "<rect class=\"axis\" width=\"{}\" height=\"{}\"/>\n<g font-size=\"{}\">{}\
             <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">s_w, weights’ deviation times √fan-in</text>\n\
             <text transform=\"translate({:.0} {:.0}) rotate(-90)\" text-anchor=\"middle\">s_b, biases’ deviation</text>\n\
             </g>\n",
            self.width,
            self.height,
            11 * FINE,
            ticks.collect::<String>(),
            0.5 * self.width,
            self.height + 34.0 * fine,
            -42.0 * fine,
            0.5 * self.height,
        )
    }

    fn dot(&self, dot: &Dot) -> String {
        let (x, y, fine) = (self.x(dot.place.0), self.y(dot.place.1), f64::from(FINE));
        format!(
            "<g><circle class=\"dot\" cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"{}\"/><text class=\"dot-number\" x=\"{x:.0}\" \
             y=\"{:.0}\" text-anchor=\"middle\" font-size=\"{}\">{}</text><title>{}</title></g>\n",
            6 * FINE,
            y + 3.5 * fine,
            10 * FINE,
            escape(&dot.number),
            escape(&dot.title)
        )
    }
}

/// Sixteen shades either way.
const SHADES: f64 = 16.0;

/// The shade of a chi: 0 where it is 1, negative below.
fn shade(chi: f64) -> i32 {
    let depth = (chi.max(1e-30).log10() / FULL).clamp(-1.0, 1.0);
    (depth * SHADES).round() as i32
}

/// The chi that a shade stands for.
fn meaning(shade: i32) -> String {
    let chi = |shade: f64| concise(10f64.powf(FULL * shade / SHADES));
    let full = SHADES as i32;
    match shade {
        _ if shade <= -full => format!("χ < {}", chi(0.5 - SHADES)),
        _ if shade >= full => format!("χ > {}", chi(SHADES - 0.5)),
        _ => format!("χ about {}", chi(f64::from(shade))),
    }
}

/// The colour of a shade: white, faded blue or faded red.
fn colour(shade: i32) -> String {
    let depth = f64::from(shade) / SHADES;
    let faded = |full: f64| (255.0 + (full - 255.0) * depth.abs()).round() as u8;
    let [red, green, blue] = if shade < 0 { [33.0, 102.0, 172.0] } else { [178.0, 24.0, 43.0] };
    format!("#{:02x}{:02x}{:02x}", faded(red), faded(green), faded(blue))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;

    #[test]
    fn shows_cells_line_and_dot() {
        let diagram = PhaseDiagram::new(Activation::Gelu, (3.0, 1.0), (12, 4)).unwrap();
        let svg = svg(&diagram, "gelu <b>", (1.5, 0.25));
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("edge d1") && svg.contains("url(#hatch)"), "{svg}");
        // Half of the axis to the right, three quarters down.
        assert!(svg.contains("cx=\"904\" cy=\"906\""), "{svg}");
        assert_eq!(svg.matches("<title>").count(), svg.matches("</title>").count());
        assert!(!svg.contains("NaN") && !svg.contains("<b>"));
    }

    #[test]
    fn every_cell_is_drawn_once_or_left_to_the_hatching() {
        let diagram = PhaseDiagram::new(Activation::Relu, (3.0, 1.0), (15, 4)).unwrap();
        let plane = Plane { diagram: &diagram, width: 100.0, height: 100.0 };
        let drawn: usize = plane
            .cells()
            .split('h')
            .skip(1)
            .filter_map(|rest| rest.split(['M', '"']).next()?.parse::<usize>().ok())
            .sum();
        assert_eq!(drawn, diagram.chi.iter().flatten().count());
        assert!(drawn < 60 && drawn > 20, "{drawn}");
    }

    #[test]
    fn colours_are_white_at_the_edge_and_full_far_off() {
        assert_eq!(colour(shade(1.0)), "#ffffff");
        assert_eq!(colour(shade(0.0)), "#2166ac");
        assert_eq!(colour(shade(100.0)), "#b2182b");
        assert_ne!(colour(shade(0.9)), colour(shade(1.1)));
    }
}
