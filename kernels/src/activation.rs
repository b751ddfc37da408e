//! Activation functions, their derivatives and fused backward passes.
//!
//! Derivatives are functions of the argument h: the sigmoid's derivative from a stored y is exactly 0 above h = 17, a
//! false "vanished". Training stores y and f'(h), which [`forward_with_derivative`] computes together; every fused
//! form returns the bits of the separate ones. [`FromOutput`] serves small memories, with its stated error.
//!
//! Derivatives at kinks: relu'(0) = 0; the leaky forms take their slope at 0; elu'(0) and selu'(0) take the left
//! limit. Both zeros count as 0.

mod elu;
mod from_output;
mod gelu;
mod gelu_tanh;
mod identity;
mod leaky_relu;
mod prelu;
mod relu;
mod selu;
mod sigmoid;
mod silu;
mod softplus;
mod tanh;

pub use elu::Elu;
pub use from_output::{FromOutput, derivative_from_output};
pub use gelu::Gelu;
pub use gelu_tanh::GeluTanh;
pub use identity::Identity;
pub use leaky_relu::LeakyRelu;
pub use prelu::{PRelu, prelu_shared_slope_gradient, prelu_slope_gradient};
pub use relu::Relu;
pub use selu::Selu;
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use softplus::Softplus;
pub use tanh::Tanh;

use crate::length::{LengthError, same};
use crate::math::map::{map, map_in_place, zip_in_place};
use crate::part::{from, from_mut, part, part_mut};
use crate::simd::{Level, Simd, dispatch};

/// An activation function f and its derivative f', over vectors.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{Activation, forward_in_place};
/// use isobath_kernels::simd::Simd;
///
/// // A function of one's own, f(h) = h^2, runs in every kernel, on every level.
/// #[derive(Clone, Copy)]
/// struct Square;
///
/// impl Activation for Square {
///     #[inline(always)]
///     fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32) {
///         (simd.mul(h, h), simd.add(h, h))
///     }
/// }
///
/// let mut h = [-3.0, 2.0];
/// forward_in_place(Level::detect(), Square, &mut h);
/// assert_eq!(h, [9.0, 4.0]);
/// ```
pub trait Activation: Copy {
    /// (f(h), f'(h)): what the two have in common is computed once.
    ///
    /// ```
    /// use isobath_kernels::activation::{Activation, LeakyRelu};
    /// use isobath_kernels::simd::Scalar;
    ///
    /// let act = LeakyRelu { slope: 0.5 };
    /// assert_eq!(act.value_and_derivative(Scalar, -4.0), (-2.0, 0.5));
    /// ```
    fn value_and_derivative<S: Simd>(self, simd: S, h: S::F32) -> (S::F32, S::F32);

    /// f(h): one half of [`Activation::value_and_derivative`], so the same bits; the compiler drops the other half.
    ///
    /// ```
    /// use isobath_kernels::activation::{Activation, Relu};
    /// use isobath_kernels::simd::Scalar;
    ///
    /// assert_eq!([-1.0, 2.0].map(|h| Relu.value(Scalar, h)), [0.0, 2.0]);
    /// ```
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, h: S::F32) -> S::F32 {
        self.value_and_derivative(simd, h).0
    }

    /// f'(h): the other half.
    ///
    /// ```
    /// use isobath_kernels::activation::{Activation, Tanh};
    /// use isobath_kernels::simd::Scalar;
    ///
    /// assert_eq!(Tanh.derivative(Scalar, 0.0), 1.0);
    /// ```
    #[inline(always)]
    fn derivative<S: Simd>(self, simd: S, h: S::F32) -> S::F32 {
        self.value_and_derivative(simd, h).1
    }
}

/// y = f(h).
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{self, Elu, Relu};
///
/// let h = [-1.0, 0.0, 2.0];
/// let mut y = [0.0; 3];
/// activation::forward(Level::detect(), Relu, &h, &mut y)?;
/// assert_eq!(y, [0.0, 0.0, 2.0]);
/// activation::forward(Level::detect(), Elu { alpha: 1.0 }, &h, &mut y)?;
/// assert!((y[0] + 0.632).abs() < 1e-3); // e^-1 - 1
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn forward<A: Activation>(level: Level, act: A, h: &[f32], y: &mut [f32]) -> Result<(), LengthError> {
    same(h.len(), y.len())?;
    dispatch!(level, simd => {
        let simd = simd.group();
        map(simd, h, y, #[inline(always)] |h| act.value(simd, h));
    });
    Ok(())
}

/// h becomes f(h).
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{self, LeakyRelu};
///
/// let mut h = [-4.0, 3.0];
/// activation::forward_in_place(Level::detect(), LeakyRelu { slope: 0.25 }, &mut h);
/// assert_eq!(h, [-1.0, 3.0]);
/// ```
pub fn forward_in_place<A: Activation>(level: Level, act: A, h: &mut [f32]) {
    dispatch!(level, simd => {
        let simd = simd.group();
        map_in_place(simd, h, #[inline(always)] |h| act.value(simd, h));
    });
}

/// d = f'(h).
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::activation::{self, Tanh};
/// use isobath_kernels::{Level, LengthError};
///
/// let (h, mut d) = ([0.0, 20.0], [0.0; 2]);
/// activation::derivative(Level::detect(), Tanh, &h, &mut d)?;
/// assert_eq!(d[0], 1.0);
/// assert!(d[1] > 0.0); // tanh 20 rounds to 1, but its slope is not lost
///
/// let error = activation::derivative(Level::detect(), Tanh, &h, &mut [0.0; 3]);
/// assert_eq!(error, Err(LengthError { expected: 2, found: 3 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn derivative<A: Activation>(level: Level, act: A, h: &[f32], d: &mut [f32]) -> Result<(), LengthError> {
    same(h.len(), d.len())?;
    dispatch!(level, simd => {
        let simd = simd.group();
        map(simd, h, d, #[inline(always)] |h| act.derivative(simd, h));
    });
    Ok(())
}

/// h becomes f'(h).
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{self, Relu};
///
/// let mut h = [-1.0, 0.0, 2.0];
/// activation::derivative_in_place(Level::detect(), Relu, &mut h);
/// assert_eq!(h, [0.0, 0.0, 1.0]);
/// ```
pub fn derivative_in_place<A: Activation>(level: Level, act: A, h: &mut [f32]) {
    dispatch!(level, simd => {
        let simd = simd.group();
        map_in_place(simd, h, #[inline(always)] |h| act.derivative(simd, h));
    });
}

/// y = f(h) and d = f'(h) in one pass.
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{self, Sigmoid};
///
/// // What a training step keeps of a layer: its output, and the slope that its gradient will be multiplied by.
/// let h = [0.0_f32; 4];
/// let (mut y, mut slope) = ([0.0; 4], [0.0; 4]);
/// activation::forward_with_derivative(Level::detect(), Sigmoid, &h, &mut y, &mut slope)?;
/// assert_eq!((y[0], slope[0]), (0.5, 0.25)); // the steepest place of a sigmoid
///
/// let mut delta = [1.0; 4];
/// activation::multiply(Level::detect(), &slope, &mut delta)?;
/// assert_eq!(delta, [0.25; 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn forward_with_derivative<A: Activation>(
    level: Level,
    act: A,
    h: &[f32],
    y: &mut [f32],
    d: &mut [f32],
) -> Result<(), LengthError> {
    same(h.len(), y.len())?;
    same(h.len(), d.len())?;
    dispatch!(level, simd => both(simd.group(), act, h, y, d));
    Ok(())
}

#[inline(always)]
fn both<S: Simd, A: Activation>(simd: S, act: A, h: &[f32], y: &mut [f32], d: &mut [f32]) {
    let length = h.len().min(y.len()).min(d.len());
    let (h, y, d) = (part(h, 0, length), part_mut(y, 0, length), part_mut(d, 0, length));
    for at in (0..length).step_by(S::LANES) {
        let (value, derivative) = act.value_and_derivative(simd, simd.load(from(h, at)));
        simd.store(value, from_mut(y, at));
        simd.store(derivative, from_mut(d, at));
    }
}

/// d = f'(h), and h becomes f(h), in one pass.
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{self, Relu};
///
/// // The memory of h is used again for y: two arrays instead of three.
/// let (mut h, mut slope) = ([-1.0, 2.0], [0.0; 2]);
/// activation::forward_with_derivative_in_place(Level::detect(), Relu, &mut h, &mut slope)?;
/// assert_eq!((h, slope), ([0.0, 2.0], [0.0, 1.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn forward_with_derivative_in_place<A: Activation>(
    level: Level,
    act: A,
    h_to_y: &mut [f32],
    d: &mut [f32],
) -> Result<(), LengthError> {
    same(h_to_y.len(), d.len())?;
    dispatch!(level, simd => both_in_place(simd.group(), act, h_to_y, d));
    Ok(())
}

#[inline(always)]
fn both_in_place<S: Simd, A: Activation>(simd: S, act: A, h_to_y: &mut [f32], d: &mut [f32]) {
    let length = h_to_y.len().min(d.len());
    let (h_to_y, d) = (part_mut(h_to_y, 0, length), part_mut(d, 0, length));
    for at in (0..length).step_by(S::LANES) {
        let h_to_y = from_mut(h_to_y, at);
        let (value, derivative) = act.value_and_derivative(simd, simd.load(h_to_y));
        simd.store(value, h_to_y);
        simd.store(derivative, from_mut(d, at));
    }
}

/// dx = dy f'(h).
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{self, Relu};
///
/// let (h, dy) = ([-1.0, 2.0], [0.5, 0.5]);
/// let mut dx = [0.0; 2];
/// activation::backward(Level::detect(), Relu, &h, &dy, &mut dx)?;
/// assert_eq!(dx, [0.0, 0.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn backward<A: Activation>(
    level: Level,
    act: A,
    h: &[f32],
    dy: &[f32],
    dx: &mut [f32],
) -> Result<(), LengthError> {
    same(h.len(), dy.len())?;
    same(h.len(), dx.len())?;
    dispatch!(level, simd => back(simd.group(), act, h, dy, dx));
    Ok(())
}

#[inline(always)]
fn back<S: Simd, A: Activation>(simd: S, act: A, h: &[f32], dy: &[f32], dx: &mut [f32]) {
    let length = h.len().min(dy.len()).min(dx.len());
    let (h, dy, dx) = (part(h, 0, length), part(dy, 0, length), part_mut(dx, 0, length));
    for at in (0..length).step_by(S::LANES) {
        let derivative = act.derivative(simd, simd.load(from(h, at)));
        simd.store(simd.mul(simd.load(from(dy, at)), derivative), from_mut(dx, at));
    }
}

/// dy becomes dy f'(h).
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::Level;
/// use isobath_kernels::activation::{self, Sigmoid};
///
/// // Even at its steepest a sigmoid passes a quarter of the gradient.
/// let (h, mut dy) = ([0.0, 0.0], [4.0, -8.0]);
/// activation::backward_in_place(Level::detect(), Sigmoid, &h, &mut dy)?;
/// assert_eq!(dy, [1.0, -2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn backward_in_place<A: Activation>(
    level: Level,
    act: A,
    h: &[f32],
    dy_to_dx: &mut [f32],
) -> Result<(), LengthError> {
    same(h.len(), dy_to_dx.len())?;
    dispatch!(level, simd => {
        let simd = simd.group();
        zip_in_place(simd, h, dy_to_dx, #[inline(always)] |h, dy| simd.mul(dy, act.derivative(simd, h)));
    });
    Ok(())
}

/// dy becomes dy d, where d = f'(h) was stored.
///
/// # Errors
/// The slices differ in length.
///
/// ```
/// use isobath_kernels::{Level, activation};
///
/// let (stored, mut delta) = ([0.0, 0.5, 1.0], [6.0, 6.0, 6.0]);
/// activation::multiply(Level::detect(), &stored, &mut delta)?;
/// assert_eq!(delta, [0.0, 3.0, 6.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn multiply(level: Level, d: &[f32], dy_to_dx: &mut [f32]) -> Result<(), LengthError> {
    same(d.len(), dy_to_dx.len())?;
    dispatch!(level, simd => zip_in_place(simd, d, dy_to_dx, #[inline(always)] |d, dy| simd.mul(dy, d)));
    Ok(())
}
