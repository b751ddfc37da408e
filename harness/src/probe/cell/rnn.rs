//! The plain recurrence h' = phi(x W + h U + b); back: dh = (dh' phi') U^T.

use isobath_kernels::{Level, activation};

use super::gate::Gate;
use super::{CellSetup, Tape};
use crate::probe::ProbeError;
use crate::random::Random;

pub(super) struct Rnn {
    gate: Gate,
    slopes: Vec<Vec<f32>>,
    end: Vec<f32>,
}

pub(super) fn run(
    setup: &CellSetup,
    weights: &mut Random,
    inputs: &mut Random,
    start: Vec<f32>,
    level: Level,
) -> Result<Rnn, ProbeError> {
    let gate = Gate::draw(setup, weights, None)?;
    let mut h = start;
    let mut x = vec![0.0; h.len()];
    let mut slopes = Vec::with_capacity(setup.steps);
    for _ in 0..setup.steps {
        inputs.fill_normal(&mut x, 1.0);
        let (next, slope) = gate.run(level, setup.activation, &x, &h)?;
        h = next;
        slopes.push(slope);
    }
    Ok(Rnn { gate, slopes, end: h })
}

impl Tape for Rnn {
    fn end(&self) -> &[f32] {
        &self.end
    }

    fn back(&self, level: Level, t: usize, state: &mut Vec<f32>, _: &mut Vec<f32>) -> Result<(), ProbeError> {
        let done = activation::multiply(level, &self.slopes[t], state);
        done.map_err(|error| ProbeError::Loss(error.to_string()))?;
        *state = self.gate.back(level, state)?;
        Ok(())
    }
}
