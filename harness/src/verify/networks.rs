//! The networks that the tables measure.

use isobath_kernels::Level;

use super::{Check, VerifyError};
use crate::activation::Activation;
use crate::architecture::Architecture;
use crate::init::Init;
use crate::probe::{Figures, Setup, measure};
use crate::theory::{Prediction, predict};

/// Half-width of a measured chi's tolerance: mean of logarithms over at least eight networks of width 256.
const MEASURED: f64 = 0.03;

/// Networks of plain layers, eight of them, whose input is as wide as the layers.
pub(super) fn plain(activation: Activation, init: Init, depth: usize, width: usize) -> Setup {
    Setup::plain(Architecture::plain(depth, width, activation, init), 1)
}

/// What theory says of a setup, and what was measured.
pub(super) fn predict_and_measure(setup: &Setup, level: Level) -> Result<(Prediction, Figures), VerifyError> {
    let prediction = predict(&setup.question(None))?;
    let figures = measure(setup, None, level, &prediction)?;
    Ok((prediction, figures))
}

/// The check of a measured chi.
pub(super) fn measured_chi(what: &str, expected: f64, figures: &Figures) -> Check {
    Check::relative(format!("{what}: measured chi"), expected, figures.measured.chi.mean, MEASURED)
}
