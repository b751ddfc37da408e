//! The deepest network whose gradient stays within one decade: the largest L with |log10(||delta^1|| / ||delta^L||)| <= 1.
//!
//! Layers are followed until their gain settles, then the rest is closed form. Domain: up to 10,000 unsettled layers.

use core::f64::consts::LN_10;

use super::ensemble::Ensemble;
use super::layer_law::LayerLaw;
use super::length_map::MARGINAL;
use super::residual::Residual;

/// ln of a squared decade.
const DECADE: f64 = 2.0 * LN_10;
const FARTHEST: usize = 10_000;
const TOO_FAR: &str = "the gradient stays within one decade for more than 10000 layers";

/// The deepest plain or normalised network, or why there is no limit.
pub(crate) fn layers_within_decade(law: LayerLaw<'_>) -> Result<usize, &'static str> {
    let mut q = law.first_length();
    let mut sum = 0.0;
    for depth in 1..FARTHEST {
        let gain = law.log_gain(q).mean;
        let next = law.next_length(q);
        if law.ignores_length() || (next - q).abs() <= 1e-12 * q {
            if gain.abs() < MARGINAL {
                return Err("the gradient keeps its size at every depth");
            }
            return Ok(depth + ((DECADE * gain.signum() - sum) / gain) as usize);
        }
        sum += gain;
        if sum.abs() > DECADE {
            return Ok(depth);
        }
        q = next;
    }
    Err(TOO_FAR)
}

/// The largest number of residual blocks, or why there is no limit.
pub(crate) fn blocks_within_decade(
    residual: Residual,
    ensemble: Ensemble,
    input_q: f64,
    width: usize,
) -> Result<usize, &'static str> {
    let within = |depth: usize| {
        let blocks = residual.blocks(ensemble, input_q, depth, width);
        blocks.iter().map(|block| block.log_gain(residual.scale, width).mean).sum::<f64>().abs() <= DECADE
    };
    let mut high = 1;
    while within(high) {
        high *= 2;
        if high > FARTHEST {
            return Err(TOO_FAR);
        }
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low.midpoint(high);
        if within(middle) { low = middle } else { high = middle }
    }
    Ok(low)
}
