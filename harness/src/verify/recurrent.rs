//! Factors per step in time: where they are exact, predicted and measured; of random LSTMs, measured.

use isobath_kernels::Level;

use super::{Check, Table, VerifyError};
use crate::activation::Activation;
use crate::init::{Init, WeightVariance};
use crate::probe::{Cell, CellSetup, probe_cell};
use crate::theory::Recurrence;

/// Bias of the gate that keeps the state, and its sigmoid.
const GATES: [(f64, f64); 5] =
    [(0.0, 0.5), (1.0, 0.731059), (2.0, 0.880797), (3.0, 0.952574), (5.0, 0.993307)];

/// The same bias, and what an LSTM of 64 units with weights U(-1/sqrt n, 1/sqrt n) multiplies the gradient of its state
/// by per step, over 100 steps, in an independent simulation.
const LSTM: [(f32, f64); 4] = [(0.0, 0.600), (1.0, 0.806), (2.0, 0.946), (5.0, 1.019)];

/// Cells of 64 units over 100 steps.
const CELLS: CellSetup = CellSetup {
    cell: Cell::Lstm,
    width: 64,
    steps: 100,
    forget_bias: 0.0,
    activation: Activation::Identity,
    init: Init::UNIFORM,
    batch: 1,
    nets: 8,
    seed: 1,
};

pub(super) fn table(level: Level) -> Result<Table, VerifyError> {
    let mut checks = Vec::new();
    let measure = |setup: &CellSetup| Ok::<_, VerifyError>(probe_cell(setup, level)?.factor_per_step);
    let no_weights = Init { weight_variance: WeightVariance::Fixed(1e-30), ..Init::LECUN };
    for (forget_bias, rate) in GATES {
        let predicted = Recurrence::ZeroWeightGate { forget_bias }.rate();
        let what = format!("no weights, bias {forget_bias}");
        checks.push(Check::absolute(format!("{what}: per step"), rate, predicted, 5.1e-7));
        for (name, cell) in [("lstm", Cell::Lstm), ("gru", Cell::Gru)] {
            let setup = CellSetup { cell, forget_bias: forget_bias as f32, init: no_weights, ..CELLS };
            checks.push(Check::absolute(format!("{what}: measured, {name}"), rate, measure(&setup)?, 2e-6));
        }
    }
    let orthogonal = Init { weight_variance: WeightVariance::Fixed(1.21), ..Init::ORTHOGONAL };
    let rnn = CellSetup { cell: Cell::Rnn, init: orthogonal, ..CELLS };
    let predicted = Recurrence::ScaledOrthogonal { gain: 1.1 }.rate();
    checks.push(Check::relative("rnn, 1.1 Q: per step", 1.1, predicted, 1e-12));
    checks.push(Check::relative("rnn, 1.1 Q: measured", 1.1, measure(&rnn)?, 1e-5));
    for (forget_bias, rate) in LSTM {
        let setup = CellSetup { forget_bias, ..CELLS };
        checks.push(Check::relative(
            format!("lstm, bias {forget_bias}: measured"),
            rate,
            measure(&setup)?,
            0.015,
        ));
    }
    Ok(Table { subject: "recurrences", checks })
}
