//! Every subject of `bench` honours the flags that all commands share: `--json` gives one object with the fields listed
//! here, `--quiet` no progress, tables fit 80 columns, and a flag that there is not is refused. Sizes are tiny, and nothing
//! is asked of a time.

#[path = "common/program.rs"]
mod program;

use program::isobath;
use serde_json::Value;

/// A subject: a small run of it, and fields of its object. A `*` stands for every entry of a list, of which there is one.
struct Subject {
    line: &'static str,
    fields: &'static [&'static str],
}

const SUBJECTS: [Subject; 4] = [
    Subject {
        line: "bench gemm --shapes 8,8,8 1,16,8,NT",
        fields: &[
            "threads",
            "limits peak_gflops",
            "limits fma_latency_ns",
            "limits lanes",
            "limits read_16_kib_gb_s",
            "limits read_512_kib_gb_s",
            "limits read_64_mib_gb_s",
            "products * m",
            "products * n",
            "products * k",
            "products * transpose_a",
            "products * transpose_b",
            "products * hot_gflops",
            "products * hot_median_gflops",
            "products * rotating_gflops",
            "products * peak_gflops",
            "products * read_gb_s",
            "products * hot_percent",
            "products * rotating_percent",
            "products * limit_percent",
        ],
    },
    Subject {
        line: "bench elementwise --kernels sum",
        fields: &[
            "kernels * kernel",
            "kernels * form",
            "kernels * arrays",
            "kernels * reads",
            "kernels * writes",
            "kernels * bytes_per_element",
            "kernels * loop",
            "kernels * memories * memory",
            "kernels * memories * bytes",
            "kernels * memories * elements",
            "kernels * memories * ns_per_element",
            "kernels * memories * gb_s",
            "kernels * memories * loop_gb_s",
            "kernels * memories * percent",
        ],
    },
    Subject {
        line: "bench probes --depth 2 --width 4 --batch 2",
        fields: &[
            "networks * depth",
            "networks * width",
            "networks * batch",
            "networks * activation",
            "networks * step_microseconds median",
            "networks * step_microseconds low",
            "networks * step_microseconds high",
            "networks * probes * probe",
            "networks * probes * what",
            "networks * probes * microseconds median",
            "networks * probes * percent median",
            "networks * probes * pairs",
        ],
    },
    Subject {
        line: "bench train --depth 2 --width 4 --batch 2 --norm batch --norms --checkpoints 1",
        fields: &[
            "threads",
            "networks * depth",
            "networks * width",
            "networks * batch",
            "networks * activation",
            "networks * batch_norm",
            "networks * norms",
            "networks * checkpoints",
            "networks * step_milliseconds median",
            "networks * step_milliseconds low",
            "networks * step_milliseconds high",
            "networks * best_milliseconds",
            "networks * samples_per_second",
            "networks * gflops",
            "networks * peak_gflops",
            "networks * peak_percent",
            "networks * phases products",
            "networks * phases activations",
            "networks * phases normalisations",
            "networks * phases skips",
            "networks * phases optimizer",
            "networks * phases recomputation",
            "networks * phases rest",
            "networks * parameters",
            "networks * arena_bytes",
        ],
    },
];

/// The words of a subject's line, in the least time, and more flags.
fn words<'a>(subject: &Subject, more: &[&'a str]) -> Vec<&'a str> {
    let line = subject.line.split(' ').chain(["--seconds", "0.001"]);
    line.chain(more.iter().copied()).collect()
}

/// Whether a value has a field, and a figure in it.
fn has(value: &Value, field: &[&str]) -> bool {
    match field {
        [] => !value.is_null(),
        ["*", rest @ ..] => {
            let list = value.as_array();
            list.is_some_and(|list| !list.is_empty() && list.iter().all(|value| has(value, rest)))
        }
        [name, rest @ ..] => value.get(name).is_some_and(|value| has(value, rest)),
    }
}

#[test]
fn json_is_one_object_with_every_field() {
    for subject in SUBJECTS {
        let output = isobath(&words(&subject, &["--json"]));
        assert!(output.status.success(), "{}: {}", subject.line, String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().count(), 1, "{}: {text}", subject.line);
        let object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object["schema_version"], 1, "{}", subject.line);
        for field in ["cpu", "level"].iter().chain(subject.fields) {
            let parts: Vec<&str> = field.split(' ').collect();
            assert!(has(&object, &parts), "{}: no `{field}` in {text}", subject.line);
        }
    }
}

#[test]
fn tables_fit_80_columns() {
    for subject in SUBJECTS {
        let output = isobath(&words(&subject, &[]));
        assert!(output.status.success(), "{}: {}", subject.line, String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.lines().count() > 4, "{}: {text}", subject.line);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", subject.line);
        }
    }
}

#[test]
fn flags_that_there_are_not_exit_with_2() {
    for subject in SUBJECTS {
        for (flag, word) in [("--secnods", "'--seconds'"), ("--loud", "'--loud'"), ("-x", "'-x'")] {
            let output = isobath(&words(&subject, &[flag]));
            let message = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{} {flag}: {message}", subject.line);
            assert!(output.stdout.is_empty() && message.contains(word), "{} {flag}: {message}", subject.line);
        }
    }
    let output = isobath(&["bench", "gem"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("'gemm'"));
}

/// What is written to standard error where that is a terminal: `script` of util-linux, which every Debian has, lends one.
#[cfg(target_os = "linux")]
fn shown_on_a_terminal(words: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("table");
    let program = env!("CARGO_BIN_EXE_isobath");
    let line = format!("'{program}' {} > '{}'", words.join(" "), table.display());
    let mut script = std::process::Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("TERM", "xterm");
    let output = script.stdin(std::process::Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stdout));
    assert!(!std::fs::read(&table).unwrap().is_empty(), "{line}");
    output.stdout
}

#[cfg(target_os = "linux")]
#[test]
fn quiet_prints_no_progress_on_a_terminal() {
    for subject in SUBJECTS {
        for format in [&["--quiet"][..], &["--quiet", "--json"]] {
            let shown = shown_on_a_terminal(&words(&subject, format));
            assert!(shown.is_empty(), "{} {format:?}: {}", subject.line, String::from_utf8_lossy(&shown));
        }
        // And there is progress to be quiet about.
        assert!(!shown_on_a_terminal(&words(&subject, &[])).is_empty(), "{}", subject.line);
    }
}
