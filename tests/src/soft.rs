//! An f32 with unlimited exponent, of integers alone: what arrays with a power of two beside them must equal.
//!
//! A finite number is +-m 2^e with 2^23 <= m < 2^24, or 0. Sums are exact in a u128 wherever rounding sees them: the
//! smaller operand's bits more than 100 below the larger one's first are ORed into its last bit.

/// One number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soft {
    /// No number.
    Nan,
    /// Only where an input was infinite.
    Infinite {
        /// Its sign.
        negative: bool,
    },
    /// m 2^e; 0 as m = e = 0.
    Finite {
        /// Its sign.
        negative: bool,
        /// 24 bits, the first of which is 1.
        m: u32,
        /// The power of two.
        e: i64,
    },
}

impl Soft {
    /// +0.
    pub const ZERO: Self = Self::zero(false);
    /// 1.
    pub const ONE: Self = Self::Finite { negative: false, m: 1 << 23, e: -23 };

    const fn zero(negative: bool) -> Self {
        Self::Finite { negative, m: 0, e: 0 }
    }

    /// x 2^exponent.
    pub fn new(x: f32, exponent: i32) -> Self {
        let negative = x.is_sign_negative();
        if x.is_nan() {
            return Self::Nan;
        }
        if x.is_infinite() {
            return Self::Infinite { negative };
        }
        let (field, fraction) = (x.to_bits() >> 23 & 0xff, x.to_bits() & 0x7f_ffff);
        let (m, e) = if field == 0 { (fraction, -149) } else { (fraction | 1 << 23, field as i32 - 150) };
        Self::round(negative, m.into(), i64::from(e) + i64::from(exponent))
    }

    /// self 2^exponent.
    #[must_use]
    pub fn times_power(self, exponent: i64) -> Self {
        match self {
            Self::Finite { negative, m, e } if m != 0 => Self::Finite { negative, m, e: e + exponent },
            same => same,
        }
    }

    /// The nearest f32: infinite beyond its range, subnormal or 0 below.
    pub fn to_f32(self) -> f32 {
        match self {
            Self::Nan => f32::NAN,
            Self::Infinite { negative } => {
                if negative {
                    -f32::INFINITY
                } else {
                    f32::INFINITY
                }
            }
            // Exact in f64 as far as rounding to f32 can see.
            Self::Finite { negative, m, e } => {
                let magnitude = libm::ldexp(f64::from(m), e.clamp(-1000, 900) as i32) as f32;
                if negative { -magnitude } else { magnitude }
            }
        }
    }

    /// e with 2^e <= |self| < 2^(e+1); none for 0 and what is not finite.
    pub fn log2(self) -> Option<i64> {
        match self {
            Self::Finite { m, e, .. } if m != 0 => Some(e + 23),
            _ => None,
        }
    }

    /// Whether self > 0.
    pub fn is_positive(self) -> bool {
        matches!(self, Self::Infinite { negative: false })
            || matches!(self, Self::Finite { negative: false, m, .. } if m != 0)
    }

    /// Whether self is below 0, or -0.
    pub fn is_negative(self) -> bool {
        matches!(self, Self::Infinite { negative: true } | Self::Finite { negative: true, .. })
    }

    /// m 2^e to nearest even.
    fn round(negative: bool, m: u128, e: i64) -> Self {
        if m == 0 {
            return Self::zero(negative);
        }
        let drop = 128 - i64::from(m.leading_zeros()) - 24;
        if drop <= 0 {
            return Self::Finite { negative, m: (m << -drop) as u32, e: e + drop };
        }
        let (kept, lost, half) = (m >> drop, m & ((1 << drop) - 1), 1 << (drop - 1));
        let rounded = kept + u128::from(lost > half || lost == half && kept & 1 == 1);
        // The carry out of 24 bits leaves a power of two.
        let carry = (rounded >> 24) as i64;
        Self::Finite { negative, m: (rounded >> carry) as u32, e: e + drop + carry }
    }

    /// a b + c, rounded once.
    pub fn fma(a: Self, b: Self, c: Self) -> Self {
        match (Self::exact_product(a, b), c) {
            (Exact::Nan, _) | (_, Self::Nan) => Self::Nan,
            (Exact::Infinite(sign), Self::Infinite { negative }) if sign != negative => Self::Nan,
            (Exact::Infinite(negative), _) => Self::Infinite { negative },
            (_, Self::Infinite { negative }) => Self::Infinite { negative },
            (Exact::Finite(sign, product, ep), Self::Finite { negative, m, e }) => {
                Self::add_exact((sign, product.into(), ep), (negative, m.into(), e))
            }
        }
    }

    /// a b, rounded.
    pub fn product(a: Self, b: Self) -> Self {
        match Self::exact_product(a, b) {
            Exact::Nan => Self::Nan,
            Exact::Infinite(negative) => Self::Infinite { negative },
            Exact::Finite(negative, m, e) => Self::round(negative, m.into(), e),
        }
    }

    /// a + b, rounded.
    pub fn sum(a: Self, b: Self) -> Self {
        Self::fma(Self::ONE, a, b)
    }

    fn exact_product(a: Self, b: Self) -> Exact {
        match (a, b) {
            (Self::Nan, _) | (_, Self::Nan) => Exact::Nan,
            (Self::Finite { negative: s, m, e }, Self::Finite { negative: t, m: n, e: f }) => {
                Exact::Finite(s != t, u64::from(m) * u64::from(n), e + f)
            }
            (Self::Infinite { .. }, Self::Finite { m: 0, .. })
            | (Self::Finite { m: 0, .. }, Self::Infinite { .. }) => Exact::Nan,
            _ => Exact::Infinite(a.is_negative() != b.is_negative()),
        }
    }

    fn add_exact((s, mut p, ep): (bool, u128, i64), (t, mut q, eq): (bool, u128, i64)) -> Self {
        if p == 0 && q == 0 {
            return Self::zero(s && t);
        }
        let top = |m: u128, e: i64| if m == 0 { i64::MIN } else { e + 128 - i64::from(m.leading_zeros()) };
        let bottom = top(p, ep).max(top(q, eq)) - 100;
        (p, q) = (at(p, ep, bottom), at(q, eq, bottom));
        match (s == t, p >= q) {
            (true, _) => Self::round(s, p + q, bottom),
            (false, _) if p == q => Self::ZERO,
            (false, true) => Self::round(s, p - q, bottom),
            (false, false) => Self::round(t, q - p, bottom),
        }
    }
}

/// A product before it is rounded: sign, significand, exponent.
enum Exact {
    Nan,
    Infinite(bool),
    Finite(bool, u64, i64),
}

/// m 2^e as a multiple of 2^bottom; bits below it are ORed into the last.
fn at(m: u128, e: i64, bottom: i64) -> u128 {
    match e - bottom {
        _ if m == 0 => 0,
        up @ 0.. => m << up,
        down @ -127..0 => m >> -down | u128::from(m & ((1 << -down) - 1) != 0),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fma::fma;
    use crate::hash::same_bits;
    use crate::reference::noise;

    /// Where nothing leaves f32, it is the other soft float and the machine's own arithmetic.
    #[test]
    fn is_f32_within_its_range() {
        let numbers = noise(3, 3000);
        let powers = [0, 1, -1, 12, -12, 24, -24, 25, -25, 40, -40];
        for (i, x) in numbers.chunks_exact(3).enumerate() {
            let scaled = |j: usize, k: usize| libm::ldexpf(x[j], powers[(i * (k + 1) + j) % powers.len()]);
            // Cancellation, too: c is near -a b every other time.
            let (a, b) = (scaled(0, 0), scaled(1, 1));
            let c = if i % 2 == 0 { scaled(2, 2) } else { -a * b };
            let soft = |x| Soft::new(x, 0);
            for (expected, found) in [
                (fma(a, b, c), Soft::fma(soft(a), soft(b), soft(c))),
                (a * b, Soft::product(soft(a), soft(b))),
                (a + c, Soft::sum(soft(a), soft(c))),
            ] {
                assert!(
                    same_bits(expected, found.to_f32()),
                    "{a:e} {b:e} {c:e}: {found:?}, not {expected:e}"
                );
            }
        }
    }

    #[test]
    fn has_no_end() {
        let huge = Soft::new(1.5, 1_000_000);
        assert_eq!(Soft::product(huge, Soft::new(-1.0, -1_000_000)), Soft::new(-1.5, 0));
        assert_eq!(Soft::sum(huge, Soft::ONE), huge);
        assert_eq!(Soft::sum(huge, Soft::product(Soft::new(-1.0, 0), huge)), Soft::ZERO);
        assert_eq!((huge.to_f32(), Soft::new(-1.5, -300).to_f32().to_bits()), (f32::INFINITY, 1 << 31));
        // 2^24 + 1 is a tie, 2^24 + 1 and what a square of 1 + 2^-23 has beyond it is not.
        let (tie, above) = (Soft::new(1.0, 24), Soft::new(1.0 + f32::EPSILON, 0));
        assert_eq!(Soft::fma(Soft::ONE, Soft::ONE, tie), tie);
        assert_eq!(Soft::fma(above, above, tie), Soft::new(1.0 + f32::EPSILON, 24));
        let infinite = Soft::new(f32::INFINITY, 0);
        assert_eq!(Soft::fma(infinite, Soft::ZERO, Soft::ONE), Soft::Nan);
        assert_eq!(Soft::fma(infinite, Soft::ONE, Soft::new(-f32::INFINITY, 0)), Soft::Nan);
        assert_eq!(Soft::product(infinite, huge), infinite);
    }
}
