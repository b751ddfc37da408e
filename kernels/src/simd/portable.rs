//! The portable token, on `wide`: vectors of 8 f32 for targets without a token of their own (SSE2, wasm, others).
//!
//! `wide` picks its code by the features that the whole crate is compiled with, so this level never needs
//! detection. Its `mul_add` is not used: without static FMA it rounds twice.

use wide::bytemuck::cast;
use wide::{f32x8, i32x8, u32x8};

use super::{Simd, fma};

/// Eight lanes on `wide`, on any target with an operating system or wasm.
///
/// ```
/// use isobath_kernels::simd::{Portable, Simd};
///
/// let mut y = [0.0; 8];
/// Portable.store(Portable.add(Portable.splat(1.0), Portable.load(&[1.0, 2.0])), &mut y);
/// assert_eq!(y, [2.0, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portable;

impl Simd for Portable {
    const NAME: &'static str = "portable";
    const LANES: usize = 8;
    type F32 = f32x8;
    type Mask = f32x8;
    type Group = Self;

    #[inline(always)]
    fn group(self) -> Self {
        self
    }

    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        f()
    }

    #[inline(always)]
    fn splat(self, x: f32) -> f32x8 {
        f32x8::splat(x)
    }
    #[inline(always)]
    fn load(self, x: &[f32]) -> f32x8 {
        match x.first_chunk::<8>() {
            Some(full) => f32x8::new(*full),
            None => {
                let mut lanes = [0.0; 8];
                for (lane, x) in lanes.iter_mut().zip(x) {
                    *lane = *x;
                }
                f32x8::new(lanes)
            }
        }
    }
    #[inline(always)]
    fn store(self, v: f32x8, out: &mut [f32]) {
        let lanes = v.to_array();
        match out.first_chunk_mut::<8>() {
            Some(full) => *full = lanes,
            None => {
                for (out, lane) in out.iter_mut().zip(lanes) {
                    *out = lane;
                }
            }
        }
    }

    #[inline(always)]
    fn add(self, a: f32x8, b: f32x8) -> f32x8 {
        a + b
    }
    #[inline(always)]
    fn sub(self, a: f32x8, b: f32x8) -> f32x8 {
        a - b
    }
    #[inline(always)]
    fn mul(self, a: f32x8, b: f32x8) -> f32x8 {
        a * b
    }
    #[inline(always)]
    fn div(self, a: f32x8, b: f32x8) -> f32x8 {
        a / b
    }
    #[inline(always)]
    fn sqrt(self, a: f32x8) -> f32x8 {
        a.sqrt()
    }
    #[inline(always)]
    fn mul_add(self, a: f32x8, b: f32x8, c: f32x8) -> f32x8 {
        let (a, b, c) = (a.to_array(), b.to_array(), c.to_array());
        let mut sum = [0.0; 8];
        for lane in 0..8 {
            sum[lane] = fma(a[lane], b[lane], c[lane]);
        }
        f32x8::new(sum)
    }

    #[inline(always)]
    fn lt(self, a: f32x8, b: f32x8) -> f32x8 {
        a.simd_lt(b)
    }
    #[inline(always)]
    fn eq(self, a: f32x8, b: f32x8) -> f32x8 {
        a.simd_eq(b)
    }
    #[inline(always)]
    fn select(self, mask: f32x8, a: f32x8, b: f32x8) -> f32x8 {
        (mask & a) | (!mask & b)
    }
    #[inline(always)]
    fn any(self, mask: f32x8) -> bool {
        mask.to_bitmask() != 0
    }

    #[inline(always)]
    fn and_bits(self, a: f32x8, b: f32x8) -> f32x8 {
        a & b
    }
    #[inline(always)]
    fn or_bits(self, a: f32x8, b: f32x8) -> f32x8 {
        a | b
    }
    #[inline(always)]
    fn xor_bits(self, a: f32x8, b: f32x8) -> f32x8 {
        a ^ b
    }
    #[inline(always)]
    fn add_bits(self, a: f32x8, b: f32x8) -> f32x8 {
        cast(cast::<_, i32x8>(a) + cast::<_, i32x8>(b))
    }
    #[inline(always)]
    fn sub_bits(self, a: f32x8, b: f32x8) -> f32x8 {
        cast(cast::<_, i32x8>(a) - cast::<_, i32x8>(b))
    }
    #[inline(always)]
    fn shl_bits<const N: i32>(self, a: f32x8) -> f32x8 {
        cast(cast::<_, u32x8>(a) << N)
    }
    #[inline(always)]
    fn shr_bits<const N: i32>(self, a: f32x8) -> f32x8 {
        cast(cast::<_, u32x8>(a) >> N)
    }
    #[inline(always)]
    fn sar_bits<const N: i32>(self, a: f32x8) -> f32x8 {
        cast(cast::<_, i32x8>(a) >> N)
    }
    #[inline(always)]
    fn lt_bits(self, a: f32x8, b: f32x8) -> f32x8 {
        cast(cast::<_, i32x8>(a).simd_lt(cast::<_, i32x8>(b)))
    }
    #[inline(always)]
    fn eq_bits(self, a: f32x8, b: f32x8) -> f32x8 {
        cast(cast::<_, i32x8>(a).simd_eq(cast::<_, i32x8>(b)))
    }
    #[inline(always)]
    fn lookup<const N: usize>(self, table: &[f32; N], index: f32x8) -> f32x8 {
        const { assert!(N == 8 || N == 16) };
        let index: [u32; 8] = cast(index);
        f32x8::new(index.map(|i| table[i as usize & (N - 1)]))
    }
}
