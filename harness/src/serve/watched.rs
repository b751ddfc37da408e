//! What is known of one run, looked at anew where its files have changed.

use std::fs;
use std::io;
use std::time::UNIX_EPOCH;

use super::runs::{Run, is_file};
use crate::hash::Hash;
use crate::study::follow::Followed;
use crate::study::outline::{self, Outline};
use crate::study::summary::Summary;

/// How far a study is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Finished,
    Running,
    /// Not finished, and nobody is known to run it.
    Stopped,
}

/// What the index and the head of a page say of a run.
#[derive(Clone, Debug)]
pub(super) struct Status {
    pub(super) state: State,
    pub(super) title: String,
    /// Finished runs of the study.
    pub(super) done: usize,
    /// All that it will have; none where nothing says so.
    pub(super) total: Option<usize>,
    /// Why it cannot be shown.
    pub(super) problem: Option<String>,
}

/// A run with what was read of it.
#[derive(Debug, Default)]
pub(super) struct Watched {
    version: String,
    followed: Followed,
    status: Option<Status>,
    summary: Option<Summary>,
    /// The page's content, as it was made last.
    pub(super) content: Option<String>,
}

/// Differs whenever a run's files do, or whether it is running.
pub(super) fn version(run: &Run) -> String {
    let mut hash = Hash::new();
    for name in ["records.jsonl", outline::FILE, "summary.json"] {
        let found = fs::symlink_metadata(run.folder.join(name)).ok();
        let time = found.as_ref().and_then(|found| found.modified().ok()?.duration_since(UNIX_EPOCH).ok());
        hash.u64(found.map_or(u64::MAX, |found| found.len()));
        hash.u64(time.map_or(0, |time| time.as_nanos() as u64));
    }
    hash.u64(u64::from(is_locked(run)));
    format!("{:016x}", hash.finish())
}

/// Whether somebody holds the lock of the records, where the system says so without our taking it: Linux, by the number of
/// the file.
fn is_locked(run: &Run) -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        let Ok(found) = fs::symlink_metadata(run.folder.join("records.jsonl")) else { return false };
        let (locks, number) =
            (fs::read_to_string("/proc/locks").unwrap_or_default(), found.ino().to_string());
        locks.lines().filter(|line| line.contains("FLOCK") && line.contains("WRITE")).any(|line| {
            line.split_whitespace()
                .filter_map(|field| field.rsplit_once(':'))
                .any(|(_, inode)| inode == number)
        })
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = run;
        false
    }
}

impl Watched {
    /// Looks at the run; returns its version, and says how far it is.
    pub(super) fn look(&mut self, run: &Run) -> (String, Status) {
        let version = version(run);
        if let (true, Some(status)) = (version == self.version, &self.status) {
            return (version, status.clone());
        }
        self.content = None;
        let status = self.read(run).unwrap_or_else(|error| {
            (self.summary, self.followed) = (None, Followed::default());
            let problem = Some(error.to_string());
            Status { state: State::Stopped, title: String::new(), done: 0, total: None, problem }
        });
        self.status = Some(status.clone());
        self.version.clone_from(&version);
        (version, status)
    }

    /// What there is to report.
    pub(super) fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    fn read(&mut self, run: &Run) -> io::Result<Status> {
        let file = |name: &str| Some(run.folder.join(name)).filter(|path| is_file(path));
        let outline: Option<Outline> = match file(outline::FILE) {
            Some(path) => serde_json::from_slice(&fs::read(path)?).ok(),
            None => None,
        };
        let records = run.folder.join("records.jsonl");
        // What was cut off and written again may end a line elsewhere: then all is read again.
        if self.followed.read_on(&records).is_err() {
            self.followed = Followed::default();
            self.followed.read_on(&records)?;
        }
        let done = self.followed.finished.len();
        let total = outline.as_ref().map(|outline| outline.runs);
        if let Some(path) = file("summary.json") {
            let summary: Summary = serde_json::from_slice(&fs::read(path)?)?;
            let title = summary.title.clone();
            self.summary = Some(summary);
            return Ok(Status { state: State::Finished, title, done, total, problem: None });
        }
        self.summary = outline.as_ref().map(|outline| outline.so_far(&self.followed.finished));
        let title = match (&outline, &self.followed.header) {
            (Some(outline), _) => outline.summary.title.clone(),
            (None, Some(header)) => format!("{}, seed {}", header.study, header.seed),
            (None, None) => String::new(),
        };
        let state = if is_locked(run) { State::Running } else { State::Stopped };
        Ok(Status { state, title, done, total, problem: None })
    }
}
