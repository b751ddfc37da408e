//! The `train` command: what it prints, and what it says of files that it cannot use.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

const SPIRALS: &str = include_str!("../../tests/golden/spirals.toml");
const GOLDEN: &str = include_str!("../../tests/golden/hashes.txt");

fn isobath(file: &str, flags: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobath"));
    command.arg("train").arg(file).args(flags.split_whitespace()).output().unwrap()
}

/// Trains what a text says.
fn train(text: &str, flags: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.toml");
    fs::write(&path, text).unwrap();
    isobath(path.to_str().unwrap(), flags)
}

fn hash(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().find_map(|line| line.strip_prefix("hash ")).expect("a hash").to_owned()
}

#[test]
fn files_of_the_golden_list_give_its_hashes() {
    for name in ["spirals", "glyphs"] {
        let file = format!("{}/../tests/golden/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        for flags in ["", "--threads 1 --level scalar"] {
            let output = isobath(&file, flags);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let hash = hash(&output);
            assert!(GOLDEN.lines().any(|line| line.starts_with(&format!("{hash} {name}"))), "{name}: {hash}");
        }
    }
}

#[test]
fn lines_fit_a_terminal_and_sound_every_layer() {
    let deep = SPIRALS.replace("depth = 2", "depth = 40").replace("steps = 400", "steps = 3");
    let output = train(&deep, "");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    assert!(text.contains("at 1 ") && text.contains("at 40"), "{text}");
    assert!(text.lines().any(|line| line.trim_start().starts_with("3 ")), "no sounding of the end: {text}");
}

#[test]
fn json_is_one_object_with_the_same_hash() {
    let output = train(SPIRALS, "--json --seed 2");
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["schema_version"], 1);
    assert_eq!(object["steps"], 400);
    assert_eq!(object["course"]["steps"].as_array().unwrap().len(), 9);
    assert_eq!(object["layers_after"].as_array().unwrap().len(), 2);
    assert_eq!(object["hash"], hash(&train(SPIRALS, "--seed 2 --quiet")));
}

/// Values that are computed again show in no bit.
#[test]
fn checkpoints_leave_the_hash() {
    let expected = hash(&train(SPIRALS, "--quiet"));
    for every in [1, 2, 1000] {
        let text = SPIRALS.replace("[training]", &format!("[training]\ncheckpoints = {every}"));
        assert_eq!(hash(&train(&text, "--quiet")), expected, "every {every}");
    }
    let output = train(&SPIRALS.replace("[training]", "[training]\ncheckpoints = 0"), "");
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("training.checkpoints is 0; it must be at least 1"), "{error}");
}

/// A network that explodes is a result.
#[test]
fn divergence_is_told_and_no_failure() {
    let exploding = SPIRALS.replace("depth = 2", "depth = 6\nweight_variance = 1e30").replace("tanh", "relu");
    let output = train(&exploding, "");
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("diverged at step 0"));
    let object: Value = serde_json::from_slice(&train(&exploding, "--json").stdout).unwrap();
    assert_eq!(object["divergence"]["step"], 0);
}

#[test]
fn what_a_file_may_not_say_is_named() {
    for (from, to, words) in [
        ("depth = 2", "", "network `spirals`: depth is missing"),
        ("depth = 2", "depth = 0", "depth is 0; it must be at least 1"),
        ("depth = 2", "deep = 2", "unknown field `deep`"),
        ("\"tanh\"", "\"swish\"", "allowed are sigmoid"),
        ("\"xavier\"", "\"glorot\"", "allowed are xavier"),
        ("two-spirals", "moons", "data.source: unknown data source `moons`"),
        ("train = 200", "train = 0", "data.train is 0"),
        ("train = 200", "train = 10", "a batch of 20 samples cannot be drawn from 10"),
        ("batch = 20", "batch = 1\n", "batch norm needs training.batch of at least 2"),
        ("rate = 0.01", "rate = -1", "optimizer.rate is -1; it must be a positive number"),
        ("rate = 0.01", "rate = 0.01\nweight_decay = 0.1", "adam has no weight_decay"),
        ("\"adam\"", "\"rmsprop\"", "unknown variant `rmsprop`"),
        ("\"adam\"", "\"adm\"", "did you mean `adam`?"),
        ("[network]", "[netwrok]", "did you mean `network`?"),
        ("global-norm", "globalnorm", "did you mean `global-norm`?"),
        ("depth = 2", "depth = 2\nnrom = \"batch\"", "did you mean `norm`?"),
        (
            "depth = 2",
            "depth = 2\nresidual = { scale = \"lerned\", layers = 2, last = \"linear\" }",
            "did you mean `learned`?",
        ),
        (
            "depth = 2",
            "depth = 2\ncell = { kind = \"lstm\", forget_bias = \"crono\" }",
            "did you mean `chrono`?",
        ),
        ("limit = 1.0", "limit = -1.0", "clip.limit is -1; it must be a positive number"),
        ("width = 16", "width = 10000000", "MiB"),
        ("width = 16", "width = 1000000000", "address space"),
    ] {
        let text = SPIRALS.replace(from, to);
        assert_ne!(text, SPIRALS, "{from} is not in the file");
        let text = if to.starts_with("batch") { text + "norm = \"batch\"\n" } else { text };
        let output = train(&text, "");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(message.contains(words), "{to}: {message}");
        assert!(matches!(output.status.code(), Some(2 | 3)), "{to}: {:?}", output.status);
        // A network that is too large for this machine alone is a matter of memory.
        assert_eq!(output.status.code() == Some(3), words == "MiB", "{to}");
    }
    assert_eq!(isobath("nowhere.toml", "").status.code(), Some(3));
    assert_eq!(train(SPIRALS, "--level mmx").status.code(), Some(2));
}
