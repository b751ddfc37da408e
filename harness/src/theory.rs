//! Mean-field theory of signal propagation: what a random deep network does to lengths, angles and gradients,
//! before it runs.
//!
//! Everything here is f64 and knows neither networks nor measurements. [`predict`] answers a whole
//! [`Question`]; the modules answer its parts.

pub mod born_dead;
pub mod correlation;
mod course;
pub mod edge;
pub mod ensemble;
pub mod error;
pub mod finite_width;
pub(crate) mod gamma;
mod headroom;
pub mod jacobian;
mod layer_law;
mod layer_moments;
pub mod length_map;
pub mod mean_field;
pub mod norm;
pub mod phase;
pub mod phi;
mod predict;
pub mod prediction;
pub mod quadrature;
pub mod question;
pub mod recurrent;
pub mod residual;
pub mod slope;
pub mod spectrum;

pub use edge::{CriticalPoint, edge_of_chaos};
pub use ensemble::Ensemble;
pub use error::TheoryError;
pub use finite_width::LogGain;
pub use length_map::{FixedPoint, FixedPoints};
pub use predict::{predict, predict_recurrent};
pub use prediction::{LayerPrediction, Prediction, Source, TotalLogGain};
pub use question::{Norm, NormPosition, Question};
pub use recurrent::Recurrence;
pub use residual::{BranchEnd, Residual};

/// Fails unless `found` lies within `tolerance` of `expected`, relative to it.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance * expected.abs(),
        "found {found}, expected {expected} within {tolerance}"
    );
}
