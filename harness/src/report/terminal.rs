//! The tables of a study for a terminal: plain text without colour, within the width that is asked for.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row as Line, Table, TableStyle, Width,
};

use super::answer::answers;
use super::format::{
    NOTHING, accuracy, baseline, decades, divergence, fraction, operations, outcome, plural, ratios, seconds,
    significant,
};
use super::ranking::{has_accuracy, ranked, shows_speed};
use super::sweep::Family;
use super::{claims, speed, sweep, time};
use crate::study::summary::{Data, Group, Outcome, Row, Summary};
use crate::study::sweep::Field;

/// The study as text, no line longer than `width` columns where `width` is at least 60.
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
/// # let folder = std::env::temp_dir().join(format!("isobath-report-table-{}", std::process::id()));
/// # let options = Options { folder: folder.clone(), seed: 1, level: Level::detect(), threads: 1, force: true };
/// # let stop = std::sync::atomic::AtomicBool::new(false);
///
/// // A study of two networks: six ReLU layers, untreated and with He's weights.
/// let summary = trial::run(&plan, &options, &stop, &Silent)?.summary;
/// # std::fs::remove_dir_all(&folder)?;
/// let text = report::table(&summary, 80);
/// assert!(text.starts_with("Do six ReLU layers learn? (study tiny, seed 1)"));
/// assert!(text.contains("untreated") && text.contains("He"));
/// assert!(text.lines().all(|line| line.chars().count() <= 80));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn table(summary: &Summary, width: usize) -> String {
    let mut text =
        paragraph(&format!("{} (study {}, seed {})", summary.title, summary.name, summary.seed), width);
    for family in sweep::families(summary) {
        let heading = paragraph(&format!("{}: {}", family.name, family.title()), width);
        text += &format!("\n{heading}\n{}\n", swept(&family, width));
        for answer in family.answers() {
            text += &paragraph(&format!("{}: {}", answer.topic, answer.text), width);
        }
    }
    for group in summary.groups.iter().filter(|group| group.sweep.is_none()) {
        let data = summary.data_of(group);
        text += &format!("\n{}\n", paragraph(&format!("{}: {}", group.name, group.title), width));
        if has_accuracy(group) {
            text += &rows(group, data, width);
            text += &at_equal_cost(group, width);
        }
        if shows_speed(group, data) {
            text += &speeds(group, width);
        }
        text.push('\n');
        for answer in answers(group, data) {
            text += &paragraph(&format!("{}: {}", answer.topic, answer.text), width);
        }
    }
    for claim in &summary.claims {
        text += &format!("\n{}", paragraph(&format!("{}: {}", claim.verdict, claim.says), width));
        for check in &claim.checks {
            text += &indented(&claims::sentence(check), width);
        }
    }
    text + &legend(summary, width) + "\n" + &paragraph(&format!("hash {}", summary.hash), width)
}

/// What a study spent its time on: the seconds of all runs of each row, the longest first.
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
/// # let folder = std::env::temp_dir().join(format!("isobath-report-timings-{}", std::process::id()));
/// # let options = Options { folder: folder.clone(), seed: 1, level: Level::detect(), threads: 1, force: true };
/// # let stop = std::sync::atomic::AtomicBool::new(false);
///
/// // A study of two networks: six ReLU layers, untreated and with He's weights.
/// let summary = trial::run(&plan, &options, &stop, &Silent)?.summary;
/// # std::fs::remove_dir_all(&folder)?;
/// let text = report::timings(&summary, 80);
/// assert!(text.contains("relu/untreated") && text.contains("relu/He"));
/// assert!(text.trim_end().ends_with("100.0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn timings(summary: &Summary, width: usize) -> String {
    let references =
        std::iter::once(&summary.data).chain(summary.groups.iter().flat_map(|group| &group.data));
    let mut rows: Vec<(String, &Row)> =
        references.flat_map(|data| &data.linear).map(|row| (row.name.clone(), row)).collect();
    for group in &summary.groups {
        rows.extend(group.rows.iter().map(|row| (format!("{}/{}", group.name, row.name), row)));
    }
    rows.sort_by(|(_, a), (_, b)| b.seconds_in_all.total_cmp(&a.seconds_in_all));
    let all: f64 = rows.iter().map(|(_, row)| row.seconds_in_all).sum();
    let mut table = plain(&["network", "seconds", "%"], width);
    for (name, row) in &rows {
        let percent = 100.0 * row.seconds_in_all / all.max(1e-9);
        table.add_row([clean(name), format!("{:.1}", row.seconds_in_all), format!("{percent:.1}")]);
    }
    table.add_row(["all, tuning included".to_owned(), format!("{all:.1}"), "100.0".to_owned()]);
    align(&mut table, &[1, 2]);
    trimmed(&table)
}

/// The rows of a group, best first, then what they have to beat.
fn rows(group: &Group, data: &Data, width: usize) -> String {
    let header = ["#", "network", "accuracy", "outcome", "setting", "ratio", "cost", "s"];
    let mut table = plain(&header, width);
    for (_, row) in ranked(group) {
        table.add_row(record(row.rank.to_string(), &fate(row), row));
    }
    if let Some(linear) = &data.linear {
        table.add_row(record(NOTHING.to_owned(), NOTHING, linear));
    }
    let majority = fraction(data.majority_accuracy);
    table.add_row([NOTHING, baseline(data).trim_start_matches("the "), &majority]);
    align(&mut table, &[0, 5, 6, 7]);
    let narrow = |columns| ColumnConstraint::Absolute(Width::Fixed(columns));
    for (column, columns) in [(0, 2), (2, 16), (3, 8), (4, 14), (5, 9), (6, 6), (7, 4)] {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(narrow(columns));
        }
    }
    trimmed(&table)
}

/// The rows that are cut short by the budget of the cheapest, if there are any.
fn at_equal_cost(group: &Group, width: usize) -> String {
    let differs = |row: &&Row| row.accuracy_at_equal_cost != row.accuracy;
    let short: Vec<String> = group
        .rows
        .iter()
        .filter(differs)
        .map(|row| match &row.accuracy_at_equal_cost {
            Some(spread) => format!("{} {}", clean(&row.name), fraction(spread.median)),
            None => format!("{} is still being pre-trained", clean(&row.name)),
        })
        .collect();
    if short.is_empty() || group.budget == 0 {
        return String::new();
    }
    let budget = operations(group.budget);
    paragraph(
        &format!("At equal cost ({budget} multiply-adds, what the cheapest takes): {}.", short.join(", ")),
        width,
    )
}

/// The accuracies of a family at each value of the sweep.
fn swept(family: &Family<'_>, width: usize) -> String {
    let depth = family.field == Field::Depth;
    let values = family.points.iter().map(|(value, _)| value.to_string());
    let mut header: Vec<String> =
        std::iter::once(family.axis()).chain(values).chain(["trains".to_owned()]).collect();
    if depth {
        header.extend(["x10".to_owned(), "6 xi".to_owned()]);
    }
    let mut table = plain(&header.iter().map(String::as_str).collect::<Vec<_>>(), width);
    for (place, name) in family.rows().enumerate() {
        let cell = |(_, row): (f64, &Row)| match (&row.outcome, &row.accuracy) {
            (Outcome::Diverged { .. }, _) => "NaN".to_owned(),
            (_, accuracy) => accuracy.as_ref().map_or_else(|| NOTHING.to_owned(), |a| fraction(a.median)),
        };
        let mut cells: Vec<String> = std::iter::once(clean(name))
            .chain(family.row(place).map(cell))
            .chain([family.trains(place)])
            .collect();
        if depth {
            cells.extend(family.predicted(place).map(sweep::depth));
        }
        table.add_row(cells);
    }
    align(&mut table, &(1..header.len()).collect::<Vec<_>>());
    let predicted = "; predicted depths in layers: x10, where the gradient has changed tenfold; 6 xi, six depth scales; a dash where \
         theory sees no limit or has no law";
    let note = format!(
        "Median test accuracy at each {}. trains: from where to where every seed beats the linear classifier{}.",
        family.axis(),
        if depth { predicted } else { "" }
    );
    format!("{}{}", trimmed(&table), paragraph(&note, width))
}

/// The ratio of gradients in a network that is deep in layers.
const LAYERS: &str = "of the gradient of layer 1 over that of the last layer";

/// What the columns mean.
fn legend(summary: &Summary, width: usize) -> String {
    let scored = || summary.groups.iter().filter(|group| group.sweep.is_none() && has_accuracy(group));
    if scored().next().is_none() {
        return String::new();
    }
    let edge = scored().any(|group| group.rows.iter().any(|row| row.grid_edge.is_some()));
    let text = format!(
        "accuracy: median [worst-best] of {}. #: rank, shared where seeds overlap. ratio: log10 {}, before and after \
         training. cost: multiply-adds of a run. s: its seconds.{}",
        plural(summary.training.seeds, "seed"),
        match (scored().any(|group| !time::of(group)), scored().any(time::of)) {
            (true, true) => format!("{LAYERS}, or {} where layers are recurrent", time::RATIO),
            (_, false) => LAYERS.to_owned(),
            (false, true) => time::RATIO.to_owned(),
        },
        if edge { " *: the best rate is at the edge of the grid." } else { "" },
    );
    format!("\n{}", paragraph(&text, width))
}

/// The outcome, with its place if the row diverged.
fn fate(row: &Row) -> String {
    let place = divergence(row).map_or(String::new(), |place| format!(" {place}"));
    format!("{}{place}", outcome(&row.outcome))
}

fn record(rank: String, fate: &str, row: &Row) -> Line {
    let setting = format!("{}{}", row.setting, if row.grid_edge.is_some() { "*" } else { "" });
    let score = accuracy(row.accuracy.as_ref());
    let cost = operations(row.multiply_adds);
    Line::from([
        rank,
        clean(&row.name),
        score,
        fate.to_owned(),
        clean(&setting),
        ratios(row, "→"),
        cost,
        seconds(row.seconds),
    ])
}

/// The speed of learning of each layer before the first step.
fn speeds(group: &Group, width: usize) -> String {
    let header =
        ["network", "layer", "from the output", "speed of learning", "times slower", "log10 |delta|"];
    let mut table = plain(&header, width);
    for row in &group.rows {
        for (i, s) in speed::at_start(row).into_iter().enumerate() {
            let name = if i == 0 { clean(&row.name) } else { String::new() };
            let delta = row.layers.get(s.layer - 1).and_then(|layer| layer.log10_delta[0]);
            let numbers = [
                s.layer.to_string(),
                s.from_output.to_string(),
                significant(s.speed),
                significant(s.slowdown),
            ];
            table.add_row([name].into_iter().chain(numbers).chain([decades(delta)]));
        }
    }
    align(&mut table, &[1, 2, 3, 4, 5]);
    format!(
        "{}\n{}",
        trimmed(&table),
        paragraph(
            "Layer 1 is next to the input. Times slower: than the last hidden layer, before the first step.",
            width
        )
    )
}

/// A table with a header and a rule below it.
fn plain(header: &[&str], width: usize) -> Table {
    let mut table = Table::new();
    table.load_style(
        TableStyle::new().header_separator(comfy_table::LineStyle::none().fill('-').junction('-')),
    );
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.set_header(header.iter().map(Cell::new));
    for column in table.column_iter_mut() {
        column.set_padding((0, 0));
    }
    table
}

fn align(table: &mut Table, right: &[usize]) {
    for &column in right {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Text broken into lines of at most `width` columns.
pub(super) fn paragraph(text: &str, width: usize) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.add_row([clean(text)]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
    }
    trimmed(&table)
}

/// A paragraph two columns in.
fn indented(text: &str, width: usize) -> String {
    paragraph(text, width.saturating_sub(2)).lines().map(|line| format!("  {line}\n")).collect()
}

fn trimmed(table: &Table) -> String {
    table.trim_fmt() + "\n"
}

/// Text without what could move a terminal's cursor.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
