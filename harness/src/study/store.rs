//! A study's folder: `records.jsonl`, `summary.json`, `report.html`.
//!
//! `records.jsonl` begins with a header that says whose records these are. A finished run then appends one row per
//! recorded step and layer and, last, one row with its result: a run counts only if that row is whole. What a kill left
//! after the last whole run is cut off before the study goes on, and what a full disk left at once. The other files are
//! written under another name and renamed, so that they are either old or new.
//!
//! `outline.json` says what is going to run, see [`outline`]; nothing but watching needs it.
//!
//! `records.jsonl` is locked while the study runs, so that no two write to it; the system drops the lock however the run ends.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::summary::Summary;
use super::{StudyError, outline};
use crate::train::Trained;

/// Which run of a study.
///
/// ```
/// use isobath::study::store::{Phase, RunId};
///
/// let id = RunId { network: "deep/untreated".to_owned(), phase: Phase::Trial, setting: 1, seed: 0 };
/// let text = r#"{"network":"deep/untreated","phase":"trial","setting":1,"seed":0}"#;
/// assert_eq!(serde_json::to_string(&id)?, text);
/// // Runs of one network follow each other: tuning, then the trial.
/// assert!(RunId { phase: Phase::Tuning, seed: 9, ..id.clone() } < id);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId {
    /// Group and row, `vanishing/untreated`; `linear softmax` for the reference.
    pub network: String,
    /// `tuning` or `trial`.
    pub phase: Phase,
    /// Index of the setting in the grid.
    pub setting: usize,
    /// Index of the seed within its phase.
    pub seed: usize,
}

/// The two halves of a fair trial.
///
/// ```
/// use isobath::study::store::{Phase, runs};
///
/// # let folder = std::env::temp_dir().join(format!("isobath-phase-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # study(&folder)?;
/// // `folder` is that of a study with two networks, two settings and two seeds.
/// let runs = runs(&folder)?;
/// let untreated = runs.iter().map(|(id, _)| id).filter(|id| id.network == "deep/untreated");
/// let (tuning, trial): (Vec<_>, Vec<_>) = untreated.partition(|id| id.phase == Phase::Tuning);
/// assert!(tuning.iter().map(|id| (id.setting, id.seed)).eq([(0, 0), (1, 0)]));
/// // The better of the settings, on every fresh seed.
/// assert!(trial.iter().map(|id| id.seed).eq([0, 1]));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Every setting, on the tuning seed, judged by the validation samples.
    Tuning,
    /// The best setting, on fresh seeds, judged by the test samples.
    Trial,
}

/// A line of `records.jsonl`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum Record {
    Header(Header),
    Layer(LayerRecord),
    Run { id: RunId, result: Box<Trained> },
}

/// Whose records these are.
///
/// ```
/// use isobath::study::store::{Header, Store};
/// use isobath::study::summary::SCHEMA_VERSION;
/// use isobath_kernels::NUMERICS_VERSION;
///
/// let header = Header {
///     schema_version: SCHEMA_VERSION,
///     study: "mine".to_owned(),
///     seed: 1,
///     fingerprint: "00000000000000ab".to_owned(),
///     numerics_version: NUMERICS_VERSION,
///     version: "0.1.0".to_owned(),
///     level: "avx2".to_owned(),
///     cpu: String::new(),
/// };
/// let folder = std::env::temp_dir().join(format!("isobath-header-{}", std::process::id()));
/// drop(Store::open(&folder, &header, false)?);
/// // The same study goes on elsewhere, for no bit depends on the machine; another seed is another study.
/// let elsewhere = Header { level: "neon".to_owned(), ..header.clone() };
/// drop(Store::open(&folder, &elsewhere, false)?);
/// let error = Store::open(&folder, &Header { seed: 2, ..header }, false).unwrap_err();
/// assert!(error.to_string().contains("holds a study with other settings"));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`SCHEMA_VERSION`](super::summary::SCHEMA_VERSION).
    pub schema_version: u32,
    /// The study's name.
    pub study: String,
    /// Its seed.
    pub seed: u64,
    /// Hash of what else determines the results.
    pub fingerprint: String,
    /// Version of the kernels' bits.
    pub numerics_version: u32,
    /// Version of the program that began the study.
    pub version: String,
    /// Instruction set it began on.
    pub level: String,
    /// Processor it began on.
    pub cpu: String,
}

impl Header {
    /// Whether records of the other may stand beside these: all that determines results agrees.
    fn same_study(&self, other: &Self) -> bool {
        self.schema_version == other.schema_version
            && self.study == other.study
            && self.seed == other.seed
            && self.fingerprint == other.fingerprint
            && self.numerics_version == other.numerics_version
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct LayerRecord {
    network: String,
    setting: String,
    seed: usize,
    step: usize,
    layer: usize,
    log10_delta: Option<f64>,
    speed: Option<f64>,
}

/// An open study folder.
///
/// ```
/// use isobath::study::StudyError;
/// use isobath::study::store::{Header, Store};
/// # use isobath::study::store::runs;
///
/// # let folder = std::env::temp_dir().join(format!("isobath-store-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # study(&folder)?;
/// # let found = runs(&folder)?;
/// # let (id, trained) = &found[0];
/// # std::fs::remove_dir_all(&folder)?;
/// let header = Header {
///     schema_version: isobath::study::summary::SCHEMA_VERSION,
///     study: "mine".to_owned(),
///     seed: 1,
///     fingerprint: "00000000000000ab".to_owned(),
///     numerics_version: isobath_kernels::NUMERICS_VERSION,
///     version: "0.1.0".to_owned(),
///     level: "avx2".to_owned(),
///     cpu: String::new(),
/// };
/// let mut store = Store::open(&folder, &header, false)?;
/// assert!(store.finished.is_empty() && store.summary()?.is_none());
/// // `id` and `trained` are a run and its result.
/// store.keep(id, "sgd 0.1", trained)?;
/// let path = store.replace("notes.txt", b"written as a whole or not at all")?;
/// assert_eq!(path, folder.join("notes.txt"));
/// // Nobody else may write as long as it is open; whoever comes then finds the run.
/// let beside = Store::open(&folder, &header, false);
/// assert!(matches!(beside, Err(StudyError::InUse { .. })));
/// drop(store);
/// assert_eq!(Store::open(&folder, &header, false)?.finished.get(id), Some(trained));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    records: File,
    /// Bytes of the records that are whole.
    whole: u64,
    /// Runs that were finished before.
    pub finished: BTreeMap<RunId, Trained>,
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StudyError {
    let path = path.to_owned();
    move |source| StudyError::Io { action, path, source }
}

impl Store {
    /// Opens the folder, or makes it. With `force`, what a study left there is removed first.
    ///
    /// # Errors
    /// The folder holds another study or something that is none, is in use, or cannot be read or written.
    pub fn open(folder: &Path, header: &Header, force: bool) -> Result<Self, StudyError> {
        fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        let path = folder.join("records.jsonl");
        refuse_others(&path).map_err(io_error("open", &path))?;
        if !force && !path.exists() {
            refuse_strangers(folder)?;
        }
        let records = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(&path);
        let records = records.map_err(io_error("open", &path))?;
        match records.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(StudyError::InUse { path: folder.to_owned() }),
            // A file system without locks is no reason not to run.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
            Ok(()) => {}
        }
        if force {
            records.set_len(0).map_err(io_error("truncate", &path))?;
            for name in ["summary.json", "report.html", outline::FILE] {
                match fs::remove_file(folder.join(name)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(io_error("remove", &folder.join(name))(error));
                    }
                    _ => {}
                }
            }
        }
        let mut finished = BTreeMap::new();
        let whole = read(&path, &records, header, &mut finished)?;
        let mut store = Self { folder: folder.to_owned(), records, whole, finished };
        store.cut_off().map_err(io_error("truncate", &path))?;
        if whole == 0 {
            store.append(&[Record::Header(header.clone())])?;
        }
        Ok(store)
    }

    /// Cuts off what lies behind the last whole line, and goes there.
    fn cut_off(&mut self) -> io::Result<()> {
        self.records.set_len(self.whole)?;
        self.records.seek(SeekFrom::Start(self.whole)).map(|_| ())
    }

    fn append(&mut self, lines: &[Record]) -> Result<(), StudyError> {
        let mut text = Vec::new();
        let path = self.folder.join("records.jsonl");
        for line in lines {
            serde_json::to_writer(&mut text, line).map_err(|e| io_error("write", &path)(e.into()))?;
            text.push(b'\n');
        }
        // One write: a kill leaves at most a torn tail, which is cut off when the study goes on.
        if let Err(error) = self.records.write_all(&text) {
            // Other threads may still have a run to keep, which must not follow half a line; where it cannot be cut off
            // either, the disk takes nothing more.
            let _ = self.cut_off();
            return Err(io_error("write", &path)(error));
        }
        self.whole += text.len() as u64;
        // A file without a name takes what is written to it, and is gone when the study ends.
        match path.try_exists() {
            Ok(true) => Ok(()),
            Ok(false) => Err(io_error("keep records in", &path)(io::Error::new(
                io::ErrorKind::NotFound,
                "the file has been removed while the study runs",
            ))),
            Err(error) => Err(io_error("find", &path)(error)),
        }
    }

    /// Keeps a finished run. Layer rows are written for trials only.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn keep(&mut self, id: &RunId, setting: &str, result: &Trained) -> Result<(), StudyError> {
        let mut lines = Vec::new();
        if id.phase == Phase::Trial {
            let course = &result.course;
            for ((step, deltas), speeds) in course.steps.iter().zip(&course.log10_delta).zip(&course.speed) {
                for (l, (log10_delta, speed)) in deltas.iter().zip(speeds).enumerate() {
                    lines.push(Record::Layer(LayerRecord {
                        network: id.network.clone(),
                        setting: setting.to_owned(),
                        seed: id.seed,
                        step: *step,
                        layer: l + 1,
                        log10_delta: *log10_delta,
                        speed: *speed,
                    }));
                }
            }
        }
        lines.push(Record::Run { id: id.clone(), result: Box::new(result.clone()) });
        self.append(&lines)
    }

    /// The summary of a finished study, if there is one.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn summary(&self) -> Result<Option<Summary>, StudyError> {
        let path = self.folder.join("summary.json");
        match refuse_others(&path).and_then(|()| fs::read(&path)) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("read", &path)(error)),
        }
    }

    /// Writes a file of the folder as a whole.
    ///
    /// # Errors
    /// The disk does not take it; the old file is still there then.
    pub fn replace(&self, name: &str, content: &[u8]) -> Result<PathBuf, StudyError> {
        let path = self.folder.join(name);
        let temporary = self.folder.join(format!(".{name}.new"));
        // Left by a kill, or laid there by someone else: a link would be written through.
        let _ = fs::remove_file(&temporary);
        let written = File::create_new(&temporary).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
        if let Err(error) = written.and_then(|()| fs::rename(&temporary, &path)) {
            // Nothing half-written stays behind; if even that fails, the first error says more.
            let _ = fs::remove_file(&temporary);
            return Err(io_error("write", &path)(error));
        }
        Ok(path)
    }
}

/// Reads finished runs and returns how many bytes of the file are whole.
fn read(
    path: &Path,
    file: &File,
    header: &Header,
    finished: &mut BTreeMap<RunId, Trained>,
) -> Result<u64, StudyError> {
    let occupied = |found: &str| StudyError::Occupied { path: path.to_owned(), found: found.to_owned() };
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let (mut position, mut whole) = (0, 0);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).map_err(io_error("read", path))?;
        if read == 0 || line.last() != Some(&b'\n') {
            // The end, or a torn line. A file that is torn before its first line ends may be anything.
            return if whole == 0 && position + read as u64 > 0 {
                Err(occupied("no study of ours"))
            } else {
                Ok(whole)
            };
        }
        let record = serde_json::from_slice::<Record>(&line);
        if position == 0 {
            match &record {
                Ok(Record::Header(found)) if found.same_study(header) => whole = read as u64,
                Ok(Record::Header(_)) => return Err(occupied("a study with other settings")),
                _ => return Err(occupied("no study of ours")),
            }
        }
        position += read as u64;
        match record {
            Ok(Record::Run { id, result }) => {
                finished.insert(id, *result);
                whole = position;
            }
            Ok(Record::Header(_) | Record::Layer(_)) => {}
            Err(error) => return Err(occupied(&format!("a record that cannot be read ({error})"))),
        }
    }
}

/// The trials that are finished in a folder, whatever study they are of.
///
/// # Errors
/// The folder has no records, or they cannot be read.
///
/// ```
/// use isobath::study::store::{Phase, trials};
///
/// # let folder = std::env::temp_dir().join(format!("isobath-trials-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # study(&folder)?;
/// // `folder` is that of a study with two networks and two seeds.
/// let trials = trials(&folder)?;
/// assert!(trials.iter().all(|(id, _)| id.phase == Phase::Trial));
/// let of_remedy = trials.iter().filter(|(id, _)| id.network == "deep/batch norm");
/// assert!(of_remedy.map(|(_, trained)| trained.steps).eq([10, 10]));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn trials(folder: &Path) -> Result<Vec<(RunId, Trained)>, StudyError> {
    let mut runs = runs(folder)?;
    runs.retain(|(id, _)| id.phase == Phase::Trial);
    Ok(runs)
}

/// All runs that are finished in a folder, in the order in which they ended, whatever study they are of.
///
/// # Errors
/// The folder has no records, or they cannot be read.
///
/// ```
/// use isobath::study::store::{runs, trials};
///
/// # let folder = std::env::temp_dir().join(format!("isobath-runs-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # study(&folder)?;
/// // `folder` is that of a study. Runs of tuning come before those of the trial.
/// let (runs, trials) = (runs(&folder)?, trials(&folder)?);
/// assert!(runs.len() > trials.len());
/// assert!(runs.ends_with(&trials));
/// let nowhere = isobath::study::store::runs(&folder.join("nowhere")).unwrap_err();
/// assert_eq!(nowhere.exit_code(), 3);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn runs(folder: &Path) -> Result<Vec<(RunId, Trained)>, StudyError> {
    let path = folder.join("records.jsonl");
    let strange = |found: String| StudyError::Invalid {
        file: path.display().to_string(),
        message: format!("{found}; allowed are the records of a study"),
    };
    let text = refuse_others(&path).and_then(|()| fs::read(&path)).map_err(io_error("read", &path))?;
    // What follows the last line break is being written.
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(&text[..0], |end| &text[..end]);
    let mut runs = Vec::new();
    for (number, line) in (1..).zip(whole.split(|byte| *byte == b'\n')) {
        match serde_json::from_slice(line) {
            Ok(Record::Header(_)) if number == 1 => {}
            Ok(_) if number == 1 => return Err(strange("no header in line 1".to_owned())),
            Ok(Record::Run { id, result }) => runs.push((id, *result)),
            Ok(_) => {}
            Err(error) => return Err(strange(format!("line {number} that cannot be read ({error})"))),
        }
    }
    Ok(runs)
}

/// A file of the folder must be one: a pipe would be waited for without end, and what a link leads to is no study's to truncate.
fn refuse_others(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file but a link, a folder or a device"))
        }
        _ => Ok(()),
    }
}

/// A folder without records must not hold files of the names that a study writes: they are someone else's.
fn refuse_strangers(folder: &Path) -> Result<(), StudyError> {
    for name in ["summary.json", "report.html"] {
        let path = folder.join(name);
        if path.exists() {
            let found = format!("a {name} without the records of a study");
            return Err(StudyError::Occupied { path: folder.to_owned(), found });
        }
    }
    Ok(())
}
