//! Fused multiply-add of three f32, rounded once, where it is one scalar at a time: a b + c.
//!
//! Uses the instruction where the target is known to have one and emulates it exactly elsewhere. The platform's
//! `fmaf` is not called: it is slow on microcontrollers and wrong on some systems.

/// a b + c, rounded once to nearest, ties to even; subnormals, infinities and NaN as IEEE-754 has them.
///
/// ```
/// use isobath_kernels::simd::fma;
///
/// // The f32 next to 0.1 is a little larger; ten times it rounds to 1, but not inside a fused operation.
/// assert_eq!(0.1 * 10.0 - 1.0, 0.0_f32);
/// assert_eq!(fma(0.1, 10.0, -1.0), f32::EPSILON / 8.0);
/// ```
#[inline(always)]
pub fn fma(a: f32, b: f32, c: f32) -> f32 {
    hardware::fma(a, b, c)
}

#[cfg(all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "fma"))]
mod hardware {
    #[cfg(target_arch = "x86")]
    use core::arch::x86::{_mm_cvtss_f32, _mm_fmadd_ss, _mm_set_ss};
    #[cfg(target_arch = "x86_64")]
    use core::arch::x86_64::{_mm_cvtss_f32, _mm_fmadd_ss, _mm_set_ss};

    #[inline(always)]
    pub(super) fn fma(a: f32, b: f32, c: f32) -> f32 {
        // SAFETY: the crate is compiled with the `fma` target feature, see the cfg above.
        unsafe { _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c))) }
    }
}

#[cfg(target_arch = "aarch64")]
mod hardware {
    use core::arch::aarch64::{vdup_n_f32, vfma_f32, vget_lane_f32};

    #[inline(always)]
    pub(super) fn fma(a: f32, b: f32, c: f32) -> f32 {
        // SAFETY: Advanced SIMD belongs to every aarch64 hard-float target.
        unsafe { vget_lane_f32::<0>(vfma_f32(vdup_n_f32(c), vdup_n_f32(a), vdup_n_f32(b))) }
    }
}

/// f32 by way of f64: the product of two f32 is exact in f64; the sum is rounded to odd there, which keeps every
/// bit that the second rounding, to f32, needs (Boldo and Melquiond 2008: 53 >= 24 + 2, subnormal results too).
#[cfg(any(
    all(any(target_arch = "x86", target_arch = "x86_64"), not(target_feature = "fma")),
    target_arch = "wasm32"
))]
mod hardware {
    #[inline(always)]
    pub(super) fn fma(a: f32, b: f32, c: f32) -> f32 {
        let product = f64::from(a) * f64::from(b);
        let addend = f64::from(c);
        let sum = product + addend;
        // Knuth's two-sum: error is exact, or NaN where the sum is not finite.
        let addend_part = sum - product;
        let error = (product - (sum - addend_part)) + (addend - addend_part);
        // Where the sum was inexact and its last bit is even, the odd neighbour lies on the error's side.
        let bits = sum.to_bits();
        // NaN is not greater.
        let inexact = u64::from(error.abs() > 0.0);
        let even = !bits & 1;
        let towards_zero = u64::from((error < 0.0) != (sum < 0.0));
        let odd = bits.wrapping_add((inexact & even).wrapping_mul(1u64.wrapping_sub(towards_zero << 1)));
        f64::from_bits(odd) as f32
    }
}

/// Cortex-M with a floating-point unit; see `gemm` for the condition. Operands travel through core registers, because
/// stable Rust takes floating-point ones as clobbers only here. That is still cheaper than a call, around which the
/// compiler saves all of them.
#[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf", not(target_has_atomic = "64")))]
mod hardware {
    #[inline(always)]
    pub(super) fn fma(a: f32, b: f32, c: f32) -> f32 {
        let result: u32;
        // SAFETY: every Cortex-M of this ABI has the instructions; they touch the named registers and nothing else.
        unsafe {
            core::arch::asm!(
                ".fpu fpv4-sp-d16",
                "vmov s0, {a}",
                "vmov s1, {b}",
                "vmov s2, {c}",
                "vfma.f32 s2, s0, s1",
                "vmov {result}, s2",
                a = in(reg) a.to_bits(),
                b = in(reg) b.to_bits(),
                c = in(reg) c.to_bits(),
                result = lateout(reg) result,
                out("s0") _,
                out("s1") _,
                out("s2") _,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        f32::from_bits(result)
    }
}

#[cfg(not(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "wasm32",
    all(target_arch = "arm", target_os = "none", target_abi = "eabihf", not(target_has_atomic = "64"))
)))]
mod hardware {
    pub(super) use super::fma_from_integers as fma;
}

/// The same function by integer arithmetic alone, for targets without the instruction and without fast f64.
///
/// ```
/// use isobath_kernels::simd::{fma, fma_from_integers};
///
/// assert_eq!(fma_from_integers(2.0, 3.0, 4.0), 10.0);
/// // The product is too large for an f32, the result is not.
/// assert_eq!(fma_from_integers(2e38, 2.0, -2e38), 2e38);
/// assert_eq!(fma(2e38, 2.0, -2e38), 2e38);
/// ```
pub fn fma_from_integers(a: f32, b: f32, c: f32) -> f32 {
    const EXPONENT: u32 = 0x7f80_0000;
    let (x, y, z) = (a.to_bits(), b.to_bits(), c.to_bits());
    let special = |bits: u32| bits & EXPONENT == EXPONENT;
    // An infinite addend wins over any finite product, one too large for an f32 too.
    if special(z) && !special(x) && !special(y) {
        return c;
    }
    // Other infinities and NaN, and products that are exactly zero: the plain operations are exact or agree.
    if special(x) || special(y) || special(z) || x << 1 == 0 || y << 1 == 0 {
        return a * b + c;
    }
    let (product_exponent, product) = {
        let ((ex, mx), (ey, my)) = (split(x), split(y));
        (ex + ey, u64::from(mx) * u64::from(my))
    };
    let product_sign = (x ^ y) >> 31;
    if z << 1 == 0 {
        return round(product_sign, product_exponent, u128::from(product));
    }
    let (c_exponent, c_significand) = split(z);
    // Both terms on a common grid of 128 bits. The product has at most 48 bits and c 24; a shift is capped at 77, beyond
    // which the smaller term is less than a quarter of the last place that matters and only its sign and its being
    // there count.
    let (mut left, mut left_exponent) = (u128::from(product), product_exponent);
    let (mut right, mut right_exponent) = (u128::from(c_significand), c_exponent);
    align(&mut left, &mut left_exponent, right_exponent);
    align(&mut right, &mut right_exponent, left_exponent);
    let exponent = if left_exponent > right_exponent {
        // `right` lies far below: keep it as a single unit.
        left_exponent -= 2;
        left <<= 2;
        right = 1;
        left_exponent
    } else if right_exponent > left_exponent {
        right_exponent -= 2;
        right <<= 2;
        left = 1;
        right_exponent
    } else {
        left_exponent
    };
    let c_sign = z >> 31;
    if product_sign == c_sign {
        round(product_sign, exponent, left + right)
    } else if left >= right {
        // An exact zero from unlike signs is +0.
        round(if left == right { 0 } else { product_sign }, exponent, left - right)
    } else {
        round(c_sign, exponent, right - left)
    }
}

/// Exponent and significand of a finite non-zero f32: value = significand 2^exponent.
fn split(bits: u32) -> (i32, u32) {
    let biased = (bits >> 23 & 0xff) as i32;
    let fraction = bits & 0x007f_ffff;
    if biased == 0 { (-149, fraction) } else { (biased - 150, fraction | 0x0080_0000) }
}

/// Lowers `exponent` towards `target` by shifting left, by 77 bits at most.
fn align(significand: &mut u128, exponent: &mut i32, target: i32) {
    let shift = (*exponent - target).clamp(0, 77);
    *significand <<= shift;
    *exponent -= shift;
}

/// (-1)^sign significand 2^exponent, rounded to nearest even.
fn round(sign: u32, exponent: i32, significand: u128) -> f32 {
    let sign = sign << 31;
    if significand == 0 {
        return f32::from_bits(sign);
    }
    let length = 128 - significand.leading_zeros() as i32;
    // The last place of the result: 24 bits below the leading one, or that of the subnormals.
    let last = (exponent + length - 24).max(-149);
    let drop = last - exponent;
    let kept = if drop <= 0 {
        significand << -drop
    } else if drop > 127 {
        0
    } else {
        let quotient = significand >> drop;
        let rest = significand & ((1 << drop) - 1);
        let half = 1u128 << (drop - 1);
        quotient + u128::from(rest > half || (rest == half && quotient & 1 == 1))
    } as u32;
    // A carry to 2^24 moves into the exponent field by itself.
    let biased = (last + 149) as u32;
    let magnitude = if kept < 0x0080_0000 { kept } else { kept.wrapping_add(biased << 23) };
    if magnitude >= 0x7f80_0000 || biased > 253 && kept >= 0x0080_0000 {
        return f32::from_bits(sign | 0x7f80_0000);
    }
    f32::from_bits(sign | magnitude)
}
