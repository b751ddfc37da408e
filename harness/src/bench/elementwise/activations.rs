//! Activations in their forms: value, derivative, both in one pass, the backward pass, the derivative from the output.

use std::hint::black_box;

use isobath_kernels::activation::{
    self, Activation, Elu, FromOutput, Gelu, GeluTanh, LeakyRelu, PRelu, Relu, Selu, Sigmoid, Silu, Softplus,
    Tanh,
};

use super::Streams;
use super::kernels::{Kernel, Values, matrix};

pub(super) fn kernels() -> Vec<Kernel> {
    let mut kernels = Vec::new();
    forms(&mut kernels, "relu", Relu);
    forms(&mut kernels, "leaky", LeakyRelu { slope: 0.01 });
    forms(&mut kernels, "prelu", PRelu { slope: 0.25 });
    slopes(&mut kernels);
    forms(&mut kernels, "elu", Elu { alpha: 1.0 });
    from_output(&mut kernels, "elu", Elu { alpha: 1.0 });
    forms(&mut kernels, "selu", Selu);
    from_output(&mut kernels, "selu", Selu);
    forms(&mut kernels, "sigmoid", Sigmoid);
    from_output(&mut kernels, "sigmoid", Sigmoid);
    forms(&mut kernels, "tanh", Tanh);
    from_output(&mut kernels, "tanh", Tanh);
    forms(&mut kernels, "gelu", Gelu);
    forms(&mut kernels, "gelu-tanh", GeluTanh);
    forms(&mut kernels, "silu", Silu);
    forms(&mut kernels, "softplus", Softplus);
    from_output(&mut kernels, "softplus", Softplus);
    let multiply = |level, operands: &mut super::operands::Operands| {
        let [dy, d, ..] = operands.arrays.all();
        Ok(activation::multiply(level, d, dy)?)
    };
    kernels.push(Kernel::new("multiply", "", Streams::update(2, 1), multiply).on(Values::One));
    kernels
}

fn forms<A: Activation + 'static>(kernels: &mut Vec<Kernel>, name: &'static str, act: A) {
    kernels.push(Kernel::new(name, "forward", Streams::copy(1, 1), move |level, operands| {
        let [h, y, ..] = operands.arrays.all();
        Ok(activation::forward(level, act, h, y)?)
    }));
    kernels.push(Kernel::new(name, "derivative", Streams::copy(1, 1), move |level, operands| {
        let [h, d, ..] = operands.arrays.all();
        Ok(activation::derivative(level, act, h, d)?)
    }));
    kernels.push(Kernel::new(name, "both", Streams::copy(1, 2), move |level, operands| {
        let [h, y, d, ..] = operands.arrays.all();
        Ok(activation::forward_with_derivative(level, act, h, y, d)?)
    }));
    kernels.push(Kernel::new(name, "backward", Streams::copy(2, 1), move |level, operands| {
        let [h, dy, dx, ..] = operands.arrays.all();
        Ok(activation::backward(level, act, h, dy, dx)?)
    }));
}

fn from_output<A: FromOutput + 'static>(kernels: &mut Vec<Kernel>, name: &'static str, act: A) {
    kernels.push(Kernel::new(name, "from-output", Streams::copy(1, 1), move |level, operands| {
        let [y, d, ..] = operands.arrays.all();
        Ok(activation::derivative_from_output(level, act, y, d)?)
    }));
}

/// The gradients of PReLU's slopes.
fn slopes(kernels: &mut Vec<Kernel>) {
    kernels.push(Kernel::new("prelu", "slopes", Streams::read(2), |level, operands| {
        let [h, dy, ..] = operands.arrays.all();
        Ok(activation::prelu_slope_gradient(level, matrix(h)?, matrix(dy)?, &mut operands.columns[0])?)
    }));
    kernels.push(Kernel::new("prelu", "shared-slope", Streams::read(2), |level, operands| {
        let [h, dy, ..] = operands.arrays.all();
        black_box(activation::prelu_shared_slope_gradient(level, matrix(h)?, matrix(dy)?)?);
        Ok(())
    }));
}
