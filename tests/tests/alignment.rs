//! Where operands lie in memory shows in no bit: slices that begin 0 to 15 floats behind a cache line, and matrices whose rows are
//! an odd number of floats apart, give on every level what the scalar level gives at the start of a line.
//!
//! `guard_pages.rs` runs every kernel at every alignment too, but looks at no result.

use isobath_kernels::activation::{self, Activation, Gelu, LeakyRelu, Relu, Sigmoid, Silu, Softplus, Tanh};
use isobath_kernels::batch_norm::{self, BatchStatistics};
use isobath_kernels::gemm::{Activate, Gemm, Init, PackedB, Shape, Store};
use isobath_kernels::optimizer::{self, Momentum};
use isobath_kernels::{Level, MatMut, MatRef, clip, layer_norm, loss, math, reduce, residual};
use isobath_tests::hash::assert_same_bits;
use isobath_tests::levels;
use isobath_tests::reference::noise;

/// Floats of a cache line.
const LINE: usize = 16;
/// Several vectors of every level and a tail of every length below.
const LENGTH: usize = 131;
const ROWS: usize = 67;
const COLUMNS: usize = 37;

/// Memory for operands that all begin the same number of floats behind a cache line.
struct At {
    offset: usize,
    seed: u64,
}

impl At {
    /// The next operand: memory, and where in it the operand begins.
    fn place(&mut self, values: &[f32]) -> (Vec<f32>, usize) {
        let mut memory = vec![f32::NAN; values.len() + 2 * LINE];
        let line = memory.as_ptr().align_offset(4 * LINE);
        let start = line + self.offset;
        memory[start..start + values.len()].copy_from_slice(values);
        (memory, start)
    }

    fn noise(&mut self, length: usize) -> (Vec<f32>, usize) {
        self.seed += 1;
        self.place(&noise(self.seed, length))
    }
}

/// What kernels over slices give, one after the other.
fn slices(level: Level, offset: usize) -> Vec<f32> {
    let mut at = At { offset, seed: 0 };
    let (mut x, i) = at.noise(LENGTH);
    let (mut y, j) = at.noise(LENGTH);
    let mut out = Vec::new();
    {
        let (x, y) = (&x[i..i + LENGTH], &y[j..j + LENGTH]);
        out.extend([reduce::sum(level, x), reduce::dot(level, x, y).unwrap(), reduce::max_abs(level, x)]);
        let norm = reduce::norm_of_slices(level, &[x, y]);
        out.extend([norm.significand, norm.exponent as f32]);
    }
    for function in [math::exp_slice, math::expm1_slice, math::ln_slice, math::log1p_slice, math::erf_slice] {
        function(level, &x[i..i + LENGTH], &mut y[j..j + LENGTH]).unwrap();
        out.extend(&y[j..j + LENGTH]);
    }
    activations(level, Sigmoid, &x[i..i + LENGTH], &mut y[j..j + LENGTH], &mut out);
    activations(level, Tanh, &x[i..i + LENGTH], &mut y[j..j + LENGTH], &mut out);
    activations(level, Relu, &x[i..i + LENGTH], &mut y[j..j + LENGTH], &mut out);
    activations(level, LeakyRelu { slope: 0.3 }, &x[i..i + LENGTH], &mut y[j..j + LENGTH], &mut out);
    activations(level, Gelu, &x[i..i + LENGTH], &mut y[j..j + LENGTH], &mut out);
    activations(level, Silu, &x[i..i + LENGTH], &mut y[j..j + LENGTH], &mut out);
    activations(level, Softplus, &x[i..i + LENGTH], &mut y[j..j + LENGTH], &mut out);
    let (mut v, k) = at.noise(LENGTH);
    let (w, g, v) = (&mut x[i..i + LENGTH], &mut y[j..j + LENGTH], &mut v[k..k + LENGTH]);
    optimizer::sgd(level, 0.1, w, g).unwrap();
    let settings = Momentum { learning_rate: 0.1, momentum: 0.9, nesterov: true };
    optimizer::momentum(level, settings, w, v, g).unwrap();
    optimizer::add_l1(level, 0.01, w, g).unwrap();
    optimizer::add_l2(level, 0.01, w, g).unwrap();
    residual::scale_add(level, 0.7, w, g).unwrap();
    clip::by_value(level, w, 1.5).unwrap();
    clip::by_global_norm(level, &mut [&mut w[..], &mut g[..]], 2.0).unwrap();
    optimizer::scale(level, 0.3, g);
    out.extend(w.iter().chain(g.iter()).chain(v.iter()));
    out
}

fn activations<A: Activation>(level: Level, act: A, x: &[f32], y: &mut [f32], out: &mut Vec<f32>) {
    activation::forward(level, act, x, y).unwrap();
    out.extend(y.iter());
    activation::derivative(level, act, x, y).unwrap();
    out.extend(y.iter());
    activation::backward_in_place(level, act, x, y).unwrap();
    out.extend(y.iter());
}

/// What kernels over matrices give whose rows are `gap` floats more than their columns apart.
fn matrices(level: Level, offset: usize, gap: usize) -> Vec<f32> {
    let mut at = At { offset, seed: 100 };
    let stride = COLUMNS + gap;
    let spread = |at: &mut At| {
        at.seed += 1;
        let values = noise(at.seed, ROWS * COLUMNS);
        let mut spread = vec![f32::NAN; ROWS * stride];
        for (row, values) in values.chunks(COLUMNS).enumerate() {
            spread[row * stride..row * stride + COLUMNS].copy_from_slice(values);
        }
        at.place(&spread)
    };
    let (x, i) = spread(&mut at);
    let (dy, j) = spread(&mut at);
    let (mut y, k) = spread(&mut at);
    let (x, dy) = (view(&x[i..], stride), view(&dy[j..], stride));
    let vectors: [_; 4] = std::array::from_fn(|_| at.noise(ROWS.max(COLUMNS)));
    let [gamma, beta, ..] = vectors.each_ref().map(|(memory, start)| &memory[*start..start + COLUMNS]);
    let mut out = Vec::new();
    let mut sums = vec![0.0; COLUMNS];
    reduce::column_sums(level, x, &mut sums).unwrap();
    let (mut mean, mut inv_std, mut variance) = (sums.clone(), sums.clone(), sums.clone());
    let saved = BatchStatistics { mean: &mut mean, inv_std: &mut inv_std, variance: &mut variance };
    batch_norm::forward_training(level, x, gamma, beta, 1e-5, view_mut(&mut y[k..], stride), saved).unwrap();
    keep(&y[k..], stride, &mut out);
    let (mut d_gamma, mut d_beta) = (sums.clone(), sums.clone());
    let dx = view_mut(&mut y[k..], stride);
    batch_norm::backward(level, x, dy, gamma, &mean, &inv_std, dx, &mut d_gamma, &mut d_beta).unwrap();
    keep(&y[k..], stride, &mut out);
    let dx = view_mut(&mut y[k..], stride);
    batch_norm::forward_inference(level, x, gamma, beta, &mean, &variance, 1e-5, dx).unwrap();
    keep(&y[k..], stride, &mut out);
    out.extend([sums, mean, inv_std, variance].concat());
    let (mut mean, mut inv_std) = (vec![0.0; ROWS], vec![0.0; ROWS]);
    let dx = view_mut(&mut y[k..], stride);
    layer_norm::forward(level, x, gamma, beta, 1e-5, dx, &mut mean, &mut inv_std).unwrap();
    keep(&y[k..], stride, &mut out);
    let dx = view_mut(&mut y[k..], stride);
    layer_norm::backward(level, x, dy, gamma, &mean, &inv_std, dx, &mut d_gamma, &mut d_beta).unwrap();
    keep(&y[k..], stride, &mut out);
    out.extend(d_gamma.iter().chain(&d_beta));
    loss::softmax(level, x, view_mut(&mut y[k..], stride)).unwrap();
    keep(&y[k..], stride, &mut out);
    clip::adaptive(level, x, view_mut(&mut y[k..], stride), 0.01, 1e-3).unwrap();
    keep(&y[k..], stride, &mut out);
    // X dY^T, X^T dY, and X^T dY with a factor packed: rows of C as far apart as those of X.
    for (transpose_a, transpose_b, n) in [(false, true, ROWS), (true, false, COLUMNS)] {
        let (m, depth) = if transpose_a { (COLUMNS, ROWS) } else { (ROWS, COLUMNS) };
        let gemm = Gemm::new(level, Shape { m, n, k: depth, transpose_a, transpose_b });
        let mut c = at.noise(m * (n + gap));
        let bias = &vectors[2].0[vectors[2].1..][..n];
        for workspace in [0, gemm.workspace_len()] {
            let mut workspace = at.noise(workspace);
            let length = workspace.0.len() - 2 * LINE;
            let space = &mut workspace.0[workspace.1..workspace.1 + length];
            let mut into = MatMut::with_stride(&mut c.0[c.1..], m, n, n + gap).unwrap();
            gemm.run(x, dy, &mut into, Init::Bias(bias), space, Activate(Tanh)).unwrap();
            (0..m).for_each(|row| out.extend(into.row(row)));
        }
        let mut space = at.noise(PackedB::len_for(depth, n));
        let packed = PackedB::new(level, dy, transpose_b, &mut space.0[space.1..]).unwrap();
        let gemm = Gemm::new(level, Shape { m, n, k: depth, transpose_a, transpose_b: false });
        let mut into = MatMut::with_stride(&mut c.0[c.1..], m, n, n + gap).unwrap();
        gemm.run(x, packed.matrix(), &mut into, Init::Accumulate, &mut [], Store).unwrap();
        (0..m).for_each(|row| out.extend(into.row(row)));
    }
    out
}

fn view(memory: &[f32], stride: usize) -> MatRef<'_> {
    MatRef::with_stride(memory, ROWS, COLUMNS, stride).unwrap()
}

fn view_mut(memory: &mut [f32], stride: usize) -> MatMut<'_> {
    MatMut::with_stride(memory, ROWS, COLUMNS, stride).unwrap()
}

fn keep(memory: &[f32], stride: usize, out: &mut Vec<f32>) {
    let matrix = view(memory, stride);
    (0..ROWS).for_each(|row| out.extend(matrix.row(row)));
}

#[test]
fn slices_at_every_alignment_give_the_same_bits() {
    let expected = slices(Level::SCALAR, 0);
    assert!(
        expected.len() > 20 * LENGTH && expected.iter().filter(|x| x.is_nan()).count() < expected.len() / 20
    );
    for level in levels::all() {
        for offset in 0..LINE {
            let what = format!("{} at {offset} floats behind a line", level.name());
            assert_same_bits(&expected, &slices(level, offset), &what);
        }
    }
}

#[test]
fn matrices_at_every_alignment_and_odd_stride_give_the_same_bits() {
    let expected = matrices(Level::SCALAR, 0, 0);
    assert!(expected.iter().all(|x| x.is_finite()));
    for level in levels::all() {
        for offset in 0..LINE {
            // 37 columns: rows are an odd number of floats apart with even gaps, and a multiple of a line with 11.
            for gap in [0, 2, 4, 10, 11, 14] {
                let what = format!("{} at {offset} floats behind a line, gap {gap}", level.name());
                assert_same_bits(&expected, &matrices(level, offset, gap), &what);
            }
        }
    }
}
