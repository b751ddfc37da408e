//! The gated recurrent unit. Back, with n the candidate and s = h U_n: dn = dh' (1 - z), dz = dh' (h - n), both times
//! their slopes; dr = dn s times its own; dh = dh' z + dz U_z^T + dr U_r^T + (dn r) U_n^T.

use core::mem::replace;

use isobath_kernels::Level;

use super::CellSetup;
use super::gate::{Active, Gate, activate, add_back};
use super::tape::Recurrent;
use crate::activation::Activation;
use crate::probe::ProbeError;
use crate::random::Random;

pub(super) struct Gru {
    update: Gate,
    reset: Gate,
    candidate: Gate,
}

/// Each gate, the state before the step, and h U of the candidate.
pub(super) struct Kept {
    update: Active,
    reset: Active,
    candidate: Active,
    before: Vec<f32>,
    recalled: Vec<f32>,
}

impl Gru {
    pub(super) fn draw(setup: &CellSetup, weights: &mut Random) -> Result<Self, ProbeError> {
        let mut gate = |bias| Gate::draw(setup, weights, bias);
        Ok(Self { update: gate(Some(setup.forget_bias))?, reset: gate(None)?, candidate: gate(None)? })
    }
}

impl Recurrent for Gru {
    type Kept = Kept;

    fn step(&self, level: Level, x: &[f32], h: &mut Vec<f32>, _: &mut Vec<f32>) -> Result<Kept, ProbeError> {
        let update = self.update.run(level, Activation::Sigmoid, x, h)?;
        let reset = self.reset.run(level, Activation::Sigmoid, x, h)?;
        let recalled = self.candidate.of_state(level, h)?;
        let mut sum = self.candidate.of_input(level, x)?;
        (0..sum.len()).for_each(|k| sum[k] += reset.value[k] * recalled[k]);
        let candidate = activate(level, Activation::Tanh, sum)?;
        let z = &update.value;
        let next = (0..h.len()).map(|k| z[k] * h[k] + (1.0 - z[k]) * candidate.value[k]).collect();
        Ok(Kept { before: replace(h, next), update, reset, candidate, recalled })
    }

    fn back(
        &self,
        level: Level,
        Kept { update, reset, candidate, before, recalled }: &Kept,
        dh: &mut Vec<f32>,
        _: &mut Vec<f32>,
    ) -> Result<(), ProbeError> {
        let each = |value: &dyn Fn(usize) -> f32| (0..before.len()).map(value).collect::<Vec<f32>>();
        let dn = each(&|k| dh[k] * (1.0 - update.value[k]) * candidate.slope[k]);
        let gates = [
            (&self.update, each(&|k| dh[k] * (before[k] - candidate.value[k]) * update.slope[k])),
            (&self.reset, each(&|k| dn[k] * recalled[k] * reset.slope[k])),
            (&self.candidate, each(&|k| dn[k] * reset.value[k])),
        ];
        dh.iter_mut().zip(&update.value).for_each(|(dh, z)| *dh *= z);
        add_back(level, &gates, dh)
    }
}
