//! The passes of a recurrent layer: all steps forward, and back through time.

use isobath_kernels::gemm::{Init, K_BLOCK, Shape};
use isobath_kernels::reduce::{self, Norm};
use isobath_kernels::{Level, MatMut, MatRef, optimizer};

use super::kept::{to_rows, to_steps};
use super::{Backward, Cell, Forward, Recurrent, Sizes, gru, lstm, rnn};
use crate::net::arena::gradients_of;
use crate::net::backward::{BAND, Flow};
use crate::net::exponent::{exponent_of, ldexp, scale_add, settle};
use crate::net::product::multiply;
use crate::net::{Arena, Pass, Place, Watch};
use crate::threads::{Serial, Threads};

impl Recurrent {
    /// The shapes of all products, for batches of at most so many rows; none where they are beyond memory.
    pub(in crate::net) fn products(&self, sizes: &Sizes, batch: usize) -> Option<[Shape; 6]> {
        let Sizes { steps, features, columns, .. } = *sizes;
        let all = batch.checked_mul(steps)?;
        let plain = |m, n, k| Shape { m, n, k, transpose_a: false, transpose_b: false };
        let left = |m, n, k: usize| Shape { transpose_a: true, ..plain(m, n, k.min(K_BLOCK)) };
        let right = |m, n, k| Shape { transpose_b: true, ..plain(m, n, k) };
        Some([
            plain(all, columns, features),
            plain(batch, columns, self.units),
            left(features, columns, all),
            left(self.units, columns, all),
            right(all, features, columns),
            right(batch, self.units, columns),
        ])
    }
}

/// The gradient of a state on its way back: dh, dc of an LSTM, and the power of two of both.
struct State<'a> {
    hidden: &'a mut [f32],
    memory: &'a mut [f32],
    exponent: i32,
}

impl State<'_> {
    /// Adds to dh what comes from the output at this step.
    fn hear(&mut self, level: Level, delta: &[f32], exponent: i32, scratch: &mut [f32]) -> Option<()> {
        let sum =
            scale_add(level, &Serial, 1.0, (&mut *self.hidden, self.exponent), (delta, exponent), scratch)?;
        ldexp(level, self.memory, self.exponent - sum);
        self.exponent = sum;
        Some(())
    }

    /// Brings the largest element back to the neighbourhood of 1 when it has left the band.
    fn rescale(&mut self, level: Level) {
        let largest = exponent_of(level, &Serial, self.hidden).max(exponent_of(level, &Serial, self.memory));
        if let Some(exponent) = largest
            && exponent.abs() > BAND
        {
            ldexp(level, self.hidden, -exponent);
            ldexp(level, self.memory, -exponent);
            self.exponent += exponent;
        }
    }

    /// Cuts the norm of all to a limit. The factor's power of two goes to the exponent, so that nothing underflows.
    fn clip(&mut self, level: Level, limit: f32) {
        let stored = reduce::norm_of_slices(level, &[&*self.hidden, &*self.memory]);
        let norm = Norm { exponent: stored.exponent.saturating_add(self.exponent), ..stored };
        let limit = Norm::new(limit);
        if !stored.is_zero() && norm.is_finite() && limit.is_less_than(norm) {
            let factor = limit.over(norm);
            optimizer::scale(level, factor.significand, self.hidden);
            optimizer::scale(level, factor.significand, self.memory);
            self.exponent += factor.exponent;
        }
    }
}

impl<T: Threads> Pass<'_, T> {
    /// All steps forward; the output is the last states.
    pub(in crate::net) fn recur(
        &self,
        arena: &mut Arena<'_>,
        place: &Place,
        layer: &Recurrent,
    ) -> Option<()> {
        self.to_true_value(arena, place.input, place.from)?;
        let (level, rows, units) = (self.level, self.rows, layer.units);
        let sizes = layer.sizes_of(place.from);
        let Sizes { steps, features, columns, shown } = sizes;
        let (all, block) = (rows * steps, rows * units);
        let Arena { parameters, values, workspace, .. } = &mut *arena;
        let (before, memory) = values.split_at_mut_checked(place.kept.start)?;
        let kept = layer.cut(memory, rows, &sizes)?;
        let parameters = parameters.get(place.parameters..)?.get(..place.parameter_count)?;
        let (weights, biases) = parameters.split_at_checked(place.weight_count)?;
        let (inputs, recurrent) = weights.split_at_checked(features * columns)?;
        let inputs = MatRef::new(inputs, features, columns).ok()?;
        let recurrent = MatRef::new(recurrent, units, columns).ok()?;

        to_steps(before.get(place.input.start..)?.get(..all * features)?, steps, features, kept.x);
        let x = MatRef::new(kept.x, all, features).ok()?;
        let sums = MatMut::new(kept.gates, all, columns).ok()?;
        let shape = Shape { m: all, n: columns, k: features, transpose_a: false, transpose_b: false };
        multiply(level, self.threads, shape, x, inputs, sums, Init::Bias(biases), workspace).ok()?;

        let shape = Shape { m: rows, k: units, ..shape };
        kept.h.get_mut(..block)?.fill(0.0);
        kept.memory.fill(0.0);
        for t in 0..steps {
            let (past, next) = kept.h.split_at_mut_checked((t + 1) * block)?;
            let before = past.get(t * block..)?;
            let h = MatRef::new(before, rows, units).ok()?;
            let recalled = MatMut::new(kept.recalled, rows, columns).ok()?;
            multiply(level, self.threads, shape, h, recurrent, recalled, Init::Zero, workspace).ok()?;
            let step = Forward {
                units,
                gates: nth_mut(kept.gates, t, rows * columns)?,
                more: nth_mut(kept.more, t, block * layer.cell.more())?,
                recalled: kept.recalled,
                before,
                after: next.get_mut(..block)?,
                memory: kept.memory,
                scratch: kept.scratch,
            };
            match layer.cell {
                Cell::Lstm => lstm::forward(level, step),
                Cell::Gru => gru::forward(level, step),
                Cell::Rnn(phi) => rnn::forward(level, phi, step),
            }?;
        }
        let last = kept.h.get((steps + 1 - shown) * block..)?;
        let output = before.get_mut(place.output.start..)?.get_mut(..shown * block)?;
        to_rows(last, shown, units, output);
        let exponent = settle(level, self.threads, output, 0);
        arena.set_exponent(place.output, exponent)
    }

    /// From the gradient of the output to those of the parameters and, if `wanted`, of the input.
    pub(in crate::net) fn back_through_time(
        &self,
        arena: &mut Arena<'_>,
        flow: &mut Flow<'_>,
        index: usize,
        place: &Place,
        layer: &Recurrent,
        wanted: bool,
        watch: &mut impl Watch,
    ) -> Option<()> {
        let (level, rows, units) = (self.level, self.rows, layer.units);
        let sizes = layer.sizes_of(place.from);
        let Sizes { steps, features, columns, shown } = sizes;
        let (wide, first) = (layer.cell.deltas() * units, layer.cell.first_recurrent() * units);
        let (all, block) = (rows * steps, rows * units);
        let Arena { parameters, gradients, values, workspace, .. } = arena;
        let kept = layer.cut(values.get_mut(place.kept.start..)?, rows, &sizes)?;
        let weights = parameters.get(place.parameters..)?.get(..place.weight_count)?;
        let (inputs, recurrent) = weights.split_at_checked(features * columns)?;
        let recurrent = MatRef::new(recurrent, units, columns).ok()?;

        let output = flow.other.get_mut(..shown * block)?;
        to_steps(flow.delta.get(..shown * block)?, shown, units, output);
        let (hidden, scratch) = kept.scratch.split_at_mut_checked(block)?;
        let scratch = scratch.get_mut(..block)?;
        hidden.fill(0.0);
        kept.memory.fill(0.0);
        let mut state = State { hidden, memory: kept.memory, exponent: flow.exponent };
        let mut highest = i32::MIN;
        let shape = Shape { m: rows, n: units, k: columns, transpose_a: false, transpose_b: true };
        for t in (0..steps).rev() {
            if let Some(heard) = (t + shown).checked_sub(steps) {
                let delta = output.get(heard * block..)?.get(..block)?;
                state.hear(level, delta, flow.exponent, scratch)?;
            }
            let more = nth_mut(kept.more, t, block * layer.cell.more())?;
            if layer.cell == Cell::Lstm {
                lstm::show(units, more, state.hidden, state.memory);
            }
            state.rescale(level);
            if let Some(limit) = layer.clip {
                state.clip(level, limit);
            }
            let hidden = MatRef::new(state.hidden, rows, units).ok()?;
            let memory = MatRef::new(state.memory, rows, units).ok()?;
            let memory = (layer.cell == Cell::Lstm).then_some(memory);
            watch.state(index, t + 1, hidden, memory, state.exponent);
            *kept.exponents.get_mut(t)? = state.exponent as f32;
            highest = highest.max(state.exponent);

            let deltas = nth_mut(kept.deltas, t, rows * wide)?;
            let step = Backward {
                units,
                gates: nth_mut(kept.gates, t, rows * columns)?,
                more,
                state: state.hidden,
                memory: state.memory,
                deltas,
            };
            match layer.cell {
                Cell::Lstm => lstm::backward(step),
                Cell::Gru => gru::backward(step),
                Cell::Rnn(_) => rnn::backward(level, step),
            }?;
            let deltas = MatRef::new(deltas, rows, wide).ok()?.sub_columns(first, wide);
            let before = MatMut::new(state.hidden, rows, units).ok()?;
            multiply(level, self.threads, shape, deltas, recurrent, before, Init::Accumulate, workspace)
                .ok()?;
        }
        for (deltas, exponent) in kept.deltas.chunks_exact_mut(rows * wide).zip(&*kept.exponents) {
            ldexp(level, deltas, *exponent as i32 - highest);
        }

        let deltas = MatRef::new(kept.deltas, all, wide).ok()?;
        let of_inputs = deltas.sub_columns(0, columns);
        let gradients = gradients_of(gradients, parameters.len(), place)?;
        let (d_weights, d_biases) = gradients.split_at_mut_checked(place.weight_count)?;
        let (d_inputs, d_recurrent) = d_weights.split_at_mut_checked(features * columns)?;
        let shape = Shape { m: features, n: columns, k: all, transpose_a: true, transpose_b: false };
        let x = MatRef::new(kept.x, all, features).ok()?;
        let dw = MatMut::new(d_inputs, features, columns).ok()?;
        multiply(level, self.threads, shape, x, of_inputs, dw, Init::Zero, workspace).ok()?;
        let h = MatRef::new(kept.h, all, units).ok()?;
        let du = MatMut::new(d_recurrent, units, columns).ok()?;
        let of_states = deltas.sub_columns(first, wide);
        let shape = Shape { m: units, ..shape };
        multiply(level, self.threads, shape, h, of_states, du, Init::Zero, workspace).ok()?;
        reduce::column_sums(level, of_inputs, d_biases).ok()?;
        watch.weight_gradient(index, MatRef::new(d_weights, features + units, columns).ok()?, highest);
        ldexp(level, gradients, highest);

        if wanted {
            let inputs = MatRef::new(inputs, features, columns).ok()?;
            let dx = flow.delta.get_mut(..all * features)?;
            let shape = Shape { m: all, n: features, k: columns, transpose_a: false, transpose_b: true };
            let out = MatMut::new(dx, all, features).ok()?;
            multiply(level, self.threads, shape, of_inputs, inputs, out, Init::Zero, workspace).ok()?;
            to_rows(dx, steps, features, flow.other.get_mut(..all * features)?);
            core::mem::swap(&mut flow.delta, &mut flow.other);
            flow.exponent = highest;
        }
        Some(())
    }
}

/// Block `t` of blocks of so many values.
fn nth_mut(values: &mut [f32], t: usize, length: usize) -> Option<&mut [f32]> {
    values.get_mut(t * length..)?.get_mut(..length)
}
