//! The error of kernels over slices: two that must have the same length do not.

use core::fmt;

/// Slices that must have the same length do not.
///
/// ```
/// use isobath_kernels::{Level, LengthError, optimizer};
///
/// let (mut w, g) = ([1.0, 2.0], [0.5; 3]);
/// let error = optimizer::sgd(Level::detect(), 0.1, &mut w, &g).unwrap_err();
/// assert_eq!(error, LengthError { expected: 2, found: 3 });
/// assert_eq!(error.to_string(), "a slice has 3 elements where 2 are needed");
/// assert_eq!(w, [1.0, 2.0]); // nothing was written
/// ```
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
