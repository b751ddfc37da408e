//! The phase diagram as a figure of its own: an SVG file.
//!
//! Blue is order (gradients vanish), red chaos (they explode), white lies between; hatched is where lengths diverge and
//! nothing is settled. The line is the edge of chaos, chi = 1, dashed where lengths run away from it. The dot is the
//! network in question.

use std::fmt::Write as _;

use crate::theory::phase::{EdgePoint, PhaseDiagram};

/// The plot's corner and size, in units of the figure.
const LEFT: f64 = 56.0;
const TOP: f64 = 44.0;
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 300.0;
/// Full colour from this |log10 chi| on.
const FULL: f64 = 0.5;

/// The figure; `title` is plain text without `<` and `&`, `network` is (s_w, s_b).
pub fn svg(diagram: &PhaseDiagram, title: &str, network: (f64, f64)) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 540 420\" font-family=\"sans-serif\" \
         font-size=\"12\" role=\"img\" aria-label=\"Phase diagram of {title}\">\n<rect width=\"540\" height=\"420\" \
         fill=\"#fff\"/>\n<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"#f4f4f4\"/><path d=\"M0 0v6\" \
         stroke=\"#999\"/></pattern></defs>\n<text x=\"{LEFT}\" y=\"18\" font-size=\"14\">{title}: where gradients \
         vanish and explode</text>\n<text x=\"{LEFT}\" y=\"35\">blue: chi &lt; 1, they vanish; red: chi &gt; 1, they \
         explode; hatched: lengths diverge</text>\n"
    );
    // Writing to a string cannot fail.
    let _ = cells(&mut svg, diagram);
    for run in diagram.edge.chunk_by(|one, other| one.stable == other.stable) {
        let dashes = if run[0].stable { "" } else { " stroke-dasharray=\"5 4\"" };
        let meaning = if run[0].stable { "edge of chaos, chi = 1" } else { "chi = 1, but lengths run away" };
        let _ = match run {
            [point] => writeln!(
                svg,
                "<path d=\"M{0:.1} {1:.1}v-12\" stroke=\"#000\" stroke-width=\"3\"{dashes}><title>{meaning}</title></path>",
                x(diagram, point.weight_deviation),
                y(diagram, point.bias_deviation)
            ),
            _ => writeln!(
                svg,
                "<path d=\"M{}\" fill=\"none\" stroke=\"#000\" stroke-width=\"2\"{dashes}><title>{meaning}</title></path>",
                run.iter().map(|point| place(diagram, point)).collect::<Vec<_>>().join("L")
            ),
        };
    }
    let _ = axes(&mut svg, diagram);
    let _ = write!(
        svg,
        "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"6\" fill=\"#ffd400\" stroke=\"#000\" stroke-width=\"1.5\"><title>this \
         network: s_w = {:.3}, s_b = {:.3}</title></circle>\n</svg>\n",
        x(diagram, network.0),
        y(diagram, network.1),
        network.0,
        network.1
    );
    svg
}

fn x(diagram: &PhaseDiagram, weight_deviation: f64) -> f64 {
    LEFT + WIDTH * weight_deviation / diagram.ends.0
}

fn y(diagram: &PhaseDiagram, bias_deviation: f64) -> f64 {
    TOP + HEIGHT * (1.0 - bias_deviation / diagram.ends.1)
}

fn place(diagram: &PhaseDiagram, point: &EdgePoint) -> String {
    format!("{:.1} {:.1}", x(diagram, point.weight_deviation), y(diagram, point.bias_deviation))
}

/// One rectangle for each run of cells of one colour.
fn cells(svg: &mut String, diagram: &PhaseDiagram) -> std::fmt::Result {
    let (columns, rows) = diagram.cells;
    let (width, height) = (WIDTH / columns as f64, HEIGHT / rows as f64);
    for (row, line) in diagram.chi.chunks(columns).enumerate() {
        let colours: Vec<String> = line.iter().map(|chi| colour(*chi)).collect();
        let mut column = 0;
        for run in colours.chunk_by(|one, other| one == other) {
            writeln!(
                svg,
                "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\" fill=\"{}\"/>",
                LEFT + column as f64 * width,
                TOP + HEIGHT - (row + 1) as f64 * height,
                // Neighbours overlap a little, so that no seam shows.
                run.len() as f64 * width + 0.3,
                height + 0.3,
                run[0]
            )?;
            column += run.len();
        }
    }
    Ok(())
}

/// Sixteen shades either way.
fn colour(chi: Option<f64>) -> String {
    let Some(chi) = chi else { return "url(#hatch)".to_owned() };
    let depth = (chi.max(1e-30).log10() / FULL).clamp(-1.0, 1.0);
    let depth = (depth * 16.0).round() / 16.0;
    let faded = |full: f64| (255.0 + (full - 255.0) * depth.abs()).round() as u8;
    let [red, green, blue] = if depth < 0.0 { [33.0, 102.0, 172.0] } else { [178.0, 24.0, 43.0] };
    format!("#{:02x}{:02x}{:02x}", faded(red), faded(green), faded(blue))
}

fn axes(svg: &mut String, diagram: &PhaseDiagram) -> std::fmt::Result {
    let bottom = TOP + HEIGHT;
    writeln!(
        svg,
        "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"none\" stroke=\"#000\"/>"
    )?;
    for i in 0..=4 {
        let share = f64::from(i) / 4.0;
        let (weight, bias) = (share * diagram.ends.0, share * diagram.ends.1);
        writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{weight:.2}</text><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{bias:.2}</text>",
            x(diagram, weight),
            bottom + 16.0,
            LEFT - 6.0,
            y(diagram, bias) + 4.0
        )?;
    }
    writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">s_w, deviation of the weights times sqrt(fan-in)</text>\n\
         <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">s_b, deviation of the biases</text>\n\
         <text x=\"{LEFT}\" y=\"{:.1}\">line: chi = 1, dashed where lengths are unstable; dot: this network</text>",
        LEFT + 0.5 * WIDTH,
        bottom + 36.0,
        TOP + 0.5 * HEIGHT,
        bottom + 62.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;

    #[test]
    fn shows_cells_line_and_dot() {
        let diagram = PhaseDiagram::new(Activation::Gelu, (3.0, 1.0), (12, 4)).unwrap();
        let svg = svg(&diagram, "gelu", (1.5, 0.25));
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("stroke-dasharray") && svg.contains("url(#hatch)"), "{svg}");
        // Half of the axis to the right, three quarters down.
        assert!(svg.contains("<circle cx=\"286.0\" cy=\"269.0\""), "{svg}");
        assert_eq!(svg.matches("<title>").count(), svg.matches("</title>").count());
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn colours_are_white_at_the_edge_and_full_far_off() {
        assert_eq!(colour(Some(1.0)), "#ffffff");
        assert_eq!(colour(Some(0.0)), "#2166ac");
        assert_eq!(colour(Some(100.0)), "#b2182b");
        assert_eq!(colour(None), "url(#hatch)");
    }
}
