//! Disks that are full, read-only, in use or taken away: a clear error, exit code 3, and nothing lost that was kept.
#![cfg(unix)]

#[path = "common/ended.rs"]
mod ended;
#[path = "common/kept.rs"]
mod kept;
#[path = "common/running.rs"]
mod running;
#[path = "common/timeless.rs"]
mod timeless;

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ended::assert_ended;
use kept::{assert_finished, runs_kept, wait_for_a_run};
use running::{command, run, start, write_study};
use serde_json::Value;
use tempfile::TempDir;
use timeless::timeless_summary;

/// The small study with its results.
fn small(folder: &Path) -> (std::path::PathBuf, Value) {
    let file = write_study(folder, 12);
    let undisturbed = folder.join("undisturbed");
    assert_ended(&run(&file, &undisturbed), 0, &[]);
    (file, timeless_summary(&undisturbed))
}

/// A study that may write files of so many KiB only: the write beyond is short, the next one fails, as on a full disk.
fn run_limited(file: &Path, out: &Path, kib: u64) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\"");
    let study = command(file, out);
    let mut limited = Command::new("bash");
    limited.args(["-c", &script, "bash"]).arg(study.get_program()).args(study.get_args());
    limited.output().unwrap()
}

#[test]
fn a_full_disk_is_an_error_and_what_was_kept_is_not_lost() {
    let folder = TempDir::new().unwrap();
    let (file, expected) = small(folder.path());
    let size = fs::metadata(folder.path().join("undisturbed/records.jsonl")).unwrap().len() / 1024;
    assert!(size > 8, "too small to fill a disk");
    // The header does not fit; some runs do; all do but the page.
    for kib in [0, 1, size / 2, size - 1, size + 1] {
        let out = folder.path().join(format!("full{kib}"));
        assert_ended(&run_limited(&file, &out, kib), 3, &["cannot write", &out.display().to_string()]);
        let text = fs::read(out.join("records.jsonl")).unwrap();
        assert!(text.is_empty() || text.ends_with(b"\n"), "half a line is left at {kib} KiB");
        assert!(!out.join("summary.json").exists());
        let mut names: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        // It is written where there is room.
        names.retain(|name| name != "outline.json");
        assert_eq!(names, ["records.jsonl"], "at {kib} KiB");
        // Twice in a row does no harm, and with more space it goes on.
        let kept = runs_kept(&out);
        assert_ended(&run_limited(&file, &out, kib), 3, &["cannot write"]);
        assert!(runs_kept(&out) >= kept);
        assert_ended(&run(&file, &out), 0, &[]);
        assert_finished(&out, &expected);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_an_error_and_stays_a_device() {
    let folder = TempDir::new().unwrap();
    let (file, expected) = small(folder.path());
    let out = folder.path().join("out");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let printed = command(&file, &out).stdout(full).output().unwrap();
    assert_ended(&printed, 3, &["cannot print"]);
    assert_finished(&out, &expected);

    let link = folder.path().join("map");
    symlink("/dev/full", &link).unwrap();
    let map = Command::new(env!("CARGO_BIN_EXE_isobath")).arg("theory").arg("--map").arg(&link).output();
    assert_ended(&map.unwrap(), 3, &["--map", "cannot write"]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "what is no file was replaced by one");
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    let folder = TempDir::new().unwrap();
    let (file, _) = small(folder.path());
    // Below a file, and where the records should be there is a folder: neither asks for permissions.
    let in_the_way = folder.path().join("file");
    fs::write(&in_the_way, "a file").unwrap();
    assert_ended(&run(&file, &in_the_way.join("out")), 3, &["cannot create"]);
    assert_eq!(fs::read(&in_the_way).unwrap(), b"a file");
    let strange = folder.path().join("strange");
    fs::create_dir_all(strange.join("records.jsonl")).unwrap();
    assert_ended(&run(&file, &strange), 3, &["cannot open", "records.jsonl"]);

    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    for (out, words) in [(closed.clone(), "cannot open"), (closed.join("below"), "cannot create")] {
        assert_ended(&run_with_permissions(&file, &out), 3, &[words]);
    }
    // It is the permissions that were in the way.
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    assert_ended(&run_with_permissions(&file, &closed), 0, &[]);
}

/// A study for which permissions hold: the superuser, who may write everywhere, has to give that right up first.
fn run_with_permissions(file: &Path, out: &Path) -> Output {
    let study = command(file, out);
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let mut bound = if File::create(folder.path().join("probe")).is_ok() {
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--bounding-set", "-dac_override", "--inh-caps", "-dac_override"]);
        setpriv.arg(study.get_program());
        setpriv
    } else {
        Command::new(study.get_program())
    };
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    bound.args(study.get_args()).output().expect("setpriv, of util-linux, where the tests run as root")
}

/// A pipe where the records should be would be waited for, and a link leads to what is not the study's.
#[test]
fn what_is_no_file_is_neither_waited_for_nor_written_through() {
    let folder = TempDir::new().unwrap();
    let (file, expected) = small(folder.path());
    let precious = folder.path().join("precious");
    for name in ["pipe", "link"] {
        fs::write(&precious, "of someone else").unwrap();
        for left in ["records.jsonl", "summary.json", ".report.html.new", ".summary.json.new"] {
            let out = folder.path().join(name).join(left);
            fs::create_dir_all(&out).unwrap();
            if left == "summary.json" {
                let records = folder.path().join("undisturbed/records.jsonl");
                fs::copy(records, out.join("records.jsonl")).unwrap();
            }
            let path = out.join(left);
            if name == "link" {
                symlink(&precious, &path).unwrap();
            } else {
                assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            }
            if left.starts_with('.') {
                assert_ended(&run(&file, &out), 0, &[]);
                assert_finished(&out, &expected);
            } else {
                assert_ended(&run(&file, &out), 3, &[left, "it is no file"]);
            }
            if left == "records.jsonl" {
                let forced = command(&file, &out).arg("--force").output().unwrap();
                assert_ended(&forced, 3, &[left, "it is no file"]);
                let exported = Command::new(env!("CARGO_BIN_EXE_isobath")).arg("diagnose").arg(&out).output();
                assert_ended(&exported.unwrap(), 3, &[left, "it is no file"]);
            }
            assert_eq!(fs::read_to_string(&precious).unwrap(), "of someone else", "{name} {left}");
        }
    }
}

/// Long enough to be looked at while it runs.
const LONG: usize = 1500;

#[test]
fn a_folder_in_use_is_refused_and_the_run_in_it_is_not_disturbed() {
    let folder = TempDir::new().unwrap();
    let file = write_study(folder.path(), LONG);
    let undisturbed = folder.path().join("undisturbed");
    assert_ended(&run(&file, &undisturbed), 0, &[]);
    let out = folder.path().join("out");
    let mut first = start(&file, &out);
    wait_for_a_run(&mut first, &out);
    assert_ended(&run(&file, &out), 3, &["is in use by another run", "--out"]);
    let forced = command(&file, &out).arg("--force").output().unwrap();
    assert_ended(&forced, 3, &["is in use by another run", "--out"]);
    assert!(first.try_wait().unwrap().is_none(), "the first run was to be still under way");
    assert_ended(&first.wait_with_output().unwrap(), 0, &[]);
    assert_finished(&out, &timeless_summary(&undisturbed));
    // The lock is gone with the run.
    assert_ended(&run(&file, &out), 0, &[]);
}

#[test]
fn a_folder_that_is_removed_is_an_error_at_the_next_run() {
    let folder = TempDir::new().unwrap();
    let file = write_study(folder.path(), LONG);
    let out = folder.path().join("out");
    let mut study = command(&file, &out).stdout(Stdio::null()).spawn().unwrap();
    wait_for_a_run(&mut study, &out);
    fs::remove_dir_all(&out).unwrap();
    assert_ended(&study.wait_with_output().unwrap(), 3, &["records.jsonl", "removed while the study runs"]);
    assert!(!out.exists());
}
