//! The gradient noise scale tr(Sigma) / |G|^2: the batch size at which noise and gradient are level (McCandlish et al. 2018).
//!
//! G is the gradient over all data, Sigma the covariance of one sample's. The gradient of b samples has the mean square norm
//! |G|^2 + tr(Sigma) / b, so that a batch of B samples and its parts of b give both without bias:
//!
//! |G|^2 ~ (B |G_B|^2 - b |G_b|^2) / (B - b),  tr(Sigma) ~ (|G_b|^2 - |G_B|^2) / (1/b - 1/B),
//!
//! |G_b|^2 the mean over the parts. Their ratio is not without bias, and one batch says little: average both over batches or
//! seeds, then divide. Networks with batch norm have none: there a sample's gradient depends on its batch.
//! Cost: one more forward and backward pass.

use isobath_kernels::{Level, reduce};
use serde::{Deserialize, Serialize};

use super::TrainError;
use crate::descent::{Descent, Samples};
use crate::net::{Layer, Unwatched};
use crate::threads::Threads;

/// Parts of a batch, where it has so many samples.
const PARTS: usize = 8;

/// The two halves of the noise scale.
///
/// ```
/// use isobath::train::GradientNoise;
///
/// // A gradient of norm 1 whose single samples scatter with variance 4: of b samples, 1 + 4 / b.
/// let noise = GradientNoise::from_squares((1, 1.0 + 4.0), (4, 1.0 + 1.0));
/// assert_eq!(noise, GradientNoise { trace: 4.0, square: 1.0 });
/// // Noise and gradient are level for batches of four.
/// assert_eq!(GradientNoise::scale(&[noise]), Some(4.0));
/// assert_eq!(GradientNoise::scale(&[GradientNoise { trace: 4.0, square: -0.1 }]), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GradientNoise {
    /// tr(Sigma).
    pub trace: f64,
    /// |G|^2; negative where noise drowns it.
    pub square: f64,
}

impl GradientNoise {
    /// From the mean square norms of the gradients of b and of B > b samples.
    pub fn from_squares((small, of_small): (usize, f64), (big, of_big): (usize, f64)) -> Self {
        let (b, all) = (small as f64, big as f64);
        Self {
            trace: (of_small - of_big) / (1.0 / b - 1.0 / all),
            square: (all * of_big - b * of_small) / (all - b),
        }
    }

    /// tr(Sigma) / |G|^2 of the means of several; none where there is none, or where noise drowns the gradient.
    pub fn scale(all: &[Self]) -> Option<f64> {
        let trace: f64 = all.iter().map(|noise| noise.trace).sum();
        let square: f64 = all.iter().map(|noise| noise.square).sum();
        Some(trace / square).filter(|scale| square > 0.0 && scale.is_finite())
    }
}

/// The noise of the gradients that were measured last, which are left as they were. None with batch norm, for a batch of
/// one sample, or where a norm is not finite.
pub(super) fn gradient_noise<T: Threads>(
    descent: &mut Descent<'_, T>,
    level: Level,
    mut loss: impl FnMut(&[f32], &[u32], &mut [f32]) -> Result<f32, TrainError>,
) -> Result<Option<GradientNoise>, TrainError> {
    let plan = descent.plan();
    let (batch, features) = (plan.batch(), plan.input());
    if batch < 2 || plan.layers().iter().any(|layer| matches!(layer, Layer::BatchNorm { .. })) {
        return Ok(None);
    }
    let gradients = descent.arena().gradients.to_vec();
    let inputs = descent.arena_mut().input_mut(&plan, batch).to_vec();
    let labels = descent.labels().to_vec();
    let part = (batch / PARTS).max(1);
    let (mut squares, mut parts) = (0.0, 0);
    for (inputs, labels) in inputs.chunks_exact(part * features).zip(labels.chunks_exact(part)) {
        let samples = Samples { inputs, labels };
        let loss = descent.measure_on(samples, &mut loss, &mut Unwatched)?;
        squares += if loss.is_finite() { square(level, descent.arena().gradients) } else { f64::NAN };
        parts += 1;
    }
    descent.arena_mut().gradients.copy_from_slice(&gradients);
    let small = (part, squares / f64::from(parts));
    let noise = GradientNoise::from_squares(small, (batch, square(level, &gradients)));
    Ok(Some(noise).filter(|noise| noise.trace.is_finite() && noise.square.is_finite()))
}

fn square(level: Level, gradients: &[f32]) -> f64 {
    let sum = reduce::sum_of_squares(level, gradients);
    libm::ldexp(f64::from(sum.significand), sum.exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gradients 1 + e of single samples with e of variance 4: |G|^2 = 1, tr(Sigma) = 4, so E|G_b|^2 = 1 + 4 / b.
    #[test]
    fn both_halves_follow_from_their_mean_squares() {
        let noise = GradientNoise::from_squares((8, 1.5), (64, 1.0625));
        assert!((noise.trace - 4.0).abs() < 1e-12 && (noise.square - 1.0).abs() < 1e-12, "{noise:?}");
        let drowned = GradientNoise { trace: 6.0, square: -0.5 };
        assert_eq!(GradientNoise::scale(&[drowned]), None);
        assert_eq!(GradientNoise::scale(&[noise, drowned]), Some((noise.trace + 6.0) / (noise.square - 0.5)));
        assert_eq!(GradientNoise::scale(&[]), None);
    }
}
