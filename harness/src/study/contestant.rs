//! The rows of a study: networks spelt out from their tables, every figure checked.

use super::check::{at_least_one, positive};
use super::file::GroupTable;
use super::network::{BranchScale, ClipName, LastName, NetworkTable, NormName, PenaltyName, PositionName};
use super::plan::GroupPlan;
use super::pretraining::pretraining;
use super::recurrence::recurrence;
use crate::architecture::{Architecture, Norm, NormPosition, Residual};
use crate::init::{Init, WeightVariance};
use crate::net::update::{Clipping, Penalty};
use crate::pretrain::Pretraining;
use crate::train::Loss;

/// The deepest network of a study.
const DEEPEST: usize = 100_000;

/// One row of a table: a network and how it is trained, but for the setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Contestant {
    /// Short name.
    pub name: String,
    /// What was changed, in a sentence.
    pub change: String,
    /// The body.
    pub architecture: Architecture,
    /// What is minimised.
    pub loss: Loss,
    /// How gradients are limited.
    pub clipping: Clipping,
    /// A penalty on the weights.
    pub penalty: Penalty,
    /// How the hidden layers are trained before the first step, if at all.
    pub pretraining: Option<Pretraining>,
    /// Optimiser steps of a run, if not as many as the other rows make.
    pub steps: Option<usize>,
}

/// The rows of a group: the sick network, and each remedy as what it changes of it.
pub(super) fn group(table: &GroupTable) -> Result<GroupPlan, String> {
    let remedies = table.remedies.iter().map(|remedy| over(&table.sick, remedy));
    let tables = std::iter::once(table.sick.clone()).chain(remedies);
    let rows = tables.map(|table_| row(&table.name, &table_)).collect::<Result<_, _>>()?;
    Ok(GroupPlan { name: table.name.clone(), title: table.title.clone(), rows })
}

/// The sick network with what a remedy changes.
fn over(sick: &NetworkTable, remedy: &NetworkTable) -> NetworkTable {
    // A remedy that names an initialiser leaves behind the variances that the sick network put in its place.
    let named = remedy.init.is_some();
    NetworkTable {
        name: remedy.name.clone(),
        change: remedy.change.clone(),
        depth: remedy.depth.or(sick.depth),
        width: remedy.width.or(sick.width),
        activation: remedy.activation.or(sick.activation),
        init: remedy.init.clone().or(sick.init.clone()),
        weight_variance: remedy.weight_variance.or(if named { None } else { sick.weight_variance }),
        bias_variance: remedy.bias_variance.or(if named { None } else { sick.bias_variance }),
        norm: remedy.norm.or(sick.norm),
        norm_position: remedy.norm_position.or(sick.norm_position),
        residual: remedy.residual.or(sick.residual),
        cell: remedy.cell.or(sick.cell),
        clip: remedy.clip.or(sick.clip),
        penalty: remedy.penalty.or(sick.penalty),
        loss: remedy.loss.or(sick.loss),
        pretrain: remedy.pretrain.or(sick.pretrain),
        steps: remedy.steps.or(sick.steps),
    }
}

fn row(group: &str, table: &NetworkTable) -> Result<Contestant, String> {
    contestant(&format!("network `{}` of group `{group}`", table.name), table)
}

/// The network of a table; `what` names it in errors.
pub(super) fn contestant(what: &str, table: &NetworkTable) -> Result<Contestant, String> {
    let of = |field: &str| format!("{what}: {field}");
    let depth = table.depth.ok_or_else(|| of("depth is missing"))?;
    let width = table.width.ok_or_else(|| of("width is missing"))?;
    let activation = table.activation.ok_or_else(|| of("activation is missing"))?;
    at_least_one(&of("depth"), depth)?;
    if depth > DEEPEST {
        return Err(of(&format!("depth is {depth}; it must be 1 to {DEEPEST}")));
    }
    at_least_one(&of("width"), width)?;
    let mut init: Init = match &table.init {
        Some(name) => name.parse().map_err(|error| of(&format!("init `{name}`: {error}")))?,
        None if table.weight_variance.is_some() => Init::LECUN,
        None => return Err(of("neither init nor weight_variance is given")),
    };
    if let Some(variance) = table.weight_variance {
        positive(&of("weight_variance"), variance)?;
        init.weight_variance = WeightVariance::Fixed(variance);
    }
    if let Some(variance) = table.bias_variance {
        if !(variance >= 0.0 && variance.is_finite()) {
            return Err(of(&format!("bias_variance is {variance}; it must be 0 or positive")));
        }
        init.bias_variance = variance;
    }
    let residual = match table.residual {
        None => None,
        Some(residual) => {
            at_least_one(&of("residual.layers"), residual.layers)?;
            let scale = match residual.scale {
                BranchScale::Fixed(scale) => scale,
                BranchScale::InverseRootDepth => (1.0 / (depth as f64).sqrt()) as f32,
            };
            positive(&of("residual.scale"), scale)?;
            Some(Residual {
                scale,
                layers: residual.layers,
                last_is_linear: residual.last == LastName::Linear,
            })
        }
    };
    let clipping = match table.clip {
        None => Clipping::None,
        Some(clip) => {
            positive(&of("clip.limit"), clip.limit)?;
            match clip.kind {
                ClipName::Value => Clipping::Value { limit: clip.limit },
                ClipName::GlobalNorm => Clipping::GlobalNorm { max_norm: clip.limit },
                ClipName::Adaptive => Clipping::Adaptive { lambda: clip.limit },
            }
        }
    };
    let penalty = match table.penalty {
        None => Penalty::None,
        Some(penalty) => {
            positive(&of("penalty.lambda"), penalty.lambda)?;
            match penalty.kind {
                PenaltyName::L1 => Penalty::L1 { lambda: penalty.lambda },
                PenaltyName::L2 => Penalty::L2 { lambda: penalty.lambda },
            }
        }
    };
    let norm = match table.norm {
        None | Some(NormName::None) => Norm::None,
        Some(NormName::Batch) => Norm::Batch,
        Some(NormName::Layer) => Norm::Layer,
    };
    let norm_position = match table.norm_position {
        None | Some(PositionName::Pre) => NormPosition::Pre,
        Some(PositionName::Post) => NormPosition::Post,
    };
    let cell = match &table.cell {
        None => None,
        Some(cell) => Some(recurrence(cell, table, activation).map_err(|error| of(&error))?),
    };
    let architecture = Architecture {
        depth,
        width,
        activation,
        init,
        norm,
        norm_position,
        residual,
        scale_layer: None,
        cell,
    };
    let loss = table.loss.unwrap_or_default();
    let pretraining = match &table.pretrain {
        None => None,
        Some(pretrain) => Some(pretraining(pretrain, &architecture).map_err(|error| of(&error))?),
    };
    if let Some(steps) = table.steps {
        at_least_one(&of("steps"), steps)?;
    }
    Ok(Contestant {
        name: table.name.clone(),
        change: table.change.clone(),
        architecture,
        loss,
        clipping,
        penalty,
        pretraining,
        steps: table.steps,
    })
}
