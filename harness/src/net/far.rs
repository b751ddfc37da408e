//! Activations of pre-activations that carry a power of two.
//!
//! phi is not homogeneous, so it needs the true h. Beyond 2^±60 it does not need it to the last power: phi is then a
//! constant or a straight line through 0 to the last bit of an f32. So phi is evaluated at the same significand times
//! 2^±60, and on a line the rest of the power is given back.
//! Cost: some tens of nanoseconds per element, where it happens at all.

use super::exponent::excess;
use crate::activation::Activation;

/// Where phi is a constant or a line to the last bit: gelu(h) = h (1/2 + 0.4 h + ..) is the last to become one.
const FAR: i32 = 60;

/// Replaces h, which stands for h 2^exponent, by arguments of phi whose magnitude is in [2^-61, 2^60); `rest` becomes
/// the power of two that phi of each lacks.
pub(super) fn approach(function: Activation, exponent: i32, h: &mut [f32], rest: &mut [f32]) {
    for (h, rest) in h.iter_mut().zip(rest) {
        *rest = 0.0;
        if *h == 0.0 || !h.is_finite() {
            continue;
        }
        let (significand, own) = libm::frexpf(*h);
        let power = own + exponent;
        let near = power.clamp(-FAR, FAR);
        *h = libm::ldexpf(significand, near);
        if is_line(function, *h, power - near) {
            *rest = (power - near) as f32;
        }
    }
}

/// Whether phi is a line through 0 on the side of h and beyond 2^60 (`rest` > 0) or below 2^-60.
fn is_line(function: Activation, h: f32, rest: i32) -> bool {
    match function {
        Activation::Sigmoid => false,
        Activation::Tanh => rest < 0,
        Activation::Softplus => rest > 0 && h > 0.0,
        _ => rest < 0 || h > 0.0,
    }
}

/// Gives y the power of two that each element lacks, on a common one, which is returned.
pub(super) fn recede(y: &mut [f32], rest: &[f32]) -> i32 {
    let finite = y.iter().zip(rest).filter(|(y, _)| **y != 0.0 && y.is_finite());
    let common = finite.map(|(y, rest)| libm::frexpf(*y).1 + *rest as i32).max().map_or(0, excess);
    for (y, rest) in y.iter_mut().zip(rest) {
        *y = libm::ldexpf(*y, *rest as i32 - common);
    }
    common
}
