//! What keeps a cell's gradient: for gated cells the bias of the gate that keeps the state, for a plain recurrence an
//! orthogonal matrix without a nonlinearity. Candidates are run and the one with the healthiest gradient is taken.
//!
//! A bias of ln T keeps a state for about T steps (Tallec and Ollivier 2018); orthogonal: Arjovsky et al. 2016.

use isobath_kernels::Level;

use super::{Cell, CellReport, CellSetup, probe_cell};
use crate::activation::Activation;
use crate::init::Init;
use crate::probe::ProbeError;

/// A remedy and what it did.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::probe::{Cell, CellSetup, cell_fix, probe_cell};
/// use isobath_kernels::Level;
///
/// let setup = CellSetup {
///     cell: Cell::Lstm,
///     width: 8,
///     steps: 10,
///     forget_bias: 0.0,
///     activation: Activation::Tanh,
///     init: Init::XAVIER,
///     batch: 1,
///     nets: 4,
///     seed: 1,
/// };
/// let report = probe_cell(&setup, Level::detect())?;
/// let fix = cell_fix(&setup, &report, Level::detect())?.unwrap();
/// assert_eq!(
///     fix.change,
///     format!("start the bias of the gate that keeps the state at {}", fix.setup.forget_bias)
/// );
/// assert!(fix.report.decades.unwrap() > report.decades.unwrap());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CellFix {
    /// In words.
    pub change: String,
    /// The cells with it.
    pub setup: CellSetup,
    /// What was found when it was run.
    pub report: CellReport,
}

/// What helps the cells of `setup`, with the proof; none where nothing is wrong or nothing helps.
///
/// # Errors
/// A remedy's cells cannot be measured.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::probe::{Cell, CellSetup, cell_fix, probe_cell};
/// use isobath_kernels::Level;
///
/// let setup = CellSetup {
///     cell: Cell::Rnn,
///     width: 8,
///     steps: 10,
///     forget_bias: 0.0,
///     activation: Activation::Tanh,
///     init: Init::XAVIER,
///     batch: 1,
///     nets: 4,
///     seed: 1,
/// };
/// let report = probe_cell(&setup, Level::detect())?;
/// let fix = cell_fix(&setup, &report, Level::detect())?.unwrap();
/// assert_eq!(fix.change, "an orthogonal matrix and no nonlinearity");
/// // That is healthy, and needs no fix.
/// assert!(fix.report.decades.unwrap().abs() < 1e-5);
/// assert!(cell_fix(&fix.setup, &fix.report, Level::detect())?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn cell_fix(setup: &CellSetup, report: &CellReport, level: Level) -> Result<Option<CellFix>, ProbeError> {
    if !report.kind.is_sick() {
        return Ok(None);
    }
    let sickness = |report: &CellReport| report.decades.map_or(f64::INFINITY, f64::abs);
    let mut best: Option<CellFix> = None;
    for (change, setup) in candidates(setup) {
        let found = probe_cell(&setup, level)?;
        let better = best.as_ref().map_or(sickness(report), |best| sickness(&best.report));
        if sickness(&found) < better {
            best = Some(CellFix { change, setup, report: found });
        }
    }
    Ok(best)
}

fn candidates(setup: &CellSetup) -> Vec<(String, CellSetup)> {
    if setup.cell == Cell::Rnn {
        let change = "an orthogonal matrix and no nonlinearity".to_owned();
        return vec![(
            change,
            CellSetup { activation: Activation::Identity, init: Init::ORTHOGONAL, ..*setup },
        )];
    }
    let long = ((setup.steps as f32).ln() * 100.0).round() / 100.0;
    [long, 1.0, 2.0, 3.0, 4.0, 5.0]
        .into_iter()
        .filter(|bias| *bias != setup.forget_bias)
        .map(|forget_bias| {
            let change = format!("start the bias of the gate that keeps the state at {forget_bias}");
            (change, CellSetup { forget_bias, ..*setup })
        })
        .collect()
}
