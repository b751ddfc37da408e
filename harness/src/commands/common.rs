//! What the commands share: flags, failures, output that survives a closed pipe.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use isobath_kernels::Level;
use serde::Serialize;

use crate::suggest::did_you_mean;
use crate::threads::Workers;

/// Exit code for input that cannot be used.
pub(super) const BAD_INPUT: u8 = 2;
/// Exit code for input/output and memory.
pub(super) const INPUT_OUTPUT: u8 = 3;

/// Why a command failed, and the exit code that says so.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: u8,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn bad_input(message: impl Into<String>) -> Self {
        Self { code: BAD_INPUT, message: message.into() }
    }
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
pub(super) struct Common {
    /// What everything random follows from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Threads; all cores by default. Results do not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Instruction set: scalar, portable, neon, avx2, avx512; the fastest by default. Results do not depend on it
    #[arg(long, value_name = "NAME")]
    level: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(super) json: bool,
    /// No progress
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl Common {
    /// The level asked for, or the fastest.
    pub(super) fn level(&self) -> Result<Level, Failure> {
        let Some(name) = &self.level else { return Ok(Level::detect()) };
        Level::from_name(name).ok_or_else(|| {
            let here: Vec<&str> = Level::available().map(Level::name).collect();
            Failure::bad_input(format!(
                "--level: this machine has no level `{name}`; it has {}{}",
                here.join(", "),
                did_you_mean(name, here.iter().copied())
            ))
        })
    }

    /// The number of threads asked for, or of cores.
    pub(super) fn threads(&self) -> Result<usize, Failure> {
        self.threads_or(std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The number of threads asked for, or `default`.
    pub(super) fn threads_or(&self, default: usize) -> Result<usize, Failure> {
        match self.threads {
            None => Ok(default),
            Some(0) => Err(Failure::bad_input("--threads is 0; it must be 1 to 1024")),
            Some(threads) if threads > 1024 => {
                Err(Failure::bad_input(format!("--threads is {threads}; it must be 1 to 1024")))
            }
            Some(threads) => Ok(threads),
        }
    }
}

impl Common {
    /// A pool of as many threads as were asked for.
    pub(super) fn pool(&self) -> Result<rayon::ThreadPool, Failure> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads()?).build();
        pool.map_err(|error| Failure {
            code: INPUT_OUTPUT,
            message: format!("cannot start threads: {error}"),
        })
    }
}

/// So many threads, with this one, for the work of one network.
pub(super) fn workers(threads: usize) -> Result<Workers, Failure> {
    Workers::new(threads)
        .map_err(|error| Failure { code: INPUT_OUTPUT, message: format!("cannot start threads: {error}") })
}

/// A bar on standard error, of `length` steps; hidden where nobody would see it.
pub(super) fn bar(quiet: bool, length: u64, template: &str) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// Prints to standard output. A reader that has gone away (`| head`) is no failure.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure { code: INPUT_OUTPUT, message: format!("cannot print: {error}") })
        }
        _ => Ok(()),
    }
}

/// Prints one JSON object on a line of its own.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string(value);
    let json = json.map_err(|error| Failure { code: INPUT_OUTPUT, message: error.to_string() })?;
    print(&format!("{json}\n"))
}

/// Writes a file as a whole or not at all; `what` names it in errors. What is no file, as `/dev/stdout`, is written as it is.
pub(super) fn write_whole(what: &str, path: &Path, content: impl AsRef<[u8]>) -> Result<(), Failure> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return fs::write(path, content).map_err(|error| Failure {
            code: INPUT_OUTPUT,
            message: format!("{what}: cannot write {}: {error}", path.display()),
        });
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let written = fs::write(&temporary, content).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // Nothing half-written stays behind; if even that fails, the first error says more.
        let _ = fs::remove_file(&temporary);
        Failure { code: INPUT_OUTPUT, message: format!("{what}: cannot write {}: {error}", path.display()) }
    })
}

/// Refuses, before anything is run, a file that is there already, unless `force`, or that has no folder to be in.
pub(super) fn check_new(what: &str, path: &Path, force: bool) -> Result<(), Failure> {
    let found = match fs::metadata(path) {
        Ok(found) if found.is_dir() => "is a folder; allowed is a file",
        Ok(found) if found.is_file() && !force => "is there already; --force writes over it",
        Ok(_) => return Ok(()),
        Err(_) => match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
                "is in a folder that does not exist"
            }
            _ => return Ok(()),
        },
    };
    Err(Failure::bad_input(format!("{what}: {} {found}", path.display())))
}

/// Refuses what is no run folder of a study.
pub(super) fn check_run_folder(folder: &Path) -> Result<(), Failure> {
    if folder.join("records.jsonl").is_file() {
        return Ok(());
    }
    let found = if folder.is_dir() { "has no records.jsonl" } else { "is no folder" };
    Err(Failure::bad_input(format!(
        "{} {found}; allowed is the run folder of a study, such as runs/remedies-1",
        folder.display()
    )))
}

/// A flag that Ctrl-C and a request to terminate raise; the second one ends the program at once. One for the whole program,
/// however many studies it runs.
pub(super) fn stop_flag() -> &'static AtomicBool {
    static STOP: AtomicBool = AtomicBool::new(false);
    static HANDLER: Once = Once::new();
    let handler = || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    HANDLER.call_once(|| {
        // Without a handler Ctrl-C still ends the program, and finished runs are kept all the same.
        let _ = ctrlc::set_handler(handler);
    });
    &STOP
}
