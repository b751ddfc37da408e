//! The run folders below a folder, by a search that follows no link: folders with a `records.jsonl`.
//!
//! A run is known by its path below the folder, its parts joined by `/`, empty for the folder itself. Names that are not
//! UTF-8 or begin with a dot are passed over. The search ends at a depth and at a number of entries, so that a wrong
//! folder costs little.

use std::fs;
use std::path::{Path, PathBuf};

const DEPTH: usize = 6;
const ENTRIES: usize = 20_000;

/// A run folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Its path below the folder that is served.
    pub(super) name: String,
    /// Where it is.
    pub(super) folder: PathBuf,
}

/// Whether there is such a file, and no link to one.
pub(super) fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

/// All runs, in the order of their names.
pub(super) fn find(root: &Path) -> Vec<Run> {
    let mut found = Vec::new();
    let mut left = ENTRIES;
    let mut folders = vec![(String::new(), root.to_owned(), 0)];
    while let Some((name, folder, depth)) = folders.pop() {
        if is_file(&folder.join("records.jsonl")) {
            found.push(Run { name, folder });
            continue;
        }
        let Ok(entries) = folder.read_dir() else { continue };
        for entry in entries.flatten() {
            left = left.saturating_sub(1);
            let own = entry.file_name();
            let Some(own) = own.to_str().filter(|own| !own.starts_with('.')) else { continue };
            if left > 0 && depth < DEPTH && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let name = if name.is_empty() { own.to_owned() } else { format!("{name}/{own}") };
                folders.push((name, entry.path(), depth + 1));
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}
