//! The example of the C interface, `capi/examples/classifier.c`, in Rust: 32-16-3 learns to tell square waves, sawtooths and
//! triangles apart. Both must end with the same weights (`ci/capi`), so every draw and every call has its counterpart there.

use core::fmt;

use isobath::hash::Hash;
use isobath_kernels::activation::{self, Relu};
use isobath_kernels::gemm::{Gemm, Init, Shape, Store};
use isobath_kernels::optimizer::{self, Adam, AdamState};
use isobath_kernels::reduce::column_sums;
use isobath_kernels::{Level, MatMut, MatRef, clip, loss};

const INPUTS: usize = 32;
const HIDDEN: usize = 16;
const CLASSES: usize = 3;
const BATCH: usize = 16;
const STEPS: usize = 1000;
const TEST_BATCHES: usize = 6;
/// The parameters: W1, b1, W2, b2.
const LENS: [usize; 4] = [INPUTS * HIDDEN, HIDDEN, HIDDEN * CLASSES, CLASSES];
/// Their number.
const LEN: usize = LENS[0] + LENS[1] + LENS[2] + LENS[3];
const ADAM: Adam = Adam {
    learning_rate: 0.01,
    beta1: 0.9,
    one_minus_beta1: 0.1,
    beta2: 0.999,
    one_minus_beta2: 0.001,
    epsilon: 1e-8,
    weight_decay: 0.0,
};

/// Marsaglia's xorshift with 32 bits.
struct Random(u32);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) % n
    }
}

/// A batch on its way through the network and back.
struct Batch {
    labels: [u32; BATCH],
    x: [f32; BATCH * INPUTS],
    h: [f32; BATCH * HIDDEN],
    y: [f32; BATCH * HIDDEN],
    logits: [f32; BATCH * CLASSES],
    d_logits: [f32; BATCH * CLASSES],
    d_h: [f32; BATCH * HIDDEN],
}

impl Batch {
    fn draw(random: &mut Random) -> Self {
        let (mut labels, mut x) = ([0; BATCH], [0.0; BATCH * INPUTS]);
        for (row, label) in x.chunks_exact_mut(INPUTS).zip(&mut labels) {
            *label = random.below(CLASSES as u32);
            let phase = random.below(16);
            for (i, x) in row.iter_mut().enumerate() {
                let t = ((phase + i as u32) % 16) as i32;
                let wave = match *label {
                    0 => {
                        if t < 8 {
                            48
                        } else {
                            -48
                        }
                    }
                    1 => 6 * t - 45,
                    _ => {
                        if t < 8 {
                            12 * t - 42
                        } else {
                            138 - 12 * t
                        }
                    }
                };
                let noise = random.below(64) as i32 - 32;
                *x = (wave + noise) as f32 / 64.0;
            }
        }
        Self {
            labels,
            x,
            h: [0.0; BATCH * HIDDEN],
            y: [0.0; BATCH * HIDDEN],
            logits: [0.0; BATCH * CLASSES],
            d_logits: [0.0; BATCH * CLASSES],
            d_h: [0.0; BATCH * HIDDEN],
        }
    }

    fn forward(&mut self, level: Level, [w1, b1, w2, b2]: [&[f32]; 4]) {
        let (first, second) = (shape(BATCH, HIDDEN, INPUTS), shape(BATCH, CLASSES, HIDDEN));
        product(level, first, &self.x, w1, Init::Bias(b1), &mut self.h);
        activation::forward(level, Relu, &self.h, &mut self.y).expect("equal lengths");
        product(level, second, &self.y, w2, Init::Bias(b2), &mut self.logits);
    }

    fn loss(&mut self, level: Level) {
        let logits = MatRef::new(&self.logits, BATCH, CLASSES).expect("its shape");
        let d_logits = MatMut::new(&mut self.d_logits, BATCH, CLASSES).expect("its shape");
        loss::softmax_cross_entropy(level, logits, &self.labels, d_logits).expect("a loss");
    }

    fn backward(&mut self, level: Level, w2: &[f32], [d_w1, d_b1, d_w2, d_b2]: [&mut [f32]; 4]) {
        let Self { x, h, y, d_logits, d_h, .. } = self;
        let first = Shape { transpose_a: true, ..shape(INPUTS, HIDDEN, BATCH) };
        let second = Shape { transpose_a: true, ..shape(HIDDEN, CLASSES, BATCH) };
        let back = Shape { transpose_b: true, ..shape(BATCH, HIDDEN, CLASSES) };
        product(level, second, y, d_logits, Init::Zero, d_w2);
        sums(level, d_logits, d_b2);
        product(level, back, d_logits, w2, Init::Zero, d_h);
        activation::backward_in_place(level, Relu, h, d_h).expect("equal lengths");
        product(level, first, x, d_h, Init::Zero, d_w1);
        sums(level, d_h, d_b1);
    }

    fn right(&self) -> usize {
        let logits = MatRef::new(&self.logits, BATCH, CLASSES).expect("its shape");
        loss::accuracy(Level::SCALAR, logits, &self.labels).expect("a label per row")
    }
}

const fn shape(m: usize, n: usize, k: usize) -> Shape {
    Shape { m, n, k, transpose_a: false, transpose_b: false }
}

/// c = init + op(a) op(b).
fn product(level: Level, shape: Shape, a: &[f32], b: &[f32], init: Init<'_>, c: &mut [f32]) {
    let Shape { m, n, k, transpose_a, transpose_b } = shape;
    let (a_rows, a_columns) = if transpose_a { (k, m) } else { (m, k) };
    let (b_rows, b_columns) = if transpose_b { (n, k) } else { (k, n) };
    let a = MatRef::new(a, a_rows, a_columns).expect("its shape");
    let b = MatRef::new(b, b_rows, b_columns).expect("its shape");
    let mut c = MatMut::new(c, m, n).expect("its shape");
    Gemm::new(level, shape).run(a, b, &mut c, init, &mut [], Store).expect("a product");
}

/// The gradient of a bias.
fn sums(level: Level, d: &[f32], d_b: &mut [f32]) {
    column_sums(level, MatRef::new(d, BATCH, d_b.len()).expect("its shape"), d_b).expect("a sum per column");
}

/// The four tensors of an array of the parameters' length.
fn split(all: &mut [f32; LEN]) -> [&mut [f32]; 4] {
    let (w1, rest) = all.split_at_mut(LENS[0]);
    let (b1, rest) = rest.split_at_mut(LENS[1]);
    let (w2, b2) = rest.split_at_mut(LENS[2]);
    [w1, b1, w2, b2]
}

/// What the run left.
#[derive(Clone, Copy, Debug)]
pub struct Trained {
    /// Hash of all parameters.
    pub hash: u64,
    /// Samples that were not trained on and are told right, of [`Trained::SAMPLES`].
    pub right: usize,
}

impl Trained {
    /// Samples of the test.
    pub const SAMPLES: usize = TEST_BATCHES * BATCH;
}

impl fmt::Display for Trained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hash, right } = self;
        write!(f, "{hash:016x} classifier 32-16-3, {STEPS} steps: {right} of {} right", Self::SAMPLES)
    }
}

/// Trains the network.
pub fn train(level: Level) -> Trained {
    let mut random = Random(2_463_534_242);
    let [mut w, mut m, mut v, mut g] = [[0.0; LEN]; 4];
    let [w1, _, w2, _] = split(&mut w);
    for w in w1.iter_mut().chain(w2) {
        *w = (random.below(65536) as i32 - 32768) as f32 / 65536.0;
    }
    let mut state = AdamState::new();
    for _ in 0..STEPS {
        let mut batch = Batch::draw(&mut random);
        let w = split(&mut w);
        batch.forward(level, w.each_ref().map(|w| &**w));
        batch.loss(level);
        batch.backward(level, w[2], split(&mut g));
        let mut g = split(&mut g);
        clip::by_global_norm(level, &mut g, 1.0).expect("a bound");
        let correction = state.advance(&ADAM);
        for (((w, m), v), g) in w.into_iter().zip(split(&mut m)).zip(split(&mut v)).zip(g) {
            optimizer::adam(level, &ADAM, &correction, w, m, v, g).expect("equal lengths");
        }
    }
    let right = (0..TEST_BATCHES).map(|_| {
        let mut batch = Batch::draw(&mut random);
        batch.forward(level, split(&mut w).each_ref().map(|w| &**w));
        batch.right()
    });
    let right = right.sum();
    let mut hash = Hash::new();
    hash.f32s(&w);
    Trained { hash: hash.finish(), right }
}
