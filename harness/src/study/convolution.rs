//! The `convolution` field of a network, checked and spelt out.

use serde::Deserialize;

use super::check::at_least_one;
use crate::architecture::{Convolutional, Halving, Top};

/// `convolution = { kernel = 3, halve_every = 4, halve = "max", head = "average" }`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConvolutionTable {
    /// Rows and columns of all windows, odd.
    pub(super) kernel: usize,
    /// Hidden layers or blocks after which images have half the rows and columns; never by default.
    pub(super) halve_every: Option<usize>,
    /// By what; `max` by default.
    pub(super) halve: Option<HalvingName>,
    /// What the head sees; `average` by default.
    pub(super) head: Option<TopName>,
}

/// What halves an image, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum HalvingName {
    /// The largest of 2 x 2 positions.
    Max,
    /// Steps of two positions in the next layer.
    Stride,
}

/// What the head sees, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TopName {
    /// The mean of each channel.
    Average,
    /// Everything.
    Flatten,
}

/// The convolutions of a network. Errors name the field, what was found and what is allowed.
pub(super) fn convolution(table: &ConvolutionTable, is_residual: bool) -> Result<Convolutional, String> {
    let ConvolutionTable { kernel, halve_every, halve, head } = *table;
    if kernel.is_multiple_of(2) {
        return Err(format!("convolution.kernel is {kernel}; it must be odd"));
    }
    let halving = match halve {
        None | Some(HalvingName::Max) => Halving::MaxPool,
        Some(HalvingName::Stride) if is_residual => {
            return Err(
                "convolution.halve is \"stride\"; with residual branches it must be \"max\"".to_owned()
            );
        }
        Some(HalvingName::Stride) => Halving::Stride,
    };
    if halve.is_some() && halve_every.is_none() {
        return Err("convolution.halve needs convolution.halve_every, which is missing".to_owned());
    }
    if let Some(layers) = halve_every {
        at_least_one("convolution.halve_every", layers)?;
    }
    let top = match head {
        None | Some(TopName::Average) => Top::Average,
        Some(TopName::Flatten) => Top::Flatten,
    };
    Ok(Convolutional { kernel, stages: halve_every.map(|layers| (layers, halving)), top })
}
