//! The edge of chaos: s_w^2 at which chi = 1 for a given s_b^2, and whether lengths are stable there.

use super::{Check, Table, VerifyError};
use crate::activation::Activation;
use crate::theory::edge_of_chaos;

/// phi, s_b^2, s_w^2.
const CRITICAL: [(Activation, f64, f64); 10] = [
    (Activation::Tanh, 2.01e-5, 1.04999563),
    (Activation::Tanh, 1e-3, 1.18918959),
    (Activation::Tanh, 0.01, 1.42420529),
    (Activation::Tanh, 0.05, 1.76095464),
    (Activation::Tanh, 0.09, 1.94765463),
    (Activation::Tanh, 0.3, 2.50512719),
    (Activation::Tanh, 1.0, 3.44321091),
    (Activation::Sigmoid, 0.0, 103.007554),
    (Activation::Relu, 0.0, 2.0),
    (Activation::Identity, 0.0, 1.0),
];

/// phi and the slope of length map, above 1, where chi = 1 at s_b^2 = .05.
const UNSTABLE: [(Activation, f64); 2] = [(Activation::Gelu, 1.085), (Activation::Silu, 1.100)];

pub(super) fn table() -> Result<Table, VerifyError> {
    let mut checks = Vec::new();
    for (phi, bias_variance, weight_variance) in CRITICAL {
        let points = edge_of_chaos(phi, bias_variance)?;
        let found = points.first().map(|point| point.weight_variance);
        checks.push(Check::relative(
            format!("{phi}, s_b^2 {bias_variance}: s_w^2"),
            weight_variance,
            found,
            1e-8,
        ));
    }
    for (phi, slope) in UNSTABLE {
        let points = edge_of_chaos(phi, 0.05)?;
        let found = points.iter().map(|point| point.length_slope).fold(f64::NEG_INFINITY, f64::max);
        checks.push(Check::absolute(format!("{phi}, s_b^2 0.05: slope of length map"), slope, found, 6e-4));
    }
    Ok(Table { subject: "edge of chaos", checks })
}
