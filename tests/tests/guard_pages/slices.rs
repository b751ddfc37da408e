//! Kernels over slices of one length: reductions, functions, activations, optimisers, clipping.

use std::hint::black_box;

use isobath_kernels::activation::{
    self, Activation, Elu, FromOutput, Gelu, GeluTanh, Identity, LeakyRelu, PRelu, Relu, Selu, Sigmoid, Silu,
    Softplus, Tanh,
};
use isobath_kernels::optimizer::{self, Adam, AdamState, Momentum};
use isobath_kernels::{Level, clip, math, peak, reduce, residual};

use crate::Runs;

/// A kernel over up to four slices; says whether it had no error.
type OverSlices = fn(Level, [&mut [f32]; 4]) -> bool;

/// Every length of tail of every vector, several vectors before it, and the 64 lanes of sums twice.
const LENGTHS: std::ops::RangeInclusive<usize> = 0..=130;
/// Around a chunk of sums.
const LONG: [usize; 3] = [4095, 4096, 4097];

const REDUCTIONS: [(&str, OverSlices); 7] = [
    ("reduce::sum", |level, [x, ..]| used(reduce::sum(level, x))),
    ("reduce::dot", |level, [a, b, ..]| reduce::dot(level, a, b).is_ok()),
    ("reduce::max_abs", |level, [x, ..]| used(reduce::max_abs(level, x))),
    ("reduce::sum_of_squares", |level, [x, ..]| used(reduce::sum_of_squares(level, x))),
    ("reduce::norm", |level, [x, ..]| used(reduce::norm(level, x))),
    ("reduce::norm_of_slices", |level, [x, y, ..]| used(reduce::norm_of_slices(level, &[x, y]))),
    ("peak::read", |level, [x, ..]| used(peak::read(level, x))),
];

const FUNCTIONS: [(&str, OverSlices); 7] = [
    ("math::exp_slice", |level, [x, y, ..]| math::exp_slice(level, x, y).is_ok()),
    ("math::expm1_slice", |level, [x, y, ..]| math::expm1_slice(level, x, y).is_ok()),
    ("math::ln_slice", |level, [x, y, ..]| math::ln_slice(level, x, y).is_ok()),
    ("math::log1p_slice", |level, [x, y, ..]| math::log1p_slice(level, x, y).is_ok()),
    ("math::erf_slice", |level, [x, y, ..]| math::erf_slice(level, x, y).is_ok()),
    ("residual::scale_add", |level, [x, y, ..]| residual::scale_add(level, 0.7, x, y).is_ok()),
    ("activation::multiply", |level, [d, dy, ..]| activation::multiply(level, d, dy).is_ok()),
];

const STEPS: [(&str, OverSlices); 12] = [
    ("optimizer::sgd", |level, [w, g, ..]| optimizer::sgd(level, 0.1, w, g).is_ok()),
    ("optimizer::momentum", |level, [w, v, g, _]| {
        let settings = Momentum { learning_rate: 0.1, momentum: 0.9, nesterov: false };
        optimizer::momentum(level, settings, w, v, g).is_ok()
    }),
    ("optimizer::momentum", |level, [w, v, g, _]| {
        let settings = Momentum { learning_rate: 0.1, momentum: 0.9, nesterov: true };
        optimizer::momentum(level, settings, w, v, g).is_ok()
    }),
    ("optimizer::adam", |level, slices| adam(level, 0.0, slices)),
    ("optimizer::adam", |level, slices| adam(level, 0.01, slices)),
    ("optimizer::scale", |level, [x, ..]| {
        optimizer::scale(level, 1e-3, x);
        true
    }),
    ("optimizer::add_l1", |level, [w, g, ..]| optimizer::add_l1(level, 0.01, w, g).is_ok()),
    ("optimizer::add_l2", |level, [w, g, ..]| optimizer::add_l2(level, 0.01, w, g).is_ok()),
    ("clip::by_value", |level, [g, ..]| clip::by_value(level, g, 1.5).is_ok()),
    ("clip::by_global_norm", |level, [g, h, ..]| clip::by_global_norm(level, &mut [g, h], 1.0).is_ok()),
    ("clip::scale_to_norm", |level, [g, ..]| {
        let norm = reduce::norm(level, g);
        clip::scale_to_norm(level, g, norm, 0.1).is_ok()
    }),
    ("batch_norm::update_running", |level, [mean, variance, m, v]| {
        isobath_kernels::batch_norm::update_running(level, mean, variance, m, v, 0.1, 7).is_ok()
    }),
];

fn used<T>(result: T) -> bool {
    black_box(result);
    true
}

fn adam(level: Level, weight_decay: f32, [w, m, v, g]: [&mut [f32]; 4]) -> bool {
    let settings = Adam { weight_decay, ..Adam::default() };
    let correction = AdamState::new().advance(&settings);
    optimizer::adam(level, &settings, &correction, w, m, v, g).is_ok()
}

pub(crate) fn run(runs: &mut Runs) {
    for (name, kernel) in REDUCTIONS.into_iter().chain(FUNCTIONS).chain(STEPS) {
        for length in LENGTHS.chain(LONG) {
            on_slices(runs, name, length, kernel);
        }
    }
    activations(runs, Elu { alpha: 1.5 });
    activations(runs, Gelu);
    activations(runs, GeluTanh);
    activations(runs, Identity);
    activations(runs, LeakyRelu { slope: 0.01 });
    activations(runs, PRelu { slope: 0.25 });
    activations(runs, Relu);
    activations(runs, Selu);
    activations(runs, Sigmoid);
    activations(runs, Silu);
    activations(runs, Softplus);
    activations(runs, Tanh);
    from_output(runs, Elu { alpha: 1.5 });
    from_output(runs, Identity);
    from_output(runs, LeakyRelu { slope: 0.01 });
    from_output(runs, Relu);
    from_output(runs, Selu);
    from_output(runs, Sigmoid);
    from_output(runs, Softplus);
    from_output(runs, Tanh);
}

/// One run over four slices of this length.
fn on_slices(
    runs: &mut Runs,
    name: &'static str,
    length: usize,
    kernel: impl FnOnce(Level, [&mut [f32]; 4]) -> bool,
) {
    let values = &runs.values[..length];
    let ran = kernel(runs.level, runs.operands.place([values; 4]));
    assert!(ran, "{name} refused {length} elements");
    runs.count(name);
}

fn activations<A: Activation>(runs: &mut Runs, act: A) {
    for n in LENGTHS {
        on_slices(runs, "activation::forward", n, |level, [h, y, ..]| {
            activation::forward(level, act, h, y).is_ok()
        });
        on_slices(runs, "activation::forward_in_place", n, |level, [h, ..]| {
            activation::forward_in_place(level, act, h);
            true
        });
        on_slices(runs, "activation::derivative", n, |level, [h, d, ..]| {
            activation::derivative(level, act, h, d).is_ok()
        });
        on_slices(runs, "activation::derivative_in_place", n, |level, [h, ..]| {
            activation::derivative_in_place(level, act, h);
            true
        });
        on_slices(runs, "activation::forward_with_derivative", n, |level, [h, y, d, _]| {
            activation::forward_with_derivative(level, act, h, y, d).is_ok()
        });
        on_slices(runs, "activation::forward_with_derivative_in_place", n, |level, [h, d, ..]| {
            activation::forward_with_derivative_in_place(level, act, h, d).is_ok()
        });
        on_slices(runs, "activation::backward", n, |level, [h, dy, dx, _]| {
            activation::backward(level, act, h, dy, dx).is_ok()
        });
        on_slices(runs, "activation::backward_in_place", n, |level, [h, dy, ..]| {
            activation::backward_in_place(level, act, h, dy).is_ok()
        });
    }
}

fn from_output<A: FromOutput>(runs: &mut Runs, act: A) {
    for n in LENGTHS {
        on_slices(runs, "activation::derivative_from_output", n, |level, [y, d, ..]| {
            activation::derivative_from_output(level, act, y, d).is_ok()
        });
    }
}
