//! Pre-trained rows of a study, from outside: equal however they are run or resumed, costed in full, refused where wrong.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const SMALL: &str = include_str!("pretraining.toml");

/// The small study's hash: part of the numerical contract, on every machine.
const GOLDEN: &str = "7c486b7caf7b48dc";

fn study(text: &str, folder: &Path, more: &[&str]) -> Output {
    let file = folder.with_extension("toml");
    fs::write(&file, text).unwrap();
    let mut arguments = vec!["study", file.to_str().unwrap(), "--out", folder.to_str().unwrap()];
    arguments.extend(more);
    Command::new(env!("CARGO_BIN_EXE_isobath")).args(arguments).output().unwrap()
}

#[track_caller]
fn succeed(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

fn row<'a>(summary: &'a Value, name: &str) -> &'a Value {
    let rows = summary["groups"][0]["rows"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap()
}

#[test]
fn results_do_not_depend_on_threads_level_or_sitting() {
    let folder = TempDir::new().unwrap();
    let reference = folder.path().join("reference");
    succeed(&study(SMALL, &reference, &["--threads", "2"]));
    assert_eq!(summary(&reference)["hash"], GOLDEN);
    let levels: Vec<&str> = isobath_kernels::Level::available().map(isobath_kernels::Level::name).collect();
    let mut runs = vec![vec!["--threads", "1"]];
    runs.extend(levels.iter().map(|level| vec!["--level", *level]));
    for (i, flags) in runs.iter().enumerate() {
        let out = folder.path().join(format!("run{i}"));
        succeed(&study(SMALL, &out, flags));
        assert_eq!(summary(&out)["hash"], GOLDEN, "{flags:?}");
    }
    // What a kill leaves.
    let records = fs::read(reference.join("records.jsonl")).unwrap();
    for (i, cut) in [records.len() / 3, records.len() / 2, records.len() - 1].into_iter().enumerate() {
        let out = folder.path().join(format!("cut{i}"));
        fs::create_dir(&out).unwrap();
        fs::write(out.join("records.jsonl"), &records[..cut]).unwrap();
        succeed(&study(SMALL, &out, &[]));
        assert_eq!(summary(&out)["hash"], GOLDEN, "cut at {cut}");
        for name in ["autoencoder", "pcd"] {
            assert_eq!(
                row(&summary(&out), name)["multiply_adds"],
                row(&summary(&reference), name)["multiply_adds"]
            );
        }
    }
}

#[test]
fn the_whole_cost_is_counted() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    succeed(&study(SMALL, &out, &[]));
    let summary = summary(&out);
    let cost = |name| row(&summary, name)["multiply_adds"].as_u64().unwrap();
    // Weights of the hidden layers, 144-17-17-17, and of the head; 20 rows a step, 200 samples.
    let hidden = 144 * 17 + 2 * 17 * 17;
    let step = 3 * 20 * (hidden + 17 * 10);
    let passed_on = 200 * (144 * 17 + 17 * 17);
    assert_eq!(cost("untreated"), 6 * step);
    assert_eq!(cost("longer"), 9 * step);
    assert_eq!(cost("autoencoder"), 6 * step + 5 * 11 * 20 * hidden + passed_on);
    assert_eq!(cost("shuffled"), cost("autoencoder"));
    assert_eq!(cost("cd"), 6 * step + 7 * 7 * 20 * hidden + passed_on);
    assert_eq!(cost("pcd"), 6 * step + 6 * 7 * 20 * hidden + passed_on);
    assert_eq!(row(&summary, "longer")["steps"], 9);
    // Each way of starting is one of its own.
    let mut hashes: Vec<&str> = ["untreated", "autoencoder", "shuffled", "cd", "pcd", "longer"]
        .map(|name| row(&summary, name)["hash"].as_str().unwrap())
        .to_vec();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 6);
    // Pre-training that explodes is a result, not a crash.
    let exploding = &row(&summary, "exploding")["outcome"];
    assert_eq!((&exploding["kind"], &exploding["step"]), (&"diverged".into(), &0.into()));
}

#[test]
fn a_bad_field_is_refused() {
    let folder = TempDir::new().unwrap();
    let kind = "kind = \"autoencoder\", steps = 11";
    let cases: [(&str, &str, &[&str]); 13] = [
        (
            "steps = 11",
            "steps = 0",
            &["network `autoencoder` of group `sick`", "pretrain.steps is 0", "at least 1"],
        ),
        ("steps = 11", "steps = -1", &["-1", "line"]),
        (kind, "kind = \"autoencoder\"", &["steps", "line"]),
        ("rate = 0.01", "rate = -0.01", &["pretrain.rate is -0.01", "positive"]),
        ("noise = 0.1", "noise = 1.0", &["pretrain.noise is 1", "below 1"]),
        ("noise = 0.1", "noise = nan", &["pretrain.noise is NaN", "at least 0"]),
        ("noise = 0.1", "gibbs_steps = 2", &["pretrain.gibbs_steps", "\"rbm\" alone"]),
        ("noise = 0.1", "persistent = true", &["pretrain.persistent", "\"rbm\" alone"]),
        ("gibbs_steps = 2", "gibbs_steps = 0", &["network `cd`", "pretrain.gibbs_steps is 0", "at least 1"]),
        ("gibbs_steps = 2", "noise = 0.5", &["pretrain.noise", "\"autoencoder\" alone"]),
        (kind, "kind = \"dbn\", steps = 11", &["dbn", "autoencoder", "rbm", "line"]),
        ("steps = 9", "steps = 0", &["network `longer`", "steps is 0", "at least 1"]),
        ("noise = 0.1", "nois = 0.1", &["nois", "unknown field", "line"]),
    ];
    let elsewhere: [(&str, &str, &[&str]); 3] = [
        ("activation = \"sigmoid\"", "activation = \"tanh\"", &["activation is tanh", "sigmoid"]),
        ("init = \"xavier\"", "init = \"xavier\"\nnorm = \"layer\"", &["without norm and residual"]),
        (
            "init = \"xavier\"",
            "init = \"xavier\"\nresidual = { scale = 1.0, layers = 1, last = \"linear\" }",
            &["without norm and residual"],
        ),
    ];
    for (old, new, words) in cases.into_iter().chain(elsewhere) {
        assert!(SMALL.contains(old), "{old}");
        let out = folder.path().join("out");
        let output = study(&SMALL.replacen(old, new, 1), &out, &[]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{new}: {message}");
        for word in words {
            assert!(message.contains(word), "{new}: `{word}` is not in: {message}");
        }
        assert!(!out.exists(), "`{new}` left something behind");
    }
}

#[test]
fn a_single_network_is_pretrained_too() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("one.toml");
    let text = |pretrain: &str| {
        format!(
            "[data]\nsource = \"glyphs\"\ntrain = 100\ntest = 50\n\
             [training]\nsteps = 4\nbatch = 20\nrecord_every = 2\n[optimizer]\nname = \"adam\"\nrate = 0.001\n\
             [network]\nname = \"one\"\ndepth = 2\nwidth = 9\nactivation = \"sigmoid\"\ninit = \"xavier\"\n{pretrain}"
        )
    };
    let train = |pretrain| {
        fs::write(&file, text(pretrain)).unwrap();
        let arguments = ["train", file.to_str().unwrap(), "--json"];
        let output = Command::new(env!("CARGO_BIN_EXE_isobath")).args(arguments).output().unwrap();
        succeed(&output);
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let plain = train("");
    let pretrained = train("pretrain = { kind = \"rbm\", steps = 5 }");
    assert_ne!(plain["hash"], pretrained["hash"]);
    assert_eq!(pretrained["course"]["steps"], plain["course"]["steps"]);
    assert_eq!(train("steps = 3")["steps"], 3);
}
