//! A run of a cell through time, kept step by step, so that a gradient can be taken back.

use isobath_kernels::Level;

use crate::probe::ProbeError;
use crate::random::Random;

/// A cell with its weights. Its state is `state`; a cell that shows something else to its gates and to the layer above
/// has that in `shown`, which others leave alone.
pub(super) trait Recurrent {
    /// What the way back needs of one step.
    type Kept;

    /// One step forward with the input `x`.
    fn step(
        &self,
        level: Level,
        x: &[f32],
        state: &mut Vec<f32>,
        shown: &mut Vec<f32>,
    ) -> Result<Self::Kept, ProbeError>;

    /// The gradients with respect to both before the step, from those after it.
    fn back(
        &self,
        level: Level,
        kept: &Self::Kept,
        state: &mut Vec<f32>,
        shown: &mut Vec<f32>,
    ) -> Result<(), ProbeError>;
}

/// A cell that has been run: what it needs to take a gradient back by one step.
pub(super) trait Tape {
    /// The state after the last step.
    fn end(&self) -> &[f32];

    /// The gradient of the state before step `t` from that after it; `shown` is that of h, where it is not the state.
    fn back(
        &self,
        level: Level,
        t: usize,
        state: &mut Vec<f32>,
        shown: &mut Vec<f32>,
    ) -> Result<(), ProbeError>;
}

struct Taped<C: Recurrent> {
    cell: C,
    steps: Vec<C::Kept>,
    end: Vec<f32>,
}

/// Runs a cell from a state over so many steps of N(0, 1) inputs.
pub(super) fn run<C: Recurrent + 'static>(
    cell: C,
    steps: usize,
    inputs: &mut Random,
    mut state: Vec<f32>,
    level: Level,
) -> Result<Box<dyn Tape>, ProbeError> {
    let (mut shown, mut x) = (vec![0.0; state.len()], vec![0.0; state.len()]);
    let mut kept = Vec::with_capacity(steps);
    for _ in 0..steps {
        inputs.fill_normal(&mut x, 1.0);
        kept.push(cell.step(level, &x, &mut state, &mut shown)?);
    }
    Ok(Box::new(Taped { cell, steps: kept, end: state }))
}

impl<C: Recurrent> Tape for Taped<C> {
    fn end(&self) -> &[f32] {
        &self.end
    }

    fn back(
        &self,
        level: Level,
        t: usize,
        state: &mut Vec<f32>,
        shown: &mut Vec<f32>,
    ) -> Result<(), ProbeError> {
        self.cell.back(level, &self.steps[t], state, shown)
    }
}
