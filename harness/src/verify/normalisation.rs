//! Rates of normalised networks, predicted and measured.

use core::f64::consts::PI;

use isobath_kernels::Level;

use super::networks::{measured_chi, plain, predict_and_measure};
use super::{Check, Table, VerifyError};
use crate::activation::Activation;
use crate::architecture::{Architecture, Norm};
use crate::init::Init;
use crate::probe::Setup;

/// Networks with a normalisation before phi.
fn normalised(phi: Activation, norm: Norm, init: Init, depth: usize, width: usize, batch: usize) -> Setup {
    let plain = plain(phi, init, depth, width);
    Setup { architecture: Architecture { norm, ..plain.architecture }, batch, ..plain }
}

pub(super) fn table(level: Level) -> Result<Table, VerifyError> {
    let mut checks = Vec::new();

    let relu = Setup { nets: 3, ..normalised(Activation::Relu, Norm::Batch, Init::HE, 12, 512, 128) };
    let (theory, figures) = predict_and_measure(&relu, level)?;
    checks.push(Check::relative("batch norm, relu: rate", PI / (PI - 1.0), theory.rate_squared, 1e-9));
    checks.push(measured_chi("batch norm, relu, B = 128", 1.4753, &figures));
    // Batch norm takes the size of the weights out; its epsilon alone remembers it.
    let scaled = Setup {
        architecture: Architecture { init: Init::gaussian(200.0, 0.0), ..relu.architecture },
        ..relu
    };
    let (_, ten_times) = predict_and_measure(&scaled, level)?;
    let unscaled = figures.measured.chi.mean.unwrap_or(f64::NAN);
    let what = "batch norm, relu, W times 10: measured";
    checks.push(Check::relative(what, unscaled, ten_times.measured.chi.mean, 1e-3));

    for batch in [8, 32] {
        let expected = (batch as f64 - 2.0) / (batch as f64 - 3.0);
        let linear = normalised(Activation::Identity, Norm::Batch, Init::LECUN, 16, 512, batch);
        let (theory, figures) = predict_and_measure(&linear, level)?;
        let what = format!("batch norm, linear, B = {batch}");
        checks.push(Check::relative(format!("{what}: rate"), expected, theory.rate_squared, 1e-12));
        checks.push(measured_chi(&what, expected, &figures));
    }

    for (phi, init, rate, error) in [
        (Activation::Relu, Init::HE, 1.0, 1e-9),
        (Activation::Tanh, Init::LECUN, 1.178, 5e-4),
        (Activation::Sigmoid, Init::LECUN, 0.1528, 5e-5),
    ] {
        let (theory, figures) = predict_and_measure(&normalised(phi, Norm::Layer, init, 20, 256, 1), level)?;
        let what = format!("layer norm, {phi}");
        checks.push(Check::absolute(format!("{what}: rate"), rate, theory.rate_squared, error));
        checks.push(measured_chi(&what, rate, &figures));
    }
    Ok(Table { subject: "normalisation", checks })
}
