//! The command.

use std::process::{Command, Output};

/// Runs it to its end.
pub(crate) fn isobath(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isobath")).args(arguments).output().unwrap()
}
