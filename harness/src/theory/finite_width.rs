//! Finite width: mean and variance over networks of ln(||delta^l||^2 / ||delta^{l+1}||^2) for one layer of n
//! units.
//!
//! With g^l = W^T delta^{l+1}, Gaussian given ||delta^{l+1}||, the ratio is s_w^2/n sum_i phi'(h_i)^2 g_i^2.
//! - ReLU, exact: k ~ Bin(n, 1/2) units are active and the sum is chi^2 with k degrees of freedom, so the
//!   mean is ln(2 s_w^2/n) + E psi(k/2) and the variance E psi1(k/2) + Var psi(k/2), given k > 0.
//! - Linear, exact: the same with k = n.
//! - Any other phi, approximate: the mean of n independent terms Y = phi'^2 g^2 has the relative variance
//!   v = (E Y^2 / (E Y)^2 - 1) / n = (3 E phi'^4 / (E phi'^2)^2 - 1) / n; a Gamma variable with these two
//!   moments (shape 1/v) gives ln chi + psi(1/v) - ln(1/v) and psi1(1/v) (Satterthwaite 1946). It is right to
//!   first order in 1/n given q, and exact for linear layers.
//! - Orthogonal W: sum_i g_i^2 is fixed, which leaves v = 3 (E phi'^4 / (E phi'^2)^2 - 1) / n; v = 0 if
//!   linear.
//!
//! What the noise of q and the dependence of delta on W add is in `course`.
//!
//! Domain: n >= 1, forward and backward weights treated as independent. Source: Hanin and Nica 2020 for ReLU;
//! derived here.

use super::born_dead::dies;
use super::ensemble::{Ensemble, slope_moment};
use super::gamma::{digamma, trigamma};

/// Above this width ReLU's exact law and the Gamma approximation agree to 1e-11.
const WIDEST_EXACT: usize = 1 << 20;

/// Mean and variance of the logarithm of a squared gain.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::Ensemble;
/// use isobath::theory::finite_width::layer_log_gain;
///
/// // Orthogonal matrices without a nonlinearity keep every gradient, in every network.
/// let linear = Ensemble::new(Activation::Identity, 1.0, 0.0)?;
/// let gain = layer_log_gain(linear, 1.0, 64, true);
/// assert!(gain.mean.abs() < 1e-12 && gain.var.abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogGain {
    /// Mean.
    pub mean: f64,
    /// Variance.
    pub var: f64,
}

/// The log gain of one layer of `width` units at pre-activation variance q.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::Ensemble;
/// use isobath::theory::finite_width::layer_log_gain;
///
/// // He keeps the mean of the square, but the mean of its logarithm falls by 5 / (2 n) per layer.
/// let he = Ensemble::new(Activation::Relu, 2.0, 0.0)?;
/// let [narrow, wide] = [64, 512].map(|n| layer_log_gain(he, 1.0, n, false));
/// assert!((narrow.mean / (-2.5 / 64.0) - 1.0).abs() < 0.1);
/// assert!((wide.mean / (-2.5 / 512.0) - 1.0).abs() < 0.02);
/// assert!(narrow.var > wide.var);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn layer_log_gain(ensemble: Ensemble, q: f64, width: usize, orthogonal: bool) -> LogGain {
    if dies(ensemble.activation) && !orthogonal && width <= WIDEST_EXACT {
        return relu_log_gain(ensemble.weight_variance, width);
    }
    let v = relative_variance(ensemble, q, width, orthogonal);
    let (shift, var) = log_of_gamma(v);
    LogGain { mean: ensemble.chi(q).ln() + shift, var }
}

/// v: the variance of one layer's squared gain over its squared mean.
pub(crate) fn relative_variance(ensemble: Ensemble, q: f64, width: usize, orthogonal: bool) -> f64 {
    let second = slope_moment(ensemble.activation, q, 2);
    let ratio = slope_moment(ensemble.activation, q, 4) / (second * second);
    (if orthogonal { 3.0 * (ratio - 1.0) } else { 3.0 * ratio - 1.0 }) / width as f64
}

/// E ln X and Var ln X for a Gamma variable X of mean 1 and variance v.
pub(crate) fn log_of_gamma(v: f64) -> (f64, f64) {
    // Below, psi(1/v) - ln(1/v) cancels to nothing; its series is -v/2.
    if v < 1e-12 { (-0.5 * v.max(0.0), v.max(0.0)) } else { (digamma(1.0 / v) + v.ln(), trigamma(1.0 / v)) }
}

/// The exact law of a ReLU layer.
fn relu_log_gain(weight_variance: f64, width: usize) -> LogGain {
    let active = binomial_half(width);
    let expectation = |f: &dyn Fn(f64) -> f64| -> f64 { active.iter().map(|(k, p)| p * f(0.5 * k)).sum() };
    let mean = expectation(&digamma);
    let spread = expectation(&|x| (digamma(x) - mean).powi(2));
    LogGain { mean: (2.0 * weight_variance / width as f64).ln() + mean, var: expectation(&trigamma) + spread }
}

/// k and P(k) of Bin(n, 1/2) given k > 0, outwards from the centre while P(k) matters.
fn binomial_half(n: usize) -> Vec<(f64, f64)> {
    let centre = n.div_ceil(2);
    let odds = |k: usize| (n - k) as f64 / (k + 1) as f64; // P(k + 1) / P(k)
    let upwards = (centre..n).scan(1.0, |p, k| {
        *p *= odds(k);
        (*p > 1e-20).then_some((k + 1, *p))
    });
    let downwards = (1..centre).rev().scan(1.0, |p, k| {
        *p /= odds(k);
        (*p > 1e-20).then_some((k, *p))
    });
    let terms: Vec<(usize, f64)> = upwards.chain(downwards).chain([(centre, 1.0)]).collect();
    let total: f64 = terms.iter().map(|(_, p)| p).sum();
    terms.into_iter().map(|(k, p)| (k as f64, p / total)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::theory::assert_close;
    use crate::theory::gamma::{digamma, trigamma};

    fn gain(activation: Activation, weight_variance: f64, width: usize, orthogonal: bool) -> LogGain {
        layer_log_gain(Ensemble::new(activation, weight_variance, 0.0).unwrap(), 1.0, width, orthogonal)
    }

    #[test]
    fn relu_by_hand() {
        // Two units: one active with 2/3, both with 1/3.
        let (one, two) = (digamma(0.5), digamma(1.0));
        let mean = (2.0 * one + two) / 3.0;
        let spread = (2.0 * (one - mean).powi(2) + (two - mean).powi(2)) / 3.0;
        let found = gain(Activation::Relu, 2.0, 2, false);
        assert_eq!(binomial_half(1), [(1.0, 1.0)]);
        assert_close(found.mean, 2f64.ln() + mean, 1e-12);
        assert_close(found.var, (2.0 * trigamma(0.5) + trigamma(1.0)) / 3.0 + spread, 1e-12);
    }

    #[test]
    fn wide_relu_loses_five_over_two_n() {
        let found = gain(Activation::Relu, 2.0, 4000, false);
        assert_close(found.mean, -2.5 / 4000.0, 2e-3);
        assert_close(found.var, 5.0 / 4000.0, 2e-3);
        // The Gamma approximation agrees with the exact law.
        let (shift, var) = log_of_gamma(5.0 / 4000.0);
        assert_close(found.mean, shift, 2e-3);
        assert_close(found.var, var, 2e-3);
    }

    #[test]
    fn widths_without_end_are_no_burden() {
        let [exact, approximate] =
            [WIDEST_EXACT, WIDEST_EXACT + 1].map(|n| gain(Activation::Relu, 2.0, n, false));
        assert!((exact.mean - approximate.mean).abs() < 1e-11);
        assert_close(exact.var, approximate.var, 1e-5);
        assert!(gain(Activation::Relu, 2.0, usize::MAX, false).mean.abs() < 1e-11);
    }

    #[test]
    fn linear_is_chi_squared() {
        let found = gain(Activation::Identity, 1.0, 7, false);
        assert_close(found.mean, (2.0f64 / 7.0).ln() + digamma(3.5), 1e-11);
        assert_close(found.var, trigamma(3.5), 1e-11);
        let orthogonal = gain(Activation::Identity, 1.0, 7, true);
        assert!(orthogonal.mean.abs() < 1e-12 && orthogonal.var.abs() < 1e-12);
    }
}
