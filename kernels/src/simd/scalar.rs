//! The scalar token: vectors of one element. What microcontrollers run, and the reference that is read first.

use super::{Simd, fma};

/// One f32 at a time, on any target.
///
/// ```
/// use isobath_kernels::simd::{Scalar, Simd};
///
/// // A vector of one lane is an f32.
/// let (x, y) = (Scalar.load(&[3.0]), Scalar.splat(4.0));
/// assert_eq!(Scalar.sqrt(Scalar.mul_add(x, x, Scalar.mul(y, y))), 5.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar;

#[inline(always)]
fn integers(f: impl Fn(u32, u32) -> u32, a: f32, b: f32) -> f32 {
    f32::from_bits(f(a.to_bits(), b.to_bits()))
}

/// The correctly rounded square root; the instruction where stable Rust can name it.
#[inline(always)]
pub(super) fn square_root(x: f32) -> f32 {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_mm_cvtss_f32, _mm_set_ss, _mm_sqrt_ss};
        // SAFETY: SSE belongs to every x86-64 target.
        unsafe { _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        libm::sqrtf(x)
    }
}

impl Simd for Scalar {
    const NAME: &'static str = "scalar";
    const LANES: usize = 1;
    type F32 = f32;
    type Mask = bool;
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
    fn splat(self, x: f32) -> f32 {
        x
    }
    #[inline(always)]
    fn load(self, x: &[f32]) -> f32 {
        x.first().copied().unwrap_or(0.0)
    }
    #[inline(always)]
    fn store(self, v: f32, out: &mut [f32]) {
        if let Some(first) = out.first_mut() {
            *first = v;
        }
    }

    #[inline(always)]
    fn add(self, a: f32, b: f32) -> f32 {
        a + b
    }
    #[inline(always)]
    fn sub(self, a: f32, b: f32) -> f32 {
        a - b
    }
    #[inline(always)]
    fn mul(self, a: f32, b: f32) -> f32 {
        a * b
    }
    #[inline(always)]
    fn div(self, a: f32, b: f32) -> f32 {
        a / b
    }
    #[inline(always)]
    fn sqrt(self, a: f32) -> f32 {
        square_root(a)
    }
    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        fma(a, b, c)
    }

    #[inline(always)]
    fn lt(self, a: f32, b: f32) -> bool {
        a < b
    }
    #[inline(always)]
    fn eq(self, a: f32, b: f32) -> bool {
        a == b
    }
    #[inline(always)]
    fn select(self, mask: bool, a: f32, b: f32) -> f32 {
        // On bits: a float select after a float compare may become an instruction that quiets NaN.
        f32::from_bits(if mask { a.to_bits() } else { b.to_bits() })
    }
    #[inline(always)]
    fn any(self, mask: bool) -> bool {
        mask
    }

    #[inline(always)]
    fn and_bits(self, a: f32, b: f32) -> f32 {
        integers(|a, b| a & b, a, b)
    }
    #[inline(always)]
    fn or_bits(self, a: f32, b: f32) -> f32 {
        integers(|a, b| a | b, a, b)
    }
    #[inline(always)]
    fn xor_bits(self, a: f32, b: f32) -> f32 {
        integers(|a, b| a ^ b, a, b)
    }
    #[inline(always)]
    fn add_bits(self, a: f32, b: f32) -> f32 {
        integers(u32::wrapping_add, a, b)
    }
    #[inline(always)]
    fn sub_bits(self, a: f32, b: f32) -> f32 {
        integers(u32::wrapping_sub, a, b)
    }
    #[inline(always)]
    fn shl_bits<const N: i32>(self, a: f32) -> f32 {
        f32::from_bits(a.to_bits() << N)
    }
    #[inline(always)]
    fn shr_bits<const N: i32>(self, a: f32) -> f32 {
        f32::from_bits(a.to_bits() >> N)
    }
    #[inline(always)]
    fn sar_bits<const N: i32>(self, a: f32) -> f32 {
        f32::from_bits((a.to_bits() as i32 >> N) as u32)
    }
    #[inline(always)]
    fn lt_bits(self, a: f32, b: f32) -> bool {
        (a.to_bits() as i32) < b.to_bits() as i32
    }
    #[inline(always)]
    fn eq_bits(self, a: f32, b: f32) -> bool {
        a.to_bits() == b.to_bits()
    }
    #[inline(always)]
    fn lookup<const N: usize>(self, table: &[f32; N], index: f32) -> f32 {
        const { assert!(N == 8 || N == 16) };
        table[index.to_bits() as usize & (N - 1)]
    }
}
