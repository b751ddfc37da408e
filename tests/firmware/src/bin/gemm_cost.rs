//! Matrix products to count: prints a name and the number of multiply-adds, then runs the product between the
//! marks that the plugin in ci/instruction-count looks for.
#![no_std]
#![no_main]

use isobath_firmware::{Random, entry, exit, marked};
use isobath_kernels::gemm::{Gemm, Init, Shape, Store};
use isobath_kernels::{Level, MatMut, MatRef};
use semihosting::println;

const SIDE: usize = 64;

#[entry]
fn main() -> ! {
    let mut random = Random(1);
    let mut a = [0.0; SIDE * SIDE];
    let mut b = [0.0; SIDE * SIDE];
    let mut c = [0.0; SIDE * SIDE];
    let bias = [1.0; SIDE];
    a.fill_with(|| random.value());
    b.fill_with(|| random.value());
    for (m, n, k) in [
        (16, 16, 16),
        (32, 32, 32),
        (64, 64, 64),
        (63, 63, 64),
        (1, 64, 64),
        (1, 10, 64),
        (64, 1, 64),
        (64, 64, 1),
    ] {
        let bias = Init::Bias(&bias[..n]);
        for (kind, transpose_a, transpose_b, init) in [
            ("NN", false, false, Init::Zero),
            ("NT", false, true, Init::Zero),
            ("TN", true, false, Init::Zero),
            ("NN+bias", false, false, bias),
            ("TN+C", true, false, Init::Accumulate),
        ] {
            let shape = Shape { m, n, k, transpose_a, transpose_b };
            let (a_rows, a_columns) = if transpose_a { (k, m) } else { (m, k) };
            let (b_rows, b_columns) = if transpose_b { (n, k) } else { (k, n) };
            let a = MatRef::new(&a, a_rows, a_columns).unwrap();
            let b = MatRef::new(&b, b_rows, b_columns).unwrap();
            let mut c = MatMut::new(&mut c, m, n).unwrap();
            println!("product {}x{}x{} {} {}", m, n, k, kind, m * n * k);
            marked(|| Gemm::new(Level::SCALAR, shape).run(a, b, &mut c, init, &mut [], Store)).unwrap();
        }
    }
    exit(true)
}
