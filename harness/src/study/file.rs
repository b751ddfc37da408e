//! A study as its user writes it: a TOML file. Unknown keys are errors, so that a slip of the pen is not ignored.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::claim::ClaimTable;
use super::network::NetworkTable;
use super::sweep::SweepTable;
use crate::train::Schedule;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyFile {
    /// Short name; the run folder is called after it.
    pub name: String,
    /// What the study asks, in a sentence.
    pub title: String,
    /// Where samples come from and how many.
    pub data: DataTable,
    /// The protocol.
    pub training: TrainingTable,
    /// Optimisers and rates that every row is tuned over.
    pub grid: Vec<GridTable>,
    /// A field of the sick networks that takes several values.
    pub sweep: Option<SweepTable>,
    /// Sick networks with their remedies.
    #[serde(rename = "group")]
    pub groups: Vec<GroupTable>,
    /// What the figures are to confirm or refute.
    #[serde(default, rename = "claim")]
    pub claims: Vec<ClaimTable>,
}

/// `[data]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataTable {
    /// As `--data` takes it.
    pub source: String,
    /// Training samples.
    pub train: usize,
    /// Validation samples.
    pub validation: usize,
    /// Test samples.
    pub test: usize,
    /// Whether the linear softmax classifier is run as a reference.
    #[serde(default = "yes")]
    pub linear_reference: bool,
}

fn yes() -> bool {
    true
}

/// `[training]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingTable {
    /// Optimiser steps of a run.
    pub steps: usize,
    /// Samples per step.
    pub batch: usize,
    /// Fresh seeds per row.
    pub seeds: usize,
    /// Steps between two records.
    pub record_every: usize,
    /// How the rate changes over a run.
    #[serde(default)]
    pub schedule: Schedule,
    /// Hidden layers from one checkpoint to the next, where values are computed again.
    pub checkpoints: Option<usize>,
}

/// `[[grid]]`: one optimiser with its rates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridTable {
    /// `sgd`, `momentum`, `nesterov`, `adam` or `adamw`.
    pub optimizer: OptimizerName,
    /// Learning rates.
    pub rates: Vec<f32>,
    /// Decoupled weight decay, for `adamw`.
    #[serde(default)]
    pub weight_decay: f32,
}

/// The optimisers by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerName {
    /// Plain gradient descent.
    Sgd,
    /// Heavy ball, factor 0.9.
    Momentum,
    /// Nesterov's, factor 0.9.
    Nesterov,
    /// Adam, betas 0.9 and 0.999, epsilon 1e-8.
    Adam,
    /// Adam with decoupled weight decay.
    #[serde(rename = "adamw")]
    AdamW,
}

impl fmt::Display for OptimizerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sgd => "sgd",
            Self::Momentum => "momentum",
            Self::Nesterov => "nesterov",
            Self::Adam => "adam",
            Self::AdamW => "adamw",
        })
    }
}

/// `[[group]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupTable {
    /// Short name.
    pub name: String,
    /// The sick network in words.
    pub title: String,
    /// What its networks learn from, where that is not the study's data.
    pub data: Option<DataTable>,
    /// The untreated network.
    pub sick: NetworkTable,
    /// The remedies: each says only what it changes.
    #[serde(default, rename = "remedy")]
    pub remedies: Vec<NetworkTable>,
}
