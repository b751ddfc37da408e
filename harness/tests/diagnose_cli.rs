//! The `diagnose` command: exit codes, messages, the shape of its output.

#[path = "common/program.rs"]
mod program;

use std::fs;
use std::path::Path;
use std::process::Output;

use program::isobath;
use serde_json::Value;

fn words(arguments: &str) -> Output {
    isobath(&arguments.split_whitespace().collect::<Vec<_>>())
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// A table of ten layers whose gradient changes by `factor` per layer.
fn table(folder: &Path, factor: f64) -> String {
    let mut text = String::from("step,layer,x,delta,gw,w\n");
    for step in [0, 100] {
        for layer in 1..=10 {
            // A little noise, as every network has it.
            let noise = 1.0 + 0.02 * f64::from(layer * 7 % 5);
            let delta = factor.powi(10 - layer) * noise;
            text += &format!("{step},{layer},8,{delta:e},{:e},8\n", 8.0 * delta);
        }
    }
    let path = folder.join("norms.csv");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_exit_code_is_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    for (factor, code, kind) in
        [(0.2, 1, "vanishing"), (1.01, 0, "healthy"), (0.84, 0, "borderline"), (2.0, 1, "exploding")]
    {
        let output = isobath(&["diagnose", &table(folder.path(), factor), "--json"]);
        assert_eq!(output.status.code(), Some(code), "{factor}");
        let report = json(&output);
        assert_eq!(report["schema_version"], 1);
        let network = &report["networks"][0];
        assert_eq!((&network["kind"], &network["step"]), (&kind.into(), &0.into()));
        assert!((network["rate"]["factor"].as_f64().unwrap() / factor - 1.0).abs() < 0.02);
        assert_eq!(network["course"].as_array().unwrap().len(), 2);
    }
    assert_eq!(words("diagnose --depth 10").status.code(), Some(1));
    assert_eq!(words("diagnose --depth 10 --activation relu --init he").status.code(), Some(0));
}

#[test]
fn bad_input_is_named_and_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let good = table(folder.path(), 0.2);
    let bad = folder.path().join("bad.csv");
    fs::write(&bad, "step,layer,x,delta,gw,w\n0,1,8,-3,1,1\n").unwrap();
    let bad = bad.to_str().unwrap();
    for (arguments, words) in [
        (vec!["diagnose", bad], ["line 2, column delta: `-3`", "0 or more"]),
        (vec!["diagnose", &good, "--step", "7"], ["--step 7", "it has 0, 100"]),
        (vec!["diagnose", &good, "--depth", "3"], ["--depth", "cannot be used"]),
        (vec!["diagnose", "--step", "7"], ["--step", "norms.csv"]),
        (vec!["diagnose", "--depth", "0"], ["--depth", "1 to 10000"]),
    ] {
        let output = isobath(&arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        for word in words {
            assert!(message.contains(word), "{arguments:?}: no `{word}` in {message}");
        }
    }
    assert_eq!(words("diagnose /there/is/none.csv").status.code(), Some(3));
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(isobath(&["diagnose", empty.path().to_str().unwrap()]).status.code(), Some(3));
}

#[test]
fn the_report_fits_a_terminal_and_proves_its_fix() {
    let folder = tempfile::tempdir().unwrap();
    let good = table(folder.path(), 0.2);
    for arguments in [
        vec!["diagnose"],
        vec!["diagnose", &good],
        vec!["diagnose", "--activation", "relu", "--init", "he", "--width", "8"],
        vec!["diagnose", "--activation", "relu", "--norm", "batch", "--scale-layer", "9:10", "--depth", "20"],
    ] {
        let text = String::from_utf8(isobath(&arguments).stdout).unwrap();
        for line in text.lines().filter(|line| !line.contains("isobath probe") && !line.contains(&good)) {
            assert!(line.chars().count() <= 80, "{arguments:?}: {line}");
        }
        assert!(text.contains("rate ") && text.contains("fix ") && text.contains("not seen "), "{text}");
    }
    // Too narrow: the layers themselves are sound.
    let narrow = json(&words("diagnose --activation relu --init he --width 8 --json"));
    let narrow = &narrow["networks"][0];
    assert_eq!((&narrow["kind"], &narrow["causes"][0]["cause"]), (&"vanishing".into(), &"width".into()));
    assert!((narrow["fix"]["measured_factor"].as_f64().unwrap() - 1.0).abs() < 0.04);
    // Batch norm does not mind the size of a layer's weights.
    let decoy =
        json(&words("diagnose --activation sigmoid --norm batch --scale-layer 9:10 --depth 20 --json"));
    assert_eq!(
        (&decoy["networks"][0]["kind"], &decoy["networks"][0]["layer"]),
        (&"healthy".into(), &Value::Null)
    );
}

#[test]
fn a_study_is_diagnosed_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let out = out.to_str().unwrap();
    let study = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/small.toml");
    assert!(isobath(&["study", study, "--out", out, "--quiet"]).status.success());
    let output = isobath(&["diagnose", out, "--json"]);
    let report = json(&output);
    let networks = report["networks"].as_array().unwrap();
    assert!(!networks.is_empty());
    for network in networks {
        assert!(network["name"].as_str().unwrap().contains('/'), "{network}");
        assert!(network["decades"].is_number(), "{network}");
    }
    let sick = networks
        .iter()
        .any(|network| ["vanishing", "exploding", "dead"].contains(&network["kind"].as_str().unwrap()));
    assert_eq!(output.status.code(), Some(i32::from(sick)));
}
