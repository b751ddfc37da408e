//! The slope phi' of an activation: where it is steepest, and where a gradient that passes it becomes smaller.
//!
//! A gradient is multiplied by a slope at each layer, so L layers multiply it by at most
//! [`max_derivative`](super::phi::max_derivative)^L, weights apart. Wherever |phi'| < 1, an activation alone makes it
//! smaller. Source: definitions; for GELU and SiLU phi'(-h) = 1 - phi'(h), so that the slope is 1 opposite the minimum.

use core::fmt;

use super::phi::{d_phi, inflection};
use crate::activation::Activation;

/// Where |phi'| is largest.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::slope::{Steepest, steepest};
///
/// assert_eq!(steepest(Activation::Relu), Steepest::Positive);
/// assert_eq!(Steepest::Positive.to_string(), "at every h > 0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Steepest {
    /// At every h.
    Everywhere,
    /// At every h > 0.
    Positive,
    /// At every h < 0.
    Negative,
    /// At this h alone.
    At(f64),
    /// Where h comes to 0 from below.
    BelowZero,
    /// Nowhere quite: the slope comes ever closer as h grows.
    Infinity,
}

impl fmt::Display for Steepest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => f.write_str("at every h"),
            Self::Positive => f.write_str("at every h > 0"),
            Self::Negative => f.write_str("at every h < 0"),
            Self::At(h) => write!(f, "at h = {}", thousandths(*h)),
            Self::BelowZero => f.write_str("just below h = 0"),
            Self::Infinity => f.write_str("as h grows without bound"),
        }
    }
}

/// Where |phi'| < 1.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::slope::{Shrinking, shrinking};
///
/// assert_eq!(shrinking(Activation::Sigmoid), Shrinking::Everywhere);
/// assert_eq!(Shrinking::ExceptAtZero.to_string(), "at every h but 0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shrinking {
    /// At every h.
    Everywhere,
    /// At every h but 0.
    ExceptAtZero,
    /// At every h below this one.
    Below(f64),
    /// At no h.
    Nowhere,
}

impl fmt::Display for Shrinking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => f.write_str("at every h"),
            Self::ExceptAtZero => f.write_str("at every h but 0"),
            Self::Below(h) => write!(f, "at h < {}", thousandths(*h)),
            Self::Nowhere => f.write_str("nowhere"),
        }
    }
}

/// Three decimals, without zeros that say nothing.
fn thousandths(h: f64) -> String {
    let text = format!("{h:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Where the slope is steepest.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::slope::{Steepest, steepest};
///
/// assert_eq!(steepest(Activation::Sigmoid), Steepest::At(0.0));
/// // GELU's slope is largest at the square root of 2, where it exceeds 1.
/// assert_eq!(steepest(Activation::Gelu).to_string(), "at h = 1.414");
/// ```
pub fn steepest(activation: Activation) -> Steepest {
    match activation {
        Activation::Identity => Steepest::Everywhere,
        Activation::Sigmoid | Activation::Tanh => Steepest::At(0.0),
        Activation::Relu => Steepest::Positive,
        Activation::Leaky(slope) | Activation::Prelu(slope) => match slope.abs() {
            1.0 => Steepest::Everywhere,
            ..1.0 => Steepest::Positive,
            _ => Steepest::Negative,
        },
        Activation::Elu(alpha) if alpha.abs() <= 1.0 => Steepest::Positive,
        Activation::Elu(_) | Activation::Selu => Steepest::BelowZero,
        Activation::Gelu | Activation::GeluTanh | Activation::Silu => Steepest::At(inflection(activation)),
        Activation::Softplus => Steepest::Infinity,
    }
}

/// Where the slope is below 1.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::slope::{Shrinking, shrinking};
///
/// // Tanh makes every gradient smaller unless h is 0, a leak of slope 2 never does.
/// assert_eq!(shrinking(Activation::Tanh), Shrinking::ExceptAtZero);
/// assert_eq!(shrinking(Activation::Leaky(2.0)), Shrinking::Nowhere);
/// assert_eq!(shrinking(Activation::Gelu).to_string(), "at h < 0.752");
/// ```
pub fn shrinking(activation: Activation) -> Shrinking {
    match activation {
        Activation::Sigmoid | Activation::Softplus => Shrinking::Everywhere,
        Activation::Tanh => Shrinking::ExceptAtZero,
        // All others are flat far below 0 or nowhere, and do not become flat again above.
        _ => {
            let shrinks = |h: f64| d_phi(activation, h).abs() < 1.0;
            // e^-100 makes up for the largest parameter of ELU.
            let (mut low, mut high) = (-100.0, 100.0);
            if !shrinks(low) {
                return Shrinking::Nowhere;
            }
            while high - low > 1e-12 {
                let middle = 0.5 * (low + high);
                if shrinks(middle) { low = middle } else { high = middle }
            }
            Shrinking::Below(high)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::phi::max_derivative;

    #[test]
    fn known_places() {
        use Activation::{Elu, Gelu, Leaky, Relu, Selu, Silu, Softplus};
        // The minima of GELU and SiLU are known to lie at -0.7517915247 and -1.2784645428, SiLU's steepest point at
        // 2.3993572805, GELU's at the square root of 2.
        for (activation, at, below) in [
            (Gelu, Steepest::At(2f64.sqrt()), Shrinking::Below(0.7517915247)),
            (Silu, Steepest::At(2.3993572805), Shrinking::Below(1.2784645428)),
            (Selu, Steepest::BelowZero, Shrinking::Below(-(1.0507009873554805f64 * 1.6732632423543772).ln())),
            (Elu(1.5), Steepest::BelowZero, Shrinking::Below(-(1.5f64.ln()))),
            (Elu(-3.0), Steepest::BelowZero, Shrinking::Below(-(3f64.ln()))),
            (Elu(1.0), Steepest::Positive, Shrinking::Below(0.0)),
            (Relu, Steepest::Positive, Shrinking::Below(0.0)),
            (Leaky(0.01), Steepest::Positive, Shrinking::Below(0.0)),
            (Leaky(-1.0), Steepest::Everywhere, Shrinking::Nowhere),
            (Leaky(2.0), Steepest::Negative, Shrinking::Nowhere),
            (Softplus, Steepest::Infinity, Shrinking::Everywhere),
        ] {
            match (steepest(activation), at) {
                (Steepest::At(found), Steepest::At(known)) => {
                    assert!((found - known).abs() < 1e-9, "{activation}: {found}");
                }
                (found, known) => assert_eq!(found, known, "{activation}"),
            }
            match (shrinking(activation), below) {
                (Shrinking::Below(found), Shrinking::Below(known)) => {
                    assert!((found - known).abs() < 1e-9, "{activation}: {found}");
                }
                (found, known) => assert_eq!(found, known, "{activation}"),
            }
        }
    }

    /// Both answers against the slope itself on a grid that has no point at a kink.
    #[test]
    fn slopes_are_as_said() {
        for activation in crate::theory::phi::tests::ALL {
            let largest = max_derivative(activation);
            let (place, below) = (steepest(activation), shrinking(activation));
            for k in -400..400 {
                let h = (f64::from(k) + 0.5) / 40.0;
                let slope = d_phi(activation, h).abs();
                assert!(slope <= largest * (1.0 + 1e-12), "{activation} at {h}");
                let steep = match place {
                    Steepest::Everywhere => true,
                    Steepest::Positive => h > 0.0,
                    Steepest::Negative => h < 0.0,
                    Steepest::At(_) | Steepest::BelowZero | Steepest::Infinity => false,
                };
                assert_eq!(slope >= largest * (1.0 - 1e-12), steep, "{activation} at {h}");
                let shrinks = match below {
                    Shrinking::Everywhere | Shrinking::ExceptAtZero => true,
                    Shrinking::Below(end) => h < end,
                    Shrinking::Nowhere => false,
                };
                assert_eq!(slope < 1.0, shrinks, "{activation} at {h}");
            }
            let at = match place {
                Steepest::At(h) => h,
                Steepest::BelowZero => -0.0,
                Steepest::Infinity => 50.0,
                Steepest::Everywhere | Steepest::Positive => 1.0,
                Steepest::Negative => -1.0,
            };
            crate::theory::assert_close(d_phi(activation, at).abs(), largest, 1e-12);
        }
    }

    #[test]
    fn places_in_words() {
        assert_eq!(steepest(Activation::Gelu).to_string(), "at h = 1.414");
        assert_eq!(steepest(Activation::Tanh).to_string(), "at h = 0");
        assert_eq!(shrinking(Activation::Gelu).to_string(), "at h < 0.752");
        assert_eq!(shrinking(Activation::Elu(1.0)).to_string(), "at h < 0");
        assert_eq!(shrinking(Activation::Tanh).to_string(), "at every h but 0");
    }
}
