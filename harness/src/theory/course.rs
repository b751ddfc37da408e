//! The gradient's log gains through all layers of a network without skips, with finite-width corrections
//! where they are known.
//!
//! A plain network's layer has three corrections to ln chi(q), all O(1/n): its own noise (`finite_width`);
//! the noise of the length q, whose mean, variance and covariance with the gains below run up the network;
//! and the alignment of delta with W x, because W^T delta has along x not a fresh Gaussian but x.(W^T delta)
//! = (W x).delta, which is R_{l+1} times as large in the mean square and runs down the network from the top.
//! With it the mean gains (R_{l+1} - 1) E phi'^2 phi^2 / (n m e). All three vanish beside the exact law for
//! homogeneous activations. Normalised networks have only their rate.
//!
//! Domain: width >> depth. Derived here; checked by simulation at width 64.

use super::layer_law::LayerLaw;
use super::layer_moments::LayerMoments;
use super::prediction::TotalLogGain;

/// One layer of the course.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// The variance at phi's input.
    pub(crate) q: f64,
    /// The squared gradient's factor at infinite width.
    pub(crate) rate: f64,
    /// The log gain.
    pub(crate) gain: TotalLogGain,
    /// What the layer adds to the variance of the sum from layer 1 up to it.
    pub(crate) added_var: Option<f64>,
}

/// The steps of layers 1 to `factors` below a layer `factors` + 1, and the length at that top layer.
pub(crate) fn course(law: LayerLaw<'_>, factors: usize) -> (Vec<Step>, f64) {
    let layers = lengths(law, factors + 1);
    let mut noise = law.first_length_noise();
    let mut steps: Vec<Step> = layers[..factors].iter().map(|layer| noise.advance(layer)).collect();
    let mut alignment = layers[factors].moments.map_or(1.0, |top| top.alignment_free + top.alignment_kept);
    for (step, layer) in steps.iter_mut().zip(&layers).rev() {
        if let Some(moments) = layer.moments {
            step.gain.mean += (alignment - 1.0) * moments.alignment_weight;
            alignment = moments.alignment_free + moments.alignment_kept * alignment;
        }
    }
    (steps, layers[factors].q)
}

/// One layer's length and what follows from it.
#[derive(Clone, Copy)]
struct Layer {
    q: f64,
    rate: f64,
    moments: Option<LayerMoments>,
}

/// The layers from 1 to `depth`. Quadrature is spared where a length repeats, or does not matter.
fn lengths(law: LayerLaw<'_>, depth: usize) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::with_capacity(depth);
    let mut q = law.first_length();
    for _ in 0..depth {
        let layer = match layers.last() {
            Some(below) if law.ignores_length() || (below.q - q).abs() <= 1e-12 * q => Layer { q, ..*below },
            _ => Layer { q, rate: law.rate(q), moments: law.moments(q) },
        };
        layers.push(layer);
        q = law.next_length(q);
    }
    layers
}

/// The relative noise of the length at one layer, and its covariance with the log gains of all layers below.
pub(crate) struct LengthNoise {
    mean: f64,
    var: f64,
    covariance: f64,
}

impl LengthNoise {
    /// At layer 1, with the variance that its input brings.
    pub(crate) fn new(var: f64) -> Self {
        Self { mean: 0.0, var, covariance: 0.0 }
    }

    /// The step of one layer; the noise moves on to the layer above.
    fn advance(&mut self, layer: &Layer) -> Step {
        let Layer { q, rate, moments } = *layer;
        let Some(moments) = moments else {
            return Step { q, rate, gain: TotalLogGain { mean: rate.ln(), var: None }, added_var: None };
        };
        let (a, d) = (moments.gain_slope, moments.length_slope);
        let mean = moments.gain.mean + a * self.mean + 0.5 * (moments.gain_curve - a * a) * self.var;
        let var = moments.gain.var + a * a * self.var;
        let added_var = var + 2.0 * a * self.covariance;
        *self = Self {
            mean: d * self.mean + 0.5 * moments.length_curve * self.var + moments.length_shift,
            var: d * d * self.var + moments.length_noise,
            covariance: d * (self.covariance + a * self.var) + moments.cross_noise,
        };
        Step { q, rate, gain: TotalLogGain { mean, var: Some(var) }, added_var: Some(added_var) }
    }
}
