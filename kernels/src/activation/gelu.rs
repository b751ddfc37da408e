//! The Gaussian error linear unit: f(h) = h Phi(h), f'(h) = Phi(h) + h phi(h), Phi the normal distribution function.
//!
//! Formula: with a = |h|: f(h) = max(h, 0) - a Phi(-a); f'(-a) = Phi(-a) - a phi(a), f'(a) = 1 - f'(-a). Up to a = 6.5 the
//! tail is e^x by pieces, and its derivative's zero is a factor, see `math/normal.rs`; beyond, see `math/normal_far.rs`.
//! Numerics: see the table in [`crate::math`]; relative accuracy to the end of the left tail and at the zero of f';
//! f(-inf) = -0, f(-0) = -0, f'(-inf) = -0, f'(inf) = 1; NaN stays NaN.
//! Cost: one exponential, 7 lookups for f, 15 for both; some 50 operations more where a lane's |h| exceeds 6.5.
//! Source: Hendrycks, Gimpel (2016).

use super::Activation;
use crate::math::normal::{EDGE, NormalTail};
use crate::math::normal_far::far;
use crate::simd::Simd;

/// f(h) = h Phi(h), Phi the standard normal distribution function.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{Gelu, forward_in_place};
///
/// let mut h = [1.0, -1.0, 50.0];
/// forward_in_place(Level::detect(), Gelu, &mut h);
/// assert!((h[0] - h[1] - 1.0).abs() < 1e-6); // Phi(1) + Phi(-1) = 1
/// assert_eq!(h[2], 50.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gelu;

impl Activation for Gelu {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let a = simd.abs(h);
        let negative = simd.lt_bits(h, simd.splat(0.0));
        let tail = NormalTail::new(simd, a);
        let line = simd.select(negative, simd.splat(-0.0), h);
        let value = tail.distribution.product_from(simd, a, line);
        let slope = tail.derivative(simd);
        let derivative = simd.select(negative, slope.round(simd), slope.one_minus(simd).round(simd));

        let beyond = simd.lt(simd.splat(EDGE), a);
        if simd.any(beyond) {
            let (bump, slope) = far(simd, a);
            let far_value = simd.select(negative, simd.neg(bump), h);
            let far_derivative = simd.select(negative, slope, simd.sub(simd.splat(1.0), slope));
            (simd.select(beyond, far_value, value), simd.select(beyond, far_derivative, derivative))
        } else {
            (value, derivative)
        }
    }
}
