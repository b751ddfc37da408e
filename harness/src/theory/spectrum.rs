//! The density of the Jacobian's singular values, dx^L / dh^1 = D_L W_L ... D_2 W_2 D_1 with D_l = diag phi'(h^l) and L - 1
//! square W of variance s_w^2 / n or s_w times orthogonal, as the width grows.
//!
//! The S-transform of a product of free matrices is the product of theirs: with M(u) = E phi'^2 / (u - phi'^2) at each
//! layer, u_l = M^{-1}(z), the squared singular value lambda where the moment function M_JJ equals z is
//!
//! ```text
//! lambda(z) = (1 + z)/z * prod_l z u_l/(1 + z) * prod_W s_w^2 (1 + z, or 1 if orthogonal)
//! ```
//!
//! and the density per ln lambda is -Im z / pi just above the real axis. z is followed from large lambda, where it is
//! mean / lambda, down the imaginary axis and from there to the real one by Newton's method.
//! Domain: width >> depth, phi' independent of the weights. Source: Pennington, Schoenholz and Ganguli 2017, 2018.
//! Cost: some 50 Newton steps per point, each of 2 x 24 slopes per distinct length q.

use std::f64::consts::{FRAC_PI_2, LN_10, PI, TAU};

use nalgebra::Complex;

use super::phi::d_phi;
use super::quadrature::half_line;
use crate::activation::Activation;

/// Slopes that stand for those of a half line of h.
const SLOPES: usize = 24;
/// Lengths closer than this, relative, are one.
const SAME: f64 = 0.02;
/// The most lengths told apart.
const LENGTHS: usize = 6;
/// Angle at which the density is read: it is blurred by so much of ln lambda.
const ANGLE: f64 = 0.01;
/// Steps from the imaginary axis down to it.
const STEPS: usize = 24;

/// The layers of a network.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::spectrum::Layers;
///
/// // Two linear layers with one Gaussian matrix between them have Marchenko and Pastur's density: s^2 below 4.
/// let layers = Layers::new(Activation::Identity, &[1.0, 1.0], 1.0, false).unwrap();
/// let end = 2f64.log10();
/// let density = layers.density(&[end - 0.1, end + 0.1]);
/// assert!(density[0].unwrap() > 0.5 && density[1].unwrap() < 0.05);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Layers {
    groups: Vec<Slopes>,
    /// ln of the product of s_w^2.
    log_gain: f64,
    /// Gaussian W.
    gaussian: f64,
}

/// Layers of one length: phi'^2 as atoms of weights that add up to 1.
#[derive(Clone, Debug, PartialEq)]
struct Slopes {
    q: f64,
    layers: f64,
    atoms: Vec<(f64, f64)>,
}

impl Slopes {
    /// Nodes of the quadrature are put together to atoms of about equal weight, which keeps the mean.
    fn new(activation: Activation, q: f64) -> Self {
        let mut atoms: Vec<(f64, f64)> = Vec::new();
        for side in [-1.0, 1.0] {
            let mut sum = (0.0, 0.0);
            for node in half_line() {
                let square = d_phi(activation, side * q.sqrt() * node.z).powi(2);
                sum = (sum.0 + node.mass, sum.1 + node.mass * square);
                if sum.0 > 0.5 / SLOPES as f64 {
                    atoms.push((sum.0, sum.1 / sum.0));
                    sum = (0.0, 0.0);
                }
            }
            if sum.0 > 0.0 {
                atoms.push((sum.0, sum.1 / sum.0));
            }
        }
        // Homogeneous activations have two slopes.
        atoms.sort_by(|a, b| a.1.total_cmp(&b.1));
        atoms.dedup_by(|next, kept| {
            let same = next.1 == kept.1;
            kept.0 += if same { next.0 } else { 0.0 };
            same
        });
        Self { q, layers: 1.0, atoms }
    }

    fn mean(&self) -> f64 {
        self.atoms.iter().map(|(weight, square)| weight * square).sum()
    }

    /// M and M' at u.
    fn moments(&self, u: Complex<f64>) -> (Complex<f64>, Complex<f64>) {
        let mut sums = (Complex::new(0.0, 0.0), Complex::new(0.0, 0.0));
        for &(weight, square) in &self.atoms {
            let inverse = (u - square).inv();
            let term = inverse * (weight * square);
            sums = (sums.0 + term, sums.1 - term * inverse);
        }
        sums
    }

    /// The u near a guess with M(u) = z, and M'(u).
    fn inverse(&self, z: Complex<f64>, guess: Complex<f64>) -> (Complex<f64>, Complex<f64>) {
        // 1/M is nearly linear in u, which M is not.
        let mut u = guess;
        for _ in 0..12 {
            let (m, slope) = self.moments(u);
            let step = (m.inv() - z.inv()) * m * m / slope;
            u += step;
            if step.norm() <= 1e-12 * u.norm() {
                break;
            }
        }
        (u, self.moments(u).1)
    }
}

/// A place on the curve lambda(z).
#[derive(Clone)]
struct Place {
    z: Complex<f64>,
    u: Vec<Complex<f64>>,
}

impl Layers {
    /// The layers with these variances q at phi's input, from the first; none without layers, without a slope, or where a
    /// length is no number.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::spectrum::Layers;
    ///
    /// assert!(Layers::new(Activation::Tanh, &[0.6; 4], 1.7, true).is_some());
    /// assert!(Layers::new(Activation::Tanh, &[], 1.7, true).is_none());
    /// assert!(Layers::new(Activation::Tanh, &[0.6, f64::NAN], 1.7, true).is_none());
    /// ```
    pub fn new(
        activation: Activation,
        lengths: &[f64],
        weight_variance: f64,
        orthogonal: bool,
    ) -> Option<Self> {
        let mut groups: Vec<Slopes> = Vec::new();
        for &q in lengths {
            if !(q.is_finite() && q > 0.0) {
                return None;
            }
            let away =
                |group: &Slopes| if activation.is_homogeneous() { 0.0 } else { (group.q / q).ln().abs() };
            let is_full = groups.len() == LENGTHS;
            match groups.iter_mut().min_by(|a, b| away(a).total_cmp(&away(b))) {
                Some(nearest) if is_full || away(nearest) < SAME => nearest.layers += 1.0,
                _ => groups.push(Slopes::new(activation, q)),
            }
        }
        let weights = lengths.len().checked_sub(1)? as f64;
        let is_sound = groups.iter().all(|group| group.mean() > 0.0) && weight_variance > 0.0;
        is_sound.then(|| Self {
            groups,
            log_gain: weights * weight_variance.ln(),
            gaussian: if orthogonal { 0.0 } else { weights },
        })
    }

    /// ln of the mean squared singular value.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::spectrum::Layers;
    ///
    /// // Each layer of ReLUs halves the mean, each of the two matrices of He's variance doubles it.
    /// let layers = Layers::new(Activation::Relu, &[1.0; 3], 2.0, false).unwrap();
    /// assert!((layers.log_mean() - 0.5_f64.ln()).abs() < 1e-9);
    /// ```
    pub fn log_mean(&self) -> f64 {
        self.log_gain + self.groups.iter().map(|group| group.layers * group.mean().ln()).sum::<f64>()
    }

    /// The density of log10 s at each of these places, in any order; none where z is lost.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::spectrum::Layers;
    ///
    /// // Marchenko and Pastur at s = 1: sqrt(4 - 1) / 2 pi per s^2, times 2 s^2 ln 10 per decade of s.
    /// let layers = Layers::new(Activation::Identity, &[1.0, 1.0], 1.0, false).unwrap();
    /// let expected = 3f64.sqrt() / std::f64::consts::TAU * 2.0 * 10f64.ln();
    /// assert!((layers.density(&[0.0])[0].unwrap() - expected).abs() < 0.03);
    /// ```
    pub fn density(&self, log10_s: &[f64]) -> Vec<Option<f64>> {
        let mut order: Vec<usize> = (0..log10_s.len()).collect();
        order.sort_by(|a, b| log10_s[*b].total_cmp(&log10_s[*a]));
        let mut densities = vec![None; log10_s.len()];
        let z = 1e-7;
        let mut t = self.log_mean() - f64::ln(z);
        let start = Complex::from_polar(z, -FRAC_PI_2);
        let mut place =
            Place { z: start, u: self.groups.iter().map(|group| start.inv() * group.mean()).collect() };
        for i in order {
            let goal = 2.0 * LN_10 * log10_s[i];
            // Where lambda is too large for it there is nothing.
            if goal >= self.log_mean() - f64::ln(z) {
                densities[i] = Some(0.0);
                continue;
            }
            let steps = ((t - goal) / 0.15).ceil().max(1.0);
            for k in 1..=steps as usize {
                let at = t + (goal - t) * k as f64 / steps;
                if self.follow(&mut place, Complex::new(at, FRAC_PI_2)).is_none() {
                    return densities;
                }
            }
            t = goal;
            let mut down = place.clone();
            let angle = |k: usize| FRAC_PI_2 * (ANGLE / FRAC_PI_2).powf(k as f64 / STEPS as f64);
            let reached = (1..=STEPS).try_for_each(|k| self.follow(&mut down, Complex::new(goal, angle(k))));
            densities[i] = reached.map(|()| (-down.z.im / PI * 2.0 * LN_10).max(0.0));
        }
        densities
    }

    /// Moves to the place where ln lambda is `goal`, which is near.
    fn follow(&self, place: &mut Place, goal: Complex<f64>) -> Option<()> {
        for _ in 0..20 {
            let z = place.z;
            let one = z + 1.0;
            let mut log = one.ln() - z.ln() + self.log_gain + one.ln() * self.gaussian;
            let mut slope = one.inv() * (1.0 + self.gaussian) - z.inv();
            for (group, u) in self.groups.iter().zip(&mut place.u) {
                let (found, moment_slope) = group.inverse(z, *u);
                *u = found;
                log += (z * found / one).ln() * group.layers;
                slope += (z.inv() - one.inv() + (found * moment_slope).inv()) * group.layers;
            }
            let mut away = log - goal;
            // Logarithms are those of the main branch: what is meant is lambda.
            away.im -= TAU * (away.im / TAU).round();
            let step = away / slope;
            // Not beyond the neighbourhood of z, of its pole at 0 and of -1.
            let longest = 0.5 * z.norm().min(one.norm());
            place.z -= if step.norm() > longest { step * (longest / step.norm()) } else { step };
            if !(place.z.re.is_finite() && place.z.im.is_finite()) {
                return None;
            }
            if step.norm() <= 1e-9 * z.norm() {
                return Some(());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::ensemble::slope_moment;
    use crate::theory::jacobian::{jacobian_spread, largest_linear_gaussian};

    /// Points over the decades of s around the mean, at equal distances.
    fn places(layers: &Layers, below: f64, above: f64) -> Vec<f64> {
        let middle = layers.log_mean() / (2.0 * LN_10);
        (0..=600).map(|i| middle - below + (below + above) * f64::from(i) / 600.0).collect()
    }

    #[test]
    fn one_gaussian_matrix_has_the_density_of_marchenko_and_pastur() {
        // Two identity layers, one W: p(lambda) = sqrt((4 - lambda)/lambda) / 2 pi.
        let layers = Layers::new(Activation::Identity, &[1.0; 2], 1.0, false).unwrap();
        let at = [0.01, 0.1, 0.5, 1.0, 2.0, 3.0, 3.8, 4.5, 100.0f64];
        let found = layers.density(&at.map(|lambda| 0.5 * lambda.log10()));
        for (lambda, found) in at.into_iter().zip(found) {
            let expected = ((4.0 - lambda).max(0.0) / lambda).sqrt() / TAU * 2.0 * LN_10 * lambda;
            assert!((found.unwrap() - expected).abs() < 0.03, "{lambda}: {found:?}, not {expected}");
        }
    }

    #[test]
    fn a_product_of_gaussian_matrices_ends_where_fuss_and_catalan_say() {
        // Four matrices: the largest lambda is 5^5 / 4^4.
        let layers = Layers::new(Activation::Identity, &[1.0; 5], 1.0, false).unwrap();
        let end = 0.5 * largest_linear_gaussian(4).log10();
        let found = layers.density(&[end - 0.05, end + 0.05]);
        assert!(found[0].unwrap() > 0.1 && found[1].unwrap() < 0.05, "{found:?}");
    }

    #[test]
    fn moments_are_those_of_the_closed_form() {
        for (activation, q, variance, orthogonal, depth) in [
            (Activation::Tanh, 0.6, 1.7, false, 4),
            (Activation::Tanh, 0.6, 1.7, true, 8),
            (Activation::Sigmoid, 0.4, 1.0, false, 6),
            (Activation::Relu, 1.0, 2.0, false, 3),
            (Activation::Relu, 1.0, 2.0, true, 5),
        ] {
            let layers = Layers::new(activation, &vec![q; depth], variance, orthogonal).unwrap();
            let at = places(&layers, 8.0, 2.0);
            let step = at[1] - at[0];
            // The blur has a tail, which a high moment sees.
            let cut = |p: Option<f64>| p.filter(|p| *p > 0.01).unwrap_or(0.0);
            let density: Vec<f64> = layers.density(&at).into_iter().map(cut).collect();
            let moment = |power: f64| -> f64 {
                let mean = layers.log_mean() / LN_10;
                at.iter().zip(&density).map(|(x, p)| p * 10f64.powf(power * (2.0 * x - mean)) * step).sum()
            };
            let mean =
                slope_moment(activation, q, 2).ln() * depth as f64 + variance.ln() * (depth - 1) as f64;
            assert!((layers.log_mean() - mean).abs() < 1e-6, "{} {mean}", layers.log_mean());
            // Half of a ReLU's singular values are 0, and have no logarithm.
            let share = if activation == Activation::Relu { 0.5 } else { 1.0 };
            assert!(
                (moment(0.0) - share).abs() < 0.03,
                "{activation} {orthogonal}: {} of {share}",
                moment(0.0)
            );
            assert!((moment(1.0) - 1.0).abs() < 0.03, "{activation} {orthogonal}: mean {}", moment(1.0));
            // One W less than layers.
            let last = if orthogonal { 0.0 } else { 1.0 };
            let spread = depth as f64 * jacobian_spread(activation, q, orthogonal) - last;
            let found = moment(2.0) - 1.0;
            assert!(
                (found - spread).abs() < 0.05 * (1.0 + spread),
                "{activation} {orthogonal}: {found}, not {spread}"
            );
        }
    }

    #[test]
    fn what_is_no_network_has_no_density() {
        assert!(Layers::new(Activation::Tanh, &[], 1.0, false).is_none());
        assert!(Layers::new(Activation::Tanh, &[1.0, f64::NAN], 1.0, false).is_none());
        assert!(Layers::new(Activation::Tanh, &[1.0, 1.0], 0.0, false).is_none());
    }
}
