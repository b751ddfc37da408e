//! Singular values of input-output Jacobians, predicted and measured.

use isobath_kernels::Level;

use super::networks::{plain, predict_and_measure};
use super::{Check, Table, VerifyError};
use crate::activation::Activation;
use crate::init::{Init, WeightVariance};
use crate::probe::Setup;
use crate::theory::jacobian::largest_linear_gaussian;

/// Orthogonal weights of this scale.
const fn orthogonal(weight_variance: f32, bias_variance: f32) -> Init {
    Init { weight_variance: WeightVariance::Fixed(weight_variance), bias_variance, ..Init::ORTHOGONAL }
}

/// Name, phi, weights, layers, Var(s^2) / mean(s^2)^2 in the limit of wide layers, its printed digits' error, and
/// what a width of 128 may be off.
const ROWS: [(&str, Activation, Init, usize, f64, f64, f64); 6] = [
    ("linear", Activation::Identity, Init::LECUN, 1, 1.0, 1e-9, 0.15),
    ("linear", Activation::Identity, Init::LECUN, 4, 4.0, 1e-9, 0.15),
    ("relu", Activation::Relu, Init::HE, 2, 4.0, 1e-9, 0.15),
    ("relu, orthogonal", Activation::Relu, orthogonal(2.0, 0.0), 4, 4.0, 1e-9, 0.15),
    ("tanh, orthogonal", Activation::Tanh, orthogonal(1.05, 2.01e-5), 8, 0.0341, 2e-3, 0.15),
    ("tanh, orthogonal", Activation::Tanh, orthogonal(1.05, 2.01e-5), 32, 0.1366, 1e-3, 0.2),
];

/// Units: the SVD of larger matrices would take most of the time of all tables.
const WIDTH: usize = 128;

pub(super) fn table(level: Level) -> Result<Table, VerifyError> {
    let mut checks = Vec::new();
    let jacobian =
        |activation, init, depth| Setup { jacobian: true, nets: 4, ..plain(activation, init, depth, WIDTH) };
    for (name, activation, init, depth, expected, printed, width) in ROWS {
        let (theory, figures) = predict_and_measure(&jacobian(activation, init, depth), level)?;
        let what = format!("{name}, L = {depth}");
        let found = figures.jacobian.and_then(|jacobian| jacobian.spread.mean);
        checks.push(Check::relative(format!("{what}: var s^2"), expected, theory.jacobian_var, printed));
        checks.push(Check::relative(format!("{what}: measured"), expected, found, width));
    }
    for (depth, expected) in [(1, 4.0), (3, 256.0 / 27.0)] {
        let (_, figures) = predict_and_measure(&jacobian(Activation::Identity, Init::LECUN, depth), level)?;
        let what = format!("linear, L = {depth}: max s^2");
        let largest = figures.jacobian.and_then(|jacobian| jacobian.largest.mean);
        checks.push(Check::relative(what.clone(), expected, largest_linear_gaussian(depth), 1e-9));
        // The mean of the largest s of 128 lies below the limit by n^(-2/3).
        let measured = largest.map(|largest| largest * largest);
        checks.push(Check::relative(format!("{what} measured"), expected, measured, 0.15));
    }
    let (_, figures) = predict_and_measure(&jacobian(Activation::Identity, Init::ORTHOGONAL, 8), level)?;
    let values = figures.jacobian.map(|jacobian| jacobian.singular_values).unwrap_or_default();
    for (which, value) in [("largest", values.first()), ("smallest", values.last())] {
        checks.push(Check::absolute(format!("linear, orthogonal: {which} s"), 1.0, value.copied(), 1e-5));
    }
    Ok(Table { subject: "Jacobians", checks })
}
