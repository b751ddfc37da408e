//! What is wrong with a question to the theory: the parameter, the value found and what is allowed.

use core::fmt;

/// A parameter outside the range in which the theory means anything.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::Ensemble;
///
/// let error = Ensemble::new(Activation::Tanh, -1.5, 0.0).unwrap_err();
/// assert_eq!((error.parameter, error.value), ("weight variance", -1.5));
/// assert_eq!(error.to_string(), "weight variance is -1.5; allowed is a finite number above 0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TheoryError {
    /// The parameter's name.
    pub parameter: &'static str,
    /// The value that was given.
    pub value: f64,
    /// The values that are allowed, in words.
    pub allowed: &'static str,
}

impl fmt::Display for TheoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}; allowed is {}", self.parameter, self.value, self.allowed)
    }
}

impl core::error::Error for TheoryError {}

/// Lets `value` through if it is finite and at least `least`.
pub(crate) fn at_least(
    parameter: &'static str,
    value: f64,
    least: f64,
    allowed: &'static str,
) -> Result<(), TheoryError> {
    if value.is_finite() && value >= least { Ok(()) } else { Err(TheoryError { parameter, value, allowed }) }
}

/// Lets `value` through if it is finite and positive.
pub(crate) fn positive(parameter: &'static str, value: f64) -> Result<(), TheoryError> {
    at_least(parameter, value, f64::MIN_POSITIVE, "a finite number above 0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parameter_value_and_range() {
        let error = positive("weight variance", -1.5).unwrap_err();
        assert_eq!(error.to_string(), "weight variance is -1.5; allowed is a finite number above 0");
        assert!(positive("weight variance", f64::NAN).is_err());
        assert!(positive("weight variance", f64::INFINITY).is_err());
        assert!(at_least("bias variance", 0.0, 0.0, "0 or more").is_ok());
    }
}
