//! Matrix products: equality of bits with the definition on every level, over shapes around every tile and block
//! edge, strides, transposes, initial values and epilogues, with poisoned memory around everything.

use isobath_kernels::activation::{self, Sigmoid, Tanh};
use isobath_kernels::gemm::{
    Activate, ActivateWithDerivative, ActivateWithPreActivation, Gemm, GemmError, Init, Operand, PackedB,
    SgdUpdate, Shape, Store,
};
use isobath_kernels::optimizer;
use isobath_kernels::{Level, MatMut, MatRef};
use isobath_tests::hash::assert_same_bits;
use isobath_tests::levels;
use isobath_tests::naive_gemm::{self, Start};
use proptest::prelude::*;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Written where nothing may be read or changed.
const POISON: f32 = f32::from_bits(0x7fc5_a5a5);

/// Values of widely differing size, so that a changed order of additions shows; some special ones if asked for.
fn values(random: &mut Xoshiro256PlusPlus, count: usize, special: bool) -> Vec<f32> {
    (0..count)
        .map(|_| {
            let bits = random.next_u64();
            if special && bits & 63 == 0 {
                let specials = [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e-45, -1e38, 3e38];
                return specials[(bits >> 8) as usize % specials.len()];
            }
            let exponent = 127 - 12 + (bits >> 40) as u32 % 24;
            f32::from_bits((bits as u32 & 0x807f_ffff) | exponent << 23)
        })
        .collect()
}

/// A rows x columns matrix with this stride, poison between and after the rows.
fn matrix(
    random: &mut Xoshiro256PlusPlus,
    rows: usize,
    columns: usize,
    stride: usize,
    special: bool,
) -> Vec<f32> {
    let mut data = vec![POISON; rows * stride + 3];
    for row in 0..rows {
        data[row * stride..row * stride + columns].copy_from_slice(&values(random, columns, special));
    }
    data
}

#[derive(Clone, Copy, Debug)]
struct Case {
    shape: Shape,
    gap: usize,
    start: usize,
    workspace: bool,
    special: bool,
    seed: u64,
}

fn check(case: Case, level: Level) {
    let Shape { m, n, k, transpose_a, transpose_b } = case.shape;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(case.seed);
    let (a_rows, a_columns) = if transpose_a { (k, m) } else { (m, k) };
    let (b_rows, b_columns) = if transpose_b { (n, k) } else { (k, n) };
    let (a_stride, b_stride, c_stride) = (a_columns + case.gap, b_columns + 2 * case.gap, n + 3 * case.gap);
    let a = matrix(&mut random, a_rows, a_columns, a_stride, case.special);
    let b = matrix(&mut random, b_rows, b_columns, b_stride, case.special);
    let bias = values(&mut random, n, case.special);
    let before = matrix(&mut random, m, n, c_stride, case.special);
    let (start, init) = match case.start {
        0 => (Start::Zero, Init::Zero),
        1 => (Start::Accumulate, Init::Accumulate),
        _ => (Start::Bias(&bias), Init::Bias(&bias)),
    };
    let mut expected = before.clone();
    naive_gemm::product(
        (m, n, k),
        naive_gemm::Operand { data: &a, stride: a_stride, transposed: transpose_a },
        naive_gemm::Operand { data: &b, stride: b_stride, transposed: transpose_b },
        &mut expected,
        c_stride,
        start,
    );

    let gemm = Gemm::new(level, case.shape);
    let mut workspace = vec![POISON; if case.workspace { gemm.workspace_len() } else { 0 }];
    // Unless C is accumulated into, it is never read.
    let mut c = if case.start == 1 { before.clone() } else { vec![POISON; before.len()] };
    let guard = c.clone();
    gemm.run(
        MatRef::with_stride(&a, a_rows, a_columns, a_stride).unwrap(),
        MatRef::with_stride(&b, b_rows, b_columns, b_stride).unwrap(),
        &mut MatMut::with_stride(&mut c, m, n, c_stride).unwrap(),
        init,
        &mut workspace,
        Store,
    )
    .unwrap();
    for i in 0..m {
        let row = i * c_stride..i * c_stride + n;
        assert_same_bits(&expected[row.clone()], &c[row], &format!("{case:?} at {} row {i}", level.name()));
    }
    for (at, (old, new)) in guard.iter().zip(&c).enumerate() {
        let inside = at < m * c_stride && at % c_stride.max(1) < n;
        assert!(inside || old.to_bits() == new.to_bits(), "{case:?} wrote outside C at {at}");
    }

    let mut space = vec![POISON; PackedB::len_for(k, n)];
    let b = MatRef::with_stride(&b, b_rows, b_columns, b_stride).unwrap();
    let packed = PackedB::new(level, b, transpose_b, &mut space).unwrap();
    let mut from_packed = guard;
    Gemm::new(level, Shape { transpose_b: false, ..case.shape })
        .run(
            MatRef::with_stride(&a, a_rows, a_columns, a_stride).unwrap(),
            packed.matrix(),
            &mut MatMut::with_stride(&mut from_packed, m, n, c_stride).unwrap(),
            init,
            &mut [],
            Store,
        )
        .unwrap();
    assert_same_bits(&c, &from_packed, &format!("{case:?} at {} with B packed", level.name()));
}

/// Edges of all tiles (rows 1 to 14, columns 1 to 32) and of the blocks of k.
#[test]
fn bits_equal_the_definition_around_every_edge() {
    let rows = [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 28, 29];
    let columns = [1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 30, 31, 32, 33, 48, 65];
    let depths = [0, 1, 2, 3, 7, 64];
    for level in levels::all() {
        let mut seed = 0;
        for m in rows {
            for n in columns {
                for k in depths {
                    seed += 1;
                    let bit = |b: u64| seed >> b & 1 == 1;
                    let shape = Shape { m, n, k, transpose_a: bit(0), transpose_b: bit(1) };
                    let start = (seed % 3) as usize;
                    let case = Case {
                        shape,
                        gap: (seed % 4) as usize,
                        start,
                        workspace: bit(2),
                        special: bit(3),
                        seed,
                    };
                    check(case, level);
                }
            }
        }
    }
}

#[test]
fn bits_equal_the_definition_across_blocks_of_k() {
    for level in levels::all() {
        for k in [255, 256, 257, 511, 512, 513, 784, 1024, 1030] {
            for (transpose_a, transpose_b) in [(false, false), (false, true), (true, false), (true, true)] {
                for start in 0..3 {
                    let shape = Shape { m: 6, n: 35, k, transpose_a, transpose_b };
                    let workspace = (k + start) % 2 == 0;
                    check(Case { shape, gap: 1, start, workspace, special: false, seed: k as u64 }, level);
                }
            }
        }
    }
}

/// Wide and tall results take the path that copies strips of B although it lies row by row.
#[test]
fn bits_equal_the_definition_where_strips_are_copied() {
    for level in levels::all() {
        let shape = Shape { m: 130, n: 530, k: 12, transpose_a: false, transpose_b: false };
        for workspace in [false, true] {
            check(Case { shape, gap: 2, start: 2, workspace, special: true, seed: 5 }, level);
        }
    }
}

#[test]
fn empty_results_and_empty_sums_are_legal() {
    for level in levels::all() {
        for (m, n, k) in [(0, 5, 3), (5, 0, 3), (3, 4, 0), (0, 0, 0)] {
            for start in 0..3 {
                let shape = Shape { m, n, k, transpose_a: false, transpose_b: false };
                check(Case { shape, gap: 0, start, workspace: true, special: false, seed: 1 }, level);
            }
        }
    }
}

/// Row i of C depends on row i of A alone: the same bits alone as in a batch.
#[test]
fn rows_do_not_depend_on_the_batch() {
    let (m, n, k) = (37, 30, 100);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
    let a = values(&mut random, m * k, false);
    let b = values(&mut random, k * n, false);
    for level in levels::all() {
        let run = |a: &[f32], m: usize| {
            let shape = Shape { m, n, k, transpose_a: false, transpose_b: false };
            let gemm = Gemm::new(level, shape);
            let (mut c, mut workspace) = (vec![0.0; m * n], vec![0.0; gemm.workspace_len()]);
            gemm.run(
                MatRef::new(a, m, k).unwrap(),
                MatRef::new(&b, k, n).unwrap(),
                &mut MatMut::new(&mut c, m, n).unwrap(),
                Init::Zero,
                &mut workspace,
                Store,
            )
            .unwrap();
            c
        };
        let batch = run(&a, m);
        for i in 0..m {
            let alone = run(&a[i * k..(i + 1) * k], 1);
            assert_same_bits(&alone, &batch[i * n..(i + 1) * n], &format!("row {i} at {}", level.name()));
        }
    }
}

/// Fused activations return the bits of the product followed by the public kernels.
#[test]
fn epilogues_equal_the_kernels_they_replace() {
    let shape = Shape { m: 9, n: 37, k: 300, transpose_a: false, transpose_b: false };
    let Shape { m, n, k, .. } = shape;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(4);
    let a = values(&mut random, m * k, false);
    let b: Vec<f32> = values(&mut random, k * n, false).iter().map(|b| b / 4096.0).collect();
    let (a, b) = (MatRef::new(&a, m, k).unwrap(), MatRef::new(&b, k, n).unwrap());
    for level in levels::all() {
        let gemm = Gemm::new(level, shape);
        let mut plain = vec![0.0; m * n];
        gemm.run(a, b, &mut MatMut::new(&mut plain, m, n).unwrap(), Init::Zero, &mut [], Store).unwrap();

        let mut fused = vec![0.0; m * n];
        let mut c = MatMut::new(&mut fused, m, n).unwrap();
        gemm.run(a, b, &mut c, Init::Zero, &mut [], Activate(Sigmoid)).unwrap();
        let mut separate = plain.clone();
        activation::forward_in_place(level, Sigmoid, &mut separate);
        assert_same_bits(&separate, &fused, level.name());

        let (mut fused, mut fused_derivative) = (vec![0.0; m * n], vec![0.0; m * n]);
        let mut c = MatMut::new(&mut fused, m, n).unwrap();
        let derivative = MatMut::new(&mut fused_derivative, m, n).unwrap();
        let epilogue = ActivateWithDerivative { activation: Tanh, derivative };
        gemm.run(a, b, &mut c, Init::Zero, &mut [], epilogue).unwrap();
        let (mut value, mut derivative) = (vec![0.0; m * n], vec![0.0; m * n]);
        activation::forward(level, Tanh, &plain, &mut value).unwrap();
        activation::derivative(level, Tanh, &plain, &mut derivative).unwrap();
        assert_same_bits(&value, &fused, level.name());
        assert_same_bits(&derivative, &fused_derivative, level.name());

        let (mut fused, mut fused_pre_activation) = (vec![0.0; m * n], vec![0.0; m * n]);
        let mut c = MatMut::new(&mut fused, m, n).unwrap();
        let pre_activation = MatMut::new(&mut fused_pre_activation, m, n).unwrap();
        let epilogue = ActivateWithPreActivation { activation: Tanh, pre_activation };
        gemm.run(a, b, &mut c, Init::Zero, &mut [], epilogue).unwrap();
        assert_same_bits(&value, &fused, level.name());
        assert_same_bits(&plain, &fused_pre_activation, level.name());
    }
}

/// The weight update in the epilogue of dW = X^T dY, over shapes on every path, batches longer than a block of k
/// included: the product followed by the optimiser, without a gradient in memory.
#[test]
fn the_fused_update_equals_the_product_and_the_optimizer() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(6);
    let shapes =
        [(9, 37, 300), (64, 10, 32), (10, 70, 1), (3, 100, 513), (48, 260, 600), (1, 5, 7), (520, 520, 520)];
    for (m, n, k) in shapes {
        let shape = Shape { m, n, k, transpose_a: true, transpose_b: false };
        let (x, delta) = (values(&mut random, k * m, false), values(&mut random, k * n, false));
        let (x, delta) = (MatRef::new(&x, k, m).unwrap(), MatRef::new(&delta, k, n).unwrap());
        let weights = values(&mut random, m * n, false);
        for level in levels::all().into_iter().filter(|level| m < 500 || level.lanes() > 1) {
            let gemm = Gemm::new(level, shape);
            let mut workspace = vec![POISON; gemm.workspace_len()];
            let mut gradient = vec![0.0; m * n];
            let mut c = MatMut::new(&mut gradient, m, n).unwrap();
            gemm.run(x, delta, &mut c, Init::Zero, &mut workspace, Store).unwrap();
            let mut separate = weights.clone();
            optimizer::sgd(level, 0.01, &mut separate, &gradient).unwrap();

            let mut fused = weights.clone();
            let mut c = MatMut::new(&mut fused, m, n).unwrap();
            let update = SgdUpdate { learning_rate: 0.01 };
            gemm.run(x, delta, &mut c, Init::Zero, &mut workspace, update).unwrap();
            assert_same_bits(&separate, &fused, &format!("{shape:?} at {}", level.name()));
        }
    }
}

/// Products large enough to be computed in blocks of k, columns and rows, with copies of both factors, against the
/// definition's own bits as small products give them: row i depends on row i of A alone. The last strip of a block ends with
/// half a vector of 16 lanes; rows of A are far apart where there are few.
#[test]
fn products_in_blocks_equal_their_rows_alone() {
    let cases = [
        ((520, 530, 1030), 1030, false, false),
        ((520, 530, 1030), 520, true, false),
        ((200, 2088, 300), 2700, false, false),
        ((200, 2088, 300), 200, true, true),
        ((400, 2088, 300), 1400, false, false),
    ];
    for level in levels::all().into_iter().filter(|level| level.lanes() > 1) {
        for (shape, a_stride, transpose_a, transpose_b) in cases {
            check_rows_alone(level, shape, a_stride, transpose_a, transpose_b);
        }
    }
}

fn check_rows_alone(
    level: Level,
    (m, n, k): (usize, usize, usize),
    a_stride: usize,
    transpose_a: bool,
    transpose_b: bool,
) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let (a_rows, a_columns) = if transpose_a { (k, m) } else { (m, k) };
    let a = values(&mut random, a_rows * a_stride, false);
    let b = values(&mut random, k * n, false);
    let a_view = MatRef::with_stride(&a, a_rows, a_columns, a_stride).unwrap();
    let (b_rows, b_columns) = if transpose_b { (n, k) } else { (k, n) };
    let b = MatRef::new(&b, b_rows, b_columns).unwrap();
    let gemm = Gemm::new(level, Shape { m, n, k, transpose_a, transpose_b });
    let one = Gemm::new(level, Shape { m: 1, n, k, transpose_a: false, transpose_b });
    let mut workspace = vec![POISON; gemm.workspace_len()];
    for start in 0..3 {
        let run = |gemm: &Gemm, a: MatRef<'_>, rows: usize, workspace: &mut [f32]| {
            let mut out = vec![1.0; rows * n];
            let mut c = MatMut::new(&mut out, rows, n).unwrap();
            match start {
                0 => gemm.run(a, b, &mut c, Init::Zero, workspace, Store),
                1 => gemm.run(a, b, &mut c, Init::Zero, workspace, Activate(Tanh)),
                _ => gemm.run(a, b, &mut c, Init::Accumulate, workspace, Store),
            }
            .unwrap();
            out
        };
        let whole = run(&gemm, a_view, m, &mut workspace);
        for i in (0..m).step_by(37) {
            let at = |p: usize| if transpose_a { p * a_stride + i } else { i * a_stride + p };
            let row: Vec<f32> = (0..k).map(|p| a[at(p)]).collect();
            let alone = run(&one, MatRef::new(&row, 1, k).unwrap(), 1, &mut []);
            let what = format!("row {i} of {:?}, start {start}, at {}", (m, n, k), level.name());
            assert_same_bits(&alone, &whole[i * n..(i + 1) * n], &what);
        }
    }
}

#[test]
fn wrong_arguments_are_errors_that_carry_the_numbers() {
    let shape = Shape { m: 2, n: 3, k: 4, transpose_a: false, transpose_b: true };
    let gemm = Gemm::new(Level::SCALAR, shape);
    let data = [0.0; 12];
    let mut out = [0.0; 6];
    let a = MatRef::new(&data, 2, 4).unwrap();
    let b = MatRef::new(&data, 3, 4).unwrap();
    let mut c = MatMut::new(&mut out, 2, 3).unwrap();
    let not_transposed = MatRef::new(&data, 4, 3).unwrap();
    assert_eq!(
        gemm.run(a, not_transposed, &mut c, Init::Zero, &mut [], Store),
        Err(GemmError::Shape { operand: Operand::B, expected: (3, 4), found: (4, 3) })
    );
    assert_eq!(
        gemm.run(a, b, &mut c, Init::Bias(&[1.0]), &mut [], Store),
        Err(GemmError::Bias { expected: 3, found: 1 })
    );
    let needed = gemm.workspace_len();
    assert_eq!(
        gemm.run(a, b, &mut c, Init::Zero, &mut [0.0], Store),
        Err(GemmError::Workspace { needed, found: 1 })
    );
    assert_eq!(gemm.run(a, b, &mut c, Init::Zero, &mut [], Store), Ok(()));
    let needed = PackedB::len_for(b.rows(), b.columns());
    let packed = PackedB::new(Level::SCALAR, b, false, &mut vec![0.0; needed - 1]).map(|_| ());
    assert_eq!(packed, Err(GemmError::Workspace { needed, found: needed - 1 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn bits_equal_the_definition(
        m in 1..40usize, n in 1..70usize, k in 0..300usize, transpose_a: bool, transpose_b: bool,
        gap in 0..5usize, start in 0..3usize, workspace: bool, special: bool, seed: u64,
    ) {
        for level in levels::all() {
            let shape = Shape { m, n, k, transpose_a, transpose_b };
            check(Case { shape, gap, start, workspace, special, seed }, level);
        }
    }
}
