//! A network as its user writes it in a study: what it is, or what a remedy changes of one, and what stands beside it.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::convolution::ConvolutionTable;
use super::recurrence::CellTable;
use crate::activation::{Activation, ParseActivationError};
use crate::suggest::did_you_mean_of;
use crate::train::{Loss, Schedule};

/// A network, or what a remedy changes of one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkTable {
    /// Short name.
    pub(super) name: String,
    /// What was changed, in a sentence.
    #[serde(default)]
    pub(super) change: String,
    /// Hidden layers, or residual blocks.
    pub(super) depth: Option<usize>,
    /// Units per hidden layer, or channels.
    pub(super) width: Option<usize>,
    /// As `--activation` takes it.
    pub(super) activation: Option<Activation>,
    /// As `--init` takes it, or `lsuv`.
    pub(super) init: Option<String>,
    /// s_w^2, instead of the initialiser's.
    pub(super) weight_variance: Option<f32>,
    /// s_b^2, instead of the initialiser's.
    pub(super) bias_variance: Option<f32>,
    /// `none`, `batch` or `layer`.
    pub(super) norm: Option<NormName>,
    /// `pre` or `post`.
    pub(super) norm_position: Option<PositionName>,
    /// Residual branches.
    pub(super) residual: Option<ResidualTable>,
    /// `plain` or `standardised`.
    pub(super) weights: Option<WeightsName>,
    /// Convolutions instead of dense layers; the width is then the number of channels.
    pub(super) convolution: Option<ConvolutionTable>,
    /// Recurrent layers in place of dense ones.
    pub(super) cell: Option<CellTable>,
    /// Gradient clipping.
    pub(super) clip: Option<ClipTable>,
    /// A penalty on the weights.
    pub(super) penalty: Option<PenaltyTable>,
    /// Decoupled decay of the weights, whatever the optimiser: the factor 1 - rate decay per step. 0 takes it away.
    pub(super) decay: Option<f32>,
    /// The largest norm of a unit's incoming weights.
    pub(super) max_norm: Option<f32>,
    /// How the rate changes over a run, if not as `[training]` says.
    pub(super) schedule: Option<Schedule>,
    /// What is minimised.
    pub(super) loss: Option<Loss>,
    /// Unsupervised training of the hidden layers before the first step.
    pub(super) pretrain: Option<PretrainTable>,
    /// Optimiser steps, if not as many as `[training]` says.
    pub(super) steps: Option<usize>,
    /// The settings of the grid that the row is tuned over, such as `momentum 0.1`; all of them if it is left out.
    pub(super) settings: Option<Vec<String>>,
}

/// What dense layers multiply by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WeightsName {
    /// Their weights.
    Plain,
    /// Their weights with mean 0 and a learned size, unit by unit.
    Standardised,
}

/// The normalisations by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NormName {
    /// None.
    None,
    /// Over the batch.
    Batch,
    /// Over the layer.
    Layer,
}

/// Places before and after by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PositionName {
    /// Before the activation.
    #[default]
    Pre,
    /// After it.
    Post,
}

/// `residual = { scale = "1/sqrt(L)", layers = 2, last = "linear" }`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResidualTable {
    /// The factor on a branch.
    pub(super) scale: BranchScale,
    /// Dense layers of a branch.
    pub(super) layers: usize,
    /// What follows the last of them.
    pub(super) last: LastName,
    /// Whether that last dense layer, which must be linear, starts at 0; false by default.
    #[serde(default)]
    pub(super) zero_init: bool,
    /// Whether the activation follows the sum as well (`post`); `pre` by default.
    #[serde(default)]
    pub(super) position: PositionName,
}

/// How a branch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LastName {
    /// Linearly, with Var W = 1/fan-in.
    Linear,
    /// With the activation.
    Activation,
}

/// A branch scale: a number, `"1/sqrt(L)"` for L blocks, or `"learned"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum BranchScale {
    /// This factor.
    Fixed(f32),
    /// 1 over the square root of the number of blocks.
    InverseRootDepth,
    /// Learned, one per block, from 0.
    Learned,
}

impl<'de> Deserialize<'de> for BranchScale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scale;
        impl Visitor<'_> for Scale {
            type Value = BranchScale;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, \"1/sqrt(L)\" or \"learned\"")
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<BranchScale, E> {
                Ok(BranchScale::Fixed(value as f32))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<BranchScale, E> {
                Ok(BranchScale::Fixed(value as f32))
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<BranchScale, E> {
                match value {
                    "1/sqrt(L)" => Ok(BranchScale::InverseRootDepth),
                    "learned" => Ok(BranchScale::Learned),
                    _ => Err(E::invalid_value(de::Unexpected::Str(value), &self)),
                }
            }
        }
        deserializer.deserialize_any(Scale)
    }
}

/// `clip = { kind = "global-norm", limit = 1.0 }`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClipTable {
    /// Which kind.
    pub(super) kind: ClipName,
    /// The largest element or norm, or AGC's lambda.
    pub(super) limit: f32,
}

/// The kinds of clipping by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ClipName {
    /// Element by element.
    Value,
    /// All gradients together.
    GlobalNorm,
    /// Unit by unit, relative to the weights (AGC).
    Adaptive,
}

/// `penalty = { kind = "l2", lambda = 1e-4 }`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PenaltyTable {
    /// Which kind.
    pub(super) kind: PenaltyName,
    /// Its factor.
    pub(super) lambda: f32,
}

/// The penalties by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PenaltyName {
    /// lambda |w|.
    L1,
    /// lambda w^2 / 2.
    L2,
}

/// `pretrain = { kind = "autoencoder", steps = 1000, noise = 0.25 }`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PretrainTable {
    /// The model of a layer.
    pub(super) kind: PretrainName,
    /// Steps of each layer.
    pub(super) steps: usize,
    /// Adam's rate; 0.001 by default.
    pub(super) rate: Option<f32>,
    /// Of an autoencoder: the probability that an input is set to 0; 0.25 by default.
    pub(super) noise: Option<f32>,
    /// Of a Boltzmann machine: Gibbs steps per gradient; 1 by default.
    pub(super) gibbs_steps: Option<usize>,
    /// Of a Boltzmann machine: whether chains go on from step to step (PCD); false by default.
    pub(super) persistent: Option<bool>,
    /// Whether each layer's weights are put into a random order afterwards: a control.
    #[serde(default)]
    pub(super) shuffled: bool,
}

/// The models of a layer by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PretrainName {
    /// Denoising autoencoder.
    Autoencoder,
    /// Restricted Boltzmann machine.
    Rbm,
}

impl Serialize for Activation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Activation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| {
            let near = match error {
                ParseActivationError::UnknownName => did_you_mean_of(&text, Self::NAMES),
                ParseActivationError::BadParameter => String::new(),
            };
            de::Error::custom(format!("`{text}`: {error}{near}"))
        })
    }
}
