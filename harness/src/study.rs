//! A study: sick networks, their remedies, a fair trial of each, and what came out.
//!
//! [`plan`] reads what a user writes and says what is run, [`trial`] runs it, [`store`] keeps it on disk, and [`summary`] is
//! what it says in the end. [`outline`] and [`follow`] are for those who watch it.

mod check;
pub mod claim;
pub mod contestant;
mod convolution;
mod equation;
mod file;
pub mod follow;
mod network;
mod outcome;
pub mod outline;
pub mod plan;
mod pretraining;
mod recurrence;
pub mod setting;
pub mod single;
#[cfg(test)]
mod smallest;
mod spectrum;
mod start;
pub mod store;
mod summarise;
pub mod summary;
pub mod sweep;
pub mod trial;

use std::path::PathBuf;

use thiserror::Error;

use crate::data::DataError;
use crate::train::TrainError;

/// Why a study could not be run.
///
/// ```
/// use isobath::study::StudyError;
/// use isobath::study::plan::StudyPlan;
///
/// let error = StudyPlan::parse("mine.toml", "name = 3", None, false).unwrap_err();
/// assert!(matches!(&error, StudyError::Invalid { file, .. } if file == "mine.toml"));
/// assert_eq!(error.exit_code(), 2);
/// let error = StudyPlan::load("no/such/file.toml", None, false).unwrap_err();
/// assert!(error.to_string().starts_with("cannot read the study no/such/file.toml: "));
/// assert_eq!(error.exit_code(), 3);
/// assert_eq!(StudyError::Interrupted.exit_code(), 130);
/// ```
#[derive(Debug, Error)]
pub enum StudyError {
    /// The study's file cannot be read.
    #[error("cannot read the study {path}: {source}", path = path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The study's file is not valid.
    #[error("{file}: {message}")]
    Invalid {
        /// The file or built-in study.
        file: String,
        /// Line, field, what was found and what is allowed.
        message: String,
    },
    /// The data cannot be had.
    #[error("{0}")]
    Data(#[from] DataError),
    /// A network cannot be trained.
    #[error("network `{network}`: {source}")]
    Train {
        /// Group and row.
        network: String,
        /// Why.
        source: TrainError,
    },
    /// A network does not fit into memory.
    #[error(
        "network `{network}` needs {needed} MiB of memory, {threads} at a time, of which {available} are free; \
         make it smaller or use fewer --threads"
    )]
    Memory {
        /// Group and row.
        network: String,
        /// MiB of one network.
        needed: u64,
        /// Networks trained at a time.
        threads: usize,
        /// MiB that can be had.
        available: u64,
    },
    /// The run folder belongs to something else.
    #[error("{path} holds {found}; choose another folder with --out or start again with --force", path = path.display())]
    Occupied {
        /// The folder or file in it.
        path: PathBuf,
        /// What lies there.
        found: String,
    },
    /// Another process runs a study in the run folder.
    #[error("{path} is in use by another run; wait until it has ended or choose another folder with --out", path = path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The run folder cannot be written or read.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The user asked to stop.
    #[error("interrupted; the same command goes on where it stopped")]
    Interrupted,
}

impl StudyError {
    /// The exit code of the command: 2 for bad input, 3 for input/output and memory, 130 when interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Invalid { .. } | Self::Occupied { .. } | Self::Train { .. } => 2,
            Self::Data(DataError::Read { .. } | DataError::Memory { .. }) => 3,
            Self::Data(_) => 2,
            Self::ReadFile { .. } | Self::Io { .. } | Self::Memory { .. } | Self::InUse { .. } => 3,
            Self::Interrupted => 130,
        }
    }
}
