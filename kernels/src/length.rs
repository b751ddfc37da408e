//! The error of kernels over slices: two that must have the same length do not.

use core::fmt;

/// Slices that must have the same length do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthError {
    /// Length of the slice that sets the size.
    pub expected: usize,
    /// Length of the slice that differs.
    pub found: usize,
}

impl fmt::Display for LengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a slice has {} elements where {} are needed", self.found, self.expected)
    }
}

impl core::error::Error for LengthError {}

/// Succeeds if `found` is `expected`.
pub(crate) fn same(expected: usize, found: usize) -> Result<(), LengthError> {
    if expected == found { Ok(()) } else { Err(LengthError { expected, found }) }
}
