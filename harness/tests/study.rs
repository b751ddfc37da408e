//! The study command from outside: the same results however it is run, resumed or interrupted, and clear errors.

#[path = "common/ended.rs"]
mod ended;
#[path = "common/program.rs"]
mod program;
#[path = "common/timeless.rs"]
mod timeless;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ended::assert_ended;
use program::isobath;
use serde_json::Value;
use tempfile::TempDir;
use timeless::timeless_summary;

/// A study small enough for every level.
const SMALL: &str = include_str!("small.toml");

/// The small study's hash: part of the numerical contract, on every machine. A change belongs in CHANGELOG "Numerics".
const GOLDEN: &str = "964fd47938fbf1a1";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }
}

fn study(file: &Path, out: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["study", file.to_str().unwrap(), "--out", out.to_str().unwrap()];
    arguments.extend(more);
    isobath(&arguments)
}

fn summary(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn results_do_not_depend_on_threads_level_or_sitting() {
    let folder = Folder::new();
    let file = folder.write("small.toml", SMALL);
    let reference = folder.path("reference");
    assert_ended(&study(&file, &reference, &["--threads", "2"]), 0, &[]);
    let expected = timeless_summary(&reference);
    assert_eq!(summary(&reference)["hash"], GOLDEN);
    let page = fs::read_to_string(reference.join("report.html")).unwrap();
    assert!(page.contains("Phase diagram of sigmoid") && page.contains("The activation sigmoid"));
    let mut runs: Vec<Vec<&str>> = vec![vec!["--threads", "1"], vec!["--threads", "2", "--force"]];
    let levels: Vec<&str> = isobath_kernels::Level::available().map(isobath_kernels::Level::name).collect();
    assert!(levels.len() >= 2, "the scalar and the portable level exist everywhere");
    runs.extend(levels.iter().map(|level| vec!["--level", *level]));
    for (i, flags) in runs.iter().enumerate() {
        let out = folder.path(&format!("run{i}"));
        assert_ended(&study(&file, &out, flags), 0, &[]);
        assert!(timeless_summary(&out) == expected, "{flags:?}");
    }
    // Another seed is another study.
    let other = folder.path("other");
    assert_ended(&study(&file, &other, &["--seed", "2"]), 0, &[]);
    assert_ne!(summary(&other)["hash"], summary(&reference)["hash"]);
}

#[test]
fn a_study_goes_on_where_it_was_cut_off() {
    let folder = Folder::new();
    let file = folder.write("small.toml", SMALL);
    let whole = folder.path("whole");
    assert_ended(&study(&file, &whole, &[]), 0, &[]);
    let expected = timeless_summary(&whole);
    let records = fs::read(whole.join("records.jsonl")).unwrap();
    let header = records.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    // Right behind the header, within a line, within a run's lines, before the last byte.
    for (i, cut) in
        [header, header + 7, records.len() / 3, records.len() / 2, records.len() - 1].into_iter().enumerate()
    {
        let out = folder.path(&format!("cut{i}"));
        fs::create_dir(&out).unwrap();
        fs::write(out.join("records.jsonl"), &records[..cut]).unwrap();
        assert_ended(&study(&file, &out, &[]), 0, &[]);
        assert!(timeless_summary(&out) == expected, "cut at {cut} of {}", records.len());
    }
}

#[test]
fn a_finished_study_is_printed_again_and_another_is_refused() {
    let folder = Folder::new();
    let file = folder.write("small.toml", SMALL);
    let out = folder.path("out");
    assert_ended(&study(&file, &out, &[]), 0, &[]);
    let before = fs::read(out.join("records.jsonl")).unwrap();
    let again = study(&file, &out, &[]);
    assert_ended(&again, 0, &[]);
    assert!(String::from_utf8_lossy(&again.stdout).contains("finished before"));
    assert_ended(&study(&file, &out, &["--seed", "7"]), 2, &["other settings", "--out", "--force"]);
    let changed = folder.write("changed.toml", SMALL.replace("steps = 12", "steps = 13"));
    assert_ended(&study(&changed, &out, &[]), 2, &["other settings"]);
    assert_eq!(fs::read(out.join("records.jsonl")).unwrap(), before, "a refused study must not be touched");
    assert_ended(&study(&changed, &out, &["--force"]), 0, &[]);

    let strange = folder.path("strange");
    fs::create_dir(&strange).unwrap();
    fs::write(strange.join("records.jsonl"), "somebody's notes\n").unwrap();
    assert_ended(&study(&file, &strange, &[]), 2, &["no study of ours"]);
    assert_eq!(fs::read(strange.join("records.jsonl")).unwrap(), b"somebody's notes\n");
}

#[test]
fn a_diverging_network_is_a_result() {
    let folder = Folder::new();
    let file = folder.write("small.toml", SMALL);
    let out = folder.path("out");
    assert_ended(&study(&file, &out, &[]), 0, &[]);
    let summary = summary(&out);
    let rows = summary["groups"][0]["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == "exploding").unwrap();
    assert_eq!(row["outcome"]["kind"], "diverged");
    assert_eq!(row["outcome"]["step"], 0);
    assert_eq!(row["outcome"]["layer"], 3);
    assert_eq!(row["outcome"]["seeds"], 2);
}

#[test]
fn json_is_one_object_and_a_closed_pipe_is_no_failure() {
    let folder = Folder::new();
    let file = folder.write("small.toml", SMALL);
    let out = folder.path("out");
    let output = study(&file, &out, &["--json"]);
    assert_ended(&output, 0, &[]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["schema_version"], 1);
    let command =
        format!("{} study {} --out {} | true", env!("CARGO_BIN_EXE_isobath"), file.display(), out.display());
    let output = Command::new("bash").args(["-o", "pipefail", "-c", &command]).output().unwrap();
    assert_ended(&output, 0, &[]);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_bad_study_file_is_refused_with_its_place() {
    let folder = Folder::new();
    let cases: [(&str, &str, &[&str]); 18] = [
        ("depth = 3", "depth = 1000000000", &["depth is 1000000000", "1 to 100000"]),
        ("steps = 12", "stepz = 12", &["stepz", "unknown field", "line"]),
        ("optimizer = ", "optimiser = ", &["optimiser", "line", "did you mean `optimizer`?"]),
        ("steps = 12", "steps = \"many\"", &["many", "line"]),
        ("steps = 12", "steps = -3", &["-3", "line"]),
        ("steps = 12", "steps = 0", &["training.steps is 0", "at least 1"]),
        ("width = 17", "width = 0", &["width is 0", "untreated", "at least 1"]),
        ("depth = 3", "depth = 0", &["depth is 0", "at least 1"]),
        ("batch = 20", "batch = 1", &["batch norm", "at least 2"]),
        ("batch = 20", "batch = 500", &["training.batch is 500", "200"]),
        ("activation = \"sigmoid\"", "activation = \"sigmoidal\"", &["sigmoidal", "allowed are", "tanh"]),
        ("init = \"xavier\"", "init = \"javier\"", &["javier", "allowed are", "xavier"]),
        ("rates = [0.1, 0.01]", "rates = [0.1, -1.0]", &["-1", "positive"]),
        ("weight_variance = 1e30", "weight_variance = nan", &["weight_variance is NaN", "positive"]),
        ("kind = \"l1\"", "kind = \"l3\"", &["l3", "line"]),
        ("source = \"glyphs\"", "source = \"glifs\"", &["glifs", "allowed are"]),
        ("name = \"small\"", "name = \"../up\"", &["../up", "letters"]),
        ("name = \"batch norm\"", "name = \"untreated\"", &["two networks called `untreated`"]),
    ];
    for (old, new, words) in cases {
        assert!(SMALL.contains(old), "{old}");
        let file = folder.write("bad.toml", SMALL.replacen(old, new, 1));
        let out = folder.path("out");
        assert_ended(&study(&file, &out, &[]), 2, words);
        assert!(!out.exists(), "`{new}` left something behind");
    }
}

#[test]
fn a_network_too_large_for_memory_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    let out = folder.path("out");
    for (width, code, words) in
        [("3000000", 3, ["sick/untreated", "MiB"]), ("4000000000000", 2, ["sick/untreated", "address space"])]
    {
        let file = folder.write("huge.toml", SMALL.replacen("width = 17", &format!("width = {width}"), 1));
        assert_ended(&study(&file, &out, &[]), code, &words);
        assert!(!out.exists());
    }
}

#[test]
fn bad_flags_and_folders_are_refused() {
    let folder = Folder::new();
    let file = folder.write("small.toml", SMALL);
    let out = folder.path("out");
    assert_ended(&isobath(&["study", "remediez"]), 2, &["remediez", "remedies", "depth"]);
    assert_ended(&study(&folder.path("none.toml"), &out, &[]), 3, &["none.toml"]);
    assert_ended(&study(&file, &out, &["--threads", "0"]), 2, &["--threads", "1 to 1024"]);
    assert_ended(&study(&file, &out, &["--level", "mmx"]), 2, &["mmx", "scalar"]);
    assert_ended(&study(&file, &out, &["--data", "idx:/no/such/folder"]), 2, &["/no/such/folder"]);
    assert_ended(&study(&file, &out, &["--wrong"]), 2, &["--wrong"]);
    let in_the_way = folder.write("in-the-way", "a file");
    assert_ended(&study(&file, &in_the_way, &[]), 3, &["in-the-way"]);
    assert!(!out.exists());
    assert_eq!(fs::read(&in_the_way).unwrap(), b"a file");
}

/// Images and labels in MNIST's format: 8 x 8 pixels, three classes told apart by where they are bright.
fn write_idx(folder: &Path, images: &str, labels: &str, count: u32) {
    let mut pixels = Vec::new();
    pixels.extend(0x0000_0803_u32.to_be_bytes());
    for size in [count, 8, 8] {
        pixels.extend(size.to_be_bytes());
    }
    let mut classes = Vec::new();
    classes.extend(0x0000_0801_u32.to_be_bytes());
    classes.extend(count.to_be_bytes());
    for sample in 0..count {
        let class = sample % 3;
        classes.push(class as u8);
        for pixel in 0..64 {
            let noise = (sample.wrapping_mul(2_654_435_761).wrapping_add(pixel * 40_503) >> 7) & 63;
            pixels.push(if pixel / 22 == class { 180 + noise as u8 } else { noise as u8 });
        }
    }
    fs::write(folder.join(images), pixels).unwrap();
    fs::write(folder.join(labels), classes).unwrap();
}

#[test]
fn files_in_mnists_format_are_trained_on() {
    let folder = Folder::new();
    let file = folder.write("small.toml", SMALL);
    let data = folder.path("digits");
    fs::create_dir(&data).unwrap();
    write_idx(&data, "train-images-idx3-ubyte", "train-labels-idx1-ubyte", 240);
    write_idx(&data, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 60);
    let source = format!("idx:{}", data.display());
    let out = folder.path("out");
    assert_ended(&study(&file, &out, &["--data", &source]), 0, &[]);
    let found = summary(&out);
    assert_eq!(found["data"]["features"], 64);
    assert_eq!(found["data"]["classes"], 3);
    assert!(found["data"]["linear"]["accuracy"]["median"].as_f64().unwrap() > 0.9);

    // A truncated file is refused before anything is written.
    let images = data.join("train-images-idx3-ubyte");
    let whole = fs::read(&images).unwrap();
    fs::write(&images, &whole[..whole.len() - 5]).unwrap();
    let other = folder.path("other");
    assert_ended(&study(&file, &other, &["--data", &source]), 2, &["train-images-idx3-ubyte"]);
    let mut wrong = whole.clone();
    wrong[3] = 9;
    fs::write(&images, wrong).unwrap();
    assert_ended(&study(&file, &other, &["--data", &source]), 2, &["train-images-idx3-ubyte", "magic"]);
    assert!(!other.exists());
}

#[test]
fn a_nan_in_a_table_is_refused_with_line_and_column() {
    let folder = Folder::new();
    let file = folder.write("small.toml", SMALL);
    let mut table = fs::File::create(folder.path("table.csv")).unwrap();
    writeln!(table, "a,b,label").unwrap();
    for i in 0..300 {
        let b = if i == 20 { "NaN".to_owned() } else { format!("{}", i % 7) };
        writeln!(table, "{}.5,{b},{}", i % 5, i % 2).unwrap();
    }
    drop(table);
    let source = format!("csv:{}", folder.path("table.csv").display());
    let out = folder.path("out");
    assert_ended(&study(&file, &out, &["--data", &source]), 2, &["table.csv", "line 22", "b", "NaN"]);
    assert!(!out.exists());
}
