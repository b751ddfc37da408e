//! The rectifier: f(h) = max(h, 0), f'(h) = 1 for h > 0, else 0.
//!
//! Numerics: exact; f(-0) = +0. NaN of either sign stays NaN: the comparison sees bits, and those of a negative NaN are
//! less than those of -inf. f'(NaN) = NaN.
//! Cost: one comparison and one select each.

use super::{Activation, FromOutput};
use crate::simd::Simd;

/// f(h) = max(h, 0).
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{Relu, forward_in_place};
///
/// let mut h = [-1.0, 2.0, f32::NAN];
/// forward_in_place(Level::detect(), Relu, &mut h);
/// assert_eq!(h[..2], [0.0, 2.0]);
/// assert!(h[2].is_nan()); // max(NaN, 0) would hide that training has failed
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relu;

/// The bits of -inf are the largest signed integer below those of every negative NaN: -8388608.
const NEGATIVE_INFINITY: u32 = 0xff80_0000;

/// Whether h > 0; false for NaN.
#[inline(always)]
pub(super) fn is_positive<S: Simd>(simd: S, h: S::F32) -> S::Mask {
    simd.lt(simd.splat(0.0), h)
}

impl Activation for Relu {
    #[inline(always)]
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
        let zero = simd.splat(0.0);
        let dead = simd.lt_bits(h, simd.splat_bits(NEGATIVE_INFINITY + 1));
        let value = simd.select(dead, zero, h);
        let slope = simd.select(is_positive(simd, h), simd.splat(1.0), zero);
        (value, keep_nan(simd, h, slope))
    }
}

/// `y`, or NaN where `h` is.
#[inline(always)]
pub(super) fn keep_nan<S: Simd>(simd: S, h: S::F32, y: S::F32) -> S::F32 {
    simd.select(simd.eq(h, h), y, h)
}

impl FromOutput for Relu {
    #[inline(always)]
    fn derivative_from_output<S: Simd>(self, simd: S, y: S::F32) -> S::F32 {
        self.derivative(simd, y)
    }
}
