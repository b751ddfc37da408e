//! The records of runs for other programs: one table, as CSV, as Parquet, or as TensorBoard's event files.
//!
//! [`mod@table`] says which rows and columns there are. Files are written under another name and renamed, so that each is
//! whole or not there.

pub mod csv;
pub mod parquet;
pub mod table;
pub mod tensorboard;
mod thrift;

use std::fs;
use std::io;
use std::path::Path;

/// Writes a file as a whole, and the folders above it where they are missing.
///
/// # Errors
/// The disk does not take it; nothing half-written stays behind.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    fs::write(&temporary, content).and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
        // If even that fails, the first error says more.
        let _ = fs::remove_file(&temporary);
    })
}

/// A number in base 128, lowest digits first, as both Thrift and protocol buffers write it.
fn varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
