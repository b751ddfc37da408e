//! Gradient clipping: by value, by the global norm, and adaptively by unit.
//!
//! Each writes in place, needs no workspace and reports what it did. Norms cover the whole range of f32
//! ([`crate::reduce`]), so a finite gradient whose norm is beyond f32 is still clipped, and its elements come out as
//! if the scale had no smallest exponent. Where a norm is infinite or NaN there is no scale: the report says so and the
//! gradient stays as it was.

mod adaptive;
mod by_norm;
mod by_value;

pub use adaptive::adaptive;
pub use by_norm::{by_global_norm, scale_to_norm};
pub use by_value::by_value;

use core::fmt;

use crate::reduce::{Norm, Scaled, ShapeError};

/// What clipping found and did.
///
/// ```
/// use isobath_kernels::{Level, clip};
///
/// let mut gradient = [6.0, 8.0];
/// let report = clip::by_global_norm(Level::detect(), &mut [&mut gradient], 5.0)?;
/// assert_eq!((report.norm.to_f32(), report.scale, report.clipped), (10.0, 0.5, 2));
/// assert_eq!(gradient, [3.0, 4.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipReport {
    /// Norm of all elements before clipping; infinite or NaN if any element is.
    pub norm: Norm,
    /// By norm: the factor of the gradient. Adaptively: the least factor of a unit. By value, or if nothing was
    /// clipped: 1. A factor below the range of f32 is 0 here, though not in the gradient.
    pub scale: f32,
    /// By value: elements cut. By norm: elements scaled, so all or none. Adaptively: units scaled.
    pub clipped: usize,
}

/// Why nothing was clipped.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::clip::{ClipError, by_value};
///
/// let error = by_value(Level::detect(), &mut [3.0], -1.0).unwrap_err();
/// assert_eq!(error, ClipError::Bound { bound: -1.0 });
/// assert_eq!(error.to_string(), "gradients are clipped to a bound of 0 or more, not -1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClipError {
    /// Operands whose shapes must agree do not.
    Shape(ShapeError),
    /// A bound is negative or NaN.
    Bound {
        /// The bound as given.
        bound: f32,
    },
}

impl fmt::Display for ClipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::Bound { bound } => write!(f, "gradients are clipped to a bound of 0 or more, not {bound}"),
        }
    }
}

impl core::error::Error for ClipError {}

impl From<ShapeError> for ClipError {
    fn from(error: ShapeError) -> Self {
        Self::Shape(error)
    }
}

/// The magnitude of `bound`, so that -0 is 0; an error if it is less than 0 or NaN.
fn check_bound(bound: f32) -> Result<f32, ClipError> {
    if bound >= 0.0 { Ok(bound.abs()) } else { Err(ClipError::Bound { bound }) }
}

/// min(1, max_norm / norm), or None where it is 1 or where there is none.
fn scale_for(norm: Norm, max_norm: Scaled) -> Option<Scaled> {
    (norm.is_finite() && max_norm.is_less_than(norm)).then(|| max_norm.over(norm))
}

/// Two f32 whose product is `scale`, which is at most 1: the first a power of two, and 1 unless `scale` is below the
/// range of f32. Multiplied in this order they round once, wherever the result is not 0.
fn factors(scale: Scaled) -> [f32; 2] {
    if scale.exponent < -126 {
        let power = Scaled { significand: 1.0, exponent: scale.exponent.saturating_add(126) };
        [power.to_f32(), Scaled { exponent: -126, ..scale }.to_f32()]
    } else {
        [1.0, scale.to_f32()]
    }
}
