//! A training run over borrowed memory: batches in a seeded order, forward pass, loss, backward pass, update.
//!
//! [`crate::train`] adds its records to it, a microcontroller runs it over static buffers: the same code, so the same
//! weights. No std, no allocation, no panic.

mod order;

use core::fmt;

use isobath_kernels::loss::{self, LossError};
use isobath_kernels::{Level, MatMut, MatRef};

use crate::hash::Hash;
use crate::net::lsuv::asks_for_data;
use crate::net::update::{Clipped, Update};
use crate::net::{Arena, Mode, NetError, Pass, Plan, PlanError, Unwatched, Watch};
use crate::random::Random;
use crate::threads::Threads;

pub(crate) use order::Order;

/// Streams of random numbers drawn from one seed.
const WEIGHTS: u64 = 1;
const ORDER: u64 = 2;
/// The stream of a data seed that a run's own seed is drawn from.
const RUN: u64 = 4;

/// The seed of a run on data that were generated from `seed`: data and weights must not share their random numbers.
pub fn run_seed(seed: u64) -> u64 {
    Random::stream(seed, RUN).next_u64()
}

/// Why a run cannot go on. A loss that is not finite is a result, not an error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DescentError {
    /// The arena is too short.
    Plan(PlanError),
    /// A pass did not fit its plan.
    Net(NetError),
    /// A loss was given shapes that do not fit, or a label that is no class.
    Loss(LossError),
    /// There are fewer samples than a batch has rows, or their inputs are not one row per label.
    Samples {
        /// Samples that a batch needs.
        needed: usize,
        /// Whole samples given.
        found: usize,
    },
    /// A buffer is too short.
    Buffer {
        /// Which.
        name: &'static str,
        /// Elements needed.
        needed: usize,
        /// Elements given.
        found: usize,
    },
}

impl fmt::Display for DescentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(error) => error.fmt(f),
            Self::Net(error) => error.fmt(f),
            Self::Loss(error) => write!(f, "the loss: {error}"),
            Self::Samples { needed, found } => {
                write!(f, "a batch of {needed} samples cannot be drawn from {found} training samples")
            }
            Self::Buffer { name, needed, found } => {
                write!(f, "the buffer for {name} has {found} elements but {needed} are needed")
            }
        }
    }
}

impl core::error::Error for DescentError {}

impl From<PlanError> for DescentError {
    fn from(error: PlanError) -> Self {
        Self::Plan(error)
    }
}

impl From<NetError> for DescentError {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}

impl From<LossError> for DescentError {
    fn from(error: LossError) -> Self {
        Self::Loss(error)
    }
}

/// Samples with labels: row-major inputs, one row per sample. Labels are classes, or what the loss takes them for; a
/// network with several positions at the top has a label for each.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// All inputs.
    pub inputs: &'a [f32],
    /// All labels.
    pub labels: &'a [u32],
}

/// What a run works in; what it holds before does not matter.
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
