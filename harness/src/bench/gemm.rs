//! The speed of matrix products, as a user calls them: planned anew for each product.

use std::str::FromStr;
use std::time::{Duration, Instant};

use isobath_kernels::gemm::{Gemm, GemmError, Init, Shape};
use isobath_kernels::view::ViewError;
use isobath_kernels::{Level, MatMut, MatRef};
use serde::Serialize;

use super::limits::{peak_gflops, read_gb_s};
use super::timing::{Times, calls_per_batch, seconds_per_call};
use crate::net::multiply;
use crate::threads::Threads;

/// Bytes of operands beyond which a set of products does not stay in the second-level cache.
const ROTATING_BYTES: usize = 8 << 20;
/// Elements of a cache line; the operands of each product begin at one.
const LINE: usize = 16;
/// Most elements of an operand.
const MOST_ELEMENTS: usize = 1 << 28;

/// A product to be measured: `m,n,k` or `m,n,k,NT` on the command line, N for as it is and T for transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product(pub Shape);

impl FromStr for Product {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no product; write m,n,k or m,n,k,NT (NN, NT, TN, TT), sizes from 1, such as 64,512,512,NT"
            )
        };
        let mut parts = text.split(',');
        let mut size = || {
            let size: usize = parts.next().and_then(|part| part.parse().ok()).ok_or_else(wrong)?;
            if size == 0 { Err(wrong()) } else { Ok(size) }
        };
        let (m, n, k) = (size()?, size()?, size()?);
        let (transpose_a, transpose_b) = match parts.next() {
            None | Some("NN") => (false, false),
            Some("NT") => (false, true),
            Some("TN") => (true, false),
            Some("TT") => (true, true),
            Some(_) => return Err(wrong()),
        };
        if parts.next().is_some() {
            return Err(wrong());
        }
        let elements = |rows: usize, columns: usize| rows.saturating_mul(columns);
        if elements(m, k).max(elements(k, n)).max(elements(m, n)) > MOST_ELEMENTS {
            return Err(format!("`{text}` has an operand of more than {MOST_ELEMENTS} elements"));
        }
        Ok(Self(Shape { m, n, k, transpose_a, transpose_b }))
    }
}

impl std::fmt::Display for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Shape { m, n, k, transpose_a, transpose_b } = self.0;
        let form = |transposed| if transposed { 'T' } else { 'N' };
        write!(f, "{m},{n},{k} {}{}", form(transpose_a), form(transpose_b))
    }
}

/// What was measured of a product, in 10^9 floating-point operations per second.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Speed {
    /// The fastest batch of calls on the same operands.
    pub hot_gflops: f64,
    /// The middle one.
    pub hot_median_gflops: f64,
    /// The fastest batch of calls on operands that are not in the second-level cache.
    pub rotating_gflops: f64,
    /// The highest peak that was seen between these batches.
    pub peak_gflops: f64,
    /// Bytes per second that one thread can read, in 10^9, from memory as large as A and B.
    pub read_gb_s: f64,
}

/// Measures a product for so long.
///
/// # Errors
/// [`GemmError`], which would be a defect: the operands are made for the product.
pub fn measure<T: Threads>(
    level: Level,
    threads: &T,
    Product(shape): Product,
    time: Duration,
) -> Result<Speed, GemmError> {
    let count = threads.count();
    let mut operands = Operands::new(level, count, shape);
    operands.multiply(level, threads, 0)?;
    let sets = operands.sets;
    let mut hot = || {
        let _ = operands.multiply(level, threads, 0); // the first call has shown that there is no error
    };
    let hot_calls = calls_per_batch(&mut hot);
    let (mut hot_times, mut rotating_times, mut peak) = (Times::default(), Times::default(), 0.0f64);
    let start = Instant::now();
    loop {
        peak = peak.max(peak_gflops(level, count));
        let mut hot = || {
            let _ = operands.multiply(level, threads, 0);
        };
        hot_times.push(seconds_per_call(hot_calls, &mut hot));
        let mut set = 0;
        let mut rotating = || {
            set = (set + 1) % sets;
            let _ = operands.multiply(level, threads, set);
        };
        rotating_times
            .push(seconds_per_call(hot_calls.max(u32::try_from(sets).unwrap_or(u32::MAX)), &mut rotating));
        if start.elapsed() >= time {
            break;
        }
    }
    let flops = 2.0 * shape.m as f64 * shape.n as f64 * shape.k as f64;
    let rate = |seconds: f64| flops / seconds / 1e9;
    Ok(Speed {
        hot_gflops: rate(hot_times.best()),
        hot_median_gflops: rate(hot_times.median()),
        rotating_gflops: rate(rotating_times.best()),
        peak_gflops: peak,
        read_gb_s: read_gb_s(level, (shape.m * shape.k + shape.k * shape.n) * size_of::<f32>()),
    })
}

/// The operands of several equal products, one set after the other.
struct Operands {
    shape: Shape,
    sets: usize,
    a: Matrices,
    b: Matrices,
    c: Matrices,
    workspace: Vec<f32>,
}

impl Operands {
    fn new(level: Level, threads: usize, shape: Shape) -> Self {
        let Shape { m, n, k, transpose_a, transpose_b } = shape;
        let bytes = (m * k + k * n + m * n) * size_of::<f32>();
        let sets = ROTATING_BYTES.div_ceil(bytes) + 1;
        Self {
            shape,
            sets,
            a: if transpose_a { Matrices::new(sets, k, m) } else { Matrices::new(sets, m, k) },
            b: if transpose_b { Matrices::new(sets, n, k) } else { Matrices::new(sets, k, n) },
            c: Matrices::new(sets, m, n),
            workspace: vec![0.0; threads * Gemm::new(level, shape).workspace_len()],
        }
    }

    fn multiply<T: Threads>(&mut self, level: Level, threads: &T, set: usize) -> Result<(), GemmError> {
        let (a, b, c) = (self.a.get(set), self.b.get(set), self.c.get_mut(set));
        let (Ok(a), Ok(b), Ok(c)) = (a, b, c) else { return Ok(()) };
        multiply(level, threads, self.shape, a, b, c, Init::Zero, &mut self.workspace)
    }
}

/// Equal matrices, each from a cache line on.
struct Matrices {
    data: Vec<f32>,
    /// Where the first cache line begins.
    first: usize,
    /// Elements from one matrix to the next.
    next: usize,
    rows: usize,
    columns: usize,
}

impl Matrices {
    fn new(count: usize, rows: usize, columns: usize) -> Self {
        let next = (rows * columns).next_multiple_of(LINE);
        // Numbers of many sizes below one, so that no sum overflows and none is special.
        let data: Vec<f32> = (0..count * next + LINE).map(|i| (i % 251) as f32 / 250.0 - 0.5).collect();
        let first = data.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        Self { data, first, next, rows, columns }
    }

    fn get(&self, i: usize) -> Result<MatRef<'_>, ViewError> {
        MatRef::new(&self.data[self.first + i * self.next..], self.rows, self.columns)
    }

    fn get_mut(&mut self, i: usize) -> Result<MatMut<'_>, ViewError> {
        MatMut::new(&mut self.data[self.first + i * self.next..], self.rows, self.columns)
    }
}
