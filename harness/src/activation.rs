//! The activation functions a network may use, as configuration: names, parameters, parsing.
//!
//! What each one computes is in [`isobath_kernels::activation`]; here is only the choice.

use core::fmt;
use core::str::FromStr;

/// An activation function phi with its parameters.
///
/// ```
/// use isobath::activation::Activation;
///
/// let leaky: Activation = "leaky:0.2".parse()?;
/// assert_eq!(leaky, Activation::Leaky(0.2));
/// assert_eq!(leaky.to_string(), "leaky:0.2");
/// assert_eq!("prelu".parse(), Ok(Activation::Prelu(0.25)));
/// // Twice the input is twice the output, but for tanh.
/// assert!(leaky.is_homogeneous() && !Activation::Tanh.is_homogeneous());
/// # Ok::<(), isobath::activation::ParseActivationError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// phi(h) = h.
    Identity,
    /// 1 / (1 + e^-h).
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// max(h, 0).
    Relu,
    /// h for h > 0, else slope h, with a fixed slope.
    Leaky(f32),
    /// Leaky ReLU whose slope, shared by a layer, is learned from this initial value.
    Prelu(f32),
    /// h for h > 0, else alpha (e^h - 1).
    Elu(f32),
    /// The self-normalising scaled ELU.
    Selu,
    /// h Phi(h), with the exact normal distribution function.
    Gelu,
    /// GELU's tanh approximation.
    GeluTanh,
    /// h sigmoid(h).
    Silu,
    /// ln(1 + e^h).
    Softplus,
}

impl Activation {
    /// The names that [`FromStr`] takes, for help texts and error messages.
    pub const NAMES: &'static str = "sigmoid, tanh, relu, leaky:0.01, prelu:0.25, elu, elu:1.5, selu, gelu, gelu-tanh, silu, softplus, identity";

    /// Whether phi(c h) = c phi(h) for every c > 0, so that the length map is linear.
    pub fn is_homogeneous(self) -> bool {
        matches!(self, Self::Identity | Self::Relu | Self::Leaky(_) | Self::Prelu(_))
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity"),
            Self::Sigmoid => f.write_str("sigmoid"),
            Self::Tanh => f.write_str("tanh"),
            Self::Relu => f.write_str("relu"),
            Self::Leaky(slope) => write!(f, "leaky:{slope}"),
            Self::Prelu(slope) => write!(f, "prelu:{slope}"),
            Self::Elu(alpha) if *alpha == 1.0 => f.write_str("elu"),
            Self::Elu(alpha) => write!(f, "elu:{alpha}"),
            Self::Selu => f.write_str("selu"),
            Self::Gelu => f.write_str("gelu"),
            Self::GeluTanh => f.write_str("gelu-tanh"),
            Self::Silu => f.write_str("silu"),
            Self::Softplus => f.write_str("softplus"),
        }
    }
}

/// Why a text names no activation.
///
/// ```
/// use isobath::activation::{Activation, ParseActivationError};
///
/// let error = "rlu".parse::<Activation>().unwrap_err();
/// assert!(error.to_string().starts_with("unknown activation; allowed are sigmoid, tanh, relu, "));
/// for text in ["leaky:steep", "leaky:inf", "tanh:2"] {
///     assert_eq!(text.parse::<Activation>(), Err(ParseActivationError::BadParameter));
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseActivationError {
    /// No activation has this name.
    UnknownName,
    /// The parameter after the colon is not a finite number, or this activation takes none.
    BadParameter,
}

impl fmt::Display for ParseActivationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName => write!(f, "unknown activation; allowed are {}", Activation::NAMES),
            Self::BadParameter => f.write_str(
                "bad activation parameter; only leaky, prelu and elu take one, a finite number as in leaky:0.01",
            ),
        }
    }
}

impl core::error::Error for ParseActivationError {}

impl FromStr for Activation {
    type Err = ParseActivationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => {
                let value: f32 = parameter.parse().map_err(|_| ParseActivationError::BadParameter)?;
                if !value.is_finite() {
                    return Err(ParseActivationError::BadParameter);
                }
                (name, Some(value))
            }
            None => (text, None),
        };
        let plain = |activation| match parameter {
            None => Ok(activation),
            Some(_) => Err(ParseActivationError::BadParameter),
        };
        match name {
            "identity" => plain(Self::Identity),
            "sigmoid" => plain(Self::Sigmoid),
            "tanh" => plain(Self::Tanh),
            "relu" => plain(Self::Relu),
            "leaky" => Ok(Self::Leaky(parameter.unwrap_or(0.01))),
            "prelu" => Ok(Self::Prelu(parameter.unwrap_or(0.25))),
            "elu" => Ok(Self::Elu(parameter.unwrap_or(1.0))),
            "selu" => plain(Self::Selu),
            "gelu" => plain(Self::Gelu),
            "gelu-tanh" => plain(Self::GeluTanh),
            "silu" => plain(Self::Silu),
            "softplus" => plain(Self::Softplus),
            _ => Err(ParseActivationError::UnknownName),
        }
    }
}

/// Evaluates `$body` with `$phi` bound to the kernel of an [`Activation`]. Kernels are types, so that a program links
/// only those it names; this is where a run-time choice becomes one.
macro_rules! with_kernel {
    ($activation:expr, $phi:ident => $body:expr) => {{
        use isobath_kernels::activation as kernel;
        use $crate::activation::Activation;
        match $activation {
            Activation::Identity => {
                let $phi = kernel::Identity;
                $body
            }
            Activation::Sigmoid => {
                let $phi = kernel::Sigmoid;
                $body
            }
            Activation::Tanh => {
                let $phi = kernel::Tanh;
                $body
            }
            Activation::Relu => {
                let $phi = kernel::Relu;
                $body
            }
            Activation::Leaky(slope) => {
                let $phi = kernel::LeakyRelu { slope };
                $body
            }
            Activation::Prelu(slope) => {
                let $phi = kernel::PRelu { slope };
                $body
            }
            Activation::Elu(alpha) => {
                let $phi = kernel::Elu { alpha };
                $body
            }
            Activation::Selu => {
                let $phi = kernel::Selu;
                $body
            }
            Activation::Gelu => {
                let $phi = kernel::Gelu;
                $body
            }
            Activation::GeluTanh => {
                let $phi = kernel::GeluTanh;
                $body
            }
            Activation::Silu => {
                let $phi = kernel::Silu;
                $body
            }
            Activation::Softplus => {
                let $phi = kernel::Softplus;
                $body
            }
        }
    }};
}
pub(crate) use with_kernel;
