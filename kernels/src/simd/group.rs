//! Several vectors of a token as one, for element-wise functions.
//!
//! A function of one vector is a chain of some dozen dependent operations, each of which waits for the one before; a CPU
//! looks ahead over a few such chains only. Here every operation is done on N vectors before the next one, so that N
//! independent chains lie side by side in the program.
//! Numerics: each lane's arithmetic is that of the token, so nothing shows in a bit.

use super::Simd;
use crate::part::{part, part_mut};

/// N vectors of the token `S`.
///
/// ```
/// use isobath_kernels::simd::{Group, Portable, Scalar, Simd};
///
/// assert_eq!(<Group<Scalar, 4> as Simd>::LANES, 4);
/// assert_eq!(<Group<Portable, 2> as Simd>::LANES, 2 * 8);
///
/// /// A function over tokens runs over groups, with more lanes and the same results.
/// fn double<S: Simd>(simd: S, x: &mut [f32]) {
///     for x in x.chunks_mut(S::LANES) {
///         let v = simd.load(x);
///         simd.store(simd.add(v, v), x);
///     }
/// }
///
/// let mut x = [1.0, 2.0, 3.0];
/// double(Portable.group(), &mut x);
/// assert_eq!(x, [2.0, 4.0, 6.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group<S, const N: usize>(pub(super) S);

impl<S: Simd, const N: usize> Group<S, N> {
    /// An operation of one operand on every vector.
    #[inline(always)]
    fn each(self, a: [S::F32; N], f: impl Fn(S, S::F32) -> S::F32) -> [S::F32; N] {
        let mut out = a;
        for i in 0..N {
            out[i] = f(self.0, a[i]);
        }
        out
    }

    /// An operation of two operands.
    #[inline(always)]
    fn pairs(self, a: [S::F32; N], b: [S::F32; N], f: impl Fn(S, S::F32, S::F32) -> S::F32) -> [S::F32; N] {
        let mut out = a;
        for i in 0..N {
            out[i] = f(self.0, a[i], b[i]);
        }
        out
    }

    /// A comparison.
    #[inline(always)]
    fn compare(
        self,
        a: [S::F32; N],
        b: [S::F32; N],
        f: impl Fn(S, S::F32, S::F32) -> S::Mask,
    ) -> [S::Mask; N] {
        let mut out = [f(self.0, a[0], b[0]); N];
        for i in 1..N {
            out[i] = f(self.0, a[i], b[i]);
        }
        out
    }
}

impl<S: Simd, const N: usize> Simd for Group<S, N> {
    const NAME: &'static str = S::NAME;
    const LANES: usize = N * S::LANES;
    type F32 = [S::F32; N];
    type Mask = [S::Mask; N];
    type Group = Self;

    #[inline(always)]
    fn group(self) -> Self {
        self
    }
    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        self.0.vectorize(f)
    }
    #[inline(always)]
    fn splat(self, x: f32) -> Self::F32 {
        [self.0.splat(x); N]
    }
    #[inline(always)]
    fn load(self, x: &[f32]) -> Self::F32 {
        let mut out = self.splat(0.0);
        // With the length known to suffice, no vector's load asks for it again, and none is a branch.
        if let Some(x) = x.get(..Self::LANES) {
            for (i, out) in out.iter_mut().enumerate() {
                *out = self.0.load(part(x, i * S::LANES, S::LANES));
            }
        } else {
            for (i, out) in out.iter_mut().enumerate() {
                *out = self.0.load_part(part(x, i * S::LANES, S::LANES));
            }
        }
        out
    }
    #[inline(always)]
    fn store(self, v: Self::F32, out: &mut [f32]) {
        // The branches differ in what the compiler knows: in the first, that every vector is whole. Without it all that
        // groups gain is lost.
        if let Some(out) = out.get_mut(..Self::LANES) {
            for (i, v) in v.into_iter().enumerate() {
                self.0.store(v, part_mut(out, i * S::LANES, S::LANES));
            }
        } else {
            for (i, v) in v.into_iter().enumerate() {
                self.0.store(v, part_mut(out, i * S::LANES, S::LANES));
            }
        }
    }

    #[inline(always)]
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        self.pairs(a, b, S::add)
    }
    #[inline(always)]
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        self.pairs(a, b, S::sub)
    }
    #[inline(always)]
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        self.pairs(a, b, S::mul)
    }
    #[inline(always)]
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        self.pairs(a, b, S::div)
    }
    #[inline(always)]
    fn sqrt(self, a: Self::F32) -> Self::F32 {
        self.each(a, S::sqrt)
    }
    #[inline(always)]
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        let mut out = c;
        for i in 0..N {
            out[i] = self.0.mul_add(a[i], b[i], c[i]);
        }
        out
    }
    #[inline(always)]
    fn neg_mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        let mut out = c;
        for i in 0..N {
            out[i] = self.0.neg_mul_add(a[i], b[i], c[i]);
        }
        out
    }

    #[inline(always)]
    fn lt(self, a: Self::F32, b: Self::F32) -> Self::Mask {
        self.compare(a, b, S::lt)
    }
    #[inline(always)]
    fn eq(self, a: Self::F32, b: Self::F32) -> Self::Mask {
        self.compare(a, b, S::eq)
    }
    #[inline(always)]
    fn select(self, mask: Self::Mask, a: Self::F32, b: Self::F32) -> Self::F32 {
        let mut out = a;
        for i in 0..N {
            out[i] = self.0.select(mask[i], a[i], b[i]);
        }
        out
    }
    #[inline(always)]
    fn any(self, mask: Self::Mask) -> bool {
        // Without a branch between the vectors.
        mask.into_iter().fold(false, |any, mask| any | self.0.any(mask))
    }

    #[inline(always)]
    fn and_bits(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        self.pairs(a, b, S::and_bits)
    }
    #[inline(always)]
    fn or_bits(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        self.pairs(a, b, S::or_bits)
    }
    #[inline(always)]
    fn xor_bits(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        self.pairs(a, b, S::xor_bits)
    }
    #[inline(always)]
    fn add_bits(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        self.pairs(a, b, S::add_bits)
    }
    #[inline(always)]
    fn sub_bits(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        self.pairs(a, b, S::sub_bits)
    }
    #[inline(always)]
    fn shl_bits<const COUNT: i32>(self, a: Self::F32) -> Self::F32 {
        self.each(a, S::shl_bits::<COUNT>)
    }
    #[inline(always)]
    fn shr_bits<const COUNT: i32>(self, a: Self::F32) -> Self::F32 {
        self.each(a, S::shr_bits::<COUNT>)
    }
    #[inline(always)]
    fn sar_bits<const COUNT: i32>(self, a: Self::F32) -> Self::F32 {
        self.each(a, S::sar_bits::<COUNT>)
    }
    #[inline(always)]
    fn lt_bits(self, a: Self::F32, b: Self::F32) -> Self::Mask {
        self.compare(a, b, S::lt_bits)
    }
    #[inline(always)]
    fn eq_bits(self, a: Self::F32, b: Self::F32) -> Self::Mask {
        self.compare(a, b, S::eq_bits)
    }
    #[inline(always)]
    fn lookup<const M: usize>(self, table: &[f32; M], index: Self::F32) -> Self::F32 {
        let mut out = index;
        for i in 0..N {
            out[i] = self.0.lookup(table, index[i]);
        }
        out
    }
}
