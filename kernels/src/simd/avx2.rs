//! The AVX2 token: vectors of 8 f32, with FMA. x86 from Haswell (2013) and Zen on.

#[cfg(target_arch = "x86")]
use core::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;

use super::{Group, Simd};

/// AVX2 and FMA.
///
/// ```
/// use isobath_kernels::simd::{Avx2, Simd};
///
/// if let Some(avx2) = Avx2::detect() {
///     // Compiled with AVX2 and FMA: there is a token, so the CPU has both.
///     let mut y = [0.0; 8];
///     avx2.vectorize(#[inline(always)] || avx2.store(avx2.sqrt(avx2.splat(16.0)), &mut y));
///     assert_eq!(y, [4.0; 8]);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

cpufeatures::new!(has_avx2, "avx2", "fma");

impl Avx2 {
    /// The token, if the CPU and the operating system have the instructions.
    pub fn detect() -> Option<Self> {
        has_avx2::get().then_some(Self(()))
    }
}

impl From<super::Avx512> for Avx2 {
    /// Every CPU with AVX-512 has AVX2 and FMA.
    fn from(_: super::Avx512) -> Self {
        Self(())
    }
}

/// A mask whose lanes below `length` are set (their sign bit), for the masked load and store.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn lanes_below(length: usize) -> __m256i {
    // SAFETY: the caller has AVX2.
    unsafe {
        let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_cmpgt_epi32(_mm256_set1_epi32(length.min(8) as i32), lane)
    }
}

impl Simd for Avx2 {
    const NAME: &'static str = "avx2";
    const LANES: usize = 8;
    type F32 = __m256;
    type Mask = __m256;
    type Group = Group<Self, 4>;

    #[inline(always)]
    fn group(self) -> Group<Self, 4> {
        Group(self)
    }

    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        fn with_features<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { with_features(f) }
    }

    #[inline(always)]
    fn load(self, x: &[f32]) -> __m256 {
        // SAFETY: the token proves the instructions; the full load reads 8 elements only where the slice has 8, the
        // masked one reads only lanes below the slice's length.
        unsafe {
            if x.len() >= 8 {
                _mm256_loadu_ps(x.as_ptr())
            } else {
                _mm256_maskload_ps(x.as_ptr(), lanes_below(x.len()))
            }
        }
    }
    #[inline(always)]
    fn load_part(self, x: &[f32]) -> __m256 {
        // SAFETY: the token proves the instructions, which read only lanes below the slice's length.
        unsafe { _mm256_maskload_ps(x.as_ptr(), lanes_below(x.len())) }
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
    fn store(self, v: __m256, out: &mut [f32]) {
        // SAFETY: as for `load`, with writes.
        unsafe {
            if out.len() >= 8 {
                _mm256_storeu_ps(out.as_mut_ptr(), v);
            } else {
                self.store_short(v, out);
            }
        }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    fn sqrt(self, a: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_sqrt_ps(a) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn neg_mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_fnmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn lt(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_cmp_ps::<_CMP_LT_OQ>(a, b) }
    }
    #[inline(always)]
    fn eq(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b) }
    }
    #[inline(always)]
    fn select(self, mask: __m256, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_blendv_ps(b, a, mask) }
    }
    #[inline(always)]
    fn any(self, mask: __m256) -> bool {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_movemask_ps(mask) != 0 }
    }
    #[inline(always)]
    fn and_bits(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_and_ps(a, b) }
    }
    #[inline(always)]
    fn or_bits(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_or_ps(a, b) }
    }
    #[inline(always)]
    fn xor_bits(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_xor_ps(a, b) }
    }
    #[inline(always)]
    fn add_bits(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b))) }
    }
    #[inline(always)]
    fn sub_bits(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b))) }
    }
    #[inline(always)]
    fn shl_bits<const N: i32>(self, a: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<N>(_mm256_castps_si256(a))) }
    }
    #[inline(always)]
    fn shr_bits<const N: i32>(self, a: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_castsi256_ps(_mm256_srli_epi32::<N>(_mm256_castps_si256(a))) }
    }
    #[inline(always)]
    fn sar_bits<const N: i32>(self, a: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_castsi256_ps(_mm256_srai_epi32::<N>(_mm256_castps_si256(a))) }
    }
    #[inline(always)]
    fn lt_bits(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_castps_si256(b), _mm256_castps_si256(a))) }
    }
    #[inline(always)]
    fn eq_bits(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has these instructions.
        unsafe { _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b))) }
    }
    #[inline(always)]
    fn lookup<const N: usize>(self, table: &[f32; N], index: __m256) -> __m256 {
        const { assert!(N == 8 || N == 16) };
        // SAFETY: the token proves the instructions; each load reads 8 of the table's 8 or 16 elements.
        unsafe {
            let i = _mm256_castps_si256(index);
            let low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr()), i);
            if N == 8 {
                return low;
            }
            let high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr().add(8)), i);
            // The blend looks at the sign bit: bit 3 of the index is moved there.
            _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32::<28>(i)))
        }
    }
    #[inline(always)]
    fn transpose<'a>(self, row: impl Fn(usize) -> &'a [f32; 4]) -> [__m256; 4] {
        // Two rows that lie four apart are loaded side by side into one vector, which leaves a transposition of 4 x 4
        // within the halves: two shuffles per vector instead of three.
        let mut v = [self.splat(0.0); 4];
        for r in 0..4 {
            // SAFETY: the token proves the instructions; each load reads the four elements of a row.
            v[r] = unsafe {
                let v = _mm256_castps128_ps256(_mm_loadu_ps(row(r).as_ptr()));
                _mm256_insertf128_ps::<1>(v, _mm_loadu_ps(row(r + 4).as_ptr()))
            };
        }
        // SAFETY: the token proves the instructions.
        unsafe {
            let (low01, high01) = (_mm256_unpacklo_ps(v[0], v[1]), _mm256_unpackhi_ps(v[0], v[1]));
            let (low23, high23) = (_mm256_unpacklo_ps(v[2], v[3]), _mm256_unpackhi_ps(v[2], v[3]));
            [
                _mm256_shuffle_ps::<0b01_00_01_00>(low01, low23),
                _mm256_shuffle_ps::<0b11_10_11_10>(low01, low23),
                _mm256_shuffle_ps::<0b01_00_01_00>(high01, high23),
                _mm256_shuffle_ps::<0b11_10_11_10>(high01, high23),
            ]
        }
    }
}

impl Avx2 {
    /// Writes the first lanes of `v` to a slice of less than eight elements, in pieces of four, two and one: a masked
    /// store is dozens of operations on AMD's CPUs.
    ///
    /// # Safety
    /// The CPU has AVX.
    #[inline(always)]
    unsafe fn store_short(self, v: __m256, out: &mut [f32]) {
        // SAFETY: the caller has AVX; each store writes to an array of its size within the slice.
        unsafe {
            let mut part = _mm256_castps256_ps128(v);
            let (fours, rest) = out.as_chunks_mut::<4>();
            if let Some(four) = fours.first_mut() {
                _mm_storeu_ps(four.as_mut_ptr(), part);
                part = _mm256_extractf128_ps::<1>(v);
            }
            let (twos, rest) = rest.as_chunks_mut::<2>();
            if let Some(two) = twos.first_mut() {
                _mm_storel_pd(two.as_mut_ptr().cast(), _mm_castps_pd(part));
                part = _mm_movehl_ps(part, part);
            }
            if let Some(one) = rest.first_mut() {
                _mm_store_ss(one, part);
            }
        }
    }
}
