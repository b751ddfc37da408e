//! A figure of the page: title, pictures, caption, and its data to read and to take away.

use super::format::escape;

/// A file of comma-separated values.
pub(super) struct Csv {
    /// Name of the file.
    pub(super) name: String,
    pub(super) text: String,
}

impl Csv {
    /// A file from its header and its records.
    pub(super) fn new(name: String, header: &[String], records: impl Iterator<Item = Vec<String>>) -> Self {
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing to memory does not fail, and all records of a file have the header's length.
        let written = writer
            .write_record(header)
            .and_then(|()| records.into_iter().try_for_each(|r| writer.write_record(r)));
        let bytes = writer.into_inner().unwrap_or_default();
        let text = match written {
            Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => error.to_string(),
        };
        Self { name, text }
    }

    fn html(&self) -> String {
        let name = escape(&self.name);
        format!(
            "<details class=\"data\"><summary>Data: {name}</summary>\n\
             <pre tabindex=\"0\" role=\"region\" aria-label=\"{name}\" data-file=\"{name}\">{}</pre></details>\n",
            escape(&self.text)
        )
    }
}

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

/// A figure that may not exist, for a file.
pub(super) fn cell(value: Option<f64>) -> String {
    value.map_or_else(String::new, |v| format!("{v:.4}"))
}
