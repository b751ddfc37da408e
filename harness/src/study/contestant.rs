//! The rows of a study: networks spelt out from their tables, every figure checked.

use super::check::{at_least_one, not_negative, positive};
use super::convolution::convolution;
use super::file::GroupTable;
use super::network::{
    BranchScale, ClipName, LastName, NetworkTable, NormName, PenaltyName, PositionName, ResidualTable,
    WeightsName,
};
use super::plan::{GroupPlan, Samples};
use super::pretraining::pretraining;
use super::recurrence::recurrence;
use super::sweep;
use crate::architecture::{Architecture, Norm, NormPosition, Residual};
use crate::init::{Init, WeightVariance};
use crate::net::Restraint;
use crate::net::update::{Clipping, Penalty};
use crate::pretrain::Pretraining;
use crate::suggest::did_you_mean_of;
use crate::train::{Loss, Schedule};

/// The deepest network of a study, in hidden layers; those of residual branches count one by one.
const DEEPEST: usize = 100_000;

/// One row of a table: a network and how it is trained, but for the setting.
///
/// ```
/// use isobath::study::plan::StudyPlan;
///
/// let plan = StudyPlan::load("depth", None, false)?;
/// let [untreated, remedy, ..] = &plan.groups[0].rows[..] else { panic!("a study without a remedy") };
/// assert!(untreated.change.is_empty() && !remedy.change.is_empty());
/// // A remedy keeps what it does not change.
/// assert_eq!(remedy.architecture.width, untreated.architecture.width);
/// # Ok::<(), isobath::study::StudyError>(())
/// ```
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
    /// How weights are held back.
    pub restraint: Restraint,
    /// How the rate changes over a run, if not as in the other rows.
    pub schedule: Option<Schedule>,
    /// How the hidden layers are trained before the first step, if at all.
    pub pretraining: Option<Pretraining>,
    /// Optimiser steps of a run, if not as many as the other rows make.
    pub steps: Option<usize>,
    /// Labels of the settings that it is tuned over; none stands for the whole grid.
    pub settings: Option<Vec<String>>,
}

/// The rows of a group: the sick network, and each remedy as what it changes of it.
pub(super) fn group(table: &GroupTable, sweep: Option<sweep::Point>) -> Result<GroupPlan, String> {
    let remedies = table.remedies.iter().map(|remedy| over(&table.sick, remedy));
    let tables = std::iter::once(table.sick.clone()).chain(remedies);
    let rows = tables.map(|table_| row(&table.name, &table_)).collect::<Result<_, _>>()?;
    let data = match &table.data {
        Some(data) => Some(Samples::of(data, None).map_err(|e| format!("group `{}`: data.{e}", table.name))?),
        None => None,
    };
    Ok(GroupPlan { name: table.name.clone(), title: table.title.clone(), data, sweep, rows })
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
        weights: remedy.weights.or(sick.weights),
        convolution: remedy.convolution.or(sick.convolution),
        cell: remedy.cell.or(sick.cell),
        clip: remedy.clip.or(sick.clip),
        penalty: remedy.penalty.or(sick.penalty),
        decay: remedy.decay.or(sick.decay),
        max_norm: remedy.max_norm.or(sick.max_norm),
        schedule: remedy.schedule.or(sick.schedule),
        loss: remedy.loss.or(sick.loss),
        pretrain: remedy.pretrain.or(sick.pretrain),
        steps: remedy.steps.or(sick.steps),
        settings: remedy.settings.clone().or(sick.settings.clone()),
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
    let mut init: Init = match table.init.as_deref() {
        Some("lsuv") => {
            let variances =
                [("weight_variance", table.weight_variance), ("bias_variance", table.bias_variance)];
            if let Some((field, _)) = variances.iter().find(|(_, variance)| variance.is_some()) {
                return Err(of(&format!(
                    "{field} is given, but lsuv has biases of 0 and chooses variances itself"
                )));
            }
            Init::LSUV
        }
        Some(name) => name.parse().map_err(|error| {
            let near = did_you_mean_of(name, &format!("{}, lsuv", Init::NAMES));
            of(&format!("init `{name}`: {error}, lsuv{near}"))
        })?,
        None if table.weight_variance.is_some() => Init::LECUN,
        None => return Err(of("neither init nor weight_variance is given")),
    };
    if let Some(variance) = table.weight_variance {
        positive(&of("weight_variance"), variance)?;
        init.weight_variance = WeightVariance::Fixed(variance);
    }
    if let Some(variance) = table.bias_variance {
        not_negative(&of("bias_variance"), variance)?;
        init.bias_variance = variance;
    }
    let residual = match table.residual {
        None => None,
        Some(residual) => Some(branches(&residual, depth).map_err(|error| of(&error))?),
    };
    let standardised = table.weights == Some(WeightsName::Standardised);
    if standardised {
        let taken = [
            ("init is lsuv", init == Init::LSUV),
            ("residual.zero_init is true", residual.is_some_and(|residual| residual.last_is_zero)),
            ("pretrain is given", table.pretrain.is_some()),
        ];
        if let Some((what, _)) = taken.iter().find(|(_, is_so)| *is_so) {
            return Err(of(&format!("{what}, which does not go with standardised weights")));
        }
    }
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
    let decay = table.decay.unwrap_or(0.0);
    not_negative(&of("decay"), decay)?;
    if let Some(limit) = table.max_norm {
        positive(&of("max_norm"), limit)?;
    }
    let norm = match table.norm {
        None | Some(NormName::None) => Norm::None,
        Some(NormName::Batch) => Norm::Batch,
        Some(NormName::Layer) => Norm::Layer,
    };
    let norm_position = match table.norm_position {
        None | Some(PositionName::Pre) => NormPosition::Pre,
        Some(PositionName::Post) => NormPosition::Post,
    };
    let convolution = match &table.convolution {
        None => None,
        Some(_) if standardised => {
            return Err(of("weights is \"standardised\", which convolutions do not have"));
        }
        Some(_) if table.cell.is_some() => {
            return Err(of("convolution and cell are both given; a network has one of them"));
        }
        Some(table) => Some(convolution(table, residual.is_some()).map_err(|error| of(&error))?),
    };
    let cell = match &table.cell {
        None => None,
        Some(_) if standardised => {
            return Err(of("weights is \"standardised\", which recurrent layers do not have"));
        }
        Some(_) if init.weight_variance == WeightVariance::Data => {
            return Err(of("init is \"lsuv\", which recurrent layers do not have"));
        }
        Some(cell) => Some(recurrence(cell, table, activation).map_err(|error| of(&error))?),
    };
    let plain = Architecture::plain(depth, width, activation, init);
    let architecture =
        Architecture { norm, norm_position, residual, convolution, standardised, cell, ..plain };
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
        restraint: Restraint { decay, max_norm: table.max_norm },
        schedule: table.schedule,
        pretraining,
        steps: table.steps,
        settings: table.settings.clone(),
    })
}

/// The branches of a table, for so many blocks.
fn branches(table: &ResidualTable, depth: usize) -> Result<Residual, String> {
    at_least_one("residual.layers", table.layers)?;
    // Layers are spelt out before they are laid out, and must not fill the memory.
    let most = DEEPEST / depth;
    if table.layers > most {
        return Err(format!(
            "residual.layers is {}; with depth {depth} it must be 1 to {most}",
            table.layers
        ));
    }
    let scale = match table.scale {
        BranchScale::Fixed(scale) => scale,
        BranchScale::InverseRootDepth => (1.0 / (depth as f64).sqrt()) as f32,
        BranchScale::Learned => 0.0,
    };
    let scale_is_learned = table.scale == BranchScale::Learned;
    if !scale_is_learned {
        positive("residual.scale", scale)?;
    }
    let last_is_linear = table.last == LastName::Linear;
    if table.zero_init && !last_is_linear {
        return Err(
            "residual.zero_init needs residual.last = \"linear\": an activation of 0 may have no slope"
                .into(),
        );
    }
    if table.zero_init && scale_is_learned {
        return Err("residual.zero_init needs a residual.scale that is not learned: of two factors of 0 neither has a gradient".into());
    }
    Ok(Residual {
        last_is_zero: table.zero_init,
        scale_is_learned,
        activated_sum: table.position == PositionName::Post,
        ..Residual::new(scale, table.layers, last_is_linear)
    })
}
