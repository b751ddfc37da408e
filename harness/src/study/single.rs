//! One network with its data, as its user writes it for `isobath train`: a TOML file.

use std::path::Path;

use serde::Deserialize;

use super::StudyError;
use super::check::{at_least_one, check_weight_decay, positive};
use super::contestant::contestant;
use super::file::GridTable;
use super::network::{NetworkTable, NormName};
use super::setting::{OptimizerName, settings};
use crate::data::{Dataset, Sizes, Source};
use crate::machine::available_memory;
use crate::suggest::with_suggestion;
use crate::train::{Recipe, Schedule};

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data: Data,
    training: Training,
    optimizer: Optimizer,
    network: NetworkTable,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    source: String,
    train: usize,
    test: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Training {
    steps: usize,
    batch: usize,
    /// Steps between two soundings.
    record_every: usize,
    #[serde(default)]
    schedule: Schedule,
    /// Hidden layers from one checkpoint to the next.
    checkpoints: Option<usize>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Optimizer {
    name: OptimizerName,
    rate: f32,
    #[serde(default)]
    weight_decay: f32,
}

/// What to train, and on what.
///
/// ```
/// use isobath::data::Source;
/// use isobath::study::single::Single;
///
/// let text = r#"
/// data = { source = "two-spirals", train = 40, test = 20 }
/// training = { steps = 10, batch = 8, record_every = 5 }
/// optimizer = { name = "adam", rate = 0.01 }
/// network = { name = "mine", depth = 3, width = 4, activation = "relu", init = "he" }
/// "#;
/// let path = std::env::temp_dir().join(format!("isobath-single-{}.toml", std::process::id()));
/// std::fs::write(&path, text)?;
/// let single = Single::load(&path)?;
/// assert_eq!((single.name.as_str(), single.setting.as_str()), ("mine", "adam 0.01"));
/// assert_eq!((single.source.clone(), single.recipe.architecture.depth), (Source::TwoSpirals, 3));
/// single.check_memory(&single.source.load(&single.sizes, 1)?.train)?;
///
/// std::fs::write(&path, text.replace("he", "ha"))?;
/// let error = Single::load(&path).unwrap_err();
/// assert!(error.to_string().contains("ha"));
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Single {
    /// The network's name.
    pub name: String,
    /// Where samples come from.
    pub source: Source,
    /// How many of them.
    pub sizes: Sizes,
    /// The network and how it is trained.
    pub recipe: Recipe,
    /// The optimiser with its rate, in words.
    pub setting: String,
}

impl Single {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or something in it is not allowed.
    pub fn load(path: &Path) -> Result<Self, StudyError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| StudyError::ReadFile { path: path.to_owned(), source })?;
        let invalid = |message| StudyError::Invalid { file: path.display().to_string(), message };
        let file: File = toml::from_str(&text).map_err(|error| invalid(with_suggestion(&error)))?;
        Self::from_file(&file).map_err(invalid)
    }

    fn from_file(file: &File) -> Result<Self, String> {
        let File { data, training, optimizer, network } = file;
        at_least_one("data.train", data.train)?;
        at_least_one("data.test", data.test)?;
        at_least_one("training.steps", training.steps)?;
        at_least_one("training.batch", training.batch)?;
        at_least_one("training.record_every", training.record_every)?;
        at_least_one("training.checkpoints", training.checkpoints.unwrap_or(1))?;
        positive("optimizer.rate", optimizer.rate)?;
        let grid = GridTable {
            optimizer: optimizer.name,
            rates: vec![optimizer.rate],
            weight_decay: optimizer.weight_decay,
        };
        check_weight_decay("optimizer", &grid)?;
        if network.norm == Some(NormName::Batch) && training.batch < 2 {
            return Err(format!("batch norm needs training.batch of at least 2, not {}", training.batch));
        }
        let setting = settings(&grid).next().ok_or("optimizer.rate is missing")?;
        if network.settings.is_some() {
            return Err("network.settings belongs to a study; [optimizer] says how this network is trained"
                .to_owned());
        }
        let row = contestant(&format!("network `{}`", network.name), network)?;
        let source = data.source.parse().map_err(|error| format!("data.source: {error}"))?;
        let recipe = Recipe {
            architecture: row.architecture,
            loss: row.loss,
            optimizer: setting.optimizer,
            rate: setting.rate,
            schedule: row.schedule.unwrap_or(training.schedule),
            clipping: row.clipping,
            penalty: row.penalty,
            restraint: row.restraint,
            pretraining: row.pretraining,
            steps: row.steps.unwrap_or(training.steps),
            batch: training.batch,
            record_every: training.record_every,
            checkpoint: None,
            recompute_every: training.checkpoints,
        };
        let sizes = Sizes { train: data.train, validation: 0, test: data.test };
        Ok(Self { name: row.name, source, sizes, recipe, setting: setting.label() })
    }

    /// Lays the network out for such data, before anything is allocated.
    ///
    /// # Errors
    /// It is no network, or does not fit into memory.
    pub fn check_memory(&self, data: &Dataset) -> Result<(), StudyError> {
        let network = self.name.clone();
        let needed = self
            .recipe
            .memory_bytes(data.form(), data.target(), data.len())
            .map_err(|source| StudyError::Train { network: network.clone(), source })?;
        let available = available_memory().unwrap_or(u64::MAX);
        if needed > available {
            let (needed, available) = (needed >> 20, available >> 20);
            return Err(StudyError::Memory { network, needed, threads: 1, available });
        }
        Ok(())
    }
}
