//! Where everything of a network lies in its arena, settled before the first step.
//!
//! Values (activations) of a layer are kept once: an activation function overwrites the output of the layer below,
//! which nothing needs any more, and a residual sum overwrites the branch's output. Gradients flow through two
//! buffers that take turns, plus one per nested residual branch.

use core::fmt;

use isobath_kernels::gemm::{Gemm, K_BLOCK, Shape};

use super::Layer;
use crate::activation::Activation;

/// Residual branches may nest this deep.
pub(super) const MAX_NESTING: usize = 4;

/// Where one layer's things lie. Offsets count elements from the start of their region of the arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Columns of the layer's input.
    pub fan_in: usize,
    /// Columns of its output.
    pub width: usize,
    /// Start in the parameters (and gradients): weights then biases (recurrent: W, then U), or gain then shift, or the
    /// slope.
    pub parameters: usize,
    /// Elements there.
    pub parameter_count: usize,
    /// How many of these, from the start, are weights that decay: 0 for all but dense and recurrent layers.
    pub weight_count: usize,
    /// The input.
    pub input: Values,
    /// The output.
    pub output: Values,
    /// What an activation keeps for the backward pass: phi'(h), or h itself for PReLU. A recurrent layer keeps more.
    pub kept: Values,
    /// Start in the statistics: batch norm has mean, inverse deviation, variance, running mean, running variance;
    /// layer norm mean and inverse deviation per row. All but the running ones are of the input as it is stored.
    pub statistics: usize,
    /// For [`Layer::SkipEnd`]: what comes over the skip connection.
    pub skip: Values,
}

/// An array of the arena's values, and the power of two that goes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Start in the values.
    pub start: usize,
    /// Which of the arena's exponents is its own.
    pub(super) exponent: usize,
}

/// Why a list of layers is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// A width, the input or the batch is 0.
    Zero(&'static str),
    /// Fewer places than layers were given.
    Places {
        /// Layers.
        needed: usize,
        /// Places given.
        found: usize,
    },
    /// A residual branch is not closed, not opened, empty, or nested too deep.
    Skip {
        /// The layer's index.
        layer: usize,
    },
    /// A residual branch changes the width.
    SkipWidth {
        /// The layer's index.
        layer: usize,
        /// Columns of the skip connection.
        skip: usize,
        /// Columns of the branch.
        branch: usize,
    },
    /// Batch norm needs at least two rows to have a variance.
    BatchNormBatch {
        /// Rows.
        batch: usize,
    },
    /// The input of a recurrent layer is not a whole number of values for each of its steps.
    Steps {
        /// The layer's index.
        layer: usize,
        /// Columns of its input.
        columns: usize,
        /// Its steps.
        steps: usize,
    },
    /// A recurrent layer shows no state, or more than it has.
    Shown {
        /// The layer's index.
        layer: usize,
        /// States to be shown.
        shown: usize,
        /// Its steps.
        steps: usize,
    },
    /// A plain recurrence with PReLU, whose slope it could not learn.
    RecurrentPrelu {
        /// The layer's index.
        layer: usize,
    },
    /// A recurrent layer's limit for the gradient through time is not positive.
    RecurrentClip {
        /// The layer's index.
        layer: usize,
    },
    /// The arena would not fit in memory.
    TooLarge,
    /// The arena is shorter than [`Plan::arena_len`].
    Arena {
        /// Elements needed.
        needed: usize,
        /// Elements given.
        found: usize,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero(what) => write!(f, "{what} is 0; it must be at least 1"),
            Self::Places { needed, found } => {
                write!(f, "{needed} layers need as many places, {found} were given")
            }
            Self::Skip { layer } => write!(
                f,
                "layer {layer}: a residual branch must be opened, hold a layer, be closed, and nest at most {MAX_NESTING} deep"
            ),
            Self::SkipWidth { layer, skip, branch } => {
                write!(
                    f,
                    "layer {layer}: the residual branch has {branch} columns but its skip connection {skip}"
                )
            }
            Self::BatchNormBatch { batch } => {
                write!(f, "batch norm needs a batch of at least 2 rows in training, not {batch}")
            }
            Self::Steps { layer, columns, steps } => write!(
                f,
                "layer {layer}: an input of {columns} columns cannot be cut into {steps} steps of equal length"
            ),
            Self::Shown { layer, shown, steps } => {
                write!(f, "layer {layer}: {shown} states are to be shown; it must be 1 to {steps}")
            }
            Self::RecurrentPrelu { layer } => {
                write!(f, "layer {layer}: prelu learns its slope, which a recurrent layer cannot")
            }
            Self::RecurrentClip { layer } => {
                write!(f, "layer {layer}: the limit for the gradient through time must be positive")
            }
            Self::TooLarge => f.write_str("the network does not fit in this machine's address space"),
            Self::Arena { needed, found } => {
                write!(f, "the arena has {found} elements but {needed} are needed")
            }
        }
    }
}

impl core::error::Error for PlanError {}

/// A network's layers and where everything of theirs lies.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    pub(super) layers: &'a [Layer],
    pub(super) places: &'a [Place],
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) batch: usize,
    pub(super) widest: usize,
    pub(super) parameters: usize,
    pub(super) statistics: usize,
    pub(super) values: usize,
    pub(super) exponents: usize,
    pub(super) nesting: usize,
    pub(super) workspace: usize,
}

impl<'a> Plan<'a> {
    /// Lays out a network with `input` columns and batches of at most `batch` rows; `places` receives one entry per
    /// layer.
    ///
    /// # Errors
    /// The list is no network, see [`PlanError`].
    pub fn new(
        input: usize,
        batch: usize,
        layers: &'a [Layer],
        places: &'a mut [Place],
    ) -> Result<Self, PlanError> {
        if input == 0 {
            return Err(PlanError::Zero("the input width"));
        }
        if batch == 0 {
            return Err(PlanError::Zero("the batch size"));
        }
        let found = places.len();
        let needed = layers.len();
        let Some(places) = places.get_mut(..needed) else { return Err(PlanError::Places { needed, found }) };
        let mut total = Layout {
            batch,
            width: input,
            current: Values::default(),
            overwritable: false,
            widest: input,
            parameters: 0,
            statistics: 0,
            values: product(batch, input)?,
            exponents: 1,
            nesting: 0,
            deepest: 0,
            skips: [Skip::default(); MAX_NESTING],
            workspace: 0,
        };
        for (index, (layer, place)) in layers.iter().zip(places.iter_mut()).enumerate() {
            *place = total.add(index, layer)?;
        }
        if total.nesting != 0 {
            return Err(PlanError::Skip { layer: needed });
        }
        let Layout { width, widest, parameters, statistics, values, exponents, deepest, workspace, .. } =
            total;
        Ok(Self {
            layers,
            places,
            input,
            output: width,
            batch,
            widest,
            parameters,
            statistics,
            values,
            exponents,
            nesting: deepest,
            workspace,
        })
    }

    /// The layers.
    pub fn layers(&self) -> &'a [Layer] {
        self.layers
    }

    /// Where each lies.
    pub fn places(&self) -> &'a [Place] {
        self.places
    }

    /// Columns of the network's input.
    pub fn input(&self) -> usize {
        self.input
    }

    /// Columns of its output.
    pub fn output(&self) -> usize {
        self.output
    }

    /// Rows of the largest batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Number of trained parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Multiply-adds of the dense and recurrent layers in one forward pass of one row. A training step takes three times as many.
    pub fn multiply_adds(&self) -> u64 {
        let of = |(layer, place): (&Layer, &Place)| match layer {
            Layer::Dense(_) => place.fan_in as u64 * place.width as u64,
            Layer::Recurrent(recurrent) => place.weight_count as u64 * recurrent.steps as u64,
            _ => 0,
        };
        self.layers.iter().zip(self.places).map(of).sum()
    }

    /// Elements of the arena for an optimiser that keeps `moments` values per parameter, on `threads` threads.
    ///
    /// # Errors
    /// The number does not fit in a `usize`.
    pub fn arena_len(&self, moments: usize, threads: usize) -> Result<usize, PlanError> {
        let parameters = product(self.parameters, sum(2, moments)?)?;
        let delta = product(self.batch, self.widest)?;
        let deltas = product(delta, 2 + self.nesting)?;
        let workspace = product(self.workspace, threads)?;
        [parameters, self.statistics, self.values, self.exponents, deltas, workspace]
            .into_iter()
            .try_fold(0, sum)
    }
}

fn product(a: usize, b: usize) -> Result<usize, PlanError> {
    a.checked_mul(b).ok_or(PlanError::TooLarge)
}

fn sum(a: usize, b: usize) -> Result<usize, PlanError> {
    a.checked_add(b).ok_or(PlanError::TooLarge)
}

/// The plan as far as it has been laid out.
struct Layout {
    batch: usize,
    width: usize,
    /// The newest values.
    current: Values,
    /// Whether the newest values may be overwritten: nothing but the next layer reads them.
    overwritable: bool,
    widest: usize,
    parameters: usize,
    statistics: usize,
    values: usize,
    /// Arrays of values.
    exponents: usize,
    nesting: usize,
    deepest: usize,
    /// Of each open residual branch.
    skips: [Skip; MAX_NESTING],
    workspace: usize,
}

/// The skip connection beside an open residual branch.
#[derive(Clone, Copy, Default)]
struct Skip {
    values: Values,
    width: usize,
    /// The layer that opened the branch.
    layer: usize,
}

impl Layout {
    fn add(&mut self, index: usize, layer: &Layer) -> Result<Place, PlanError> {
        let mut place = Place {
            fan_in: self.width,
            width: self.width,
            parameters: self.parameters,
            statistics: self.statistics,
            input: self.current,
            output: self.current,
            ..Place::default()
        };
        match *layer {
            Layer::Dense(dense) => {
                if dense.units == 0 {
                    return Err(PlanError::Zero("the width of a dense layer"));
                }
                place.width = dense.units;
                place.weight_count = product(place.fan_in, place.width)?;
                place.parameter_count = sum(place.weight_count, place.width)?;
                self.width = place.width;
                self.widest = self.widest.max(self.width);
                place.output = self.new_values(place.width)?;
                self.plan_products(place);
            }
            Layer::Activation(activation) => {
                // The identity leaves the values where they are.
                if activation != Activation::Identity {
                    if !self.overwritable {
                        place.output = self.new_values(place.width)?;
                    }
                    place.kept = self.new_values(place.width)?;
                    self.current = place.output;
                }
                place.parameter_count = usize::from(matches!(activation, Activation::Prelu(_)));
            }
            Layer::BatchNorm { .. } => {
                if self.batch < 2 {
                    return Err(PlanError::BatchNormBatch { batch: self.batch });
                }
                place.parameter_count = product(2, place.width)?;
                self.statistics = sum(self.statistics, product(5, place.width)?)?;
                place.output = self.new_values(place.width)?;
            }
            Layer::LayerNorm { .. } => {
                place.parameter_count = product(2, place.width)?;
                self.statistics = sum(self.statistics, product(2, self.batch)?)?;
                place.output = self.new_values(place.width)?;
            }
            Layer::SkipStart => {
                let Some(skip) = self.skips.get_mut(self.nesting) else {
                    return Err(PlanError::Skip { layer: index });
                };
                *skip = Skip { values: self.current, width: self.width, layer: index };
                self.nesting += 1;
                self.deepest = self.deepest.max(self.nesting);
                self.overwritable = false;
            }
            Layer::SkipEnd { .. } => {
                let skip = self.nesting.checked_sub(1).and_then(|top| self.skips.get(top));
                let Some(&Skip { values, width, layer }) = skip else {
                    return Err(PlanError::Skip { layer: index });
                };
                if layer + 1 == index || values == self.current {
                    return Err(PlanError::Skip { layer: index });
                }
                if width != self.width {
                    return Err(PlanError::SkipWidth { layer: index, skip: width, branch: self.width });
                }
                self.nesting -= 1;
                place.skip = values;
            }
            Layer::Recurrent(recurrent) => {
                recurrent.check(index, place.fan_in)?;
                let features = place.fan_in / recurrent.steps;
                place.width = product(recurrent.shown, recurrent.units)?;
                let columns = product(recurrent.cell.gates(), recurrent.units)?;
                place.weight_count = product(sum(features, recurrent.units)?, columns)?;
                place.parameter_count = sum(place.weight_count, columns)?;
                self.width = place.width;
                self.widest = self.widest.max(self.width);
                place.output = self.new_values(place.width)?;
                place.kept = self.new_values(recurrent.kept_columns(features).ok_or(PlanError::TooLarge)?)?;
                self.current = place.output;
                self.plan_workspace(&recurrent.products(features, self.batch).ok_or(PlanError::TooLarge)?);
            }
        }
        self.parameters = sum(self.parameters, place.parameter_count)?;
        Ok(place)
    }

    /// Room for a batch of this width, which becomes the newest values.
    fn new_values(&mut self, width: usize) -> Result<Values, PlanError> {
        self.current = Values { start: self.values, exponent: self.exponents };
        self.values = sum(self.values, product(self.batch, width)?)?;
        self.exponents += 1;
        self.overwritable = true;
        Ok(self.current)
    }

    /// The workspace that a dense layer's three products need.
    fn plan_products(&mut self, place: Place) {
        let (b, n_in, n_out) = (self.batch, place.fan_in, place.width);
        let shapes = [
            Shape { m: b, n: n_out, k: n_in, transpose_a: false, transpose_b: false },
            Shape { m: b, n: n_in, k: n_out, transpose_a: false, transpose_b: true },
            Shape { m: n_in, n: n_out, k: b.min(K_BLOCK), transpose_a: true, transpose_b: false },
        ];
        self.plan_workspace(&shapes);
    }

    fn plan_workspace(&mut self, products: &[Shape]) {
        for shape in products {
            self.workspace = self.workspace.max(Gemm::workspace_len_for(*shape));
        }
    }
}
