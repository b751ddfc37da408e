//! One law per layer of a network without skips: the length below, and the gradient's log gain, plain or
//! normalised.
//!
//! Plain: q -> V(q) and chi(q) with its finite-width law. Norm before phi: q = 1 always. Norm after phi: q =
//! s_w^2 + s_b^2 above the first layer. See `length_map`, `finite_width` and `norm` for the formulas.

use super::course::LengthNoise;
use super::ensemble::Ensemble;
use super::layer_moments::LayerMoments;
use super::norm::{
    batch_norm_rate, layer_norm_rate, linear_batch_norm_rate, post_batch_norm_rate, post_layer_norm_rate,
};
use super::prediction::Source;
use super::question::{Norm, NormPosition, Question};
use crate::activation::Activation;

/// Batches below this are too small for batch norm's infinite-batch rate: at 64 it is off by about 1 %.
const LARGE_BATCH: usize = 64;

/// The law of one network's layers.
#[derive(Clone, Copy)]
pub(crate) struct LayerLaw<'a> {
    question: &'a Question,
    ensemble: Ensemble,
    rule: Rule,
}

/// How a layer's rate follows from the variance q at phi's input.
#[derive(Clone, Copy)]
enum Rule {
    Plain,
    Constant(f64),
    PostBatchNorm,
    PostLayerNorm,
}

impl<'a> LayerLaw<'a> {
    /// The law, or why none is known.
    pub(crate) fn new(question: &'a Question, ensemble: Ensemble) -> Result<Self, &'static str> {
        let rule = match (question.norm, question.norm_position) {
            (Norm::None, _) => Rule::Plain,
            (Norm::Layer, NormPosition::Pre) => Rule::Constant(layer_norm_rate(ensemble)),
            (Norm::Layer, NormPosition::Post) => Rule::PostLayerNorm,
            (Norm::Batch, position) => {
                let rate = batch_rate(question.activation, question.batch)?;
                let any_position =
                    position == NormPosition::Pre || question.activation == Activation::Identity;
                if any_position { Rule::Constant(rate) } else { Rule::PostBatchNorm }
            }
        };
        Ok(Self { question, ensemble, rule })
    }

    /// The variance at phi's input in layer 1.
    pub(crate) fn first_length(self) -> f64 {
        if self.normalised_before() {
            return 1.0;
        }
        self.ensemble.pre_activation_variance(self.question.input_mean_square(self.ensemble))
    }

    /// The same one layer above one where it is q.
    pub(crate) fn next_length(self, q: f64) -> f64 {
        match self.question.norm {
            Norm::None => self.ensemble.length_map(q),
            _ if self.normalised_before() => 1.0,
            _ => self.ensemble.pre_activation_variance(1.0),
        }
    }

    /// Whether the gain is the same at every length.
    pub(crate) fn ignores_length(self) -> bool {
        match self.rule {
            Rule::Plain => self.ensemble.activation.is_homogeneous(),
            Rule::Constant(_) => true,
            Rule::PostBatchNorm | Rule::PostLayerNorm => false,
        }
    }

    /// The squared gradient's factor at infinite width.
    pub(crate) fn rate(self, q: f64) -> f64 {
        match self.rule {
            Rule::Plain => self.ensemble.chi(q),
            Rule::Constant(rate) => rate,
            Rule::PostBatchNorm => post_batch_norm_rate(self.ensemble, q - self.ensemble.bias_variance),
            Rule::PostLayerNorm => post_layer_norm_rate(self.ensemble, q),
        }
    }

    /// The moments of a plain layer.
    pub(crate) fn moments(self, q: f64) -> Option<LayerMoments> {
        let Question { width, orthogonal, .. } = *self.question;
        matches!(self.rule, Rule::Plain).then(|| LayerMoments::new(self.ensemble, q, width, orthogonal))
    }

    /// The noise of layer 1's length from an input of Gaussian entries.
    pub(crate) fn first_length_noise(self) -> LengthNoise {
        let share = 1.0 - self.ensemble.bias_variance / self.first_length();
        LengthNoise::new(2.0 * share * share / self.question.input_width as f64)
    }

    /// The law's name and what it needs.
    pub(crate) fn source(self) -> (Source, &'static str) {
        match self.question.norm {
            Norm::None => (
                Source::MeanField,
                "width >> 1 and depth < width; one input and a Gaussian cotangent per net",
            ),
            Norm::Batch if self.question.activation == Activation::Identity => {
                (Source::BatchNorm, "the batch is small against the width")
            }
            Norm::Batch => {
                (Source::BatchNorm, "the batch is large; the relative error of the rate is about 1 / batch")
            }
            Norm::Layer => (Source::LayerNorm, "width >> 1"),
        }
    }

    fn normalised_before(self) -> bool {
        self.question.norm != Norm::None && self.question.norm_position == NormPosition::Pre
    }
}

/// Batch norm's rate before phi for this batch, or why it has none; None is a batch without end.
pub(crate) fn batch_rate(activation: Activation, batch: Option<usize>) -> Result<f64, &'static str> {
    match batch {
        Some(batch) if activation == Activation::Identity => linear_batch_norm_rate(batch)
            .map_err(|_| "batch norm on a batch below 4 has no finite mean squared gradient"),
        Some(batch) if batch < LARGE_BATCH => {
            Err("batch norm on a batch below 64 with a nonlinearity has no closed form")
        }
        _ => Ok(batch_norm_rate(activation)),
    }
}
