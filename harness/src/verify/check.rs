//! One figure: what it should be, what it is, and by how much it may be off.

use serde::Serialize;

/// A figure that is checked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// Which figure of what.
    pub what: String,
    /// What it should be.
    pub expected: f64,
    /// What it is; none if there is none.
    pub found: Option<f64>,
    /// How far both may lie apart.
    pub tolerance: f64,
}

impl Check {
    /// A check to `tolerance` absolute.
    pub(super) fn absolute(
        what: impl Into<String>,
        expected: f64,
        found: impl Into<Option<f64>>,
        tolerance: f64,
    ) -> Self {
        Self { what: what.into(), expected, found: found.into(), tolerance }
    }

    /// A check to `tolerance` relative to what is expected.
    pub(super) fn relative(
        what: impl Into<String>,
        expected: f64,
        found: impl Into<Option<f64>>,
        tolerance: f64,
    ) -> Self {
        Self::absolute(what, expected, found, tolerance * expected.abs())
    }

    /// Whether the figure is within its tolerance. One that is missing or no number is not.
    pub fn holds(&self) -> bool {
        self.found.is_some_and(|found| (found - self.expected).abs() <= self.tolerance)
    }
}

/// The figures of one subject.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// The subject.
    pub subject: &'static str,
    /// Its figures.
    pub checks: Vec<Check>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_within_its_tolerance_only() {
        assert!(Check::relative("x", 2.0, 2.019, 0.01).holds());
        assert!(!Check::relative("x", -2.0, -2.021, 0.01).holds());
        assert!(!Check::absolute("x", 2.0, f64::NAN, 1.0).holds());
        assert!(!Check::absolute("x", 2.0, None, f64::INFINITY).holds());
    }
}
