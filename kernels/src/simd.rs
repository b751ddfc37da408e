//! Instruction sets: one token trait, one token per instruction set, and the run-time choice of a [`Level`].
//!
//! A token is a value of zero size that exists only where the CPU has the instructions, so code that is generic
//! over [`Simd`] is safe code. Every operation is correctly rounded IEEE-754 binary32 arithmetic or an operation
//! on bits; each lane computes the same on every token, so neither the vector width nor the tail of a slice shows
//! in a result. That is what makes the bits of every kernel equal on every machine.
//!
//! A generic function over a token must be `#[inline(always)]`: it is compiled with the instruction set's features
//! only where it is inlined into [`Simd::vectorize`]. Forgetting it costs a factor of ten and no error.

mod fma;
mod group;
mod level;
mod scalar;

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod avx2;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod avx512;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;
#[cfg(not(target_os = "none"))]
mod portable;

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
pub use avx2::Avx2;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
pub use avx512::Avx512;
pub use fma::{fma, fma_from_integers};
pub use group::Group;
pub(crate) use level::Kind;
pub use level::Level;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
pub use neon::Neon;
#[cfg(not(target_os = "none"))]
pub use portable::Portable;
pub use scalar::Scalar;

use crate::MatRef;
use crate::view::Quads;

/// The lanes of the longest vector, and of the longest group of vectors.
const MOST_LANES: usize = 64;

/// The operations of an instruction set on vectors of [`Simd::LANES`] f32.
///
/// Operations whose name ends in `_bits` see each lane as a 32-bit integer: they serve exponents, signs, and
/// comparisons that no compiler may replace by a float minimum.
pub trait Simd: Copy + core::fmt::Debug + Send + Sync + 'static {
    /// The level's name as the command line takes it.
    const NAME: &'static str;
    /// f32 values in a vector.
    const LANES: usize;
    /// A vector of f32.
    type F32: Copy;
    /// One truth value per lane.
    type Mask: Copy;
    /// As many vectors at a time as element-wise functions run fastest on.
    type Group: Simd;

    /// The token of [`Simd::Group`].
    fn group(self) -> Self::Group;

    /// Runs `f` compiled with this instruction set's target features. `f` must be `#[inline(always)]`.
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R;

    /// All lanes `x`.
    fn splat(self, x: f32) -> Self::F32;
    /// The first [`Simd::LANES`] elements; lanes beyond the end of `x` are +0.0.
    fn load(self, x: &[f32]) -> Self::F32;
    /// The same as [`Simd::load`] for a slice that is usually shorter than a vector: no branch on its length.
    #[inline(always)]
    fn load_part(self, x: &[f32]) -> Self::F32 {
        self.load(x)
    }
    /// Asks for the cache line at an address, which need not be valid.
    #[inline(always)]
    fn prefetch(self, _: *const f32) {}
    /// The same, to the second-level cache alone.
    #[inline(always)]
    fn prefetch_far(self, _: *const f32) {}
    /// Writes the lanes to the first [`Simd::LANES`] elements; lanes beyond the end of `out` are dropped.
    fn store(self, v: Self::F32, out: &mut [f32]);

    /// a + b.
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// a - b.
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// a b.
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// a / b.
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Square root.
    fn sqrt(self, a: Self::F32) -> Self::F32;
    /// a b + c, rounded once.
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// c - a b, rounded once.
    #[inline(always)]
    fn neg_mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        self.mul_add(self.neg(a), b, c)
    }
    /// -a: flips the sign bit, of NaN too.
    #[inline(always)]
    fn neg(self, a: Self::F32) -> Self::F32 {
        self.xor_bits(a, self.splat_bits(0x8000_0000))
    }
    /// |a|: clears the sign bit, of NaN too.
    #[inline(always)]
    fn abs(self, a: Self::F32) -> Self::F32 {
        self.and_bits(a, self.splat_bits(0x7fff_ffff))
    }

    /// a < b; false where either is NaN.
    fn lt(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// a == b; false where either is NaN.
    fn eq(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// Lane of `a` where the mask is true, of `b` where it is false.
    fn select(self, mask: Self::Mask, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Whether any lane of the mask is true.
    fn any(self, mask: Self::Mask) -> bool;

    /// All lanes the f32 with these bits.
    #[inline(always)]
    fn splat_bits(self, bits: u32) -> Self::F32 {
        self.splat(f32::from_bits(bits))
    }
    /// Bitwise and.
    fn and_bits(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Bitwise or.
    fn or_bits(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Bitwise exclusive or.
    fn xor_bits(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Wrapping sum of the lanes as 32-bit integers.
    fn add_bits(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Wrapping difference of the lanes as 32-bit integers.
    fn sub_bits(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Left shift by N bits.
    fn shl_bits<const N: i32>(self, a: Self::F32) -> Self::F32;
    /// Logical right shift by N bits.
    fn shr_bits<const N: i32>(self, a: Self::F32) -> Self::F32;
    /// Arithmetic (sign-keeping) right shift by N bits.
    fn sar_bits<const N: i32>(self, a: Self::F32) -> Self::F32;
    /// a < b, lanes taken as signed 32-bit integers.
    fn lt_bits(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// a == b, lanes taken as 32-bit integers.
    fn eq_bits(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// Four columns as vectors, given by their rows: lane r of vector p is element p of row r.
    #[inline(always)]
    fn transpose<'a>(self, row: impl Fn(usize) -> &'a [f32; 4]) -> [Self::F32; 4] {
        let mut columns = [self.splat(0.0); 4];
        for (p, out) in columns.iter_mut().enumerate() {
            let mut column = [0.0; MOST_LANES];
            for (r, x) in column.iter_mut().enumerate().take(Self::LANES) {
                *x = row(r)[p];
            }
            *out = self.load(&column);
        }
        columns
    }
    /// Calls `each` with the number and the vector of every column of `block`, of at most [`Simd::LANES`] rows, in order;
    /// lanes beyond the rows hold anything.
    #[inline(always)]
    fn for_each_column(self, block: MatRef<'_>, mut each: impl FnMut(usize, Self::F32)) {
        let mut column = if let Some(quads) = block.quads::<true>(Self::LANES) {
            for_each_turned(self, quads, &mut each)
        } else if let Some(quads) = block.quads::<false>(block.rows()) {
            for_each_turned(self, quads, &mut each)
        } else {
            0
        };
        while column < block.columns() {
            let mut lanes = [0.0; MOST_LANES];
            for (r, lane) in lanes.iter_mut().enumerate().take(Self::LANES) {
                *lane = block.row(r).get(column).copied().unwrap_or(0.0);
            }
            each(column, self.load(&lanes));
            column += 1;
        }
    }
    /// The element of `table`, of 8 or 16, that the low three or four bits of each lane of `index` name.
    fn lookup<const N: usize>(self, table: &[f32; N], index: Self::F32) -> Self::F32;
}

/// Calls `each` with the number and the vector of every column of `quads` and returns how many there are.
#[inline(always)]
fn for_each_turned<S: Simd, const WHOLE: bool>(
    simd: S,
    quads: Quads<'_, WHOLE>,
    each: &mut impl FnMut(usize, S::F32),
) -> usize {
    let mut column = 0;
    for quad in quads.opaque() {
        let columns = simd.transpose(
            #[inline(always)]
            |r| quad.row(r),
        );
        for p in 0..4 {
            each(column + p, columns[p]);
        }
        column += 4;
    }
    column
}

/// Runs `$body` with `$simd` bound to the token of `$level`.
///
/// A closure cannot be generic over the token's type; this is the one place that needs a macro for it.
macro_rules! with_token {
    ($level:expr, $simd:ident => $body:expr) => {
        match $level.kind() {
            $crate::simd::Kind::Scalar($simd) => $body,
            #[cfg(not(target_os = "none"))]
            $crate::simd::Kind::Portable($simd) => $body,
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            $crate::simd::Kind::Neon($simd) => $body,
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            $crate::simd::Kind::Avx2($simd) => $body,
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            $crate::simd::Kind::Avx512($simd) => $body,
        }
    };
}
pub(crate) use with_token;

/// The same with `$body` compiled for that instruction set.
macro_rules! dispatch {
    ($level:expr, $simd:ident => $body:expr) => {
        $crate::simd::with_token!($level, $simd => $crate::simd::Simd::vectorize(
            $simd,
            #[inline(always)]
            || $body,
        ))
    };
}
pub(crate) use dispatch;
