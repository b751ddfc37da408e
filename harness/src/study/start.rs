//! A network of a study as it starts: what theory has to know of it.

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::architecture::{Architecture, Norm};
use crate::init::{Family, WeightVariance};

/// What theory has to know of a network to speak of its activation and its place in the phase diagram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// phi.
    pub activation: Activation,
    /// Activations that a signal passes one after the other.
    pub layers: usize,
    /// s_w and s_b of a hidden layer, where the phase diagram speaks of it: without normalisation or shortcuts, and
    /// dense, as windows at an image's edge see padding, of which the theory knows nothing.
    pub deviations: Option<(f64, f64)>,
    /// Whether its weights are orthogonal.
    #[serde(default)]
    pub orthogonal: bool,
}

impl Network {
    /// Of an architecture; none of a recurrent one.
    pub fn of(architecture: &Architecture) -> Option<Self> {
        let Architecture {
            depth,
            width,
            activation,
            init,
            norm,
            residual,
            convolution,
            standardised,
            cell,
            ..
        } = *architecture;
        let layers =
            depth * residual.map_or(1, |residual| residual.layers - usize::from(residual.last_is_linear));
        let plain = !standardised
            && norm == Norm::None
            && residual.is_none()
            && convolution.is_none()
            && init.weight_variance != WeightVariance::Data;
        let deviation = |variance: f32| f64::from(variance).sqrt();
        let deviations =
            plain.then(|| (deviation(init.weight_variance(width, width)), deviation(init.bias_variance)));
        let orthogonal = init.family == Family::Orthogonal;
        cell.is_none().then_some(Self { activation, layers, deviations, orthogonal })
    }
}
