//! The `cell` field of a network: `cell = { kind = "lstm", forget_bias = 1.0, clip = 1.0 }`.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::check::positive;
use super::network::{ClipName, NetworkTable, NormName};
use crate::activation::Activation;
use crate::architecture::Recurrence;
use crate::net::{Cell, ForgetBias};

/// Recurrent layers in place of dense ones.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CellTable {
    /// Which cell.
    pub(super) kind: CellName,
    /// Of an LSTM or a GRU: how the bias of the gate that keeps the state starts; 0 by default.
    #[serde(default, deserialize_with = "forget_bias")]
    pub(super) forget_bias: Option<ForgetBias>,
    /// The largest norm of the gradient of the state at each step on its way back.
    pub(super) clip: Option<f32>,
}

/// The cells by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CellName {
    /// Long short-term memory.
    Lstm,
    /// Gated recurrent unit.
    Gru,
    /// The plain recurrence, with the network's activation.
    Rnn,
}

/// The recurrence of a network. Errors name the field, what was found and what is allowed.
pub(super) fn recurrence(
    table: &CellTable,
    network: &NetworkTable,
    activation: Activation,
) -> Result<Recurrence, String> {
    if network.residual.is_some() {
        return Err("residual: layers with a cell have no branches; it must be left out".to_owned());
    }
    if network.norm.is_some_and(|norm| norm != NormName::None) {
        return Err("norm: layers with a cell have none; it must be left out".to_owned());
    }
    if network.pretrain.is_some() {
        return Err("pretrain: layers with a cell cannot be pre-trained; it must be left out".to_owned());
    }
    if network.clip.is_some_and(|clip| clip.kind == ClipName::Adaptive) {
        return Err(
            "clip.kind is \"adaptive\", which is for dense layers; with a cell, value and global-norm \
                    are allowed, and cell.clip"
                .to_owned(),
        );
    }
    let cell = match table.kind {
        CellName::Lstm => Cell::Lstm,
        CellName::Gru => Cell::Gru,
        CellName::Rnn => {
            if table.forget_bias.is_some() {
                return Err("cell.forget_bias is of lstm and gru alone; an rnn forgets by no gate".to_owned());
            }
            if let Activation::Prelu(_) = activation {
                return Err("activation is prelu, which learns; an rnn takes any other".to_owned());
            }
            Cell::Rnn(activation)
        }
    };
    if let Some(ForgetBias::Fixed(bias)) = table.forget_bias
        && !bias.is_finite()
    {
        return Err(format!("cell.forget_bias is {bias}; it must be a finite number or \"chrono\""));
    }
    if let Some(limit) = table.clip {
        positive("cell.clip", limit)?;
    }
    let forget_bias = table.forget_bias.unwrap_or(ForgetBias::Fixed(0.0));
    Ok(Recurrence { cell, forget_bias, clip: table.clip })
}

fn forget_bias<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ForgetBias>, D::Error> {
    struct Bias;
    impl Visitor<'_> for Bias {
        type Value = ForgetBias;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number or \"chrono\"")
        }
        fn visit_f64<E: de::Error>(self, value: f64) -> Result<ForgetBias, E> {
            Ok(ForgetBias::Fixed(value as f32))
        }
        fn visit_i64<E: de::Error>(self, value: i64) -> Result<ForgetBias, E> {
            Ok(ForgetBias::Fixed(value as f32))
        }
        fn visit_str<E: de::Error>(self, value: &str) -> Result<ForgetBias, E> {
            match value {
                "chrono" => Ok(ForgetBias::Chrono),
                _ => Err(E::invalid_value(de::Unexpected::Str(value), &self)),
            }
        }
    }
    deserializer.deserialize_any(Bias).map(Some)
}
