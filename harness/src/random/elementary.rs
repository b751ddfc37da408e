//! ln, and sine and cosine of a fraction of a turn, from + - * / alone, so that they have the same
//! bits everywhere.
//!
//! - ln x = e ln 2 + 2 atanh t with x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), t = f / (2 + f), |t| < 0.172.
//!   atanh is its Taylor series t + t^3/3 + t^5/5 + ..., cut after t^9: truncation 2^-28.9. f is exact, so
//!   2 t is written f - t f. ln 2 is split into 16 bits, whose products with e are exact, and the rest.
//! - sin, cos: the angle is reduced to an eighth of a turn either way without rounding, then their
//!   Taylor series, cut after y^9 and y^10: truncation 2^-28.7 and 2^-33.
//!
//! Error: ln 9e-8 relative; sin and cos 1e-7 absolute. Source: the series are textbook
//! mathematics (Abramowitz and Stegun 4.1.27, 4.3.65, 4.3.66).

use core::f32::consts::TAU;

/// Natural logarithm of a normal positive x.
pub(crate) fn ln(x: f32) -> f32 {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    const LN2_HIGH: f32 = 0.693_145_75;
    const LN2_LOW: f32 = 1.428_606_8e-6;

    let offset = x.to_bits().wrapping_sub(SQRT_HALF);
    let exponent = ((offset as i32) >> 23) as f32;
    let f = f32::from_bits((offset & 0x007f_ffff) + SQRT_HALF) - 1.0;
    let t = f / (2.0 + f);
    let s = t * t;
    let rest = 2.0 * s * (1.0 / 3.0 + s * (1.0 / 5.0 + s * (1.0 / 7.0 + s * (1.0 / 9.0))));
    exponent * LN2_HIGH + (f - (t * (f - rest) - exponent * LN2_LOW))
}

/// Sine and cosine of 2 pi x, |x| < 2^20.
pub(crate) fn sin_cos_turns(x: f32) -> (f32, f32) {
    let quarters = 4.0 * x;
    let nearest = (quarters + if quarters < 0.0 { -0.5 } else { 0.5 }) as i32;
    let y = (quarters - nearest as f32) * (TAU / 4.0);
    let s = y * y;
    let sin = y + y * (s * (-1.0 / 6.0 + s * (1.0 / 120.0 + s * (-1.0 / 5040.0 + s * (1.0 / 362_880.0)))));
    let cos = 1.0
        + s * (-1.0 / 2.0
            + s * (1.0 / 24.0 + s * (-1.0 / 720.0 + s * (1.0 / 40_320.0 + s * (-1.0 / 3_628_800.0)))));
    match nearest & 3 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_is_accurate_over_the_range() {
        let mut worst = 0.0_f64;
        for bits in (f32::MIN_POSITIVE.to_bits()..f32::INFINITY.to_bits()).step_by(997) {
            let x = f32::from_bits(bits);
            let exact = libm::log(f64::from(x));
            if exact != 0.0 {
                worst = worst.max(((f64::from(ln(x)) - exact) / exact).abs());
            }
        }
        assert!(worst < 9.0e-8, "{worst:e}");
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn ln_is_accurate_next_to_one() {
        for step in -100_000_i32..100_000 {
            let x = f32::from_bits(1.0_f32.to_bits().wrapping_add_signed(step));
            let exact = libm::log(f64::from(x));
            let error = (f64::from(ln(x)) - exact).abs();
            assert!(error <= 9.0e-8 * exact.abs(), "{x:e}: {error:e}");
        }
    }

    #[test]
    fn sin_and_cos_are_accurate() {
        let mut worst = 0.0_f64;
        for i in -400_000_i32..400_000 {
            let x = i as f32 * 1.0e-5;
            let (sin, cos) = sin_cos_turns(x);
            let angle = f64::from(x) * core::f64::consts::TAU;
            worst = worst.max((f64::from(sin) - libm::sin(angle)).abs());
            worst = worst.max((f64::from(cos) - libm::cos(angle)).abs());
        }
        assert!(worst < 1.0e-7, "{worst:e}");
    }

    #[test]
    fn quarter_turns_are_exact() {
        assert_eq!(sin_cos_turns(0.25), (1.0, 0.0));
        assert_eq!(sin_cos_turns(-0.5), (0.0, -1.0));
        assert_eq!(sin_cos_turns(3.75), (-1.0, 0.0));
    }
}
