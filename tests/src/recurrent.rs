//! Recurrent layers again, in f64, one sample and one unit at a time.
//!
//! Shared with the code under test: [`Recurrent`], and how its parameters lie: W row by row, U row by row, b; gates
//! side by side in the order i, f, o, g (LSTM), n, z, r in W and b but z, r, n in U (GRU).

use isobath::net::{Cell, Recurrent, Shown};

use crate::network::activate;

/// What to add to a state after a step, to see what that does to the loss.
#[derive(Clone, Copy, Debug)]
pub struct Nudge {
    /// The step, from 1.
    pub step: usize,
    /// Whether c is meant, of which h' is made then; else h.
    pub of_memory: bool,
    /// The unit.
    pub unit: usize,
    /// How much.
    pub by: f64,
}

/// Numbers of parameters: of W, U and b, for so many values per step.
pub fn parameter_count(layer: &Recurrent, features: usize) -> usize {
    let gates = match layer.cell {
        Cell::Lstm => 4,
        Cell::Gru => 3,
        Cell::Rnn(_) => 1,
    };
    (features + layer.units + 1) * gates * layer.units
}

/// h after each of the steps of the sequence `x`.
pub fn states(
    layer: &Recurrent,
    parameters: &[f64],
    x: &[f64],
    steps: usize,
    nudge: Option<Nudge>,
) -> Vec<Vec<f64>> {
    let (n, features) = (layer.units, x.len() / steps);
    let columns = parameters.len() / (features + n + 1);
    let (w, rest) = parameters.split_at(features * columns);
    let (u, b) = rest.split_at(n * columns);
    let product = |x: &[f64], m: &[f64], column: usize| -> f64 {
        x.iter().enumerate().map(|(i, x)| x * m[i * columns + column]).sum()
    };
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let (mut h, mut c) = (vec![0.0; n], vec![0.0; n]);
    let mut states = Vec::new();
    for (t, x) in x.chunks(features).enumerate() {
        let of_input = |gate: usize, k: usize| b[gate * n + k] + product(x, w, gate * n + k);
        let of_state = |gate: usize, k: usize| product(&h, u, gate * n + k);
        let sum = |gate, k| of_input(gate, k) + of_state(gate, k);
        let nudged = |of_memory: bool, k: usize| match nudge {
            Some(nudge) if (nudge.step, nudge.of_memory, nudge.unit) == (t + 1, of_memory, k) => nudge.by,
            _ => 0.0,
        };
        let next: Vec<f64> = (0..n)
            .map(|k| match layer.cell {
                Cell::Lstm => {
                    let kept = sigmoid(sum(1, k)) * c[k] + sigmoid(sum(0, k)) * sum(3, k).tanh();
                    c[k] = kept + nudged(true, k);
                    sigmoid(sum(2, k)) * c[k].tanh()
                }
                Cell::Gru => {
                    let z = sigmoid(of_input(1, k) + of_state(0, k));
                    let r = sigmoid(of_input(2, k) + of_state(1, k));
                    z * h[k] + (1.0 - z) * (of_input(0, k) + r * of_state(2, k)).tanh()
                }
                Cell::Rnn(phi) => activate(phi, None, sum(0, k)),
            })
            .collect();
        h = next.iter().enumerate().map(|(k, h)| h + nudged(false, k)).collect();
        states.push(h.clone());
    }
    states
}

/// The output for one sample: the last states.
pub fn output(
    layer: &Recurrent,
    parameters: &[f64],
    x: &[f64],
    steps: usize,
    nudge: Option<Nudge>,
) -> Vec<f64> {
    let states = states(layer, parameters, x, steps, nudge);
    match layer.shown {
        Shown::All => states.concat(),
        Shown::Last(shown) => states[steps - shown..].concat(),
    }
}
