//! `isobath verify --exhaustive`: every function over all its arguments.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde::Serialize;

use super::common::{Common, Failure, INPUT_OUTPUT, bar, print, print_json};
use super::verify::BROKEN;
use crate::accuracy::{self, Arguments, Function};
use crate::machine;
use crate::verify::{self, Row, Verdict};

/// What to sweep.
#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Functions to sweep, as the table names them; all by default
    #[arg(long, value_name = "NAME", num_args = 1.., conflicts_with = "theory", hide_possible_values = true,
        value_parser = PossibleValuesParser::new(names()))]
    functions: Vec<String>,
    /// Sweep every Nth argument only: quick, but it need not find the largest errors
    #[arg(long, value_name = "N", conflicts_with = "theory", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..))]
    sample: u32,
}

#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    cpu: String,
    level: &'static str,
    sample: u32,
    arguments: u64,
    functions: &'a [Row],
    broken: usize,
}

fn names() -> Vec<&'static str> {
    accuracy::functions().iter().map(|function| function.name).collect()
}

/// Sweeps, and prints each row as soon as it is there.
pub(super) fn run(selection: &Selection, common: &Common) -> Result<ExitCode, Failure> {
    let level = common.level()?;
    let arguments = Arguments::every(selection.sample);
    let mut functions = accuracy::functions();
    let is_chosen = |function: &Function| {
        selection.functions.is_empty() || selection.functions.iter().any(|name| name == function.name)
    };
    functions.retain(is_chosen);
    let bar = bar(
        common.quiet,
        arguments.chunks() * functions.len() as u64,
        "{bar:24} {percent:>3} %  {eta} left  {msg:.20}",
    );
    let mut printed = if common.json { Ok(()) } else { print(&header(level.name(), arguments)) };
    let mut names = functions.iter().map(|function| function.name);
    bar.set_message(names.next().unwrap_or_default());
    let rows = common.pool()?.install(|| {
        verify::exhaustive(
            level,
            &functions,
            arguments,
            || bar.inc(1),
            |row| {
                if !common.json && printed.is_ok() {
                    printed = bar.suspend(|| print(&line(row)));
                }
                bar.set_message(names.next().unwrap_or_default());
            },
        )
    });
    bar.finish_and_clear();
    let rows = rows.map_err(|error| Failure { code: INPUT_OUTPUT, message: error.to_string() })?;
    printed?;
    let broken = rows.iter().filter(|row| row.verdict != Verdict::Holds).count();
    if common.json {
        let output = Output {
            schema_version: 1,
            cpu: machine::cpu(),
            level: level.name(),
            sample: selection.sample,
            arguments: arguments.count(),
            functions: &rows,
            broken,
        };
        print_json(&output)?;
    } else {
        print(&match broken {
            0 => format!("all {} functions hold\n", rows.len()),
            _ => format!("{broken} of {} functions are off\n", rows.len()),
        })?;
    }
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

/// What was swept, and the table's columns.
fn header(level: &str, arguments: Arguments) -> String {
    let which = if arguments.are_all() { "all" } else { "a sample of" };
    format!(
        "largest errors on {level} over {which} {} arguments, in ULP\n\n\
         {:<11}{:>8}{:>7}{:>14}{:>8}{:>7}  hash of results\n",
        arguments.count(),
        "function",
        "normal",
        "stated",
        "at",
        "subn.",
        "stated",
    )
}

/// A row, for a terminal of 80 columns. Where levels differ, each has a line with its hash.
fn line(row: &Row) -> String {
    let Row { function, normal, subnormal, hashes, verdict } = row;
    let differ = *verdict == Verdict::Disagrees;
    let verdict = match verdict {
        Verdict::Holds => "ok",
        Verdict::Above => "ABOVE",
        Verdict::Below => "BELOW",
        Verdict::Disagrees => "DIFFER",
    };
    let hash = hashes.first().filter(|_| !differ).map_or("", |hash| &hash.hash);
    let mut text = format!(
        "{function:<11}{:>8.3}{:>7.3}{:>14.6e}{:>8.3}{:>7.3}  {hash:<16} {verdict}\n",
        normal.error, normal.stated, normal.at, subnormal.error, subnormal.stated,
    );
    for hash in hashes.iter().filter(|_| differ) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:>55}  {}", hash.level, hash.hash);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::{Largest, LevelHash};

    #[test]
    fn lines_fit_a_terminal() {
        let largest = Largest { error: f64::INFINITY, at: -f32::MIN_POSITIVE, stated: 0.671 };
        let hash = |level| LevelHash { level, hash: format!("{:016x}", u64::MAX) };
        let hashes = vec![hash("portable"), hash("avx512")];
        for verdict in [Verdict::Holds, Verdict::Above, Verdict::Below, Verdict::Disagrees] {
            let row = Row {
                function: "gelu_tanh'",
                normal: largest,
                subnormal: largest,
                hashes: hashes.clone(),
                verdict,
            };
            let text = header("portable", Arguments::every(2)) + &line(&row);
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
            assert_eq!(text.contains("avx512"), verdict == Verdict::Disagrees, "{text}");
        }
    }
}
