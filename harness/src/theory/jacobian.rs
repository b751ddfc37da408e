//! Spread of the input-output Jacobian's squared singular values: Var(s^2) / mean(s^2)^2 = sum over layers of
//! mu_2 / mu_1^2 - 1 - s_1, with mu_k = E phi'^(2k) and s_1 = -1 for Gaussian, 0 for orthogonal weights.
//!
//! Domain: width >> depth, square layers. Source: Pennington, Schoenholz and Ganguli 2017, 2018.

use super::ensemble::slope_moment;
use crate::activation::Activation;

/// One layer's contribution at pre-activation variance q.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::jacobian::jacobian_spread;
///
/// // Orthogonal matrices treat all directions alike, and tanh near 0 leaves it so; ReLU shuts half of them off.
/// assert!(jacobian_spread(Activation::Identity, 1.0, true).abs() < 1e-12);
/// assert!(jacobian_spread(Activation::Tanh, 1e-4, true) < 1e-6);
/// assert!((jacobian_spread(Activation::Relu, 1.0, true) - 1.0).abs() < 1e-12);
/// ```
pub fn jacobian_spread(activation: Activation, q: f64, orthogonal: bool) -> f64 {
    let first = slope_moment(activation, q, 2);
    let spread = slope_moment(activation, q, 4) / (first * first) - 1.0;
    if orthogonal { spread } else { spread + 1.0 }
}

/// The largest squared singular value of L square Gaussian layers of unit gain without nonlinearity:
/// (L+1)^(L+1) / L^L.
///
/// ```
/// use isobath::theory::jacobian::largest_linear_gaussian;
///
/// // One matrix: Marchenko and Pastur's upper bound (1 + 1)^2. Two: 3^3 / 2^2.
/// assert!((largest_linear_gaussian(1) - 4.0).abs() < 1e-12);
/// assert!((largest_linear_gaussian(2) - 6.75).abs() < 1e-12);
/// ```
pub fn largest_linear_gaussian(depth: usize) -> f64 {
    let depth = depth as f64;
    (depth + 1.0) * ((1.0 / depth).ln_1p() * depth).exp()
}

#[cfg(test)]
mod tests {
    use super::super::length_map::FixedPoints;
    use super::*;
    use crate::theory::{Ensemble, assert_close};

    #[test]
    fn linear_and_relu() {
        assert_close(jacobian_spread(Activation::Identity, 1.0, false), 1.0, 1e-12);
        assert!(jacobian_spread(Activation::Identity, 1.0, true).abs() < 1e-12);
        assert_close(jacobian_spread(Activation::Relu, 1.0, false), 2.0, 1e-12);
        assert_close(jacobian_spread(Activation::Relu, 1.0, true), 1.0, 1e-12);
        assert_close(largest_linear_gaussian(1), 4.0, 1e-12);
        assert_close(largest_linear_gaussian(3), 256.0 / 27.0, 1e-12);
    }

    #[test]
    fn orthogonal_tanh_near_the_edge() {
        let ensemble = Ensemble::new(Activation::Tanh, 1.05, 2.01e-5).unwrap();
        let FixedPoints::Isolated(points) = ensemble.fixed_points() else {
            panic!("tanh has isolated lengths")
        };
        let spread = jacobian_spread(Activation::Tanh, points[0].q, true);
        assert_close(8.0 * spread, 0.0341, 2e-3);
        assert_close(32.0 * spread, 0.1366, 5e-4);
    }
}
