//! Double-double arithmetic: a number as the unevaluated sum of two f64, with about 104 bits.
//!
//! Source: Dekker (1971); Hida, Li, Bailey, Library for Double-Double and Quad-Double Arithmetic (2007).

use std::ops::{Add, Div, Mul, Neg, Sub};

/// hi + lo, |lo| at most half a unit in the last place of hi.
///
/// ```
/// use isobath::accuracy::double_double::DoubleDouble;
///
/// // An f64 beside 1 loses what is below 1e-16.
/// let sum = DoubleDouble::ONE + 1e-20.into();
/// assert_eq!(sum, DoubleDouble::new(1.0, 1e-20));
/// assert_eq!((sum - DoubleDouble::ONE).hi, 1e-20);
/// assert_eq!(sum.scale(3), DoubleDouble::new(8.0, 8e-20));
/// let third = DoubleDouble::from(3.0).reciprocal();
/// assert!((third * 3.0.into() - DoubleDouble::ONE).hi.abs() < 1e-31);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoubleDouble {
    /// The nearest f64.
    pub hi: f64,
    /// What it lacks.
    pub lo: f64,
}

fn fast_two_sum(a: f64, b: f64) -> DoubleDouble {
    let hi = a + b;
    DoubleDouble { hi, lo: b - (hi - a) }
}

fn two_sum(a: f64, b: f64) -> DoubleDouble {
    let hi = a + b;
    let b_part = hi - a;
    DoubleDouble { hi, lo: (a - (hi - b_part)) + (b - b_part) }
}

fn two_product(a: f64, b: f64) -> DoubleDouble {
    let hi = a * b;
    DoubleDouble { hi, lo: a.mul_add(b, -hi) }
}

impl DoubleDouble {
    /// 1.
    pub const ONE: Self = Self::new(1.0, 0.0);

    /// The sum of two words that do not overlap.
    pub const fn new(hi: f64, lo: f64) -> Self {
        Self { hi, lo }
    }

    /// This times 2^n, for results in the normal range of f64.
    pub fn scale(self, n: i32) -> Self {
        let power = f64::from_bits(((n + 1023) as u64) << 52);
        Self::new(self.hi * power, self.lo * power)
    }

    /// 1 / self.
    pub fn reciprocal(self) -> Self {
        Self::ONE / self
    }
}

impl From<f64> for DoubleDouble {
    fn from(x: f64) -> Self {
        Self::new(x, 0.0)
    }
}

impl Neg for DoubleDouble {
    type Output = Self;
    fn neg(self) -> Self {
        Self::new(-self.hi, -self.lo)
    }
}

impl Add for DoubleDouble {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let high = two_sum(self.hi, other.hi);
        let low = two_sum(self.lo, other.lo);
        let sum = fast_two_sum(high.hi, high.lo + low.hi);
        fast_two_sum(sum.hi, sum.lo + low.lo)
    }
}

impl Sub for DoubleDouble {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for DoubleDouble {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let product = two_product(self.hi, other.hi);
        fast_two_sum(product.hi, product.lo + (self.hi * other.lo + self.lo * other.hi))
    }
}

impl Div for DoubleDouble {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let first = self.hi / other.hi;
        let rest = self - other * first.into();
        let second = rest.hi / other.hi;
        let rest = rest - other * second.into();
        fast_two_sum(first, second) + (rest.hi / other.hi).into()
    }
}
