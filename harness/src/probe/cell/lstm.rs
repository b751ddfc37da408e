//! Long short-term memory. Back, with y = tanh c': dc' += dh' o (1 - y^2); dc = dc' f; dh = sum over gates of delta U^T.

use isobath_kernels::Level;

use super::gate::{Gate, activate};
use super::{CellSetup, Tape};
use crate::activation::Activation;
use crate::probe::ProbeError;
use crate::random::Random;

pub(super) struct Lstm {
    input: Gate,
    forget: Gate,
    candidate: Gate,
    output: Gate,
    steps: Vec<Step>,
    end: Vec<f32>,
}

/// What a step keeps: each gate's value and slope, the state before it, and tanh c'.
struct Step {
    input: (Vec<f32>, Vec<f32>),
    forget: (Vec<f32>, Vec<f32>),
    candidate: (Vec<f32>, Vec<f32>),
    output: (Vec<f32>, Vec<f32>),
    before: Vec<f32>,
    shown: (Vec<f32>, Vec<f32>),
}

pub(super) fn run(
    setup: &CellSetup,
    weights: &mut Random,
    inputs: &mut Random,
    start: Vec<f32>,
    level: Level,
) -> Result<Lstm, ProbeError> {
    let mut gate = |bias| Gate::draw(setup, weights, bias);
    let (input, forget) = (gate(None)?, gate(Some(setup.forget_bias))?);
    let (candidate, output) = (gate(None)?, gate(None)?);
    let mut lstm =
        Lstm { input, forget, candidate, output, steps: Vec::with_capacity(setup.steps), end: Vec::new() };
    let mut c = start;
    let (mut h, mut x) = (vec![0.0; c.len()], vec![0.0; c.len()]);
    for _ in 0..setup.steps {
        inputs.fill_normal(&mut x, 1.0);
        let input = lstm.input.run(level, Activation::Sigmoid, &x, &h)?;
        let forget = lstm.forget.run(level, Activation::Sigmoid, &x, &h)?;
        let candidate = lstm.candidate.run(level, Activation::Tanh, &x, &h)?;
        let output = lstm.output.run(level, Activation::Sigmoid, &x, &h)?;
        let next: Vec<f32> = (0..c.len()).map(|k| forget.0[k] * c[k] + input.0[k] * candidate.0[k]).collect();
        let before = core::mem::replace(&mut c, next.clone());
        let shown = activate(level, Activation::Tanh, next)?;
        h = output.0.iter().zip(&shown.0).map(|(o, y)| o * y).collect();
        lstm.steps.push(Step { input, forget, candidate, output, before, shown });
    }
    lstm.end = c;
    Ok(lstm)
}

impl Tape for Lstm {
    fn end(&self) -> &[f32] {
        &self.end
    }

    fn back(
        &self,
        level: Level,
        t: usize,
        state: &mut Vec<f32>,
        scratch: &mut Vec<f32>,
    ) -> Result<(), ProbeError> {
        let Step { input, forget, candidate, output, before, shown } = &self.steps[t];
        let (dc, dh) = (state, scratch);
        for k in 0..dc.len() {
            dc[k] += dh[k] * output.0[k] * shown.1[k];
        }
        let delta = |value: &dyn Fn(usize) -> f32| (0..dc.len()).map(value).collect::<Vec<f32>>();
        let gates = [
            (&self.input, delta(&|k| dc[k] * candidate.0[k] * input.1[k])),
            (&self.forget, delta(&|k| dc[k] * before[k] * forget.1[k])),
            (&self.candidate, delta(&|k| dc[k] * input.0[k] * candidate.1[k])),
            (&self.output, delta(&|k| dh[k] * shown.0[k] * output.1[k])),
        ];
        dh.fill(0.0);
        for (gate, delta) in gates {
            dh.iter_mut().zip(gate.back(level, &delta)?).for_each(|(sum, more)| *sum += more);
        }
        dc.iter_mut().zip(&forget.0).for_each(|(dc, f)| *dc *= f);
        Ok(())
    }
}
