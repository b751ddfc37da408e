//! What tests share that run a study from outside and look at what it left.

// Each test binary takes what it needs.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The small study with so many steps that it takes about a second.
pub(crate) fn write_study(folder: &Path, steps: usize) -> PathBuf {
    let small = include_str!("../small.toml");
    assert!(small.contains("steps = 12\n"));
    let path = folder.join("small.toml");
    fs::write(&path, small.replace("steps = 12\n", &format!("steps = {steps}\n"))).unwrap();
    path
}

/// The command that runs a study; two threads, so that there is always more than one run under way.
pub(crate) fn command(file: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobath"));
    command.arg("study").arg(file).arg("--out").arg(out).args(["--threads", "2"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A study that goes on in the background.
pub(crate) fn start(file: &Path, out: &Path) -> Child {
    command(file, out).spawn().unwrap()
}

/// A study to its end.
pub(crate) fn run(file: &Path, out: &Path) -> Output {
    command(file, out).output().unwrap()
}

/// Fails unless a command ended with this code and every one of these words on standard error.
#[track_caller]
pub(crate) fn assert_ended(output: &Output, code: i32, words: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
    assert!(!message.contains("panicked"), "{message}");
}

/// The runs that are kept in a folder; a torn last line is none.
pub(crate) fn runs_kept(out: &Path) -> usize {
    let text = fs::read_to_string(out.join("records.jsonl")).unwrap_or_default();
    let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let is_run = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("a line that a study has finished");
        value["kind"] == "run"
    };
    lines.filter(|line| is_run(line)).count()
}

/// Waits until a study that goes on has kept a run.
pub(crate) fn wait_for_a_run(study: &mut Child, out: &Path) {
    let begun = Instant::now();
    while runs_kept(out) == 0 {
        assert!(study.try_wait().unwrap().is_none(), "the study ended before it had kept a run");
        assert!(begun.elapsed() < Duration::from_secs(120), "no run in two minutes");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The summary without what differs between machines and moments.
pub(crate) fn timeless_summary(out: &Path) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for name in ["seconds", "seconds_in_all", "step_seconds", "machine"] {
                    fields.remove(name);
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut summary = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
    strip(&mut summary);
    summary
}

/// Fails unless a study was finished here, with these results and a page that says what theory knows.
#[track_caller]
pub(crate) fn assert_finished(out: &Path, expected: &Value) {
    let found = timeless_summary(out);
    assert_eq!(found["hash"], expected["hash"]);
    assert!(found == *expected, "{found}\ninstead of\n{expected}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("Phase diagram of sigmoid"), "the page lacks what only the plan knows");
}
