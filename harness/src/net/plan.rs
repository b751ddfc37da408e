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
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::{Layer, Place, Plan, Signal};
///
/// let layers = [Layer::dense(4, Init::HE), Layer::dense(2, Init::gaussian(1.0, 1.0))];
/// let mut places = [Place::default(); 2];
/// let plan = Plan::new(3, 1, &layers, &mut places)?;
/// let place = &plan.places()[1];
/// assert_eq!((place.fan_in, place.width), (4, 2));
/// assert_eq!((place.from, place.to), (Signal::vector(4), Signal::vector(2)));
/// // Behind the 3 x 4 weights and 4 biases of the first layer lie those of the second.
/// assert_eq!(place.parameters, 3 * 4 + 4);
/// assert_eq!((place.weight_count, place.parameter_count), (4 * 2, 4 * 2 + 2));
/// // What the first gives out is what the second takes in.
/// assert_eq!(plan.places()[0].output, place.input);
/// # Ok::<(), isobath::net::PlanError>(())
/// ```
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
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, Unwatched};
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let layers = [Layer::dense(2, Init::LECUN), Layer::dense(1, Init::LECUN)];
/// let mut places = [Place::default(); 2];
/// let plan = Plan::new(1, 1, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
/// arena.parameters[..4].copy_from_slice(&[2.0, -2.0, 0.0, 1.0]); // 2 x and 1 - 2 x
/// arena.input_mut(&plan, 1)[0] = 3.0;
/// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 1 };
/// pass.forward(&mut arena, Mode::Inference, &mut Unwatched)?;
/// let hidden = plan.places()[0].output;
/// assert_eq!(arena.values[hidden.start..][..2], [6.0, -5.0]);
/// assert_eq!(arena.exponent(hidden), 0); // f32 holds them as they are
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Start in the values.
    pub start: usize,
    /// Which of the arena's exponents is its own.
    pub(super) exponent: usize,
}

/// A network's layers and where everything of theirs lies.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::net::{Layer, Place, Plan, PlanError, Signal};
///
/// let tanh = Layer::Activation(Activation::Tanh);
/// let layers = [Layer::dense(4, Init::XAVIER), tanh, Layer::dense(2, Init::LECUN)];
/// let mut places = [Place::default(); 3];
/// let plan = Plan::new(3, 8, &layers, &mut places)?;
/// assert_eq!((plan.layers().len(), plan.places().len()), (3, 3));
/// assert_eq!((plan.input(), plan.output(), plan.batch()), (3, 2, 8));
/// assert_eq!(plan.input_signal(), Signal::vector(3));
/// assert_eq!(plan.output_signal(), Signal::vector(2));
/// assert_eq!(plan.parameters(), (3 * 4 + 4) + (4 * 2 + 2));
/// assert_eq!(plan.multiply_adds(), 3 * 4 + 4 * 2);
/// // Adam keeps two moments per parameter; each region takes whole lines of 16 elements.
/// let moments = 2 * plan.parameters();
/// assert_eq!(plan.arena_len(2, 1)?, plan.arena_len(0, 1)? + moments.next_multiple_of(16));
/// assert_eq!(plan.arena_len(usize::MAX, 1), Err(PlanError::TooLarge));
///
/// let short = Plan::new(3, 8, &layers, &mut places[..1]);
/// assert_eq!(short.unwrap_err(), PlanError::Places { needed: 3, found: 1 });
/// # Ok::<(), PlanError>(())
/// ```
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
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::init::Init;
    /// use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, PlanError, Unwatched};
    /// use isobath::random::Random;
    /// use isobath::threads::Serial;
    /// use isobath_kernels::Level;
    ///
    /// let tanh = Layer::Activation(Activation::Tanh);
    /// let layers = [[Layer::dense(4, Init::XAVIER), tanh]; 8].concat();
    /// // The gradients of a network of a plan after a forward and a backward pass.
    /// fn gradients(plan: Plan<'_>) -> Result<Vec<f32>, Box<dyn std::error::Error>> {
    ///     let mut memory = vec![0.0; plan.arena_len(0, 1)?];
    ///     let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
    ///     let mut random = Random::new(1);
    ///     arena.initialise(&plan, &mut random);
    ///     random.fill_normal(arena.input_mut(&plan, 2), 1.0);
    ///     let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 2 };
    ///     pass.forward(&mut arena, Mode::Training, &mut Unwatched)?;
    ///     pass.backward(&mut arena, &[1.0; 8], false, &mut Unwatched)?;
    ///     Ok(arena.gradients.to_vec())
    /// }
    /// let (mut places, mut cut_places) = ([Place::default(); 16], [Place::default(); 16]);
    /// let whole = Plan::new(4, 2, &layers, &mut places)?;
    /// let cut = Plan::with_checkpoints(4, 2, &layers, &mut cut_places, 4)?;
    /// assert!(cut.arena_len(0, 1)? < whole.arena_len(0, 1)?);
    /// assert_eq!(gradients(cut)?, gradients(whole)?);
    ///
    /// let never = Plan::with_checkpoints(4, 2, &layers, &mut [], 0);
    /// assert!(matches!(never, Err(PlanError::Zero(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::{Layer, Place, Plan};
    ///
    /// let layers = [Layer::dense(16, Init::HE); 3];
    /// let mut places = [Place::default(); 3];
    /// let plan = Plan::new(16, 1, &layers, &mut places)?;
    /// let of_layer = 16 * 16 + 16;
    /// // The gradients of one layer instead of those of three.
    /// let consuming = plan.consuming_gradients();
    /// assert_eq!(plan.arena_len(0, 1)? - consuming.arena_len(0, 1)?, 2 * of_layer);
    /// # Ok::<(), isobath::net::PlanError>(())
    /// ```
    #[must_use]
    pub fn consuming_gradients(self) -> Self {
        let most = self.places.iter().map(|place| place.parameter_count).max();
        Self { gradients: most.unwrap_or(0), ..self }
    }

    /// The segments that checkpoints cut the layers into, from the input to the output: one where there are none.
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::{Layer, Place, Plan};
    ///
    /// let layers = [Layer::dense(4, Init::HE); 5];
    /// let mut places = [Place::default(); 5];
    /// let plan = Plan::with_checkpoints(4, 1, &layers, &mut places, 2)?;
    /// assert!(plan.segments().eq([0..2, 2..4, 4..5]));
    /// let plan = Plan::new(4, 1, &layers, &mut places)?;
    /// assert!(plan.segments().eq([0..5]));
    /// # Ok::<(), isobath::net::PlanError>(())
    /// ```
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
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::{Layer, Place, Plan};
    ///
    /// let layers = [Layer::dense(4, Init::HE); 3];
    /// let mut places = [Place::default(); 3];
    /// let plan = Plan::new(4, 1, &layers, &mut places)?;
    /// assert!(plan.keeps_gradients());
    /// assert!(!plan.consuming_gradients().keeps_gradients());
    /// # Ok::<(), isobath::net::PlanError>(())
    /// ```
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
