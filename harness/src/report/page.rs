//! The page of a study: one HTML file that needs nothing else, the answer first.

use super::answer::{Answer, answers, yardstick};
use super::document::{Document, SCRIPT};
use super::figure::Figure;
use super::format::{escape, plural, seconds};
use super::{claims, group, overview, sweep, theory, thin};
use crate::study::summary::{Group, Summary};

/// The page of a study. Phase diagrams are computed on the current thread pool.
///
/// ```
/// use isobath::report;
/// use isobath::study::trial;
/// # use isobath::study::plan::StudyPlan;
/// # use isobath::study::trial::{Options, Progress};
/// # use isobath_kernels::Level;
/// # struct Silent;
/// # impl Progress for Silent {
/// #     fn advance(&self, _done: u64, _total: u64, _what: &str) {}
/// # }
/// # let study = r#"
/// #     name = "tiny"
/// #     title = "Do six ReLU layers learn?"
/// #     data = { source = "glyphs", train = 40, validation = 20, test = 20, linear_reference = false }
/// #     training = { steps = 4, batch = 10, seeds = 2, record_every = 2 }
/// #     grid = [{ optimizer = "sgd", rates = [0.1] }]
/// #     [[group]]
/// #     name = "relu"
/// #     title = "6 ReLU layers of 16 units"
/// #     sick = { name = "untreated", depth = 6, width = 16, activation = "relu", init = "uniform" }
/// #     remedy = [{ name = "He", change = "He's weights", init = "he" }]
/// # "#;
/// # let plan = StudyPlan::parse("tiny.toml", study, None, false)?;
/// # let folder = std::env::temp_dir().join(format!("isobath-report-page-{}", std::process::id()));
/// # let options = Options { folder: folder.clone(), seed: 1, level: Level::detect(), threads: 1, force: true };
/// # let stop = std::sync::atomic::AtomicBool::new(false);
///
/// // A study of two networks: six ReLU layers, untreated and with He's weights.
/// let summary = trial::run(&plan, &options, &stop, &Silent)?.summary;
/// # std::fs::remove_dir_all(&folder)?;
/// let page = report::html(&summary);
/// assert!(page.contains("<title>tiny: Do six ReLU layers learn?</title>") && page.ends_with("</html>\n"));
/// // It needs no other file.
/// assert!(!page.contains("src=\"http"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn html(summary: &Summary) -> String {
    Document {
        title: &title(summary),
        attributes: "",
        body: &content(summary),
        scripts: &[SCRIPT],
        holds_policy: true,
    }
    .html()
}

/// The title of the page, as plain text.
pub(crate) fn title(summary: &Summary) -> String {
    format!("{}: {}", summary.name, summary.title)
}

/// What the page shows, as HTML.
pub(crate) fn content(summary: &Summary) -> String {
    let (shown, left_out) = thin::thinned(summary);
    let groups = shown.groups.iter().enumerate();
    format!(
        "<header>\n<p class=\"brand\">Isobath · study {name} · seed {seed}</p>\n<h1>{title}</h1>\n</header>\n\
         <main>\n{answer}{left_out}{claims}{sweeps}{sections}{theory}{protocol}</main>\n",
        name = escape(&summary.name),
        title = escape(&summary.title),
        seed = summary.seed,
        answer = answer(summary, &shown),
        left_out = left_out.map_or(String::new(), |note| format!(
            "<p class=\"left-out\" role=\"note\">{}</p>\n",
            escape(&note)
        )),
        claims = claims::html(summary),
        sweeps = sweep::families(&shown).iter().map(sweep::html).collect::<String>(),
        sections = groups.map(|(place, g)| section(place, g, &shown)).collect::<String>(),
        theory = theory::html(summary),
        protocol = protocol(summary),
    )
}

/// The figure of the first screen by itself, as HTML; none where nothing is known yet.
pub(crate) fn first_figure(summary: &Summary) -> Option<String> {
    let (shown, _) = thin::thinned(summary);
    overview::figure(&shown).as_ref().map(Figure::html)
}

/// A group's part of the page, folded away if it is one point of a sweep.
fn section(place: usize, group: &Group, summary: &Summary) -> String {
    let section = group::html(place, group, summary);
    match group.sweep {
        Some(_) => format!("<details><summary>{}</summary>\n{section}</details>\n", escape(&group.title)),
        None => section,
    }
}

/// The first screen: the answer of each group in words, and one figure of what the page shows.
fn answer(summary: &Summary, shown: &Summary) -> String {
    let words: String = summary
        .groups
        .iter()
        .enumerate()
        .filter(|(_, g)| g.sweep.is_none())
        .map(|(place, g)| words(place, g, summary))
        .collect();
    let families = sweep::families(summary);
    let swept: String =
        families.iter().map(|family| article(None, &family.title(), &family.answers())).collect();
    let beat = summary.groups.iter().find_map(|g| yardstick(g, summary.data_of(g)));
    format!(
        "<section class=\"answer\" aria-label=\"The answer\">\n<div class=\"words\">\n\
         {swept}{words}{}</div>\n{}</section>\n",
        beat.map_or(String::new(), |beat| format!("<dl class=\"beat\">{}</dl>\n", entry(&beat))),
        overview::figure(shown).as_ref().map_or(String::new(), Figure::html),
    )
}

fn words(place: usize, group: &Group, summary: &Summary) -> String {
    article(Some(place), &group.title, &answers(group, summary.data_of(group)))
}

/// An answer under its title, which leads to the group at this place.
fn article(place: Option<usize>, title: &str, parts: &[Answer]) -> String {
    let title = escape(title);
    format!(
        "<article>\n<h2>{}</h2>\n<dl>\n{}</dl>\n</article>\n",
        place.map_or_else(|| title.clone(), |place| format!("<a href=\"#group-{place}\">{title}</a>")),
        parts.iter().map(entry).collect::<String>()
    )
}

fn entry(answer: &Answer) -> String {
    format!("<dt>{}</dt><dd>{}</dd>\n", escape(answer.topic), escape(&answer.text))
}

/// How the study was made, so that it can be judged and repeated.
fn protocol(summary: &Summary) -> String {
    let (data, training, machine) = (&summary.data, &summary.training, &summary.machine);
    let tuned = match training.grid.len() {
        0 | 1 => String::new(),
        n => format!(" Every row was tuned over the same {n} settings: {}.", training.grid.join(", ")),
    };
    let entries = [
        (
            "Data",
            format!(
                "{}: {} inputs, {} classes; {} samples to train, {} to tune, {} to test, read \
                 once at the end.",
                data.source, data.features, data.classes, data.train, data.validation, data.test
            ),
        ),
        (
            "Training",
            format!(
                "{} steps of {} samples, loss {}, {}.{tuned}",
                training.steps,
                training.batch,
                training.loss,
                plural(training.seeds, "fresh seed")
            ),
        ),
        (
            "Same on every machine",
            format!(
                "all figures but the seconds. Hash of all final weights and gradients: {} (numerics \
                 version {}).",
                summary.hash, machine.numerics_version
            ),
        ),
        (
            "Made with",
            format!(
                "isobath {} in {} s on {} ({}, {}).",
                machine.version,
                seconds(machine.seconds),
                machine.cpu,
                machine.level,
                plural(machine.threads, "thread")
            ),
        ),
    ];
    let entries: String =
        entries.iter().map(|(topic, text)| format!("<dt>{topic}</dt><dd>{}</dd>\n", escape(text))).collect();
    format!("<section class=\"protocol\">\n<h2>How it was measured</h2>\n<dl>\n{entries}</dl>\n</section>\n")
}
