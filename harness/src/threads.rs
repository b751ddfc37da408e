//! How work is shared: a join of two halves, so that the network core needs no thread library.

/// Something that can run two pieces of work, perhaps at the same time.
///
/// Work is split by rows or columns of a result, never along a sum, so the number of threads never shows in a bit.
pub trait Threads: Sync {
    /// Pieces that are worth making.
    fn count(&self) -> usize;
    /// Runs both and returns when both are done.
    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send);
}

/// One thread: the caller's. All that microcontrollers have.
#[derive(Clone, Copy, Debug)]
pub struct Serial;

impl Threads for Serial {
    fn count(&self) -> usize {
        1
    }
    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        a();
        b();
    }
}

/// The current rayon pool.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
pub struct Pool;

#[cfg(feature = "std")]
impl Threads for Pool {
    fn count(&self) -> usize {
        rayon::current_num_threads()
    }
    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        rayon::join(a, b);
    }
}
