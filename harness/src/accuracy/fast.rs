//! Every function in f64, with a relative error below 1e-12 or NaN: tells at which arguments the oracle must be asked.
//!
//! The platform's mathematics will do, for no result depends on it.

use std::f64::consts::FRAC_1_SQRT_2;

use super::functions::ELU_ALPHA;

pub(super) fn sigmoid(x: f64) -> f64 {
    if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
}
pub(super) fn sigmoid_derivative(x: f64) -> f64 {
    sigmoid(x) * sigmoid(-x)
}
pub(super) fn tanh_derivative(x: f64) -> f64 {
    4.0 * sigmoid_derivative(2.0 * x)
}
/// NaN near the zero of a derivative, where f64 cancels.
fn away(x: f64, zero: f64, y: f64) -> f64 {
    if (x - zero).abs() < 1e-3 { f64::NAN } else { y }
}
pub(super) fn silu(x: f64) -> f64 {
    if x == f64::NEG_INFINITY { 0.0 } else { x * sigmoid(x) }
}
pub(super) fn silu_derivative(x: f64) -> f64 {
    if x.abs() > 1e4 {
        return f64::from(x > 0.0);
    }
    away(x, -1.27846454, sigmoid(x) * (1.0 + x * sigmoid(-x)))
}
const C: f64 = 1.5957691216057308;
pub(super) fn gelu_tanh(x: f64) -> f64 {
    if x < -100.0 { 0.0 } else { x * sigmoid(C * x * (1.0 + 0.044715 * x * x)) }
}
pub(super) fn gelu_tanh_derivative(x: f64) -> f64 {
    if x.abs() > 100.0 {
        return f64::from(x > 0.0);
    }
    let (w, slope) = (C * x * (1.0 + 0.044715 * x * x), C * (1.0 + 3.0 * 0.044715 * x * x));
    away(x, -0.75246142, sigmoid(w) * (1.0 + x * slope * sigmoid(-w)))
}
pub(super) fn normal_distribution(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}
pub(super) fn gelu(x: f64) -> f64 {
    if x < -40.0 { 0.0 } else { x * normal_distribution(x) }
}
pub(super) fn gelu_derivative(x: f64) -> f64 {
    if x.abs() > 40.0 {
        return f64::from(x > 0.0);
    }
    let density = 0.3989422804014327 * (-0.5 * x * x).exp();
    away(x, -0.75179162, normal_distribution(x) + x * density)
}
pub(super) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
pub(super) fn elu(x: f64) -> f64 {
    if x < 0.0 { f64::from(ELU_ALPHA) * x.exp_m1() } else { x }
}
pub(super) fn elu_derivative(x: f64) -> f64 {
    if x <= 0.0 { f64::from(ELU_ALPHA) * x.exp() } else { 1.0 }
}
pub(super) fn selu(x: f64) -> f64 {
    if x < 0.0 { 1.7580993408473768 * x.exp_m1() } else { 1.0507009873554805 * x }
}
pub(super) fn selu_derivative(x: f64) -> f64 {
    if x <= 0.0 { 1.7580993408473768 * x.exp() } else { 1.0507009873554805 }
}
