//! The AVX-512 token: vectors of 16 f32 and mask registers. Needs F, VL, BW and DQ (Skylake-X, Zen 4 and later).

#[cfg(target_arch = "x86")]
use core::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;

use super::{Group, Simd};

/// AVX-512 with F, VL, BW and DQ.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::simd::{Avx2, Avx512, Simd};
///
/// assert_eq!(Avx512::detect().is_some(), Level::from_name("avx512").is_some());
/// if let Some(avx512) = Avx512::detect() {
///     let (mut wide, mut narrow, avx2) = ([0.0; 16], [0.0; 16], Avx2::from(avx512));
///     avx512.store(avx512.splat(1.0), &mut wide);
///     avx2.store(avx2.splat(1.0), &mut narrow);
///     assert_eq!((wide[15], narrow[7], narrow[8]), (1.0, 1.0, 0.0));
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512(());

cpufeatures::new!(has_avx512, "avx512f", "avx512vl", "avx512bw", "avx512dq");

impl Avx512 {
    /// The token, if the CPU and the operating system have the instructions.
    pub fn detect() -> Option<Self> {
        has_avx512::get().then_some(Self(()))
    }
}

/// The mask of the lanes below `length`, which is less than 16.
#[inline(always)]
fn lanes_below(length: usize) -> __mmask16 {
    (1u16 << (length & 15)) - 1
}

impl Simd for Avx512 {
    const NAME: &'static str = "avx512";
    const LANES: usize = 16;
    type F32 = __m512;
    type Mask = __mmask16;
    type Group = Group<Self, 4>;

    #[inline(always)]
    fn group(self) -> Group<Self, 4> {
        Group(self)
    }

    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq")]
        fn with_features<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { with_features(f) }
    }

    #[inline(always)]
    fn load(self, x: &[f32]) -> __m512 {
        // SAFETY: the token proves the instructions; the full load reads 16 elements only where the slice has 16, the
        // masked one reads only lanes below the slice's length.
        unsafe {
            if x.len() >= 16 {
                _mm512_loadu_ps(x.as_ptr())
            } else {
                _mm512_maskz_loadu_ps(lanes_below(x.len()), x.as_ptr())
            }
        }
    }
    #[inline(always)]
    fn load_part(self, x: &[f32]) -> __m512 {
        let lanes = ((1u32 << x.len().min(16)) - 1) as __mmask16;
        // SAFETY: the token proves the instruction, which reads only lanes below the slice's length.
        unsafe { _mm512_maskz_loadu_ps(lanes, x.as_ptr()) }
    }
    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        // SAFETY: x86 has the instruction since SSE; it never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
    }
    #[inline(always)]
    fn prefetch_far(self, address: *const f32) {
        // SAFETY: x86 has the instruction since SSE; it never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) }
    }
    #[inline(always)]
    fn store(self, v: __m512, out: &mut [f32]) {
        // SAFETY: as for `load`, with writes.
        unsafe {
            if out.len() >= 16 {
                _mm512_storeu_ps(out.as_mut_ptr(), v);
            } else {
                _mm512_mask_storeu_ps(out.as_mut_ptr(), lanes_below(out.len()), v);
            }
        }
    }

    #[inline(always)]
    fn store_part(self, v: __m512, out: &mut [f32]) {
        let lanes = ((1u32 << out.len().min(16)) - 1) as __mmask16;
        // SAFETY: the token proves the instruction, which writes only lanes below the slice's length.
        unsafe { _mm512_mask_storeu_ps(out.as_mut_ptr(), lanes, v) }
    }

    #[inline(always)]
    fn any(self, mask: __mmask16) -> bool {
        mask != 0
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    fn sqrt(self, a: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_sqrt_ps(a) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn neg_mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_fnmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn lt(self, a: __m512, b: __m512) -> __mmask16 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b) }
    }
    #[inline(always)]
    fn eq(self, a: __m512, b: __m512) -> __mmask16 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b) }
    }
    #[inline(always)]
    fn select(self, mask: __mmask16, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_mask_blend_ps(mask, b, a) }
    }
    #[inline(always)]
    fn and_bits(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_and_ps(a, b) }
    }
    #[inline(always)]
    fn or_bits(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_or_ps(a, b) }
    }
    #[inline(always)]
    fn xor_bits(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_xor_ps(a, b) }
    }
    #[inline(always)]
    fn add_bits(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b))) }
    }
    #[inline(always)]
    fn sub_bits(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b))) }
    }
    #[inline(always)]
    fn shl_bits<const N: i32>(self, a: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_castsi512_ps(_mm512_sllv_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(N))) }
    }
    #[inline(always)]
    fn shr_bits<const N: i32>(self, a: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_castsi512_ps(_mm512_srlv_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(N))) }
    }
    #[inline(always)]
    fn sar_bits<const N: i32>(self, a: __m512) -> __m512 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_castsi512_ps(_mm512_srav_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(N))) }
    }
    #[inline(always)]
    fn lt_bits(self, a: __m512, b: __m512) -> __mmask16 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_cmplt_epi32_mask(_mm512_castps_si512(a), _mm512_castps_si512(b)) }
    }
    #[inline(always)]
    fn eq_bits(self, a: __m512, b: __m512) -> __mmask16 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm512_cmpeq_epi32_mask(_mm512_castps_si512(a), _mm512_castps_si512(b)) }
    }
    #[inline(always)]
    fn lookup<const N: usize>(self, table: &[f32; N], index: __m512) -> __m512 {
        const { assert!(N == 8 || N == 16) };
        // SAFETY: the token proves the instructions; the loads read the table's 8 or 16 elements. Eight fill both halves
        // of the vector, so that the fourth bit of the index chooses between equals.
        unsafe {
            let table = if N == 8 {
                _mm512_broadcast_f32x8(_mm256_loadu_ps(table.as_ptr()))
            } else {
                _mm512_loadu_ps(table.as_ptr())
            };
            _mm512_permutexvar_ps(_mm512_castps_si512(index), table)
        }
    }
    #[inline(always)]
    fn transpose<'a>(self, row: impl Fn(usize) -> &'a [f32; 4]) -> [__m512; 4] {
        // Four rows that lie four apart are loaded side by side into one vector, which leaves a transposition of 4 x 4
        // within the quarters: two shuffles per vector instead of four.
        let mut v = [self.splat(0.0); 4];
        for r in 0..4 {
            // SAFETY: the token proves the instructions; each load reads the four elements of a row.
            v[r] = unsafe {
                let v = _mm512_castps128_ps512(_mm_loadu_ps(row(r).as_ptr()));
                let v = _mm512_insertf32x4::<1>(v, _mm_loadu_ps(row(r + 4).as_ptr()));
                let v = _mm512_insertf32x4::<2>(v, _mm_loadu_ps(row(r + 8).as_ptr()));
                _mm512_insertf32x4::<3>(v, _mm_loadu_ps(row(r + 12).as_ptr()))
            };
        }
        // SAFETY: the token proves the instructions.
        unsafe {
            let (low01, high01) = (_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
            let (low23, high23) = (_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
            [
                _mm512_shuffle_ps::<0b01_00_01_00>(low01, low23),
                _mm512_shuffle_ps::<0b11_10_11_10>(low01, low23),
                _mm512_shuffle_ps::<0b01_00_01_00>(high01, high23),
                _mm512_shuffle_ps::<0b11_10_11_10>(high01, high23),
            ]
        }
    }
}

impl Avx512 {
    /// The token of vectors of half the width: AVX-512 includes AVX2 and FMA.
    #[inline(always)]
    pub(crate) fn avx2(self) -> super::Avx2 {
        self.into()
    }
}
