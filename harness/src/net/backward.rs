//! The backward pass: from the gradient of the loss with respect to the output to that of every parameter.
//!
//! Each delta carries a power of two, see [`super::exponent`], and so does the signal that the forward pass has left. The
//! gradients of the parameters are brought to their true value.

use core::ops::Range;

use isobath_kernels::gemm::{Init, Shape};
use isobath_kernels::{MatMut, MatRef, activation, batch_norm, layer_norm, optimizer, reduce};

use super::arena::gradients_of;
use super::convolution::Convolving;
use super::exponent::{self, exponent_of, ldexp};
use super::forward::matrix;
use super::plan::MAX_NESTING;
use super::pooling::{self, Pooling};
use super::product::multiply;
use super::share::share;
use super::update::{Clipped, Step, Update};
use super::{Arena, Layer, NetError, Pass, Place, Signal, Watch, Window, standardise};
use crate::activation::Activation;
use crate::threads::Threads;

/// The largest |log2| that the largest element of a delta may have before it is rescaled to 1: its products with
/// weights and values stay within f32.
pub(super) const BAND: i32 = 40;

/// The gradient on its way down, and the buffers it moves through.
pub(super) struct Flow<'a> {
    /// dL / d(output of the layer above), stored.
    pub(super) delta: &'a mut [f32],
    /// Where a layer that cannot work in place writes.
    pub(super) other: &'a mut [f32],
    /// Its power of two.
    pub(super) exponent: i32,
    /// Of each open residual branch, the gradient on the skip connection.
    pub(super) stash: &'a mut [f32],
    /// And its power of two.
    stash_exponents: [i32; MAX_NESTING],
    nesting: usize,
}

impl<T: Threads> Pass<'_, T> {
    /// Computes all gradients after a forward pass in training mode over the same samples. `gradient` is that of the
    /// loss with respect to the output. The gradient with respect to the input is computed only if `input_gradient`
    /// says so: a training step has no use for it.
    ///
    /// # Errors
    /// The rows, the gradient or the arena do not fit the plan, see [`NetError`].
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::{Arena, Layer, Mode, NetError, Pass, Place, Plan, Unwatched};
    /// use isobath::threads::Serial;
    /// use isobath_kernels::Level;
    ///
    /// // y = w_2 w_1 x with w_1 = 2, w_2 = 3, x = 5.
    /// let layers = [Layer::dense(1, Init::LECUN); 2];
    /// let mut places = [Place::default(); 2];
    /// let plan = Plan::new(1, 1, &layers, &mut places)?;
    /// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
    /// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
    /// arena.parameters.copy_from_slice(&[2.0, 0.0, 3.0, 0.0]);
    /// arena.input_mut(&plan, 1)[0] = 5.0;
    /// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 1 };
    /// pass.forward(&mut arena, Mode::Training, &mut Unwatched)?;
    /// pass.backward(&mut arena, &[1.0], false, &mut Unwatched)?;
    /// assert_eq!(arena.gradients, [3.0 * 5.0, 3.0, 2.0 * 5.0, 1.0]);
    ///
    /// let error = pass.backward(&mut arena, &[], false, &mut Unwatched).unwrap_err();
    /// assert_eq!(error, NetError::Gradient { needed: 1, found: 0 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backward(
        &self,
        arena: &mut Arena<'_>,
        gradient: &[f32],
        input_gradient: bool,
        watch: &mut impl Watch,
    ) -> Result<(), NetError> {
        if !self.plan.keeps_gradients() {
            return Err(NetError::Consumed);
        }
        self.layers_backward(arena, gradient, input_gradient, watch, None)
    }

    /// A backward pass that updates each layer as soon as it and the one below have their gradients, which saves the way of
    /// gradients to memory and back. The bits are those of [`Pass::backward`] and [`Update::apply`]. Where the plan consumes
    /// gradients, they are gone afterwards; else they are as those two leave them. Says how much clipping changed.
    ///
    /// # Errors
    /// As these two; or the update needs all gradients at once, see [`Update::is_by_layer`].
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
    /// use isobath::net::{Arena, Layer, Mode, NetError, Pass, Place, Plan, Unwatched};
    /// use isobath::threads::Serial;
    /// use isobath_kernels::Level;
    ///
    /// let layers = [Layer::dense(1, Init::LECUN)];
    /// let mut places = [Place::default()];
    /// let plan = Plan::new(2, 1, &layers, &mut places)?;
    /// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
    /// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
    /// arena.parameters.copy_from_slice(&[2.0, 3.0, 1.0]);
    /// arena.input_mut(&plan, 1).copy_from_slice(&[10.0, 100.0]);
    /// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 1 };
    /// pass.forward(&mut arena, Mode::Training, &mut Unwatched)?;
    ///
    /// let mut by_norm =
    ///     Update::new(Optimizer::Sgd, Clipping::GlobalNorm { max_norm: 1.0 }, Penalty::None);
    /// let refused = pass.descend(&mut arena, &[1.0], &mut by_norm, 0.5, &mut Unwatched);
    /// assert_eq!(refused, Err(NetError::Consumed));
    /// let mut plain = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
    /// pass.descend(&mut arena, &[1.0], &mut plain, 0.5, &mut Unwatched)?;
    /// // The gradients are 10, 100 and 1, the rate is one half.
    /// assert_eq!(arena.parameters, [2.0 - 5.0, 3.0 - 50.0, 1.0 - 0.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn descend(
        &self,
        arena: &mut Arena<'_>,
        gradient: &[f32],
        update: &mut Update,
        rate: f32,
        watch: &mut impl Watch,
    ) -> Result<Clipped, NetError> {
        if !update.is_by_layer() {
            return Err(NetError::Consumed);
        }
        // Before the update counts a step.
        self.check_rows()?;
        let mut step = update.begin(rate)?;
        self.layers_backward(arena, gradient, false, watch, Some(&mut step))?;
        Ok(step.clipped)
    }

    fn layers_backward(
        &self,
        arena: &mut Arena<'_>,
        gradient: &[f32],
        input_gradient: bool,
        watch: &mut impl Watch,
        mut step: Option<&mut Step>,
    ) -> Result<(), NetError> {
        self.check_rows()?;
        let size = self.plan.batch * self.plan.widest;
        let mut exponent = 0;
        for (segment, layers) in self.plan.segments().enumerate().rev() {
            self.go_back(arena, segment, layers.clone(), watch)?;
            let deltas = core::mem::take(&mut arena.deltas);
            let (first, rest) = deltas.split_at_mut(size.min(deltas.len()));
            let (second, stash) = rest.split_at_mut(size.min(rest.len()));
            let stash_exponents = [0; MAX_NESTING];
            let mut flow = Flow { delta: first, other: second, exponent, stash, stash_exponents, nesting: 0 };
            let step = step.as_deref_mut();
            let done = self.segment_backward(arena, &mut flow, layers, gradient, input_gradient, watch, step);
            exponent = flow.exponent;
            arena.deltas = deltas;
            done?;
        }
        Ok(())
    }

    /// From the delta that the segment above has left, or the gradient of the loss, to the one for the segment below.
    fn segment_backward(
        &self,
        arena: &mut Arena<'_>,
        flow: &mut Flow<'_>,
        range: Range<usize>,
        gradient: &[f32],
        input_gradient: bool,
        watch: &mut impl Watch,
        mut step: Option<&mut Step>,
    ) -> Result<(), NetError> {
        let missing = |layer| NetError::Arena { layer };
        match self.plan.places.get(range.end) {
            Some(above) => flow.go_on(self.elements_of(above.from)).ok_or(missing(range.end))?,
            None => self.start(flow, gradient, watch)?,
        }
        for (index, (layer, place)) in self.plan.layers_in(range.clone()).rev() {
            let wanted = input_gradient || index > 0;
            self.layer(arena, flow, index, layer, place, wanted, watch).ok_or(missing(index))?;
            if wanted {
                self.rescale(flow, place.from).ok_or(missing(index))?;
                self.show(flow, index, place.from, watch);
            }
            if let Some(step) = &mut step {
                watch.update_begins(index);
                // What was the delta above has been used: its buffer is free.
                step.layer(self.level, self.threads, layer, place, arena, flow.other)
                    .ok_or(missing(index))?;
                watch.update_ends(index);
            }
        }
        match self.plan.places.get(range.start) {
            Some(first) if range.start > 0 => {
                flow.wait(self.elements_of(first.from)).ok_or(missing(range.start))
            }
            _ => Ok(()),
        }
    }

    /// Begins at the top.
    fn start(&self, flow: &mut Flow<'_>, gradient: &[f32], watch: &mut impl Watch) -> Result<(), NetError> {
        let (count, output) = (self.plan.layers.len(), self.plan.output);
        let needed = self.elements_of(output);
        let Some(gradient) = gradient.get(..needed) else {
            return Err(NetError::Gradient { needed, found: gradient.len() });
        };
        let missing = NetError::Arena { layer: count };
        flow.delta.get_mut(..needed).ok_or(missing)?.copy_from_slice(gradient);
        self.rescale(flow, output).ok_or(missing)?;
        self.show(flow, count, output, watch);
        Ok(())
    }

    fn show(&self, flow: &Flow<'_>, layer: usize, signal: Signal, watch: &mut impl Watch) {
        if let Some(delta) = matrix(flow.delta, 0, self.rows_of(signal), signal.channels) {
            watch.delta(layer, delta, flow.exponent);
        }
    }

    fn layer(
        &self,
        arena: &mut Arena<'_>,
        flow: &mut Flow<'_>,
        index: usize,
        layer: &Layer,
        place: &Place,
        wanted: bool,
        watch: &mut impl Watch,
    ) -> Option<()> {
        match layer {
            Layer::Dense(_) | Layer::Standardised(_) | Layer::Convolution(_) => {
                let window = if let Layer::Convolution(layer) = layer { Some(layer.window) } else { None };
                self.weight_gradient(arena, flow, index, window, place, watch)?;
                if wanted { self.input_gradient(arena, flow, window, place) } else { Some(()) }
            }
            Layer::MaxPool { .. } | Layer::AveragePool => self.unpool(arena, flow, place, layer),
            Layer::Activation(Activation::Identity) | Layer::Flatten => Some(()),
            Layer::Activation(function) => self.activation(arena, flow, place, *function),
            Layer::BatchNorm { .. } => self.batch_norm_backward(arena, flow, place),
            Layer::LayerNorm { .. } => self.layer_norm_backward(arena, flow, place),
            Layer::SkipEnd { scale } => self.fork(flow, place, *scale),
            Layer::LearnedSkipEnd { .. } => self.fork_learned(arena, flow, place),
            Layer::SkipStart => self.join(flow, place),
            Layer::Recurrent(recurrent) => {
                self.back_through_time(arena, flow, index, place, recurrent, wanted, watch)
            }
        }
    }

    /// dW = X^T dY and db = column sums of dY, brought to their true value.
    fn weight_gradient(
        &self,
        arena: &mut Arena<'_>,
        flow: &Flow<'_>,
        index: usize,
        window: Option<Window>,
        place: &Place,
        watch: &mut impl Watch,
    ) -> Option<()> {
        let exponent = arena.exponent(place.input) + flow.exponent;
        let x = arena.values.get(place.input.start..)?.get(..self.elements_of(place.from))?;
        let dy = matrix(flow.delta, 0, self.rows_of(place.to), place.width)?;
        let gradients = gradients_of(arena.gradients, arena.parameters.len(), place)?;
        let (weights, rest) = gradients.split_at_mut_checked(place.weight_count)?;
        let (biases, _) = rest.split_at_mut_checked(place.width)?;
        if let Some(window) = window {
            let convolving = Convolving::new(self.level, self.threads, self.rows, window, place);
            convolving.weight_gradient(x, flow.delta, weights, arena.workspace)?;
        } else {
            let (m, n, k) = (place.fan_in, place.width, self.rows_of(place.from));
            let shape = Shape { m, n, k, transpose_a: true, transpose_b: false };
            let (x, dw) = (MatRef::new(x, k, m).ok()?, MatMut::new(weights, m, n).ok()?);
            multiply(self.level, self.threads, shape, x, dy, dw, Init::Zero, arena.workspace).ok()?;
        }
        let sum = |(dy, sums): (MatRef<'_>, &mut [f32])| reduce::column_sums(self.level, dy, sums).ok();
        share(self.threads, dy.rows() * place.width, place.width, (dy, &mut *biases), &sum)?;
        standardise::backward(self.level, arena, place)?;
        let gradients = gradients_of(arena.gradients, arena.parameters.len(), place)?;
        let (weights, rest) = gradients.split_at_mut_checked(place.weight_count)?;
        let (biases, gains) = rest.split_at_mut_checked(place.width)?;
        watch.weight_gradient(index, MatRef::new(weights, place.fan_in, place.width).ok()?, exponent);
        ldexp(self.level, weights, exponent);
        ldexp(self.level, biases, flow.exponent);
        ldexp(self.level, gains, exponent);
        Some(())
    }

    /// dX = dY W^T.
    fn input_gradient(
        &self,
        arena: &mut Arena<'_>,
        flow: &mut Flow<'_>,
        window: Option<Window>,
        place: &Place,
    ) -> Option<()> {
        let weights = standardise::effective(arena.parameters, arena.statistics, place)?;
        if let Some(window) = window {
            let convolving = Convolving::new(self.level, self.threads, self.rows, window, place);
            convolving.input_gradient(flow.delta, weights, flow.other, arena.workspace)?;
        } else {
            let (m, n, k) = (self.rows_of(place.from), place.fan_in, place.width);
            let shape = Shape { m, n, k, transpose_a: false, transpose_b: true };
            let dy = matrix(flow.delta, 0, m, k)?;
            let dx = MatMut::new(flow.other, m, n).ok()?;
            multiply(self.level, self.threads, shape, dy, weights, dx, Init::Zero, arena.workspace).ok()?;
        }
        core::mem::swap(&mut flow.delta, &mut flow.other);
        Some(())
    }

    /// The gradient of a pool, back where the pooled values came from.
    fn unpool(&self, arena: &Arena<'_>, flow: &mut Flow<'_>, place: &Place, layer: &Layer) -> Option<()> {
        let dy = flow.delta.get_mut(..self.elements_of(place.to))?;
        let dx = flow.other.get_mut(..self.elements_of(place.from))?;
        if let Layer::MaxPool { size, stride } = *layer {
            let which = arena.values.get(place.kept.start..)?.get(..self.elements_of(place.to))?;
            Pooling::new(size, stride, place).backward(dy, which, dx);
        } else {
            pooling::average_backward(self.level, place.from, dy, dx);
        }
        core::mem::swap(&mut flow.delta, &mut flow.other);
        Some(())
    }

    /// dh = dy phi'(h), and the slope's gradient for PReLU.
    fn activation(
        &self,
        arena: &mut Arena<'_>,
        flow: &mut Flow<'_>,
        place: &Place,
        function: Activation,
    ) -> Option<()> {
        let length = self.elements_of(place.to);
        let kept = arena.values.get(place.kept.start..)?.get(..length)?;
        let delta = flow.delta.get_mut(..length)?;
        let Activation::Prelu(_) = function else {
            let multiply =
                |(kept, delta): (&[f32], &mut [f32])| activation::multiply(self.level, kept, delta).ok();
            return share(self.threads, 3 * length, length, (kept, delta), &multiply);
        };
        let slope = *arena.parameters.get(place.parameters)?;
        let exponent = arena.exponent(place.kept) + flow.exponent;
        let gradient = gradients_of(arena.gradients, arena.parameters.len(), place)?;
        let rows = self.rows_of(place.to);
        let h = MatRef::new(kept, rows, place.width).ok()?;
        let dy = MatRef::new(delta, rows, place.width).ok()?;
        gradient.fill(activation::prelu_shared_slope_gradient(self.level, h, dy).ok()?);
        ldexp(self.level, gradient, exponent);
        activation::backward_in_place(self.level, activation::PRelu { slope }, kept, delta).ok()
    }

    fn batch_norm_backward(&self, arena: &mut Arena<'_>, flow: &mut Flow<'_>, place: &Place) -> Option<()> {
        let width = place.width;
        let rows = self.rows_of(place.from);
        let x = matrix(arena.values, place.input.start, rows, width)?;
        let dy = matrix(flow.delta, 0, rows, width)?;
        let dx = MatMut::new(flow.other, rows, width).ok()?;
        let gain = arena.parameters.get(place.parameters..)?.get(..width)?;
        let statistics = arena.statistics.get(place.statistics..)?.get(..2 * width)?;
        let (mean, inverse_deviation) = statistics.split_at(width);
        let gradients = gradients_of(arena.gradients, arena.parameters.len(), place)?;
        let (d_gain, d_shift) = gradients.split_at_mut(width);
        let backward = |((x, dy, dx), (gain, mean, inv_std), (d_gain, d_shift))| {
            batch_norm::backward(self.level, x, dy, gain, mean, inv_std, dx, d_gain, d_shift).ok()
        };
        let of_channels = (gain, mean, inverse_deviation);
        let parts = ((x, dy, dx), of_channels, (d_gain, d_shift));
        share(self.threads, 6 * rows * width, width, parts, &backward)?;
        ldexp(self.level, gradients, flow.exponent);
        // x 2^e has 2^-e times the slopes of x.
        flow.exponent -= arena.exponent(place.input);
        core::mem::swap(&mut flow.delta, &mut flow.other);
        Some(())
    }

    fn layer_norm_backward(&self, arena: &mut Arena<'_>, flow: &mut Flow<'_>, place: &Place) -> Option<()> {
        let width = place.width;
        let rows = self.rows_of(place.from);
        let x = matrix(arena.values, place.input.start, rows, width)?;
        let dy = matrix(flow.delta, 0, rows, width)?;
        let dx = MatMut::new(flow.other, rows, width).ok()?;
        let gain = arena.parameters.get(place.parameters..)?.get(..width)?;
        let statistics = arena.statistics.get(place.statistics..)?;
        let (mean, rest) = statistics.split_at_checked(self.plan.batch * place.from.positions())?;
        let (mean, inverse_deviation) = (mean.get(..rows)?, rest.get(..rows)?);
        let gradients = gradients_of(arena.gradients, arena.parameters.len(), place)?;
        let (d_gain, d_shift) = gradients.split_at_mut(width);
        layer_norm::backward(self.level, x, dy, gain, mean, inverse_deviation, dx, d_gain, d_shift).ok()?;
        ldexp(self.level, gradients, flow.exponent);
        // x 2^e has 2^-e times the slopes of x.
        flow.exponent -= arena.exponent(place.input);
        core::mem::swap(&mut flow.delta, &mut flow.other);
        Some(())
    }

    /// At the end of a branch the gradient goes both ways: as it is to the skip connection, scaled to the branch.
    fn fork(&self, flow: &mut Flow<'_>, place: &Place, scale: f32) -> Option<()> {
        let length = self.elements_of(place.to);
        let size = self.plan.batch * self.plan.widest;
        let delta = flow.delta.get_mut(..length)?;
        flow.stash.get_mut(flow.nesting * size..)?.get_mut(..length)?.copy_from_slice(delta);
        *flow.stash_exponents.get_mut(flow.nesting)? = flow.exponent;
        flow.nesting += 1;
        if scale != 1.0 {
            optimizer::scale(self.level, scale, delta);
        }
        Some(())
    }

    /// The same with the scale that was learned, whose gradient is the dot product of delta and the branch's output.
    fn fork_learned(&self, arena: &mut Arena<'_>, flow: &mut Flow<'_>, place: &Place) -> Option<()> {
        let length = self.elements_of(place.to);
        let exponent = arena.exponent(place.kept) + flow.exponent;
        let branch = arena.values.get(place.kept.start..)?.get(..length)?;
        let gradient = gradients_of(arena.gradients, arena.parameters.len(), place)?;
        gradient.fill(reduce::dot(self.level, branch, flow.delta.get(..length)?).ok()?);
        ldexp(self.level, gradient, exponent);
        self.fork(flow, place, *arena.parameters.get(place.parameters)?)
    }

    /// At its start the two gradients are added.
    fn join(&self, flow: &mut Flow<'_>, place: &Place) -> Option<()> {
        let length = self.elements_of(place.to);
        let size = self.plan.batch * self.plan.widest;
        flow.nesting = flow.nesting.checked_sub(1)?;
        let stash = flow.stash.get(flow.nesting * size..)?.get(..length)?;
        let of_stash = *flow.stash_exponents.get(flow.nesting)?;
        let delta = (flow.delta.get_mut(..length)?, flow.exponent);
        let scratch = flow.other.get_mut(..length)?;
        let stash = (stash, of_stash);
        flow.exponent = exponent::scale_add(self.level, self.threads, 1.0, delta, stash, scratch)?;
        Some(())
    }

    /// Brings the delta's largest element back to the neighbourhood of 1 when it has left the band.
    fn rescale(&self, flow: &mut Flow<'_>, signal: Signal) -> Option<()> {
        let delta = flow.delta.get_mut(..self.elements_of(signal))?;
        if let Some(exponent) = exponent_of(self.level, self.threads, delta)
            && exponent.abs() > BAND
        {
            ldexp(self.level, delta, -exponent);
            flow.exponent += exponent;
        }
        Some(())
    }
}
