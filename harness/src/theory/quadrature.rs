//! Gaussian expectations in one dimension: E f(z), z ~ N(0, 1), to 1e-9 relative, most to 1e-13.
//!
//! Each half line is mapped by z = exp(pi/2 sinh t) and summed with the trapezoidal rule (double exponential
//! quadrature). The nodes crowd doubly exponentially at 0, so a kink there costs nothing, and neither does
//! f(z) = g(c z) for c from 1e-10 to 1e5. Source: Takahasi and Mori, Publ. RIMS 9 (1974).

use core::f64::consts::{FRAC_2_SQRT_PI, FRAC_PI_2, SQRT_2};
use std::sync::OnceLock;

/// A point of the half line and the Gaussian mass that it stands for; the masses of all nodes add up to 1/2.
pub(crate) struct Node {
    pub(crate) z: f64,
    pub(crate) mass: f64,
}

/// The nodes of the half line z > 0.
pub(crate) fn half_line() -> &'static [Node] {
    static NODES: OnceLock<Vec<Node>> = OnceLock::new();
    NODES.get_or_init(|| {
        const STEP: f64 = 1.0 / 48.0;
        const FIRST: i32 = -180; // z = 3e-15
        const LAST: i32 = 60; // z = 12.4, density 1e-34
        let mut nodes: Vec<Node> = (FIRST..=LAST)
            .map(|i| {
                let t = f64::from(i) * STEP;
                let z = (FRAC_PI_2 * t.sinh()).exp();
                Node { z, mass: (-0.5 * z * z).exp() * z * t.cosh() }
            })
            .collect();
        let total: f64 = nodes.iter().map(|node| node.mass).sum();
        for node in &mut nodes {
            node.mass *= 0.5 / total;
        }
        nodes
    })
}

/// E f(z), z ~ N(0, 1). f may have a kink or a jump at 0.
///
/// ```
/// use isobath::theory::quadrature::gaussian;
///
/// // The fourth moment is 3, and a step at 0 costs no accuracy.
/// assert!((gaussian(|z| z.powi(4)) - 3.0).abs() < 1e-9);
/// assert!((gaussian(|z| if z > 0.0 { 1.0 } else { 0.0 }) - 0.5).abs() < 1e-9);
/// ```
pub fn gaussian(f: impl Fn(f64) -> f64) -> f64 {
    half_line().iter().map(|node| node.mass * (f(node.z) + f(-node.z))).sum()
}

/// E f(u1, u2) for a Gaussian pair of unit variances and correlation c in [-1, 1]. f may have kinks or jumps
/// where either argument is 0.
///
/// In polar coordinates u1 = r cos t, u2 = r cos(t - acos c), so that the lines u1 = 0 and u2 = 0 cut the
/// circle into four arcs; each arc is summed by the tanh-sinh rule, which is exact at the ends of an interval
/// whatever happens there.
///
/// ```
/// use isobath::theory::quadrature::gaussian_pair;
///
/// // The product's mean is the correlation, and a pair at 60 degrees is positive together in a third of the cases.
/// let c = 0.5;
/// assert!((gaussian_pair(c, |a, b| a * b) - c).abs() < 1e-9);
/// let both = gaussian_pair(c, |a, b| if a > 0.0 && b > 0.0 { 1.0 } else { 0.0 });
/// assert!((both - 1.0 / 3.0).abs() < 1e-9);
/// ```
pub fn gaussian_pair(c: f64, f: impl Fn(f64, f64) -> f64) -> f64 {
    const STEP: f64 = 0.1;
    const LAST: i32 = 30; // the last angle is 1e-13 of an arc away from the arc's end
    let angle = c.clamp(-1.0, 1.0).acos();
    let ends = [-FRAC_PI_2, angle - FRAC_PI_2, FRAC_PI_2, angle + FRAC_PI_2, 3.0 * FRAC_PI_2];
    let mut sum = 0.0;
    for arc in ends.windows(2) {
        let (centre, radius) = (0.5 * (arc[0] + arc[1]), 0.5 * (arc[1] - arc[0]));
        for i in -LAST..=LAST {
            let s = f64::from(i) * STEP;
            let x = FRAC_PI_2 * s.sinh();
            let t = centre + radius * x.tanh();
            let width = radius * STEP * FRAC_PI_2 * s.cosh() / (x.cosh() * x.cosh());
            let (direction1, direction2) = (t.cos(), (t - angle).cos());
            let ray: f64 =
                half_line().iter().map(|n| n.mass * n.z * f(n.z * direction1, n.z * direction2)).sum();
            sum += width * ray;
        }
    }
    // r exp(-r^2/2) / 2 pi is the normal density times r / sqrt(2 pi).
    sum * 0.5 * FRAC_2_SQRT_PI / SQRT_2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;
    use core::f64::consts::PI;

    #[test]
    fn moments_of_the_normal_distribution() {
        assert_close(gaussian(|_| 1.0), 1.0, 1e-15);
        assert_close(gaussian(|z| z * z), 1.0, 1e-14);
        assert_close(gaussian(|z| z.powi(8)), 105.0, 1e-13);
        assert_close(gaussian(|z| z.abs()), (2.0 / PI).sqrt(), 1e-14);
        assert_close(gaussian(|z| if z > 0.0 { 1.0 } else { 0.0 }), 0.5, 1e-15);
        assert_close(gaussian(f64::exp), 0.5f64.exp(), 1e-14);
    }

    #[test]
    fn steep_and_shallow_integrands() {
        // E sigmoid'(c z) -> 1 / (c sqrt(2 pi)) for large c.
        let steep = gaussian(|z| 0.25 / (0.5 * 1e5 * z).cosh().powi(2));
        assert_close(steep * 1e5 * (2.0 * PI).sqrt(), 1.0, 1e-9);
        assert_close(gaussian(|z| (1e-8 * z).tanh().powi(2)) * 1e16, 1.0, 1e-14);
    }

    #[test]
    fn mish() {
        let softplus = |z: f64| z.max(0.0) + (-z.abs()).exp().ln_1p();
        let value = |z: f64| z * softplus(z).tanh();
        let slope = |z: f64| softplus(z).tanh() + z / softplus(z).cosh().powi(2) / (1.0 + (-z).exp());
        let (square, slope_square) = (gaussian(|z| value(z).powi(2)), gaussian(|z| slope(z).powi(2)));
        assert_close(square, 0.4523421924, 1e-9);
        assert_close(slope_square, 0.4790837584, 1e-9);
        assert_close(slope_square / (square - gaussian(value).powi(2)), 1.21426, 5e-6);
    }

    #[test]
    fn pairs() {
        for c in [-1.0, -0.4, 0.0, 0.3, 0.9, 0.999999, 1.0f64] {
            let angle = c.acos();
            assert_close(gaussian_pair(c, |_, _| 1.0), 1.0, 1e-10);
            assert!((gaussian_pair(c, |a, b| a * b) - c).abs() < 1e-10);
            // The arc-cosine kernels of Cho and Saul 2009.
            let both = gaussian_pair(c, |a, b| if a > 0.0 && b > 0.0 { 1.0 } else { 0.0 });
            assert!((both - (PI - angle) / (2.0 * PI)).abs() < 1e-10);
            let relu = gaussian_pair(c, |a, b| a.max(0.0) * b.max(0.0));
            assert!((relu - ((PI - angle) * c + angle.sin()) / (2.0 * PI)).abs() < 1e-10, "{c}");
        }
    }
}
