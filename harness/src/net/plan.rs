//! Where everything of a network lies in its arena, settled before the first step.
//!
//! Values (activations) of a layer are kept once: an activation function overwrites the output of the layer below,
//! which nothing needs any more, and a residual sum overwrites the branch's output. Gradients flow through two
//! buffers that take turns, plus one per nested residual branch.
//!
//! With checkpoints the list is cut into segments whose values share one place, see [`super::segment`].

mod error;
mod layout;

use core::ops::Range;

pub use error::PlanError;
pub(super) use layout::whole_lines;
use layout::{Layout, product, sum};

use super::{Layer, Signal};

/// Residual branches may nest this deep.
pub(super) const MAX_NESTING: usize = 4;

/// Where one layer's things lie. Offsets count elements from the start of their region of the arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Rows of the weights of a dense layer or a convolution; for all others, columns of the input.
    pub fan_in: usize,
    /// Columns of its output.
    pub width: usize,
    /// What a sample is before the layer.
    pub from: Signal,
    /// What it is after it.
    pub to: Signal,
    /// Start in the parameters (and gradients): weights then biases (recurrent: W, U, then b; standardised: then gains), or
    /// gain then shift, or the slope, or the learned scale of a branch.
    pub parameters: usize,
    /// Elements there.
    pub parameter_count: usize,
    /// How many of these, from the start, are weights that decay: 0 for all but dense layers, convolutions and recurrent
    /// layers.
    pub weight_count: usize,
    /// The input.
    pub input: Values,
    /// The output.
    pub output: Values,
    /// What an activation keeps for the backward pass: phi'(h), or h itself for PReLU. For [`Layer::LearnedSkipEnd`] the
    /// branch's output. Of a max pool, which element of its window each output is. A recurrent layer keeps more.
    pub kept: Values,
    /// Start in the statistics: batch norm has mean, inverse deviation, variance, running mean, running variance;
    /// layer norm mean and inverse deviation per row of the largest batch; standardised weights what `standardise` says.
    /// All but the running ones are of the input as it is stored.
    pub statistics: usize,
    /// For [`Layer::SkipEnd`] and its kin: what comes over the skip connection.
    pub skip: Values,
    /// The segment of the list that it belongs to, from 0.
    pub(super) segment: usize,
    /// Start of that segment's input among the checkpoints.
    pub(super) checkpoint: usize,
}

/// An array of the arena's values, and the power of two that goes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Start in the values.
    pub start: usize,
    /// Which of the arena's exponents is its own.
    pub(super) exponent: usize,
}

/// A network's layers and where everything of theirs lies.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    pub(super) layers: &'a [Layer],
    pub(super) places: &'a [Place],
    pub(super) input: Signal,
    pub(super) output: Signal,
    pub(super) batch: usize,
    /// The most numbers per sample between two layers.
    pub(super) widest: usize,
    pub(super) parameters: usize,
    /// Gradients that are held: those of all parameters, or of the layer that has the most.
    pub(super) gradients: usize,
    pub(super) statistics: usize,
    /// Segments of the list, 1 without checkpoints.
    pub(super) segments: usize,
    /// Of the segment that has the most.
    pub(super) values: usize,
    /// Of the segment that has the most.
    pub(super) exponents: usize,
    /// Elements of the inputs of all segments where there are several.
    pub(super) checkpoints: usize,
    /// Buffers of deltas that wait: one per nested residual branch, and one at least where there are several segments.
    pub(super) waiting: usize,
    pub(super) workspace: usize,
}

impl<'a> Plan<'a> {
    /// Lays out a network for such an `input` (a number of columns, or a [`Signal`] of several positions) and batches
    /// of at most `batch` samples; `places` receives one entry per layer.
    ///
    /// # Errors
    /// The list is no network, see [`PlanError`].
    pub fn new(
        input: impl Into<Signal>,
        batch: usize,
        layers: &'a [Layer],
        places: &'a mut [Place],
    ) -> Result<Self, PlanError> {
        Self::lay_out(input.into(), batch, layers, places, usize::MAX)
    }

    /// The same network in less memory, for one more forward pass in each backward pass: of the values only checkpoints
    /// outlast the forward pass, the inputs of segments of `every` layers, or as many more as it takes to close all
    /// residual branches; a backward pass computes the others again, segment by segment. No bit of parameters, gradients,
    /// statistics and deltas differs. With L layers of equal width, `every` of about sqrt(L) takes the least memory, in the
    /// order of sqrt(L) arrays instead of L.
    ///
    /// The input has to be filled in before *each* forward pass. After it, the arena's values are those of the last
    /// segment, after a backward pass those of the first; [`Pass::recompute`](super::Pass::recompute) brings back others. A
    /// second backward pass over the same forward pass computes them all again, so no parameter may move in between.
    ///
    /// # Errors
    /// The list is no network, or `every` is 0, see [`PlanError`].
    pub fn with_checkpoints(
        input: impl Into<Signal>,
        batch: usize,
        layers: &'a [Layer],
        places: &'a mut [Place],
        every: usize,
    ) -> Result<Self, PlanError> {
        if every == 0 {
            return Err(PlanError::Zero("the number of layers from one checkpoint to the next"));
        }
        Self::lay_out(input.into(), batch, layers, places, every)
    }

    fn lay_out(
        input: Signal,
        batch: usize,
        layers: &'a [Layer],
        places: &'a mut [Place],
        every: usize,
    ) -> Result<Self, PlanError> {
        if input.channels == 0 {
            return Err(PlanError::Zero("the input width"));
        }
        if input.positions() == 0 {
            return Err(PlanError::Zero("the number of the input's positions"));
        }
        if batch == 0 {
            return Err(PlanError::Zero("the batch size"));
        }
        let found = places.len();
        let needed = layers.len();
        let Some(places) = places.get_mut(..needed) else { return Err(PlanError::Places { needed, found }) };
        let mut total = Layout::new(input, batch, every)?;
        for (index, (layer, place)) in layers.iter().zip(places.iter_mut()).enumerate() {
            *place = total.add(index, layer)?;
        }
        if total.nesting != 0 {
            return Err(PlanError::Skip { layer: needed });
        }
        total.end_segment();
        let Layout { signal, widest, parameters, statistics, most_values, most_exponents, .. } = total;
        let is_cut = total.segment > 0;
        Ok(Self {
            layers,
            places,
            input,
            output: signal,
            batch,
            widest,
            parameters,
            gradients: parameters,
            statistics,
            segments: total.segment + 1,
            values: most_values,
            exponents: most_exponents,
            checkpoints: if is_cut { total.checkpoints } else { 0 },
            waiting: total.deepest.max(usize::from(is_cut)),
            workspace: total.workspace,
        })
    }

    /// The same network with gradients that are consumed: a step updates each layer as soon as its gradients are there, so
    /// an arena holds those of one layer at a time. See [`Pass::descend`](super::Pass::descend).
    #[must_use]
    pub fn consuming_gradients(self) -> Self {
        let most = self.places.iter().map(|place| place.parameter_count).max();
        Self { gradients: most.unwrap_or(0), ..self }
    }

    /// The segments that checkpoints cut the layers into, from the input to the output: one where there are none.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = Range<usize>> + ExactSizeIterator + use<'a> {
        let places = self.places;
        let begins = move |segment| places.partition_point(|place| place.segment < segment);
        (0..self.segments).map(move |segment| begins(segment)..begins(segment + 1))
    }

    /// Some of the layers with their indices and places.
    pub(super) fn layers_in(
        &self,
        range: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = (usize, (&'a Layer, &'a Place))> + use<'a> {
        let layers = self.layers.get(range.clone()).unwrap_or_default();
        let places = self.places.get(range.clone()).unwrap_or_default();
        range.zip(layers.iter().zip(places))
    }

    /// Whether an arena of this plan holds all gradients after a backward pass.
    pub fn keeps_gradients(&self) -> bool {
        self.gradients == self.parameters
    }

    /// The layers.
    pub fn layers(&self) -> &'a [Layer] {
        self.layers
    }

    /// Where each lies.
    pub fn places(&self) -> &'a [Place] {
        self.places
    }

    /// Numbers per sample of the network's input: its columns, where there is one position.
    pub fn input(&self) -> usize {
        self.input.elements()
    }

    /// Numbers per sample of its output.
    pub fn output(&self) -> usize {
        self.output.elements()
    }

    /// What a sample is when it comes in.
    pub fn input_signal(&self) -> Signal {
        self.input
    }

    /// What has become of it at the top.
    pub fn output_signal(&self) -> Signal {
        self.output
    }

    /// Samples of the largest batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Number of trained parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Multiply-adds of the dense layers, convolutions and recurrent layers in one forward pass of one sample. A training
    /// step takes three times as many, with checkpoints up to four times.
    pub fn multiply_adds(&self) -> u64 {
        let of = |(layer, place): (&Layer, &Place)| match layer {
            Layer::Dense(_) | Layer::Standardised(_) | Layer::Convolution(_) => {
                (place.weight_count as u64).saturating_mul(place.to.positions() as u64)
            }
            Layer::Recurrent(_) => (place.weight_count as u64).saturating_mul(place.from.height as u64),
            _ => 0,
        };
        self.layers.iter().zip(self.places).map(of).fold(0, u64::saturating_add)
    }

    /// Elements of the arena for an optimiser that keeps `moments` values per parameter, on `threads` threads.
    ///
    /// # Errors
    /// The number does not fit in a `usize`.
    pub fn arena_len(&self, moments: usize, threads: usize) -> Result<usize, PlanError> {
        self.regions(moments, threads)?
            .into_iter()
            .map(whole_lines)
            .try_fold(0, |all, region| sum(all, region?))
    }

    /// The elements of its regions, in the order of [`Arena`]'s: parameters, gradients, moments, statistics, values,
    /// exponents, deltas, workspace.
    pub(super) fn regions(&self, moments: usize, threads: usize) -> Result<[usize; 8], PlanError> {
        let delta = product(self.batch, self.widest)?;
        Ok([
            self.parameters,
            self.gradients,
            product(self.parameters, moments)?,
            self.statistics,
            sum(self.values, self.checkpoints)?,
            self.all_exponents(),
            product(delta, sum(2, self.waiting)?)?,
            product(self.workspace, threads)?,
        ])
    }

    /// Of the values of a segment, then of the checkpoints.
    pub(super) fn all_exponents(&self) -> usize {
        self.exponents + if self.segments > 1 { self.segments } else { 0 }
    }
}
