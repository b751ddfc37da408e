//! What the theory answers: every figure that a measurement can be held against, or the reason why there is
//! none.

use std::collections::BTreeMap;

use serde::Serialize;

/// Which law the rate comes from.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::{Architecture, Norm};
/// use isobath::init::Init;
/// use isobath::probe::Setup;
/// use isobath::theory::{Source, predict};
///
/// let plain = Architecture::plain(20, 64, Activation::Relu, Init::HE);
/// let normalised = Architecture { norm: Norm::Layer, ..plain };
/// let source = |architecture| predict(&Setup::plain(architecture, 1).question(None)).map(|p| p.source);
/// assert_eq!((source(plain)?, source(normalised)?), (Source::MeanField, Source::LayerNorm));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// chi of a plain network.
    MeanField,
    /// Batch normalisation.
    BatchNorm,
    /// Layer normalisation.
    LayerNorm,
    /// Identity skips.
    Residual,
    /// A recurrence in time.
    Recurrent,
    /// No law covers the question.
    None,
}

/// ln of the squared gradient ratio between the bottom and the top, over networks.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::Setup;
/// use isobath::theory::predict;
///
/// // It is the logarithm of a squared ratio, so 2 ln 10 times the decades.
/// let setup = Setup::plain(Architecture::plain(20, 64, Activation::Sigmoid, Init::XAVIER), 1);
/// let prediction = predict(&setup.question(None))?;
/// let (gain, decades) = (prediction.log_gain.unwrap(), prediction.log10_delta_ratio.unwrap());
/// assert!((gain.mean / decades - 2.0 * 10f64.ln()).abs() < 1e-9 && gain.var.unwrap() > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TotalLogGain {
    /// Mean.
    pub mean: f64,
    /// Variance; None where only the mean is known.
    pub var: Option<f64>,
}

/// One hidden layer or residual block.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::Setup;
/// use isobath::theory::predict;
///
/// let setup = Setup::plain(Architecture::plain(20, 64, Activation::Sigmoid, Init::XAVIER), 1);
/// let layers = predict(&setup.question(None))?.per_layer;
/// // A gradient is multiplied by the slope, at most 1/4, and by the weights, about 1.
/// let (factor, slope) = (layers[0].factor.unwrap(), layers[0].slope_rms.unwrap());
/// assert!(slope < 0.25 && (factor / slope - layers[0].weight_gain.unwrap()).abs() < 1e-12);
/// // Nothing lies above the last layer.
/// assert_eq!((layers[19].layer, layers[19].factor), (20, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LayerPrediction {
    /// 1 is next to the input.
    pub layer: usize,
    /// Variance at the activation's input; in a residual network the mean square of the block's input.
    pub q: f64,
    /// sqrt(E phi'^2); None for a residual block.
    pub slope_rms: Option<f64>,
    /// What is left of the factor without the slope; None where either is unknown.
    pub weight_gain: Option<f64>,
    /// ||delta^l|| / ||delta^{l+1}||, exp of its mean logarithm; None for a plain network's last layer.
    pub factor: Option<f64>,
    /// Where the mean over the nets lies with 95 % probability.
    pub band95: Option<(f64, f64)>,
}

/// The answer to a question. A field that is None has its reason in `reasons`, under its own name.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::architecture::Architecture;
/// use isobath::init::Init;
/// use isobath::probe::Setup;
/// use isobath::theory::predict;
///
/// let setup = Setup::plain(Architecture::plain(20, 256, Activation::Relu, Init::HE), 1);
/// let prediction = predict(&setup.question(None))?;
/// assert!((prediction.rate_norm.unwrap() - 1.0).abs() < 1e-6);
/// // What does not exist says why.
/// assert_eq!(prediction.q_star, None);
/// assert_eq!(prediction.reasons["q_star"], "every length is fixed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The pre-activation variance that layers tend to.
    pub q_star: Option<f64>,
    /// Whether lengths near q* stay near it.
    pub length_stable: Option<bool>,
    /// s_w^2 E phi'^2 at q*.
    pub chi: Option<f64>,
    /// Its square root, for norms.
    pub sqrt_chi: Option<f64>,
    /// 1 / |ln chi| layers.
    pub depth_scale: Option<f64>,
    /// The correlation that two inputs tend to.
    pub c_star: Option<f64>,
    /// Layers over which they do, by a factor e.
    pub correlation_depth_scale: Option<f64>,
    /// What batch norm would make of the squared gradient per layer.
    pub batch_norm_rate: Option<f64>,
    /// The largest |phi'|.
    pub max_derivative: Option<f64>,
    /// Squared gradient norm, factor per layer, at infinite width.
    pub rate_squared: Option<f64>,
    /// Gradient norm, factor per layer.
    pub rate_norm: Option<f64>,
    /// The law behind the rate.
    pub source: Source,
    /// What must hold for it.
    pub valid_if: Option<&'static str>,
    /// log10 of the gradient norm at the bottom over the top.
    pub log10_delta_ratio: Option<f64>,
    /// Where its mean over the nets lies with 95 % probability.
    pub band95: Option<(f64, f64)>,
    /// ln of the squared ratio.
    pub log_gain: Option<TotalLogGain>,
    /// The probability that the gradient is exactly 0.
    pub born_dead: Option<f64>,
    /// The correlation of two inputs' gradients.
    pub gradient_correlation: Option<f64>,
    /// Var(s^2) / mean(s^2)^2 over the input-output Jacobian's singular values s.
    pub jacobian_var: Option<f64>,
    /// The deepest network whose gradient ratio stays within a factor of ten.
    pub max_depth_one_decade: Option<usize>,
    /// Why fields are None.
    pub reasons: BTreeMap<&'static str, String>,
    /// From layer 1 up.
    pub per_layer: Vec<LayerPrediction>,
}

impl Prediction {
    /// A prediction of nothing yet.
    pub(crate) fn empty(source: Source) -> Self {
        Self {
            q_star: None,
            length_stable: None,
            chi: None,
            sqrt_chi: None,
            depth_scale: None,
            c_star: None,
            correlation_depth_scale: None,
            batch_norm_rate: None,
            max_derivative: None,
            rate_squared: None,
            rate_norm: None,
            source,
            valid_if: None,
            log10_delta_ratio: None,
            band95: None,
            log_gain: None,
            born_dead: None,
            gradient_correlation: None,
            jacobian_var: None,
            max_depth_one_decade: None,
            reasons: BTreeMap::new(),
            per_layer: Vec::new(),
        }
    }

    /// Records why these fields are None.
    pub(crate) fn explain(&mut self, fields: &[&'static str], why: &str) {
        for field in fields {
            self.reasons.insert(field, why.to_owned());
        }
    }

    /// Sets the rate from its square.
    pub(crate) fn set_rate(&mut self, squared: f64) {
        self.rate_squared = Some(squared);
        self.rate_norm = Some(squared.sqrt());
    }

    /// Sets the total from the logarithm of the squared ratio, averaged over `nets`.
    pub(crate) fn set_total(&mut self, gain: TotalLogGain, nets: usize) {
        let decades = 0.5 / core::f64::consts::LN_10;
        self.log_gain = Some(gain);
        self.log10_delta_ratio = Some(decades * gain.mean);
        self.band95 = gain.var.map(|var| {
            let (low, high) = band95(gain.mean, var, nets);
            (decades * low, decades * high)
        });
    }
}

/// Mean -+ 1.96 standard errors of a mean over `nets`.
pub(crate) fn band95(mean: f64, var: f64, nets: usize) -> (f64, f64) {
    let half = 1.959963984540054 * (var / nets as f64).sqrt();
    (mean - half, mean + half)
}
