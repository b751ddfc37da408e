//! The folder in which readers of files find what the fuzzer has written: one per process, in memory where the system has such a place.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock};

use tempfile::TempDir;

/// The folder, for one input at a time.
pub(crate) fn folder() -> MutexGuard<'static, PathBuf> {
    static FOLDER: OnceLock<(TempDir, Mutex<PathBuf>)> = OnceLock::new();
    let (_, path) = FOLDER.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        let folder = folder.expect("a temporary folder can be made");
        let path = folder.path().to_owned();
        (folder, Mutex::new(path))
    });
    path.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
