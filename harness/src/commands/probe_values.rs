//! Parsers of the values that `probe` and `theory` take: each error says what is allowed.

use crate::activation::{Activation, ParseActivationError};
use crate::init::{Init, ParseInitError};
use crate::suggest::did_you_mean_of;

/// Variances lie between the reciprocal of this and this.
const LARGEST_VARIANCE: f32 = 1e30;

/// The factor on a residual branch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum BranchScale {
    Fixed(f32),
    InverseRootDepth,
}

/// How `--branch-scale` is written where it depends on the depth.
pub(super) const INVERSE_ROOT_DEPTH: &str = "1/sqrt(L)";

/// 1/sqrt(L), as every command computes it.
pub(super) fn inverse_root(depth: usize) -> f32 {
    (1.0 / (depth as f64).sqrt()) as f32
}

/// A parser of whole numbers from 1 to `most`.
pub(super) fn up_to(most: usize) -> impl Fn(&str) -> Result<usize, String> + Clone + Send + Sync {
    move |text| {
        let value = text.parse().ok().filter(|value| (1..=most).contains(value));
        value.ok_or_else(|| format!("allowed is a whole number from 1 to {most}"))
    }
}

/// A parser of activations that suggests the nearest name.
pub(super) fn activation(text: &str) -> Result<Activation, String> {
    text.parse().map_err(|error| {
        let is_name = error == ParseActivationError::UnknownName;
        let near = if is_name { did_you_mean_of(text, Activation::NAMES) } else { String::new() };
        format!("{error}{near}")
    })
}

/// A parser of initialisers that suggests the nearest name.
pub(super) fn init(text: &str) -> Result<Init, String> {
    text.parse().map_err(|error| {
        let is_name = error == ParseInitError::UnknownName;
        let near = if is_name { did_you_mean_of(text, Init::NAMES) } else { String::new() };
        format!("{error}{near}")
    })
}

pub(super) fn weight_variance(text: &str) -> Result<f32, String> {
    let allowed = || format!("allowed is a number from {:e} to {LARGEST_VARIANCE:e}", 1.0 / LARGEST_VARIANCE);
    let value: f32 = text.parse().map_err(|_| allowed())?;
    if (1.0 / LARGEST_VARIANCE..=LARGEST_VARIANCE).contains(&value) { Ok(value) } else { Err(allowed()) }
}

pub(super) fn bias_variance(text: &str) -> Result<f32, String> {
    let allowed = || format!("allowed is a number from 0 to {LARGEST_VARIANCE:e}");
    let value: f32 = text.parse().map_err(|_| allowed())?;
    if (0.0..=LARGEST_VARIANCE).contains(&value) { Ok(value) } else { Err(allowed()) }
}

pub(super) fn finite(text: &str) -> Result<f32, String> {
    let value: Option<f32> = text.parse().ok().filter(|value: &f32| value.is_finite());
    value.ok_or_else(|| "allowed is a finite number".to_owned())
}

pub(super) fn branch_scale(text: &str) -> Result<BranchScale, String> {
    if text == INVERSE_ROOT_DEPTH {
        return Ok(BranchScale::InverseRootDepth);
    }
    let value: Option<f32> = text.parse().ok().filter(|value: &f32| value.is_finite());
    value.map(BranchScale::Fixed).ok_or_else(|| format!("allowed is a finite number or {INVERSE_ROOT_DEPTH}"))
}

pub(super) fn scaled_layer(text: &str) -> Result<(usize, f32), String> {
    let parts = text.split_once(':').and_then(|(layer, factor)| {
        let layer: usize = layer.parse().ok().filter(|layer| *layer >= 1)?;
        let factor: f32 = factor.parse().ok().filter(|factor: &f32| factor.is_finite())?;
        Some((layer, factor))
    });
    parts.ok_or_else(|| {
        "allowed is K:F, a layer from 1 to the depth and a finite factor, as in 5:10".to_owned()
    })
}
