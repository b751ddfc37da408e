//! A study that is run from outside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The small study with so many steps that it takes about a second.
pub(crate) fn write_study(folder: &Path, steps: usize) -> PathBuf {
    let small = include_str!("../small.toml");
    assert!(small.contains("steps = 12\n"));
    let path = folder.join("small.toml");
    fs::write(&path, small.replace("steps = 12\n", &format!("steps = {steps}\n"))).unwrap();
    path
}

/// The command that runs a study; two threads, so that there is always more than one run under way.
pub(crate) fn command(file: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobath"));
    command.arg("study").arg(file).arg("--out").arg(out).args(["--threads", "2"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A study that goes on in the background.
pub(crate) fn start(file: &Path, out: &Path) -> Child {
    command(file, out).spawn().unwrap()
}

/// A study to its end.
pub(crate) fn run(file: &Path, out: &Path) -> Output {
    command(file, out).output().unwrap()
}
