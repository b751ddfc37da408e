//! The pages of the server: the index, a run's report with its state above it, and what goes round both.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::runs::Run;
use super::watched::{State, Status};
use crate::report::document::{Document, SCRIPT, policy};
use crate::report::format::escape;
use crate::report::page;
use crate::study::summary::Summary;

/// The scripts of every page.
const SCRIPTS: [&str; 2] = [SCRIPT, include_str!("live.js")];
/// The most runs whose figures are shown beside each other.
const SIDE_BY_SIDE: usize = 12;
/// What stands for itself in a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The policy of a page: its own scripts and style sheet, events and content from here, in no frame.
pub(super) fn page_policy() -> String {
    format!("{}; connect-src 'self'; frame-ancestors 'none'", policy(&SCRIPTS))
}

/// A run's path as it stands in a link.
pub(super) fn link(name: &str) -> String {
    utf8_percent_encode(name, PLAIN).to_string()
}

/// A whole page around its content; `path` is the part of its address that names the run, with a slash before it, or empty.
pub(super) fn whole(title: &str, path: &str, version: &str, content: &str) -> String {
    let path = escape(path);
    let attributes =
        format!(" data-events=\"/events{path}\" data-content=\"/content{path}\" data-version=\"{version}\"");
    let body = format!(
        "<p class=\"lost\" role=\"alert\" hidden>Lost connection: what you see may be old. Trying again.</p>\n\
         <div id=\"content\">\n{content}</div>\n"
    );
    Document { title, attributes: &attributes, body: &body, scripts: &SCRIPTS, holds_policy: false }.html()
}

/// What a run is called: the name of its folder where the folder itself is served.
pub(super) fn name_of(run: &Run) -> String {
    match run.name.is_empty() {
        false => run.name.clone(),
        true => {
            run.folder.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned())
        }
    }
}

/// State and progress, as HTML.
fn progress(status: &Status) -> String {
    let word = match (status.state, &status.problem) {
        (_, Some(problem)) => return format!("cannot be read: {}", escape(problem)),
        (State::Finished, _) => "finished",
        (State::Running, _) => "running",
        (State::Stopped, _) => "not finished",
    };
    let done = status.done;
    match (status.state, status.total) {
        (State::Finished, _) => format!("{word}, {done} runs"),
        (_, Some(total)) => format!(
            "{word} <progress max=\"{total}\" value=\"{done}\" aria-label=\"Runs that are finished\"></progress> \
             {done} of {total} runs"
        ),
        (_, None) => format!("{word}, {done} runs"),
    }
}

/// The content of a run's page.
pub(super) fn report(run: &Run, status: &Status, summary: Option<&Summary>) -> String {
    let head = format!(
        "<p class=\"state\" role=\"status\"><a href=\"/\">All runs</a> <b>{}</b>: {}</p>\n",
        escape(&name_of(run)),
        progress(status)
    );
    let rest = match summary {
        Some(summary) if summary.groups.is_empty() => format!(
            "<h1>{}</h1>\n<main><p>No network has its trial behind it yet: rates are tuned first. Figures appear \
             here as soon as there are some.</p></main>\n",
            escape(&status.title)
        ),
        Some(summary) => page::content(summary),
        None => format!(
            "<h1>{}</h1>\n<main><p>Its report comes when the study has finished.</p></main>\n",
            escape(&status.title)
        ),
    };
    head + &rest
}

/// The first figures of the runs beside each other; nothing with fewer than two.
fn side_by_side(runs: &[(Run, Status, Option<String>)]) -> String {
    let figure = |(run, status, figure): &(Run, Status, Option<String>)| {
        let title =
            if status.title.is_empty() { String::new() } else { format!(": {}", escape(&status.title)) };
        Some(format!(
            "<section class=\"run\">\n<h2><a href=\"/run/{}\">{}</a><small>{}</small></h2>\n{}</section>\n",
            escape(&link(&run.name)),
            escape(&name_of(run)),
            title.trim_start_matches(": "),
            figure.as_ref()?
        ))
    };
    let figures: Vec<String> = runs.iter().filter_map(figure).take(SIDE_BY_SIDE).collect();
    if figures.len() < 2 {
        return String::new();
    }
    format!("<div class=\"runs-beside\">\n{}</div>\n", figures.concat())
}

/// The content of the index: all runs, and the first figure of each that has one, as HTML.
pub(super) fn index(folder: &str, runs: &[(Run, Status, Option<String>)]) -> String {
    let row = |(run, status, _): &(Run, Status, Option<String>)| {
        format!(
            "<tr><th scope=\"row\"><a href=\"/run/{}\">{}</a></th><td>{}</td><td>{}</td></tr>\n",
            escape(&link(&run.name)),
            escape(&name_of(run)),
            escape(&status.title),
            progress(status)
        )
    };
    let table = match runs.is_empty() {
        true => "<p>No runs yet. <code>isobath study</code> makes one; it appears here by itself.</p>\n"
            .to_owned(),
        false => format!(
            "<table class=\"runs\">\n<thead><tr><th scope=\"col\">run</th><th scope=\"col\">study</th>\
             <th scope=\"col\">state</th></tr></thead>\n<tbody>\n{}</tbody></table>\n",
            runs.iter().map(row).collect::<String>()
        ),
    };
    format!(
        "<header>\n<p class=\"brand\">Isobath</p>\n<h1>Runs in {}</h1>\n</header>\n<main>\n{table}{}</main>\n",
        escape(folder),
        side_by_side(runs)
    )
}
