//! A network of a study as it starts: what theory has to know of it.

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::architecture::{Architecture, Norm};
use crate::init::{Family, WeightVariance};

/// What theory has to know of a network to speak of its activation and its place in the phase diagram.
///
/// ```
/// use isobath::architecture::{Architecture, Norm};
/// use isobath::study::summary::Network;
///
/// let plain = Architecture::plain(10, 64, "relu".parse()?, "he".parse()?);
/// let network = Network::of(&plain).expect("it is not recurrent");
/// assert_eq!(network.layers, 10);
/// assert_eq!(network.deviations, Some((2.0_f64.sqrt(), 0.0)));
/// // Normalised, it has no place in the phase diagram.
/// let normalised = Network::of(&Architecture { norm: Norm::Layer, ..plain });
/// assert_eq!(normalised.and_then(|network| network.deviations), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
