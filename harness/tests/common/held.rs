//! What the process holds after a study: of memory, every byte and block that was asked for and not given back. The allocator counts,
//! so a program with these tests has no other tests that run beside them.

use std::alloc::System;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use isobath::study::StudyError;
use isobath::study::plan::StudyPlan;
use isobath::study::trial::{Options, Progress, run};
use isobath_kernels::Level;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A study of about a tenth of a second.
pub(crate) const SMALL: &str = include_str!("../small.toml");

/// Studies after which the process holds what it holds for good: tables that are made once, buffers of the runner's.
pub(crate) const WARM: usize = 3;

/// What is held, but for memory that was mapped past the allocator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Held {
    /// Bytes that were allocated and not freed.
    pub(crate) bytes: usize,
    /// Blocks of them.
    pub(crate) blocks: usize,
    /// Open file descriptors.
    pub(crate) descriptors: usize,
}

impl Held {
    /// Once the threads of the last study have ended, which nothing waits for.
    pub(crate) fn now() -> Self {
        let threads = || fs::read_dir("/proc/self/task").unwrap().count();
        let begun = Instant::now();
        // The test runner's and the test's own.
        while threads() > 2 {
            assert!(begun.elapsed() < Duration::from_secs(60), "{} threads go on", threads());
            thread::sleep(Duration::from_millis(1));
        }
        // The folder that is read is itself open.
        let descriptors = fs::read_dir("/proc/self/fd").unwrap().count() - 1;
        let stats = INSTRUMENTED_SYSTEM.stats();
        Self {
            bytes: stats.bytes_allocated - stats.bytes_deallocated,
            blocks: stats.allocations - stats.deallocations,
            descriptors,
        }
    }
}

struct Silent;

impl Progress for Silent {
    fn advance(&self, _: u64, _: u64, _: &str) {}
}

/// Runs a study in `folder`, on two threads, unless it is told to stop at once, and returns its hash.
pub(crate) fn study(text: &str, folder: &Path, stop: bool) -> Result<String, StudyError> {
    let plan = StudyPlan::parse("small.toml", text, None, false)?;
    let options =
        Options { folder: folder.to_owned(), seed: 1, level: Level::detect(), threads: 2, force: true };
    Ok(run(&plan, &options, &AtomicBool::new(stop), &Silent)?.summary.hash)
}
