//! A network that classifies and learns on a microcontroller: 16 inputs, 8 hidden ReLU units, 3 classes, batches of one.
//!
//! A file to copy: no allocation, no panic, no gradient in memory, every buffer in one `static` whose length the compiler
//! knows (696 bytes here, and the workspace of the products). It is a library, because
//! only a firmware has an entry point; build it for a target with
//! `cargo build -p isobath-kernels --example on_device --target thumbv6m-none-eabi`.

#![no_std]

use core::fmt;

use isobath_kernels::activation::{self, Relu};
use isobath_kernels::gemm::{Activate, Epilogue, Gemm, GemmError, Init, SgdUpdate, Shape, Store};
use isobath_kernels::loss::{self, LossError};
use isobath_kernels::view::ViewError;
use isobath_kernels::{LengthError, Level, MatMut, MatRef, optimizer};

/// Length of a sample.
pub const INPUTS: usize = 16;
/// Hidden units.
pub const HIDDEN: usize = 8;
/// Classes.
pub const CLASSES: usize = 3;
const LEARNING_RATE: f32 = 0.05;

const fn shape(m: usize, n: usize, k: usize, transpose_b: bool) -> Shape {
    Shape { m, n, k, transpose_a: false, transpose_b }
}

/// Every product of a step.
const PRODUCTS: [Shape; 5] = [
    shape(1, HIDDEN, INPUTS, false),
    shape(1, CLASSES, HIDDEN, false),
    shape(1, HIDDEN, CLASSES, true),
    shape(HIDDEN, CLASSES, 1, false),
    shape(INPUTS, HIDDEN, 1, false),
];

/// The longest workspace that a product asks for. An empty one works too, only slower.
const WORKSPACE: usize = {
    let (mut longest, mut i) = (0, 0);
    while i < PRODUCTS.len() {
        let length = Gemm::workspace_len_for(PRODUCTS[i]);
        if length > longest {
            longest = length;
        }
        i += 1;
    }
    longest
};

/// What a kernel refused. With the buffers of [`Network`] only a label that is no class can be wrong.
#[derive(Clone, Copy, Debug)]
pub enum Error {
    /// A matrix does not fit its buffer.
    View(ViewError),
    /// An operand has another shape.
    Product(GemmError),
    /// A label is no class.
    Loss(LossError),
    /// Two slices differ in length.
    Length(LengthError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::View(error) => error.fmt(f),
            Self::Product(error) => error.fmt(f),
            Self::Loss(error) => error.fmt(f),
            Self::Length(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

impl From<ViewError> for Error {
    fn from(error: ViewError) -> Self {
        Self::View(error)
    }
}

impl From<GemmError> for Error {
    fn from(error: GemmError) -> Self {
        Self::Product(error)
    }
}

impl From<LossError> for Error {
    fn from(error: LossError) -> Self {
        Self::Loss(error)
    }
}

impl From<LengthError> for Error {
    fn from(error: LengthError) -> Self {
        Self::Length(error)
    }
}

/// Weights and working memory: `static mut NETWORK: Network = Network::new();`, or in a cell of your choice.
pub struct Network {
    w1: [f32; INPUTS * HIDDEN],
    b1: [f32; HIDDEN],
    w2: [f32; HIDDEN * CLASSES],
    b2: [f32; CLASSES],
    h: [f32; HIDDEN],
    logits: [f32; CLASSES],
    workspace: [f32; WORKSPACE],
}

impl Network {
    /// All zero: call [`Network::initialise`], or copy weights that were trained elsewhere.
    pub const fn new() -> Self {
        Self {
            w1: [0.0; INPUTS * HIDDEN],
            b1: [0.0; HIDDEN],
            w2: [0.0; HIDDEN * CLASSES],
            b2: [0.0; CLASSES],
            h: [0.0; HIDDEN],
            logits: [0.0; CLASSES],
            workspace: [0.0; WORKSPACE],
        }
    }

    /// Uniform weights of He's variance, 2 / fan-in, from Marsaglia's xorshift.
    pub fn initialise(&mut self, seed: u32) {
        let mut state = seed | 1;
        // sqrt(6 / fan-in), the half-width of a uniform distribution of that variance.
        for (weights, half_width) in [(&mut self.w1[..], 0.612_372_4), (&mut self.w2[..], 0.866_025_4)] {
            for w in weights {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                // 24 bits as a number in [-1, 1).
                *w = half_width * ((state >> 8) as f32 / 8_388_608.0 - 1.0);
            }
        }
    }

    /// The class of x.
    ///
    /// # Errors
    /// None with these buffers.
    pub fn classify(&mut self, x: &[f32; INPUTS]) -> Result<usize, Error> {
        self.forward(x)?;
        let mut best = 0;
        for (class, logit) in self.logits.iter().enumerate() {
            if self.logits.get(best).is_some_and(|most| logit > most) {
                best = class;
            }
        }
        Ok(best)
    }

    /// One step of gradient descent; returns the loss before it.
    ///
    /// # Errors
    /// The label is no class; nothing has changed then.
    pub fn learn(&mut self, x: &[f32; INPUTS], label: u32) -> Result<f32, Error> {
        self.forward(x)?;
        let (mut d_logits, mut d_h) = ([0.0; CLASSES], [0.0; HIDDEN]);
        let logits = MatRef::new(&self.logits, 1, CLASSES)?;
        let delta = MatMut::new(&mut d_logits, 1, CLASSES)?;
        let loss = loss::softmax_cross_entropy(Level::detect(), logits, &[label], delta)?;

        let Self { w1, b1, w2, b2, h, workspace, .. } = self;
        // d_h before W2 changes. The derivative of ReLU is the same of its output.
        product(PRODUCTS[2], &d_logits, w2, &mut d_h, Init::Zero, workspace, Store)?;
        activation::backward_in_place(Level::detect(), Relu, h, &mut d_h)?;
        // W = W - rate x^T delta straight into W: no gradient is ever stored.
        let step = SgdUpdate { learning_rate: LEARNING_RATE };
        product(PRODUCTS[3], h, &d_logits, w2, Init::Zero, workspace, step)?;
        product(PRODUCTS[4], x, &d_h, w1, Init::Zero, workspace, step)?;
        optimizer::sgd(Level::detect(), LEARNING_RATE, b2, &d_logits)?;
        optimizer::sgd(Level::detect(), LEARNING_RATE, b1, &d_h)?;
        Ok(loss)
    }

    /// Leaves the hidden units in `h` and the outputs in `logits`.
    fn forward(&mut self, x: &[f32; INPUTS]) -> Result<(), Error> {
        let Self { w1, b1, w2, b2, h, logits, workspace } = self;
        product(PRODUCTS[0], x, w1, h, Init::Bias(b1), workspace, Activate(Relu))?;
        product(PRODUCTS[1], h, w2, logits, Init::Bias(b2), workspace, Store)
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

/// c = epilogue(init + a op(b)), all row-major.
fn product<E: Epilogue>(
    shape: Shape,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    init: Init<'_>,
    workspace: &mut [f32],
    epilogue: E,
) -> Result<(), Error> {
    let Shape { m, n, k, transpose_b, .. } = shape;
    let a = MatRef::new(a, m, k)?;
    let b = if transpose_b { MatRef::new(b, n, k)? } else { MatRef::new(b, k, n)? };
    Gemm::new(Level::detect(), shape).run(a, b, &mut MatMut::new(c, m, n)?, init, workspace, epilogue)?;
    Ok(())
}
