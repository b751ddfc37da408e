//! A page as one document, and the policy that keeps it from loading anything.
//!
//! The Content-Security-Policy allows the page's own style sheet and scripts, by their hashes, and nothing else: no text
//! of a study can run, wherever it stands, and nothing is fetched. Source: W3C, Content Security Policy Level 3.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::format::escape;

const STYLE: &str = include_str!("style.css");
/// The script of every page.
pub(crate) const SCRIPT: &str = include_str!("script.js");

/// A whole page.
pub(crate) struct Document<'a> {
    /// Plain text.
    pub(crate) title: &'a str,
    /// Attributes of the body, as HTML.
    pub(crate) attributes: &'a str,
    /// The content of the body, as HTML.
    pub(crate) body: &'a str,
    /// Its scripts, in order.
    pub(crate) scripts: &'a [&'a str],
    /// Whether the policy stands in the page itself: in a file it must, a server sends it.
    pub(crate) holds_policy: bool,
}

impl Document<'_> {
    pub(crate) fn html(&self) -> String {
        let policy = match self.holds_policy {
            true => format!(
                "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n",
                policy(self.scripts)
            ),
            false => String::new(),
        };
        let scripts = self.scripts.iter().map(|script| format!("<script>\n{script}</script>\n"));
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{policy}\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body{attributes}>\n{body}{scripts}</body>\n</html>\n",
            title = escape(self.title),
            attributes = self.attributes,
            body = self.body,
            scripts = scripts.collect::<String>(),
        )
    }
}

/// The policy of a page with these scripts.
pub(crate) fn policy(scripts: &[&str]) -> String {
    // What lies between the tags is hashed, the line break after the first one included.
    let hash = |text: &str| {
        format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(format!("\n{text}").as_bytes())))
    };
    let scripts: Vec<String> = scripts.iter().map(|script| hash(script)).collect();
    format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        scripts.join(" "),
        hash(STYLE)
    )
}
