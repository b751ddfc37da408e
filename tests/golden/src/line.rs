//! Lines of the list, and how they are made.

use core::fmt;

use isobath::hash::Hash;
use isobath_kernels::Level;

/// What a kernel returned, hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Module and function, as in `reduce::dot`.
    pub name: &'static str,
    /// What a generic kernel was run with; empty for others.
    pub of: &'static str,
    /// Hash of all results.
    pub hash: u64,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x} {}", self.hash, self.name)?;
        if self.of.is_empty() { Ok(()) } else { write!(f, "<{}>", self.of) }
    }
}

/// The list while it is made.
pub(crate) struct List<'a> {
    pub(crate) level: Level,
    visit: &'a mut dyn FnMut(&Line),
}

impl<'a> List<'a> {
    pub(crate) fn new(level: Level, visit: &'a mut dyn FnMut(&Line)) -> Self {
        Self { level, visit }
    }

    /// Adds the line of a kernel; `run` feeds its results to the hash.
    pub(crate) fn add(&mut self, name: &'static str, run: impl FnOnce(Level, &mut Hash)) {
        self.add_generic(name, "", run);
    }

    /// The same for a kernel that was run with `of`.
    pub(crate) fn add_generic(
        &mut self,
        name: &'static str,
        of: &'static str,
        run: impl FnOnce(Level, &mut Hash),
    ) {
        let mut hash = Hash::new();
        run(self.level, &mut hash);
        (self.visit)(&Line { name, of, hash: hash.finish() });
    }
}
