//! Greedy stacking: a network's hidden layers are pre-trained from below, each on the outputs of the one beneath.
//!
//! Hidden are all dense layers but the last; each must be followed by a sigmoid and nothing else. A layer starts from
//! the network's own weights and biases, with visible biases 0, makes its steps of Adam, and gives weights and hidden
//! biases back to the network; the visible biases are dropped. All samples then go through it and are the next
//! layer's data, so no step passes through lower layers. The first layer's inputs are real numbers (Gaussian units),
//! the others' are outputs of sigmoids (binary units).
//!
//! Memory: twice all samples of the widest hidden layer, where there are several, and one layer's parameters with
//! gradient and moments.

use isobath_kernels::Level;

use super::autoencoder::{self, Autoencoder};
use super::layer::{self, Lessons, Workplace};
use super::rbm::Rbm;
use super::units::{Products, Units, Visible};
use super::{Model, PretrainError, Pretraining, prefix, prefix_mut};
use crate::activation::Activation;
use crate::descent::Order;
use crate::net::{Layer, Plan};
use crate::random::Random;
use crate::threads::Threads;

/// Streams of random numbers drawn from a run's seed, beside those of its training.
const ORDER: u64 = 5;
const MODEL: u64 = 6;
const SHUFFLE: u64 = 7;

/// The hidden layers of a network that is to be pre-trained.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::net::{Arena, Layer, Place, Plan};
/// use isobath::pretrain::stack::{Memory, Stack};
/// use isobath::pretrain::{Model, PretrainError, Pretraining};
/// use isobath::random::Random;
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let model = Model::Autoencoder { noise: 0.25 };
/// let pretraining = Pretraining { model, steps: 10, rate: 0.01, shuffled: false };
/// let (dense, sigmoid) = (Layer::dense(4, Init::XAVIER), Layer::Activation(Activation::Sigmoid));
/// let layers = [dense, sigmoid, dense, sigmoid, Layer::dense(2, Init::LECUN)];
/// let mut places = [Place::default(); 5];
/// let plan = Plan::new(3, 8, &layers, &mut places)?;
/// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
/// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
/// let mut random = Random::new(1);
/// arena.initialise(&plan, &mut random);
/// let before = arena.parameters.to_vec();
///
/// let mut inputs = [0.0; 20 * 3];
/// random.fill_normal(&mut inputs, 1.0);
/// let stack = Stack::new(pretraining, plan)?;
/// assert_eq!(stack.layers(), 2);
/// // Ten steps of 8 rows on 3 x 4 and 4 x 4 weights; in between, all samples pass the first layer.
/// assert_eq!(stack.multiply_adds(20), 5 * 10 * 8 * (3 * 4 + 4 * 4) + 20 * 3 * 4);
/// let (mut values, mut order) = (vec![0.0; stack.memory_len(20, 1)], vec![0; 20]);
/// let mut train = |inputs: &[f32]| {
///     let memory = Memory { values: &mut values, order: &mut order };
///     stack.train(arena.parameters, inputs, memory, 1, Level::detect(), &Serial, || true)
/// };
/// let few = train(&inputs[..3 * 3]).unwrap_err();
/// assert_eq!(few, PretrainError::Samples { needed: 8, found: 3 });
/// assert_eq!(train(&inputs), Ok(true));
/// // The hidden layers have learned, the head has not.
/// let head = plan.places()[4].parameters;
/// assert!(arena.parameters[..head] != before[..head]);
/// assert_eq!(arena.parameters[head..], before[head..]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stack<'a> {
    plan: Plan<'a>,
    pretraining: Pretraining,
    layers: usize,
}

/// What pre-training works in; what it holds before does not matter.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::net::{Layer, Place, Plan};
/// use isobath::pretrain::stack::{Memory, Stack};
/// use isobath::pretrain::{Model, PretrainError, Pretraining};
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let model = Model::Rbm { gibbs_steps: 1, persistent: false };
/// let pretraining = Pretraining { model, steps: 1, rate: 0.01, shuffled: false };
/// let layers =
///     [Layer::dense(4, Init::XAVIER), Layer::Activation(Activation::Sigmoid), Layer::dense(2, Init::LECUN)];
/// let mut places = [Place::default(); 3];
/// let plan = Plan::new(3, 8, &layers, &mut places)?;
/// let stack = Stack::new(pretraining, plan)?;
/// let mut parameters = vec![0.0; plan.parameters()];
/// // One element per sample is needed for their order.
/// let memory = Memory { values: &mut vec![0.0; stack.memory_len(8, 1)], order: &mut [0; 7] };
/// let (level, threads) = (Level::detect(), &Serial);
/// let refused = stack.train(&mut parameters, &[0.0; 8 * 3], memory, 1, level, threads, || true);
/// let name = "the order of samples";
/// assert_eq!(refused, Err(PretrainError::Buffer { name, needed: 8, found: 7 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Memory<'a> {
    /// [`Stack::memory_len`] elements.
    pub values: &'a mut [f32],
    /// One element per sample: the order they are drawn in.
    pub order: &'a mut [u32],
}

/// One hidden layer: its units, and where its weights and biases start in the network's parameters.
#[derive(Clone, Copy, Debug)]
struct Hidden {
    units: Units,
    parameters: usize,
}

impl<'a> Stack<'a> {
    /// The hidden layers of this network.
    ///
    /// # Errors
    /// They are not all dense, each followed by a sigmoid.
    pub fn new(pretraining: Pretraining, plan: Plan<'a>) -> Result<Self, PretrainError> {
        let is_dense = |layer: &Layer| matches!(layer, Layer::Dense(_));
        let layers = plan.layers().iter().filter(|layer| is_dense(layer)).count().saturating_sub(1);
        let hidden = plan.layers().iter().take(2 * layers).enumerate();
        for (index, layer) in hidden {
            let fits = match layer {
                Layer::Dense(_) => index % 2 == 0,
                Layer::Activation(Activation::Sigmoid) => index % 2 == 1,
                _ => false,
            };
            if !fits {
                return Err(PretrainError::Layers { layer: index });
            }
        }
        Ok(Self { plan, pretraining, layers })
    }

    /// Hidden layers.
    pub fn layers(&self) -> usize {
        self.layers
    }

    fn hidden(&self) -> impl Iterator<Item = Hidden> + use<'a> {
        let dense = self.plan.places().iter().step_by(2).take(self.layers).enumerate();
        dense.map(|(number, place)| Hidden {
            units: Units {
                visible: place.fan_in,
                hidden: place.width,
                kind: if number == 0 { Visible::Gaussian } else { Visible::Binary },
            },
            parameters: place.parameters,
        })
    }

    /// Elements of memory for so many samples and threads.
    pub fn memory_len(&self, samples: usize, threads: usize) -> usize {
        let lengths = self.lengths(samples, threads);
        lengths.into_iter().fold(0, usize::saturating_add)
    }

    /// Of the outputs of a layer and of the next; of a layer's parameters, gradient, first and second moments; of a
    /// batch, of the particles, and of what a step works in.
    fn lengths(&self, samples: usize, threads: usize) -> [usize; 9] {
        let batch = self.plan.batch();
        let most = |length: &dyn Fn(Units) -> usize| {
            self.hidden().map(|layer| length(layer.units)).max().unwrap_or(0)
        };
        let outputs = if self.layers > 1 { most(&|units| units.hidden.saturating_mul(samples)) } else { 0 };
        let parameters = most(&|units| units.parameters());
        let visible = most(&|units| units.visible.saturating_mul(batch));
        let persistent = matches!(self.pretraining.model, Model::Rbm { persistent: true, .. });
        let step = most(&|units| match self.pretraining.model {
            Model::Autoencoder { noise } => Autoencoder { units, noise }.memory_len(batch, threads),
            Model::Rbm { gibbs_steps, .. } => Rbm { units, gibbs_steps }.memory_len(batch, threads),
        });
        let particles = if persistent { visible } else { 0 };
        [outputs, outputs, parameters, parameters, parameters, parameters, visible, particles, step]
    }

    /// Multiply-adds of the whole pre-training on so many samples.
    pub fn multiply_adds(&self, samples: usize) -> u64 {
        let rows = (self.pretraining.steps as u64).saturating_mul(self.plan.batch() as u64);
        let of_layer = |(number, layer): (usize, Hidden)| {
            let units = layer.units;
            let products = match self.pretraining.model {
                Model::Autoencoder { .. } => autoencoder::PRODUCTS,
                Model::Rbm { gibbs_steps, persistent } => Rbm { units, gibbs_steps }.products(persistent),
            };
            let passed_on = if number + 1 < self.layers { samples as u64 } else { 0 };
            (products as u64)
                .saturating_mul(rows)
                .saturating_add(passed_on)
                .saturating_mul(units.weights() as u64)
        };
        self.hidden().enumerate().map(of_layer).fold(0, u64::saturating_add)
    }

    /// Pre-trains the hidden layers among a network's `parameters` on `inputs`, row by row. `on_step` is called after
    /// every step of a layer and stops by answering false; that is also the result then.
    ///
    /// # Errors
    /// A buffer is too short, or there are fewer samples than a batch has rows.
    pub fn train<T: Threads>(
        &self,
        parameters: &mut [f32],
        inputs: &[f32],
        memory: Memory<'_>,
        seed: u64,
        level: Level,
        threads: &T,
        mut on_step: impl FnMut() -> bool,
    ) -> Result<bool, PretrainError> {
        let (samples, batch) = (inputs.len() / self.plan.input(), self.plan.batch());
        if samples < batch {
            return Err(PretrainError::Samples { needed: batch, found: samples });
        }
        let order = prefix_mut("the order of samples", memory.order, samples)?;
        let mut order = Order::new(order, Random::stream(seed, ORDER));
        let mut random = Random::stream(seed, MODEL);
        let mut rest = prefix_mut("pre-training", memory.values, self.memory_len(samples, threads.count()))?;
        let mut regions: [&mut [f32]; 9] = Default::default();
        for (region, length) in regions.iter_mut().zip(self.lengths(samples, threads.count())) {
            (*region, rest) = rest.split_at_mut(length);
        }
        let [mut below, mut above, own, gradient, first_moments, second_moments, rows, particles, step] =
            regions;
        let mut work = Workplace {
            parameters: own,
            gradient,
            first_moments,
            second_moments,
            inputs: rows,
            particles,
            step,
        };
        for (number, Hidden { units, parameters: start }) in self.hidden().enumerate() {
            let found = parameters.len();
            let end = start + units.weights() + units.hidden;
            let short = PretrainError::Buffer { name: "the network's parameters", needed: end, found };
            let of_network = parameters.get_mut(start..end).ok_or(short)?;
            let own = prefix_mut("a layer", work.parameters, units.parameters())?;
            let (of_layer, visible_biases) = own.split_at_mut(of_network.len());
            of_layer.copy_from_slice(of_network);
            visible_biases.fill(0.0);
            let data =
                prefix("the samples", if number == 0 { inputs } else { below }, samples * units.visible)?;
            let lessons = Lessons { samples: data, order: &mut order, random: &mut random };
            let (settings, on_step) = (&self.pretraining, &mut on_step);
            if !layer::train(settings, units, batch, lessons, &mut work, level, threads, on_step)? {
                return Ok(false);
            }
            of_network.copy_from_slice(prefix("a layer", work.parameters, of_network.len())?);
            if number + 1 < self.layers {
                let products = Products { units, rows: batch, level, threads };
                pass_on(products, work.parameters, data, above, work.step)?;
                core::mem::swap(&mut below, &mut above);
            }
        }
        if self.pretraining.shuffled {
            self.shuffle(parameters, &mut Random::stream(seed, SHUFFLE));
        }
        Ok(true)
    }

    /// Puts each layer's weights into a random order, and its biases.
    fn shuffle(&self, parameters: &mut [f32], random: &mut Random) {
        for Hidden { units, parameters: start } in self.hidden() {
            let border = start + units.weights();
            for range in [start..border, border..border + units.hidden] {
                if let Some(values) = parameters.get_mut(range) {
                    random.shuffle(values);
                }
            }
        }
    }
}

/// The outputs of a layer for all samples, batch by batch.
fn pass_on<T: Threads>(
    products: Products<'_, T>,
    parameters: &[f32],
    inputs: &[f32],
    outputs: &mut [f32],
    workspace: &mut [f32],
) -> Result<(), PretrainError> {
    let Products { units, rows, .. } = products;
    let parameters = units.parts(parameters)?;
    let batches = inputs.chunks(rows * units.visible).zip(outputs.chunks_mut(rows * units.hidden));
    for (inputs, outputs) in batches {
        let rows = inputs.len() / units.visible;
        let outputs = prefix_mut("the outputs", outputs, rows * units.hidden)?;
        Products { rows, ..products }.hidden_means(&parameters, inputs, outputs, workspace)?;
    }
    Ok(())
}
