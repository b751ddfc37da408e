//! Activations: every kernel over every function.

use isobath_kernels::activation::{
    self, Elu, Gelu, GeluTanh, Identity, LeakyRelu, PRelu, Relu, Selu, Sigmoid, Silu, Softplus, Tanh,
};
use isobath_kernels::{LengthError, Level, MatRef};

use crate::elementwise::kernels;

/// One symbol per function of a type that has no fields, or one: `kernel(level, field, a, b, c)`.
macro_rules! activations {
    ($($name:ident($field:ident) = $activation:expr;)*) => {$(
        #[unsafe(no_mangle)]
        pub fn $name(
            level: Level,
            $field: f32,
            a: &[f32],
            b: &mut [f32],
            c: &mut [f32],
        ) -> Result<(), LengthError> {
            let f = $activation;
            activation::forward(level, f, a, b)?;
            activation::forward_in_place(level, f, b);
            activation::derivative(level, f, a, b)?;
            activation::derivative_in_place(level, f, b);
            activation::forward_with_derivative(level, f, a, b, c)?;
            activation::forward_with_derivative_in_place(level, f, b, c)?;
            activation::backward(level, f, a, b, c)?;
            activation::backward_in_place(level, f, a, b)
        }
    )*};
}

activations! {
    kernel_elu(alpha) = Elu { alpha };
    kernel_gelu(_none) = Gelu;
    kernel_gelu_tanh(_none) = GeluTanh;
    kernel_identity(_none) = Identity;
    kernel_leaky_relu(slope) = LeakyRelu { slope };
    kernel_prelu(slope) = PRelu { slope };
    kernel_relu(_none) = Relu;
    kernel_selu(_none) = Selu;
    kernel_sigmoid(_none) = Sigmoid;
    kernel_silu(_none) = Silu;
    kernel_softplus(_none) = Softplus;
    kernel_tanh(_none) = Tanh;
}

type Checked = Result<(), LengthError>;

kernels! {
    kernel_multiply(level: Level, d: &[f32], dy: &mut [f32]) -> Checked = activation::multiply(level, d, dy);
    kernel_prelu_slope_gradient(level: Level, h: MatRef<'_>, dy: MatRef<'_>, d_slope: &mut [f32]) -> Checked =
        activation::prelu_slope_gradient(level, h, dy, d_slope);
    kernel_prelu_shared_slope_gradient(level: Level, h: MatRef<'_>, dy: MatRef<'_>) -> Result<f32, LengthError> =
        activation::prelu_shared_slope_gradient(level, h, dy);
}

/// The same for derivatives from the output.
macro_rules! from_output {
    ($($name:ident($field:ident) = $activation:expr;)*) => {$(
        #[unsafe(no_mangle)]
        pub fn $name(level: Level, $field: f32, y: &[f32], d: &mut [f32]) -> Checked {
            activation::derivative_from_output(level, $activation, y, d)
        }
    )*};
}

from_output! {
    kernel_elu_from_output(alpha) = Elu { alpha };
    kernel_identity_from_output(_none) = Identity;
    kernel_leaky_relu_from_output(slope) = LeakyRelu { slope };
    kernel_relu_from_output(_none) = Relu;
    kernel_selu_from_output(_none) = Selu;
    kernel_sigmoid_from_output(_none) = Sigmoid;
    kernel_softplus_from_output(_none) = Softplus;
    kernel_tanh_from_output(_none) = Tanh;
}
