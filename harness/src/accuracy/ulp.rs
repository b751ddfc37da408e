//! Distance in units in the last place.

use super::double_double::DoubleDouble;

/// The spacing of f32 at `exact`: 2^(e - 23) in the binade 2^e, 2^-149 where f32 is subnormal.
///
/// ```
/// use isobath::accuracy::ulp::spacing;
///
/// assert_eq!(spacing(1.5), f64::from(f32::EPSILON));
/// assert_eq!(spacing(-2.0), 2.0 * spacing(1.5));
/// // 2^-149, the smallest number.
/// assert_eq!(spacing(1e-40), f64::from(f32::from_bits(1)));
/// ```
pub fn spacing(exact: f64) -> f64 {
    let exponent = ((exact.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
    f64::from_bits(((exponent - 23 + 1023) as u64) << 52)
}

/// The error of `found` in units in the last place of f32 at the exact result.
///
/// Infinity counts as 2^128, the number that f32 would have next: a result that rounds to infinity is correct to half
/// a unit. NaN is infinitely wrong.
///
/// ```
/// use isobath::accuracy::ulp::{error, spacing};
///
/// assert_eq!(error(1.0_f32.next_up(), 1.0.into()), 1.0);
/// assert_eq!(error(1.0, (1.0 + 0.25 * spacing(1.0)).into()), 0.25);
/// // Beyond the range of f32 only infinity is right.
/// assert_eq!(error(f32::INFINITY, 1e39.into()), 0.0);
/// assert_eq!(error(f32::MAX, 1e39.into()), f64::INFINITY);
/// assert_eq!(error(f32::NAN, 1.0.into()), f64::INFINITY);
/// ```
pub fn error(found: f32, exact: DoubleDouble) -> f64 {
    const BEYOND: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;
    let found = if found.is_infinite() { BEYOND.copysign(found.into()) } else { f64::from(found) };
    // Beyond 2^128 every number rounds to infinity.
    if exact.hi.abs() >= BEYOND {
        return if found == BEYOND.copysign(exact.hi) { 0.0 } else { f64::INFINITY };
    }
    let distance = ((DoubleDouble::from(found) - exact).hi / spacing(exact.hi)).abs();
    if distance.is_nan() { f64::INFINITY } else { distance }
}
