//! The forward pass.
//!
//! Each array of values carries a power of two, see [`super::exponent`]. Dense layers, convolutions and residual sums
//! choose it; homogeneous activations and pooling keep it, the others are computed as [`super::far`] says;
//! normalisations, which do not depend on it, take it out, and so do recurrent layers. Where nothing has left the band
//! all powers are 0, and the only cost is one look at the largest element per product and sum.

use core::ops::Range;

use isobath_kernels::gemm::{Init, Shape};
use isobath_kernels::{MatMut, MatRef, activation, batch_norm, layer_norm};

use super::convolution::Convolving;
use super::exponent::{self, exponent_of, ldexp, settle};
use super::pooling::{self, Pooling};
use super::product::multiply;
use super::share::{ACTIVATION, share};
use super::{Arena, Layer, Mode, NetError, Pass, Place, Signal, Values, Watch, Window};
use super::{far, standardise};
use crate::activation::{Activation, with_kernel};
use crate::threads::Threads;

impl<T: Threads> Pass<'_, T> {
    /// Runs all layers on the samples that lie in [`Arena::input_mut`]; the result is [`Arena::output`], brought to its
    /// true value, which beyond f32 is infinite or 0.
    ///
    /// # Errors
    /// The rows or the arena do not fit the plan, see [`NetError`].
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, Unwatched};
    /// use isobath::threads::Serial;
    /// use isobath_kernels::Level;
    ///
    /// let layers = [Layer::Activation(Activation::Relu)];
    /// let mut places = [Place::default()];
    /// let plan = Plan::new(3, 2, &layers, &mut places)?;
    /// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
    /// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
    /// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 1 };
    /// arena.input_mut(&plan, 1).copy_from_slice(&[-1.0, 0.5, 2.0]);
    /// pass.forward(&mut arena, Mode::Training, &mut Unwatched)?;
    /// assert_eq!(arena.output(&plan, 1), [0.0, 0.5, 2.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn forward(&self, arena: &mut Arena<'_>, mode: Mode, watch: &mut impl Watch) -> Result<(), NetError> {
        self.check_rows()?;
        arena.set_exponent(Values::default(), 0).ok_or(NetError::Arena { layer: 0 })?;
        for layers in self.plan.segments() {
            self.enter(arena, layers.start)?;
            self.forward_layers(arena, layers, mode, watch)?;
        }
        let Some((top, place)) = self.plan.places.iter().enumerate().next_back() else { return Ok(()) };
        self.to_true_value(arena, place.output, place.to).ok_or(NetError::Arena { layer: top })
    }

    /// Runs some of the layers on what those before them have left.
    pub(super) fn forward_layers(
        &self,
        arena: &mut Arena<'_>,
        range: Range<usize>,
        mode: Mode,
        watch: &mut impl Watch,
    ) -> Result<(), NetError> {
        for (index, (layer, place)) in self.plan.layers_in(range) {
            let rows = self.rows_of(place.from);
            if let Some(x) = matrix(arena.values, place.input.start, rows, place.from.channels) {
                watch.input(index, x, arena.exponent(place.input));
            }
            let done = match layer {
                Layer::Dense(_) | Layer::Standardised(_) => self.affine(arena, place, None),
                Layer::Convolution(convolution) => self.affine(arena, place, Some(convolution.window)),
                Layer::MaxPool { .. } | Layer::AveragePool => self.pool(arena, place, layer),
                Layer::Activation(Activation::Identity) | Layer::Flatten | Layer::SkipStart => Some(()),
                Layer::Activation(function) => self.activate(arena, place, *function),
                Layer::BatchNorm { .. } if mode != Mode::Inference && self.rows_of(place.from) < 2 => {
                    return Err(NetError::BatchNormRows);
                }
                Layer::BatchNorm { epsilon, momentum } => {
                    self.batch_norm(arena, place, mode, *epsilon, *momentum)
                }
                Layer::LayerNorm { epsilon } => self.layer_norm(arena, place, *epsilon),
                Layer::SkipEnd { scale } => self.merge(arena, place, *scale),
                Layer::LearnedSkipEnd { .. } => self.merge_learned(arena, place),
                Layer::Recurrent(recurrent) => self.recur(arena, place, recurrent),
            };
            done.ok_or(NetError::Arena { layer: index })?;
            if let Layer::Activation(function) = layer
                && *function != Activation::Identity
                && let Some(kept) =
                    matrix(arena.values, place.kept.start, self.rows_of(place.to), place.width)
            {
                watch.slope(index, kept);
            }
        }
        Ok(())
    }

    /// Y = X W + b, X the input or what a window sees of it.
    fn affine(&self, arena: &mut Arena<'_>, place: &Place, window: Option<Window>) -> Option<()> {
        standardise::forward(self.level, arena, place)?;
        let exponent = arena.exponent(place.input);
        let (before, after) = arena.values.split_at_mut_checked(place.output.start)?;
        let x = before.get(place.input.start..)?.get(..self.elements_of(place.from))?;
        let y = after.get_mut(..self.elements_of(place.to))?;
        let biases = arena.parameters.get(place.parameters + place.weight_count..)?.get(..place.width)?;
        let weights = standardise::effective(arena.parameters, arena.statistics, place)?;
        let (x, biases, exponent) = self.align(x, biases, exponent, arena.deltas)?;
        if let Some(window) = window {
            let convolving = Convolving::new(self.level, self.threads, self.rows, window, place);
            convolving.forward(x, weights, biases, y, arena.workspace)?;
        } else {
            let (m, n, k) = (self.rows_of(place.from), place.width, place.fan_in);
            let shape = Shape { m, n, k, transpose_a: false, transpose_b: false };
            let (x, out) = (MatRef::new(x, m, k).ok()?, MatMut::new(y, m, n).ok()?);
            let init = Init::Bias(biases);
            multiply(self.level, self.threads, shape, x, weights, out, init, arena.workspace).ok()?;
        }
        let exponent = settle(self.level, self.threads, y, exponent);
        arena.set_exponent(place.output, exponent)
    }

    /// x 2^exponent and b on one power of two: that of x, unless b would leave the band there. Then b dwarfs x.
    fn align<'s>(
        &self,
        x: &'s [f32],
        biases: &'s [f32],
        exponent: i32,
        scratch: &'s mut [f32],
    ) -> Option<(&'s [f32], &'s [f32], i32)> {
        if exponent == 0 {
            return Some((x, biases, 0));
        }
        let common = exponent_of(self.level, self.threads, biases)
            .map_or(exponent, |top| exponent.max(top - exponent::BAND));
        let (for_x, for_biases) = scratch.split_at_mut_checked(self.plan.batch * self.plan.widest)?;
        let aligned_biases = for_biases.get_mut(..biases.len())?;
        aligned_biases.copy_from_slice(biases);
        ldexp(self.level, aligned_biases, -common);
        if common == exponent {
            return Some((x, aligned_biases, common));
        }
        let aligned_x = for_x.get_mut(..x.len())?;
        aligned_x.copy_from_slice(x);
        ldexp(self.level, aligned_x, exponent - common);
        Some((aligned_x, aligned_biases, common))
    }

    /// The largest of each window, or the mean over all positions, on the input's power of two.
    fn pool(&self, arena: &mut Arena<'_>, place: &Place, layer: &Layer) -> Option<()> {
        let exponent = arena.exponent(place.input);
        let (before, after) = arena.values.split_at_mut_checked(place.output.start)?;
        let y = after.get_mut(..self.elements_of(place.to))?;
        if let Layer::MaxPool { size, stride } = *layer {
            let (before, which) = before.split_at_mut_checked(place.kept.start)?;
            let which = which.get_mut(..self.elements_of(place.to))?;
            let x = before.get(place.input.start..)?.get(..self.elements_of(place.from))?;
            Pooling::new(size, stride, place).forward(x, y, which);
        } else {
            let x = before.get(place.input.start..)?.get(..self.elements_of(place.from))?;
            pooling::average(self.level, place.from, x, y)?;
        }
        let settled = if exponent == 0 { 0 } else { settle(self.level, self.threads, y, exponent) };
        arena.set_exponent(place.output, settled)
    }

    /// Brings an array of values to its true value.
    pub(super) fn to_true_value(&self, arena: &mut Arena<'_>, values: Values, signal: Signal) -> Option<()> {
        let exponent = arena.exponent(values);
        let length = self.elements_of(signal);
        ldexp(self.level, arena.values.get_mut(values.start..)?.get_mut(..length)?, exponent);
        arena.set_exponent(values, 0)
    }

    /// y = phi(h) over h, and phi'(h) (for PReLU, h itself) beside it for the backward pass.
    fn activate(&self, arena: &mut Arena<'_>, place: &Place, function: Activation) -> Option<()> {
        let (level, length) = (self.level, self.elements_of(place.to));
        let exponent = arena.exponent(place.input);
        let (before, kept) = arena.values.split_at_mut_checked(place.kept.start)?;
        let kept = kept.get_mut(..length)?;
        if place.output != place.input {
            let (input, output) = before.split_at_mut_checked(place.output.start)?;
            output.get_mut(..length)?.copy_from_slice(input.get(place.input.start..)?.get(..length)?);
        }
        let y = before.get_mut(place.output.start..)?.get_mut(..length)?;
        let is_far = exponent != 0 && !function.is_homogeneous();
        let rest = arena.deltas.get_mut(..length)?;
        if is_far {
            far::approach(function, exponent, y, rest);
        }
        if let Activation::Prelu(_) = function {
            let slope = *arena.parameters.get(place.parameters)?;
            kept.copy_from_slice(y);
            activation::forward_in_place(level, activation::PRelu { slope }, y);
        } else {
            let activate = |(y, kept): (&mut [f32], &mut [f32])| {
                with_kernel!(function, phi => activation::forward_with_derivative_in_place(level, phi, y, kept))
                    .ok()
            };
            share(self.threads, ACTIVATION * length, length, (&mut *y, &mut *kept), &activate)?;
        }
        let settled = match exponent {
            0 => 0,
            _ if is_far => far::recede(y, rest),
            _ => settle(level, self.threads, y, exponent),
        };
        arena.set_exponent(place.kept, exponent)?;
        arena.set_exponent(place.output, settled)
    }

    /// Brings the input of a normalisation to where x 2^e and epsilon give what x and epsilon 2^-2e do, and gives that
    /// e and epsilon. Beside epsilon, what is below f32 is 0.
    fn to_normalise(&self, arena: &mut Arena<'_>, place: &Place, epsilon: f32) -> Option<(i32, f32)> {
        let exponent = arena.exponent(place.input);
        if exponent <= 0 {
            self.to_true_value(arena, place.input, place.from)?;
            return Some((0, epsilon));
        }
        // Not 0, which would make NaN of a constant column.
        Some((exponent, libm::ldexpf(epsilon, -2 * exponent).max(f32::MIN_POSITIVE)))
    }

    fn batch_norm(
        &self,
        arena: &mut Arena<'_>,
        place: &Place,
        mode: Mode,
        epsilon: f32,
        momentum: f32,
    ) -> Option<()> {
        let (level, width) = (self.level, place.width);
        if mode == Mode::Inference {
            // The running statistics are those of true values.
            self.to_true_value(arena, place.input, place.from)?;
        }
        let (exponent, epsilon) = self.to_normalise(arena, place, epsilon)?;
        arena.set_exponent(place.output, 0)?;
        let rows = self.rows_of(place.from);
        let (before, after) = arena.values.split_at_mut_checked(place.output.start)?;
        let x = matrix(before, place.input.start, rows, width)?;
        let y = MatMut::new(after, rows, width).ok()?;
        let (gain, shift) = arena.parameters.get(place.parameters..)?.get(..2 * width)?.split_at(width);
        let statistics = arena.statistics.get_mut(place.statistics..)?.get_mut(..5 * width)?;
        let (batch, running) = statistics.split_at_mut(3 * width);
        let (mean, rest) = batch.split_at_mut(width);
        let (inverse_deviation, variance) = rest.split_at_mut(width);
        let (running_mean, running_variance) = running.split_at_mut(width);
        if mode == Mode::Inference {
            return batch_norm::forward_inference(
                level,
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
        let normalise = |((x, y), ((gain, shift), ((mean, variance), inv_std)))| {
            let saved = batch_norm::BatchStatistics { mean, variance, inv_std };
            batch_norm::forward_training(level, x, gain, shift, epsilon, y, saved).ok()
        };
        let saved = ((&mut *mean, &mut *variance), inverse_deviation);
        share(self.threads, 6 * rows * width, width, ((x, y), ((gain, shift), saved)), &normalise)?;
        if mode == Mode::Recomputation {
            return Some(());
        }
        let (true_mean, rest) = arena.deltas.split_at_mut_checked(width)?;
        let true_variance = rest.get_mut(..width)?;
        true_mean.copy_from_slice(mean);
        true_variance.copy_from_slice(variance);
        ldexp(level, true_mean, exponent);
        ldexp(level, true_variance, 2 * exponent);
        batch_norm::update_running(
            level,
            running_mean,
            running_variance,
            true_mean,
            true_variance,
            momentum,
            rows,
        )
        .ok()
    }

    fn layer_norm(&self, arena: &mut Arena<'_>, place: &Place, epsilon: f32) -> Option<()> {
        let (_, epsilon) = self.to_normalise(arena, place, epsilon)?;
        arena.set_exponent(place.output, 0)?;
        let rows = self.rows_of(place.from);
        let (before, after) = arena.values.split_at_mut_checked(place.output.start)?;
        let x = matrix(before, place.input.start, rows, place.width)?;
        let y = MatMut::new(after, rows, place.width).ok()?;
        let (gain, shift) =
            arena.parameters.get(place.parameters..)?.get(..2 * place.width)?.split_at(place.width);
        let statistics = arena.statistics.get_mut(place.statistics..)?;
        let (mean, rest) = statistics.split_at_mut_checked(self.plan.batch * place.from.positions())?;
        let (mean, inverse_deviation) = (mean.get_mut(..rows)?, rest.get_mut(..rows)?);
        layer_norm::forward(self.level, x, gain, shift, epsilon, y, mean, inverse_deviation).ok()
    }

    /// branch = skip + scale branch.
    fn merge(&self, arena: &mut Arena<'_>, place: &Place, scale: f32) -> Option<()> {
        let length = self.elements_of(place.to);
        let (of_branch, of_skip) = (arena.exponent(place.input), arena.exponent(place.skip));
        let (before, after) = arena.values.split_at_mut_checked(place.output.start)?;
        let skip = before.get(place.skip.start..)?.get(..length)?;
        let branch = after.get_mut(..length)?;
        let scratch = arena.deltas.get_mut(..length)?;
        let sum = exponent::scale_add(
            self.level,
            self.threads,
            scale,
            (&mut *branch, of_branch),
            (skip, of_skip),
            scratch,
        )?;
        let settled = settle(self.level, self.threads, branch, sum);
        arena.set_exponent(place.output, settled)
    }

    /// The same with the scale that was learned. The branch, whose product with delta is the scale's gradient, is kept.
    fn merge_learned(&self, arena: &mut Arena<'_>, place: &Place) -> Option<()> {
        let length = self.elements_of(place.from);
        let exponent = arena.exponent(place.input);
        let (before, kept) = arena.values.split_at_mut_checked(place.kept.start)?;
        kept.get_mut(..length)?.copy_from_slice(before.get(place.input.start..)?.get(..length)?);
        arena.set_exponent(place.kept, exponent)?;
        let scale = *arena.parameters.get(place.parameters)?;
        self.merge(arena, place, scale)
    }
}

/// The matrix at an offset of a region.
pub(super) fn matrix(region: &[f32], start: usize, rows: usize, columns: usize) -> Option<MatRef<'_>> {
    MatRef::new(region.get(start..)?, rows, columns).ok()
}
