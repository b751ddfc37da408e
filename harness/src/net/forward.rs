//! The forward pass.

use isobath_kernels::gemm::{Init, Shape};
use isobath_kernels::{MatMut, MatRef, activation, batch_norm, layer_norm, residual};

use super::product::multiply;
use super::{Arena, Layer, Mode, NetError, Pass, Place, Watch};
use crate::activation::{Activation, with_kernel};
use crate::threads::Threads;

impl<T: Threads> Pass<'_, T> {
    /// Runs all layers on the rows that lie in [`Arena::input_mut`]; the result is [`Arena::output`].
    ///
    /// # Errors
    /// The rows or the arena do not fit the plan, see [`NetError`].
    pub fn forward(&self, arena: &mut Arena<'_>, mode: Mode, watch: &mut impl Watch) -> Result<(), NetError> {
        self.check_rows()?;
        for (index, (layer, place)) in self.plan.layers.iter().zip(self.plan.places).enumerate() {
            if let Some(x) = matrix(arena.values, place.input, self.rows, place.fan_in) {
                watch.input(index, x);
            }
            let done = match layer {
                Layer::Dense(_) => self.dense(arena, place),
                Layer::Activation(Activation::Identity) | Layer::SkipStart => Some(()),
                Layer::Activation(function) => self.activate(arena, place, *function),
                Layer::BatchNorm { .. } if mode == Mode::Training && self.rows < 2 => {
                    return Err(NetError::BatchNormRows);
                }
                Layer::BatchNorm { epsilon, momentum } => {
                    self.batch_norm(arena, place, mode, *epsilon, *momentum)
                }
                Layer::LayerNorm { epsilon } => self.layer_norm(arena, place, *epsilon),
                Layer::SkipEnd { scale } => self.merge(arena, place, *scale),
            };
            done.ok_or(NetError::Arena { layer: index })?;
            if let Layer::Activation(function) = layer
                && *function != Activation::Identity
                && let Some(kept) = matrix(arena.values, place.kept, self.rows, place.width)
            {
                watch.slope(index, kept);
            }
        }
        Ok(())
    }

    /// Y = X W + b.
    fn dense(&self, arena: &mut Arena<'_>, place: &Place) -> Option<()> {
        let (before, after) = arena.values.split_at_mut_checked(place.output)?;
        let x = matrix(before, place.input, self.rows, place.fan_in)?;
        let y = MatMut::new(after, self.rows, place.width).ok()?;
        let parameters = arena.parameters.get(place.parameters..)?.get(..place.parameter_count)?;
        let (weights, biases) = parameters.split_at_checked(place.weight_count)?;
        let weights = MatRef::new(weights, place.fan_in, place.width).ok()?;
        let shape =
            Shape { m: self.rows, n: place.width, k: place.fan_in, transpose_a: false, transpose_b: false };
        multiply(self.level, self.threads, shape, x, weights, y, Init::Bias(biases), arena.workspace).ok()
    }

    /// y = phi(h) over h, and phi'(h) (for PReLU, h itself) beside it for the backward pass.
    fn activate(&self, arena: &mut Arena<'_>, place: &Place, function: Activation) -> Option<()> {
        let length = self.rows * place.width;
        let (before, kept) = arena.values.split_at_mut_checked(place.kept)?;
        let kept = kept.get_mut(..length)?;
        if place.output != place.input {
            let (input, output) = before.split_at_mut_checked(place.output)?;
            output.get_mut(..length)?.copy_from_slice(input.get(place.input..place.input + length)?);
        }
        let y = before.get_mut(place.output..place.output + length)?;
        if let Activation::Prelu(_) = function {
            let slope = *arena.parameters.get(place.parameters)?;
            kept.copy_from_slice(y);
            activation::forward_in_place(self.level, activation::PRelu { slope }, y);
            return Some(());
        }
        let level = self.level;
        with_kernel!(function, phi => activation::forward_with_derivative_in_place(level, phi, y, kept)).ok()
    }

    fn batch_norm(
        &self,
        arena: &mut Arena<'_>,
        place: &Place,
        mode: Mode,
        epsilon: f32,
        momentum: f32,
    ) -> Option<()> {
        let width = place.width;
        let (before, after) = arena.values.split_at_mut_checked(place.output)?;
        let x = matrix(before, place.input, self.rows, width)?;
        let y = MatMut::new(after, self.rows, width).ok()?;
        let (gain, shift) = arena.parameters.get(place.parameters..)?.get(..2 * width)?.split_at(width);
        let statistics = arena.statistics.get_mut(place.statistics..)?.get_mut(..5 * width)?;
        let (batch, running) = statistics.split_at_mut(3 * width);
        let (mean, rest) = batch.split_at_mut(width);
        let (inverse_deviation, variance) = rest.split_at_mut(width);
        let (running_mean, running_variance) = running.split_at_mut(width);
        if mode == Mode::Inference {
            return batch_norm::forward_inference(
                self.level,
                x,
                gain,
                shift,
                running_mean,
                running_variance,
                epsilon,
                y,
            )
            .ok();
        }
        let saved = batch_norm::BatchStatistics { mean, variance, inv_std: inverse_deviation };
        batch_norm::forward_training(self.level, x, gain, shift, epsilon, y, saved).ok()?;
        batch_norm::update_running(
            self.level,
            running_mean,
            running_variance,
            mean,
            variance,
            momentum,
            self.rows,
        )
        .ok()
    }

    fn layer_norm(&self, arena: &mut Arena<'_>, place: &Place, epsilon: f32) -> Option<()> {
        let (before, after) = arena.values.split_at_mut_checked(place.output)?;
        let x = matrix(before, place.input, self.rows, place.width)?;
        let y = MatMut::new(after, self.rows, place.width).ok()?;
        let (gain, shift) =
            arena.parameters.get(place.parameters..)?.get(..2 * place.width)?.split_at(place.width);
        let statistics = arena.statistics.get_mut(place.statistics..)?;
        let (mean, rest) = statistics.split_at_mut_checked(self.plan.batch)?;
        let (mean, inverse_deviation) = (mean.get_mut(..self.rows)?, rest.get_mut(..self.rows)?);
        layer_norm::forward(self.level, x, gain, shift, epsilon, y, mean, inverse_deviation).ok()
    }

    /// branch = skip + scale branch.
    fn merge(&self, arena: &mut Arena<'_>, place: &Place, scale: f32) -> Option<()> {
        let length = self.rows * place.width;
        let (before, after) = arena.values.split_at_mut_checked(place.output)?;
        let skip = before.get(place.skip..place.skip + length)?;
        residual::scale_add(self.level, scale, after.get_mut(..length)?, skip).ok()
    }
}

/// The matrix at an offset of a region.
pub(super) fn matrix(region: &[f32], start: usize, rows: usize, columns: usize) -> Option<MatRef<'_>> {
    MatRef::new(region.get(start..)?, rows, columns).ok()
}
