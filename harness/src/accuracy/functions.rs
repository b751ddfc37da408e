//! The functions with a stated error, each kernel beside its f64 form and its oracle.

use isobath_kernels::activation::{
    Activation, Elu, Gelu, GeluTanh, Selu, Sigmoid, Silu, Softplus, Tanh, derivative, forward,
};
use isobath_kernels::math;

use super::{Function, Kernel, fast, oracle};

/// The alpha that [`Elu`] is measured with: not a power of two, so that its product rounds.
pub const ELU_ALPHA: f32 = 1.3;

fn value<A: Activation + Send + Sync + 'static>(act: A) -> Kernel {
    Box::new(move |level, x, y| forward(level, act, x, y))
}

fn slope<A: Activation + Send + Sync + 'static>(act: A) -> Kernel {
    Box::new(move |level, x, y| derivative(level, act, x, y))
}

/// Every function with a stated error.
///
/// ```
/// use isobath::accuracy::{functions, stated};
///
/// let functions = functions();
/// assert!(functions.iter().all(|function| stated(function.name).is_some()));
/// // The derivatives, too, have one.
/// assert!(functions.iter().any(|function| function.name == "gelu'"));
/// ```
pub fn functions() -> Vec<Function> {
    let elu = Elu { alpha: ELU_ALPHA };
    vec![
        Function { name: "exp", kernel: Box::new(math::exp_slice), fast: f64::exp, exact: oracle::exp },
        Function {
            name: "expm1",
            kernel: Box::new(math::expm1_slice),
            fast: f64::exp_m1,
            exact: oracle::expm1,
        },
        Function { name: "ln", kernel: Box::new(math::ln_slice), fast: f64::ln, exact: oracle::ln },
        Function {
            name: "log1p",
            kernel: Box::new(math::log1p_slice),
            fast: f64::ln_1p,
            exact: oracle::log1p,
        },
        Function { name: "erf", kernel: Box::new(math::erf_slice), fast: libm::erf, exact: oracle::erf },
        Function { name: "sigmoid", kernel: value(Sigmoid), fast: fast::sigmoid, exact: oracle::sigmoid },
        Function {
            name: "sigmoid'",
            kernel: slope(Sigmoid),
            fast: fast::sigmoid_derivative,
            exact: oracle::sigmoid_derivative,
        },
        Function { name: "tanh", kernel: value(Tanh), fast: f64::tanh, exact: oracle::tanh },
        Function {
            name: "tanh'",
            kernel: slope(Tanh),
            fast: fast::tanh_derivative,
            exact: oracle::tanh_derivative,
        },
        Function { name: "elu", kernel: value(elu), fast: fast::elu, exact: |x| oracle::elu(ELU_ALPHA, x) },
        Function {
            name: "elu'",
            kernel: slope(elu),
            fast: fast::elu_derivative,
            exact: |x| oracle::elu_derivative(ELU_ALPHA, x),
        },
        Function { name: "selu", kernel: value(Selu), fast: fast::selu, exact: oracle::selu },
        Function {
            name: "selu'",
            kernel: slope(Selu),
            fast: fast::selu_derivative,
            exact: oracle::selu_derivative,
        },
        Function { name: "gelu", kernel: value(Gelu), fast: fast::gelu, exact: oracle::gelu },
        Function {
            name: "gelu'",
            kernel: slope(Gelu),
            fast: fast::gelu_derivative,
            exact: oracle::gelu_derivative,
        },
        Function {
            name: "gelu_tanh",
            kernel: value(GeluTanh),
            fast: fast::gelu_tanh,
            exact: oracle::gelu_tanh,
        },
        Function {
            name: "gelu_tanh'",
            kernel: slope(GeluTanh),
            fast: fast::gelu_tanh_derivative,
            exact: oracle::gelu_tanh_derivative,
        },
        Function { name: "silu", kernel: value(Silu), fast: fast::silu, exact: oracle::silu },
        Function {
            name: "silu'",
            kernel: slope(Silu),
            fast: fast::silu_derivative,
            exact: oracle::silu_derivative,
        },
        Function { name: "softplus", kernel: value(Softplus), fast: fast::softplus, exact: oracle::softplus },
    ]
}
