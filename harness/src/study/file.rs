//! A study as its user writes it: a TOML file. Unknown keys are errors, so that a slip of the pen is not ignored.

use serde::Deserialize;

use super::claim::ClaimTable;
use super::network::NetworkTable;
use super::setting::OptimizerName;
use super::sweep::SweepTable;
use crate::train::Schedule;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StudyFile {
    /// Short name; the run folder is called after it.
    pub(super) name: String,
    /// What the study asks, in a sentence.
    pub(super) title: String,
    /// Where samples come from and how many.
    pub(super) data: DataTable,
    /// The protocol.
    pub(super) training: TrainingTable,
    /// Optimisers and rates that every row is tuned over.
    pub(super) grid: Vec<GridTable>,
    /// A field of the sick networks that takes several values.
    pub(super) sweep: Option<SweepTable>,
    /// Sick networks with their remedies.
    #[serde(rename = "group")]
    pub(super) groups: Vec<GroupTable>,
    /// What the figures are to confirm or refute.
    #[serde(default, rename = "claim")]
    pub(super) claims: Vec<ClaimTable>,
}

/// `[data]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataTable {
    /// As `--data` takes it.
    pub(super) source: String,
    /// Training samples.
    pub(super) train: usize,
    /// Validation samples.
    pub(super) validation: usize,
    /// Test samples.
    pub(super) test: usize,
    /// Whether the linear softmax classifier is run as a reference.
    #[serde(default = "yes")]
    pub(super) linear_reference: bool,
}

fn yes() -> bool {
    true
}

/// `[training]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrainingTable {
    /// Optimiser steps of a run.
    pub(super) steps: usize,
    /// Samples per step.
    pub(super) batch: usize,
    /// Fresh seeds per row.
    pub(super) seeds: usize,
    /// Steps between two records.
    pub(super) record_every: usize,
    /// How the rate changes over a run.
    #[serde(default)]
    pub(super) schedule: Schedule,
    /// Hidden layers from one checkpoint to the next, where values are computed again.
    pub(super) checkpoints: Option<usize>,
}

/// `[[grid]]`: one optimiser with its rates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GridTable {
    /// `sgd`, `momentum`, `nesterov`, `adam` or `adamw`.
    pub(super) optimizer: OptimizerName,
    /// Learning rates.
    pub(super) rates: Vec<f32>,
    /// Decoupled weight decay, for `adamw`.
    #[serde(default)]
    pub(super) weight_decay: f32,
}

/// `[[group]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupTable {
    /// Short name.
    pub(super) name: String,
    /// The sick network in words.
    pub(super) title: String,
    /// What its networks learn from, where that is not the study's data.
    pub(super) data: Option<DataTable>,
    /// The untreated network.
    pub(super) sick: NetworkTable,
    /// The remedies: each says only what it changes.
    #[serde(default, rename = "remedy")]
    pub(super) remedies: Vec<NetworkTable>,
}
