//! Oracles of the mathematical functions in double-double arithmetic, relative error below 1e-24 over all f32.
//!
//! They share no formula with the kernels: Taylor series, Newton's method and a continued fraction.

use super::double_double::DoubleDouble;

const LN_2: DoubleDouble = DoubleDouble::new(std::f64::consts::LN_2, 2.3190468138462996e-17);
/// 1 / sqrt(2 pi).
const NORMAL_PEAK: DoubleDouble = DoubleDouble::new(0.3989422804014327, -2.49232720227773e-17);
/// 2 / sqrt(pi).
const ERF_SLOPE: DoubleDouble = DoubleDouble::new(std::f64::consts::FRAC_2_SQRT_PI, 1.533545961316588e-17);

fn number(x: f64) -> DoubleDouble {
    x.into()
}

/// e^x - 1 for |x| <= 0.36: Taylor on x / 64, then (1 + e)^2 - 1 = 2 e + e^2 six times.
fn small_expm1(x: DoubleDouble) -> DoubleDouble {
    let r = x.scale(-6);
    let mut sum = DoubleDouble::ONE;
    for n in (2..=14).rev() {
        sum = DoubleDouble::ONE + sum * r / number(f64::from(n));
    }
    let mut e = sum * r;
    for _ in 0..6 {
        e = e.scale(1) + e * e;
    }
    e
}

/// e^x; 0 below -700.
///
/// ```
/// use isobath::accuracy::{double_double::DoubleDouble, oracle::exp};
///
/// // e to twice the digits of f64.
/// let e = exp(DoubleDouble::ONE);
/// assert_eq!(e.hi, std::f64::consts::E);
/// assert!((e.lo - 1.4456468917292502e-16).abs() < 1e-30);
/// assert_eq!(exp((-1000.0).into()).hi, 0.0);
/// ```
pub fn exp(x: DoubleDouble) -> DoubleDouble {
    if x.hi < -700.0 {
        return number(0.0);
    }
    if x.hi > 700.0 {
        return number(f64::INFINITY);
    }
    let n = (x.hi / LN_2.hi).round();
    (DoubleDouble::ONE + small_expm1(x - LN_2 * number(n))).scale(n as i32)
}

/// e^x - 1.
///
/// ```
/// use isobath::accuracy::oracle::expm1;
///
/// // x + x^2 / 2, and the next term is far below.
/// let y = expm1(1e-20.into());
/// assert_eq!(y.hi, 1e-20);
/// assert!((y.lo / 5e-41 - 1.0).abs() < 1e-3);
/// ```
pub fn expm1(x: DoubleDouble) -> DoubleDouble {
    if x.hi.abs() < 0.35 {
        return small_expm1(x);
    }
    if x.hi > 700.0 {
        return number(f64::INFINITY);
    }
    exp(x) - DoubleDouble::ONE
}

/// ln x, x > 0: one step of Newton's method from the f64 logarithm.
///
/// ```
/// use isobath::accuracy::oracle::ln;
///
/// assert_eq!(ln(2.0.into()).hi, std::f64::consts::LN_2);
/// assert!((ln(8.0.into()) - ln(2.0.into()) * 3.0.into()).hi.abs() < 1e-24);
/// ```
pub fn ln(x: DoubleDouble) -> DoubleDouble {
    let guess = number(x.hi.ln());
    guess + (x * exp(-guess) - DoubleDouble::ONE)
}

/// ln(1 + x), x > -1.
///
/// ```
/// use isobath::accuracy::oracle::log1p;
///
/// // x - x^2 / 2, and the next term is far below.
/// let y = log1p(1e-20.into());
/// assert_eq!(y.hi, 1e-20);
/// assert!((y.lo / -5e-41 - 1.0).abs() < 1e-3);
/// ```
pub fn log1p(x: DoubleDouble) -> DoubleDouble {
    if x.hi.abs() > 1e-3 {
        return ln(DoubleDouble::ONE + x);
    }
    let mut sum = number(0.0);
    for n in (1..=12).rev() {
        sum = DoubleDouble::ONE / number(f64::from(n)) - sum * x;
    }
    sum * x
}

/// 1 / (1 + e^-x), with relative accuracy for negative x.
///
/// ```
/// use isobath::accuracy::oracle::{ln, sigmoid};
///
/// // 1 / (1 + 1/3), and what it lacks of 1.
/// let x = ln(3.0.into());
/// assert!((sigmoid(x) - 0.75.into()).hi.abs() < 1e-24);
/// assert!((sigmoid(-x) - 0.25.into()).hi.abs() < 1e-24);
/// ```
pub fn sigmoid(x: DoubleDouble) -> DoubleDouble {
    if x.hi < 0.0 {
        let e = exp(x);
        return e / (DoubleDouble::ONE + e);
    }
    (DoubleDouble::ONE + exp(-x)).reciprocal()
}

/// sigmoid'(x) = sigmoid(x) sigmoid(-x).
///
/// ```
/// use isobath::accuracy::oracle::{ln, sigmoid_derivative};
///
/// // 3/4 1/4 where e^x = 3.
/// let y = sigmoid_derivative(ln(3.0.into()));
/// assert!((y - 0.1875.into()).hi.abs() < 1e-24);
/// ```
pub fn sigmoid_derivative(x: DoubleDouble) -> DoubleDouble {
    sigmoid(x) * sigmoid(-x)
}

/// tanh x = (e^2x - 1) / (e^2x + 1).
///
/// ```
/// use isobath::accuracy::double_double::DoubleDouble;
/// use isobath::accuracy::oracle::{ln, tanh};
///
/// // (4 - 1) / (4 + 1) where e^x = 2.
/// let y = tanh(ln(2.0.into()));
/// assert!((y - DoubleDouble::from(3.0) / 5.0.into()).hi.abs() < 1e-24);
/// ```
pub fn tanh(x: DoubleDouble) -> DoubleDouble {
    if x.hi.abs() > 50.0 {
        return number(x.hi.signum());
    }
    let e = expm1(x.scale(1));
    e / (e + number(2.0))
}

/// 1 - tanh^2 x = 4 sigmoid'(2 x).
///
/// ```
/// use isobath::accuracy::double_double::DoubleDouble;
/// use isobath::accuracy::oracle::{ln, tanh_derivative};
///
/// // 1 - (3/5)^2 where e^x = 2.
/// let y = tanh_derivative(ln(2.0.into()));
/// assert!((y - DoubleDouble::from(16.0) / 25.0.into()).hi.abs() < 1e-24);
/// ```
pub fn tanh_derivative(x: DoubleDouble) -> DoubleDouble {
    sigmoid_derivative(x.scale(1)).scale(2)
}

/// x sigmoid(x).
///
/// ```
/// use isobath::accuracy::oracle::{ln, silu};
///
/// // 3/4 x where e^x = 3.
/// let x = ln(3.0.into());
/// assert!((silu(x) - x * 0.75.into()).hi.abs() < 1e-24);
/// ```
pub fn silu(x: DoubleDouble) -> DoubleDouble {
    x * sigmoid(x)
}

/// s (1 + x (1 - s)), s = sigmoid(x).
///
/// ```
/// use isobath::accuracy::double_double::DoubleDouble;
/// use isobath::accuracy::oracle::{ln, silu_derivative};
///
/// // 3/4 (1 + x/4) where e^x = 3.
/// let x = ln(3.0.into());
/// let expected = (DoubleDouble::ONE + x.scale(-2)) * 0.75.into();
/// assert!((silu_derivative(x) - expected).hi.abs() < 1e-24);
/// ```
pub fn silu_derivative(x: DoubleDouble) -> DoubleDouble {
    sigmoid(x) * (DoubleDouble::ONE + x * sigmoid(-x))
}

/// The argument of the sigmoid in the tanh form of GELU, 2 sqrt(2/pi) (x + 0.044715 x^3), and its slope.
fn gelu_tanh_argument(x: DoubleDouble) -> (DoubleDouble, DoubleDouble) {
    let coefficient = number(44_715.0) / number(1e6);
    let cubic = coefficient * x * x;
    let factor = NORMAL_PEAK.scale(2);
    let slope = DoubleDouble::ONE + number(3.0) * cubic;
    (factor * x * (DoubleDouble::ONE + cubic), factor * slope)
}

/// x / 2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
///
/// ```
/// use isobath::accuracy::{double_double::DoubleDouble, oracle::gelu_tanh};
///
/// // The tanh is odd, so it cancels here.
/// let x = DoubleDouble::from(1.7);
/// assert!((gelu_tanh(x) - gelu_tanh(-x) - x).hi.abs() < 1e-24);
/// assert_eq!(gelu_tanh(50.0.into()).hi, 50.0);
/// ```
pub fn gelu_tanh(x: DoubleDouble) -> DoubleDouble {
    x * sigmoid(gelu_tanh_argument(x).0)
}

/// The derivative of [`gelu_tanh`].
///
/// ```
/// use isobath::accuracy::{double_double::DoubleDouble, oracle::gelu_tanh_derivative};
///
/// assert_eq!(gelu_tanh_derivative(0.0.into()).hi, 0.5);
/// // Of gelu_tanh(x) - gelu_tanh(-x) = x.
/// let x = DoubleDouble::from(1.7);
/// let slopes = gelu_tanh_derivative(x) + gelu_tanh_derivative(-x);
/// assert!((slopes - DoubleDouble::ONE).hi.abs() < 1e-24);
/// ```
pub fn gelu_tanh_derivative(x: DoubleDouble) -> DoubleDouble {
    let (w, slope) = gelu_tanh_argument(x);
    if w.hi.abs() > 700.0 {
        return number(if w.hi > 0.0 { 1.0 } else { 0.0 });
    }
    sigmoid(w) * (DoubleDouble::ONE + x * slope * sigmoid(-w))
}

/// ln(1 + e^x).
///
/// ```
/// use isobath::accuracy::oracle::{ln, softplus};
///
/// // ln(1 + 7) = 3 ln 2 where e^x = 7.
/// let y = softplus(ln(7.0.into()));
/// assert!((y - ln(2.0.into()) * 3.0.into()).hi.abs() < 1e-24);
/// ```
pub fn softplus(x: DoubleDouble) -> DoubleDouble {
    let rest = log1p(exp(if x.hi > 0.0 { -x } else { x }));
    if x.hi > 0.0 { x + rest } else { rest }
}

/// The sum of z^n / (1 3 5 ... (2 n + 1)).
fn odd_factorial_series(z: DoubleDouble) -> DoubleDouble {
    let mut term = DoubleDouble::ONE;
    let mut sum = term;
    let mut n = 1.0;
    while term.hi > 1e-34 * sum.hi {
        n += 2.0;
        term = term * z / number(n);
        sum = sum + term;
    }
    sum
}

/// erf x = 2 x / sqrt(pi) e^(-x^2) times the series of 2 x^2; 1 beyond 8.
///
/// ```
/// use isobath::accuracy::{double_double::DoubleDouble, oracle::erf};
///
/// assert_eq!(erf(DoubleDouble::ONE).hi, 0.8427007929497149);
/// assert_eq!(erf(-DoubleDouble::ONE), -erf(DoubleDouble::ONE));
/// ```
pub fn erf(x: DoubleDouble) -> DoubleDouble {
    if x.hi.abs() > 8.0 {
        return number(x.hi.signum());
    }
    let square = x * x;
    ERF_SLOPE * x * exp(-square) * odd_factorial_series(square.scale(1))
}

/// The density of the standard normal distribution.
///
/// ```
/// use isobath::accuracy::oracle::{exp, normal_density};
///
/// // e^(-x^2 / 2) of its peak, 1 / sqrt(2 pi).
/// let peak = normal_density(0.0.into());
/// assert_eq!(peak.hi, 0.3989422804014327);
/// assert!((normal_density(2.0.into()) / peak - exp((-2.0).into())).hi.abs() < 1e-24);
/// ```
pub fn normal_density(x: DoubleDouble) -> DoubleDouble {
    if x.hi.abs() > 40.0 {
        return number(0.0);
    }
    NORMAL_PEAK * exp(-(x * x).scale(-1))
}

/// The standard normal distribution function, with relative accuracy for negative x.
///
/// ```
/// use isobath::accuracy::oracle::normal_distribution;
///
/// assert_eq!(normal_distribution(0.0.into()).hi, 0.5);
/// // The quantile of 2.5 %, and a tail that 1 - Phi(10) would lose in f64.
/// assert!((normal_distribution((-1.959963984540054).into()).hi - 0.025).abs() < 1e-16);
/// assert!((normal_distribution((-10.0).into()).hi / 7.619853024160527e-24 - 1.0).abs() < 1e-14);
/// ```
pub fn normal_distribution(x: DoubleDouble) -> DoubleDouble {
    if x.hi.abs() > 40.0 {
        return number(if x.hi > 0.0 { 1.0 } else { 0.0 });
    }
    let density = normal_density(x);
    if x.hi.abs() < 4.0 {
        return number(0.5) + density * x * odd_factorial_series(x * x);
    }
    // The tail by Laplace's continued fraction, density / (a + 1 / (a + 2 / (a + 3 / ...))).
    let a = if x.hi < 0.0 { -x } else { x };
    let mut fraction = a;
    for n in (1..=120).rev() {
        fraction = a + number(f64::from(n)) / fraction;
    }
    let tail = density / fraction;
    if x.hi < 0.0 { tail } else { DoubleDouble::ONE - tail }
}

/// x Phi(x).
///
/// ```
/// use isobath::accuracy::{double_double::DoubleDouble, oracle::gelu};
///
/// // Phi(x) + Phi(-x) = 1.
/// let x = DoubleDouble::from(1.7);
/// assert!((gelu(x) - gelu(-x) - x).hi.abs() < 1e-24);
/// assert_eq!(gelu(50.0.into()).hi, 50.0);
/// ```
pub fn gelu(x: DoubleDouble) -> DoubleDouble {
    if x.hi < -40.0 {
        return number(0.0);
    }
    x * normal_distribution(x)
}

/// Phi(x) + x phi(x).
///
/// ```
/// use isobath::accuracy::{double_double::DoubleDouble, oracle::gelu_derivative};
///
/// assert_eq!(gelu_derivative(0.0.into()).hi, 0.5);
/// // Of gelu(x) - gelu(-x) = x.
/// let x = DoubleDouble::from(1.7);
/// assert!((gelu_derivative(x) + gelu_derivative(-x) - DoubleDouble::ONE).hi.abs() < 1e-24);
/// ```
pub fn gelu_derivative(x: DoubleDouble) -> DoubleDouble {
    if x.hi < -40.0 {
        return number(0.0);
    }
    normal_distribution(x) + x * normal_density(x)
}

const SELU_LAMBDA: DoubleDouble = DoubleDouble::new(1.0507009873554805, 3.9874847667154144e-17);
const SELU_LAMBDA_ALPHA: DoubleDouble = DoubleDouble::new(1.7580993408473768, 1.41535193800845e-17);

/// alpha (e^x - 1) for negative x, else x.
///
/// ```
/// use isobath::accuracy::oracle::{elu, ln};
///
/// // 3 (1/2 - 1) where e^x = 1/2.
/// assert!((elu(3.0, ln(0.5.into())) - (-1.5).into()).hi.abs() < 1e-24);
/// assert_eq!(elu(3.0, 2.0.into()).hi, 2.0);
/// ```
pub fn elu(alpha: f32, x: DoubleDouble) -> DoubleDouble {
    if x.hi < 0.0 { number(f64::from(alpha)) * expm1(x) } else { x }
}

/// alpha e^x for x <= 0, else 1.
///
/// ```
/// use isobath::accuracy::oracle::{elu_derivative, ln};
///
/// // 3/2 where e^x = 1/2.
/// assert!((elu_derivative(3.0, ln(0.5.into())) - 1.5.into()).hi.abs() < 1e-24);
/// assert_eq!(elu_derivative(3.0, 2.0.into()).hi, 1.0);
/// ```
pub fn elu_derivative(alpha: f32, x: DoubleDouble) -> DoubleDouble {
    if x.hi <= 0.0 { number(f64::from(alpha)) * exp(x) } else { DoubleDouble::ONE }
}

/// lambda alpha (e^x - 1) for negative x, else lambda x.
///
/// ```
/// use isobath::accuracy::oracle::{ln, selu};
///
/// assert_eq!(selu(1.0.into()).hi, 1.0507009873554805); // lambda
/// // - lambda alpha / 2 where e^x = 1/2.
/// assert!((selu(ln(0.5.into())).hi + 1.7580993408473768 / 2.0).abs() < 1e-15);
/// ```
pub fn selu(x: DoubleDouble) -> DoubleDouble {
    if x.hi < 0.0 { SELU_LAMBDA_ALPHA * expm1(x) } else { SELU_LAMBDA * x }
}

/// lambda alpha e^x for x <= 0, else lambda.
///
/// ```
/// use isobath::accuracy::oracle::selu_derivative;
///
/// assert_eq!(selu_derivative(1.0.into()).hi, 1.0507009873554805); // lambda
/// assert_eq!(selu_derivative(0.0.into()).hi, 1.7580993408473768); // lambda alpha
/// ```
pub fn selu_derivative(x: DoubleDouble) -> DoubleDouble {
    if x.hi <= 0.0 { SELU_LAMBDA_ALPHA * exp(x) } else { SELU_LAMBDA }
}
