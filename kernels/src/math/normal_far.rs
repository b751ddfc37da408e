//! a Phi(-a) and Phi(-a) - a phi(a) far out, a >= 6.5, for the Gaussian error linear unit.
//!
//! Formula: e^(-a^2/2) P(w) and -a e^(-a^2/2) Q(w), w = 1/a^2, after the asymptotic series of Phi, P = phi(0) (1 - w +
//! 3 w^2 ...), and Q = phi(0) - w P. a^2/2 is a double word and 2^n is kept apart, so both keep their relative accuracy.
//! Cost: one exponential, one division, about 45 operations.
//! Source: coefficients from `ci/constants/gelu.sollya`.

use super::double_word::DoubleWord;
use super::exponential::Reduced;
use super::limit::at_most;
use crate::simd::Simd;

/// Beyond it both round to zero.
const LIMIT: f32 = 14.8;
/// P and Q, the constant term in two words, the others from the highest power down.
const P: ((f32, f32), [f32; 4]) = (
    (0.398_942_232_131_958, -1.953_116_779_418_451_2e-9),
    [24.213_827_133_178_71, -5.579_870_223_999_023_4, 1.192_194_938_659_668, -0.398_917_168_378_829_96],
);
const Q: ((f32, f32), [f32; 4]) = (
    (0.398_942_261_934_280_4, 1.220_790_579_736_785_7e-8),
    [3.885_726_690_292_358_4, -1.147_580_385_208_129_9, 0.398_371_011_018_753_05, -0.398_939_162_492_752_08],
);

/// a Phi(-a) and Phi(-a) - a phi(a), rounded.
#[inline(always)]
pub(crate) fn far<S: Simd>(simd: S, a: S::F32) -> (S::F32, S::F32) {
    let a = at_most(simd, a, LIMIT);
    let square = DoubleWord::product(simd, simd.mul(a, simd.splat(-0.5)), a);
    let reduced = Reduced::fine(simd, square.hi, square.lo);
    let significand = reduced.significand(simd);
    let w = simd.div(simd.splat(-0.5), square.hi);
    let p = significand.mul_rounded(simd, polynomial(simd, P, w));
    let q = significand.scale(simd, simd.neg(a)).mul_rounded(simd, polynomial(simd, Q, w));
    (reduced.scale_down(simd, p), reduced.scale_down(simd, q))
}

#[inline(always)]
fn polynomial<S: Simd>(simd: S, (constant, rest): ((f32, f32), [f32; 4]), w: S::F32) -> DoubleWord<S> {
    let mut q = simd.splat(rest[0]);
    for coefficient in &rest[1..] {
        q = simd.mul_add(q, w, simd.splat(*coefficient));
    }
    DoubleWord::fast_sum(simd, simd.splat(constant.0), simd.mul_add(q, w, simd.splat(constant.1)))
}
