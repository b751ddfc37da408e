//! Fused multiply-add of f32 by integers alone, sharing no code with the kernels.
//!
//! A finite f32 is sign * m 2^e with an integer m < 2^24. The product of two is exact in 48 bits; it and the addend
//! are brought to one exponent in a u128, added, and rounded once, to nearest even. The operand with the higher
//! exponent is shifted left by at most 64 bits. What then remains of the other's alignment is a right shift whose
//! lost bits are ORed into its last one; since the sum keeps more than 60 bits in that case, the rounding of its
//! first 24 sees all it needs.

const INFINITY: u32 = 0x7f80_0000;

/// a b + c with one rounding, whatever the machine; NaN results are some NaN.
pub fn fma(a: f32, b: f32, c: f32) -> f32 {
    if a.is_nan() || b.is_nan() || c.is_nan() {
        return f32::NAN;
    }
    let product_is_negative = a.is_sign_negative() != b.is_sign_negative();
    if a.is_infinite() || b.is_infinite() {
        let invalid = a == 0.0 || b == 0.0 || c.is_infinite() && c.is_sign_negative() != product_is_negative;
        return if invalid { f32::NAN } else { signed(product_is_negative, INFINITY) };
    }
    if c.is_infinite() {
        return c;
    }
    let ((ma, ea), (mb, eb), (mc, ec)) = (decode(a), decode(b), decode(c));
    let (mp, ep) = (ma * mb, ea + eb);
    if mp == 0 {
        // A zero keeps its sign only beside a zero of the same sign.
        let both_negative = product_is_negative && c.is_sign_negative();
        return if mc == 0 { signed(both_negative, 0) } else { c };
    }
    if mc == 0 {
        return round(product_is_negative, mp, ep);
    }
    let exponent = ep.min(ec).max(ep.max(ec) - 64);
    let p = align(mp, ep - exponent);
    let q = align(mc, ec - exponent);
    if product_is_negative == c.is_sign_negative() {
        round(product_is_negative, p + q, exponent)
    } else if p > q {
        round(product_is_negative, p - q, exponent)
    } else if q > p {
        round(c.is_sign_negative(), q - p, exponent)
    } else {
        0.0
    }
}

/// The value with these magnitude bits and this sign.
fn signed(negative: bool, magnitude: u32) -> f32 {
    f32::from_bits(u32::from(negative) << 31 | magnitude)
}

/// (m, e) with |x| = m 2^e, for a finite x.
fn decode(x: f32) -> (u128, i32) {
    let (field, fraction) = (x.to_bits() >> 23 & 0xff, x.to_bits() & 0x7f_ffff);
    if field == 0 { (fraction.into(), -149) } else { ((fraction | 1 << 23).into(), field as i32 - 150) }
}

/// m 2^shift; bits that a right shift loses are ORed into the last one.
fn align(m: u128, shift: i32) -> u128 {
    if shift >= 0 {
        m << shift
    } else if shift > -128 {
        let kept = m >> -shift;
        kept | u128::from(kept << -shift != m)
    } else {
        u128::from(m != 0)
    }
}

/// m 2^e for m > 0, to nearest even.
fn round(negative: bool, m: u128, e: i32) -> f32 {
    let bits = 128 - m.leading_zeros() as i32;
    // The result is a multiple of 2^last: of 24 bits, or of the least subnormal.
    let last = (e + bits - 24).max(-149);
    let twice = align(m, e - last + 2); // two bits more: half, and whether anything lies below it
    let tie_or_more = twice & 2 != 0;
    let beyond_tie = twice & 1 != 0;
    let floor = twice >> 2;
    let m = floor + u128::from(tie_or_more && (beyond_tie || floor & 1 != 0));
    // m in 2^23..=2^24, or less where last = -149: the carry into the exponent field is the right one.
    let encoded = ((last + 149) as u128) << 23;
    signed(negative, (encoded + m).min(INFINITY.into()) as u32)
}
