//! The correlation map C(c): how the correlation of two inputs' pre-activations follows from the one a layer
//! below.
//!
//! At length q: C(c) = (s_w^2 E phi(u1) phi(u2) + s_b^2) / (s_w^2 E phi^2 + s_b^2) with u1, u2 of variance q
//! and correlation c. C is a power series with coefficients >= 0, so it is convex on [0, 1]; C(1) = 1 and
//! C'(1) = chi when q is fixed. Its fixed point c* is 1 for chi <= 1 and the only other one for chi > 1,
//! found by Newton's method from 0. Correlations approach c* over -1/ln C'(c*) layers. Two gradients of the
//! same cotangent keep the correlation prod E phi'(u1) phi'(u2) / E phi'^2. Numerics: 1e-9. Source: Poole et
//! al. 2016, Schoenholz et al. 2017; ReLU: Cho and Saul 2009, Balduzzi et al. 2017.

use super::ensemble::{Ensemble, slope_moment};
use super::mean_field::depth_scale;
use super::phi::{d_phi, phi};
use super::quadrature::gaussian_pair;

/// Where correlations tend to.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::Ensemble;
///
/// // In the ordered phase two inputs end as one, in the chaotic one they part, however near they began.
/// let order = Ensemble::new(Activation::Tanh, 1.0, 0.05)?.correlation_point(0.1935925);
/// let chaos = Ensemble::new(Activation::Tanh, 2.5, 0.05)?.correlation_point(1.0639584);
/// assert_eq!(order.c_star, 1.0);
/// assert!((chaos.c_star - 0.4468).abs() < 1e-4);
/// assert!(order.depth_scale.unwrap() < chaos.depth_scale.unwrap());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CorrelationPoint {
    /// c*.
    pub c_star: f64,
    /// Layers for the distance from c* to fall by a factor e; None if it does not fall exponentially.
    pub depth_scale: Option<f64>,
}

impl Ensemble {
    /// C(c) at length q.
    ///
    /// ```
    /// use std::f64::consts::FRAC_1_PI;
    ///
    /// use isobath::activation::Activation;
    /// use isobath::theory::Ensemble;
    ///
    /// // Orthogonal inputs leave a layer of ReLUs with correlation 1/pi, equal ones stay equal.
    /// let he = Ensemble::new(Activation::Relu, 2.0, 0.0)?;
    /// assert!((he.correlation_map(1.0, 0.0) - FRAC_1_PI).abs() < 1e-9);
    /// assert!((he.correlation_map(1.0, 1.0) - 1.0).abs() < 1e-9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn correlation_map(self, q: f64, c: f64) -> f64 {
        let covariance = |c: f64| {
            let scale = self.correlation_scale(q);
            let square =
                gaussian_pair(c, |a, b| phi(self.activation, scale * a) * phi(self.activation, scale * b));
            self.pre_activation_variance(square)
        };
        covariance(c) / covariance(1.0)
    }

    /// E phi'(u1) phi'(u2) / E phi'^2 at length q: what a layer leaves of the correlation of two gradients.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::Ensemble;
    ///
    /// // Of the units that are on for one input, half are on for an unrelated one.
    /// let he = Ensemble::new(Activation::Relu, 2.0, 0.0)?;
    /// assert!((he.slope_correlation(1.0, 0.0) - 0.5).abs() < 1e-9);
    /// // A linear layer treats all inputs alike.
    /// let linear = Ensemble::new(Activation::Identity, 1.0, 0.0)?;
    /// assert!((linear.slope_correlation(1.0, 0.0) - 1.0).abs() < 1e-9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn slope_correlation(self, q: f64, c: f64) -> f64 {
        let scale = self.correlation_scale(q);
        gaussian_pair(c, |a, b| d_phi(self.activation, scale * a) * d_phi(self.activation, scale * b))
            / slope_moment(self.activation, scale * scale, 2)
    }

    /// sqrt(q), held where products neither underflow nor overflow; a homogeneous map without biases has no
    /// scale.
    fn correlation_scale(self, q: f64) -> f64 {
        if self.activation.is_homogeneous() && self.bias_variance == 0.0 {
            1.0
        } else {
            q.clamp(1e-200, 1e200).sqrt()
        }
    }

    /// c* and its depth scale at a fixed length q* > 0.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::Ensemble;
    ///
    /// // Where gradients vanish, inputs become alike at the same rate: both depth scales are -1/ln chi.
    /// let (ensemble, q) = (Ensemble::new(Activation::Tanh, 1.0, 0.05)?, 0.1935925);
    /// let scale = ensemble.correlation_point(q).depth_scale.unwrap();
    /// assert!((scale + 1.0 / ensemble.chi(q).ln()).abs() < 1e-9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn correlation_point(self, q: f64) -> CorrelationPoint {
        let chi = self.chi(q);
        if chi <= 1.0 {
            return CorrelationPoint { c_star: 1.0, depth_scale: depth_scale(chi) };
        }
        let mut c = 0.0;
        for _ in 0..60 {
            let slope = chi * self.slope_correlation(q, c);
            let step = (self.correlation_map(q, c) - c) / (1.0 - slope);
            if !(step > 1e-13 && slope < 1.0) {
                break;
            }
            c += step;
        }
        CorrelationPoint { c_star: c, depth_scale: depth_scale(chi * self.slope_correlation(q, c)) }
    }

    /// The correlation at the network's input of two gradients with the same cotangent, for two inputs of
    /// mean square `input_q` and correlation `rho` above `depth` layers.
    ///
    /// ```
    /// use std::f64::consts::PI;
    ///
    /// use isobath::activation::Activation;
    /// use isobath::theory::Ensemble;
    ///
    /// // A layer of ReLUs leaves 1 - angle/pi; after twenty, neighbours' gradients have little in common.
    /// let he = Ensemble::new(Activation::Relu, 2.0, 0.0)?;
    /// let kept = he.gradient_correlation(1.0, 0.9, 1);
    /// assert!((kept - (1.0 - 0.9_f64.acos() / PI)).abs() < 1e-9);
    /// assert!(he.gradient_correlation(1.0, 0.9, 20) < 0.12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn gradient_correlation(self, input_q: f64, rho: f64, depth: usize) -> f64 {
        let mut q = self.pre_activation_variance(input_q);
        let mut c = self.pre_activation_variance(input_q * rho) / q;
        let mut product = 1.0;
        for _ in 0..depth {
            product *= self.slope_correlation(q, c);
            c = self.correlation_map(q, c);
            q = self.length_map(q);
        }
        product
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::theory::assert_close;

    #[test]
    fn chaotic_tanh() {
        for (weight_variance, bias_variance, q, c_star, c_tolerance, scale) in
            [(2.5, 0.05, 1.0639584, 0.446804, 2e-6, 11.796), (16.0, 0.09, 12.604150, 0.0296959, 2e-6, 3.639)]
        {
            let point =
                Ensemble::new(Activation::Tanh, weight_variance, bias_variance).unwrap().correlation_point(q);
            assert_close(point.c_star, c_star, c_tolerance);
            assert_close(point.depth_scale.unwrap(), scale, 1e-4);
        }
    }

    #[test]
    fn ordered_tanh_forgets_angles_at_the_rate_of_its_gradients() {
        let point = Ensemble::new(Activation::Tanh, 1.0, 0.05).unwrap().correlation_point(0.1935925);
        assert_eq!(point.c_star, 1.0);
        assert_close(point.depth_scale.unwrap(), 3.627, 2e-4);
    }

    #[test]
    fn map_keeps_one_and_starts_with_slope_chi() {
        let ensemble = Ensemble::new(Activation::Gelu, 1.4, 0.2).unwrap();
        assert_close(ensemble.correlation_map(0.7, 1.0), 1.0, 1e-12);
        assert_close(ensemble.slope_correlation(0.7, 1.0), 1.0, 1e-9);
    }

    #[test]
    fn he_relu_shatters_gradients() {
        let he = Ensemble::new(Activation::Relu, 2.0, 0.0).unwrap();
        for (depth, expected) in [(1, 0.8564), (2, 0.7396), (5, 0.4965), (10, 0.2839), (20, 0.1192)] {
            assert!((he.gradient_correlation(1.0, 0.9, depth) - expected).abs() < 5.1e-5, "{depth} layers");
        }
        let mut theta = 0.9f64.acos();
        let mut product = 1.0;
        for _ in 0..7 {
            product *= 1.0 - theta / core::f64::consts::PI;
            let cosine =
                ((core::f64::consts::PI - theta) * theta.cos() + theta.sin()) / core::f64::consts::PI;
            theta = cosine.acos();
        }
        assert_close(he.gradient_correlation(1e-3, 0.9, 7), product, 1e-8);
    }
}
