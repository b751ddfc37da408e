//! Training runs: the harness's own network code, over data drawn by the harness's own generators.
//!
//! `isobath train tests/golden/spirals.toml` and its like print the same hashes.

use core::fmt;

use isobath::activation::Activation;
use isobath::data::{Scale, glyphs, spirals};
use isobath::descent::{Descent, Memory, Samples, run_seed, softmax_cross_entropy};
use isobath::init::Init;
use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
use isobath::net::{Cell, ForgetBias, Layer, Place, Plan, Recurrent, Signal, Watch};
use isobath::random::Random;
use isobath::threads::Serial;
use isobath_kernels::reduce::{Norm, Scaled, sum_of_squares};
use isobath_kernels::{Level, MatRef};

/// The seed of data and weights.
pub const SEED: u64 = 1;
/// Samples of the training set, and as many to test with.
pub const SAMPLES: usize = 200;
/// Samples per step.
pub const BATCH: usize = 20;
/// Gradients are clipped to this norm.
pub const MAX_NORM: f32 = 1.0;
/// Gradients of states are clipped to this norm at each step back in time.
const CLIP: f32 = 0.1;
/// Elements of the largest arena and of the larger set of inputs.
const ARENA: usize = 50_000;
const INPUTS: usize = SAMPLES * glyphs::FEATURES;
const MOST_LAYERS: usize = 8;

const TANH: Layer = Layer::Activation(Activation::Tanh);
const RELU: Layer = Layer::Activation(Activation::Relu);
const NARROW: Layer = Layer::dense(16, Init::XAVIER);
const TOP: Layer = Layer::dense(2, Init::LECUN);
const WIDE: Layer = Layer::dense(32, Init::HE);
const DIGITS: Layer = Layer::dense(glyphs::CLASSES, Init::LECUN);

/// A recurrent layer that reads an image row by row.
const fn rows(cell: Cell) -> Layer {
    let layer = Recurrent::new(cell, 8, Init::XAVIER);
    Layer::Recurrent(Recurrent { forget_bias: ForgetBias::Chrono, clip: Some(CLIP), ..layer })
}

/// A task with its network.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Its name.
    pub name: &'static str,
    /// Numbers per sample.
    pub features: usize,
    /// What a sample is to the first layer.
    pub signal: Signal,
    /// Classes.
    pub classes: usize,
    /// The layers.
    pub layers: &'static [Layer],
    /// The rule that moves parameters.
    pub optimizer: Optimizer,
    /// Its rate.
    pub rate: f32,
    /// Steps.
    pub steps: usize,
}

const SPIRALS: Run = Run {
    name: "spirals 2-16-16-2, Adam",
    features: 2,
    signal: Signal::vector(2),
    classes: 2,
    layers: &[NARROW, TANH, NARROW, TANH, TOP],
    optimizer: Optimizer::Adam { weight_decay: 0.0 },
    rate: 0.01,
    steps: 400,
};
const GLYPHS: Run = Run {
    name: "glyphs 144-32-10, SGD",
    features: glyphs::FEATURES,
    signal: Signal::vector(glyphs::FEATURES),
    classes: glyphs::CLASSES,
    layers: &[WIDE, RELU, DIGITS],
    optimizer: Optimizer::Sgd,
    rate: 0.1,
    steps: 100,
};

const RECURRENT: Run = Run {
    name: "glyphs row by row, LSTM 8, Adam",
    signal: Signal::image(glyphs::SIDE, glyphs::SIDE, 1),
    layers: &[rows(Cell::Lstm), DIGITS],
    optimizer: Optimizer::Adam { weight_decay: 0.0 },
    rate: 0.01,
    ..GLYPHS
};

/// Both networks, batch norm off and on, and recurrent ones.
pub const RUNS: [Run; 6] = [
    SPIRALS,
    Run {
        name: "spirals 2-16-16-2, Adam, batch norm",
        layers: &[NARROW, Layer::BATCH_NORM, TANH, NARROW, Layer::BATCH_NORM, TANH, TOP],
        ..SPIRALS
    },
    GLYPHS,
    Run {
        name: "glyphs 144-32-10, SGD, batch norm",
        layers: &[WIDE, Layer::BATCH_NORM, RELU, DIGITS],
        ..GLYPHS
    },
    RECURRENT,
    Run { name: "glyphs row by row, GRU 8, Adam", layers: &[rows(Cell::Gru), DIGITS], ..RECURRENT },
];

/// What a run left.
#[derive(Clone, Copy, Debug)]
pub struct Trained {
    /// Which run.
    pub name: &'static str,
    /// Loss on the first batch and on the last.
    pub losses: [f32; 2],
    /// Of the test set, how many were right.
    pub correct: usize,
    /// Norms of the layers' weight gradients in the last pass, from the input up.
    pub gradients: Gradients,
    /// Hash of the final parameters and gradients.
    pub hash: u64,
}

impl fmt::Display for Trained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, last] = self.losses;
        write!(f, "{:016x} {}: loss {first:e} to {last:e}, ", self.hash, self.name)?;
        write!(f, "{} of {SAMPLES} right, gradient norms", self.correct)?;
        self.gradients.norms().try_for_each(|norm| write!(f, " {:e}", norm.to_f32()))
    }
}

/// The norm of every dense or recurrent layer's weight gradient.
#[derive(Clone, Copy, Debug)]
pub struct Gradients {
    level: Level,
    norms: [Option<Norm>; MOST_LAYERS],
}

impl Gradients {
    fn norms(&self) -> impl Iterator<Item = Norm> {
        self.norms.iter().filter_map(|norm| *norm)
    }
}

impl Watch for Gradients {
    fn weight_gradient(&mut self, layer: usize, gradient: MatRef<'_>, exponent: i32) {
        let rows = (0..gradient.rows()).map(|i| sum_of_squares(self.level, gradient.row(i)));
        let mut norm = rows.fold(Scaled::ZERO, Scaled::plus).sqrt();
        norm.exponent += exponent;
        self.norms[layer] = Some(norm);
    }
}

/// The memory of any of the runs: a static of a microcontroller.
pub struct Space {
    arena: [f32; ARENA],
    inputs: [f32; INPUTS],
    held_out: [f32; INPUTS],
    labels: [[u32; SAMPLES]; 2],
    order: [u32; SAMPLES],
    batch: [u32; BATCH],
    gradient: [f32; BATCH * glyphs::CLASSES],
}

impl Space {
    /// All zero.
    pub const fn new() -> Self {
        Self {
            arena: [0.0; ARENA],
            inputs: [0.0; INPUTS],
            held_out: [0.0; INPUTS],
            labels: [[0; SAMPLES]; 2],
            order: [0; SAMPLES],
            batch: [0; BATCH],
            gradient: [0.0; BATCH * glyphs::CLASSES],
        }
    }
}

impl Default for Space {
    fn default() -> Self {
        Self::new()
    }
}

/// Trains a network. Before the first step the bits of its first weight are changed by `flip`: 0 for the golden run.
pub fn train(run: &Run, level: Level, space: &mut Space, flip: u32) -> Trained {
    let Space { arena, inputs, held_out, labels: [labels, known], order, batch, gradient } = space;
    let (inputs, held_out) = (&mut inputs[..SAMPLES * run.features], &mut held_out[..SAMPLES * run.features]);
    let fill = if run.features == 2 { spirals::fill_two } else { glyphs::fill };
    // As Source::load draws them: the training part from one stream, the test part from another, on one scale.
    fill(&mut Random::stream(SEED, 1), inputs, labels);
    fill(&mut Random::stream(SEED, 3), held_out, known);
    let scale = Scale::of(inputs).expect("samples differ");
    scale.apply(inputs);
    scale.apply(held_out);

    let mut places = [Place::default(); MOST_LAYERS];
    let plan = Plan::new(run.signal, BATCH, run.layers, &mut places).expect("a network");
    let clipping = Clipping::GlobalNorm { max_norm: MAX_NORM };
    let update = Update::new(run.optimizer, clipping, Penalty::None);
    let memory = Memory { arena, order, labels: batch, gradient };
    let samples = Samples { inputs, labels };
    let mut descent =
        Descent::new(plan, level, &Serial, update, samples, memory, run_seed(SEED)).expect("fits");
    let weight = &mut descent.arena_mut().parameters[0];
    *weight = f32::from_bits(weight.to_bits() ^ flip);

    let mut losses = [0.0; 2];
    let mut gradients = Gradients { level, norms: [None; MOST_LAYERS] };
    // One pass more than there are steps: the last one measures the trained network.
    for step in 0..=run.steps {
        let loss = descent.measure(
            |outputs, labels, gradient| softmax_cross_entropy(level, run.classes, outputs, labels, gradient),
            &mut gradients,
        );
        losses[usize::from(step > 0)] = loss.expect("a loss");
        if step < run.steps {
            descent.step(run.rate).expect("a step");
        }
    }
    let hash = descent.hash();
    let correct = descent.correct(Samples { inputs: held_out, labels: known }).expect("an accuracy");
    Trained { name: run.name, losses, correct, gradients, hash }
}
