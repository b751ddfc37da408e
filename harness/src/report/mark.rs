//! The look of a line or an area and the name it goes by: one mark for a figure, its legend and its table.
//!
//! Six hues that colour-blind readers tell apart, times four dash patterns; the untreated network is
//! drawn in ink.

use super::format::escape;

const HUES: usize = 6;
const DASHES: usize = 4;

/// Attributes for the style sheet and the script, with a title to show on hover.
#[derive(Clone)]
pub(super) struct Mark {
    /// Attributes of the SVG element.
    pub(super) attributes: String,
    /// Plain text; escaped where it is written.
    pub(super) title: String,
}

impl Mark {
    /// The mark of a group's row, by its place in the group.
    pub(super) fn row(place: usize, name: &str) -> Self {
        let look = match place.checked_sub(1) {
            None => "ink".to_owned(),
            Some(k) => format!("h{} d{}", k % HUES, k / HUES % DASHES),
        };
        Self { attributes: format!("class=\"series {look}\" data-row=\"{place}\""), title: name.to_owned() }
    }

    /// What theory expects of a group's row.
    pub(super) fn predicted(place: usize, name: &str) -> Self {
        Self {
            attributes: format!("class=\"series predicted {}\" data-row=\"{place}\"", hue(place)),
            title: format!("{name}, expected"),
        }
    }

    /// The range in which it is expected.
    pub(super) fn band(place: usize, name: &str) -> Self {
        Self {
            attributes: format!("class=\"band {}\" data-row=\"{place}\"", hue(place)),
            title: format!("{name}, 95 % band"),
        }
    }

    /// The mark of something that is no row: hue and dash pattern are given.
    pub(super) fn plain(hue: usize, dash: usize, title: String) -> Self {
        Self { attributes: format!("class=\"series h{} d{}\"", hue % HUES, dash % DASHES), title }
    }

    /// The mark of the `k`th of many, from 0.
    pub(super) fn numbered(k: usize, title: String) -> Self {
        Self::plain(k, k / HUES, title)
    }

    /// A short sample of the line.
    pub(super) fn swatch(&self) -> String {
        format!(
            "<svg class=\"swatch\" viewBox=\"0 0 28 8\" aria-hidden=\"true\"><path {} d=\"M0 4h28\"/></svg>",
            self.attributes
        )
    }
}

/// The hue of a group's row.
fn hue(place: usize) -> String {
    place.checked_sub(1).map_or_else(|| "ink".to_owned(), |k| format!("h{}", k % HUES))
}

/// A list of marks with their names.
pub(super) fn legend<'a>(marks: impl IntoIterator<Item = &'a Mark>) -> String {
    let item = |mark: &Mark| {
        let row = mark
            .attributes
            .split_once("data-row")
            .map_or(String::new(), |(_, value)| format!(" data-row{value}"));
        format!("<li{row}>{}<span>{}</span></li>\n", mark.swatch(), escape(&mark.title))
    };
    format!("<ul class=\"legend\">\n{}</ul>\n", marks.into_iter().map(item).collect::<String>())
}
