//! The activation functions in f64: phi, phi', phi'' for quadrature.
//!
//! Domain: every finite h. At a kink (h = 0) the derivatives are one-sided and follow the sign of zero:
//! phi'(-0.0) is the left limit. So E phi'(sqrt(q) z)^2 at q = 0 is its limit for q -> 0. phi'' leaves out
//! the point mass at a kink, which is right in E[phi phi''] because phi is 0 at every kink here.
//! Source: definitions; SELU's constants from Klambauer et al. 2017, GELU's tanh form from Hendrycks and
//! Gimpel 2016.

use core::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use crate::activation::Activation;

const SELU_LAMBDA: f64 = 1.0507009873554805;
const SELU_ALPHA: f64 = 1.6732632423543772;
const GELU_CUBIC: f64 = 0.044715;

/// phi(h).
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::phi::phi;
///
/// assert_eq!(phi(Activation::Sigmoid, 0.0), 0.5);
/// assert_eq!(phi(Activation::Relu, -2.0), 0.0);
/// assert_eq!(phi(Activation::Leaky(0.25), -2.0), -0.5);
/// ```
pub fn phi(activation: Activation, h: f64) -> f64 {
    match activation {
        Activation::Identity => h,
        Activation::Sigmoid => sigmoid(h),
        Activation::Tanh => h.tanh(),
        Activation::Relu => h.max(0.0),
        Activation::Leaky(slope) | Activation::Prelu(slope) => h * kinked_slope(h, slope),
        Activation::Elu(alpha) => elu(h, f64::from(alpha)),
        Activation::Selu => SELU_LAMBDA * elu(h, SELU_ALPHA),
        Activation::Gelu => h * normal_cdf(h),
        Activation::GeluTanh => h * sigmoid(2.0 * gelu_inner(h)),
        Activation::Silu => h * sigmoid(h),
        Activation::Softplus => h.max(0.0) + (-h.abs()).exp().ln_1p(),
    }
}

/// phi'(h).
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::phi::d_phi;
///
/// assert_eq!(d_phi(Activation::Sigmoid, 0.0), 0.25);
/// // A kink has two slopes: the sign of zero says which.
/// assert_eq!((d_phi(Activation::Relu, -0.0), d_phi(Activation::Relu, 0.0)), (0.0, 1.0));
/// ```
pub fn d_phi(activation: Activation, h: f64) -> f64 {
    match activation {
        Activation::Identity => 1.0,
        Activation::Sigmoid => d_sigmoid(h),
        Activation::Tanh => 4.0 * d_sigmoid(2.0 * h),
        Activation::Relu => kinked_slope(h, 0.0),
        Activation::Leaky(slope) | Activation::Prelu(slope) => kinked_slope(h, slope),
        Activation::Elu(alpha) => d_elu(h, f64::from(alpha)),
        Activation::Selu => SELU_LAMBDA * d_elu(h, SELU_ALPHA),
        Activation::Gelu => normal_cdf(h) + h * normal_pdf(h),
        Activation::GeluTanh => {
            let g = 2.0 * gelu_inner(h);
            sigmoid(g) + h * d_sigmoid(g) * 2.0 * d_gelu_inner(h)
        }
        Activation::Silu => sigmoid(h) + h * d_sigmoid(h),
        Activation::Softplus => sigmoid(h),
    }
}

/// phi''(h), without point masses.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::phi::d2_phi;
///
/// // Tanh and sigmoid bend most on both sides of 0, where they are straight; ReLU does not bend.
/// assert_eq!(d2_phi(Activation::Tanh, 0.0), 0.0);
/// assert_eq!(d2_phi(Activation::Sigmoid, 1.0), -d2_phi(Activation::Sigmoid, -1.0));
/// assert_eq!(d2_phi(Activation::Relu, 1.0), 0.0);
/// ```
pub fn d2_phi(activation: Activation, h: f64) -> f64 {
    match activation {
        Activation::Identity | Activation::Relu | Activation::Leaky(_) | Activation::Prelu(_) => 0.0,
        Activation::Sigmoid => d2_sigmoid(h),
        Activation::Tanh => 8.0 * d2_sigmoid(2.0 * h),
        Activation::Elu(alpha) => d2_elu(h, f64::from(alpha)),
        Activation::Selu => SELU_LAMBDA * d2_elu(h, SELU_ALPHA),
        Activation::Gelu => (2.0 - h * h) * normal_pdf(h),
        Activation::GeluTanh => {
            let (g, slope, bend) = (2.0 * gelu_inner(h), 2.0 * d_gelu_inner(h), 2.0 * d2_gelu_inner(h));
            d_sigmoid(g) * (2.0 * slope + h * bend) + h * d2_sigmoid(g) * slope * slope
        }
        Activation::Silu => 2.0 * d_sigmoid(h) + h * d2_sigmoid(h),
        Activation::Softplus => d_sigmoid(h),
    }
}

/// The largest |phi'| over all h.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::phi::max_derivative;
///
/// // Ten sigmoid layers, weights apart, leave at most a millionth.
/// let depth = 10;
/// assert!(max_derivative(Activation::Sigmoid).powi(depth) < 1e-6);
/// assert_eq!(max_derivative(Activation::Tanh).powi(depth), 1.0);
/// ```
pub fn max_derivative(activation: Activation) -> f64 {
    match activation {
        Activation::Sigmoid => 0.25,
        Activation::Identity | Activation::Tanh | Activation::Relu | Activation::Softplus => 1.0,
        Activation::Leaky(slope) | Activation::Prelu(slope) | Activation::Elu(slope) => {
            f64::from(slope).abs().max(1.0)
        }
        Activation::Selu => SELU_LAMBDA * SELU_ALPHA,
        Activation::Gelu | Activation::GeluTanh | Activation::Silu => {
            d_phi(activation, inflection(activation))
        }
    }
}

/// Where phi'' of GELU, its tanh form or SiLU turns from positive to negative, so that phi' is largest: between 1 and 4
/// for all three.
pub(super) fn inflection(activation: Activation) -> f64 {
    let (mut low, mut high) = (1.0, 4.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if d2_phi(activation, middle) > 0.0 { low = middle } else { high = middle }
    }
    low
}

fn sigmoid(h: f64) -> f64 {
    1.0 / (1.0 + (-h).exp())
}

fn d_sigmoid(h: f64) -> f64 {
    let e = (-h.abs()).exp();
    e / ((1.0 + e) * (1.0 + e))
}

fn d2_sigmoid(h: f64) -> f64 {
    -d_sigmoid(h) * (0.5 * h).tanh()
}

fn kinked_slope(h: f64, negative: f32) -> f64 {
    if h.is_sign_negative() { f64::from(negative) } else { 1.0 }
}

fn elu(h: f64, alpha: f64) -> f64 {
    if h.is_sign_negative() { alpha * h.exp_m1() } else { h }
}

fn d_elu(h: f64, alpha: f64) -> f64 {
    if h.is_sign_negative() { alpha * h.exp() } else { 1.0 }
}

fn d2_elu(h: f64, alpha: f64) -> f64 {
    if h.is_sign_negative() { alpha * h.exp() } else { 0.0 }
}

fn normal_cdf(h: f64) -> f64 {
    0.5 * libm::erfc(-h * FRAC_1_SQRT_2)
}

fn normal_pdf(h: f64) -> f64 {
    0.5 * FRAC_1_SQRT_2 * FRAC_2_SQRT_PI * (-0.5 * h * h).exp()
}

/// g in GELU's tanh form h (1 + tanh g) / 2 = h sigmoid(2 g).
fn gelu_inner(h: f64) -> f64 {
    FRAC_1_SQRT_2 * FRAC_2_SQRT_PI * (h + GELU_CUBIC * h * h * h)
}

fn d_gelu_inner(h: f64) -> f64 {
    FRAC_1_SQRT_2 * FRAC_2_SQRT_PI * (1.0 + 3.0 * GELU_CUBIC * h * h)
}

fn d2_gelu_inner(h: f64) -> f64 {
    FRAC_1_SQRT_2 * FRAC_2_SQRT_PI * 6.0 * GELU_CUBIC * h
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::theory::assert_close;

    pub(in crate::theory) const ALL: [Activation; 12] = [
        Activation::Identity,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Relu,
        Activation::Leaky(0.01),
        Activation::Prelu(0.25),
        Activation::Elu(1.5),
        Activation::Selu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::Softplus,
    ];

    #[test]
    fn derivatives_match_finite_differences() {
        let step = 1e-5;
        for activation in ALL {
            for h in [-6.0, -2.3, -0.7, -0.1, 0.1, 0.9, 1.5, 3.1, 7.0] {
                let slope = (phi(activation, h + step) - phi(activation, h - step)) / (2.0 * step);
                let bend = (d_phi(activation, h + step) - d_phi(activation, h - step)) / (2.0 * step);
                assert!((d_phi(activation, h) - slope).abs() < 1e-9, "{activation} slope at {h}");
                assert!((d2_phi(activation, h) - bend).abs() < 1e-9, "{activation} curvature at {h}");
            }
        }
    }

    #[test]
    fn stays_finite_far_out() {
        for activation in ALL {
            for h in [-1e100, -800.0, 800.0, 1e100] {
                for f in [phi, d_phi, d2_phi] {
                    assert!(f(activation, h).is_finite(), "{activation} at {h}");
                }
            }
        }
    }

    #[test]
    fn largest_slopes() {
        for (activation, expected) in [
            (Activation::Sigmoid, 0.25),
            (Activation::Tanh, 1.0),
            (Activation::Relu, 1.0),
            (Activation::Leaky(0.01), 1.0),
            (Activation::Elu(1.0), 1.0),
            (Activation::Elu(1.5), 1.5),
            (Activation::Selu, 1.0507009873554805 * 1.6732632423543772),
            (Activation::Gelu, 1.1289041452),
            (Activation::Silu, 1.0998393201),
            (Activation::Softplus, 1.0),
        ] {
            assert_close(max_derivative(activation), expected, 1e-9);
        }
    }
}
