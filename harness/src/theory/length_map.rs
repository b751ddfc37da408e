//! The length map V(q) = s_w^2 E phi(sqrt(q) z)^2 + s_b^2: how a layer's pre-activation variance follows from
//! the one below.
//!
//! Its slope is V'(q) = s_w^2 E[phi'^2 + phi phi'']; a fixed point q* = V(q*) is stable where |V'| < 1. V is
//! increasing for every activation here, so a start moves to the next fixed point in the direction of V(q) -
//! q. Homogeneous activations have V linear: either no isolated positive fixed point, or all q are fixed.
//! Domain: 0 <= q <= 1e200 (longer is held there); fixed points are sought in [1e-10, 1e10]. Source: Poole et
//! al. 2016.

use core::f64::consts::LN_10;

use super::ensemble::{Ensemble, mean_square, slope_moment};
use super::phi::{d_phi, d2_phi, phi};
use super::quadrature::gaussian;

/// Lengths are held here, so that squares stay finite in an exploding network.
pub(crate) const LONGEST: f64 = 1e200;
/// |V' - 1| below this counts as exactly 1: it is what rounding s_w^2 to f32 does.
pub(crate) const MARGINAL: f64 = 1e-7;

/// A solution of q = V(q).
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::{Ensemble, FixedPoints};
///
/// // Above variance 1 tanh leaves the origin and settles where its saturation holds it.
/// let FixedPoints::Isolated(points) = Ensemble::new(Activation::Tanh, 1.5, 0.0)?.fixed_points() else {
///     unreachable!("tanh has isolated lengths");
/// };
/// assert!(points[0].q == 0.0 && !points[0].is_stable());
/// assert!(points[1].q > 0.0 && points[1].is_stable());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FixedPoint {
    /// q*.
    pub q: f64,
    /// V'(q*).
    pub slope: f64,
}

impl FixedPoint {
    /// Whether lengths near q* return to it.
    ///
    /// ```
    /// use isobath::theory::FixedPoint;
    ///
    /// assert!(FixedPoint { q: 1.0, slope: 0.8 }.is_stable());
    /// assert!(!FixedPoint { q: 1.0, slope: 1.1 }.is_stable());
    /// ```
    pub fn is_stable(self) -> bool {
        self.slope.abs() < 1.0
    }
}

/// All fixed points of a length map.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::{Ensemble, FixedPoints};
///
/// // ReLU with He's variance keeps every length; with less, all signals die out.
/// let relu = |variance| Ensemble::new(Activation::Relu, variance, 0.0);
/// assert_eq!(relu(2.0)?.fixed_points(), FixedPoints::Every);
/// assert!(matches!(relu(1.0)?.fixed_points(), FixedPoints::Isolated(points) if points[0].q == 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum FixedPoints {
    /// Every length is fixed: a homogeneous activation at its critical variance without biases.
    Every,
    /// These, in increasing order; none if every length diverges.
    Isolated(Vec<FixedPoint>),
}

impl Ensemble {
    /// V(q).
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::Ensemble;
    ///
    /// // Uniform weights of variance 1/3 leave a ReLU layer a sixth of the mean square.
    /// let uniform = Ensemble::new(Activation::Relu, 1.0 / 3.0, 0.0)?;
    /// assert!((uniform.length_map(6.0) - 1.0).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn length_map(self, q: f64) -> f64 {
        self.pre_activation_variance(mean_square(self.activation, q.min(LONGEST))).min(LONGEST)
    }

    /// V'(q).
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::Ensemble;
    ///
    /// // ReLU's map is linear; tanh's bends down, since it saturates.
    /// assert!((Ensemble::new(Activation::Relu, 2.0, 0.0)?.length_slope(5.0) - 1.0).abs() < 1e-12);
    /// let tanh = Ensemble::new(Activation::Tanh, 1.0, 0.0)?;
    /// assert!((tanh.length_slope(0.0) - 1.0).abs() < 1e-12 && tanh.length_slope(1.0) < 0.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn length_slope(self, q: f64) -> f64 {
        if self.activation.is_homogeneous() {
            return self.homogeneous_gain();
        }
        let scale = q.min(LONGEST).sqrt();
        let curvature =
            |h| d_phi(self.activation, h).powi(2) + phi(self.activation, h) * d2_phi(self.activation, h);
        self.weight_variance * gaussian(|z| curvature(scale * z))
    }

    /// V'(q) of a homogeneous activation, the same for every q.
    fn homogeneous_gain(self) -> f64 {
        self.weight_variance * slope_moment(self.activation, 1.0, 2)
    }

    /// All q with V(q) = q.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::{Ensemble, FixedPoint, FixedPoints};
    ///
    /// // q = q/2 + 0.1 for ReLU with variance 1 and a little bias.
    /// let found = Ensemble::new(Activation::Relu, 1.0, 0.1)?.fixed_points();
    /// let FixedPoints::Isolated(points) = found else { unreachable!("biases leave one length") };
    /// let [FixedPoint { q, slope }] = points[..] else { unreachable!("a linear map has one") };
    /// assert!((q - 0.2).abs() < 1e-12 && (slope - 0.5).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fixed_points(self) -> FixedPoints {
        if self.activation.is_homogeneous() {
            self.homogeneous_fixed_points()
        } else {
            self.searched_fixed_points()
        }
    }

    fn homogeneous_fixed_points(self) -> FixedPoints {
        let slope = self.homogeneous_gain();
        if self.bias_variance > 0.0 {
            let q = self.bias_variance / (1.0 - slope);
            return FixedPoints::Isolated(if slope < 1.0 { vec![FixedPoint { q, slope }] } else { vec![] });
        }
        if (slope - 1.0).abs() < MARGINAL {
            return FixedPoints::Every;
        }
        FixedPoints::Isolated(vec![FixedPoint { q: 0.0, slope }])
    }

    fn searched_fixed_points(self) -> FixedPoints {
        let mut points = Vec::new();
        if self.length_map(0.0) == 0.0 {
            points.push(FixedPoint { q: 0.0, slope: self.length_slope(0.0) });
        }
        points.extend(
            log_grid_roots(|q| self.length_map(q) / q - 1.0)
                .into_iter()
                .map(|q| FixedPoint { q, slope: self.length_slope(q) }),
        );
        FixedPoints::Isolated(points)
    }

    /// The fixed point that lengths starting at q move to; None if they diverge, or if every length is fixed.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::{Ensemble, FixedPoints};
    ///
    /// let ensemble = Ensemble::new(Activation::Tanh, 1.5, 0.0)?;
    /// let FixedPoints::Isolated(points) = ensemble.fixed_points() else {
    ///     unreachable!("tanh has isolated lengths")
    /// };
    /// // From either side, signals come to the stable length.
    /// assert_eq!(ensemble.reached_from(&points, 0.001), Some(points[1]));
    /// assert_eq!(ensemble.reached_from(&points, 1000.0), Some(points[1]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reached_from(self, points: &[FixedPoint], q: f64) -> Option<FixedPoint> {
        if self.length_map(q) > q {
            points.iter().copied().find(|point| point.q > q)
        } else {
            points.iter().copied().rfind(|point| point.q <= q)
        }
    }
}

/// The sign changes of f on (1e-10, 1e10), each to the last bits of its logarithm. |f| below 1e-12 is
/// rounding.
pub(crate) fn log_grid_roots(f: impl Fn(f64) -> f64) -> Vec<f64> {
    const STEPS_PER_DECADE: i32 = 20;
    const DECADES: i32 = 10;
    let mut roots = Vec::new();
    let mut last: Option<(f64, bool)> = None;
    for i in -DECADES * STEPS_PER_DECADE..=DECADES * STEPS_PER_DECADE {
        let x = f64::from(i) / f64::from(STEPS_PER_DECADE) * LN_10;
        let value = f(x.exp());
        if value.abs() < 1e-12 {
            continue;
        }
        let negative = value < 0.0;
        if let Some((below, sign)) = last
            && sign != negative
        {
            roots.push(bisect(below, x, |x| (f(x.exp()) < 0.0) == sign).exp());
        }
        last = Some((x, negative));
    }
    roots
}

/// The point between low and high where `is_low` turns from true to false.
fn bisect(mut low: f64, mut high: f64, is_low: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if is_low(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::theory::assert_close;

    fn isolated(activation: Activation, weight_variance: f64, bias_variance: f64) -> Vec<FixedPoint> {
        match Ensemble::new(activation, weight_variance, bias_variance).unwrap().fixed_points() {
            FixedPoints::Every => panic!("every length is fixed"),
            FixedPoints::Isolated(points) => points,
        }
    }

    #[test]
    fn slope_is_the_derivative_of_the_map() {
        for activation in [
            Activation::Sigmoid,
            Activation::Tanh,
            Activation::Elu(1.5),
            Activation::Selu,
            Activation::Gelu,
            Activation::GeluTanh,
            Activation::Silu,
            Activation::Softplus,
            Activation::Leaky(0.1),
        ] {
            let ensemble = Ensemble::new(activation, 1.3, 0.1).unwrap();
            for q in [0.05, 1.0, 7.0] {
                let difference =
                    (ensemble.length_map(q * 1.0001) - ensemble.length_map(q * 0.9999)) / (0.0002 * q);
                assert_close(ensemble.length_slope(q), difference, 1e-6);
            }
        }
    }

    #[test]
    fn homogeneous_maps_are_linear() {
        let he = Ensemble::new(Activation::Relu, 2.0, 0.0).unwrap();
        assert_eq!(he.fixed_points(), FixedPoints::Every);
        assert_close(he.length_map(3.0), 3.0, 1e-12);
        assert_close(isolated(Activation::Relu, 1.0, 0.1)[0].q, 0.2, 1e-12);
        assert!(isolated(Activation::Relu, 3.0, 0.1).is_empty());
        let dying = isolated(Activation::Relu, 1.0, 0.0);
        assert_eq!(dying.len(), 1);
        assert_eq!(dying[0].q, 0.0);
        assert!(dying[0].is_stable());
    }

    #[test]
    fn tanh_above_one_leaves_the_origin() {
        let points = isolated(Activation::Tanh, 1.5, 0.0);
        assert_eq!(points.len(), 2);
        assert!(points[0].q == 0.0 && !points[0].is_stable());
        assert!(points[1].q > 0.1 && points[1].is_stable());
        let ensemble = Ensemble::new(Activation::Tanh, 1.5, 0.0).unwrap();
        assert_eq!(ensemble.reached_from(&points, 1e-3), Some(points[1]));
        assert_eq!(ensemble.reached_from(&points, 1e3), Some(points[1]));
        let mut q = 1e-3;
        for _ in 0..500 {
            q = ensemble.length_map(q);
        }
        assert_close(q, points[1].q, 1e-12);
    }

    #[test]
    fn gelu_has_an_unstable_length() {
        let points = isolated(Activation::Gelu, 2.1, 0.0);
        assert!(points[0].q == 0.0 && points[0].is_stable());
        assert!(!points[1].is_stable());
        let ensemble = Ensemble::new(Activation::Gelu, 2.1, 0.0).unwrap();
        assert_eq!(ensemble.reached_from(&points, 0.99 * points[1].q), Some(points[0]));
        assert_eq!(ensemble.reached_from(&points, 1.01 * points[1].q), None);
    }

    #[test]
    fn selu_keeps_mean_zero_and_variance_one() {
        // The Jacobian of (mean, variance) at (0, 1) has a zero first column; its spectral norm is published
        // as 0.78767.
        let point = isolated(Activation::Selu, 1.0, 0.0)[1];
        assert_close(point.q, 1.0, 1e-9);
        let mean_slope = 0.5 * gaussian(|z| z * d_phi(Activation::Selu, z));
        assert_close(mean_slope.hypot(point.slope), 0.78767, 1e-5);
    }
}
