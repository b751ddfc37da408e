//! Training without stored gradients: 784-30-10 in the 128 KB of a small microcontroller.
//!
//! A batch of one and the epilogue [`SgdUpdate`] write W = W - rate x dy^T straight into W, so parameters (95.4 KB), one
//! sample and the layers' outputs are all the memory there is. A sample is a glyph of 12 x 12 pixels, each drawn as 2 x 2,
//! within a border of 2.

use core::fmt;

use isobath::data::glyphs;
use isobath::hash::Hash;
use isobath::init::Init as Start;
use isobath::random::Random;
use isobath_kernels::activation::{self, Relu};
use isobath_kernels::gemm::{Activate, Gemm, Init, SgdUpdate, Shape, Store};
use isobath_kernels::{Level, MatMut, MatRef, loss, optimizer};

const SIDE: usize = 2 * glyphs::SIDE + 4;
const INPUTS: usize = SIDE * SIDE;
const HIDDEN: usize = 30;
const CLASSES: usize = glyphs::CLASSES;
const RATE: f32 = 0.02;

/// Steps of the run.
pub const STEPS: usize = 4000;
/// The mean loss of so many last steps ...
const LAST: usize = 500;
/// ... must be below this; a network that has learned nothing has ln 10 = 2.3.
const GOOD: f32 = 1.2;

/// Everything that the run needs but the stack.
pub struct Network {
    w1: [f32; INPUTS * HIDDEN],
    b1: [f32; HIDDEN],
    w2: [f32; HIDDEN * CLASSES],
    b2: [f32; CLASSES],
    x: [f32; INPUTS],
    /// Also the scratch of the generator.
    glyph: [f32; glyphs::FEATURES],
}

impl Network {
    /// All zero.
    pub const fn new() -> Self {
        Self {
            w1: [0.0; INPUTS * HIDDEN],
            b1: [0.0; HIDDEN],
            w2: [0.0; HIDDEN * CLASSES],
            b2: [0.0; CLASSES],
            x: [0.0; INPUTS],
            glyph: [0.0; glyphs::FEATURES],
        }
    }

    /// Draws a sample into x; returns its label.
    fn draw(&mut self, random: &mut Random) -> u32 {
        let mut label = [0];
        glyphs::fill(random, &mut self.glyph, &mut label);
        for (y, row) in self.x.chunks_exact_mut(SIDE).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                let inside = (2..SIDE - 2).contains(&x) && (2..SIDE - 2).contains(&y);
                *pixel = if inside { self.glyph[(y / 2 - 1) * glyphs::SIDE + x / 2 - 1] } else { 0.0 };
            }
        }
        label[0]
    }

    /// One step on x; returns the loss before it.
    fn step(&mut self, level: Level, label: u32) -> f32 {
        let Self { w1, b1, w2, b2, x, .. } = self;
        let (mut h, mut y) = ([0.0; HIDDEN], [0.0; CLASSES]);
        product(level, [1, HIDDEN, INPUTS], x, w1, &mut h, Init::Bias(b1), Activate(Relu));
        product(level, [1, CLASSES, HIDDEN], &h, w2, &mut y, Init::Bias(b2), Store);
        let (mut dy, mut dh) = ([0.0; CLASSES], [0.0; HIDDEN]);
        let logits = MatRef::new(&y, 1, CLASSES).expect("its shape");
        let d_logits = MatMut::new(&mut dy, 1, CLASSES).expect("its shape");
        let loss = loss::softmax_cross_entropy(level, logits, &[label], d_logits).expect("a loss");
        back(level, w2, &dy, &mut dh);
        // The derivative of ReLU is the same of its output.
        activation::backward_in_place(level, Relu, &h, &mut dh).expect("equal lengths");
        update(level, &h, &dy, w2, b2);
        update(level, x, &dh, w1, b1);
        loss
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

/// c = epilogue(init + a b) for one row a.
fn product<E: isobath_kernels::gemm::Epilogue>(
    level: Level,
    [m, n, k]: [usize; 3],
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    init: Init<'_>,
    epilogue: E,
) {
    let (a, b) = (MatRef::new(a, m, k).expect("its shape"), MatRef::new(b, k, n).expect("its shape"));
    let mut c = MatMut::new(c, m, n).expect("its shape");
    let shape = Shape { m, n, k, transpose_a: false, transpose_b: false };
    Gemm::new(level, shape).run(a, b, &mut c, init, &mut [], epilogue).expect("a product");
}

/// dh = dy W^T.
fn back(level: Level, w: &[f32], dy: &[f32], dh: &mut [f32]) {
    let (n, k) = (dh.len(), dy.len());
    let shape = Shape { m: 1, n, k, transpose_a: false, transpose_b: true };
    let (dy, w) = (MatRef::new(dy, 1, k).expect("its shape"), MatRef::new(w, n, k).expect("its shape"));
    let mut dh = MatMut::new(dh, 1, n).expect("its shape");
    Gemm::new(level, shape).run(dy, w, &mut dh, Init::Zero, &mut [], Store).expect("a product");
}

/// W = W - rate x dy^T and b = b - rate dy.
fn update(level: Level, x: &[f32], dy: &[f32], w: &mut [f32], b: &mut [f32]) {
    let (m, n) = (x.len(), dy.len());
    // x is a column as it lies.
    product(level, [m, n, 1], x, dy, w, Init::Zero, SgdUpdate { learning_rate: RATE });
    optimizer::sgd(level, RATE, b, dy).expect("equal lengths");
}

/// What the run left.
#[derive(Clone, Copy, Debug)]
pub struct Trained {
    /// Mean loss of the first steps and of the last.
    pub losses: [f32; 2],
    /// Hash of all parameters.
    pub hash: u64,
}

impl Trained {
    /// Whether the network has learned what it should.
    pub fn is_good(&self) -> bool {
        self.losses[1] < GOOD
    }
}

impl fmt::Display for Trained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, last] = self.losses;
        write!(f, "{:016x} fused 784-30-10, {STEPS} steps: loss {first:e} to {last:e}", self.hash)
    }
}

/// Trains the network from a fixed seed.
pub fn train(level: Level, network: &mut Network) -> Trained {
    let (mut weights, mut samples) = (Random::stream(1, 1), Random::stream(1, 2));
    let Network { w1, b1, w2, b2, .. } = network;
    Start::HE.fill(&mut weights, INPUTS, w1, b1, &mut []).expect("its shape");
    Start::LECUN.fill(&mut weights, HIDDEN, w2, b2, &mut []).expect("its shape");
    let mut sums = [0.0; 2];
    for step in 0..STEPS {
        let label = network.draw(&mut samples);
        let loss = network.step(level, label);
        if step < LAST {
            sums[0] += loss;
        } else if step >= STEPS - LAST {
            sums[1] += loss;
        }
    }
    let mut hash = Hash::new();
    [&network.w1[..], &network.b1, &network.w2, &network.b2].into_iter().for_each(|values| hash.f32s(values));
    Trained { losses: sums.map(|sum| sum / LAST as f32), hash: hash.finish() }
}
