//! Gradients through time: a factor per step, where one is known exactly.
//!
//! - A gated cell (LSTM, GRU) with zero weights: its state is multiplied by sigma(b), b the forget (GRU:
//!   update) gate's bias.
//! - A linear recurrent network with the matrix g Q, Q orthogonal: g.
//!
//! Domain: those cases only; other weights make the gates random and have no closed form. Source:
//! definitions; van der Westhuizen and Lasenby 2018 for the bias's role.

use super::error::{TheoryError, at_least, positive};

/// A recurrence, by what is known of it.
///
/// ```
/// use isobath::theory::Recurrence;
///
/// // A larger bias of the forget gate keeps more of the gradient; orthogonal matrices keep all of it.
/// let rate = |forget_bias| Recurrence::ZeroWeightGate { forget_bias }.rate().unwrap();
/// assert!(rate(0.0) == 0.5 && rate(5.0) > 0.99);
/// assert_eq!(Recurrence::ScaledOrthogonal { gain: 1.0 }.rate(), Some(1.0));
/// assert_eq!(Recurrence::RandomWeights.rate(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recurrence {
    /// A gated cell whose weights are all 0.
    ZeroWeightGate {
        /// The bias of the gate that keeps the state.
        forget_bias: f64,
    },
    /// h <- g Q h with Q orthogonal.
    ScaledOrthogonal {
        /// g.
        gain: f64,
    },
    /// Any other weights: no exact rate.
    RandomWeights,
}

impl Recurrence {
    /// Checks the number.
    ///
    /// # Errors
    /// A bias that is not finite, or a gain that is not positive.
    ///
    /// ```
    /// use isobath::theory::Recurrence;
    ///
    /// assert!(Recurrence::ScaledOrthogonal { gain: 1.1 }.check().is_ok());
    /// let error = Recurrence::ZeroWeightGate { forget_bias: f64::NAN }.check().unwrap_err();
    /// assert_eq!(error.to_string(), "forget bias is NaN; allowed is a finite number");
    /// ```
    pub fn check(self) -> Result<(), TheoryError> {
        match self {
            Self::ZeroWeightGate { forget_bias } => {
                at_least("forget bias", forget_bias, f64::MIN, "a finite number")
            }
            Self::ScaledOrthogonal { gain } => positive("gain", gain),
            Self::RandomWeights => Ok(()),
        }
    }

    /// What one step multiplies the gradient's norm by, where that is known.
    ///
    /// ```
    /// use isobath::theory::Recurrence;
    ///
    /// // sigma(ln 9) = 9/10: a gate that keeps the state for about ten steps.
    /// let gate = Recurrence::ZeroWeightGate { forget_bias: 9f64.ln() };
    /// assert!((gate.rate().unwrap() - 0.9).abs() < 1e-12);
    /// ```
    pub fn rate(self) -> Option<f64> {
        match self {
            Self::ZeroWeightGate { forget_bias } => Some(1.0 / (1.0 + (-forget_bias).exp())),
            Self::ScaledOrthogonal { gain } => Some(gain),
            Self::RandomWeights => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_and_orthogonal_matrices() {
        for (forget_bias, rate) in
            [(0.0, 0.5), (1.0, 0.731059), (2.0, 0.880797), (3.0, 0.952574), (5.0, 0.993307)]
        {
            assert!((Recurrence::ZeroWeightGate { forget_bias }.rate().unwrap() - rate).abs() < 5.1e-7);
        }
        assert_eq!(Recurrence::ScaledOrthogonal { gain: 1.1 }.rate(), Some(1.1));
        assert_eq!(Recurrence::RandomWeights.rate(), None);
        assert!(Recurrence::ScaledOrthogonal { gain: -1.1 }.check().is_err());
    }
}
