//! A function near its zero: -x W(x) with x the distance from the zero, W a polynomial.
//!
//! Numerics: the zero and W's constant term are double words, so the relative error stays below one unit in the last
//! place at the f32 next to the zero. Cost: N + 4 multiplications or fused ones, 8 additions.

use super::double_word::DoubleWord;
use crate::simd::Simd;

/// A zero and the polynomial beside it, of degree N.
pub(crate) struct Zero<const N: usize> {
    /// Where the function is zero.
    pub(crate) at: (f32, f32),
    /// W at the zero.
    pub(crate) slope: (f32, f32),
    /// The other coefficients of W, from the highest power down.
    pub(crate) rest: [f32; N],
}

/// The polynomials hold within this distance.
const RADIUS: f32 = 0.25;

impl<const N: usize> Zero<N> {
    /// The function at `a` where that is near the zero, else `far`.
    #[inline(always)]
    pub(crate) fn or<S: Simd>(&self, simd: S, a: S::F32, far: DoubleWord<S>) -> DoubleWord<S> {
        let x = simd.sub(a, simd.splat(self.at.0));
        let mut q = simd.splat(0.0);
        for (i, coefficient) in self.rest.iter().enumerate() {
            let coefficient = simd.splat(*coefficient);
            q = if i == 0 { coefficient } else { simd.mul_add(q, x, coefficient) };
        }
        let low = simd.mul_add(q, x, simd.splat(self.slope.1));
        let w = DoubleWord::fast_sum(simd, simd.splat(self.slope.0), low);
        let distance = DoubleWord { hi: simd.neg(x), lo: simd.splat(self.at.1) };
        let near = simd.lt(simd.abs(x), simd.splat(RADIUS));
        DoubleWord::select(simd, near, w.mul(simd, distance), far)
    }
}
