//! A figure of the page: title, pictures, caption, and its data to read and to take away.

use super::files::Csv;
use super::format::escape;

/// A figure; `body` is HTML, the rest is plain text.
pub(super) struct Figure {
    pub(super) title: String,
    /// What to see in it.
    pub(super) caption: String,
    pub(super) body: String,
    pub(super) data: Vec<Csv>,
}

impl Figure {
    pub(super) fn html(&self) -> String {
        format!(
            "<figure>\n<h3>{}</h3>\n{}<figcaption>{}</figcaption>\n{}</figure>\n",
            escape(&self.title),
            self.body,
            escape(&self.caption),
            self.data.iter().map(Csv::html).collect::<String>()
        )
    }
}

/// A picture with its own title among others; `picture` is HTML.
pub(super) fn panel(title: &str, picture: &str) -> String {
    format!("<div class=\"panel\"><p class=\"panel-title\">{}</p>\n{picture}</div>\n", escape(title))
}
