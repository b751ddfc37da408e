//! A training run over borrowed memory: batches in a seeded order, forward pass, loss, backward pass, update.
//!
//! [`crate::train`] adds its records to it, a microcontroller runs it over static buffers: the same code, so the same
//! weights. No std, no allocation, no panic.

mod error;
mod order;

use isobath_kernels::loss;
use isobath_kernels::{Level, MatMut, MatRef};

use crate::hash::Hash;
use crate::net::lsuv::asks_for_data;
use crate::net::update::{Clipped, Update};
use crate::net::{Arena, Mode, NetError, Pass, Plan, Unwatched, Watch};
use crate::random::Random;
use crate::threads::Threads;

pub use error::DescentError;
pub(crate) use order::Order;

/// Streams of random numbers drawn from one seed.
const WEIGHTS: u64 = 1;
const ORDER: u64 = 2;
/// The stream of a data seed that a run's own seed is drawn from.
const RUN: u64 = 4;

/// The seed of a run on data that were generated from `seed`: data and weights must not share their random numbers.
///
/// ```
/// use isobath::descent::run_seed;
///
/// assert_eq!(run_seed(7), run_seed(7));
/// assert_ne!(run_seed(7), 7);
/// assert_ne!(run_seed(7), run_seed(8));
/// ```
pub fn run_seed(seed: u64) -> u64 {
    Random::stream(seed, RUN).next_u64()
}

/// Samples with labels: row-major inputs, one row per sample. Labels are classes, or what the loss takes them for; a
/// network with several positions at the top has a label for each.
///
/// ```
/// use isobath::data::{Sizes, Source};
/// use isobath::descent::Samples;
///
/// // Two samples of three numbers.
/// let samples = Samples { inputs: &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], labels: &[0, 1] };
/// assert_eq!(samples.inputs.len() / samples.labels.len(), 3);
/// // A data set lends its own: here 5 symbols of each sequence are to be named.
/// let data = Source::Copy(20).load(&Sizes { train: 8, validation: 1, test: 1 }, 1)?;
/// assert_eq!(data.train.samples().labels.len(), 8 * 5);
/// # Ok::<(), isobath::data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// All inputs.
    pub inputs: &'a [f32],
    /// All labels.
    pub labels: &'a [u32],
}

/// What a run works in; what it holds before does not matter.
///
/// ```
/// use isobath::descent::{Descent, DescentError, Memory, Samples, softmax_cross_entropy};
/// # use isobath::init::Init;
/// # use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
/// # use isobath::net::{Layer, Place, Plan, Unwatched};
/// # use isobath::threads::Serial;
/// # use isobath_kernels::Level;
///
/// # let layers = [Layer::dense(3, Init::LECUN)];
/// # let mut places = [Place::default()];
/// # let plan = Plan::new(1, 2, &layers, &mut places)?;
/// # let level = Level::detect();
/// let samples = Samples { inputs: &[0.1, 0.2, 0.3, 0.4], labels: &[0, 1, 2, 0] };
/// // Batches of 2 of 4 samples, 3 outputs: what was in the memory before does not matter.
/// let run = |rest: f32| -> Result<u64, DescentError> {
///     let (mut arena, mut gradient) = (vec![rest; plan.arena_len(0, 1)?], [rest; 2 * 3]);
///     let (mut order, mut labels) = ([9; 4], [9; 2]);
///     let memory = Memory { arena: &mut arena, order: &mut order, labels: &mut labels, gradient: &mut gradient };
///     let update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
///     let mut descent = Descent::new(plan, level, &Serial, update, samples, memory, 1)?;
///     descent.descend(|y, t, g| softmax_cross_entropy(level, 3, y, t, g), 0.1, &mut Unwatched)?;
///     Ok(descent.hash())
/// };
/// assert_eq!(run(0.0)?, run(f32::NAN)?);
/// # Ok::<(), DescentError>(())
/// ```
#[derive(Debug)]
pub struct Memory<'a> {
    /// [`Plan::arena_len`] elements.
    pub arena: &'a mut [f32],
    /// One element per training sample: the order they are drawn in.
    pub order: &'a mut [u32],
    /// One element per label of a batch.
    pub labels: &'a mut [u32],
    /// One element per output of a batch: the loss's gradient.
    pub gradient: &'a mut [f32],
}

/// A run under way.
///
/// ```
/// use isobath::descent::{Descent, DescentError, Memory, Samples, softmax_cross_entropy};
/// use isobath::init::Init;
/// use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
/// use isobath::net::{Layer, Place, Plan, Unwatched};
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// // Two classes, told apart by the sign of a number; batches of two.
/// let samples = Samples { inputs: &[-1.0, 1.0, -2.0, 2.0], labels: &[0, 1, 0, 1] };
/// let layers = [Layer::dense(2, Init::LECUN)];
/// let mut places = [Place::default()];
/// let plan = Plan::new(1, 2, &layers, &mut places)?;
/// let (mut arena, mut gradient) = (vec![0.0; plan.arena_len(0, 1)?], [0.0; 2 * 2]);
/// let (mut order, mut labels) = ([0; 4], [0; 2]);
/// let memory = Memory { arena: &mut arena, order: &mut order, labels: &mut labels, gradient: &mut gradient };
/// let (level, update) = (Level::detect(), Update::new(Optimizer::Sgd, Clipping::None, Penalty::None));
/// let mut descent = Descent::new(plan, level, &Serial, update, samples, memory, 1)?;
///
/// // Both classes are equally likely at first.
/// descent.arena_mut().parameters.fill(0.0);
/// let loss = |y: &[f32], t: &[u32], g: &mut [f32]| softmax_cross_entropy(level, 2, y, t, g);
/// let first = descent.measure(loss, &mut Unwatched)?;
/// assert!((first - std::f32::consts::LN_2).abs() < 1e-6);
/// assert_eq!(descent.labels().len(), descent.plan().batch());
/// descent.step(1.0)?;
/// for _ in 0..10 {
///     descent.descend(loss, 1.0, &mut Unwatched)?;
/// }
/// assert!(descent.arena().parameters[0] < 0.0 && descent.arena().parameters[1] > 0.0);
/// assert_eq!(descent.correct(samples)?, 4);
/// # Ok::<(), DescentError>(())
/// ```
#[derive(Debug)]
pub struct Descent<'a, T> {
    pass: Pass<'a, T>,
    arena: Arena<'a>,
    update: Update,
    batches: Batches<'a>,
    labels: &'a mut [u32],
    gradient: &'a mut [f32],
}

/// Batches of samples in their order.
#[derive(Debug)]
struct Batches<'a> {
    samples: Samples<'a>,
    order: Order<'a>,
}

impl Batches<'_> {
    /// Fills the inputs, `features` columns each, and the labels, `answers` per sample, of a batch.
    fn fill(&mut self, inputs: &mut [f32], features: usize, labels: &mut [u32], answers: usize) {
        let (features, answers) = (features.max(1), answers.max(1));
        for (row, labels) in inputs.chunks_exact_mut(features).zip(labels.chunks_exact_mut(answers)) {
            let sample = self.order.next();
            let input = self.samples.inputs.chunks_exact(features).nth(sample);
            let known = self.samples.labels.chunks_exact(answers).nth(sample);
            if let (Some(input), Some(known)) = (input, known) {
                row.copy_from_slice(input);
                labels.copy_from_slice(known);
            }
        }
    }
}

fn buffer<'a, E>(
    name: &'static str,
    memory: &'a mut [E],
    needed: usize,
) -> Result<&'a mut [E], DescentError> {
    let found = memory.len();
    memory.get_mut(..needed).ok_or(DescentError::Buffer { name, needed, found })
}

impl<'a, T: Threads> Descent<'a, T> {
    /// Starts the network from a seed, and where it asks for data by the first batch of `samples`. `moments` as the optimiser of `update` has it.
    ///
    /// # Errors
    /// A buffer is too short, or there are fewer samples than a batch has rows.
    pub fn new(
        plan: Plan<'a>,
        level: Level,
        threads: &'a T,
        update: Update,
        samples: Samples<'a>,
        memory: Memory<'a>,
        seed: u64,
    ) -> Result<Self, DescentError> {
        let answers = plan.output_signal().positions().max(1);
        let count = samples.labels.len() / answers;
        let whole = count.min(samples.inputs.len() / plan.input());
        if whole < plan.batch() || whole < count {
            return Err(DescentError::Samples { needed: plan.batch(), found: whole });
        }
        let order = buffer("the order of samples", memory.order, count)?;
        let mut arena = Arena::new(&plan, update.moments(), threads.count(), memory.arena)?;
        arena.initialise(&plan, &mut Random::stream(seed, WEIGHTS));
        let pass = Pass { plan, level, threads, rows: plan.batch() };
        if plan.layers().iter().any(asks_for_data) {
            // The first samples as they are stored: the order in which they are drawn stays that of other networks.
            let batch = arena.input_mut(&plan, plan.batch());
            batch.iter_mut().zip(samples.inputs).for_each(|(to, from)| *to = *from);
            pass.scale_to_data(&mut arena)?;
        }
        let order = Order::new(order, Random::stream(seed, ORDER));
        Ok(Self {
            pass,
            arena,
            update,
            batches: Batches { samples, order },
            labels: buffer("labels", memory.labels, plan.batch() * answers)?,
            gradient: buffer("the loss's gradient", memory.gradient, plan.batch() * plan.output())?,
        })
    }

    /// The memory of the network.
    pub fn arena(&self) -> &Arena<'a> {
        &self.arena
    }

    /// The memory of the network, to change it between steps.
    pub fn arena_mut(&mut self) -> &mut Arena<'a> {
        &mut self.arena
    }

    /// Where everything of the network lies.
    pub fn plan(&self) -> Plan<'a> {
        self.pass.plan
    }

    /// The labels of the batch that was drawn last.
    pub fn labels(&self) -> &[u32] {
        self.labels
    }

    /// Draws the next batch, and computes its loss and, where that is finite, all gradients. `loss` gets the outputs,
    /// the labels, and where to write its gradient, all row by row; [`softmax_cross_entropy`] is one.
    ///
    /// # Errors
    /// The loss's own, or the arena was not made for the plan.
    pub fn measure<E: From<NetError>>(
        &mut self,
        loss: impl FnOnce(&[f32], &[u32], &mut [f32]) -> Result<f32, E>,
        watch: &mut impl Watch,
    ) -> Result<f32, E> {
        let loss = self.loss(loss, watch)?;
        if loss.is_finite() {
            self.pass.backward(&mut self.arena, self.gradient, false, watch)?;
        }
        Ok(loss)
    }

    /// Draws the next batch and computes its loss, and the gradient of that with respect to the outputs.
    fn loss<E: From<NetError>>(
        &mut self,
        loss: impl FnOnce(&[f32], &[u32], &mut [f32]) -> Result<f32, E>,
        watch: &mut impl Watch,
    ) -> Result<f32, E> {
        let Pass { plan, rows, .. } = self.pass;
        let answers = plan.output_signal().positions();
        self.batches.fill(self.arena.input_mut(&plan, rows), plan.input(), self.labels, answers);
        self.pass.forward(&mut self.arena, Mode::Training, watch)?;
        loss(self.arena.output(&plan, rows), self.labels, self.gradient)
    }

    /// Draws the next batch, computes its loss and, where that is finite, takes the step: what [`Descent::measure`] and
    /// [`Descent::step`] do, with the same bits, but each layer is updated while its gradients are in a cache. The only way
    /// where the plan consumes gradients. None of clipping where the loss is not finite: nothing has moved then.
    ///
    /// # Errors
    /// As those two; or the plan consumes gradients and the update needs all at once.
    ///
    /// ```
    /// use isobath::descent::{Descent, DescentError, Memory, Samples};
    /// # use isobath::init::Init;
    /// # use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
    /// # use isobath::net::{Layer, Place, Plan, Unwatched};
    /// # use isobath::threads::Serial;
    /// # use isobath_kernels::Level;
    ///
    /// # let layers = [Layer::dense(1, Init::LECUN)];
    /// # let mut places = [Place::default()];
    /// # let plan = Plan::new(1, 1, &layers, &mut places)?;
    /// # let mut arena = vec![0.0; plan.arena_len(0, 1)?];
    /// # let memory = Memory { arena: &mut arena, order: &mut [0; 1], labels: &mut [0; 1], gradient: &mut [0.0; 1] };
    /// # let update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
    /// # let samples = Samples { inputs: &[2.0], labels: &[0] };
    /// # let mut descent = Descent::new(plan, Level::detect(), &Serial, update, samples, memory, 1)?;
    /// // y = w x + b with w = 3, b = 1, x = 2, and y for a loss: its gradient is 2 for w and 1 for b.
    /// descent.arena_mut().parameters.copy_from_slice(&[3.0, 1.0]);
    /// let loss = |y: &[f32], _: &[u32], gradient: &mut [f32]| -> Result<f32, DescentError> {
    ///     gradient.fill(1.0);
    ///     Ok(y[0])
    /// };
    /// let (found, _) = descent.descend(loss, 0.5, &mut Unwatched)?;
    /// assert_eq!(found, 7.0);
    /// assert_eq!(descent.arena().parameters, [2.0, 0.5]);
    /// // A loss that is not finite moves nothing.
    /// let diverged = |_: &[f32], _: &[u32], _: &mut [f32]| Ok::<f32, DescentError>(f32::INFINITY);
    /// assert_eq!(descent.descend(diverged, 0.5, &mut Unwatched)?, (f32::INFINITY, None));
    /// assert_eq!(descent.arena().parameters, [2.0, 0.5]);
    /// # Ok::<(), DescentError>(())
    /// ```
    pub fn descend<E: From<NetError>>(
        &mut self,
        loss: impl FnOnce(&[f32], &[u32], &mut [f32]) -> Result<f32, E>,
        rate: f32,
        watch: &mut impl Watch,
    ) -> Result<(f32, Option<Clipped>), E> {
        let loss = self.loss(loss, watch)?;
        if !loss.is_finite() {
            return Ok((loss, None));
        }
        let clipped = if self.update.is_by_layer() {
            self.pass.descend(&mut self.arena, self.gradient, &mut self.update, rate, watch)?
        } else {
            self.pass.backward(&mut self.arena, self.gradient, false, watch)?;
            self.step(rate)?
        };
        Ok((loss, Some(clipped)))
    }

    /// Computes the loss of these samples, and where it is finite all gradients, without drawing a batch. Samples beyond
    /// a batch are left out.
    ///
    /// # Errors
    /// As [`Self::measure`]; or there are no samples.
    ///
    /// ```
    /// use isobath::descent::{Descent, DescentError, Memory, Samples};
    /// # use isobath::init::Init;
    /// # use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
    /// # use isobath::net::{Layer, Place, Plan, Unwatched};
    /// # use isobath::threads::Serial;
    /// # use isobath_kernels::Level;
    ///
    /// # let layers = [Layer::dense(1, Init::LECUN)];
    /// # let mut places = [Place::default()];
    /// # let plan = Plan::new(1, 2, &layers, &mut places)?;
    /// # let mut arena = vec![0.0; plan.arena_len(0, 1)?];
    /// # let memory = Memory { arena: &mut arena, order: &mut [0; 2], labels: &mut [0; 2], gradient: &mut [0.0; 2] };
    /// # let update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
    /// # let samples = Samples { inputs: &[0.0; 2], labels: &[0; 2] };
    /// # let mut descent = Descent::new(plan, Level::detect(), &Serial, update, samples, memory, 1)?;
    /// // y = w x + b and the sum of y for a loss: its gradient is the sum of x for w, and their number for b.
    /// let sum = |y: &[f32], _: &[u32], gradient: &mut [f32]| -> Result<f32, DescentError> {
    ///     gradient.fill(1.0);
    ///     Ok(y.iter().sum())
    /// };
    /// descent.arena_mut().parameters.copy_from_slice(&[10.0, 1.0]);
    /// let others = Samples { inputs: &[2.0, 3.0], labels: &[0, 0] };
    /// assert_eq!(descent.measure_on(others, sum, &mut Unwatched)?, 21.0 + 31.0);
    /// assert_eq!(descent.arena().gradients, [5.0, 2.0]);
    /// let none = Samples { inputs: &[], labels: &[] };
    /// assert!(descent.measure_on(none, sum, &mut Unwatched).is_err());
    /// # Ok::<(), DescentError>(())
    /// ```
    pub fn measure_on<E: From<NetError>>(
        &mut self,
        samples: Samples<'_>,
        loss: impl FnOnce(&[f32], &[u32], &mut [f32]) -> Result<f32, E>,
        watch: &mut impl Watch,
    ) -> Result<f32, E> {
        let plan = self.pass.plan;
        let rows = samples.labels.len().min(plan.batch());
        let pass = Pass { rows, ..self.pass };
        for (to, from) in self.arena.input_mut(&plan, rows).iter_mut().zip(samples.inputs) {
            *to = *from;
        }
        pass.forward(&mut self.arena, Mode::Training, watch)?;
        let labels = samples.labels.get(..rows).unwrap_or_default();
        let gradient = self.gradient.get_mut(..rows * plan.output()).unwrap_or_default();
        let loss = loss(self.arena.output(&plan, rows), labels, gradient)?;
        if loss.is_finite() {
            pass.backward(&mut self.arena, gradient, false, watch)?;
        }
        Ok(loss)
    }

    /// Brings back the values of a layer and its neighbours after [`Self::measure`], where the plan keeps checkpoints alone.
    ///
    /// # Errors
    /// The arena was not made for the plan.
    ///
    /// ```
    /// use isobath::descent::{Descent, DescentError, Memory, Samples};
    /// # use isobath::init::Init;
    /// # use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
    /// # use isobath::net::{Layer, Place, Plan, Unwatched};
    /// # use isobath::threads::Serial;
    /// # use isobath_kernels::Level;
    ///
    /// // Two layers, each a segment of its own: the first doubles, the second adds 1.
    /// let layers = [Layer::dense(1, Init::LECUN); 2];
    /// let mut places = [Place::default(); 2];
    /// let plan = Plan::with_checkpoints(1, 1, &layers, &mut places, 1)?;
    /// # let mut arena = vec![0.0; plan.arena_len(0, 1)?];
    /// # let memory = Memory { arena: &mut arena, order: &mut [0; 1], labels: &mut [0; 1], gradient: &mut [0.0; 1] };
    /// # let update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
    /// # let samples = Samples { inputs: &[5.0], labels: &[0] };
    /// # let mut descent = Descent::new(plan, Level::detect(), &Serial, update, samples, memory, 1)?;
    /// descent.arena_mut().parameters.copy_from_slice(&[2.0, 0.0, 1.0, 1.0]);
    /// // The sample is 5.
    /// descent.measure(|y, _, _| Ok::<f32, DescentError>(y[0]), &mut Unwatched)?;
    /// for (layer, output) in [(0, 10.0), (1, 11.0)] {
    ///     descent.recompute(layer)?;
    ///     assert_eq!(descent.arena().values[plan.places()[layer].output.start], output);
    /// }
    /// # Ok::<(), DescentError>(())
    /// ```
    pub fn recompute(&mut self, layer: usize) -> Result<(), NetError> {
        self.pass.recompute(&mut self.arena, layer)
    }

    /// Moves the parameters along the gradients that were measured last.
    ///
    /// # Errors
    /// A limit of the clipping is negative or NaN.
    pub fn step(&mut self, rate: f32) -> Result<Clipped, NetError> {
        self.update.apply(self.pass.level, self.pass.threads, &self.pass.plan, &mut self.arena, rate)
    }

    /// The number of labels that are their largest output's.
    ///
    /// # Errors
    /// A label is no class.
    pub fn correct(&mut self, samples: Samples<'_>) -> Result<usize, DescentError> {
        self.count(samples, |level, outputs, labels| Ok(loss::accuracy(level, outputs, labels)?))
    }

    /// The number of labels that are the bits of a number within `tolerance` of the output.
    ///
    /// # Errors
    /// The arena was not made for the plan.
    ///
    /// ```
    /// use isobath::descent::{Descent, DescentError, Memory, Samples};
    /// # use isobath::init::Init;
    /// # use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
    /// # use isobath::net::{Layer, Place, Plan};
    /// # use isobath::threads::Serial;
    /// # use isobath_kernels::Level;
    ///
    /// # let layers = [Layer::dense(1, Init::LECUN)];
    /// # let mut places = [Place::default()];
    /// # let plan = Plan::new(1, 1, &layers, &mut places)?;
    /// # let mut arena = vec![0.0; plan.arena_len(0, 1)?];
    /// # let memory = Memory { arena: &mut arena, order: &mut [0; 3], labels: &mut [0; 1], gradient: &mut [0.0; 1] };
    /// # let update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
    /// // Numbers that are to be doubled.
    /// let doubles = [2.0, 4.0, 7.0].map(f32::to_bits);
    /// let samples = Samples { inputs: &[1.0, 2.0, 3.0], labels: &doubles };
    /// # let mut descent = Descent::new(plan, Level::detect(), &Serial, update, samples, memory, 1)?;
    /// descent.arena_mut().parameters.copy_from_slice(&[2.0, 0.25]);
    /// // 2 x + 1/4 is too large by 1/4 twice, and by -3/4 once.
    /// assert_eq!(descent.close(samples, 0.5)?, 2);
    /// assert_eq!(descent.close(samples, 0.25)?, 0);
    /// # Ok::<(), DescentError>(())
    /// ```
    pub fn close(&mut self, samples: Samples<'_>, tolerance: f32) -> Result<usize, DescentError> {
        let is_close = |y: &f32, label: &u32| (y - f32::from_bits(*label)).abs() < tolerance;
        self.count(samples, |_, outputs, labels| {
            let outputs = (0..outputs.rows()).filter_map(|row| outputs.row(row).first());
            Ok(outputs.zip(labels).filter(|(y, label)| is_close(y, label)).count())
        })
    }

    /// The sum over all batches of what `right` counts in the outputs and the labels.
    fn count(
        &mut self,
        samples: Samples<'_>,
        right: impl Fn(Level, MatRef<'_>, &[u32]) -> Result<usize, DescentError>,
    ) -> Result<usize, DescentError> {
        let plan = self.pass.plan;
        let (batch, features) = (plan.batch(), plan.input());
        let answers = plan.output_signal().positions().max(1);
        let mut correct = 0;
        let labels = samples.labels.chunks(batch * answers);
        for (inputs, labels) in samples.inputs.chunks(batch * features).zip(labels) {
            let rows = labels.len() / answers;
            for (to, from) in self.arena.input_mut(&plan, rows).iter_mut().zip(inputs) {
                *to = *from;
            }
            let pass = Pass { rows, ..self.pass };
            pass.forward(&mut self.arena, Mode::Inference, &mut Unwatched)?;
            let outputs = self.arena.output(&plan, rows);
            let outputs = matrix(outputs, rows * answers, plan.output_signal().channels)?;
            correct += right(pass.level, outputs, labels)?;
        }
        Ok(correct)
    }

    /// The hash of the parameters and the gradients that were measured last.
    pub fn hash(&self) -> u64 {
        let mut hash = Hash::new();
        hash.f32s(self.arena.parameters);
        hash.f32s(self.arena.gradients);
        hash.finish()
    }
}

/// The softmax cross-entropy of a batch, for [`Descent::measure`].
///
/// # Errors
/// A label is no class, or the slices do not have a row of `classes` elements per label.
///
/// ```
/// use isobath::descent::{DescentError, softmax_cross_entropy};
/// use isobath_kernels::Level;
///
/// // Equal outputs: each of two classes has probability 1/2, and the gradient is that less 1 for the right one.
/// let (level, mut gradient) = (Level::detect(), [0.0; 2]);
/// let loss = softmax_cross_entropy(level, 2, &[3.0, 3.0], &[1], &mut gradient)?;
/// assert!((loss - std::f32::consts::LN_2).abs() < 1e-6);
/// assert_eq!(gradient, [0.5, -0.5]);
///
/// let short = softmax_cross_entropy(level, 2, &[3.0], &[1], &mut gradient);
/// assert_eq!(short, Err(DescentError::Buffer { name: "the outputs", needed: 2, found: 1 }));
/// # Ok::<(), DescentError>(())
/// ```
pub fn softmax_cross_entropy(
    level: Level,
    classes: usize,
    outputs: &[f32],
    labels: &[u32],
    gradient: &mut [f32],
) -> Result<f32, DescentError> {
    let (rows, found) = (labels.len(), gradient.len());
    let outputs = matrix(outputs, rows, classes)?;
    let short = DescentError::Buffer { name: "the loss's gradient", needed: rows * classes, found };
    let gradient = MatMut::new(gradient, rows, classes).map_err(|_| short)?;
    Ok(loss::softmax_cross_entropy(level, outputs, labels, gradient)?)
}

fn matrix(outputs: &[f32], rows: usize, columns: usize) -> Result<MatRef<'_>, DescentError> {
    let short = DescentError::Buffer { name: "the outputs", needed: rows * columns, found: outputs.len() };
    MatRef::new(outputs, rows, columns).map_err(|_| short)
}
