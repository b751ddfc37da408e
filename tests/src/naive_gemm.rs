//! The definition of a matrix product: three nested loops over the contract's chains.

use crate::fma::fma;

/// What a product starts from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// Nothing.
    Zero,
    /// The old C, with C's stride.
    Accumulate,
    /// A bias row.
    Bias(&'a [f32]),
}

/// Element access to a row-major operand that may be stored transposed.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// The elements.
    pub data: &'a [f32],
    /// From one stored row to the next.
    pub stride: usize,
    /// Whether op is the transpose.
    pub transposed: bool,
}

impl Operand<'_> {
    fn at(&self, i: usize, j: usize) -> f32 {
        if self.transposed { self.data[j * self.stride + i] } else { self.data[i * self.stride + j] }
    }
}

/// C = start + op(A) op(B) for m x n elements of a C with this stride; elements between rows are left alone.
pub fn product(
    (m, n, k): (usize, usize, usize),
    a: Operand<'_>,
    b: Operand<'_>,
    c: &mut [f32],
    c_stride: usize,
    start: Start<'_>,
) {
    for i in 0..m {
        for j in 0..n {
            let mut total = match start {
                Start::Zero => None,
                Start::Accumulate => Some(c[i * c_stride + j]),
                Start::Bias(bias) => Some(bias[j]),
            };
            let mut p = 0;
            while p < k {
                let end = (p + 256).min(k);
                let mut chain = 0.0;
                while p < end {
                    chain = fma(a.at(i, p), b.at(p, j), chain);
                    p += 1;
                }
                total = Some(total.map_or(chain, |before| before + chain));
            }
            c[i * c_stride + j] = total.unwrap_or(0.0);
        }
    }
}
