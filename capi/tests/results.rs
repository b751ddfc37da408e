//! A function of the C interface does what its kernel does, bit for bit, on operands that no two arguments share: a
//! swapped argument shows. That kernels are right is shown in `tests/`.
#![expect(
    clippy::undocumented_unsafe_blocks,
    reason = "operands are arrays of this test, as long as the call says"
)]

use std::ffi::CStr;
use std::ptr;

use isobath_capi::activation::*;
use isobath_capi::batch_norm::*;
use isobath_capi::clip::*;
use isobath_capi::gemm::*;
use isobath_capi::loss::*;
use isobath_capi::optimizer::*;
use isobath_capi::{Status, isobath_numerics_version, isobath_status_text};
use isobath_kernels::activation::{
    self, Elu, Gelu, GeluTanh, Identity, LeakyRelu, Relu, Selu, Sigmoid, Silu, Softplus, Tanh,
};
use isobath_kernels::batch_norm::{self, BatchStatistics};
use isobath_kernels::gemm::{self, Gemm, SgdUpdate, Store};
use isobath_kernels::{Level, MatMut, MatRef, clip, loss, optimizer, reduce};

/// Numbers in [-2, 2), others for every seed.
fn values<const N: usize>(seed: u32) -> [f32; N] {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    std::array::from_fn(|_| {
        state = state.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
        (state >> 8) as f32 / (1 << 22) as f32 - 2.0
    })
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

/// Both wrote the same.
fn same(name: &str, c: &[&[f32]], rust: &[&[f32]]) {
    for (i, (c, rust)) in c.iter().zip(rust).enumerate() {
        assert_eq!(bits(c), bits(rust), "{name}, output {i}");
    }
}

fn ok(status: Status) {
    assert_eq!(status, Status::Ok);
}

#[test]
fn products() {
    let level = Level::detect();
    let (a, b, bias) = (values::<15>(1), values::<20>(2), values::<4>(3));
    for transposed in 0..4_u32 {
        let (transpose_a, transpose_b) = (transposed & 1, transposed >> 1);
        let shape = Shape { m: 3, n: 4, k: 5, transpose_a, transpose_b };
        let (transpose_a, transpose_b) = (transpose_a != 0, transpose_b != 0);
        let plan = Gemm::new(level, gemm::Shape { m: 3, n: 4, k: 5, transpose_a, transpose_b });
        let (rows, columns) = if transpose_a { (5, 3) } else { (3, 5) };
        let left = MatRef::new(&a, rows, columns).expect("its shape");
        let (rows, columns) = if transpose_b { (4, 5) } else { (5, 4) };
        let right = MatRef::new(&b, rows, columns).expect("its shape");
        let none = ptr::null_mut();
        for (init, code) in [
            (gemm::Init::Zero, Init::Zero),
            (gemm::Init::Accumulate, Init::Accumulate),
            (gemm::Init::Bias(&bias), Init::Bias),
        ] {
            let (mut c, mut rust) = (values::<12>(4), values::<12>(4));
            let bias = bias.as_ptr();
            ok(unsafe {
                isobath_gemm(shape, a.as_ptr(), b.as_ptr(), code as u32, bias, c.as_mut_ptr(), none, 0)
            });
            let mut out = MatMut::new(&mut rust, 3, 4).expect("its shape");
            plan.run(left, right, &mut out, init, &mut [], Store).expect("a product");
            same("gemm", &[&c], &[&rust]);
        }
        let (mut c, mut rust) = (values::<12>(4), values::<12>(4));
        ok(unsafe { isobath_gemm_sgd(shape, 0.3, a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), none, 0) });
        let mut out = MatMut::new(&mut rust, 3, 4).expect("its shape");
        let update = SgdUpdate { learning_rate: 0.3 };
        plan.run(left, right, &mut out, gemm::Init::Zero, &mut [], update).expect("a product");
        same("gemm_sgd", &[&c], &[&rust]);
    }
    let (mut c, mut rust) = ([0.0; 5], [0.0; 5]);
    ok(unsafe { isobath_column_sums(b.as_ptr(), 4, 5, c.as_mut_ptr()) });
    reduce::column_sums(level, MatRef::new(&b, 4, 5).expect("its shape"), &mut rust).expect("sums");
    same("column_sums", &[&c], &[&rust]);
}

/// With the workspace that it asks for.
#[test]
fn a_product_with_a_workspace_has_the_bits_of_one_without() {
    let shape = Shape { m: 40, n: 70, k: 300, transpose_a: 1, transpose_b: 1 };
    let (a, b) = (Box::new(values::<12000>(1)), Box::new(values::<21000>(2)));
    let mut workspace = vec![f32::NAN; isobath_gemm_workspace_len(shape)];
    let mut with = vec![0.0; 2800];
    let mut without = vec![0.0; 2800];
    let (a, b) = (a.as_ptr(), b.as_ptr());
    ok(unsafe {
        isobath_gemm(shape, a, b, 0, ptr::null(), with.as_mut_ptr(), workspace.as_mut_ptr(), workspace.len())
    });
    ok(unsafe { isobath_gemm(shape, a, b, 0, ptr::null(), without.as_mut_ptr(), ptr::null_mut(), 0) });
    same("gemm", &[&with], &[&without]);
    assert!(without.iter().any(|c| *c != 0.0));
}

fn activation<A: activation::Activation>(code: Activation, f: A) {
    let (level, h, dy) = (Level::detect(), values::<70>(1), values::<70>(2));
    let (mut y, mut d) = ([0.0; 70], dy);
    let (mut rust_y, mut rust_d) = ([0.0; 70], dy);
    ok(unsafe { isobath_activation_forward(code as u32, 0.3, h.as_ptr(), y.as_mut_ptr(), 70) });
    ok(unsafe { isobath_activation_backward(code as u32, 0.3, h.as_ptr(), d.as_mut_ptr(), 70) });
    activation::forward(level, f, &h, &mut rust_y).expect("equal lengths");
    activation::backward_in_place(level, f, &h, &mut rust_d).expect("equal lengths");
    same(&format!("{code:?}"), &[&y, &d], &[&rust_y, &rust_d]);
    let mut in_place = h;
    let p = in_place.as_mut_ptr();
    ok(unsafe { isobath_activation_forward(code as u32, 0.3, p, p, 70) });
    same(&format!("{code:?} in place"), &[&in_place], &[&y]);
}

#[test]
fn activations() {
    activation(Activation::Identity, Identity);
    activation(Activation::Relu, Relu);
    activation(Activation::LeakyRelu, LeakyRelu { slope: 0.3 });
    activation(Activation::Elu, Elu { alpha: 0.3 });
    activation(Activation::Selu, Selu);
    activation(Activation::Sigmoid, Sigmoid);
    activation(Activation::Tanh, Tanh);
    activation(Activation::Gelu, Gelu);
    activation(Activation::GeluTanh, GeluTanh);
    activation(Activation::Silu, Silu);
    activation(Activation::Softplus, Softplus);
}

#[test]
fn losses() {
    let (level, z, labels) = (Level::detect(), values::<12>(1), [2, 0, 3]);
    let logits = MatRef::new(&z, 3, 4).expect("its shape");
    let (mut p, mut rust) = ([0.0; 12], [0.0; 12]);
    ok(unsafe { isobath_softmax(z.as_ptr(), 3, 4, p.as_mut_ptr()) });
    loss::softmax(level, logits, MatMut::new(&mut rust, 3, 4).expect("its shape")).expect("a softmax");
    same("softmax", &[&p], &[&rust]);
    let mut found = 0.0;
    ok(unsafe {
        isobath_softmax_cross_entropy(z.as_ptr(), labels.as_ptr(), 3, 4, p.as_mut_ptr(), &mut found)
    });
    let out = MatMut::new(&mut rust, 3, 4).expect("its shape");
    let expected = loss::softmax_cross_entropy(level, logits, &labels, out).expect("a loss");
    same("softmax_cross_entropy", &[&p, &[found]], &[&rust, &[expected]]);
}

#[test]
fn clipping() {
    let (mut a, mut b, mut norm) = (values::<9>(1), values::<5>(2), 0.0);
    let (mut rust_a, mut rust_b) = (a, b);
    let list = [Gradient { data: a.as_mut_ptr(), len: 9 }, Gradient { data: b.as_mut_ptr(), len: 5 }];
    ok(unsafe { isobath_clip_by_global_norm(list.as_ptr(), 2, 0.5, &mut norm) });
    let report =
        clip::by_global_norm(Level::detect(), &mut [&mut rust_a, &mut rust_b], 0.5).expect("a bound");
    assert_eq!(report.clipped, 14);
    same("clip_by_global_norm", &[&a, &b, &[norm]], &[&rust_a, &rust_b, &[report.norm.to_f32()]]);

    let mut infinite = [1.0, f32::INFINITY];
    let list = [Gradient { data: infinite.as_mut_ptr(), len: 2 }];
    ok(unsafe { isobath_clip_by_global_norm(list.as_ptr(), 1, 0.5, &mut norm) });
    assert_eq!((infinite, norm), ([1.0, f32::INFINITY], f32::INFINITY));
}

#[test]
fn optimizers() {
    let (level, g) = (Level::detect(), values::<9>(1));
    let [mut w, mut m, mut v] = [values::<9>(2), [0.0; 9], [0.0; 9]];
    let [mut rust_w, mut rust_m, mut rust_v] = [w, m, v];
    ok(unsafe { isobath_sgd(0.3, w.as_mut_ptr(), g.as_ptr(), 9) });
    optimizer::sgd(level, 0.3, &mut rust_w, &g).expect("equal lengths");
    same("sgd", &[&w], &[&rust_w]);

    let settings = optimizer::Momentum { learning_rate: 0.3, momentum: 0.7, nesterov: false };
    for _ in 0..2 {
        ok(unsafe { isobath_momentum(0.3, 0.7, w.as_mut_ptr(), m.as_mut_ptr(), g.as_ptr(), 9) });
        optimizer::momentum(level, settings, &mut rust_w, &mut rust_m, &g).expect("equal lengths");
        same("momentum", &[&w, &m], &[&rust_w, &rust_m]);
    }

    // Each setting another number, so that none can be taken for another.
    let settings = AdamSettings {
        learning_rate: 0.01,
        beta1: 0.8,
        one_minus_beta1: 0.2,
        beta2: 0.95,
        one_minus_beta2: 0.05,
        epsilon: 1e-3,
        weight_decay: 0.125,
    };
    let rust_settings = optimizer::Adam {
        learning_rate: 0.01,
        beta1: 0.8,
        one_minus_beta1: 0.2,
        beta2: 0.95,
        one_minus_beta2: 0.05,
        epsilon: 1e-3,
        weight_decay: 0.125,
    };
    let mut state = AdamState { step: 0, power1: [0.0; 2], power2: [0.0; 2], correction: [0.0; 2] };
    let mut rust_state = optimizer::AdamState::new();
    (m, rust_m) = ([0.0; 9], [0.0; 9]);
    for step in 1..=50 {
        ok(unsafe { isobath_adam_advance(settings, &mut state) });
        let [w, m, v] = [&mut w, &mut m, &mut v];
        let p = [w.as_mut_ptr(), m.as_mut_ptr(), v.as_mut_ptr()];
        ok(unsafe { isobath_adam(settings, &state, p[0], p[1], p[2], g.as_ptr(), 9) });
        let correction = rust_state.advance(&rust_settings);
        optimizer::adam(level, &rust_settings, &correction, &mut rust_w, &mut rust_m, &mut rust_v, &g)
            .expect("equal lengths");
        assert_eq!(state.step, step);
        same("adam", &[w, m, v], &[&rust_w, &rust_m, &rust_v]);
    }
}

#[test]
fn batch_normalisation() {
    let (level, x, dy) = (Level::detect(), values::<12>(1), values::<12>(2));
    let (gamma, beta) = (values::<4>(3), values::<4>(4));
    let view = MatRef::new(&x, 3, 4).expect("its shape");
    let (mut y, mut rust) = ([0.0; 12], [0.0; 12]);
    let [mut mean, mut inv_std, mut variance] = [[0.0; 4]; 3];
    let [mut rust_mean, mut rust_inv_std, mut rust_variance] = [[0.0; 4]; 3];
    let p = [mean.as_mut_ptr(), inv_std.as_mut_ptr(), variance.as_mut_ptr()];
    let (xs, gammas, betas) = (x.as_ptr(), gamma.as_ptr(), beta.as_ptr());
    ok(unsafe {
        isobath_batch_norm_training(xs, 3, 4, gammas, betas, 0.1, y.as_mut_ptr(), p[0], p[1], p[2])
    });
    let saved =
        BatchStatistics { mean: &mut rust_mean, inv_std: &mut rust_inv_std, variance: &mut rust_variance };
    let out = MatMut::new(&mut rust, 3, 4).expect("its shape");
    batch_norm::forward_training(level, view, &gamma, &beta, 0.1, out, saved).expect("a batch");
    same(
        "batch_norm_training",
        &[&y, &mean, &inv_std, &variance],
        &[&rust, &rust_mean, &rust_inv_std, &rust_variance],
    );

    let means = mean.as_ptr();
    ok(unsafe {
        isobath_batch_norm_inference(xs, 3, 4, gammas, betas, means, variance.as_ptr(), 0.1, y.as_mut_ptr())
    });
    let out = MatMut::new(&mut rust, 3, 4).expect("its shape");
    batch_norm::forward_inference(level, view, &gamma, &beta, &mean, &variance, 0.1, out).expect("a batch");
    same("batch_norm_inference", &[&y], &[&rust]);

    let [mut d_gamma, mut d_beta, mut rust_d_gamma, mut rust_d_beta] = [[0.0; 4]; 4];
    let d = [y.as_mut_ptr(), d_gamma.as_mut_ptr(), d_beta.as_mut_ptr()];
    let (dys, inv_stds) = (dy.as_ptr(), inv_std.as_ptr());
    ok(unsafe { isobath_batch_norm_backward(xs, dys, 3, 4, gammas, means, inv_stds, d[0], d[1], d[2]) });
    let (dy, out) =
        (MatRef::new(&dy, 3, 4).expect("its shape"), MatMut::new(&mut rust, 3, 4).expect("its shape"));
    batch_norm::backward(level, view, dy, &gamma, &mean, &inv_std, out, &mut rust_d_gamma, &mut rust_d_beta)
        .expect("a batch");
    same("batch_norm_backward", &[&y, &d_gamma, &d_beta], &[&rust, &rust_d_gamma, &rust_d_beta]);

    let (mut running, mut rust) = ([values::<4>(5), values::<4>(6)], [values::<4>(5), values::<4>(6)]);
    let [r, s] = running.each_mut().map(|r| r.as_mut_ptr());
    ok(unsafe { isobath_batch_norm_update_running(r, s, means, variance.as_ptr(), 0.3, 3, 4) });
    let [r, s] = &mut rust;
    batch_norm::update_running(level, r, s, &mean, &variance, 0.3, 3).expect("a batch");
    same("batch_norm_update_running", &[&running[0], &running[1]], &[&rust[0], &rust[1]]);
}

#[test]
fn every_status_has_a_sentence_of_its_own_and_every_number_has_one() {
    // SAFETY: the text is static.
    let text = |status| unsafe { CStr::from_ptr(isobath_status_text(status)) }.to_str().expect("UTF-8");
    let mut texts: Vec<&str> = (-1..=Status::Internal as i32).map(text).collect();
    assert_eq!(text(-1), text(i32::MIN));
    assert_eq!(text(-1), text(Status::Internal as i32 + 1));
    assert_eq!(text(0), "done");
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), Status::Internal as usize + 2);
    assert_eq!(isobath_numerics_version(), isobath_kernels::NUMERICS_VERSION);
}
