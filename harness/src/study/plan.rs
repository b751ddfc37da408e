//! A study made concrete: every network spelt out, every figure checked before anything runs.

use std::path::Path;

use super::StudyError;
use super::check::{at_least_one, check, positive};
use super::file::{
    BranchScale, ClipName, GridTable, GroupTable, LastName, NetworkTable, NormName, OptimizerName,
    PenaltyName, PositionName, StudyFile,
};
use super::pretraining::pretraining;
use crate::activation::Activation;
use crate::architecture::{Architecture, Norm, NormPosition, Residual};
use crate::data::Source;
use crate::hash::Hash;
use crate::init::{Init, WeightVariance};
use crate::net::update::{Clipping, Optimizer, Penalty};
use crate::pretrain::Pretraining;
use crate::train::{Loss, Recipe, Schedule};

/// The studies that come with the program: name and file.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("remedies", include_str!("../../studies/remedies.toml")),
    ("depth", include_str!("../../studies/depth.toml")),
    ("pretraining", include_str!("../../studies/pretraining.toml")),
];

/// The deepest network of a study.
const DEEPEST: usize = 100_000;

/// The momentum of the `momentum` and `nesterov` optimisers.
const MOMENTUM: f32 = 0.9;

/// An optimiser with its rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The optimiser's name.
    pub name: OptimizerName,
    /// The rule.
    pub optimizer: Optimizer,
    /// The learning rate.
    pub rate: f32,
}

impl Setting {
    /// As it is printed: `momentum 0.1`.
    pub fn label(&self) -> String {
        format!("{} {}", self.name, self.rate)
    }
}

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

/// A sick network and its remedies.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupPlan {
    /// Short name.
    pub name: String,
    /// The sick network in words.
    pub title: String,
    /// Untreated first.
    pub rows: Vec<Contestant>,
}

/// A study, ready to run.
#[derive(Clone, Debug)]
pub struct StudyPlan {
    /// Short name.
    pub name: String,
    /// What it asks.
    pub title: String,
    /// Where samples come from.
    pub source: Source,
    /// How many: training, validation, test.
    pub samples: (usize, usize, usize),
    /// Whether the linear classifier is run as a reference.
    pub linear_reference: bool,
    /// Optimiser steps of a run.
    pub steps: usize,
    /// Samples per step.
    pub batch: usize,
    /// Fresh seeds per row.
    pub seeds: usize,
    /// Steps between two records.
    pub record_every: usize,
    /// How the rate changes.
    pub schedule: Schedule,
    /// What every row is tuned over.
    pub grid: Vec<Setting>,
    /// The groups.
    pub groups: Vec<GroupPlan>,
    /// Hash of everything that determines the results, but the seed.
    pub fingerprint: u64,
}

impl StudyPlan {
    /// The built-in study of this name, or the one in this TOML file. `data` replaces the file's source, `full` asks
    /// for five seeds.
    ///
    /// # Errors
    /// There is no such study, its file cannot be read, or something in it is not allowed.
    pub fn load(name: &str, data: Option<Source>, full: bool) -> Result<Self, StudyError> {
        if let Some((name, text)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
            return Self::parse(name, text, data, full);
        }
        let path = Path::new(name);
        if path.extension().is_none() && !path.exists() {
            let names = BUILT_IN.map(|(name, _)| name).join(", ");
            return Err(StudyError::Invalid {
                file: name.to_owned(),
                message: format!("no such study; built in are {names}, or give a TOML file"),
            });
        }
        let text = std::fs::read_to_string(path)
            .map_err(|source| StudyError::ReadFile { path: path.to_owned(), source })?;
        Self::parse(name, &text, data, full)
    }

    /// The study of this TOML text; `file` names it in errors.
    ///
    /// # Errors
    /// Something in it is not allowed.
    pub fn parse(file: &str, text: &str, data: Option<Source>, full: bool) -> Result<Self, StudyError> {
        let invalid = |message: String| StudyError::Invalid { file: file.to_owned(), message };
        let parsed: StudyFile = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        check(&parsed).map_err(invalid)?;
        let source = match data {
            Some(source) => source,
            None => parsed.data.source.parse().map_err(|e| invalid(format!("data.source: {e}")))?,
        };
        let grid = parsed.grid.iter().flat_map(settings).collect();
        let groups = parsed.groups.iter().map(group).collect::<Result<_, _>>().map_err(invalid)?;
        let seeds = if full { parsed.training.seeds.max(5) } else { parsed.training.seeds };
        let mut fingerprint = Hash::new();
        fingerprint.bytes(text.as_bytes());
        fingerprint.bytes(source.to_string().as_bytes());
        fingerprint.u64(seeds as u64);
        Ok(Self {
            name: parsed.name,
            title: parsed.title,
            source,
            samples: (parsed.data.train, parsed.data.validation, parsed.data.test),
            linear_reference: parsed.data.linear_reference,
            steps: parsed.training.steps,
            batch: parsed.training.batch,
            seeds,
            record_every: parsed.training.record_every,
            schedule: parsed.training.schedule,
            grid,
            groups,
            fingerprint: fingerprint.finish(),
        })
    }

    /// The recipe of a row with a setting.
    pub fn recipe(&self, row: &Contestant, setting: &Setting) -> Recipe {
        Recipe {
            architecture: row.architecture,
            loss: row.loss,
            optimizer: setting.optimizer,
            rate: setting.rate,
            schedule: self.schedule,
            clipping: row.clipping,
            penalty: row.penalty,
            pretraining: row.pretraining,
            steps: self.steps_of(row),
            batch: self.batch,
            record_every: self.record_every,
        }
    }

    fn steps_of(&self, row: &Contestant) -> usize {
        row.steps.unwrap_or(self.steps)
    }

    /// How often a run of this row calls back, if it does not diverge: once for every step, for the measurement after
    /// the last one, and for every step of the pre-training.
    pub(super) fn calls(&self, row: &Contestant) -> u64 {
        let pretraining = row.pretraining.map_or(0, |pretraining| pretraining.steps);
        (self.steps_of(row) + 1 + pretraining) as u64
    }

    /// The linear softmax classifier as a row.
    pub fn linear(&self) -> Contestant {
        Contestant {
            name: "linear softmax".to_owned(),
            change: String::new(),
            architecture: Architecture {
                depth: 0,
                width: 1,
                activation: Activation::Identity,
                init: Init::LECUN,
                norm: Norm::None,
                norm_position: NormPosition::Pre,
                residual: None,
                scale_layer: None,
            },
            loss: Loss::CrossEntropy,
            clipping: Clipping::None,
            penalty: Penalty::None,
            pretraining: None,
            steps: None,
        }
    }
}

pub(super) fn settings(grid: &GridTable) -> impl Iterator<Item = Setting> + '_ {
    let optimizer = match grid.optimizer {
        OptimizerName::Sgd => Optimizer::Sgd,
        OptimizerName::Momentum => Optimizer::Momentum { momentum: MOMENTUM, nesterov: false },
        OptimizerName::Nesterov => Optimizer::Momentum { momentum: MOMENTUM, nesterov: true },
        OptimizerName::Adam => Optimizer::Adam { weight_decay: 0.0 },
        OptimizerName::AdamW => Optimizer::Adam { weight_decay: grid.weight_decay },
    };
    grid.rates.iter().map(move |rate| Setting { name: grid.optimizer, optimizer, rate: *rate })
}

fn group(table: &GroupTable) -> Result<GroupPlan, String> {
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
    let architecture =
        Architecture { depth, width, activation, init, norm, norm_position, residual, scale_layer: None };
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
