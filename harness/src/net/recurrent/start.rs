//! How W, U and b start: gate by gate, each as a layer of its own would, then the bias that keeps the state.
//!
//! Gates are columns of W and U, but an initialiser fills whole matrices; so they are drawn one after the other and
//! sorted into their columns by way of the gradients' memory.

use super::{Cell, ForgetBias, Recurrent};
use crate::init::Init;
use crate::random::{Random, elementary};

impl Recurrent {
    /// Starts the parameters of a layer over so many steps: (F + n) x G n weights, then G n biases. `scratch` is as
    /// long.
    pub(in crate::net) fn start(
        &self,
        steps: usize,
        random: &mut Random,
        parameters: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (units, gates) = (self.units, self.cell.gates());
        let columns = gates * units;
        let features = (parameters.len() / columns.max(1)).saturating_sub(units + 1);
        let (weights, biases) = parameters.split_at_mut((features + units) * columns);
        let (inputs, recurrent) = weights.split_at_mut(features * columns);
        // U first: what it draws for a bias, the one of W replaces.
        fill(self.recurrent_init, random, units, recurrent, biases, units, scratch);
        fill(self.input_init, random, features, inputs, biases, units, scratch);
        self.start_biases(steps, random, biases);
    }

    fn start_biases(&self, steps: usize, random: &mut Random, biases: &mut [f32]) {
        // Of both gated cells the second gate keeps the state; a plain recurrence has only one.
        let mut gates = biases.chunks_exact_mut(self.units.max(1));
        let (Some(first), Some(kept)) = (gates.next(), gates.next()) else { return };
        match self.forget_bias {
            ForgetBias::Fixed(bias) => kept.fill(bias),
            ForgetBias::Chrono => {
                let longest = steps.max(2) as f32 - 1.0;
                for bias in kept.iter_mut() {
                    *bias = elementary::ln(random.uniform_in(1.0, longest));
                }
                if self.cell == Cell::Lstm {
                    first.iter_mut().zip(kept).for_each(|(input, forget)| *input = -*forget);
                }
            }
        }
    }
}

/// Draws the gates of a matrix with `rows` rows, and their biases.
fn fill(
    init: Init,
    random: &mut Random,
    rows: usize,
    weights: &mut [f32],
    biases: &mut [f32],
    units: usize,
    scratch: &mut [f32],
) {
    let gates = biases.len() / units.max(1);
    let drawn = weights.chunks_exact_mut((rows * units).max(1)).zip(biases.chunks_exact_mut(units.max(1)));
    for (weights, biases) in drawn {
        let filled = init.fill(random, rows, weights, biases, scratch);
        debug_assert!(filled.is_ok(), "the plan gives every layer what it needs");
    }
    if gates == 1 {
        return;
    }
    for (from, to) in weights.iter().zip(scratch.iter_mut()) {
        *to = *from;
    }
    for (gate, drawn) in scratch.chunks_exact((rows * units).max(1)).take(gates).enumerate() {
        for (row, values) in drawn.chunks_exact(units.max(1)).enumerate() {
            let at = (row * gates + gate) * units;
            if let Some(to) = weights.get_mut(at..at + units) {
                to.copy_from_slice(values);
            }
        }
    }
}
