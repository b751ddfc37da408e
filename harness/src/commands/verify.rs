//! `isobath verify`.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{ArgGroup, Args};
use serde::Serialize;

use super::common::{Common, Failure, INPUT_OUTPUT, print, print_json};
use super::verify_exhaustive::{self, Selection};
use super::verify_zoo::{self, Size};
use crate::machine::keeps_subnormals;
use crate::verify::{self, Check, Table};

/// Exit code where a figure is off.
pub(super) const BROKEN: u8 = 1;

/// Flags of `isobath verify`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").args(["theory", "exhaustive", "zoo"]).required(true)))]
pub(super) struct Arguments {
    /// Published figures of the theory, predicted and measured
    #[arg(long)]
    theory: bool,
    /// The largest error of every function over all 2^32 arguments, beside the stated one, and a hash of its results on
    /// every instruction set. Takes hours
    #[arg(long)]
    exhaustive: bool,
    /// Generated networks, sick and sound, and how often `diagnose` is right about them. Takes minutes
    #[arg(long)]
    zoo: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    size: Size,
    #[command(flatten)]
    common: Common,
}

#[derive(Serialize)]
struct Output<'a> {
    schema_version: u32,
    tables: Vec<TableOutput<'a>>,
    broken: usize,
}

#[derive(Serialize)]
struct TableOutput<'a> {
    subject: &'a str,
    checks: Vec<CheckOutput<'a>>,
}

#[derive(Serialize)]
struct CheckOutput<'a> {
    #[serde(flatten)]
    check: &'a Check,
    holds: bool,
}

/// Runs the check that was asked for.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if !keeps_subnormals() {
        return Err(Failure {
            code: BROKEN,
            message: "this process flushes subnormal numbers to zero (on x86: FTZ or DAZ in MXCSR), so it has other bits than \
                      other machines; a library that is loaded into it was built for fast mathematics"
                .to_owned(),
        });
    }
    if arguments.exhaustive {
        verify_exhaustive::run(&arguments.selection, &arguments.common)
    } else if arguments.zoo {
        verify_zoo::run(&arguments.size, &arguments.common)
    } else {
        theory(&arguments.common)
    }
}

/// Checks the figures and prints each table as soon as it is there.
fn theory(common: &Common) -> Result<ExitCode, Failure> {
    let level = common.level()?;
    let pool = common.pool()?;
    let mut printed = Ok(());
    let tables = pool.install(|| {
        verify::theory(level, |table, _| {
            if !common.json && printed.is_ok() {
                printed = print(&text(table));
            }
        })
    });
    let tables = tables.map_err(|error| Failure { code: INPUT_OUTPUT, message: error.to_string() })?;
    printed?;
    let figures = tables.iter().map(|table| table.checks.len()).sum::<usize>();
    let broken = tables.iter().flat_map(|table| &table.checks).filter(|check| !check.holds()).count();
    if common.json {
        let output = Output { schema_version: 1, tables: tables.iter().map(table_output).collect(), broken };
        print_json(&output)?;
    } else {
        print(&match broken {
            0 => format!("all {figures} figures hold\n"),
            _ => format!("{broken} of {figures} figures are off\n"),
        })?;
    }
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

fn table_output(table: &Table) -> TableOutput<'_> {
    let checks = table.checks.iter().map(|check| CheckOutput { check, holds: check.holds() }).collect();
    TableOutput { subject: table.subject, checks }
}

/// A table for a terminal of 80 columns.
fn text(table: &Table) -> String {
    let mut text = format!("{:<42}{:>13}{:>13}{:>8}\n", table.subject, "expected", "found", "+-");
    for check in &table.checks {
        let found = check.found.map_or("none".to_owned(), digits);
        let verdict = if check.holds() { "ok" } else { "OFF" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {:<40}{:>13}{found:>13}{:>8} {verdict}",
            check.what,
            digits(check.expected),
            format!("{:.0e}", check.tolerance)
        );
    }
    text.push('\n');
    text
}

/// Up to ten significant digits, without zeros at their end.
fn digits(x: f64) -> String {
    let magnitude = x.abs();
    if magnitude != 0.0 && !(1e-3..1e5).contains(&magnitude) {
        return format!("{x:.3e}");
    }
    let before = if magnitude == 0.0 { 0 } else { magnitude.log10().floor() as i32 };
    let text = format!("{x:.*}", (9 - before).clamp(1, 10) as usize);
    let short = text.trim_end_matches('0');
    short.strip_suffix('.').unwrap_or(short).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_a_terminal() {
        let check = |found| Check {
            what: "a figure whose name takes all 40 columns".to_owned(),
            expected: -1.234567890123e-7,
            found,
            tolerance: 1e-17,
        };
        let checks = vec![check(None), check(Some(-9.999999999e-8)), check(Some(1234.567890123456))];
        let text = text(&Table { subject: "a subject whose name is not short", checks });
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(text.contains("none") && text.contains("OFF"), "{text}");
        assert_eq!((digits(0.25), digits(-2.0), digits(0.0)), ("0.25".into(), "-2".into(), "0".into()));
    }
}
