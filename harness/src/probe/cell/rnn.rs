//! The plain recurrence h' = phi(x W + h U + b); back: dh = (dh' phi') U^T.

use isobath_kernels::{Level, activation};

use super::CellSetup;
use super::gate::Gate;
use super::tape::Recurrent;
use crate::activation::Activation;
use crate::probe::ProbeError;
use crate::random::Random;

pub(super) struct Rnn {
    gate: Gate,
    phi: Activation,
}

impl Rnn {
    pub(super) fn draw(setup: &CellSetup, weights: &mut Random) -> Result<Self, ProbeError> {
        Ok(Self { gate: Gate::draw(setup, weights, None)?, phi: setup.activation })
    }
}

impl Recurrent for Rnn {
    /// The slopes of phi.
    type Kept = Vec<f32>;

    fn step(
        &self,
        level: Level,
        x: &[f32],
        h: &mut Vec<f32>,
        _: &mut Vec<f32>,
    ) -> Result<Vec<f32>, ProbeError> {
        let next = self.gate.run(level, self.phi, x, h)?;
        *h = next.value;
        Ok(next.slope)
    }

    fn back(
        &self,
        level: Level,
        slopes: &Vec<f32>,
        dh: &mut Vec<f32>,
        _: &mut Vec<f32>,
    ) -> Result<(), ProbeError> {
        let done = activation::multiply(level, slopes, dh);
        done.map_err(|error| ProbeError::Loss(error.to_string()))?;
        *dh = self.gate.back(level, dh)?;
        Ok(())
    }
}
