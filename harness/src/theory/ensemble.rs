//! The ensemble of random networks that mean-field theory describes: h = W phi(h_below) + b with Var W =
//! s_w^2 / fan_in and Var b = s_b^2, and the Gaussian moments of phi in it.
//!
//! Domain: s_w^2 > 0, s_b^2 >= 0, both finite. Source: Poole et al. 2016.

use super::error::{TheoryError, at_least, positive};
use super::phi::{d_phi, phi};
use super::quadrature::gaussian;
use crate::activation::Activation;

/// An activation with the variances of weights and biases.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::Ensemble;
///
/// // ReLU with He's variance keeps both the mean square of signals and that of gradients.
/// let he = Ensemble::new(Activation::Relu, 2.0, 0.0)?;
/// assert!((he.length_map(3.0) - 3.0).abs() < 1e-12);
/// assert!((he.chi(3.0) - 1.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ensemble {
    /// phi.
    pub activation: Activation,
    /// s_w^2 = fan_in Var W.
    pub weight_variance: f64,
    /// s_b^2 = Var b.
    pub bias_variance: f64,
}

impl Ensemble {
    /// Checks the variances and the activation's parameter.
    ///
    /// # Errors
    /// A weight variance that is not positive, a negative bias variance, or anything that is not finite.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::Ensemble;
    ///
    /// assert!(Ensemble::new(Activation::Tanh, 1.0, 0.0).is_ok());
    /// let error = Ensemble::new(Activation::Tanh, 0.0, 0.0).unwrap_err();
    /// assert_eq!(error.to_string(), "weight variance is 0; allowed is a finite number above 0");
    /// ```
    pub fn new(
        activation: Activation,
        weight_variance: f64,
        bias_variance: f64,
    ) -> Result<Self, TheoryError> {
        positive("weight variance", weight_variance)?;
        at_least("bias variance", bias_variance, 0.0, "a finite number, 0 or more")?;
        if let Activation::Leaky(parameter) | Activation::Prelu(parameter) | Activation::Elu(parameter) =
            activation
        {
            at_least("activation parameter", f64::from(parameter), f64::MIN, "a finite number")?;
        }
        Ok(Self { activation, weight_variance, bias_variance })
    }

    /// s_w^2 x + s_b^2: the variance of a pre-activation over inputs of mean square x.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::Ensemble;
    ///
    /// let ensemble = Ensemble::new(Activation::Relu, 2.0, 0.25)?;
    /// assert_eq!(ensemble.pre_activation_variance(0.5), 2.0 * 0.5 + 0.25);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pre_activation_variance(self, mean_square: f64) -> f64 {
        self.weight_variance * mean_square + self.bias_variance
    }
}

/// E phi(sqrt(q) z).
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::ensemble::mean;
///
/// // Sigmoids are 1/2 in the mean, whatever comes in; ReLU's mean is the half normal one.
/// assert!((mean(Activation::Sigmoid, 7.0) - 0.5).abs() < 1e-9);
/// assert!((mean(Activation::Relu, 1.0) - (0.5 / std::f64::consts::PI).sqrt()).abs() < 1e-9);
/// ```
pub fn mean(activation: Activation, q: f64) -> f64 {
    gaussian(|z| phi(activation, q.sqrt() * z))
}

/// E phi(sqrt(q) z)^2.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::ensemble::mean_square;
///
/// // ReLU cuts away half of the mean square.
/// assert!((mean_square(Activation::Relu, 3.0) - 1.5).abs() < 1e-9);
/// ```
pub fn mean_square(activation: Activation, q: f64) -> f64 {
    gaussian(|z| phi(activation, q.sqrt() * z).powi(2))
}

/// E phi'(sqrt(q) z)^power.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::ensemble::slope_moment;
///
/// // Half of the ReLUs are on. A sigmoid's slope is at most 1/4, where nothing comes in.
/// assert!((slope_moment(Activation::Relu, 1.0, 2) - 0.5).abs() < 1e-9);
/// assert!((slope_moment(Activation::Sigmoid, 0.0, 2) - 1.0 / 16.0).abs() < 1e-9);
/// assert!(slope_moment(Activation::Sigmoid, 1.0, 2) < 1.0 / 16.0);
/// ```
pub fn slope_moment(activation: Activation, q: f64, power: i32) -> f64 {
    gaussian(|z| d_phi(activation, q.sqrt() * z).powi(power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;

    #[test]
    fn activations_at_unit_variance() {
        for (activation, square, slope_square) in [
            (Activation::Sigmoid, 0.2933790359, 0.0448362414),
            (Activation::Tanh, 0.3942944904, 0.4644029024),
            (Activation::Relu, 0.5, 0.5),
            (Activation::Elu(1.0), 0.6449454175, 0.6681020012),
            (Activation::Selu, 1.0, 1.0715749925),
            (Activation::Gelu, 0.4252214826, 0.4558508656),
            (Activation::Silu, 0.3557755198, 0.3794823516),
            (Activation::Softplus, 0.9212459089, 0.2933790359),
        ] {
            assert_close(mean_square(activation, 1.0), square, 2e-9);
            assert_close(slope_moment(activation, 1.0, 2), slope_square, 2e-9);
        }
        for slope in [0.01, 0.02, 0.2f32] {
            let expected = 0.5 * (1.0 + f64::from(slope).powi(2));
            assert_close(mean_square(Activation::Leaky(slope), 1.0), expected, 1e-12);
            assert_close(slope_moment(Activation::Leaky(slope), 1.0, 2), expected, 1e-12);
        }
    }

    #[test]
    fn rejects_what_is_no_variance() {
        assert!(Ensemble::new(Activation::Tanh, 0.0, 0.0).is_err());
        assert!(Ensemble::new(Activation::Tanh, f64::NAN, 0.0).is_err());
        assert!(Ensemble::new(Activation::Tanh, 1.0, -1e-9).is_err());
        assert!(Ensemble::new(Activation::Leaky(f32::NAN), 1.0, 0.0).is_err());
        assert!(Ensemble::new(Activation::Leaky(-0.5), 1.0, 0.0).is_ok());
    }
}
