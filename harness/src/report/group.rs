//! The part of the page on one group: its table, its speeds of learning, its figures.

use super::figure::Figure;
use super::figures;
use super::format::{
    NOTHING, accuracy, divergence, escape, operations, outcome, plural, ratios, seconds, significant,
};
use super::mark::Mark;
use super::ranking::{differs_at_equal_cost, has_accuracy, ranked, shows_speed};
use super::{speed, time, tuning};
use crate::study::summary::{Group, Outcome, Row, Summary};

/// The section; `place` is the group's place in the study.
pub(super) fn html(place: usize, group: &Group, summary: &Summary) -> String {
    let figures: String = figures::of(group, summary.data_of(group)).iter().map(Figure::html).collect();
    format!(
        "<section class=\"group\" id=\"group-{place}\" aria-labelledby=\"title-{place}\">\n\
         <h2 id=\"title-{place}\">{}</h2>\n<p class=\"lead\">{}</p>\n{}{}{}{figures}</section>\n",
        escape(&group.name),
        escape(&group.title),
        if shows_speed(group, summary.data_of(group)) { speeds(group) } else { String::new() },
        table(group, summary),
        tuning::html(group, summary),
    )
}

/// The rows, best first, with the references below.
fn table(group: &Group, summary: &Summary) -> String {
    let scored = has_accuracy(group);
    let at_equal_cost = scored && differs_at_equal_cost(group);
    let columns = [
        "rank",
        "network",
        "accuracy",
        "outcome",
        "setting",
        "log10 ratio",
        "multiply-adds",
        "at equal cost",
        "seconds",
    ];
    let header = |name: &&str| format!("<th scope=\"col\" role=\"columnheader\">{name}</th>");
    let rows: String = ranked(group)
        .into_iter()
        .map(|(place, row)| record(Some(place), row, scored, at_equal_cost))
        .collect();
    let linear = summary.data_of(group).linear.iter().filter(|_| scored);
    let linear = linear.map(|row| record(None, row, scored, at_equal_cost));
    let edge = group.rows.iter().any(|row| row.grid_edge.is_some());
    let edge = if edge { " *: at the edge of the grid; a rate outside it might do better." } else { "" };
    let scores = format!(
        "Accuracy: median [worst-best] of {}. A rank is shared by rows that overlap. ",
        plural(summary.training.seeds, "seed"),
    );
    let cost = format!(
        "At equal cost: after {} multiply-adds, what the cheapest row takes in all; {NOTHING}: its pre-training alone \
         takes more. ",
        operations(group.budget)
    );
    let ratio = if time::of(group) { time::RATIO } else { "of ‖δ‖ in layer 1 over that in the last" };
    let shown = |name: &&&str| match **name {
        "rank" | "accuracy" | "outcome" => scored,
        "at equal cost" => at_equal_cost,
        _ => true,
    };
    format!(
        "<table class=\"rows\" role=\"table\">\n<caption>{}{}log10 ratio {ratio}, before → after training; 0 is \
         level.{edge}</caption>\n\
         <thead role=\"rowgroup\"><tr role=\"row\">{}</tr></thead>\n<tbody role=\"rowgroup\">\n{rows}{}</tbody>\n</table>\n",
        if scored { &scores } else { "" },
        if at_equal_cost { &cost } else { "" },
        columns.iter().filter(shown).map(header).collect::<String>(),
        linear.collect::<String>(),
    )
}

/// One row; without a place it is a reference and has no rank.
fn record(place: Option<usize>, row: &Row, scored: bool, at_equal_cost: bool) -> String {
    let cell = |label: &str, class: &str, html: String| {
        format!("<td role=\"cell\" class=\"{class}\" data-label=\"{label}\">{html}</td>")
    };
    let change = if row.change.is_empty() && scored && place == Some(0) { "untreated" } else { &row.change };
    let equation = |text: &String| {
        // A letter and its value stay on one line.
        let text = escape(text).replace(" = ", "\u{a0}=\u{a0}");
        format!("<small class=\"equation\">{text}</small>")
    };
    let swatch = place.map_or(String::new(), |place| Mark::row(place, &row.name).swatch());
    let attributes =
        place.map_or(" class=\"reference\"".to_owned(), |place| format!(" data-row=\"{place}\""));
    let edge = row
        .grid_edge
        .as_ref()
        .map_or(String::new(), |edge| format!(" <small>* {} rate of the grid</small>", escape(edge)));
    let mut cells = Vec::new();
    if scored {
        cells.push(cell("rank", "number", place.map_or(NOTHING.to_owned(), |_| row.rank.to_string())));
    }
    cells.push(format!(
        "<th role=\"rowheader\" scope=\"row\">{swatch}{} <small>{}</small>{}</th>",
        escape(&row.name),
        escape(change),
        row.equations.iter().map(equation).collect::<String>()
    ));
    if scored {
        cells.push(cell("accuracy", "number", accuracy(row.accuracy.as_ref())));
        cells.push(cell("outcome", "", place.map_or(NOTHING.to_owned(), |_| outcome_html(row))));
    }
    cells.push(cell("setting", "setting", escape(&row.setting) + &edge));
    cells.push(cell("log10 ratio", "number", ratios(row, " → ").replace('-', "−")));
    let steps = format!(" <small>{}</small>", plural(row.steps, "step"));
    cells.push(cell("multiply-adds", "number", operations(row.multiply_adds) + &steps));
    if at_equal_cost {
        let score = place.map_or(NOTHING.to_owned(), |_| accuracy(row.accuracy_at_equal_cost.as_ref()));
        cells.push(cell("at equal cost", "number", score));
    }
    let step = row
        .step_seconds
        .map_or(String::new(), |step| format!(" <small>{} ms per step</small>", significant(1e3 * step)));
    cells.push(cell("seconds", "number", seconds(row.seconds) + &step));
    format!("<tr role=\"row\"{attributes}>{}</tr>\n", cells.concat())
}

fn outcome_html(row: &Row) -> String {
    let word = outcome(&row.outcome);
    let detail = match (&row.outcome, divergence(row)) {
        (Outcome::Diverged { seeds, .. }, Some(place)) => {
            format!(" <small>{place}; {}</small>", plural(*seeds, "seed"))
        }
        _ => String::new(),
    };
    format!("<span class=\"outcome {word}\">{word}</span>{detail}")
}

/// The speeds of learning before the first step, with both numberings of the layers.
fn speeds(group: &Group) -> String {
    let rows = group.rows.iter().flat_map(|row| {
        let speeds = speed::at_start(row);
        let span = speeds.len();
        speeds.into_iter().enumerate().map(move |(i, s)| {
            let name = format!("<th scope=\"rowgroup\" rowspan=\"{span}\">{}</th>", escape(&row.name));
            format!(
                "<tr>{}<td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                if i == 0 { name } else { String::new() },
                s.layer,
                s.from_output,
                significant(s.speed),
                significant(s.slowdown),
            )
        })
    });
    format!(
        "<h3>Speed of learning before the first step</h3>\n<div class=\"scroll\" tabindex=\"0\" \
         role=\"region\" aria-label=\"Speed of learning\"><table class=\"plain\">\
         <caption>Speed: ‖Σδ‖ over the batch. Times slower: than the last hidden layer.</caption>\n\
         <thead><tr><th scope=\"col\">network</th><th scope=\"col\">layer from the input</th>\
         <th scope=\"col\">layer from the output</th><th scope=\"col\">speed</th>\
         <th scope=\"col\">times slower</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
        rows.collect::<String>()
    )
}
