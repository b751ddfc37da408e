//! Constants of the activations: the largest slope, Gaussian moments, the rate under batch norm.

use super::{Check, Table};
use crate::activation::Activation;
use crate::theory::ensemble::{mean_square, slope_moment};
use crate::theory::norm::batch_norm_rate;
use crate::theory::phi::max_derivative;

/// phi, max phi', E phi^2, E phi'^2 at unit variance, E phi'^2 / Var phi with its printed digits' error.
const CONSTANTS: [(Activation, f64, f64, f64, f64); 9] = [
    (Activation::Sigmoid, 0.25, 0.2933790359, 0.0448362414, 1.03359),
    (Activation::Tanh, 1.0, 0.3942944904, 0.4644029024, 1.17781),
    (Activation::Relu, 1.0, 0.5, 0.5, 1.46694),
    (Activation::Elu(1.0), 1.0, 0.6449454175, 0.6681020012, 1.07901),
    // The slope is lambda alpha, just left of 0.
    (Activation::Selu, 1.7580993408473766, 1.0, 1.0715749925, 1.07157),
    (Activation::Gelu, 1.1289041452, 0.4252214826, 0.4558508656, 1.31884),
    (Activation::Silu, 1.0998393201, 0.3557755198, 0.3794823516, 1.21208),
    (Activation::Softplus, 1.0, 0.9212459089, 0.2933790359, 1.08053),
    (Activation::Identity, 1.0, 1.0, 1.0, 1.0),
];

/// Leaky ReLU's slope and its rate under batch norm; both moments are (1 + slope^2) / 2.
const LEAKY: [(f32, f64); 3] = [(0.01, 1.45337), (0.02, 1.44006), (0.2, 1.24360)];

pub(super) fn table() -> Table {
    let mut checks = Vec::new();
    let leaky = LEAKY.map(|(slope, rate)| {
        let moment = 0.5 * (1.0 + f64::from(slope).powi(2));
        (Activation::Leaky(slope), 1.0, moment, moment, rate)
    });
    for (phi, largest, square, slope_square, rate) in CONSTANTS.into_iter().chain(leaky) {
        checks.extend([
            Check::relative(format!("{phi}: max phi'"), largest, max_derivative(phi), 1e-9),
            Check::relative(format!("{phi}: E phi^2"), square, mean_square(phi, 1.0), 1e-9),
            Check::relative(format!("{phi}: E phi'^2"), slope_square, slope_moment(phi, 1.0, 2), 2e-9),
            Check::absolute(format!("{phi}: E phi'^2 / Var phi"), rate, batch_norm_rate(phi), 6e-6),
        ]);
    }
    Table { subject: "activations at unit variance", checks }
}
