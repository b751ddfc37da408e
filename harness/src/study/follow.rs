//! Reads a run folder while the study that writes to it goes on, without a lock and without writing.
//!
//! Each call reads only what was appended since the last one. A line that is not whole yet is left for the next call;
//! records that became shorter than what was read belong to a study that was started again, and are read from the start.
//! Cost: one pass over new bytes; a study's finished runs are kept in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use super::store::{Header, Record, RunId};
use crate::train::Trained;

/// What was read of a study's records.
///
/// ```
/// use isobath::study::follow::Followed;
///
/// # let folder = std::env::temp_dir().join(format!("isobath-followed-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # study(&folder)?;
/// // `folder` is that of a study, which may still be running.
/// let mut followed = Followed::default();
/// followed.read_on(&folder.join("records.jsonl"))?;
/// assert_eq!(followed.header.as_ref().map(|header| header.study.as_str()), Some("smallest"));
/// let finished = followed.finished.len();
/// // Nothing has been added since.
/// followed.read_on(&folder.join("records.jsonl"))?;
/// assert_eq!(followed.finished.len(), finished);
/// assert!(followed.read_on(&folder.join("no.jsonl")).is_err());
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Followed {
    position: u64,
    /// Whose records they are; none before the first line.
    pub header: Option<Header>,
    /// The finished runs.
    pub finished: BTreeMap<RunId, Trained>,
}

impl Followed {
    /// Reads on in `records.jsonl`.
    ///
    /// # Errors
    /// It cannot be read, or is no study's.
    pub fn read_on(&mut self, records: &Path) -> io::Result<()> {
        let mut file = File::open(records)?;
        if file.metadata()?.len() < self.position {
            *self = Self::default();
        }
        file.seek(SeekFrom::Start(self.position))?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line)?;
            if line.last() != Some(&b'\n') {
                return Ok(());
            }
            match serde_json::from_slice(&line)? {
                Record::Header(header) => self.header = Some(header),
                _ if self.header.is_none() => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "there is no header"));
                }
                Record::Layer(_) => {}
                Record::Run { id, result } => {
                    self.finished.insert(id, *result);
                }
            }
            self.position += read as u64;
        }
    }
}
