//! The promises, checked on this machine: published and independently computed figures beside what theory says and
//! what networks do here ([`theory`]), and every function over all its arguments ([`exhaustive`](exhaustive())).
//!
//! A table holds the figures of one subject. Expected values come from closed forms, from publications or from an
//! independent computation in f64, never from the code under check.

mod activations;
mod check;
mod correlation;
mod edge;
mod exhaustive;
mod finite_width;
mod jacobian;
mod mean_field;
mod networks;
mod normalisation;
mod recurrent;
mod residual;
mod speed;
mod underflow;

pub use check::{Check, Table};
pub use exhaustive::{Largest, LevelHash, Row, Verdict, exhaustive};

use isobath_kernels::{LengthError, Level};
use thiserror::Error;

use crate::data::DataError;
use crate::probe::ProbeError;
use crate::theory::TheoryError;
use crate::train::TrainError;

/// Why a figure could not be computed here; one that is wrong is no error but a [`Check`] that does not hold.
///
/// ```
/// use isobath::theory::edge_of_chaos;
/// use isobath::verify::VerifyError;
///
/// let error = VerifyError::from(edge_of_chaos(isobath::activation::Activation::Tanh, -1.0).unwrap_err());
/// assert_eq!(error.to_string(), "bias variance is -1; allowed is a finite number, 0 or more");
/// assert_eq!(VerifyError::NotStated("sine").to_string(), "no largest error is stated for sine");
/// ```
#[derive(Debug, Error)]
pub enum VerifyError {
    /// A network could not be probed.
    #[error("{0}")]
    Probe(#[from] ProbeError),
    /// A network could not be trained.
    #[error("{0}")]
    Train(#[from] TrainError),
    /// Inputs could not be made.
    #[error("{0}")]
    Data(#[from] DataError),
    /// A question was out of range.
    #[error("{0}")]
    Theory(#[from] TheoryError),
    /// A kernel refused its operands, which would be a defect.
    #[error("{0}")]
    Length(#[from] LengthError),
    /// A function has no row in the documentation of [`isobath_kernels::math`], which would be a defect.
    #[error("no largest error is stated for {0}")]
    NotStated(&'static str),
}

/// A function that computes one table.
type Subject = fn(Level) -> Result<Table, VerifyError>;

/// All tables of the theory, in the order in which they are printed.
const THEORY: [Subject; 11] = [
    |_| Ok(activations::table()),
    mean_field::table,
    |_| edge::table(),
    normalisation::table,
    residual::table,
    finite_width::table,
    jacobian::table,
    correlation::table,
    recurrent::table,
    underflow::table,
    speed::table,
];

/// Checks theory and measurement against published figures. `each` gets every table as soon as it is there, and how
/// many there will be. Networks run in parallel on the current thread pool; no figure depends on it.
///
/// # Errors
/// A network cannot be measured here, for want of memory.
///
/// ```no_run
/// use isobath::verify::{Check, theory};
/// use isobath_kernels::Level;
///
/// // Trains and probes networks for some ten seconds.
/// let tables = theory(Level::detect(), |table, of| println!("{} ({of} tables)", table.subject))?;
/// assert!(tables.iter().flat_map(|table| &table.checks).all(Check::holds));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn theory(level: Level, mut each: impl FnMut(&Table, usize)) -> Result<Vec<Table>, VerifyError> {
    let mut tables = Vec::with_capacity(THEORY.len());
    for subject in THEORY {
        let table = subject(level)?;
        each(&table, THEORY.len());
        tables.push(table);
    }
    Ok(tables)
}
