//! Growth of residual networks per block, predicted and measured.

use core::f64::consts::{E, PI};

use isobath_kernels::Level;

use super::networks::{measured_chi, plain, predict_and_measure};
use super::{Check, Table, VerifyError};
use crate::activation::Activation;
use crate::architecture::{Architecture, Residual};
use crate::init::Init;
use crate::probe::Setup;
use crate::theory::{self, BranchEnd, Ensemble};

fn blocks(phi: Activation, init: Init, depth: usize, width: usize, residual: Residual) -> Setup {
    let plain = plain(phi, init, depth, width);
    Setup { architecture: Architecture { residual: Some(residual), ..plain.architecture }, ..plain }
}

pub(super) fn table(level: Level) -> Result<Table, VerifyError> {
    let mut checks = Vec::new();
    for (scale, depth) in [(1.0, 20), (0.5, 20)] {
        let expected = 1.0 + f64::from(scale * scale);
        let branch = Residual::new(scale, 2, true);
        let (theory, figures) =
            predict_and_measure(&blocks(Activation::Relu, Init::HE, depth, 256, branch), level)?;
        let what = format!("relu, linear last, s = {scale}");
        checks.push(Check::relative(format!("{what}: rate"), expected, theory.rate_squared, 1e-9));
        checks.push(measured_chi(&what, expected, &figures));
    }

    // (1 + 1/L)^L tends to e.
    let he = Ensemble::new(Activation::Relu, 2.0, 0.0)?;
    let unit = BranchEnd::Linear { weight_variance: 1.0 };
    let growth = |residual: theory::Residual, ensemble, depth, width| -> f64 {
        residual.blocks(ensemble, 1.0, depth, width).iter().map(|block| block.growth.ln()).sum()
    };
    let scaled = theory::Residual::new(1e-2, 2, unit)?;
    checks.push(Check::relative(
        "s = 1/sqrt L, L = 10^4: growth in all",
        E,
        growth(scaled, he, 10_000, 64).exp(),
        1e-4,
    ));
    let both = theory::Residual::new(0.5, 2, BranchEnd::Linear { weight_variance: 2.0 })?;
    checks.push(Check::relative(
        "relu, He on both, s = 0.5: rate",
        1.5,
        growth(both, he, 1, 256).exp(),
        1e-9,
    ));

    let last = Residual::new(0.5, 2, false);
    let (theory, figures) = predict_and_measure(&blocks(Activation::Relu, Init::HE, 30, 256, last), level)?;
    let what = "relu, phi last, 30 x 256";
    let predicted = theory.log_gain.map(|gain| (gain.mean / 30.0).exp());
    checks.push(Check::relative(format!("{what}: mean growth"), 1.436, predicted, 0.03));
    checks.push(measured_chi(what, 1.436, &figures));

    // x + tanh(W x): ln of the squared growth over sqrt L, extrapolated, as the error falls like 1/sqrt L.
    let tanh = Ensemble::new(Activation::Tanh, 1.0, 0.0)?;
    let single = theory::Residual::new(1.0, 1, BranchEnd::Activation)?;
    let logs = [1000, 4000, 16_000].map(|depth| growth(single, tanh, depth, 4096));
    let slopes = [(logs[1] - logs[0]) / 1000f64.sqrt(), (logs[2] - logs[1]) / 4000f64.sqrt()];
    let limit = 4.0 / (3.0 * (0.5 * PI).sqrt());
    checks.push(Check::relative(
        "x + tanh(W x): growth per sqrt L",
        limit,
        2.0 * slopes[1] - slopes[0],
        5e-3,
    ));
    Ok(Table { subject: "residual networks", checks })
}
