//! The mean-field rate of gradients: chi = s_w^2 E phi'(sqrt(q) z)^2 multiplies ||dL/dh||^2 per layer going
//! down.
//!
//! Its depth scale is 1/|ln chi| layers. Domain: 0 <= q. Source: Poole et al. 2016, Schoenholz et al. 2017.

use super::ensemble::{Ensemble, slope_moment};
use super::length_map::MARGINAL;

impl Ensemble {
    /// chi at pre-activation variance q: what one layer multiplies the squared gradient norm by.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::Ensemble;
    ///
    /// // Tanh at the edge of chaos keeps gradients. Sigmoids of variance 1 leave a sixteenth at most.
    /// assert!((Ensemble::new(Activation::Tanh, 1.0, 0.0)?.chi(0.0) - 1.0).abs() < 1e-12);
    /// assert!(Ensemble::new(Activation::Sigmoid, 1.0, 0.0)?.chi(0.2646869) < 1.0 / 16.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn chi(self, q: f64) -> f64 {
        self.weight_variance * slope_moment(self.activation, q, 2)
    }
}

/// Layers over which a quantity that is multiplied by `rate` per layer changes by a factor e; None if it
/// never does.
///
/// ```
/// use isobath::theory::mean_field::depth_scale;
///
/// // Halving per layer loses a factor e in 1.44 layers; at rate 1 nothing is lost.
/// assert!((depth_scale(0.5).unwrap() - 1.0 / 2f64.ln()).abs() < 1e-12);
/// assert_eq!(depth_scale(1.0), None);
/// ```
pub fn depth_scale(rate: f64) -> Option<f64> {
    let decay = rate.ln().abs();
    (decay >= MARGINAL).then_some(1.0 / decay)
}

#[cfg(test)]
mod tests {
    use super::super::length_map::{FixedPoint, FixedPoints};
    use super::*;
    use crate::activation::Activation;
    use crate::theory::assert_close;

    /// Activation, s_w^2, s_b^2, q*, chi, sqrt chi, depth scale with the printed digits' tolerance.
    type Row = (Activation, f64, f64, f64, f64, f64, (f64, f64));

    const PUBLISHED: [Row; 12] = [
        (Activation::Sigmoid, 1.0 / 3.0, 0.0, 0.0850338, 0.0200078, 0.14145, (0.256, 2e-3)),
        (Activation::Sigmoid, 1.0, 0.0, 0.2646869, 0.0557207, 0.23605, (0.346, 2e-3)),
        (Activation::Sigmoid, 1.0, 1.0, 1.3021340, 0.0419597, 0.20484, (0.315, 2e-3)),
        (Activation::Tanh, 1.0 / 3.0, 0.0, 0.0, 1.0 / 3.0, 0.57735, (0.910, 1e-3)),
        (Activation::Tanh, 1.0, 0.05, 0.1935925, 0.7590316, 0.87122, (3.627, 2e-4)),
        (Activation::Tanh, 2.5, 0.05, 1.0639584, 1.1335157, 1.06467, (7.979, 1e-4)),
        (Activation::Tanh, 16.0, 0.09, 12.604150, 2.3672610, 1.53859, (1.16035, 1e-4)),
        (Activation::Relu, 1.0 / 3.0, 0.0, 0.0, 1.0 / 6.0, 0.40825, (0.558, 1e-3)),
        (Activation::Relu, 1.0, 0.0, 0.0, 0.5, core::f64::consts::FRAC_1_SQRT_2, (1.443, 1e-3)),
        (Activation::Elu(1.0), 1.55, 0.0, 0.9969357, 1.0358566, 1.01777, (28.4, 2e-3)),
        (Activation::Selu, 1.0, 0.0, 1.0, 1.0715750, 1.03517, (14.47, 1e-3)),
        (Activation::Tanh, 1.76095464, 0.05, 0.5700479, 1.0, 1.0, (f64::INFINITY, 0.0)),
    ];

    fn stable(ensemble: Ensemble) -> FixedPoint {
        match ensemble.fixed_points() {
            FixedPoints::Every => panic!("every length is fixed"),
            FixedPoints::Isolated(points) => *points.iter().rfind(|point| point.is_stable()).unwrap(),
        }
    }

    #[test]
    fn published_fixed_points_and_rates() {
        for (activation, weight_variance, bias_variance, q, chi, norm, (scale, tolerance)) in PUBLISHED {
            let ensemble = Ensemble::new(activation, weight_variance, bias_variance).unwrap();
            let point = stable(ensemble);
            assert!((point.q - q).abs() <= 1e-6 * q.max(1e-9), "{activation}: q* {} for {q}", point.q);
            let found = ensemble.chi(point.q);
            assert_close(found, chi, 2e-6);
            assert_close(found.sqrt(), norm, 3e-5);
            match depth_scale(found) {
                Some(found) => assert_close(found, scale, tolerance),
                None => assert_eq!(scale, f64::INFINITY),
            }
        }
    }

    #[test]
    fn he_relu_is_critical_at_every_length() {
        let he = Ensemble::new(Activation::Relu, 2.0, 0.0).unwrap();
        for q in [0.0, 1e-9, 1.0, 1e30] {
            assert_close(he.chi(q), 1.0, 1e-12);
        }
        assert_eq!(depth_scale(he.chi(1.0)), None);
    }
}
