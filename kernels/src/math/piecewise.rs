//! Piecewise polynomials: eight or sixteen pieces whose coefficients are looked up, one lookup per coefficient.
//!
//! Numerics: the constant term is a double word, so the result's error is a fraction of the share that the other
//! terms have in it. Cost: N + 2 lookups, N multiplications or fused ones, 3 additions. On AVX2 a lookup among eight is one
//! instruction, among sixteen three.

use super::double_word::DoubleWord;
use crate::simd::Simd;

/// Coefficients of polynomials of degree N, one per piece.
pub(crate) struct Piecewise<const N: usize, const PIECES: usize> {
    /// Constant terms.
    pub(crate) value: [f32; PIECES],
    /// What they lack.
    pub(crate) value_low: [f32; PIECES],
    /// The other coefficients, from the highest power down.
    pub(crate) rest: [[f32; PIECES]; N],
}

impl<const N: usize, const PIECES: usize> Piecewise<N, PIECES> {
    /// The polynomial that the low bits of `piece` name, at `x`.
    #[inline(always)]
    pub(crate) fn evaluate<S: Simd>(&self, simd: S, piece: S::F32, x: S::F32) -> DoubleWord<S> {
        let mut q = simd.splat(0.0);
        for (i, coefficients) in self.rest.iter().enumerate() {
            let coefficient = simd.lookup(coefficients, piece);
            q = if i == 0 { coefficient } else { simd.mul_add(q, x, coefficient) };
        }
        let low = simd.mul_add(q, x, simd.lookup(&self.value_low, piece));
        DoubleWord::fast_sum(simd, simd.lookup(&self.value, piece), low)
    }
}
