//! What the command exchanges with other programs: exports, weights, completions, manual pages; and what it refuses.
//! `ci/interop` reads the same files with the programs that they are for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const STUDY: &str = include_str!("small.toml");
const SPIRALS: &str = include_str!("../../tests/golden/spirals.toml");

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Runs the command in the folder.
    fn run(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isobath"));
        command.args(arguments.split_whitespace()).current_dir(self.0.path()).output().unwrap()
    }

    /// Runs the command, which must succeed, and gives what it printed.
    #[track_caller]
    fn output(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the command, which must refuse its input with these words.
    #[track_caller]
    fn refused(&self, arguments: &str, words: &str) {
        let output = self.run(arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(words), "{message}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Of a finished study, of one that was cut off after some runs, and of what is no study.
#[test]
fn a_page_is_made_again_from_its_folder() {
    let folder = Folder::new();
    folder.write("small.toml", STUDY);
    folder.output("study small.toml --out run --quiet");
    let page = fs::read_to_string(folder.path("run/report.html")).unwrap();
    fs::remove_file(folder.path("run/report.html")).unwrap();
    assert_eq!(folder.output("report run"), "run/report.html\n");
    assert!(fs::read_to_string(folder.path("run/report.html")).unwrap() == page, "another page");
    assert_eq!(folder.output("report run --out copy.html --quiet"), "");
    assert!(fs::read_to_string(folder.path("copy.html")).unwrap() == page, "another page");
    folder.refused("report run --out copy.html", "--force");
    folder.refused("report nowhere", "nowhere is no folder");
    folder.refused("report .", "has no records.jsonl");

    // Without its last lines and its summary it is a study that was interrupted.
    fs::remove_file(folder.path("run/summary.json")).unwrap();
    let records = fs::read_to_string(folder.path("run/records.jsonl")).unwrap();
    let runs = records.matches("\"kind\":\"run\"").count();
    assert!(runs > 1, "{runs} runs in {records}");
    let last = records.trim_end().rfind('\n').unwrap();
    folder.write("run/records.jsonl", &records[..=last]);
    folder.output("report run");
    let partial = fs::read_to_string(folder.path("run/report.html")).unwrap();
    assert!(partial != page && partial.contains("<svg"), "the same page");
    folder.write("run/outline.json", "{");
    folder.refused("report run", "outline.json");
    fs::remove_file(folder.path("run/outline.json")).unwrap();
    folder.refused("report run", "neither summary.json nor outline.json");
}

#[test]
fn records_are_exported_and_nothing_is_overwritten() {
    let folder = Folder::new();
    folder.write("small.toml", STUDY);
    folder.output("study small.toml --out run --quiet");
    let text = folder.output("export run --csv a.csv --parquet a.parquet --tensorboard logs --json");
    let object: Value = serde_json::from_str(&text).unwrap();
    let csv = fs::read_to_string(folder.path("a.csv")).unwrap();
    assert_eq!(object["rows"].as_u64(), Some(csv.lines().count() as u64 - 1));
    assert_eq!(object["files"].as_array().unwrap().len(), 2 + object["runs"].as_u64().unwrap() as usize);
    assert!(files(&folder.path("logs")).iter().all(|path| path.to_string_lossy().contains("tfevents")));

    // A study writes the same logs by itself, when it runs and when it has run before.
    let logged = |name: &str| -> Vec<Vec<u8>> {
        let mut paths = files(&folder.path(name));
        paths.sort();
        paths.iter().map(|path| fs::read(path).unwrap()).collect()
    };
    folder.output("study small.toml --out run --tensorboard its-logs --quiet");
    // Opening the records is a change of theirs, and their time is that of the events.
    folder.output("export run --tensorboard same-logs --quiet");
    assert!(logged("its-logs") == logged("same-logs") && logged("its-logs").len() == logged("logs").len());
    folder
        .refused("study small.toml --out run --tensorboard its-logs", "--tensorboard: its-logs is not empty");
    folder.refused("study small.toml --out other --tensorboard its-logs", "--force writes into it");
    assert!(!folder.path("other").exists(), "nothing is run before all is known to be writable");

    // Every layer's row of records.jsonl, which is another reading of the same runs, is in the table.
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let records = fs::read_to_string(folder.path("run/records.jsonl")).unwrap();
    let mut compared = 0;
    for record in records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        if record["kind"] == "layer" {
            let row = rows.iter().find(|row| {
                row[0] == *record["network"].as_str().unwrap()
                    && row[1] == *"trial"
                    && row[3].parse().ok() == record["seed"].as_u64()
                    && row[4].parse().ok() == record["step"].as_u64()
                    && row[5].parse().ok() == record["layer"].as_u64()
            });
            let row = row.expect("a row");
            assert_eq!(row[11].parse().ok(), record["log10_delta"].as_f64());
            assert_eq!(row[13].parse().ok(), record["speed"].as_f64());
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared} rows compared");

    for (flag, words) in [
        ("--csv a.csv", "--csv: a.csv is there already; --force writes over it"),
        ("--parquet a.parquet", "is there already"),
        ("--tensorboard logs", "--tensorboard: logs is not empty"),
        ("--csv nowhere/a.csv", "in a folder that does not exist"),
        ("--csv logs", "is a folder"),
        ("--csv b --parquet b", "name the same file"),
        ("", "required"),
    ] {
        folder.refused(&format!("export run {flag}"), words);
    }
    folder
        .refused("export nowhere --csv b.csv", "nowhere is no folder; allowed is the run folder of a study");
    folder.refused("export logs --csv b.csv", "logs has no records.jsonl");
    assert!(!folder.path("b.csv").exists());
    fs::create_dir(folder.path("strange")).unwrap();
    folder.write("strange/records.jsonl", "{}\n");
    folder.refused("export strange --csv b.csv", "line 1");
    folder.output("export run --csv a.csv --tensorboard logs --force --quiet");
    assert_eq!(fs::read_to_string(folder.path("a.csv")).unwrap(), csv);
}

#[test]
fn weights_start_where_they_were_saved() {
    let folder = Folder::new();
    folder.write("a.toml", SPIRALS);
    let first = folder.output("train a.toml --save end.safetensors --json");
    // A step of 1e-30 moves nothing: what is loaded is what is saved again.
    folder.write(
        "still.toml",
        SPIRALS.replace("rate = 0.01", "rate = 1e-30").replace("steps = 400", "steps = 1"),
    );
    let args =
        "train still.toml --load end.safetensors --save again.safetensors --save-gradients g.safetensors";
    let second = folder.output(&format!("{args} --tensorboard logs --json"));
    let read = |name| fs::read(folder.path(name)).unwrap();
    assert_eq!(read("end.safetensors"), read("again.safetensors"));
    assert_ne!(read("g.safetensors"), read("end.safetensors"));
    assert_eq!(files(&folder.path("logs")).len(), 1);
    let accuracy = |text: &str| serde_json::from_str::<Value>(text).unwrap()["accuracy"].clone();
    assert_eq!(accuracy(&first), accuracy(&second));

    folder.refused(args, "--save: again.safetensors is there already");
    folder.write("wide.toml", SPIRALS.replace("width = 16", "width = 15"));
    folder.refused(
        "train wide.toml --load end.safetensors",
        "`hidden.1.weight` has the shape [16, 2]; the network's is [15, 2]",
    );
    folder.refused("train a.toml --load a.toml", "is no safetensors file");
    folder.refused("train a.toml --load g.safetensors", "`batch.input` is no tensor of the network");
    folder.refused("train a.toml --save b --save-gradients b", "name the same file");
    assert_eq!(folder.run("train a.toml --load nowhere").status.code(), Some(3));
}

#[test]
fn the_help_text_fits_a_screen_and_shells_and_man_know_the_command() {
    let folder = Folder::new();
    let help = folder.output("--help");
    assert!(help.lines().count() <= 40, "{help}");
    assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    assert!(help.contains("Examples:"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(folder.output(&format!("completions {shell}")).contains("tensorboard"), "{shell}");
    }
    folder.output("man pages");
    for page in ["isobath.1", "isobath-study.1", "isobath-export.1"] {
        assert!(fs::read_to_string(folder.path("pages").join(page)).unwrap().starts_with(".ie"), "{page}");
    }
}

#[test]
fn misspelt_names_are_met_with_the_nearest_one() {
    let folder = Folder::new();
    folder.write("a.toml", SPIRALS.replace("\"tanh\"", "\"tnah\""));
    folder.write("b.toml", SPIRALS.replace("\"xavier\"", "\"xaver\""));
    folder.write("c.toml", SPIRALS.replace("\"two-spirals\"", "\"spirls\""));
    for (arguments, name) in [
        ("probe --activation reul", "relu"),
        ("theory --init lecunn", "lecun"),
        ("study remedy", "remedies"),
        ("train a.toml", "tanh"),
        ("train b.toml", "xavier"),
        ("train c.toml", "spirals"),
        ("probe --level scaler", "scalar"),
    ] {
        folder.refused(arguments, &format!("did you mean `{name}`?"));
    }
}
