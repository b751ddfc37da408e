//! The sigmoid-weighted linear unit: f(h) = h / (1 + e^-h).
//!
//! Formula: with E = e^-a, a = |h|: f(-a) = -a E / (1 + E), f(a) = a / (1 + E); f'(-a) = (1 + E - a) E / (1 + E)^2 and
//! f'(a) = 1 - f'(-a). Near the zero of 1 + E - a, at 1.278, that factor is a polynomial times the distance.
//! Numerics: see the table in [`crate::math`]; relative accuracy to the end of the left tail and at the zero of f';
//! f(-inf) = -0, f(-0) = -0, f'(-inf) = -0, f'(inf) = 1; NaN stays NaN.
//! Cost: one exponential, one division.
//! Source: Elfwing, Uchibe, Doya (2018); coefficients from `ci/constants/gates.sollya`.

use super::Activation;
use crate::math::double_word::DoubleWord;
use crate::math::limit::at_most;
use crate::math::logistic::{LIMIT, Logistic};
use crate::math::zero::Zero;
use crate::simd::Simd;

/// f(h) = h sigmoid(h).
///
/// ```
/// use isobath_kernels::activation::{Activation, Silu};
/// use isobath_kernels::simd::Scalar;
///
/// let f = |h| Silu.value(Scalar, h);
/// assert_eq!((f(0.0), f(100.0)), (0.0, 100.0));
/// assert!((f(2.0) - f(-2.0) - 2.0).abs() < 1e-6); // as sigmoid(h) + sigmoid(-h) = 1
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silu;

/// Beyond this |h|, 1 + E rounds to 1, and the second word of E may be subnormal.
const FAR: f32 = 70.0;
/// 1 + e^-a - a.
const FACTOR: Zero<5> = Zero {
    at: (1.278_464_555_740_356_4, -1.297_928_253_762_847_8e-8),
    slope: (1.278_464_555_740_356_4, -1.255_049_397_741_459e-8),
    rest: [
        -3.911_804_815_288_633_1e-4,
        2.325_728_768_482_804_3e-3,
        -1.160_234_399_139_881_1e-2,
        4.641_063_511_371_612_5e-2,
        -0.139_232_277_870_178_22,
    ],
};

impl Activation for Silu {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let a = at_most(simd, simd.abs(h), LIMIT);
        let zero = simd.splat(0.0);
        let logistic = Logistic::new(simd, h, zero);
        let far = logistic.gate_factor(simd, DoubleWord { hi: a, lo: zero });
        let factor = FACTOR.or(simd, a, far);
        let far = simd.lt(simd.splat(FAR), simd.abs(h));
        (logistic.gate(simd, h, far), logistic.gate_derivative(simd, h, factor))
    }
}
