//! The `verify` command: every figure of the theory holds, and the output has its shape.

use std::process::{Command, Output};

use serde_json::Value;

fn isobath(arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobath"));
    command.args(arguments.split_whitespace()).output().unwrap()
}

#[test]
fn every_figure_of_the_theory_holds() {
    let output = isobath("verify --theory --json");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tables = report["tables"].as_array().unwrap();
    for table in tables {
        for check in table["checks"].as_array().unwrap() {
            // What a line of a terminal has room for.
            assert!(check["what"].as_str().unwrap().chars().count() <= 40, "{check}");
            assert_eq!(check["holds"], true, "{}: {check}", table["subject"]);
        }
    }
    let figures: usize = tables.iter().map(|table| table["checks"].as_array().unwrap().len()).sum();
    assert!(figures >= 200, "{figures} figures");
    assert_eq!((output.status.code(), &report["broken"]), (Some(0), &0.into()));
}

#[test]
fn something_must_be_asked_for() {
    let output = isobath("verify");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--theory"));
}
