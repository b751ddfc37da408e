//! Narrow networks: mean and variance of the log gain over networks, and how many are dead at birth.

use isobath_kernels::Level;

use super::networks::{plain, predict_and_measure};
use super::{Check, Table, VerifyError};
use crate::activation::Activation;
use crate::init::Init;
use crate::probe::Setup;
use crate::theory::gamma::{digamma, trigamma};

/// Mean and variance of a He ReLU layer's log gain: ln(4/n) + E psi(k/2) and E psi1(k/2) + Var psi(k/2) with k units
/// of n active, k > 0, each with probability 1/2.
fn relu_law(n: usize) -> (f64, f64) {
    let mut weight = 1.0;
    let mut terms = Vec::with_capacity(n);
    for k in 1..=n {
        weight *= (n + 1 - k) as f64 / k as f64;
        terms.push((0.5 * k as f64, weight));
    }
    let total: f64 = terms.iter().map(|(_, weight)| weight).sum();
    let mean =
        |f: &dyn Fn(f64) -> f64| -> f64 { terms.iter().map(|(x, weight)| weight / total * f(*x)).sum() };
    let centre = mean(&digamma);
    let spread = mean(&|x| trigamma(x) + (digamma(x) - centre).powi(2));
    ((4.0 / n as f64).ln() + centre, spread)
}

pub(super) fn table(level: Level) -> Result<Table, VerifyError> {
    let mut checks = Vec::new();
    for (width, nets) in [(16, 2000), (64, 1000)] {
        let (mean, var) = relu_law(width);
        let setup = Setup { nets, ..plain(Activation::Relu, Init::HE, 11, width) };
        let (theory, figures) = predict_and_measure(&setup, level)?;
        let (predicted, measured) = (theory.log_gain, figures.measured.log_gain);
        let what = format!("relu He, 10 factors of {width}");
        // Four standard errors of a mean and of a variance.
        let mean_error = 4.0 * (10.0 * var / nets as f64).sqrt();
        let var_error = 4.0 * 10.0 * var * (2.0 / nets as f64).sqrt();
        let predicted_var = predicted.and_then(|gain| gain.var);
        checks.extend([
            Check::relative(format!("{what}: log gain"), 10.0 * mean, predicted.map(|gain| gain.mean), 1e-9),
            Check::relative(format!("{what}: variance"), 10.0 * var, predicted_var, 1e-9),
            Check::absolute(format!("{what}: measured"), 10.0 * mean, measured.mean, mean_error),
            Check::absolute(format!("{what}: measured var"), 10.0 * var, measured.var, var_error),
        ]);
    }
    for (width, depth, expected) in [(2, 4, 0.6836), (3, 8, 0.6564)] {
        let setup = Setup { nets: 4000, ..plain(Activation::Relu, Init::HE, depth, width) };
        let (theory, figures) = predict_and_measure(&setup, level)?;
        let what = format!("relu He, {depth} layers of {width}");
        let found = figures.measured.zero_gradient_fraction;
        checks.push(Check::absolute(format!("{what}: born dead"), expected, theory.born_dead, 5e-5));
        // Four deviations of the fraction.
        checks.push(Check::absolute(format!("{what}: measured dead"), expected, found, 0.03));
    }
    Ok(Table { subject: "finite width", checks })
}
