//! A non-negative number with the precision of f32 and an exponent beyond its range: [`Scaled`].
//!
//! A gradient's squares, and their sum, leave the range of f32 long before the gradient does: 1e20 squared is
//! infinite, 1e-25 squared is zero. Here every operation rounds as f32 would if its exponent had no end.

use crate::simd::{Scalar, Simd};

/// significand * 2^exponent.
///
/// The significand lies in [1, 2); or it is zero, infinite or NaN, and the exponent is 0.
///
/// ```
/// use isobath_kernels::reduce::Scaled;
///
/// // 3 2^100: its square, 9 2^200, is beyond f32, and the root of that is not.
/// let x = Scaled { significand: 1.5, exponent: 101 };
/// let square = x.times(x);
/// assert_eq!(square, Scaled { significand: 1.125, exponent: 203 });
/// assert!(square.is_finite() && x.is_less_than(square));
/// assert_eq!(square.to_f32(), f32::INFINITY);
/// assert_eq!(square.sqrt(), x);
/// assert_eq!(square.over(x), x);
/// assert_eq!(Scaled::new(3.0).plus(Scaled::new(-4.0)).to_f32(), 7.0); // magnitudes
/// assert!(Scaled::new(-0.0).is_zero());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaled {
    /// In [1, 2), or zero, infinite or NaN.
    pub significand: f32,
    /// Power of two.
    pub exponent: i32,
}

impl Scaled {
    /// Zero.
    pub const ZERO: Self = Self { significand: 0.0, exponent: 0 };

    /// The value of `x` exactly; its magnitude, if negative.
    pub fn new(x: f32) -> Self {
        Self::with_exponent(x, 0)
    }

    /// |x| 2^exponent.
    pub(crate) fn with_exponent(x: f32, exponent: i32) -> Self {
        const ONE: u32 = 1.0f32.to_bits();
        let bits = x.to_bits() & 0x7fff_ffff;
        if bits == 0 || bits >= f32::INFINITY.to_bits() {
            return Self { significand: f32::from_bits(bits), exponent: 0 };
        }
        if bits < f32::MIN_POSITIVE.to_bits() {
            // Subnormal: an exact step into the normal range.
            return Self::with_exponent(x * power_of_two(24), exponent.saturating_sub(24));
        }
        let field = (bits >> 23) as i32 - 127;
        Self { significand: f32::from_bits(bits & 0x7f_ffff | ONE), exponent: exponent.saturating_add(field) }
    }

    /// The nearest f32: infinity if too large, subnormal or +0.0 if too small. Rounds once.
    pub fn to_f32(self) -> f32 {
        match self.exponent {
            128.. => self.significand * f32::INFINITY,
            -126.. => self.significand * power_of_two(self.exponent),
            // The first product is exact and normal, so only the second one rounds.
            exponent => self.significand * power_of_two(-126) * power_of_two(exponent.saturating_add(126)),
        }
    }

    /// Whether this is neither infinite nor NaN. A finite value may still be too large for an f32.
    pub fn is_finite(self) -> bool {
        self.significand.is_finite()
    }

    /// Whether this is zero.
    pub fn is_zero(self) -> bool {
        self.significand == 0.0
    }

    /// Whether this is less than `other`; false where either is NaN.
    pub fn is_less_than(self, other: Self) -> bool {
        let ordinary = |x: Self| x.is_finite() && !x.is_zero();
        if ordinary(self) && ordinary(other) && self.exponent != other.exponent {
            self.exponent < other.exponent
        } else {
            self.significand < other.significand
        }
    }

    /// The sum, rounded as f32.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        if self.is_zero() || !other.is_finite() {
            return Self::with_exponent(self.significand + other.significand, other.exponent);
        }
        if other.is_zero() || !self.is_finite() {
            return Self::with_exponent(self.significand + other.significand, self.exponent);
        }
        let (large, small) = if self.exponent < other.exponent { (other, self) } else { (self, other) };
        // 64 places below, nothing of `small` is left in the sum.
        let shift = small.exponent.saturating_sub(large.exponent).max(-64);
        let sum = Scalar.mul_add(small.significand, power_of_two(shift), large.significand);
        Self::with_exponent(sum, large.exponent)
    }

    /// The product, rounded as f32.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        Self::with_exponent(
            self.significand * other.significand,
            self.exponent.saturating_add(other.exponent),
        )
    }

    /// The quotient, rounded as f32.
    #[must_use]
    pub fn over(self, divisor: Self) -> Self {
        let exponent = self.exponent.saturating_sub(divisor.exponent);
        Self::with_exponent(self.significand / divisor.significand, exponent)
    }

    /// The square root, rounded as f32.
    #[must_use]
    pub fn sqrt(self) -> Self {
        let odd = self.exponent & 1;
        let root = Scalar.sqrt(self.significand * power_of_two(odd));
        Self::with_exponent(root, (self.exponent - odd) / 2)
    }
}

/// 2^exponent for an exponent in -126..=127, clamped to these.
pub(crate) fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits(((exponent.clamp(-126, 127) + 127) as u32) << 23)
}
