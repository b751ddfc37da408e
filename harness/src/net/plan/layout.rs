//! Layer after layer gets its place: what its sample becomes, its parameters, its values, its products' workspace.

use isobath_kernels::gemm::{Gemm, K_BLOCK, Shape};

use super::{MAX_NESTING, Place, PlanError, Values};
use crate::activation::Activation;
use crate::net::pooling::MOST;
use crate::net::{Layer, Recurrent, Signal, Window, convolution, standardise};

pub(super) fn product(a: usize, b: usize) -> Result<usize, PlanError> {
    a.checked_mul(b).ok_or(PlanError::TooLarge)
}

pub(super) fn sum(a: usize, b: usize) -> Result<usize, PlanError> {
    a.checked_add(b).ok_or(PlanError::TooLarge)
}

/// Elements of a line of the cache. Vectors that lie in two lines take twice as long to load.
const LINE: usize = 16;

/// So many elements and those up to the next line.
pub(in crate::net) fn whole_lines(elements: usize) -> Result<usize, PlanError> {
    elements.checked_next_multiple_of(LINE).ok_or(PlanError::TooLarge)
}

/// What becomes of an image under a window, but for its channels.
fn slide(layer: usize, window: Window, image: Signal) -> Result<Signal, PlanError> {
    if window.size == 0 {
        return Err(PlanError::Zero("the size of a window"));
    }
    if window.stride == 0 {
        return Err(PlanError::Zero("the stride of a window"));
    }
    let (height, width) = window.places(image).ok_or(PlanError::Window { layer, window, image })?;
    Ok(Signal { height, width, ..image })
}

/// The plan as far as it has been laid out.
pub(super) struct Layout {
    batch: usize,
    /// Layers from one checkpoint to the next.
    every: usize,
    /// What a sample is so far.
    pub(super) signal: Signal,
    /// The newest values.
    current: Values,
    /// Whether the newest values may be overwritten: nothing but the next layer reads them.
    overwritable: bool,
    pub(super) widest: usize,
    pub(super) parameters: usize,
    pub(super) statistics: usize,
    /// Of the segment so far.
    values: usize,
    /// Arrays of values of the segment so far.
    exponents: usize,
    /// Of the segment that has the most, among those that have ended.
    pub(super) most_values: usize,
    pub(super) most_exponents: usize,
    /// The segment's number, and its first layer.
    pub(super) segment: usize,
    first: usize,
    /// Start of its input among the checkpoints.
    checkpoint: usize,
    /// Elements of all checkpoints so far.
    pub(super) checkpoints: usize,
    pub(super) nesting: usize,
    pub(super) deepest: usize,
    /// Of each open residual branch.
    skips: [Skip; MAX_NESTING],
    pub(super) workspace: usize,
}

/// The skip connection beside an open residual branch.
#[derive(Clone, Copy, Default)]
struct Skip {
    values: Values,
    signal: Signal,
    /// The layer that opened the branch.
    layer: usize,
}

impl Layout {
    /// Before the first layer.
    pub(super) fn new(input: Signal, batch: usize, every: usize) -> Result<Self, PlanError> {
        let widest = input.check()?.elements();
        let values = product(batch, widest)?;
        Ok(Self {
            batch,
            every,
            signal: input,
            current: Values::default(),
            overwritable: false,
            widest,
            parameters: 0,
            statistics: 0,
            values,
            exponents: 1,
            most_values: 0,
            most_exponents: 0,
            segment: 0,
            first: 0,
            checkpoint: 0,
            checkpoints: values,
            nesting: 0,
            deepest: 0,
            skips: [Skip::default(); MAX_NESTING],
            workspace: 0,
        })
    }

    /// The next layer.
    pub(super) fn add(&mut self, index: usize, layer: &Layer) -> Result<Place, PlanError> {
        if index - self.first >= self.every && self.nesting == 0 {
            self.begin_segment(index)?;
        }
        let mut place = Place {
            fan_in: self.signal.channels,
            width: self.signal.channels,
            from: self.signal,
            to: self.signal,
            parameters: self.parameters,
            statistics: self.statistics,
            input: self.current,
            output: self.current,
            segment: self.segment,
            checkpoint: self.checkpoint,
            ..Place::default()
        };
        match *layer {
            Layer::Dense(dense) | Layer::Standardised(dense) => {
                if dense.units == 0 {
                    return Err(PlanError::Zero("the width of a dense layer"));
                }
                place.width = dense.units;
                place.weight_count = product(place.fan_in, place.width)?;
                place.parameter_count = sum(place.weight_count, place.width)?;
                if let Layer::Standardised(_) = layer {
                    if place.fan_in < 2 {
                        return Err(PlanError::OneInput { layer: index });
                    }
                    place.parameter_count = sum(place.parameter_count, place.width)?;
                    let statistics = standardise::statistics_len(place.weight_count, place.width);
                    self.statistics = sum(self.statistics, statistics.ok_or(PlanError::TooLarge)?)?;
                }
                place.to = Signal { channels: dense.units, ..place.from };
                place.output = self.new_values(place.to)?;
                self.plan_products(place)?;
            }
            Layer::Convolution(layer) => {
                if layer.channels == 0 {
                    return Err(PlanError::Zero("the number of channels of a convolution"));
                }
                place.to = Signal { channels: layer.channels, ..slide(index, layer.window, place.from)? };
                place.width = layer.channels;
                place.fan_in = product(product(layer.window.size, layer.window.size)?, place.from.channels)?;
                place.weight_count = product(place.fan_in, place.width)?;
                place.parameter_count = sum(place.weight_count, place.width)?;
                place.output = self.new_values(place.to)?;
                // A column of its weights fits into a buffer of deltas.
                self.widest = self.widest.max(place.fan_in.div_ceil(self.batch));
                self.workspace = self.workspace.max(convolution::workspace_len(&place)?);
            }
            Layer::MaxPool { size, stride } => {
                place.to = slide(index, Window { size, stride, padding: 0 }, place.from)?;
                if size > MOST {
                    return Err(PlanError::Pool { layer: index, size });
                }
                place.kept = self.new_values(place.to)?;
                place.output = self.new_values(place.to)?;
            }
            Layer::AveragePool => {
                place.to = Signal::vector(place.from.channels);
                place.output = self.new_values(place.to)?;
            }
            Layer::Activation(activation) => {
                // The identity leaves the values where they are.
                if activation != Activation::Identity {
                    if !self.overwritable {
                        place.output = self.new_values(place.to)?;
                    }
                    place.kept = self.new_values(place.to)?;
                    self.current = place.output;
                }
                place.parameter_count = usize::from(matches!(activation, Activation::Prelu(_)));
            }
            Layer::BatchNorm { .. } => {
                if self.batch < 2 && place.from.positions() < 2 {
                    return Err(PlanError::BatchNormBatch { batch: self.batch });
                }
                place.parameter_count = product(2, place.width)?;
                self.statistics = sum(self.statistics, product(5, place.width)?)?;
                place.output = self.new_values(place.to)?;
            }
            Layer::LayerNorm { .. } => {
                place.parameter_count = product(2, place.width)?;
                self.statistics =
                    sum(self.statistics, product(2, product(self.batch, place.from.positions())?)?)?;
                place.output = self.new_values(place.to)?;
            }
            Layer::Flatten => place.to = Signal::vector(place.from.elements()),
            Layer::SkipStart => {
                let Some(skip) = self.skips.get_mut(self.nesting) else {
                    return Err(PlanError::Skip { layer: index });
                };
                *skip = Skip { values: self.current, signal: self.signal, layer: index };
                self.nesting += 1;
                self.deepest = self.deepest.max(self.nesting);
                self.overwritable = false;
            }
            Layer::SkipEnd { .. } | Layer::LearnedSkipEnd { .. } => {
                let skip = self.nesting.checked_sub(1).and_then(|top| self.skips.get(top));
                let Some(&Skip { values, signal, layer: opened }) = skip else {
                    return Err(PlanError::Skip { layer: index });
                };
                if opened + 1 == index || values == self.current {
                    return Err(PlanError::Skip { layer: index });
                }
                let (skip, branch) = (signal, self.signal);
                if (skip.height, skip.width) != (branch.height, branch.width) {
                    return Err(PlanError::SkipPositions { layer: index, skip, branch });
                }
                if skip.channels != branch.channels {
                    let (skip, branch) = (skip.channels, branch.channels);
                    return Err(PlanError::SkipWidth { layer: index, skip, branch });
                }
                self.nesting -= 1;
                place.skip = values;
                if let Layer::LearnedSkipEnd { .. } = layer {
                    place.kept = self.new_values(place.to)?;
                    self.current = place.output;
                    place.parameter_count = 1;
                }
            }
            Layer::Recurrent(recurrent) => self.recurrent(index, &recurrent, &mut place)?,
        }
        self.parameters = sum(self.parameters, place.parameter_count)?;
        self.signal = place.to;
        Ok(place)
    }

    /// A segment begins like a network, with a copy of its input where the network's input lies. Its layers may overwrite
    /// that: the checkpoint stays.
    fn begin_segment(&mut self, index: usize) -> Result<(), PlanError> {
        self.end_segment();
        (self.values, self.exponents) = (0, 0);
        self.new_values(self.signal)?;
        self.segment += 1;
        self.first = index;
        self.checkpoint = self.checkpoints;
        self.checkpoints = sum(self.checkpoints, self.values)?;
        Ok(())
    }

    /// Settles what the segment needs.
    pub(super) fn end_segment(&mut self) {
        self.most_values = self.most_values.max(self.values);
        self.most_exponents = self.most_exponents.max(self.exponents);
    }

    /// Room for a batch of such samples, which becomes the newest values.
    fn new_values(&mut self, signal: Signal) -> Result<Values, PlanError> {
        let elements = signal.check()?.elements();
        self.widest = self.widest.max(elements);
        self.current = Values { start: self.values, exponent: self.exponents };
        self.values = sum(self.values, product(self.batch, elements)?)?;
        self.exponents += 1;
        self.overwritable = true;
        Ok(self.current)
    }

    /// The workspace that a dense layer's three products need.
    fn plan_products(&mut self, place: Place) -> Result<(), PlanError> {
        let (n_in, n_out) = (place.fan_in, place.width);
        let b = product(self.batch, place.from.positions())?;
        let shapes = [
            Shape { m: b, n: n_out, k: n_in, transpose_a: false, transpose_b: false },
            Shape { m: b, n: n_in, k: n_out, transpose_a: false, transpose_b: true },
            Shape { m: n_in, n: n_out, k: b.min(K_BLOCK), transpose_a: true, transpose_b: false },
        ];
        self.plan_workspace(&shapes);
        Ok(())
    }

    fn recurrent(&mut self, index: usize, layer: &Recurrent, place: &mut Place) -> Result<(), PlanError> {
        let sizes = layer.sizes(index, place.from)?;
        place.width = layer.units;
        place.to = Signal::sequence(sizes.shown, layer.units);
        place.weight_count = product(sum(sizes.features, layer.units)?, sizes.columns)?;
        place.parameter_count = sum(place.weight_count, sizes.columns)?;
        place.output = self.new_values(place.to)?;
        let kept = layer.kept(&sizes).ok_or(PlanError::TooLarge)?;
        // Nothing of it passes between layers, so it does not count among the widest.
        let widest = self.widest;
        place.kept = self.new_values(Signal::vector(kept))?;
        // But a column of its weights fits into a buffer of deltas.
        let column = sum(sizes.features, layer.units)?.div_ceil(self.batch);
        (self.widest, self.current) = (widest.max(column), place.output);
        self.plan_workspace(&layer.products(&sizes, self.batch).ok_or(PlanError::TooLarge)?);
        Ok(())
    }

    fn plan_workspace(&mut self, products: &[Shape]) {
        for shape in products {
            self.workspace = self.workspace.max(Gemm::workspace_len_for(*shape));
        }
    }
}
