//! Gradients below the range of f32, which are figures here and not zero.

use isobath_kernels::Level;

use super::networks::{plain, predict_and_measure};
use super::{Check, Table, VerifyError};
use crate::activation::Activation;
use crate::init::Init;

pub(super) fn table(level: Level) -> Result<Table, VerifyError> {
    let mut checks = Vec::new();
    for depth in [80, 300] {
        let (_, figures) = predict_and_measure(&plain(Activation::Sigmoid, Init::XAVIER, depth, 64), level)?;
        // Three hundred factors of ratio sqrt(.0557207), less what a width of 64 takes off the mean logarithm.
        let expected = 0.5 * (depth - 1) as f64 * 0.0557207f64.log10();
        let found = figures.measured.log10_delta_ratio.mean;
        checks.push(Check::relative(format!("sigmoid, {depth} layers: log10 ratio"), expected, found, 0.01));
        let zero = figures.measured.zero_gradient_fraction;
        checks.push(Check::absolute(format!("sigmoid, {depth} layers: zero gradients"), 0.0, zero, 0.0));
    }
    Ok(Table { subject: "underflow", checks })
}
