//! How work is shared: a join of two halves, each with its half of the threads, so that the network core needs no thread
//! library.

#[cfg(feature = "std")]
mod team;

#[cfg(feature = "std")]
pub use team::{Team, Workers};

/// Something that can run two pieces of work, perhaps at the same time.
///
/// Work is split by rows or columns of a result, never along a sum, so the number of threads never shows in a bit.
pub trait Threads: Sync {
    /// Threads that work: pieces worth making.
    fn count(&self) -> usize;
    /// Nanoseconds from handing nothing over to its being done, which says what is worth it.
    fn handover(&self) -> usize;
    /// Runs both and returns when both are done. Each is given those it can share its own work among:
    /// `count() / 2` threads for the first, the others for the second.
    fn join(&self, first: impl FnOnce(&Self) + Send, second: impl FnOnce(&Self) + Send);
}

/// One thread: the caller's. All that microcontrollers have.
#[derive(Clone, Copy, Debug)]
pub struct Serial;

impl Threads for Serial {
    fn count(&self) -> usize {
        1
    }
    fn handover(&self) -> usize {
        0
    }
    fn join(&self, first: impl FnOnce(&Self) + Send, second: impl FnOnce(&Self) + Send) {
        first(self);
        second(self);
    }
}
