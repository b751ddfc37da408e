//! Convolutional networks from outside: a study's hash, its per-layer figures, images from files, clear errors.

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
const SMALL: &str = include_str!("convolution.toml");

/// Its hash: part of the numerical contract, on every machine. A change belongs in CHANGELOG "Numerics".
const GOLDEN: &str = "d9b214bead1a2039";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the small study with one text in it replaced.
    fn study(&self, replace: (&str, &str), out: &str, more: &[&str]) -> Output {
        assert!(SMALL.contains(replace.0), "{}", replace.0);
        let file = self.path("study.toml");
        fs::write(&file, SMALL.replacen(replace.0, replace.1, 1)).unwrap();
        let out = self.path(out);
        isobath(&[&["study", file.to_str().unwrap(), "--out", out.to_str().unwrap()], more].concat())
    }

    fn summary(&self, out: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(out).join("summary.json")).unwrap()).unwrap()
    }
}

#[test]
fn the_hash_is_the_same_on_every_level_and_number_of_threads() {
    let folder = Folder::new();
    let same = ("", "");
    assert_ended(&folder.study(same, "reference", &["--threads", "2"]), 0, &[]);
    assert_eq!(folder.summary("reference")["hash"], GOLDEN);
    let levels: Vec<&str> = isobath_kernels::Level::available().map(isobath_kernels::Level::name).collect();
    assert!(levels.len() >= 2, "the scalar and the portable level exist everywhere");
    let runs = levels.iter().map(|level| ["--level", *level]).chain([["--threads", "1"]]);
    for flags in runs {
        let out = flags.concat();
        assert_ended(&folder.study(same, &out, &flags), 0, &[]);
        assert_eq!(folder.summary(&out)["hash"], GOLDEN, "{flags:?}");
    }
}

/// Every hidden layer of every network has its norms before and after training, and what it multiplies is counted.
#[test]
fn every_hidden_layer_has_its_figures() {
    let folder = Folder::new();
    assert_ended(&folder.study(("", ""), "out", &[]), 0, &[]);
    let summary = folder.summary("out");
    let rows = summary["groups"][0]["rows"].as_array().unwrap();
    let depths: Vec<usize> = rows.iter().map(|row| row["layers"].as_array().unwrap().len()).collect();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    let by_name = |name: &str| names.iter().position(|found| *found == name).unwrap();
    assert_eq!(depths[by_name("untreated")], 4);
    assert_eq!(depths[by_name("residual")], 2);
    for row in rows {
        assert!(row["ratio_start"]["median"].is_number(), "{}", row["name"]);
        for layer in row["layers"].as_array().unwrap() {
            for figure in ["log10_x", "log10_delta", "log10_gw", "speed"] {
                for when in 0..2 {
                    assert!(layer[figure][when].is_number(), "{}: {figure}", row["name"]);
                }
            }
            assert!(layer["moved"].as_f64().unwrap() > 0.0, "{}", row["name"]);
        }
    }
    // 3 x 3 windows over 12 x 12 positions of 1, then 3 channels, over 6 x 6, then a head of 3 x 10; of 4 steps of
    // 10 samples, three products each.
    let forward = 144 * (9 * 3 + 27 * 3) + 36 * 2 * 27 * 3 + 30;
    assert_eq!(rows[by_name("untreated")]["multiply_adds"].as_u64().unwrap(), 3 * 4 * 10 * forward);
}

/// Images and labels in MNIST's format: 7 x 9 pixels, two classes, bright above or below.
fn write_idx(folder: &Path, images: &str, labels: &str, count: u32) {
    let (mut pixels, mut classes) = (Vec::new(), Vec::new());
    for number in [0x0000_0803, count, 7, 9] {
        pixels.extend(number.to_be_bytes());
    }
    for number in [0x0000_0801, count] {
        classes.extend(number.to_be_bytes());
    }
    for sample in 0..count {
        classes.push((sample % 2) as u8);
        for pixel in 0..63 {
            let noise = sample.wrapping_mul(2_654_435_761).wrapping_add(pixel * 40_503) >> 7 & 63;
            pixels.push(if (pixel < 28) == (sample % 2 == 0) { 180 + noise as u8 } else { noise as u8 });
        }
    }
    fs::write(folder.join(images), pixels).unwrap();
    fs::write(folder.join(labels), classes).unwrap();
}

#[test]
fn images_that_are_not_square_come_from_files() {
    let folder = Folder::new();
    let data = folder.path("images");
    fs::create_dir(&data).unwrap();
    write_idx(&data, "train-images-idx3-ubyte", "train-labels-idx1-ubyte", 120);
    write_idx(&data, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 40);
    let source = format!("idx:{}", data.display());
    assert_ended(&folder.study(("steps = 4", "steps = 40"), "out", &["--data", &source]), 0, &[]);
    let summary = folder.summary("out");
    let rows = summary["groups"][0]["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == "batch norm").unwrap();
    let accuracy = row["accuracy"]["median"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{accuracy} of 7 x 9 images, which are easy");
}

#[test]
fn what_cannot_be_convolved_is_refused() {
    let folder = Folder::new();
    let table = folder.path("table.csv");
    let rows: String = (0..200).map(|i| format!("{},{},{}\n", i % 5, i % 7, i % 2)).collect();
    fs::write(&table, format!("a,b,label\n{rows}")).unwrap();
    let csv = format!("csv:{}", table.display());
    for source in ["teacher", "gaussian", "spirals", "two-spirals", &csv] {
        let output = folder.study(("", ""), "out", &["--data", source]);
        assert_ended(&output, 2, &["sick/untreated", "needs images", "glyphs, idx:DIR", "rows of"]);
    }
    let stages = "{ kernel = 3, halve_every = 2 }";
    let cases: [(&str, &str, &[&str]); 10] = [
        (stages, "{ kernel = 4 }", &["untreated", "convolution.kernel is 4", "odd"]),
        (stages, "{ kernel = 0 }", &["convolution.kernel is 0", "odd"]),
        (stages, "{ kernel = -3 }", &["-3", "line"]),
        (stages, "{ size = 3 }", &["size", "unknown field", "line"]),
        (stages, "{ kernel = 3, halve_every = 0 }", &["convolution.halve_every is 0", "at least 1"]),
        (stages, "{ kernel = 3, halve = \"max\" }", &["convolution.halve_every", "missing"]),
        (stages, "{ kernel = 3, halve_every = 1, halve = \"mean\" }", &["mean", "max", "stride"]),
        ("halve = \"max\"", "halve = \"stride\"", &["residual", "convolution.halve", "must be \"max\""]),
        (
            "halve_every = 2 }",
            "halve_every = 1 }\npretrain = { kind = \"rbm\", steps = 1 }",
            &["pretrain", "not convolutions"],
        ),
        ("depth = 4", "depth = 9", &["sick/untreated", "does not fit", "1 x 1 positions"]),
    ];
    for (old, new, words) in cases {
        assert_ended(&folder.study((old, new), "out", &[]), 2, words);
    }
    assert!(!folder.path("out").exists(), "something was left behind");
}

#[test]
fn memory_is_planned_before_it_is_taken() {
    let folder = Folder::new();
    for (width, code, words) in [
        ("9000000", 3, ["sick/untreated", "MiB"]),
        ("9000000000000000", 2, ["sick/untreated", "address space"]),
    ] {
        let output = folder.study(("width = 3", &format!("width = {width}")), "out", &[]);
        assert_ended(&output, code, &words);
    }
    assert!(!folder.path("out").exists());
}

#[test]
fn train_runs_one_network() {
    let folder = Folder::new();
    let file = folder.path("one.toml");
    let text = r#"
data = { source = "glyphs", train = 100, test = 50 }
training = { steps = 3, batch = 20, record_every = 1 }
optimizer = { name = "adam", rate = 0.001 }
[network]
name = "one"
depth = 3
width = 4
activation = "relu"
init = "he"
convolution = { kernel = 3, halve_every = 1 }
"#;
    fs::write(&file, text).unwrap();
    let hash = |threads: &str| {
        let output = isobath(&["train", file.to_str().unwrap(), "--json", "--threads", threads]);
        assert_ended(&output, 0, &[]);
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(value["network"], "3 relu convolutions (3 x 3) of 4");
        assert_eq!(value["layers_before"].as_array().unwrap().len(), 3);
        value["hash"].as_str().unwrap().to_owned()
    };
    assert_eq!(hash("1"), hash("2"));
    fs::write(&file, text.replace("glyphs", "two-spirals")).unwrap();
    assert_ended(&isobath(&["train", file.to_str().unwrap()]), 2, &["one", "rows of 2 numbers"]);
}
