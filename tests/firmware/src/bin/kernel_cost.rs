//! Kernels to count: prints a name and the number of elements, runs the kernel between the marks that the plugin in
//! ci/instruction-count looks for, and prints the bytes of stack that it needed.
#![no_std]
#![no_main]

use isobath_firmware::{Random, entry, exit, marked, stack};
use isobath_kernels::activation::{
    self, Activation, Elu, Gelu, GeluTanh, LeakyRelu, Relu, Selu, Sigmoid, Silu, Softplus, Tanh,
};
use isobath_kernels::batch_norm::{self, BatchStatistics};
use isobath_kernels::gemm::{Gemm, Init, SgdUpdate, Shape, Store};
use isobath_kernels::optimizer::{self, Adam, AdamState, Momentum};
use isobath_kernels::{Level, MatMut, MatRef, clip, layer_norm, loss, math, reduce, residual};
use semihosting::println;

/// Elements of a slice; 16 x 16 of a matrix.
const LENGTH: usize = 256;
const SIDE: usize = 16;
const LEVEL: Level = Level::SCALAR;

/// Runs a kernel counted and watched.
fn measure<R>(name: &str, elements: usize, kernel: impl FnOnce() -> R) {
    println!("kernel {} {}", name, elements);
    let used = stack::used_by(|| {
        marked(kernel);
    });
    println!("stack {} {}", name, used);
}

/// Values that keep every function away from its limits.
fn values(seed: u32) -> [f32; LENGTH] {
    let mut random = Random(seed);
    core::array::from_fn(|_| (random.bits() >> 8) as f32 / (1 << 21) as f32 - 4.0)
}

fn view(x: &[f32; LENGTH]) -> MatRef<'_> {
    MatRef::new(x, SIDE, SIDE).unwrap()
}

fn view_mut(x: &mut [f32; LENGTH]) -> MatMut<'_> {
    MatMut::new(x, SIDE, SIDE).unwrap()
}

fn function([name, with_derivative]: [&str; 2], act: impl Activation) {
    let (h, mut y, mut d) = (values(1), [0.0; LENGTH], [0.0; LENGTH]);
    measure(name, LENGTH, || activation::forward(LEVEL, act, &h, &mut y));
    measure(with_derivative, LENGTH, || activation::forward_with_derivative(LEVEL, act, &h, &mut y, &mut d));
}

fn functions() {
    function(["Elu", "Elu_with_derivative"], Elu { alpha: 1.0 });
    function(["Gelu", "Gelu_with_derivative"], Gelu);
    function(["GeluTanh", "GeluTanh_with_derivative"], GeluTanh);
    function(["LeakyRelu", "LeakyRelu_with_derivative"], LeakyRelu { slope: 0.01 });
    function(["Relu", "Relu_with_derivative"], Relu);
    function(["Selu", "Selu_with_derivative"], Selu);
    function(["Sigmoid", "Sigmoid_with_derivative"], Sigmoid);
    function(["Silu", "Silu_with_derivative"], Silu);
    function(["Softplus", "Softplus_with_derivative"], Softplus);
    function(["Tanh", "Tanh_with_derivative"], Tanh);
    let (x, mut y) = (values(2), [0.0; LENGTH]);
    measure("exp_slice", LENGTH, || math::exp_slice(LEVEL, &x, &mut y));
    measure("expm1_slice", LENGTH, || math::expm1_slice(LEVEL, &x, &mut y));
    measure("erf_slice", LENGTH, || math::erf_slice(LEVEL, &x, &mut y));
    let positive = x.map(f32::abs);
    measure("ln_slice", LENGTH, || math::ln_slice(LEVEL, &positive, &mut y));
    measure("log1p_slice", LENGTH, || math::log1p_slice(LEVEL, &positive, &mut y));
}

fn slices() {
    let (x, mut w, mut v, mut m) = (values(3), values(4), [0.0; LENGTH], [0.0; LENGTH]);
    measure("sum", LENGTH, || reduce::sum(LEVEL, &x));
    measure("dot", LENGTH, || reduce::dot(LEVEL, &x, &w));
    measure("max_abs", LENGTH, || reduce::max_abs(LEVEL, &x));
    measure("norm", LENGTH, || reduce::norm(LEVEL, &x));
    measure("sgd", LENGTH, || optimizer::sgd(LEVEL, 0.1, &mut w, &x));
    let rule = Momentum { learning_rate: 0.1, momentum: 0.9, nesterov: false };
    measure("momentum", LENGTH, || optimizer::momentum(LEVEL, rule, &mut w, &mut v, &x));
    let (rule, mut state) = (Adam::default(), AdamState::new());
    let correction = state.advance(&rule);
    measure("adam", LENGTH, || optimizer::adam(LEVEL, &rule, &correction, &mut w, &mut m, &mut v, &x));
    measure("scale_add", LENGTH, || residual::scale_add(LEVEL, 0.5, &mut w, &x));
    measure("clip_by_value", LENGTH, || clip::by_value(LEVEL, &mut v, 0.1));
    measure("clip_by_global_norm", LENGTH, || clip::by_global_norm(LEVEL, &mut [&mut w], 1.0));
    measure("clip_adaptive", LENGTH, || clip::adaptive(LEVEL, view(&x), view_mut(&mut w), 0.01, 1e-3));
}

fn matrices() {
    let (x, dy, mut y) = (values(5), values(6), [0.0; LENGTH]);
    let (gamma, beta, mut a, mut b, mut c) =
        ([1.0; SIDE], [0.0; SIDE], [0.0; SIDE], [0.0; SIDE], [0.0; SIDE]);
    measure("column_sums", LENGTH, || reduce::column_sums(LEVEL, view(&x), &mut a));
    measure("batch_norm_forward", LENGTH, || {
        let saved = BatchStatistics { mean: &mut a, inv_std: &mut b, variance: &mut c };
        batch_norm::forward_training(LEVEL, view(&x), &gamma, &beta, 1e-5, view_mut(&mut y), saved)
    });
    let (mean, inv_std) = (a, b);
    measure("batch_norm_backward", LENGTH, || {
        let dx = view_mut(&mut y);
        batch_norm::backward(LEVEL, view(&x), view(&dy), &gamma, &mean, &inv_std, dx, &mut a, &mut b)
    });
    measure("layer_norm_forward", LENGTH, || {
        layer_norm::forward(LEVEL, view(&x), &gamma, &beta, 1e-5, view_mut(&mut y), &mut a, &mut b)
    });
    let (mean, inv_std) = (a, b);
    measure("layer_norm_backward", LENGTH, || {
        let dx = view_mut(&mut y);
        layer_norm::backward(LEVEL, view(&x), view(&dy), &gamma, &mean, &inv_std, dx, &mut a, &mut b)
    });
    let labels = core::array::from_fn::<u32, SIDE, _>(|i| i as u32);
    measure("softmax", LENGTH, || loss::softmax(LEVEL, view(&x), view_mut(&mut y)));
    measure("softmax_cross_entropy", LENGTH, || {
        loss::softmax_cross_entropy(LEVEL, view(&x), &labels, view_mut(&mut y))
    });
    measure("squared_error", LENGTH, || loss::squared_error(LEVEL, view(&x), view(&dy), view_mut(&mut y)));
    let shape = Shape { m: SIDE, n: SIDE, k: SIDE, transpose_a: false, transpose_b: false };
    measure("gemm_16x16x16", SIDE * LENGTH, || {
        Gemm::new(LEVEL, shape).run(view(&x), view(&dy), &mut view_mut(&mut y), Init::Zero, &mut [], Store)
    });
    // W -= rate x dy^T: one multiply-add per weight for the product, one for the step.
    let shape = Shape { k: 1, ..shape };
    let (x, dy) = (MatRef::new(&x, SIDE, 1).unwrap(), MatRef::new(&dy, 1, SIDE).unwrap());
    let rule = SgdUpdate { learning_rate: 0.1 };
    measure("gemm_sgd_update_16x16x1", LENGTH, || {
        Gemm::new(LEVEL, shape).run(x, dy, &mut view_mut(&mut y), Init::Zero, &mut [], rule)
    });
}

#[entry]
fn main() -> ! {
    functions();
    slices();
    matrices();
    exit(true)
}
