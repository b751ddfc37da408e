//! The Gaussian error linear unit: f(h) = h Phi(h). For now its tanh form stands in: absolute error up to 5e-4.

use super::{Activation, GeluTanh};
use crate::simd::Simd;

/// f(h) = h Phi(h), Phi the standard normal distribution function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gelu;

impl Activation for Gelu {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        GeluTanh.value_and_derivative(simd, h)
    }
}
