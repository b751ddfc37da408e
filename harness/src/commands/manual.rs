//! `isobath completions` and `isobath man`: what shells and `man` know of the command, from the definition of its flags.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use super::common::{Failure, INPUT_OUTPUT, print};

/// Flags of `isobath completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  isobath completions bash > ~/.local/share/bash-completion/completions/isobath\n  \
                        isobath completions fish > ~/.config/fish/completions/isobath.fish"
)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// Flags of `isobath man`.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The folder; it is made where it is missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints the script.
pub(super) fn completions(arguments: &Completions, command: &mut Command) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, command, "isobath", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes `isobath.1` and a page for each command.
pub(super) fn man(arguments: &Man, command: Command) -> Result<ExitCode, Failure> {
    let folder = &arguments.folder;
    let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
    written.map_err(|error| Failure {
        code: INPUT_OUTPUT,
        message: format!("cannot write manual pages into {}: {error}", folder.display()),
    })?;
    Ok(ExitCode::SUCCESS)
}
