//! The Gaussian moments of one plain layer at pre-activation variance q from which its finite-width behaviour
//! follows.
//!
//! With z ~ N(0, 1), h = sqrt(q) z, m = E phi'^2, e = E phi^2 and V = V(q); the weights first(z) = (z^2 -
//! 1)/2 and second(z) = (z^4 - 6 z^2 + 3)/4 take the derivatives q d/dq and q^2 d^2/dq^2 of an expectation
//! without differentiating phi. Noise in the length, eps = q / E q - 1:
//!   ln chi gains A eps + (A_2 - A^2) eps^2 / 2,  A = E phi'^2 first / m,  A_2 = E phi'^2 second / m;
//!   above, eps' = D eps + D_2 eps^2 / 2 + eta,  D = s_w^2 E phi^2 first / V,  D_2 = s_w^2 E phi^2 second /
//!   V, n Var eta = s_w^4 Var phi^2 / V^2,  n Cov(eta, nu) = s_w^2 Cov(phi^2, phi'^2) / (V m), nu the layer's
//!   own noise in ln chi.
//! Orthogonal W keeps ||W x||, so variances lose their projection on z^2 and the bias alone adds 2 (1 - (1 -
//! s_b^2/V)^2). Alignment R = E (t.delta)^2 / (E t^2 E ||delta||^2) of the gradient with t = W x = h - b:
//!   R_l = R_free + R_kept R_{l+1}, from R_free + R_kept at the top; see `course`.
//!
//! Domain: 0 <= q <= 1e200. Derived here; checked by simulation.

use super::ensemble::Ensemble;
use super::finite_width::{LogGain, layer_log_gain};
use super::phi::{d_phi, phi};
use super::quadrature::gaussian;

/// Shorter lengths are held here, where ratios of moments are at their limits and squares do not underflow.
const SHORTEST: f64 = 1e-200;

/// The moments; noises are those of a layer of n units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerMoments {
    /// The layer's own log gain, given its q.
    pub(crate) gain: LogGain,
    /// A and A_2.
    pub(crate) gain_slope: f64,
    pub(crate) gain_curve: f64,
    /// D and D_2.
    pub(crate) length_slope: f64,
    pub(crate) length_curve: f64,
    /// E eta.
    pub(crate) length_shift: f64,
    /// Var eta and Cov(eta, nu).
    pub(crate) length_noise: f64,
    pub(crate) cross_noise: f64,
    /// R_free and R_kept.
    pub(crate) alignment_free: f64,
    pub(crate) alignment_kept: f64,
    /// E phi'^2 phi^2 / (m e) / n: the weight of the direction of x in ||delta||^2.
    pub(crate) alignment_weight: f64,
}

impl LayerMoments {
    pub(crate) fn new(ensemble: Ensemble, q: f64, width: usize, orthogonal: bool) -> Self {
        let n = width as f64;
        let q = q.max(SHORTEST);
        let scale = q.sqrt();
        let m = gaussian(|z| d_phi(ensemble.activation, scale * z).powi(2));
        let e = gaussian(|z| phi(ensemble.activation, scale * z).powi(2));
        // phi^2 and phi'^2 over their means, and phi phi' over the root of both.
        let square = |z: f64| phi(ensemble.activation, scale * z).powi(2) / e;
        let slope = |z: f64| d_phi(ensemble.activation, scale * z).powi(2) / m;
        let mixed = |z: f64| {
            phi(ensemble.activation, scale * z) / e.sqrt() * d_phi(ensemble.activation, scale * z) / m.sqrt()
        };
        let gain_slope = gaussian(|z| slope(z) * first(z));
        let square_slope = gaussian(|z| square(z) * first(z));
        let mut gain = layer_log_gain(ensemble, q, width, orthogonal);
        let mut square_noise = gaussian(|z| square(z) * (square(z) - 1.0));
        let mut cross_noise = gaussian(|z| square(z) * (slope(z) - 1.0));
        // The parts of V and of q that come from the layer's weights.
        let share_above = 1.0 - ensemble.bias_variance / ensemble.pre_activation_variance(e);
        let share = (1.0 - ensemble.bias_variance / q).max(0.0);
        let gain_curve = gaussian(|z| slope(z) * second(z));
        let length_curve = share_above * gaussian(|z| square(z) * second(z));
        let mut alignment_weight = gaussian(|z| square(z) * slope(z)) / n;
        let mut bias_noise = 0.0;
        let mut length_shift = 0.0;
        if orthogonal {
            // Cov(f, z^2) = 2 E f first, and Var z^2 = 2.
            square_noise -= 2.0 * square_slope * square_slope;
            cross_noise -= 2.0 * square_slope * gain_slope;
            let lost = 2.0 * gain_slope * gain_slope / n;
            gain = LogGain { mean: gain.mean + 0.5 * lost - gain_curve / n, var: (gain.var - lost).max(0.0) };
            length_shift = -length_curve / n;
            alignment_weight -= 1.0 / n;
            bias_noise = 2.0 * (1.0 - share_above * share_above);
        }
        let pull = gaussian(|z| z * mixed(z)).powi(2);
        Self {
            gain,
            gain_slope,
            gain_curve,
            length_slope: share_above * square_slope,
            length_curve,
            length_shift,
            length_noise: (share_above * share_above * square_noise + bias_noise) / n,
            cross_noise: share_above * cross_noise / n,
            alignment_free: share * (gaussian(|z| z * z * slope(z)) - pull) + 1.0 - share,
            alignment_kept: share * pull,
            alignment_weight,
        }
    }
}

/// q d/dq of the density of sqrt(q) z, over the density.
fn first(z: f64) -> f64 {
    0.5 * (z * z - 1.0)
}

/// q^2 d^2/dq^2 of the density, over the density.
fn second(z: f64) -> f64 {
    0.25 * (z * z * (z * z - 6.0) + 3.0)
}
