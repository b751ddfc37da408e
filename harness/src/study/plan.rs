//! A study made concrete: every network spelt out, every figure checked before anything runs.

use std::path::Path;

use super::StudyError;
use super::check::{at_least_one, check};
use super::claim::{self, ClaimTable};
use super::contestant::{Contestant, group};
use super::file::{DataTable, StudyFile};
use super::setting::{Setting, settings};
use super::sweep;
use crate::activation::Activation;
use crate::architecture::Architecture;
use crate::data::{Sizes, Source};
use crate::hash::Hash;
use crate::init::Init;
use crate::net::Restraint;
use crate::net::update::{Clipping, Penalty};
use crate::suggest::{did_you_mean, did_you_mean_of, with_suggestion};
use crate::train::{Loss, Recipe, Schedule};

/// The studies that come with the program: name and file.
pub const BUILT_IN: [(&str, &str); 12] = [
    ("remedies", include_str!("../../studies/remedies.toml")),
    ("depth", include_str!("../../studies/depth.toml")),
    ("pretraining", include_str!("../../studies/pretraining.toml")),
    ("exploding", include_str!("../../studies/exploding.toml")),
    ("norms", include_str!("../../studies/norms.toml")),
    ("activations", include_str!("../../studies/activations.toml")),
    ("init", include_str!("../../studies/init.toml")),
    ("depth-sweep", include_str!("../../studies/depth-sweep.toml")),
    ("thousand", include_str!("../../studies/thousand.toml")),
    ("convolution", include_str!("../../studies/convolution.toml")),
    ("sequences", include_str!("../../studies/sequences.toml")),
    ("claims", include_str!("../../studies/claims.toml")),
];

/// What networks learn from.
///
/// ```
/// use isobath::data::{Sizes, Source};
/// use isobath::study::plan::StudyPlan;
///
/// let samples = StudyPlan::load("remedies", None, false)?.data;
/// assert_eq!(samples.source, Source::Glyphs);
/// // The same study in a smaller form.
/// let few = Sizes { train: 10, validation: 5, test: 5 };
/// assert!(samples.sizes.train > few.train);
/// assert_eq!(samples.source.load(&few, 1)?.train.len(), 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// Where samples come from.
    pub source: Source,
    /// How many.
    pub sizes: Sizes,
    /// Whether the linear classifier is run on them as a reference.
    pub linear_reference: bool,
}

impl Samples {
    /// The samples of a table, from another source if one is given; errors name the field.
    pub(super) fn of(table: &DataTable, source: Option<Source>) -> Result<Self, String> {
        let DataTable { train, validation, test, linear_reference, .. } = *table;
        at_least_one("train", train)?;
        at_least_one("validation", validation)?;
        at_least_one("test", test)?;
        let source: Source = match source {
            Some(source) => source,
            None => table.source.parse().map_err(|error| format!("source: {error}"))?,
        };
        // The linear classifier gives one answer per sample.
        let linear_reference = linear_reference && source.answers() == 1;
        Ok(Self { source, sizes: Sizes { train, validation, test }, linear_reference })
    }
}

/// A sick network and its remedies.
///
/// ```
/// use isobath::study::plan::StudyPlan;
///
/// let group = &StudyPlan::load("remedies", None, false)?.groups[0];
/// let [untreated, remedies @ ..] = &group.rows[..] else { panic!("a group without a network") };
/// assert_eq!(untreated.name, "untreated");
/// assert!(remedies.iter().all(|remedy| remedy.name != "untreated"));
/// // Its networks learn from the data of the study, which has no sweep.
/// assert!(group.data.is_none() && group.sweep.is_none());
/// # Ok::<(), isobath::study::StudyError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GroupPlan {
    /// Short name.
    pub name: String,
    /// The sick network in words.
    pub title: String,
    /// What its networks learn from, where that is not the study's data.
    pub data: Option<Samples>,
    /// Where it stands in the study's sweep, if there is one.
    pub sweep: Option<sweep::Point>,
    /// Untreated first.
    pub rows: Vec<Contestant>,
}

/// A study, ready to run.
///
/// ```
/// use isobath::data::Source;
/// use isobath::study::plan::StudyPlan;
///
/// let plan = StudyPlan::load("remedies", Some(Source::Spirals), true)?;
/// assert!(plan.data.source == Source::Spirals && plan.seeds == 5);
/// // Whatever determines results is part of the fingerprint.
/// assert_ne!(plan.fingerprint, StudyPlan::load("remedies", None, true)?.fingerprint);
/// // A row is run with one setting of the grid.
/// let recipe = plan.recipe(&plan.groups[0].rows[0], &plan.grid[0]);
/// assert_eq!((recipe.steps, recipe.rate), (plan.steps, plan.grid[0].rate));
/// # Ok::<(), isobath::study::StudyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct StudyPlan {
    /// Short name.
    pub name: String,
    /// What it asks.
    pub title: String,
    /// What networks learn from.
    pub data: Samples,
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
    /// Hidden layers from one checkpoint to the next, where values are computed again.
    pub checkpoints: Option<usize>,
    /// What every row is tuned over.
    pub grid: Vec<Setting>,
    /// The groups.
    pub groups: Vec<GroupPlan>,
    /// What their figures are to confirm or refute.
    pub(super) claims: Vec<ClaimTable>,
    /// Hash of everything that determines the results, but the seed.
    pub fingerprint: u64,
}

impl StudyPlan {
    /// The built-in study of this name, or the one in this TOML file. `data` replaces the file's source, `full` asks
    /// for five seeds.
    ///
    /// # Errors
    /// There is no such study, its file cannot be read, or something in it is not allowed.
    ///
    /// ```
    /// use isobath::study::plan::StudyPlan;
    ///
    /// let plan = StudyPlan::load("remedies", None, false)?;
    /// assert_eq!(plan.groups[0].rows[0].name, "untreated");
    /// let error = StudyPlan::load("remedy", None, false).unwrap_err();
    /// assert!(error.to_string().ends_with("did you mean `remedies`?"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load(name: &str, data: Option<Source>, full: bool) -> Result<Self, StudyError> {
        if let Some((name, text)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
            return Self::parse(name, text, data, full);
        }
        let path = Path::new(name);
        if path.extension().is_none() && !path.exists() {
            let names = BUILT_IN.map(|(name, _)| name).join(", ");
            return Err(StudyError::Invalid {
                file: name.to_owned(),
                message: format!(
                    "no such study; built in are {names}, or give a TOML file{}",
                    did_you_mean_of(name, &names)
                ),
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
    ///
    /// ```
    /// use isobath::study::plan::StudyPlan;
    ///
    /// let text = r#"
    /// name = "mine"
    /// title = "Does a residual connection help?"
    /// data = { source = "two-spirals", train = 40, validation = 20, test = 20 }
    /// training = { steps = 10, batch = 8, seeds = 2, record_every = 5 }
    /// grid = [{ optimizer = "sgd", rates = [0.1, 0.01] }]
    /// [[group]]
    /// name = "deep"
    /// title = "Ten tanh layers"
    /// sick = { name = "untreated", depth = 10, width = 4, activation = "tanh", init = "xavier" }
    /// [[group.remedy]]
    /// name = "residual"
    /// residual = { scale = 1.0, layers = 1, last = "linear" }
    /// "#;
    /// let plan = StudyPlan::parse("mine.toml", text, None, false)?;
    /// assert_eq!(plan.grid.len(), 2);
    /// assert!(plan.groups[0].rows[1].architecture.residual.is_some());
    ///
    /// let text = text.replace("depth = 10", "depth = 0");
    /// let error = StudyPlan::parse("mine.toml", &text, None, false).unwrap_err();
    /// assert!(error.to_string().contains("depth is 0"));
    /// # Ok::<(), isobath::study::StudyError>(())
    /// ```
    pub fn parse(file: &str, text: &str, data: Option<Source>, full: bool) -> Result<Self, StudyError> {
        let invalid = |message: String| StudyError::Invalid { file: file.to_owned(), message };
        let parsed: StudyFile = toml::from_str(text).map_err(|error| invalid(with_suggestion(&error)))?;
        check(&parsed).map_err(invalid)?;
        let data = Samples::of(&parsed.data, data).map_err(|error| invalid(format!("data.{error}")))?;
        let grid: Vec<Setting> = parsed.grid.iter().flat_map(settings).collect();
        let groups: Vec<GroupPlan> = groups(&parsed).map_err(invalid)?;
        check_settings(&groups, &grid).map_err(invalid)?;
        claim::check(&parsed.claims, &groups).map_err(invalid)?;
        let seeds = if full { parsed.training.seeds.max(5) } else { parsed.training.seeds };
        let mut fingerprint = Hash::new();
        fingerprint.bytes(text.as_bytes());
        fingerprint.bytes(data.source.to_string().as_bytes());
        fingerprint.u64(seeds as u64);
        Ok(Self {
            name: parsed.name,
            title: parsed.title,
            data,
            steps: parsed.training.steps,
            batch: parsed.training.batch,
            seeds,
            record_every: parsed.training.record_every,
            schedule: parsed.training.schedule,
            checkpoints: parsed.training.checkpoints,
            grid,
            groups,
            claims: parsed.claims,
            fingerprint: fingerprint.finish(),
        })
    }

    /// The recipe of a row with a setting.
    ///
    /// ```
    /// use isobath::study::plan::StudyPlan;
    ///
    /// let plan = StudyPlan::load("remedies", None, false)?;
    /// let (row, setting) = (&plan.groups[0].rows[0], &plan.grid[0]);
    /// let recipe = plan.recipe(row, setting);
    /// assert_eq!(recipe.architecture, row.architecture);
    /// assert_eq!((recipe.optimizer, recipe.rate), (setting.optimizer, setting.rate));
    /// assert_eq!((recipe.steps, recipe.batch), (plan.steps, plan.batch));
    /// # Ok::<(), isobath::study::StudyError>(())
    /// ```
    pub fn recipe(&self, row: &Contestant, setting: &Setting) -> Recipe {
        Recipe {
            architecture: row.architecture,
            loss: row.loss,
            optimizer: setting.optimizer,
            rate: setting.rate,
            schedule: row.schedule.unwrap_or(self.schedule),
            clipping: row.clipping,
            penalty: row.penalty,
            restraint: row.restraint,
            pretraining: row.pretraining,
            steps: self.steps_of(row),
            batch: self.batch,
            record_every: self.record_every,
            checkpoint: None,
            recompute_every: self.checkpoints,
        }
    }

    /// The settings of the grid that a row is tuned over.
    pub(super) fn settings_of(&self, row: &Contestant) -> Vec<usize> {
        let is_allowed = |setting: &Setting| match &row.settings {
            Some(labels) => labels.contains(&setting.label()),
            None => true,
        };
        (0..self.grid.len()).filter(|&s| is_allowed(&self.grid[s])).collect()
    }

    /// Runs of a row, those of tuning included: a row with a single setting has nothing to be tuned.
    pub(super) fn runs_of(&self, row: &Contestant) -> usize {
        match self.settings_of(row).len() {
            1 => self.seeds,
            tuning => tuning + self.seeds,
        }
    }

    pub(super) fn steps_of(&self, row: &Contestant) -> usize {
        row.steps.unwrap_or(self.steps)
    }

    /// How often a run of this row calls back, if it does not diverge: once for every step, for the measurement after
    /// the last one, and for every step of the pre-training.
    pub(super) fn calls(&self, row: &Contestant) -> u64 {
        let pretraining = row.pretraining.map_or(0, |pretraining| pretraining.steps);
        (self.steps_of(row) as u64).saturating_add(1).saturating_add(pretraining as u64)
    }

    /// The linear softmax classifier as a row.
    ///
    /// ```
    /// use isobath::study::plan::StudyPlan;
    ///
    /// let plan = StudyPlan::load("remedies", None, false)?;
    /// // No hidden layer: the network is its head.
    /// let built = plan.recipe(&plan.linear(), &plan.grid[0]).build(144, 10);
    /// assert_eq!(built.layers.len(), 1);
    /// # Ok::<(), isobath::study::StudyError>(())
    /// ```
    pub fn linear(&self) -> Contestant {
        Contestant {
            name: "linear softmax".to_owned(),
            change: String::new(),
            architecture: Architecture::plain(0, 1, Activation::Identity, Init::LECUN),
            loss: Loss::CrossEntropy,
            clipping: Clipping::None,
            penalty: Penalty::None,
            restraint: Restraint::default(),
            schedule: None,
            pretraining: None,
            steps: None,
            settings: None,
        }
    }
}

/// The groups of a file, each at every value of the sweep.
fn groups(file: &StudyFile) -> Result<Vec<GroupPlan>, String> {
    let mut groups = Vec::new();
    for table in &file.groups {
        match &file.sweep {
            None => groups.push(group(table, None)?),
            Some(sweep) => {
                for (swept, point) in sweep::expand(sweep, table)? {
                    groups.push(group(&swept, Some(point))?);
                }
            }
        }
    }
    Ok(groups)
}

/// An error unless every setting that a row asks for is in the grid.
fn check_settings(groups: &[GroupPlan], grid: &[Setting]) -> Result<(), String> {
    let labels: Vec<String> = grid.iter().map(Setting::label).collect();
    for (group, row) in groups.iter().flat_map(|group| group.rows.iter().map(move |row| (group, row))) {
        let Some(settings) = &row.settings else { continue };
        let of = format!("network `{}` of group `{}`: settings", row.name, group.name);
        if settings.is_empty() {
            return Err(format!("{of} is empty; allowed are {}", labels.join(", ")));
        }
        if let Some(unknown) = settings.iter().find(|setting| !labels.contains(setting)) {
            return Err(format!(
                "{of}: `{unknown}` is not in the grid; allowed are {}{}",
                labels.join(", "),
                did_you_mean(unknown, labels.iter().map(String::as_str))
            ));
        }
    }
    Ok(())
}
