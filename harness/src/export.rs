//! The records of runs for other programs: one table, as CSV, as Parquet, or as TensorBoard's event files.
//!
//! [`mod@table`] says which rows and columns there are. Nothing here touches a disk.

pub mod csv;
pub mod parquet;
pub mod table;
pub mod tensorboard;
mod thrift;

/// A number in base 128, lowest digits first, as both Thrift and protocol buffers write it.
fn varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
