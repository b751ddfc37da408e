//! Rates of normalised networks: what one layer multiplies the squared gradient norm by.
//!
//! - Batch norm before phi, batch -> infinity: E phi'^2 / Var phi at unit variance; weights and biases
//!   cancel. Linear, batch B << width: (B - 2) / (B - 3).
//! - Layer norm before phi: s_w^2 E phi'^2 / (s_w^2 E phi^2 + s_b^2) at unit variance.
//! - After phi: s_w^2 E phi'^2 / Var phi where the next pre-activations have variance s_w^2 (+ s_b^2 over a
//!   layer's units; over a batch the bias is a constant beta, and the ratio is averaged over it).
//!
//! Domain: widths >> 1, B > 3. Source: Yang et al. 2019 (batch norm), Xiong et al. 2020 (layer norm).

use super::ensemble::{Ensemble, mean, mean_square, slope_moment};
use super::error::{TheoryError, at_least};
use super::phi::{d_phi, phi};
use super::quadrature::gaussian;
use crate::activation::Activation;

/// E phi'^2 / Var phi at unit variance.
///
/// ```
/// use std::f64::consts::PI;
///
/// use isobath::activation::Activation;
/// use isobath::theory::norm::batch_norm_rate;
///
/// // Batch norm saves a sigmoid network, but makes one of ReLUs explode by pi / (pi - 1) per layer.
/// assert!((batch_norm_rate(Activation::Sigmoid) - 1.034).abs() < 1e-3);
/// assert!((batch_norm_rate(Activation::Relu) - PI / (PI - 1.0)).abs() < 1e-9);
/// ```
pub fn batch_norm_rate(activation: Activation) -> f64 {
    slope_moment(activation, 1.0, 2) / variance(activation, 1.0)
}

/// (B - 2) / (B - 3): batch norm without nonlinearity on a batch of B.
///
/// # Errors
/// A batch below 4, where the rate is infinite or undefined.
///
/// ```
/// use isobath::theory::norm::linear_batch_norm_rate;
///
/// assert_eq!(linear_batch_norm_rate(4)?, 2.0);
/// assert!(linear_batch_norm_rate(1000)? < 1.002);
/// let error = linear_batch_norm_rate(3).unwrap_err();
/// assert_eq!(error.to_string(), "batch is 3; allowed is 4 or more");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn linear_batch_norm_rate(batch: usize) -> Result<f64, TheoryError> {
    at_least("batch", batch as f64, 4.0, "4 or more")?;
    Ok((batch as f64 - 2.0) / (batch as f64 - 3.0))
}

/// Batch norm after phi: s_w^2 E_beta[E phi'^2 / Var phi] at h = beta + s_w z, beta ~ N(0, s_b^2).
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::Ensemble;
/// use isobath::theory::norm::{batch_norm_rate, post_batch_norm_rate};
///
/// // With variance 1 and no biases it does not matter on which side of phi the norm stands.
/// let tanh = Ensemble::new(Activation::Tanh, 1.0, 0.0)?;
/// assert!((post_batch_norm_rate(tanh, 1.0) - batch_norm_rate(Activation::Tanh)).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn post_batch_norm_rate(ensemble: Ensemble, signal_variance: f64) -> f64 {
    let scale = signal_variance.sqrt();
    let ratio = |bias: f64| {
        let mean = gaussian(|z| phi(ensemble.activation, bias + scale * z));
        let variance = gaussian(|z| (phi(ensemble.activation, bias + scale * z) - mean).powi(2));
        gaussian(|z| d_phi(ensemble.activation, bias + scale * z).powi(2)) / variance
    };
    let bias_scale = ensemble.bias_variance.sqrt();
    let average = if bias_scale == 0.0 { ratio(0.0) } else { gaussian(|z| ratio(bias_scale * z)) };
    ensemble.weight_variance * average
}

/// s_w^2 E phi'^2 / (s_w^2 E phi^2 + s_b^2) at unit variance.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::Ensemble;
/// use isobath::theory::norm::layer_norm_rate;
///
/// // Layer norm keeps a ReLU network's gradients whatever its weights, and does not save sigmoids.
/// let relu = Ensemble::new(Activation::Relu, 0.1, 0.0)?;
/// let sigmoid = Ensemble::new(Activation::Sigmoid, 1.0, 0.0)?;
/// assert!((layer_norm_rate(relu) - 1.0).abs() < 1e-9);
/// assert!(layer_norm_rate(sigmoid) < 0.16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn layer_norm_rate(ensemble: Ensemble) -> f64 {
    ensemble.chi(1.0) / ensemble.pre_activation_variance(mean_square(ensemble.activation, 1.0))
}

/// Layer norm after phi: s_w^2 E phi'^2 / Var phi at pre-activation variance q.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::Ensemble;
/// use isobath::theory::norm::post_layer_norm_rate;
///
/// // Layers that are linear lose nothing, at any length.
/// let linear = Ensemble::new(Activation::Identity, 1.0, 0.0)?;
/// assert!((post_layer_norm_rate(linear, 1.0) - 1.0).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn post_layer_norm_rate(ensemble: Ensemble, q: f64) -> f64 {
    ensemble.chi(q) / variance(ensemble.activation, q)
}

/// Var phi(sqrt(q) z).
fn variance(activation: Activation, q: f64) -> f64 {
    let mean = mean(activation, q);
    gaussian(|z| (phi(activation, q.sqrt() * z) - mean).powi(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;
    use core::f64::consts::PI;

    #[test]
    fn batch_norm() {
        for (activation, rate) in [
            (Activation::Sigmoid, 1.03359),
            (Activation::Tanh, 1.17781),
            (Activation::Leaky(0.01), 1.45337),
            (Activation::Leaky(0.02), 1.44006),
            (Activation::Leaky(0.2), 1.24360),
            (Activation::Elu(1.0), 1.07901),
            (Activation::Selu, 1.07157),
            (Activation::Gelu, 1.31884),
            (Activation::Silu, 1.21208),
            (Activation::Softplus, 1.08053),
        ] {
            assert_close(batch_norm_rate(activation), rate, 5e-6);
        }
        assert_close(batch_norm_rate(Activation::Relu), PI / (PI - 1.0), 1e-12);
        // sqrt(1.46694)^29 = 258 between 30 hidden layers, sqrt(1.46694)^30 = 313 through them.
        assert_close(batch_norm_rate(Activation::Relu).powi(15), 313.0, 2e-3);
    }

    #[test]
    fn linear_batch_norm() {
        assert_close(linear_batch_norm_rate(4).unwrap(), 2.0, 1e-15);
        assert_close(linear_batch_norm_rate(128).unwrap(), 126.0 / 125.0, 1e-15);
        assert!(linear_batch_norm_rate(3).is_err());
    }

    #[test]
    fn layer_norm() {
        for (activation, rate, tolerance) in [
            (Activation::Relu, 1.0, 1e-12),
            (Activation::Tanh, 1.178, 5e-4),
            (Activation::Sigmoid, 0.1528, 3e-4),
        ] {
            for weight_variance in [0.3, 2.0] {
                let ensemble = Ensemble::new(activation, weight_variance, 0.0).unwrap();
                assert_close(layer_norm_rate(ensemble), rate, tolerance);
            }
        }
    }

    #[test]
    fn after_phi() {
        // At s_w^2 = 1 without biases the two positions see the same unit variance.
        let ensemble = Ensemble::new(Activation::Tanh, 1.0, 0.0).unwrap();
        assert_close(post_batch_norm_rate(ensemble, 1.0), batch_norm_rate(Activation::Tanh), 1e-12);
        assert_close(post_layer_norm_rate(ensemble, 1.0), batch_norm_rate(Activation::Tanh), 1e-12);
        // A linear unit's rate does not depend on its bias.
        let linear = Ensemble::new(Activation::Identity, 1.7, 0.4).unwrap();
        assert_close(post_batch_norm_rate(linear, 1.7), 1.0, 1e-10);
    }
}
