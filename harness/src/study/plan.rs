//! A study made concrete: every network spelt out, every figure checked before anything runs.

use std::path::Path;

use super::StudyError;
use super::check::check;
use super::contestant::{Contestant, group};
use super::file::StudyFile;
use super::setting::{Setting, settings};
use crate::activation::Activation;
use crate::architecture::{Architecture, Norm, NormPosition};
use crate::data::Source;
use crate::hash::Hash;
use crate::init::Init;
use crate::net::update::{Clipping, Penalty};
use crate::train::{Loss, Recipe, Schedule};

/// The studies that come with the program: name and file.
pub const BUILT_IN: [(&str, &str); 4] = [
    ("remedies", include_str!("../../studies/remedies.toml")),
    ("depth", include_str!("../../studies/depth.toml")),
    ("pretraining", include_str!("../../studies/pretraining.toml")),
    ("sequences", include_str!("../../studies/sequences.toml")),
];

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
            samples: (parsed.data.train, parsed.data.validation, parsed.data.test),
            // The linear classifier gives one answer per sample.
            linear_reference: parsed.data.linear_reference && source.answers() == 1,
            steps: parsed.training.steps,
            batch: parsed.training.batch,
            seeds,
            record_every: parsed.training.record_every,
            schedule: parsed.training.schedule,
            source,
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
                cell: None,
            },
            loss: Loss::CrossEntropy,
            clipping: Clipping::None,
            penalty: Penalty::None,
            pretraining: None,
            steps: None,
        }
    }
}
