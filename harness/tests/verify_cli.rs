//! The `verify` command: every figure of the theory holds, a sample of every function's arguments does, and the output has
//! its shape.

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

/// Every function on every level, over some 65000 of its arguments.
#[test]
fn a_sample_of_every_function_holds() {
    let output = isobath("verify --exhaustive --sample 65537 --json");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["broken"]), (Some(0), &0.into()), "{report}");
    assert_eq!((&report["schema_version"], &report["arguments"]), (&1.into(), &65536.into()));
    let functions = report["functions"].as_array().unwrap();
    assert!(functions.len() >= 20, "{}", functions.len());
    let levels: Vec<&str> = isobath_kernels::Level::available().map(isobath_kernels::Level::name).collect();
    let mut seen = std::collections::BTreeSet::new();
    for function in functions {
        for class in ["normal", "subnormal"] {
            let [error, stated] = ["error", "stated"].map(|key| function[class][key].as_f64().unwrap());
            assert!(error <= stated && stated <= 1.0, "{function}");
        }
        assert!(function["normal"]["error"].as_f64().unwrap() > 0.45, "{function}");
        let hashes = function["hashes"].as_array().unwrap();
        assert_eq!(hashes.iter().map(|hash| hash["level"].as_str().unwrap()).collect::<Vec<_>>(), levels);
        assert!(hashes.iter().all(|hash| hash["hash"] == hashes[0]["hash"]), "{function}");
        assert!(seen.insert(hashes[0]["hash"].to_string()), "two functions with one hash: {function}");
    }
}

#[test]
fn functions_are_chosen_by_name_and_hashes_do_not_depend_on_threads() {
    let run = |flags: &str| {
        let output = isobath(&format!("verify --exhaustive --sample 4099 --functions tanh' exp {flags}"));
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = run("--threads 1");
    assert_eq!(text, run("--threads 3"));
    assert!(text.contains("a sample of 1047809 arguments"), "{text}");
    assert!(
        text.contains("\nexp ") && text.contains("\ntanh' ") && text.ends_with("all 2 functions hold\n"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn bad_input_is_named_and_exits_with_2() {
    for (arguments, words) in [
        ("--exhaustive --functions sigmod", ["sigmod", "'sigmoid'"]),
        ("--theory --functions exp", ["--theory", "--functions"]),
        ("--functions exp", ["--exhaustive", "required"]),
        ("--exhaustive --theory", ["--exhaustive", "--theory"]),
        ("--exhaustive --sample 0", ["--sample", "0"]),
        ("--exhaustive --level mmx", ["--level", "scalar"]),
    ] {
        let output = isobath(&format!("verify {arguments}"));
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {message}");
        for word in words {
            assert!(message.contains(word), "{arguments}: `{word}` is not in: {message}");
        }
    }
}

#[test]
fn something_must_be_asked_for() {
    let output = isobath("verify");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--theory"));
}
