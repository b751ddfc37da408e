//! What every row scored in validation with every setting of the grid, as a table of the page.

use super::format::{NOTHING, baseline, escape, fraction};
use crate::study::summary::{Group, Summary};

/// The table, folded away; empty where nothing was tuned.
pub(super) fn html(group: &Group, summary: &Summary) -> String {
    let grid = &summary.training.grid;
    if grid.len() < 2 || group.rows.iter().all(|row| row.tuning.iter().all(Option::is_none)) {
        return String::new();
    }
    let header: String =
        grid.iter().map(|setting| format!("<th scope=\"col\">{}</th>", escape(setting))).collect();
    let rows = group.rows.iter().chain(&summary.data_of(group).linear).map(|row| {
        let cell = |(setting, score): (&String, &Option<f64>)| {
            let text = score.map_or_else(|| NOTHING.to_owned(), fraction);
            if *setting == row.setting {
                format!("<td><b>{text}</b></td>")
            } else {
                format!("<td>{text}</td>")
            }
        };
        let cells: String = grid.iter().zip(&row.tuning).map(cell).collect();
        let survives =
            if row.survives.is_empty() { NOTHING.to_owned() } else { escape(&row.survives.join(", ")) };
        format!("<tr><th scope=\"row\">{}</th>{cells}<td>{survives}</td></tr>\n", escape(&row.name))
    });
    format!(
        "<details><summary>How each row was tuned</summary>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"Tuning\"><table class=\"plain\"><caption>Validation accuracy with each setting; the best, in bold, \
         was run with fresh seeds. {NOTHING}: diverged. Largest rates survived: \
         it neither diverged nor stayed at {}.</caption>\n\
         <thead><tr><th scope=\"col\">network</th>{header}<th scope=\"col\">largest rates survived</th></tr></thead>\n\
         <tbody>\n{}</tbody></table></div></details>\n",
        baseline(summary.data_of(group)),
        rows.collect::<String>()
    )
}
