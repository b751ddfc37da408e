//! What a study has kept in its folder.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::timeless::timeless_summary;

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

/// Fails unless a study was finished here, with these results and a page that says what theory knows.
#[track_caller]
pub(crate) fn assert_finished(out: &Path, expected: &Value) {
    let found = timeless_summary(out);
    assert_eq!(found["hash"], expected["hash"]);
    assert!(found == *expected, "{found}\ninstead of\n{expected}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("Phase diagram of sigmoid"), "the page lacks what only the plan knows");
}
