//! The gated recurrent unit. Back, with n the candidate and s = h U_n: dn = dh' (1 - z), dz = dh' (h - n), both times
//! their slopes; dr = dn s times its own; dh = dh' z + dz U_z^T + dr U_r^T + (dn r) U_n^T.

use isobath_kernels::Level;

use super::gate::{Gate, activate};
use super::{CellSetup, Tape};
use crate::activation::Activation;
use crate::probe::ProbeError;
use crate::random::Random;

pub(super) struct Gru {
    update: Gate,
    reset: Gate,
    candidate: Gate,
    steps: Vec<Step>,
    end: Vec<f32>,
}

/// What a step keeps: each gate's value and slope, the state before it, and h U of the candidate.
struct Step {
    update: (Vec<f32>, Vec<f32>),
    reset: (Vec<f32>, Vec<f32>),
    candidate: (Vec<f32>, Vec<f32>),
    before: Vec<f32>,
    recalled: Vec<f32>,
}

pub(super) fn run(
    setup: &CellSetup,
    weights: &mut Random,
    inputs: &mut Random,
    start: Vec<f32>,
    level: Level,
) -> Result<Gru, ProbeError> {
    let mut gate = |bias| Gate::draw(setup, weights, bias);
    let (update, reset, candidate) = (gate(Some(setup.forget_bias))?, gate(None)?, gate(None)?);
    let mut gru = Gru { update, reset, candidate, steps: Vec::with_capacity(setup.steps), end: Vec::new() };
    let mut h = start;
    let mut x = vec![0.0; h.len()];
    for _ in 0..setup.steps {
        inputs.fill_normal(&mut x, 1.0);
        let update = gru.update.run(level, Activation::Sigmoid, &x, &h)?;
        let reset = gru.reset.run(level, Activation::Sigmoid, &x, &h)?;
        let recalled = gru.candidate.of_state(level, &h)?;
        let mut sum = gru.candidate.of_input(level, &x)?;
        for k in 0..sum.len() {
            sum[k] += reset.0[k] * recalled[k];
        }
        let candidate = activate(level, Activation::Tanh, sum)?;
        let next = (0..h.len()).map(|k| update.0[k] * h[k] + (1.0 - update.0[k]) * candidate.0[k]).collect();
        let before = core::mem::replace(&mut h, next);
        gru.steps.push(Step { update, reset, candidate, before, recalled });
    }
    gru.end = h;
    Ok(gru)
}

impl Tape for Gru {
    fn end(&self) -> &[f32] {
        &self.end
    }

    fn back(&self, level: Level, t: usize, state: &mut Vec<f32>, _: &mut Vec<f32>) -> Result<(), ProbeError> {
        let Step { update, reset, candidate, before, recalled } = &self.steps[t];
        let each = |value: &dyn Fn(usize) -> f32| (0..before.len()).map(value).collect::<Vec<f32>>();
        let dn = each(&|k| state[k] * (1.0 - update.0[k]) * candidate.1[k]);
        let gates = [
            (&self.update, each(&|k| state[k] * (before[k] - candidate.0[k]) * update.1[k])),
            (&self.reset, each(&|k| dn[k] * recalled[k] * reset.1[k])),
            (&self.candidate, each(&|k| dn[k] * reset.0[k])),
        ];
        state.iter_mut().zip(&update.0).for_each(|(dh, z)| *dh *= z);
        for (gate, delta) in gates {
            state.iter_mut().zip(gate.back(level, &delta)?).for_each(|(sum, more)| *sum += more);
        }
        Ok(())
    }
}
