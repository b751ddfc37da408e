//! Activation functions, chosen by a code. A program that calls one function links them all.

use isobath_kernels::Level;
use isobath_kernels::activation::{
    self, Elu, Gelu, GeluTanh, Identity, LeakyRelu, Relu, Selu, Sigmoid, Silu, Softplus, Tanh,
};

use crate::Status;
use crate::borrow::{Input, Output, borrow, borrow_in_place};
use crate::status::status;

/// An activation function f.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum Activation {
    /// f(h) = h.
    Identity = 0,
    /// f(h) = max(h, 0).
    Relu = 1,
    /// f(h) = h for h > 0, else parameter h.
    LeakyRelu = 2,
    /// f(h) = h for h >= 0, else parameter (e^h - 1).
    Elu = 3,
    /// f(h) = lambda h for h >= 0, else lambda alpha (e^h - 1), with the constants that keep mean 0 and variance 1.
    Selu = 4,
    /// f(h) = 1 / (1 + e^-h).
    Sigmoid = 5,
    /// f(h) = tanh h.
    Tanh = 6,
    /// f(h) = h times the normal distribution function of h.
    Gelu = 7,
    /// f(h) = h / 2 (1 + tanh(sqrt(2 / pi) (h + 0.044715 h^3))).
    GeluTanh = 8,
    /// f(h) = h / (1 + e^-h).
    Silu = 9,
    /// f(h) = ln(1 + e^h).
    Softplus = 10,
}

impl Activation {
    const ALL: [Self; 11] = [
        Self::Identity,
        Self::Relu,
        Self::LeakyRelu,
        Self::Elu,
        Self::Selu,
        Self::Sigmoid,
        Self::Tanh,
        Self::Gelu,
        Self::GeluTanh,
        Self::Silu,
        Self::Softplus,
    ];

    fn of(code: u32) -> Result<Self, Status> {
        Self::ALL.into_iter().find(|activation| *activation as u32 == code).ok_or(Status::Code)
    }
}

/// Evaluates `$body` with `$f` being the kernels' type of an activation.
macro_rules! with_function {
    ($activation:expr, $parameter:expr, $f:ident => $body:expr) => {
        match $activation {
            Activation::Identity => with_function!(@ Identity, $f => $body),
            Activation::Relu => with_function!(@ Relu, $f => $body),
            Activation::LeakyRelu => with_function!(@ LeakyRelu { slope: $parameter }, $f => $body),
            Activation::Elu => with_function!(@ Elu { alpha: $parameter }, $f => $body),
            Activation::Selu => with_function!(@ Selu, $f => $body),
            Activation::Sigmoid => with_function!(@ Sigmoid, $f => $body),
            Activation::Tanh => with_function!(@ Tanh, $f => $body),
            Activation::Gelu => with_function!(@ Gelu, $f => $body),
            Activation::GeluTanh => with_function!(@ GeluTanh, $f => $body),
            Activation::Silu => with_function!(@ Silu, $f => $body),
            Activation::Softplus => with_function!(@ Softplus, $f => $body),
        }
    };
    (@ $function:expr, $f:ident => $body:expr) => {{
        let $f = $function;
        $body
    }};
}

/// y = f(h), element by element. y may be h itself, but training needs h again.
///
/// activation is a code, ISOBATH_ACTIVATION_...; parameter is read where the list of codes says so. All functions are
/// within 1 unit in the last place. Errors: ISOBATH_STATUS_CODE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_activation_forward(
    activation: u32,
    parameter: f32,
    h: *const f32,
    y: *mut f32,
    len: usize,
) -> Status {
    status(|| {
        let activation = Activation::of(activation)?;
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let y = unsafe { borrow_in_place(h, y, len) }?;
        with_function!(activation, parameter, f => activation::forward_in_place(Level::detect(), f, y));
        Ok(())
    })
}

/// dy becomes dx = dy f'(h), element by element: h is what isobath_activation_forward read, not what it wrote.
///
/// relu'(0) = 0. Errors: ISOBATH_STATUS_CODE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isobath_activation_backward(
    activation: u32,
    parameter: f32,
    h: *const f32,
    dy_to_dx: *mut f32,
    len: usize,
) -> Status {
    status(|| {
        let activation = Activation::of(activation)?;
        // SAFETY: the caller keeps the contract at the head of isobath.h.
        let (h, dy_to_dx) = unsafe { borrow((Input(h, len), Output(dy_to_dx, len))) }?;
        with_function!(activation, parameter, f => {
            Ok(activation::backward_in_place(Level::detect(), f, h, dy_to_dx)?)
        })
    })
}
