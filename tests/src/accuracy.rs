//! The functions whose error is measured, and how: each kernel beside a fast f64 form and its double-double oracle.

use isobath_kernels::activation::{
    Activation, Elu, Gelu, GeluTanh, Selu, Sigmoid, Silu, Softplus, Tanh, derivative, forward,
};
use isobath_kernels::{LengthError, Level, math};

use crate::double_double::DoubleDouble;
use crate::{oracle, ulp};

type Kernel = Box<dyn Fn(Level, &[f32], &mut [f32]) + Sync>;
type Slices = fn(Level, &[f32], &mut [f32]) -> Result<(), LengthError>;

/// A function of one argument: the kernel, and what it should return.
pub struct Function {
    /// Its name in the table of [`isobath_kernels::math`].
    pub name: &'static str,
    /// The kernel over slices of one length.
    pub kernel: Kernel,
    /// f64 with a relative error below 1e-12: tells the points where the oracle must be asked. NaN asks always.
    fast: fn(f64) -> f64,
    /// The oracle.
    exact: fn(DoubleDouble) -> DoubleDouble,
}

/// The alpha that [`Elu`] is measured with: not a power of two, so that its product rounds.
pub const ELU_ALPHA: f32 = 1.3;

/// Smaller errors are not looked at: rounding alone makes half a unit, and 0 stands for all below this.
const UNSEEN: f64 = 0.45;

/// A largest error and where it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worst {
    /// In units in the last place.
    pub error: f64,
    /// The argument.
    pub x: f32,
}

impl Worst {
    fn include(&mut self, other: Self) {
        if other.error > self.error {
            *self = other;
        }
    }
}

/// The largest errors of a function, apart for results that are normal and subnormal numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Errors {
    /// Where the exact result is at least 2^-126.
    pub normal: Worst,
    /// Where it is less, in units of 2^-149.
    pub subnormal: Worst,
}

impl Errors {
    /// The larger of each.
    pub fn max(mut self, other: Self) -> Self {
        self.normal.include(other.normal);
        self.subnormal.include(other.subnormal);
        self
    }
}

impl Function {
    /// Enlarges `errors` by those at the arguments `x`, of which `y` are the kernel's results. NaN must give NaN.
    ///
    /// # Panics
    /// A NaN gave a number.
    pub fn include(&self, x: &[f32], y: &[f32], errors: &mut Errors) {
        for (&x, &y) in x.iter().zip(y) {
            if x.is_nan() {
                assert!(y.is_nan(), "{} of NaN is {y:e}", self.name);
                continue;
            }
            let fast = (self.fast)(x.into());
            // Exact, or outside the function's domain; poles and infinities included.
            if f64::from(y) == fast || y.is_nan() && fast.is_nan() {
                continue;
            }
            let is_normal = |size: f64| size.abs() >= f64::from(f32::MIN_POSITIVE);
            let known = if is_normal(fast) { errors.normal.error } else { errors.subnormal.error };
            // The estimate is good to a millionth of a unit; only what may exceed the maximum goes to the oracle.
            let estimate = (f64::from(y) - fast).abs() / ulp::spacing(fast);
            if !fast.is_finite() || estimate > known.max(UNSEEN) - 1e-3 {
                let exact = (self.exact)(f64::from(x).into());
                let error = ulp::error(y, exact);
                let class = if is_normal(exact.hi) { &mut errors.normal } else { &mut errors.subnormal };
                class.include(Worst { error, x });
            }
        }
    }

    /// The largest errors at the arguments `x`.
    pub fn measure(&self, level: Level, x: &[f32]) -> Errors {
        let mut y = vec![0.0; x.len()];
        (self.kernel)(level, x, &mut y);
        let mut errors = Errors::default();
        self.include(x, &y, &mut errors);
        errors
    }
}

/// The largest errors that the documentation of [`isobath_kernels::math`] states for a function: normal, subnormal.
///
/// # Panics
/// The table has no such row.
pub fn stated(name: &str) -> (f64, f64) {
    let documentation = include_str!("../../kernels/src/math.rs");
    let row = documentation.lines().find_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("//! |")?.split('|').map(str::trim).collect();
        (cells[0] == format!("`{name}`")).then(|| (cells[1].parse(), cells[2].parse()))
    });
    match row {
        Some((Ok(normal), Ok(subnormal))) => (normal, subnormal),
        _ => panic!("the table has no row of two numbers for {name}"),
    }
}

fn value<A: Activation + Sync + 'static>(act: A) -> Kernel {
    Box::new(move |level, x, y| forward(level, act, x, y).expect("equal lengths"))
}

fn slope<A: Activation + Sync + 'static>(act: A) -> Kernel {
    Box::new(move |level, x, y| derivative(level, act, x, y).expect("equal lengths"))
}

fn slice(f: Slices) -> Kernel {
    Box::new(move |level, x, y| f(level, x, y).expect("equal lengths"))
}

mod fast {
    use super::ELU_ALPHA;
    use std::f64::consts::FRAC_1_SQRT_2;

    pub(super) fn sigmoid(x: f64) -> f64 {
        if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
    }
    pub(super) fn sigmoid_derivative(x: f64) -> f64 {
        sigmoid(x) * sigmoid(-x)
    }
    pub(super) fn tanh_derivative(x: f64) -> f64 {
        4.0 * sigmoid_derivative(2.0 * x)
    }
    /// NaN near the zero of a derivative, where f64 cancels.
    fn away(x: f64, zero: f64, y: f64) -> f64 {
        if (x - zero).abs() < 1e-3 { f64::NAN } else { y }
    }
    pub(super) fn silu(x: f64) -> f64 {
        if x == f64::NEG_INFINITY { 0.0 } else { x * sigmoid(x) }
    }
    pub(super) fn silu_derivative(x: f64) -> f64 {
        if x.abs() > 1e4 {
            return f64::from(x > 0.0);
        }
        away(x, -1.27846454, sigmoid(x) * (1.0 + x * sigmoid(-x)))
    }
    const C: f64 = 1.5957691216057308;
    pub(super) fn gelu_tanh(x: f64) -> f64 {
        if x < -100.0 { 0.0 } else { x * sigmoid(C * x * (1.0 + 0.044715 * x * x)) }
    }
    pub(super) fn gelu_tanh_derivative(x: f64) -> f64 {
        if x.abs() > 100.0 {
            return f64::from(x > 0.0);
        }
        let (w, slope) = (C * x * (1.0 + 0.044715 * x * x), C * (1.0 + 3.0 * 0.044715 * x * x));
        away(x, -0.75246142, sigmoid(w) * (1.0 + x * slope * sigmoid(-w)))
    }
    pub(super) fn normal_distribution(x: f64) -> f64 {
        0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
    }
    pub(super) fn gelu(x: f64) -> f64 {
        if x < -40.0 { 0.0 } else { x * normal_distribution(x) }
    }
    pub(super) fn gelu_derivative(x: f64) -> f64 {
        if x.abs() > 40.0 {
            return f64::from(x > 0.0);
        }
        let density = 0.3989422804014327 * (-0.5 * x * x).exp();
        away(x, -0.75179162, normal_distribution(x) + x * density)
    }
    pub(super) fn softplus(x: f64) -> f64 {
        x.max(0.0) + (-x.abs()).exp().ln_1p()
    }
    pub(super) fn elu(x: f64) -> f64 {
        if x < 0.0 { f64::from(ELU_ALPHA) * x.exp_m1() } else { x }
    }
    pub(super) fn elu_derivative(x: f64) -> f64 {
        if x <= 0.0 { f64::from(ELU_ALPHA) * x.exp() } else { 1.0 }
    }
    pub(super) fn selu(x: f64) -> f64 {
        if x < 0.0 { 1.7580993408473768 * x.exp_m1() } else { 1.0507009873554805 * x }
    }
    pub(super) fn selu_derivative(x: f64) -> f64 {
        if x <= 0.0 { 1.7580993408473768 * x.exp() } else { 1.0507009873554805 }
    }
}

/// Every function with a stated error.
pub fn functions() -> Vec<Function> {
    let elu = Elu { alpha: ELU_ALPHA };
    vec![
        Function { name: "exp", kernel: slice(math::exp_slice), fast: f64::exp, exact: oracle::exp },
        Function { name: "expm1", kernel: slice(math::expm1_slice), fast: f64::exp_m1, exact: oracle::expm1 },
        Function { name: "ln", kernel: slice(math::ln_slice), fast: f64::ln, exact: oracle::ln },
        Function { name: "log1p", kernel: slice(math::log1p_slice), fast: f64::ln_1p, exact: oracle::log1p },
        Function { name: "erf", kernel: slice(math::erf_slice), fast: libm::erf, exact: oracle::erf },
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
