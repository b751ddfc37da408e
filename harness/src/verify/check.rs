//! One figure: what it should be, what it is, and by how much it may be off.

use serde::Serialize;

/// A figure that is checked.
///
/// ```
/// use isobath::verify::Check;
///
/// let found = isobath::theory::phi::max_derivative(isobath::activation::Activation::Sigmoid);
/// let check =
///     Check { what: "sigmoid's slope".to_owned(), expected: 0.25, found: Some(found), tolerance: 0.0 };
/// assert!(check.holds());
/// ```
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
    ///
    /// ```
    /// use isobath::verify::Check;
    ///
    /// let of = |found| Check { what: "chi".to_owned(), expected: 1.0, found, tolerance: 0.01 };
    /// assert!(of(Some(1.005)).holds() && !of(Some(1.02)).holds());
    /// assert!(!of(None).holds() && !of(Some(f64::NAN)).holds());
    /// ```
    pub fn holds(&self) -> bool {
        self.found.is_some_and(|found| (found - self.expected).abs() <= self.tolerance)
    }
}

/// The figures of one subject.
///
/// ```
/// use isobath::verify::{Check, Table};
///
/// let check = |found| Check { what: "chi".to_owned(), expected: 1.0, found: Some(found), tolerance: 0.01 };
/// let table = Table { subject: "rates", checks: vec![check(1.001), check(1.2)] };
/// assert_eq!(table.checks.iter().filter(|check| !check.holds()).count(), 1);
/// ```
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
