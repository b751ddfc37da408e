//! Networks that are dead at birth: P = 1 - (1 - 2^-n)^L that some layer of n ReLUs outputs 0 for a given
//! input.
//!
//! Each pre-activation's sign is a fair coin given the layer below, for symmetric weights and biases; a layer
//! of n negative ones passes no gradient. Domain: plain networks, one input. Source: Lu et al. 2020.

use crate::activation::Activation;

/// Whether phi is 0 for negative h, so that a unit, and with it a layer, can be dead.
pub(crate) fn dies(activation: Activation) -> bool {
    match activation {
        Activation::Relu => true,
        Activation::Leaky(slope) | Activation::Prelu(slope) => slope == 0.0,
        _ => false,
    }
}

/// The probability that the gradient of one input through `depth` layers of `width` units is exactly 0.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::born_dead::born_dead;
///
/// // Two units are both off with probability 1/4, so four layers are all alive with (3/4)^4.
/// let dead = born_dead(Activation::Relu, 2, 4);
/// assert!((dead - (1.0 - 0.75_f64.powi(4))).abs() < 1e-12);
/// // Width is the cure, and so is a leak.
/// assert!(born_dead(Activation::Relu, 64, 4) < 1e-18);
/// assert_eq!(born_dead(Activation::Leaky(0.01), 2, 4), 0.0);
/// ```
pub fn born_dead(activation: Activation, width: usize, depth: usize) -> f64 {
    if !dies(activation) {
        return 0.0;
    }
    let layer_dead = (-(width as f64)).exp2();
    -(depth as f64 * (-layer_dead).ln_1p()).exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;

    #[test]
    fn small_networks() {
        assert_close(born_dead(Activation::Relu, 2, 4), 1.0 - 0.75f64.powi(4), 1e-14);
        assert!((born_dead(Activation::Relu, 2, 4) - 0.6836).abs() < 5.1e-5);
        assert!((born_dead(Activation::Relu, 3, 8) - 0.6564).abs() < 5.1e-5);
        assert_close(born_dead(Activation::Relu, 64, 30), 30.0 * (-64.0f64).exp2(), 1e-12);
        assert_close(born_dead(Activation::Leaky(0.0), 3, 8), born_dead(Activation::Relu, 3, 8), 1e-15);
        assert_eq!(born_dead(Activation::Leaky(0.1), 1, 9), 0.0);
    }
}
