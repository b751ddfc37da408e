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
///
/// ```
/// use isobath_kernels::simd::{Portable, Scalar, Simd};
///
/// /// y = a x + y, vector by vector; `load` and `store` see to the last part.
/// #[inline(always)]
/// fn scale_and_add<S: Simd>(simd: S, a: f32, x: &[f32], y: &mut [f32]) {
///     for (x, y) in x.chunks(S::LANES).zip(y.chunks_mut(S::LANES)) {
///         simd.store(simd.mul_add(simd.splat(a), simd.load(x), simd.load(y)), y);
///     }
/// }
///
/// let x = [1.0, 2.0, 3.0];
/// let (mut by_one, mut by_eight) = ([10.0; 3], [10.0; 3]);
/// Scalar.vectorize(|| scale_and_add(Scalar, 2.0, &x, &mut by_one));
/// Portable.vectorize(|| scale_and_add(Portable, 2.0, &x, &mut by_eight));
/// assert_eq!(by_one, [12.0, 14.0, 16.0]);
/// assert_eq!(by_eight, by_one);
/// ```
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
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// /// How many vectors a group has.
    /// fn vectors<S: Simd>(_: S) -> usize {
    ///     <S::Group as Simd>::LANES / S::LANES
    /// }
    ///
    /// assert_eq!(vectors(Scalar), 1);
    /// assert_eq!(Scalar.group(), Scalar); // one vector at a time: its own group
    /// ```
    fn group(self) -> Self::Group;

    /// Runs `f` compiled with this instruction set's target features. `f` must be `#[inline(always)]`.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// let sum = Scalar.vectorize(#[inline(always)] || Scalar.add(1.0, 2.0));
    /// assert_eq!(sum, 3.0);
    /// ```
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R;

    /// All lanes `x`.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Portable, Simd};
    /// let mut lanes = [0.0; 8];
    /// Portable.store(Portable.splat(2.5), &mut lanes);
    /// assert_eq!(lanes, [2.5; 8]);
    /// ```
    fn splat(self, x: f32) -> Self::F32;
    /// The first [`Simd::LANES`] elements; lanes beyond the end of `x` are +0.0.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Portable, Simd};
    /// let mut lanes = [f32::NAN; 8];
    /// Portable.store(Portable.load(&[1.0, 2.0, 3.0]), &mut lanes);
    /// assert_eq!(lanes, [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    /// ```
    fn load(self, x: &[f32]) -> Self::F32;
    /// The same as [`Simd::load`] for a slice that is usually shorter than a vector: no branch on its length.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Portable, Simd};
    /// let mut lanes = [f32::NAN; 2];
    /// Portable.store(Portable.load_part(&[7.0]), &mut lanes);
    /// assert_eq!(lanes, [7.0, 0.0]);
    /// ```
    #[inline(always)]
    fn load_part(self, x: &[f32]) -> Self::F32 {
        self.load(x)
    }
    /// Asks for the cache line at an address, which need not be valid.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// let x = [1.0, 2.0];
    /// Scalar.prefetch(x.as_ptr().wrapping_add(1_000_000)); // far behind the end, and harmless
    /// assert_eq!(Scalar.load(&x), 1.0);
    /// ```
    #[inline(always)]
    fn prefetch(self, _: *const f32) {}
    /// The same, to the second-level cache alone.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// let x = [1.0; 64];
    /// Scalar.prefetch_far(x.as_ptr().wrapping_add(48)); // for later
    /// assert_eq!(Scalar.load(&x), 1.0);
    /// ```
    #[inline(always)]
    fn prefetch_far(self, _: *const f32) {}
    /// Writes the lanes to the first [`Simd::LANES`] elements; lanes beyond the end of `out` are dropped.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Portable, Simd};
    /// let (v, mut out) = (Portable.splat(1.0), [0.0; 3]);
    /// Portable.store(v, &mut out[..2]); // six of the eight lanes have no place
    /// assert_eq!(out, [1.0, 1.0, 0.0]);
    /// ```
    fn store(self, v: Self::F32, out: &mut [f32]);
    /// The same as [`Simd::store`] for a slice that is usually shorter than a vector: an instruction set with masks needs no branch then.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// let mut out = [0.0];
    /// Scalar.store_part(2.0, &mut out);
    /// Scalar.store_part(3.0, &mut []);
    /// assert_eq!(out, [2.0]);
    /// ```
    #[inline(always)]
    fn store_part(self, v: Self::F32, out: &mut [f32]) {
        self.store(v, out);
    }

    /// a + b.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert_eq!(Scalar.add(1.0, 2.0), 3.0);
    /// ```
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// a - b.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert_eq!(Scalar.sub(1.0, 3.0), -2.0);
    /// ```
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// a b.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert_eq!(Scalar.mul(-2.0, 3.0), -6.0);
    /// ```
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// a / b.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert_eq!(Scalar.div(1.0, 4.0), 0.25);
    /// ```
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Square root.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert_eq!(Scalar.sqrt(9.0), 3.0);
    /// assert!(Scalar.sqrt(-1.0).is_nan());
    /// ```
    fn sqrt(self, a: Self::F32) -> Self::F32;
    /// a b + c, rounded once.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// // (1 + e)^2 = 1 + 2 e + e^2, whose last term no f32 product keeps.
    /// let e = 1.0 / 4096.0;
    /// let x = 1.0 + e;
    /// assert_eq!(x * x - (1.0 + 2.0 * e), 0.0);
    /// assert_eq!(Scalar.mul_add(x, x, -(1.0 + 2.0 * e)), e * e);
    /// ```
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// c - a b, rounded once.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// // The remainder of a division: 7 - 2 3.
    /// assert_eq!(Scalar.neg_mul_add(2.0, 3.0, 7.0), 1.0);
    /// ```
    #[inline(always)]
    fn neg_mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        self.mul_add(self.neg(a), b, c)
    }
    /// -a: flips the sign bit, of NaN too.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert_eq!(Scalar.neg(2.0), -2.0);
    /// assert!(Scalar.neg(0.0).is_sign_negative());
    /// ```
    #[inline(always)]
    fn neg(self, a: Self::F32) -> Self::F32 {
        self.xor_bits(a, self.splat_bits(0x8000_0000))
    }
    /// |a|: clears the sign bit, of NaN too.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert_eq!(Scalar.abs(-2.0), 2.0);
    /// assert!(Scalar.abs(-0.0).is_sign_positive());
    /// ```
    #[inline(always)]
    fn abs(self, a: Self::F32) -> Self::F32 {
        self.and_bits(a, self.splat_bits(0x7fff_ffff))
    }

    /// a < b; false where either is NaN.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert!(Scalar.lt(-1.0, 2.0));
    /// assert!(!Scalar.lt(f32::NAN, 2.0) && !Scalar.lt(2.0, f32::NAN));
    /// ```
    fn lt(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// a == b; false where either is NaN.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert!(Scalar.eq(0.0, -0.0));
    /// assert!(!Scalar.eq(f32::NAN, f32::NAN)); // so eq(x, x) finds what is no NaN
    /// ```
    fn eq(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// Lane of `a` where the mask is true, of `b` where it is false.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Portable, Simd};
    /// // The larger of x and 2, without a branch.
    /// let (x, two) = (Portable.load(&[1.0, 3.0]), Portable.splat(2.0));
    /// let mut out = [0.0; 2];
    /// Portable.store(Portable.select(Portable.lt(x, two), two, x), &mut out);
    /// assert_eq!(out, [2.0, 3.0]);
    /// ```
    fn select(self, mask: Self::Mask, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Whether any lane of the mask is true.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Portable, Simd};
    /// // Whether the rare case, here a negative element, needs its code at all.
    /// let x = Portable.load(&[1.0, -1.0]);
    /// assert!(Portable.any(Portable.lt(x, Portable.splat(0.0))));
    /// assert!(!Portable.any(Portable.lt(x, Portable.splat(-2.0))));
    /// ```
    fn any(self, mask: Self::Mask) -> bool;

    /// All lanes the f32 with these bits.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert_eq!(Scalar.splat_bits(127 << 23), 1.0); // the exponent 127 - 127, no fraction
    /// ```
    #[inline(always)]
    fn splat_bits(self, bits: u32) -> Self::F32 {
        self.splat(f32::from_bits(bits))
    }
    /// Bitwise and.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// // Without its last 12 bits a number has a square that is exact.
    /// let x = Scalar.and_bits(0.1, f32::from_bits(0xffff_f000));
    /// assert_eq!(Scalar.mul_add(x, x, -(x * x)), 0.0);
    /// ```
    fn and_bits(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Bitwise or.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert_eq!(Scalar.or_bits(2.0, -0.0), -2.0); // -0.0 is the sign bit alone
    /// ```
    fn or_bits(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Bitwise exclusive or.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// // The sign of a product, without the product.
    /// let sign = Scalar.and_bits(-5.0, -0.0);
    /// assert_eq!((Scalar.xor_bits(2.0, sign), Scalar.xor_bits(-2.0, sign)), (-2.0, 2.0));
    /// ```
    fn xor_bits(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Wrapping sum of the lanes as 32-bit integers.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// // Three more in the exponent is a factor of eight.
    /// assert_eq!(Scalar.add_bits(1.5, f32::from_bits(3 << 23)), 12.0);
    /// ```
    fn add_bits(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Wrapping difference of the lanes as 32-bit integers.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert_eq!(Scalar.sub_bits(12.0, f32::from_bits(1 << 23)), 6.0);
    /// ```
    fn sub_bits(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Left shift by N bits.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// // 2^3, from its exponent.
    /// assert_eq!(Scalar.shl_bits::<23>(f32::from_bits(127 + 3)), 8.0);
    /// ```
    fn shl_bits<const N: i32>(self, a: Self::F32) -> Self::F32;
    /// Logical right shift by N bits.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert_eq!(Scalar.shr_bits::<23>(8.0).to_bits(), 127 + 3);
    /// assert_eq!(Scalar.shr_bits::<31>(-8.0).to_bits(), 1); // the sign
    /// ```
    fn shr_bits<const N: i32>(self, a: Self::F32) -> Self::F32;
    /// Arithmetic (sign-keeping) right shift by N bits.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// // All bits of a negative number's lane, none of a positive one's: a mask.
    /// assert_eq!(Scalar.sar_bits::<31>(-8.0).to_bits(), u32::MAX);
    /// assert_eq!(Scalar.sar_bits::<31>(8.0).to_bits(), 0);
    /// ```
    fn sar_bits<const N: i32>(self, a: Self::F32) -> Self::F32;
    /// a < b, lanes taken as signed 32-bit integers.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert!(Scalar.lt_bits(-0.0, 0.0)); // the sign decides
    /// assert!(Scalar.lt_bits(f32::INFINITY, f32::from_bits(0x7fc0_0000))); // a NaN is beyond infinity
    /// ```
    fn lt_bits(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// a == b, lanes taken as 32-bit integers.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// assert!(Scalar.eq_bits(f32::NAN, f32::NAN));
    /// assert!(!Scalar.eq_bits(0.0, -0.0));
    /// ```
    fn eq_bits(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// Four columns as vectors, given by their rows: lane r of vector p is element p of row r.
    ///
    /// ```
    /// # use isobath_kernels::simd::{Portable, Simd};
    /// // Row r is (r, r + 10, r + 20, r + 30), so column 2 is 20, 21, ...
    /// let rows: [[f32; 4]; 8] = std::array::from_fn(|r| [0.0, 10.0, 20.0, 30.0].map(|x| x + r as f32));
    /// let columns = Portable.transpose(|r| &rows[r]);
    /// let mut third = [0.0; 8];
    /// Portable.store(columns[2], &mut third);
    /// assert_eq!(third, [20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0]);
    /// ```
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
    ///
    /// ```
    /// use isobath_kernels::MatRef;
    /// # use isobath_kernels::simd::{Portable, Simd};
    /// let (block, mut columns) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [[0.0; 2]; 3]);
    /// Portable.for_each_column(MatRef::new(&block, 2, 3)?, |j, column| Portable.store(column, &mut columns[j]));
    /// assert_eq!(columns, [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use isobath_kernels::simd::{Scalar, Simd};
    /// let table = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0];
    /// assert_eq!(Scalar.lookup(&table, f32::from_bits(3)), 30.0);
    /// assert_eq!(Scalar.lookup(&table, f32::from_bits(8 + 3)), 30.0); // three bits count
    /// ```
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
