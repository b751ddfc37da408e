//! The NEON token: vectors of 4 f32 on aarch64, where Advanced SIMD is always present.

use core::arch::aarch64::*;

use super::{Group, Simd};

/// Advanced SIMD of aarch64.
///
/// ```
/// use isobath_kernels::simd::{Neon, Simd};
///
/// let (neon, mut y) = (Neon::new(), [0.0; 4]);
/// neon.store(neon.mul(neon.load(&[1.0, 2.0, 3.0, 4.0]), neon.splat(2.0)), &mut y);
/// assert_eq!(y, [2.0, 4.0, 6.0, 8.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neon(());

impl Neon {
    /// The token: every aarch64 target that compiles this file has the instructions.
    #[expect(clippy::new_without_default, reason = "a token is a proof, not a value with a default")]
    pub fn new() -> Self {
        Self(())
    }
}

impl Simd for Neon {
    const NAME: &'static str = "neon";
    const LANES: usize = 4;
    type F32 = float32x4_t;
    type Mask = uint32x4_t;
    type Group = Group<Self, 2>;

    #[inline(always)]
    fn group(self) -> Group<Self, 2> {
        Group(self)
    }

    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        #[inline]
        #[target_feature(enable = "neon")]
        fn with_features<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { with_features(f) }
    }

    #[inline(always)]
    fn load(self, x: &[f32]) -> float32x4_t {
        let mut lanes = [0.0; 4];
        let source = match x.first_chunk::<4>() {
            Some(full) => full,
            None => {
                for (lane, x) in lanes.iter_mut().zip(x) {
                    *lane = *x;
                }
                &lanes
            }
        };
        // SAFETY: `source` is an array of 4 elements; the token proves the instruction.
        unsafe { vld1q_f32(source.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, v: float32x4_t, out: &mut [f32]) {
        if let Some(full) = out.first_chunk_mut::<4>() {
            // SAFETY: `full` is an array of 4 elements; the token proves the instruction.
            unsafe { vst1q_f32(full.as_mut_ptr(), v) };
        } else {
            let mut lanes = [0.0; 4];
            // SAFETY: `lanes` is an array of 4 elements; the token proves the instruction.
            unsafe { vst1q_f32(lanes.as_mut_ptr(), v) };
            for (out, lane) in out.iter_mut().zip(lanes) {
                *out = lane;
            }
        }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vaddq_f32(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vsubq_f32(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vmulq_f32(a, b) }
    }
    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vdivq_f32(a, b) }
    }
    #[inline(always)]
    fn sqrt(self, a: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vsqrtq_f32(a) }
    }
    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    fn neg_mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vfmsq_f32(c, a, b) }
    }
    #[inline(always)]
    fn lt(self, a: float32x4_t, b: float32x4_t) -> uint32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vcltq_f32(a, b) }
    }
    #[inline(always)]
    fn eq(self, a: float32x4_t, b: float32x4_t) -> uint32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vceqq_f32(a, b) }
    }
    #[inline(always)]
    fn select(self, mask: uint32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vbslq_f32(mask, a, b) }
    }
    #[inline(always)]
    fn any(self, mask: uint32x4_t) -> bool {
        // Pairwise, because LLVM looks into `vmaxvq`: where a group asks for any of two comparisons with one constant,
        // it compares the larger of both numbers instead, which a signalling NaN turns into NaN.
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vgetq_lane_u64::<0>(vreinterpretq_u64_u32(vpmaxq_u32(mask, mask))) != 0 }
    }
    #[inline(always)]
    fn and_bits(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b))) }
    }
    #[inline(always)]
    fn or_bits(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b))) }
    }
    #[inline(always)]
    fn xor_bits(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b))) }
    }
    #[inline(always)]
    fn add_bits(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b))) }
    }
    #[inline(always)]
    fn sub_bits(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vreinterpretq_f32_u32(vsubq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b))) }
    }
    #[inline(always)]
    fn shl_bits<const N: i32>(self, a: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vreinterpretq_f32_u32(vshlq_n_u32::<N>(vreinterpretq_u32_f32(a))) }
    }
    #[inline(always)]
    fn shr_bits<const N: i32>(self, a: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vreinterpretq_f32_u32(vshrq_n_u32::<N>(vreinterpretq_u32_f32(a))) }
    }
    #[inline(always)]
    fn sar_bits<const N: i32>(self, a: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vreinterpretq_f32_s32(vshrq_n_s32::<N>(vreinterpretq_s32_f32(a))) }
    }
    #[inline(always)]
    fn lt_bits(self, a: float32x4_t, b: float32x4_t) -> uint32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vcltq_s32(vreinterpretq_s32_f32(a), vreinterpretq_s32_f32(b)) }
    }
    #[inline(always)]
    fn eq_bits(self, a: float32x4_t, b: float32x4_t) -> uint32x4_t {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { vceqq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)) }
    }
    #[inline(always)]
    fn transpose<'a>(self, row: impl Fn(usize) -> &'a [f32; 4]) -> [float32x4_t; 4] {
        let mut v = [self.splat(0.0); 4];
        for r in 0..4 {
            // SAFETY: the token proves the instructions; the load reads the four elements of a row.
            v[r] = unsafe { vld1q_f32(row(r).as_ptr()) };
        }
        // SAFETY: the token proves the instructions.
        unsafe {
            let pairs = |a: float32x4_t, b: float32x4_t| (vtrn1q_f32(a, b), vtrn2q_f32(a, b));
            let ((even01, odd01), (even23, odd23)) = (pairs(v[0], v[1]), pairs(v[2], v[3]));
            let low =
                |a, b| vreinterpretq_f32_f64(vtrn1q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
            let high =
                |a, b| vreinterpretq_f32_f64(vtrn2q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
            [low(even01, even23), low(odd01, odd23), high(even01, even23), high(odd01, odd23)]
        }
    }
    #[inline(always)]
    fn lookup<const N: usize>(self, table: &[f32; N], index: float32x4_t) -> float32x4_t {
        const { assert!(N == 8 || N == 16) };
        let bytes: *const u8 = table.as_ptr().cast();
        // SAFETY: the token proves the instructions; the loads read the 32 or 64 bytes of the table.
        unsafe {
            // Element i is the bytes 4 i to 4 i + 3.
            let i = vandq_u32(vreinterpretq_u32_f32(index), vdupq_n_u32(N as u32 - 1));
            let first = vmulq_u32(i, vdupq_n_u32(0x0404_0404));
            let each = vreinterpretq_u8_u32(vaddq_u32(first, vdupq_n_u32(0x0302_0100)));
            vreinterpretq_f32_u8(if N == 8 {
                vqtbl2q_u8(vld1q_u8_x2(bytes), each)
            } else {
                vqtbl4q_u8(vld1q_u8_x4(bytes), each)
            })
        }
    }
}
