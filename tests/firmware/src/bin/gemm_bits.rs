//! Matrix products on the device: equality of bits with the definition, whose fused multiply-add is made of
//! integers.
#![no_std]
#![no_main]

use isobath_firmware::naive_gemm::{self, Start};
use isobath_firmware::{Random, entry, exit};
use isobath_kernels::gemm::{Gemm, Init, Shape, Store};
use isobath_kernels::{Level, MatMut, MatRef};
use semihosting::println;

/// Written where nothing may be read or changed.
const POISON: f32 = f32::from_bits(0x7fc5_a5a5);
const LARGEST: usize = 16 * 1024;

struct Case {
    shape: Shape,
    gap: usize,
    start: usize,
    special: bool,
}

fn matrix(random: &mut Random, out: &mut [f32], rows: usize, columns: usize, stride: usize, special: bool) {
    out.fill(POISON);
    for row in 0..rows {
        for x in &mut out[row * stride..][..columns] {
            *x = if special { random.value_or_special() } else { random.value() };
        }
    }
}

/// Compares one product with the definition; elements outside C must keep their bits.
fn check(random: &mut Random, case: &Case) {
    let Shape { m, n, k, transpose_a, transpose_b } = case.shape;
    let (a_rows, a_columns) = if transpose_a { (k, m) } else { (m, k) };
    let (b_rows, b_columns) = if transpose_b { (n, k) } else { (k, n) };
    let (a_stride, b_stride, c_stride) = (a_columns + case.gap, b_columns + 2 * case.gap, n + 3 * case.gap);
    let (mut a, mut b) = ([0.0; LARGEST], [0.0; LARGEST]);
    let (mut expected, mut found, mut bias) = ([0.0; LARGEST], [0.0; LARGEST], [0.0; 64]);
    matrix(random, &mut a, a_rows, a_columns, a_stride, case.special);
    matrix(random, &mut b, b_rows, b_columns, b_stride, case.special);
    matrix(random, &mut bias, 1, n, n, case.special);
    let bias = &bias[..n];
    // Unless C is accumulated into, it is never read.
    expected.fill(POISON);
    if case.start == 1 {
        matrix(random, &mut expected, m, n, c_stride, case.special);
    }
    found.copy_from_slice(&expected);
    let (start, init) = match case.start {
        0 => (Start::Zero, Init::Zero),
        1 => (Start::Accumulate, Init::Accumulate),
        _ => (Start::Bias(bias), Init::Bias(bias)),
    };
    naive_gemm::product(
        (m, n, k),
        naive_gemm::Operand { data: &a, stride: a_stride, transposed: transpose_a },
        naive_gemm::Operand { data: &b, stride: b_stride, transposed: transpose_b },
        &mut expected,
        c_stride,
        start,
    );
    // Views as short as the contract allows.
    let extent =
        |rows: usize, columns: usize, stride| if rows == 0 { 0 } else { (rows - 1) * stride + columns };
    let a = MatRef::with_stride(&a[..extent(a_rows, a_columns, a_stride)], a_rows, a_columns, a_stride);
    let b = MatRef::with_stride(&b[..extent(b_rows, b_columns, b_stride)], b_rows, b_columns, b_stride);
    let mut c = MatMut::with_stride(&mut found, m, n, c_stride).unwrap();
    Gemm::new(Level::SCALAR, case.shape).run(a.unwrap(), b.unwrap(), &mut c, init, &mut [], Store).unwrap();
    for (at, (expected, found)) in expected.iter().zip(&found).enumerate() {
        let same = expected.to_bits() == found.to_bits()
            || inside(at, m, n, c_stride) && expected.is_nan() && found.is_nan();
        assert!(
            same,
            "{:?} gap {} start {}: element {at} is {found:?}, not {expected:?}",
            case.shape, case.gap, case.start
        );
    }
}

fn inside(at: usize, m: usize, n: usize, stride: usize) -> bool {
    stride > 0 && at / stride < m && at % stride < n
}

/// Every shape around the edges of tiles and rows, and around the blocks of k.
fn shapes(mut visit: impl FnMut(usize, usize, usize)) {
    for m in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 19] {
        for n in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 19] {
            for k in [0, 1, 2, 3, 8] {
                visit(m, n, k);
            }
        }
    }
    for (m, n) in [(1, 1), (1, 6), (1, 20), (3, 17), (5, 6), (6, 2), (20, 1), (4, 4)] {
        for k in [255, 256, 257, 511, 512, 513] {
            visit(m, n, k);
        }
    }
}

#[entry]
fn main() -> ! {
    let mut random = Random(1);
    for (transpose_a, transpose_b) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut cases = 0;
        shapes(|m, n, k| {
            let shape = Shape { m, n, k, transpose_a, transpose_b };
            let start = cases % 3;
            for (gap, special) in [(0, false), (1, true)] {
                check(&mut random, &Case { shape, gap, start: (start + gap) % 3, special });
                cases += 1;
            }
        });
        println!("PASS gemm bits, transposes {} {}: {} products", transpose_a, transpose_b, cases);
    }
    exit(true)
}
