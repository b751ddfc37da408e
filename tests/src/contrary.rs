//! Threads that no machine has: one after the other, the second half of each join first.

use std::sync::atomic::{AtomicUsize, Ordering};

use isobath::threads::Threads;

/// So many threads, which are all the calling one, and the number of times that work was shared among them.
#[derive(Debug)]
pub struct Contrary<'a> {
    pieces: usize,
    joins: &'a AtomicUsize,
}

impl<'a> Contrary<'a> {
    /// `pieces` threads; each join adds 1 to `joins`.
    pub fn new(pieces: usize, joins: &'a AtomicUsize) -> Self {
        Self { pieces, joins }
    }
}

impl Threads for Contrary<'_> {
    fn count(&self) -> usize {
        self.pieces
    }
    fn handover(&self) -> usize {
        1
    }
    fn join(&self, first: impl FnOnce(&Self) + Send, second: impl FnOnce(&Self) + Send) {
        self.joins.fetch_add(1, Ordering::Relaxed);
        second(&Self { pieces: self.pieces - self.pieces / 2, joins: self.joins });
        first(&Self { pieces: self.pieces / 2, joins: self.joins });
    }
}
