//! A race of matrix products in one process: this crate on each vector level against the crates `gemm`, `faer` and
//! `matrixmultiply`, and OpenBLAS where the system has it. One thread, `C = A B` on aligned operands that stay in the
//! caches, contenders in turn, the best of many batches; percent of the multiply-add peak measured in between.
//!
//! `cargo run --release --manifest-path benches/race/Cargo.toml -- [--seconds S] [--record FILE --commit ID --date DATE]`
//!
//! Only we promise the bits of one order of summation; the others are free to reorder.

use std::fmt::Write as _;
use std::time::Instant;

use isobath_benches::{values, vector_levels};
use isobath_kernels::gemm::{Gemm, Init, Shape, Store};
use isobath_kernels::{Level, MatMut, MatRef, peak};

/// The products: sizes m, n, k, and which operands are stored transposed.
const PRODUCTS: [(usize, usize, usize, &str); 21] = [
    (8, 8, 8, "NN"),
    (16, 16, 16, "NN"),
    (32, 32, 32, "NN"),
    (64, 64, 64, "NN"),
    (128, 128, 128, "NN"),
    (256, 256, 256, "NN"),
    (512, 512, 512, "NN"),
    (1024, 1024, 1024, "NN"),
    (32, 256, 256, "NN"),
    (64, 512, 512, "NN"),
    (128, 100, 784, "NN"),
    (256, 30, 784, "NN"),
    (1, 512, 512, "NN"),
    (1, 512, 512, "NT"),
    (512, 512, 64, "NN"),
    (512, 512, 64, "TN"),
    (64, 512, 512, "TN"),
    (64, 512, 512, "NT"),
    (96, 75, 333, "NN"),
    (1000, 10, 64, "NN"),
    (16, 100, 300, "NN"),
];

/// Seconds that a batch of calls takes, about.
const BATCH: f64 = 3e-4;

/// The operands of a product; slices begin at a cache line.
struct Operands {
    shape: Shape,
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
    workspace: Vec<f32>,
}

/// Steps from one row and from one column to the next of an operand that has `columns` columns as it is multiplied, or
/// `rows` rows where it is stored transposed.
fn strides(rows: usize, columns: usize, transposed: bool) -> (isize, isize) {
    if transposed { (1, rows as isize) } else { (columns as isize, 1) }
}

/// The part of `x` from the first cache line on.
fn aligned(x: &[f32]) -> &[f32] {
    &x[x.as_ptr().align_offset(64)..]
}

fn aligned_mut(x: &mut [f32]) -> &mut [f32] {
    let skip = x.as_ptr().align_offset(64);
    &mut x[skip..]
}

type Contender = Box<dyn Fn(&mut Operands)>;

fn isobath(level: Level) -> Contender {
    Box::new(move |operands| {
        let shape @ Shape { m, n, k, transpose_a, transpose_b } = operands.shape;
        let a = aligned(&operands.a);
        let b = aligned(&operands.b);
        let a = if transpose_a { MatRef::new(a, k, m) } else { MatRef::new(a, m, k) };
        let b = if transpose_b { MatRef::new(b, n, k) } else { MatRef::new(b, k, n) };
        let mut c = MatMut::new(aligned_mut(&mut operands.c), m, n).unwrap();
        let gemm = Gemm::new(level, shape);
        let workspace = &mut operands.workspace[..gemm.workspace_len()];
        gemm.run(a.unwrap(), b.unwrap(), &mut c, Init::Zero, workspace, Store).unwrap();
    })
}

fn gemm_crate() -> Contender {
    Box::new(|operands| {
        let Shape { m, n, k, transpose_a, transpose_b } = operands.shape;
        let (a_row, a_column) = strides(m, k, transpose_a);
        let (b_row, b_column) = strides(k, n, transpose_b);
        let (a, b, c) = (aligned(&operands.a), aligned(&operands.b), aligned_mut(&mut operands.c));
        // SAFETY: the operands have the shapes that these strides describe.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                c.as_mut_ptr(),
                1,
                n as isize,
                false,
                a.as_ptr(),
                a_column,
                a_row,
                b.as_ptr(),
                b_column,
                b_row,
                0.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    })
}

fn faer_crate() -> Contender {
    use faer::{Accum, MatMut, MatRef, Par};
    Box::new(|operands| {
        let Shape { m, n, k, transpose_a, transpose_b } = operands.shape;
        let view = |x, rows, columns, transposed| {
            if transposed {
                MatRef::from_column_major_slice(x, rows, columns)
            } else {
                MatRef::from_row_major_slice(x, rows, columns)
            }
        };
        let a = view(&aligned(&operands.a)[..m * k], m, k, transpose_a);
        let b = view(&aligned(&operands.b)[..k * n], k, n, transpose_b);
        let c = MatMut::from_row_major_slice_mut(&mut aligned_mut(&mut operands.c)[..m * n], m, n);
        faer::linalg::matmul::matmul(c, Accum::Replace, a, b, 1.0, Par::Seq);
    })
}

fn matrixmultiply_crate() -> Contender {
    Box::new(|operands| {
        let Shape { m, n, k, transpose_a, transpose_b } = operands.shape;
        let (a_row, a_column) = strides(m, k, transpose_a);
        let (b_row, b_column) = strides(k, n, transpose_b);
        let (a, b, c) = (aligned(&operands.a), aligned(&operands.b), aligned_mut(&mut operands.c));
        // SAFETY: the operands have the shapes that these strides describe.
        unsafe {
            matrixmultiply::sgemm(
                m,
                k,
                n,
                1.0,
                a.as_ptr(),
                a_row,
                a_column,
                b.as_ptr(),
                b_row,
                b_column,
                0.0,
                c.as_mut_ptr(),
                n as isize,
                1,
            );
        }
    })
}

/// cblas_sgemm: order, transposes, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc.
type Sgemm = unsafe extern "C" fn(
    i32,
    i32,
    i32,
    i32,
    i32,
    i32,
    f32,
    *const f32,
    i32,
    *const f32,
    i32,
    f32,
    *mut f32,
    i32,
);

/// OpenBLAS, if the system has it.
fn openblas() -> Option<Contender> {
    const ROW_MAJOR: i32 = 101;
    const AS_IT_IS: i32 = 111;
    const TRANSPOSED: i32 = 112;
    // SAFETY: loading OpenBLAS runs its initialisation, which is meant to be run so.
    let library = unsafe { libloading::Library::new("libopenblas.so.0") }.ok()?;
    // The library stays loaded for as long as the process lives.
    let library: &'static libloading::Library = Box::leak(Box::new(library));
    // SAFETY: the signatures are those of OpenBLAS's header.
    let sgemm = unsafe {
        let threads: libloading::Symbol<'_, unsafe extern "C" fn(i32)> =
            library.get(b"openblas_set_num_threads").ok()?;
        threads(1);
        library.get::<Sgemm>(b"cblas_sgemm").ok()?
    };
    Some(Box::new(move |operands| {
        let Shape { m, n, k, transpose_a, transpose_b } = operands.shape;
        let size = |size: usize| i32::try_from(size).unwrap();
        let form = |transposed| if transposed { TRANSPOSED } else { AS_IT_IS };
        let lda = size(if transpose_a { m } else { k });
        let ldb = size(if transpose_b { k } else { n });
        let (a, b, c) = (aligned(&operands.a), aligned(&operands.b), aligned_mut(&mut operands.c));
        // SAFETY: the operands have these shapes and leading dimensions.
        unsafe {
            sgemm(
                ROW_MAJOR,
                form(transpose_a),
                form(transpose_b),
                size(m),
                size(n),
                size(k),
                1.0,
                a.as_ptr(),
                lda,
                b.as_ptr(),
                ldb,
                0.0,
                c.as_mut_ptr(),
                size(n),
            );
        }
    }))
}

fn seconds(calls: usize, contender: &Contender, operands: &mut Operands) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        contender(operands);
    }
    start.elapsed().as_secs_f64() / calls as f64
}

/// The multiply-add peak of one thread, in operations per second.
fn peak_rate(level: Level) -> f64 {
    const STEPS: usize = 10_000;
    let start = Instant::now();
    std::hint::black_box(peak::multiply_adds(level, STEPS));
    (STEPS * peak::flops_per_step(level)) as f64 / start.elapsed().as_secs_f64()
}

/// The value that follows a flag.
fn argument(flag: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != flag).nth(1)
}

fn main() {
    let time: f64 =
        argument("--seconds").map_or(0.6, |seconds| seconds.parse().expect("--seconds takes a number"));
    let mut contenders: Vec<(String, Contender)> = vector_levels()
        .into_iter()
        .map(|level| (format!("isobath {}", level.name()), isobath(level)))
        .collect();
    contenders.push(("gemm 0.19".to_owned(), gemm_crate()));
    contenders.push(("faer 0.24".to_owned(), faer_crate()));
    contenders.push(("matrixmultiply 0.3".to_owned(), matrixmultiply_crate()));
    match openblas() {
        Some(openblas) => contenders.push(("OpenBLAS".to_owned(), openblas)),
        None => eprintln!("libopenblas.so.0 is not on this system; the race goes without it"),
    }
    let fastest = Level::detect();
    let (mut rows, mut peak) = (Vec::new(), 0.0f64);
    for (m, n, k, form) in PRODUCTS {
        let (transpose_a, transpose_b) = (form.starts_with('T'), form.ends_with('T'));
        let shape = Shape { m, n, k, transpose_a, transpose_b };
        let mut operands = Operands {
            shape,
            a: values(1, m * k + 16),
            b: values(2, k * n + 16),
            c: vec![0.0; m * n + 16],
            workspace: vec![0.0; Gemm::workspace_len_for(shape)],
        };
        let calls: Vec<usize> = contenders
            .iter()
            .map(|(_, contender)| {
                let once = seconds(3, contender, &mut operands);
                ((BATCH / once) as usize).clamp(1, 100_000)
            })
            .collect();
        let mut best = vec![f64::INFINITY; contenders.len()];
        let start = Instant::now();
        while start.elapsed().as_secs_f64() < time * contenders.len() as f64 {
            for (i, (_, contender)) in contenders.iter().enumerate() {
                best[i] = best[i].min(seconds(calls[i], contender, &mut operands));
            }
            peak = peak.max(peak_rate(fastest));
        }
        eprintln!("{m},{n},{k} {form}");
        let flops = 2.0 * m as f64 * n as f64 * k as f64;
        rows.push((format!("{m}, {n}, {k} {form}"), best.into_iter().map(move |best| flops / best)));
    }
    let mut table = String::from("| m, n, k |");
    for (name, _) in &contenders {
        let _ = write!(table, " {name} |");
    }
    let _ = write!(table, "\n|---|{}\n", "---:|".repeat(contenders.len()));
    for (product, rates) in rows {
        let _ = write!(table, "| {product} |");
        for rate in rates {
            let _ = write!(table, " {:.1} |", 100.0 * rate / peak);
        }
        table.push('\n');
    }
    let text = format!(
        "Matrix products, % of the multiply-add peak of {:.1} GFLOP/s, one thread, {}\n\n{table}",
        peak / 1e9,
        isobath::machine::cpu()
    );
    println!("{text}");
    if let Some(file) = argument("--record") {
        let given = |flag| argument(flag).unwrap_or_else(|| "not given".to_owned());
        let record = format!("{text}\nDate {}, commit {}.\n", given("--date"), given("--commit"));
        std::fs::write(&file, record).unwrap_or_else(|error| panic!("cannot write {file}: {error}"));
    }
}
