//! A drawn figure, as an element of the page or as a file of its own.
//!
//! Its elements carry classes; in the page `style.css` gives them their look, in a file `figure.css`, with colours and
//! widths spelt out for programs that know neither variables nor strokes that do not scale.

use super::chart::FINE;
use super::format::escape;
use super::mark::Mark;
use super::terminal::paragraph;

/// Margin around a file, and height of a line of text, in pixels of the canvas.
const MARGIN: u32 = 16 * FINE;
const LINE: u32 = 16 * FINE;

/// Elements in a box whose corner is (0, 0), in pixels of the canvas.
pub(super) struct Picture {
    /// What it shows, for those who cannot see it; plain text.
    pub(super) label: String,
    /// Width and height of the box.
    pub(super) size: (u32, u32),
    /// SVG elements.
    pub(super) body: String,
    /// More attributes of the element, for the page's script, as HTML.
    pub(super) data: String,
}

impl Picture {
    /// An element of the page.
    pub(super) fn html(&self) -> String {
        let Self { label, size: (width, height), body, data } = self;
        format!(
            "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-label=\"{}\"{data}>\n{body}</svg>\n",
            escape(label),
        )
    }

    /// A whole file: title, legend, the picture, and the caption below it; plain text.
    pub(super) fn file(&self, title: &str, legend: &[&Mark], caption: &str) -> String {
        let (width, height) = self.size;
        let top = if legend.is_empty() { 2 * LINE } else { 7 * LINE / 2 };
        // A character takes half its height of 12, and a little more.
        let caption = paragraph(caption, (width * 2 / (13 * FINE)) as usize);
        let below = top + height + 3 * LINE / 2;
        let lines = caption.lines().enumerate().map(|(i, line)| {
            let y = below + i as u32 * LINE;
            format!("<text x=\"{MARGIN}\" y=\"{y}\" class=\"caption\">{}</text>\n", escape(line))
        });
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" \
             font-size=\"{}\" role=\"img\" aria-label=\"{label}\">\n<style>\n{style}</style>\n\
             <rect width=\"100%\" height=\"100%\" class=\"page\"/>\n\
             <text x=\"{MARGIN}\" y=\"{}\" font-size=\"{}\" class=\"title\">{title}</text>\n{legend}\
             <g transform=\"translate({MARGIN} {top})\">\n{body}</g>\n{lines}</svg>\n",
            width + 2 * MARGIN,
            below + caption.lines().count() as u32 * LINE,
            12 * FINE,
            22 * FINE,
            15 * FINE,
            label = escape(&self.label),
            style = include_str!("figure.css"),
            title = escape(title),
            legend = swatches(legend),
            body = self.body,
            lines = lines.collect::<String>(),
        )
    }
}

/// A line with a sample of each mark and its name.
fn swatches(legend: &[&Mark]) -> String {
    let mut x = MARGIN;
    let swatch = |mark: &&Mark| {
        let start = x;
        x += (64 + 7 * mark.title.chars().count() as u32) * FINE;
        format!(
            "<path {} d=\"M{start} {}h{}\"/><text x=\"{}\" y=\"{}\">{}</text>\n",
            mark.attributes,
            40 * FINE,
            28 * FINE,
            start + 36 * FINE,
            44 * FINE,
            escape(&mark.title)
        )
    };
    legend.iter().map(swatch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_all_its_parts_escaped_and_every_line_fits() {
        let picture = Picture {
            label: "a < b".to_owned(),
            size: (2000, 100),
            body: "<g/>\n".to_owned(),
            data: String::new(),
        };
        let caption = "a word & another ".repeat(20);
        let file = picture.file("x < y", &[&Mark::plain(0, 0, "p < q".to_owned())], &caption);
        assert!(file.starts_with("<svg xmlns=") && file.ends_with("</svg>\n"));
        for part in ["a &lt; b", "x &lt; y", "p &lt; q", "<g/>", "viewBox=\"0 0 2128 "] {
            assert!(file.contains(part), "{part} is not in {file}");
        }
        let texts = file.split("class=\"caption\">").skip(1).filter_map(|rest| rest.split("</text>").next());
        let lines: Vec<String> = texts.map(|text| text.replace("&amp;", "&")).collect();
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= 76), "{lines:?}");
        assert_eq!(lines.join(" "), caption.trim());
        assert!(!file.contains("& "));
    }
}
