//! Factors per step in time, where they are exact.

use super::{Check, Table};
use crate::theory::Recurrence;

/// Bias of the gate that keeps the state, and its sigmoid.
const GATES: [(f64, f64); 5] =
    [(0.0, 0.5), (1.0, 0.731059), (2.0, 0.880797), (3.0, 0.952574), (5.0, 0.993307)];

pub(super) fn table() -> Table {
    let mut checks = Vec::new();
    for (forget_bias, rate) in GATES {
        let found = Recurrence::ZeroWeightGate { forget_bias }.rate();
        checks.push(Check::absolute(
            format!("gate, bias {forget_bias}: factor per step"),
            rate,
            found,
            5.1e-7,
        ));
    }
    let found = Recurrence::ScaledOrthogonal { gain: 1.1 }.rate();
    checks.push(Check::relative("1.1 Q, orthogonal: factor per step", 1.1, found, 1e-12));
    Table { subject: "recurrences", checks }
}
