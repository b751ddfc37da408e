//! Studies of recurrent networks from outside: the same results on every level and number of threads, for each task;
//! forgetting times; clear errors.

#[path = "common/ended.rs"]
mod ended;
#[path = "common/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use ended::assert_ended;
use program::isobath;
use serde_json::Value;
use tempfile::TempDir;

/// A study small enough for every level.
const SMALL: &str = include_str!("sequences.toml");

/// The small study's hashes, by task: part of the numerical contract, on every machine.
const GOLDEN: [(&str, &str); 4] = [
    ("adding:9", "9103a1d3ab0b314d"),
    ("copy:3", "dd93aa207bd6c432"),
    ("recall:2", "43a389a59004ca5d"),
    ("glyphs", "d6efbbc8636149d7"),
];

fn study(file: &Path, out: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["study", file.to_str().unwrap(), "--out", out.to_str().unwrap()];
    arguments.extend(more);
    isobath(&arguments)
}

fn write(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("study.toml");
    fs::write(&path, text).unwrap();
    path
}

fn summary(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn every_task_ends_the_same_on_every_level_and_thread() {
    let folder = TempDir::new().unwrap();
    let file = write(&folder, SMALL);
    for (task, golden) in GOLDEN {
        let mut runs = vec![vec!["--threads", "1"], vec!["--threads", "2"]];
        runs.extend(isobath_kernels::Level::available().map(|level| vec!["--level", level.name()]));
        for (i, flags) in runs.iter().enumerate() {
            let out = folder.path().join(format!("{}-{i}", task.replace(':', "-")));
            assert_ended(&study(&file, &out, &[&["--data", task], &flags[..]].concat()), 0, &[]);
            assert_eq!(summary(&out)["hash"], golden, "{task}, {flags:?}");
        }
    }
}

#[test]
fn a_summary_holds_the_gradient_through_time() {
    let folder = TempDir::new().unwrap();
    let file = write(&folder, SMALL);
    for (task, steps, trained_on, classes) in
        [("adding:9", 9, 60, 1), ("copy:3", 13, 60, 8), ("recall:2", 14, 60, 10)]
    {
        let out = folder.path().join(task.replace(':', "-"));
        let output = study(&file, &out, &["--data", task]);
        assert_ended(&output, 0, &[]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("back in time over which") && words.contains("rnn ("), "{text}");
        assert!(words.contains("each step multiplies its norm by"), "{text}");
        let found = summary(&out);
        assert_eq!(found["data"]["train"], trained_on);
        assert_eq!(found["data"]["test"], 30);
        assert_eq!(found["data"]["classes"], classes);
        assert_eq!(found["data"]["linear"].is_null(), task == "copy:3", "{task}");
        assert_eq!(found["training"]["loss"], if classes == 1 { "squared" } else { "cross-entropy" });
        for row in found["groups"][0]["rows"].as_array().unwrap() {
            let top = row["layers"].as_array().unwrap().last().unwrap();
            for moment in 0..2 {
                let curve = top["through_time"][moment].as_array().unwrap();
                assert_eq!(curve.len(), steps, "{task}, {}", row["name"]);
                assert!(curve.iter().all(Value::is_f64));
            }
            let ends = [0, steps - 1].map(|t| top["through_time"][0][t].as_f64().unwrap());
            let seeds = row["ratio_start"]["values"].as_array().unwrap();
            let mean = seeds.iter().map(|seed| seed.as_f64().unwrap()).sum::<f64>() / seeds.len() as f64;
            // The median of two seeds is their mean, of norms and of ratios alike.
            assert!((mean - (ends[0] - ends[1])).abs() < 1e-9, "{task}, {}", row["name"]);
        }
        // Diagnosed step by step: the decades that its judge finds are the row's ratio.
        let output = isobath(&["diagnose", out.to_str().unwrap()]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let ratio = &found["groups"][0]["rows"][0]["ratio_start"]["median"];
        let decades = format!("decades  {:+.2} at step 0", ratio.as_f64().unwrap());
        let of_rnn = text.split("\n\n").find(|part| part.starts_with("memory/rnn:")).unwrap();
        assert!(of_rnn.contains(&decades), "{decades} is not in: {of_rnn}");
        let page = fs::read_to_string(out.join("report.html")).unwrap();
        assert!(
            page.contains("Back through time")
                && page.contains("-time.csv")
                && !page.contains("Phase diagram")
        );
    }
}

#[test]
fn a_bad_cell_is_refused_with_its_place() {
    let folder = TempDir::new().unwrap();
    let gru = "cell = { kind = \"gru\", forget_bias = \"chrono\" }";
    let cases: [(&str, &str, &[&str]); 17] = [
        (gru, "cell = { kind = \"gruu\" }", &["gruu", "lstm", "line"]),
        (gru, "cell = { kind = \"gru\", forgets = 1 }", &["forgets", "unknown field", "line"]),
        (gru, "cell = { }", &["kind", "line"]),
        (
            gru,
            "cell = { kind = \"gru\", forget_bias = \"long\" }",
            &["long", "a number or \"chrono\"", "line"],
        ),
        (
            gru,
            "cell = { kind = \"gru\", forget_bias = nan }",
            &["network `gru`", "cell.forget_bias is NaN", "finite"],
        ),
        (gru, "cell = { kind = \"gru\", clip = 0.0 }", &["network `gru`", "cell.clip is 0", "positive"]),
        (gru, "cell = { kind = \"gru\", clip = -1 }", &["cell.clip is -1", "positive"]),
        (gru, "cell = { kind = \"rnn\", forget_bias = 1 }", &["cell.forget_bias", "lstm and gru alone"]),
        (gru, "cell = { kind = \"rnn\" }\nactivation = \"prelu\"", &["activation is prelu", "any other"]),
        (gru, "norm = \"layer\"", &["network `gru`", "norm", "left out"]),
        (gru, "residual = { scale = 1.0, layers = 1, last = \"linear\" }", &["residual", "left out"]),
        (
            gru,
            "pretrain = { kind = \"rbm\", steps = 5 }\nactivation = \"sigmoid\"",
            &["pretrain", "left out"],
        ),
        (gru, "clip = { kind = \"adaptive\", limit = 0.1 }", &["clip.kind is \"adaptive\"", "cell.clip"]),
        (gru, "loss = \"squared\"", &["memory/gru", "loss is squared", "labels are numbers"]),
        ("adding:9", "adding:1", &["adding:1", "2 to 100000"]),
        ("adding:9", "copy", &["`copy`", "copy:BLANKS"]),
        ("adding:9", "spirals", &["memory/rnn", "sequences", "rows of"]),
    ];
    for (old, new, words) in cases {
        assert!(SMALL.contains(old), "{old}");
        let file = write(&folder, &SMALL.replacen(old, new, 1));
        let out = folder.path().join("out");
        let output = study(&file, &out, &[]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{new}: {message}");
        for word in words {
            assert!(message.contains(word), "`{word}` is not in: {message}");
        }
        assert!(!out.exists(), "`{new}` left something behind");
    }
}

#[test]
fn dense_networks_answer_once() {
    let folder = TempDir::new().unwrap();
    let dense = SMALL.replacen("cell = { kind = \"rnn\" }", "", 1);
    let file = write(&folder, &dense);
    let out = folder.path().join("out");
    assert_ended(&study(&file, &out, &["--data", "adding:9"]), 0, &[]);
    let rows = &summary(&out)["groups"][0]["rows"];
    assert!(rows[0]["layers"][0].get("through_time").is_none(), "a dense layer has no time");
    assert!(rows[1]["layers"][0].get("through_time").is_some());
    let output = study(&file, &folder.path().join("other"), &["--data", "copy:3"]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("memory/rnn") && message.contains("gives 1 answers"), "{message}");
    let probe = isobath(&["probe", "--data", "adding:9", "--depth", "2"]);
    let message = String::from_utf8_lossy(&probe.stderr);
    assert_eq!(probe.status.code(), Some(2), "{message}");
    assert!(message.contains("one class per sample"), "{message}");
}
