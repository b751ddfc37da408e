//! Correlation of two inputs' gradients in He ReLU networks, predicted and measured.

use isobath_kernels::Level;

use super::networks::{plain, predict_and_measure};
use super::{Check, Table, VerifyError};
use crate::activation::Activation;
use crate::init::Init;
use crate::probe::Setup;

/// Layers, and what is left of the gradients' correlation for inputs of correlation .9.
const HE: [(usize, f64); 5] = [(1, 0.8564), (2, 0.7396), (5, 0.4965), (10, 0.2839), (20, 0.1192)];

pub(super) fn table(level: Level) -> Result<Table, VerifyError> {
    let mut checks = Vec::new();
    for (depth, expected) in HE {
        let he = plain(Activation::Relu, Init::HE, depth, 256);
        let setup = Setup { pair_correlation: Some(0.9), nets: 32, ..he };
        let (theory, figures) = predict_and_measure(&setup, level)?;
        let found = figures.measured.gradient_correlation.and_then(|sample| sample.mean);
        let what = format!("relu He, {depth} layers");
        checks.push(Check::absolute(what.clone(), expected, theory.gradient_correlation, 5.1e-5));
        checks.push(Check::absolute(format!("{what}: measured"), expected, found, 0.03));
    }
    Ok(Table { subject: "gradient correlation, rho = 0.9", checks })
}
