//! Long short-term memory. Back, with y = tanh c': dc' += dh' o (1 - y^2); dc = dc' f; dh = sum over gates of delta U^T.

use core::mem::replace;

use isobath_kernels::Level;

use super::CellSetup;
use super::gate::{Active, Gate, activate, add_back};
use super::tape::Recurrent;
use crate::activation::Activation;
use crate::probe::ProbeError;
use crate::random::Random;

pub(super) struct Lstm {
    input: Gate,
    forget: Gate,
    candidate: Gate,
    output: Gate,
}

/// Each gate, c before the step, and tanh c'.
pub(super) struct Kept {
    input: Active,
    forget: Active,
    candidate: Active,
    output: Active,
    before: Vec<f32>,
    bounded: Active,
}

impl Lstm {
    pub(super) fn draw(setup: &CellSetup, weights: &mut Random) -> Result<Self, ProbeError> {
        let mut gate = |bias| Gate::draw(setup, weights, bias);
        let (input, forget) = (gate(None)?, gate(Some(setup.forget_bias))?);
        Ok(Self { input, forget, candidate: gate(None)?, output: gate(None)? })
    }
}

impl Recurrent for Lstm {
    type Kept = Kept;

    fn step(&self, level: Level, x: &[f32], c: &mut Vec<f32>, h: &mut Vec<f32>) -> Result<Kept, ProbeError> {
        let input = self.input.run(level, Activation::Sigmoid, x, h)?;
        let forget = self.forget.run(level, Activation::Sigmoid, x, h)?;
        let candidate = self.candidate.run(level, Activation::Tanh, x, h)?;
        let output = self.output.run(level, Activation::Sigmoid, x, h)?;
        let (i, f, g) = (&input.value, &forget.value, &candidate.value);
        let next: Vec<f32> = (0..c.len()).map(|k| f[k] * c[k] + i[k] * g[k]).collect();
        let bounded = activate(level, Activation::Tanh, next.clone())?;
        *h = output.value.iter().zip(&bounded.value).map(|(o, y)| o * y).collect();
        Ok(Kept { before: replace(c, next), input, forget, candidate, output, bounded })
    }

    fn back(
        &self,
        level: Level,
        Kept { input, forget, candidate, output, before, bounded }: &Kept,
        dc: &mut Vec<f32>,
        dh: &mut Vec<f32>,
    ) -> Result<(), ProbeError> {
        (0..dc.len()).for_each(|k| dc[k] += dh[k] * output.value[k] * bounded.slope[k]);
        let each = |value: &dyn Fn(usize) -> f32| (0..before.len()).map(value).collect::<Vec<f32>>();
        let gates = [
            (&self.input, each(&|k| dc[k] * candidate.value[k] * input.slope[k])),
            (&self.forget, each(&|k| dc[k] * before[k] * forget.slope[k])),
            (&self.candidate, each(&|k| dc[k] * input.value[k] * candidate.slope[k])),
            (&self.output, each(&|k| dh[k] * bounded.value[k] * output.slope[k])),
        ];
        dh.fill(0.0);
        add_back(level, &gates, dh)?;
        dc.iter_mut().zip(&forget.value).for_each(|(dc, f)| *dc *= f);
        Ok(())
    }
}
