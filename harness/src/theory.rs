//! Mean-field theory of signal propagation: what a random deep network does to lengths, angles and gradients, before it runs.
//!
//! Everything here is f64 and knows neither networks nor measurements.

pub mod born_dead;
pub mod correlation;
pub mod edge;
pub mod ensemble;
pub mod error;
pub mod finite_width;
pub mod gamma;
pub mod jacobian;
pub mod length_map;
pub mod mean_field;
pub mod norm;
pub mod phi;
pub mod quadrature;
pub mod recurrent;
pub mod residual;

pub use edge::{CriticalPoint, edge_of_chaos};
pub use ensemble::Ensemble;
pub use error::TheoryError;
pub use finite_width::LogGain;
pub use length_map::{FixedPoint, FixedPoints};
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
