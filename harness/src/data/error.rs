//! Why data cannot be had: each message says where, what was found and what is allowed.

use std::path::{Path, PathBuf};

use super::source::Source;
use crate::suggest::did_you_mean_of;

/// An error of a source of data.
///
/// ```
/// use isobath::data::{DataError, Source};
///
/// let error = "adding:1".parse::<Source>().unwrap_err();
/// assert!(matches!(error, DataError::Length { least: 2, .. }));
/// let message = "data source `adding:1`: the number of steps after the colon must be 2 to 100000";
/// assert_eq!(error.to_string(), message);
/// ```
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A text that names no source.
    #[error(
        "unknown data source `{found}`; allowed are {}{}",
        Source::NAMES,
        did_you_mean_of(found, Source::NAMES)
    )]
    Source {
        /// The text.
        found: String,
    },
    /// Sequences of a length that there is none of.
    #[error("data source `{source_name}`: the number of steps after the colon must be {least} to {most}")]
    Length {
        /// The text.
        source_name: String,
        /// The least.
        least: usize,
        /// The most.
        most: usize,
    },
    /// A file that cannot be opened or read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system, or the decompressor, said.
        source: std::io::Error,
    },
    /// A file that was read and is malformed.
    #[error("{}: {place}: found {found}, allowed is {allowed}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The field of the header, or the line and column.
        place: String,
        /// What stands there.
        found: String,
        /// What may stand there.
        allowed: String,
    },
    /// Values in memory that make no data set.
    #[error("{name}: {place}: found {found}, allowed is {allowed}")]
    Value {
        /// The data set.
        name: String,
        /// The field.
        place: &'static str,
        /// Its value.
        found: String,
        /// What is allowed.
        allowed: String,
    },
    /// More samples than fit into memory.
    #[error("{samples} samples of {features} numbers do not fit into memory; ask for fewer")]
    Memory {
        /// Samples asked for.
        samples: usize,
        /// Numbers per sample.
        features: usize,
    },
}

impl DataError {
    /// A malformed file.
    pub(super) fn file(
        path: &Path,
        place: impl Into<String>,
        found: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Self {
        Self::File { path: path.into(), place: place.into(), found: found.into(), allowed: allowed.into() }
    }

    /// Malformed values.
    pub(super) fn value(
        name: &str,
        place: &'static str,
        found: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Self {
        Self::Value { name: name.into(), place, found: found.into(), allowed: allowed.into() }
    }
}
