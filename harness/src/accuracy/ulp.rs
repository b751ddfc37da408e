//! Distance in units in the last place.

use super::double_double::DoubleDouble;

/// The spacing of f32 at `exact`: 2^(e - 23) in the binade 2^e, 2^-149 where f32 is subnormal.
pub fn spacing(exact: f64) -> f64 {
    let exponent = ((exact.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
    f64::from_bits(((exponent - 23 + 1023) as u64) << 52)
}

/// The error of `found` in units in the last place of f32 at the exact result.
///
/// Infinity counts as 2^128, the number that f32 would have next: a result that rounds to infinity is correct to half
/// a unit. NaN is infinitely wrong.
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
