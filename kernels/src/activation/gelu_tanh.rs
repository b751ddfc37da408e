//! The Gaussian error linear unit in its tanh form: f(h) = h / 2 (1 + tanh(sqrt(2/pi) (h + 0.044715 h^3))).
//!
//! Formula: f(h) = h / (1 + e^-w), w = 2 sqrt(2/pi) (h + 0.044715 h^3) a double word. With a = |h|, E = e^-w(a):
//! f'(-a) = (1 + E - a w'(a)) E / (1 + E)^2 and f'(a) = 1 - f'(-a). Near the zero of the first factor, at 0.752, it is a
//! polynomial times the distance.
//! Numerics: see the table in [`crate::math`]; relative accuracy to the end of the left tail and at the zero of f';
//! f(-inf) = -0, f(-0) = -0, f'(-inf) = -0, f'(inf) = 1; NaN stays NaN.
//! Cost: one exponential, one division.
//! Source: Hendrycks, Gimpel (2016); coefficients from `ci/constants/gates.sollya`.

use super::Activation;
use crate::math::double_word::DoubleWord;
use crate::math::limit::at_most;
use crate::math::logistic::Logistic;
use crate::math::zero::Zero;
use crate::simd::Simd;

/// f(h) = h / 2 (1 + tanh(sqrt(2/pi) (h + 0.044715 h^3))).
///
/// ```
/// use isobath_kernels::activation::{Activation, Gelu, GeluTanh};
/// use isobath_kernels::simd::Scalar;
///
/// // An approximation of Gelu, to three decimal places.
/// assert_eq!(GeluTanh.value(Scalar, 0.0), 0.0);
/// assert!((GeluTanh.value(Scalar, 1.0) - Gelu.value(Scalar, 1.0)).abs() < 1e-3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeluTanh;

/// 2 sqrt(2/pi), and 0.044715 times that.
const LINEAR: (f32, f32) = (1.595_769_166_946_411_1, -4.534_068_054_340_423e-8);
const CUBIC: (f32, f32) = (7.135_481_387_376_785e-2, 2.398_832_465_999_596e-9);
/// Beyond this |h|, 1 + E rounds to 1, and the second word of E may be subnormal.
const FAR: f32 = 8.0;
/// Beyond it h e^-w and h w' e^-w round to zero.
const LIMIT: f32 = 11.1;

/// 1 + e^-w(a) - a w'(a).
const FACTOR: Zero<6> = Zero {
    at: (0.752_461_433_410_644_53, -1.133_962_790_333_954e-8),
    slope: (2.460_656_881_332_397_5, -1.167_799_013_046_583_2e-7),
    rest: [
        3.740_402_171_388_268_5e-3,
        -1.142_430_491_745_472e-2,
        3.048_375_993_967_056_4e-2,
        -7.595_483_213_663_101e-2,
        0.400_447_726_249_694_82,
        9.991_148_859_262_466_4e-2,
    ],
};

impl Activation for GeluTanh {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let a = at_most(simd, simd.abs(h), LIMIT);
        let linear = DoubleWord::splat(simd, LINEAR);
        let square = DoubleWord::splat(simd, CUBIC).mul(simd, DoubleWord::product(simd, a, a));
        let w = linear.sum_of(simd, square).scale(simd, a);
        let logistic = Logistic::new(simd, w.hi, w.lo);
        // a w'(a), and its share in the factor.
        let rise = linear.sum_of(simd, square.scale(simd, simd.splat(3.0))).scale(simd, a);
        let factor = FACTOR.or(simd, a, logistic.gate_factor(simd, rise.normalize(simd)));
        let far = simd.lt(simd.splat(FAR), a);
        (logistic.gate(simd, h, far), logistic.gate_derivative(simd, h, factor))
    }
}
