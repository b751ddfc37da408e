//! The fair trial: every row is tuned over one shared grid on a validation split with a tuning seed, then run with
//! fresh seeds, and only then is the test split read, once per run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use isobath_kernels::{Level, NUMERICS_VERSION};
use rayon::prelude::*;

use super::StudyError;
use super::contestant::Contestant;
use super::outline::{self, Outline};
use super::plan::{Samples, StudyPlan};
use super::spectrum::SpectrumKeeper;
use super::store::{Header, Phase, RunId, Store};
use super::summarise::{summarise, tuning_score};
use super::summary::{SCHEMA_VERSION, Summary};
use crate::data::Splits;
use crate::hash::Hash;
use crate::machine::available_memory;
use crate::threads::Serial;
use crate::train::{Cost, Trained, train_kept};

/// How a study is run. None of it shows in a result but the seed.
///
/// ```
/// use isobath::study::StudyError;
/// use isobath::study::plan::StudyPlan;
/// use isobath::study::trial::{Options, Progress, run};
/// use isobath_kernels::Level;
///
/// struct Silent;
///
/// impl Progress for Silent {
///     fn advance(&self, _: u64, _: u64, _: &str) {}
/// }
///
/// # let text = r#"
/// # name = "mine"
/// # title = "?"
/// # data = { source = "two-spirals", train = 40, validation = 20, test = 20 }
/// # training = { steps = 10, batch = 8, seeds = 2, record_every = 5 }
/// # grid = [{ optimizer = "sgd", rates = [0.1] }]
/// # [[group]]
/// # name = "deep"
/// # title = "Three ReLU layers"
/// # sick = { name = "untreated", depth = 3, width = 4, activation = "relu", init = "he", norm = "layer" }
/// # "#;
/// // `text` is a small study.
/// let plan = StudyPlan::parse("mine.toml", text, None, false)?;
/// let folder = std::env::temp_dir().join(format!("isobath-options-{}", std::process::id()));
/// let level = Level::detect();
/// let options = Options { folder: folder.clone(), seed: 1, level, threads: 2, force: false };
/// let hash = run(&plan, &options, &false.into(), &Silent)?.summary.hash;
/// // Another level or number of threads gives the same bits, another seed other networks.
/// let again = Options { level: Level::SCALAR, threads: 1, force: true, ..options.clone() };
/// assert_eq!(run(&plan, &again, &false.into(), &Silent)?.summary.hash, hash);
/// let other = run(&plan, &Options { seed: 2, ..options }, &false.into(), &Silent);
/// assert!(matches!(other, Err(StudyError::Occupied { .. })));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// The run folder.
    pub folder: PathBuf,
    /// What everything follows from.
    pub seed: u64,
    /// The instruction set.
    pub level: Level,
    /// Networks trained at a time.
    pub threads: usize,
    /// Whether to begin again where a study is already there.
    pub force: bool,
}

/// What a study tells while it runs.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use isobath::study::trial::Progress;
///
/// // Keeps how much of a study is done, in percent.
/// #[derive(Default)]
/// struct Percent(AtomicU64);
///
/// impl Progress for Percent {
///     fn advance(&self, done: u64, total: u64, _: &str) {
///         self.0.store(100 * done / total.max(1), Ordering::Relaxed);
///     }
/// }
///
/// // As `run` tells it, from all its threads.
/// let percent = Percent::default();
/// percent.advance(30, 120, "deep/untreated");
/// assert_eq!(percent.0.into_inner(), 25);
/// ```
pub trait Progress: Sync {
    /// So many steps of so many are done.
    fn advance(&self, done: u64, total: u64, what: &str);
}

/// A finished study.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("isobath-finished-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// let finished = study(&folder)?;
/// assert!(!finished.before);
/// assert_eq!(finished.report, folder.join("report.html"));
/// // The same study again runs nothing and says the same.
/// let again = study(&folder)?;
/// assert!(again.before);
/// assert_eq!(again.summary, finished.summary);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Finished {
    /// What it says.
    pub summary: Summary,
    /// Whether it had been finished before and nothing was run.
    pub before: bool,
    /// The page, if one was written.
    pub report: PathBuf,
}

/// The streams that a study's seeds come from.
const TUNING_SEED: u64 = 0x7475_6e65;
const TRIAL_SEED: u64 = 0x7472_6961;

fn seed_of(study: u64, phase: Phase, index: usize) -> u64 {
    let stream = match phase {
        Phase::Tuning => TUNING_SEED,
        Phase::Trial => TRIAL_SEED,
    };
    let mut hash = Hash::new();
    hash.u64(study);
    hash.u64(stream);
    hash.u64(index as u64);
    hash.finish()
}

/// One row of the study with the name of its network and what it learns from.
pub(super) struct Entry<'a> {
    pub(super) network: String,
    pub(super) row: &'a Contestant,
    pub(super) splits: &'a Splits,
    /// The multiply-adds of the cheapest row of its group, for accuracies at equal cost.
    pub(super) budget: u64,
    /// The steps that this row makes of them; none where its pre-training alone takes more.
    pub(super) checkpoint: Option<usize>,
}

/// Runs what is left of a study, writes summary and report, and returns them. `stop` ends it early.
///
/// # Errors
/// Data, networks or the folder are not as they must be, or the user asked to stop.
///
/// ```
/// use std::sync::atomic::AtomicBool;
///
/// use isobath::study::StudyError;
/// use isobath::study::plan::StudyPlan;
/// use isobath::study::trial::{Options, Progress, run};
/// use isobath_kernels::Level;
///
/// struct Silent;
///
/// impl Progress for Silent {
///     fn advance(&self, _: u64, _: u64, _: &str) {}
/// }
///
/// let text = r#"
/// name = "mine"
/// title = "What does batch norm change?"
/// data = { source = "two-spirals", train = 40, validation = 20, test = 20 }
/// training = { steps = 10, batch = 8, seeds = 2, record_every = 5 }
/// grid = [{ optimizer = "sgd", rates = [0.1, 0.01] }]
/// [[group]]
/// name = "deep"
/// title = "Three ReLU layers"
/// sick = { name = "untreated", depth = 3, width = 4, activation = "relu", init = "he" }
/// [[group.remedy]]
/// name = "batch norm"
/// norm = "batch"
/// "#;
/// let plan = StudyPlan::parse("mine.toml", text, None, false)?;
/// let folder = std::env::temp_dir().join(format!("isobath-run-{}", std::process::id()));
/// let level = Level::detect();
/// let options = Options { folder: folder.clone(), seed: 1, level, threads: 1, force: false };
///
/// // Stopped, it goes on where it was.
/// let stopped = run(&plan, &options, &AtomicBool::new(true), &Silent);
/// assert!(matches!(stopped, Err(StudyError::Interrupted)));
/// let finished = run(&plan, &options, &AtomicBool::new(false), &Silent)?;
/// assert_eq!(finished.summary.groups[0].rows.len(), 2);
/// for file in ["records.jsonl", "summary.json", "report.html"] {
///     assert!(folder.join(file).exists());
/// }
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn run(
    plan: &StudyPlan,
    options: &Options,
    stop: &AtomicBool,
    progress: &dyn Progress,
) -> Result<Finished, StudyError> {
    let started = Instant::now();
    let load = |samples: &Samples| samples.source.load(&samples.sizes, options.seed);
    let shared = load(&plan.data)?;
    let own: Vec<Option<Splits>> = plan
        .groups
        .iter()
        .map(|group| group.data.as_ref().map(load).transpose())
        .collect::<Result<_, _>>()?;
    for splits in std::iter::once(&shared).chain(own.iter().flatten()) {
        check_batch(plan, splits)?;
    }
    let linear = plan.linear();
    let entries = entries(plan, &linear, &shared, &own)?;
    check_networks(plan, options, &entries)?;
    let header = Header {
        schema_version: SCHEMA_VERSION,
        study: plan.name.clone(),
        seed: options.seed,
        fingerprint: format!(
            "{:016x}",
            fingerprint(plan, std::iter::once(&shared).chain(own.iter().flatten()))
        ),
        numerics_version: NUMERICS_VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        level: options.level.name().to_owned(),
        cpu: crate::machine::cpu(),
    };
    let store = Store::open(&options.folder, &header, options.force)?;
    if let Some(summary) = store.summary()? {
        return Ok(Finished { summary, before: true, report: options.folder.join("report.html") });
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build().map_err(|error| {
        StudyError::Io {
            action: "start threads for",
            path: options.folder.clone(),
            source: std::io::Error::other(error),
        }
    })?;

    let trial = Trial::new(plan, options, &entries, store, stop, progress);
    // A row with a single setting has nothing to be tuned.
    let tuned =
        |entry: usize| Some(plan.settings_of(entries[entry].row)).filter(|settings| settings.len() > 1);
    trial.write_outline(&shared);
    pool.install(|| trial.run_all(Phase::Tuning, &|entry| tuned(entry).unwrap_or_default()))?;
    let chosen: Vec<usize> = entries.iter().map(|entry| trial.best_setting(entry)).collect();
    pool.install(|| trial.run_all(Phase::Trial, &|entry| vec![chosen[entry]]))?;

    let (store, finished) = trial.into_parts();
    let mut summary = summarise(plan, options, &shared, &entries, &chosen, &finished);
    summary.machine.seconds = started.elapsed().as_secs_f64();
    // Phase diagrams are computed on the current pool.
    let page = pool.install(|| crate::report::html(&summary));
    let report = store.replace("report.html", page.as_bytes())?;
    let text = serde_json::to_vec_pretty(&summary).map_err(|e| StudyError::Io {
        action: "write",
        path: options.folder.clone(),
        source: e.into(),
    })?;
    // The summary comes last: it is the sign that the study is finished.
    store.replace("summary.json", &text)?;
    Ok(Finished { summary, before: false, report })
}

fn check_batch(plan: &StudyPlan, splits: &Splits) -> Result<(), StudyError> {
    let found = splits.train.len();
    if plan.batch > found {
        return Err(StudyError::Invalid {
            file: plan.name.clone(),
            message: format!("training.batch is {}; the data has only {found} training samples", plan.batch),
        });
    }
    Ok(())
}

/// The rows of the study, each group behind the linear classifier on its data if it is asked for.
fn entries<'a>(
    plan: &'a StudyPlan,
    linear: &'a Contestant,
    shared: &'a Splits,
    own: &'a [Option<Splits>],
) -> Result<Vec<Entry<'a>>, StudyError> {
    let mut entries = Vec::new();
    if plan.data.linear_reference {
        entries.extend(at_equal_cost(plan, shared, &[(linear.name.clone(), linear)])?);
    }
    for (group, own) in plan.groups.iter().zip(own) {
        let splits = own.as_ref().unwrap_or(shared);
        if group.data.as_ref().is_some_and(|data| data.linear_reference) {
            let network = format!("{} of {}", linear.name, group.name);
            entries.extend(at_equal_cost(plan, splits, &[(network, linear)])?);
        }
        let named = |row: &'a Contestant| (format!("{}/{}", group.name, row.name), row);
        entries.extend(at_equal_cost(plan, splits, &group.rows.iter().map(named).collect::<Vec<_>>())?);
    }
    Ok(entries)
}

/// Rows that are compared, with the cost of the cheapest and what the others do with it.
fn at_equal_cost<'a>(
    plan: &StudyPlan,
    splits: &'a Splits,
    rows: &[(String, &'a Contestant)],
) -> Result<Vec<Entry<'a>>, StudyError> {
    let data = &splits.train;
    let mut costs = Vec::with_capacity(rows.len());
    for (network, row) in rows {
        // The optimiser costs no multiply-adds.
        let Some(setting) = plan.grid.first() else { continue };
        let cost = plan.recipe(row, setting).cost(data.form(), data.target(), data.len());
        costs.push(cost.map_err(|source| StudyError::Train { network: network.clone(), source })?);
    }
    let budget =
        costs.iter().zip(rows).map(|(cost, (_, row))| cost.of(plan.steps_of(row))).min().unwrap_or(0);
    let entry = |((network, row), cost): (&(String, &'a Contestant), &Cost)| Entry {
        network: network.clone(),
        row,
        splits,
        budget,
        checkpoint: cost.steps(budget),
    };
    Ok(rows.iter().zip(&costs).map(entry).collect())
}

/// Lays every network out before anything is written: all must be networks, and fit into memory.
fn check_networks(plan: &StudyPlan, options: &Options, entries: &[Entry<'_>]) -> Result<(), StudyError> {
    let available = available_memory().unwrap_or(u64::MAX);
    for entry in entries {
        for setting in &plan.grid {
            let recipe = plan.recipe(entry.row, setting);
            let data = &entry.splits.train;
            let needed = recipe
                .memory_bytes(data.form(), data.target(), data.len())
                .map_err(|source| StudyError::Train { network: entry.network.clone(), source })?;
            if needed.saturating_mul(options.threads as u64) > available {
                return Err(StudyError::Memory {
                    network: entry.network.clone(),
                    needed: needed >> 20,
                    threads: options.threads,
                    available: available >> 20,
                });
            }
        }
    }
    Ok(())
}

/// Everything that determines the results but the seed: the settings, and the samples themselves.
fn fingerprint<'a>(plan: &StudyPlan, splits: impl Iterator<Item = &'a Splits>) -> u64 {
    let mut hash = Hash::new();
    hash.u64(plan.fingerprint);
    for data in splits.flat_map(|splits| [&splits.train, &splits.validation, &splits.test]) {
        hash.f32s(data.inputs());
        data.labels().iter().for_each(|label| hash.u64(u64::from(*label)));
    }
    hash.finish()
}

/// A study under way.
struct Trial<'a> {
    plan: &'a StudyPlan,
    options: &'a Options,
    entries: &'a [Entry<'a>],
    kept: Mutex<(Store, BTreeMap<RunId, Trained>)>,
    done: Mutex<u64>,
    total: u64,
    stop: &'a AtomicBool,
    progress: &'a dyn Progress,
}

impl<'a> Trial<'a> {
    fn new(
        plan: &'a StudyPlan,
        options: &'a Options,
        entries: &'a [Entry<'a>],
        mut store: Store,
        stop: &'a AtomicBool,
        progress: &'a dyn Progress,
    ) -> Self {
        let finished = std::mem::take(&mut store.finished);
        let calls =
            |entry: &Entry<'_>| (plan.runs_of(entry.row) as u64).saturating_mul(plan.calls(entry.row));
        let total = entries.iter().map(calls).fold(0, u64::saturating_add);
        let of = |id: &RunId| entries.iter().find(|entry| entry.network == id.network);
        let finished_calls = finished.keys().filter_map(of).map(|entry| plan.calls(entry.row));
        let done = finished_calls.fold(0, u64::saturating_add);
        Self {
            plan,
            options,
            entries,
            kept: Mutex::new((store, finished)),
            done: Mutex::new(done),
            total,
            stop,
            progress,
        }
    }

    fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        // A panic elsewhere does not make what was kept wrong.
        mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn into_parts(self) -> (Store, BTreeMap<RunId, Trained>) {
        self.kept.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Says what is going to run. Only those who watch need it, so a disk that does not take it stops nothing.
    fn write_outline(&self, shared: &Splits) {
        let chosen = vec![0; self.entries.len()];
        let runs = self.entries.iter().map(|entry| self.plan.runs_of(entry.row)).sum();
        let summary = summarise(self.plan, self.options, shared, self.entries, &chosen, &BTreeMap::new());
        if let Ok(text) = serde_json::to_vec(&Outline { runs, summary }) {
            let _ = Self::lock(&self.kept).0.replace(outline::FILE, &text);
        }
    }

    /// Runs what is left of a phase. `settings` says which settings an entry is run with.
    fn run_all(
        &self,
        phase: Phase,
        settings: &(dyn Fn(usize) -> Vec<usize> + Sync),
    ) -> Result<(), StudyError> {
        let seeds = if phase == Phase::Tuning { 1 } else { self.plan.seeds };
        let mut runs = Vec::new();
        for (e, entry) in self.entries.iter().enumerate() {
            for setting in settings(e) {
                for seed in 0..seeds {
                    let id = RunId { network: entry.network.clone(), phase, setting, seed };
                    if !Self::lock(&self.kept).1.contains_key(&id) {
                        runs.push((entry, id));
                    }
                }
            }
        }
        // One run at a time per thread, in order, so that a long row does not start last.
        runs.into_par_iter().with_max_len(1).try_for_each(|(entry, id)| self.run_one(entry, id))
    }

    fn run_one(&self, entry: &Entry<'_>, id: RunId) -> Result<(), StudyError> {
        let setting = &self.plan.grid[id.setting];
        let mut recipe = self.plan.recipe(entry.row, setting);
        if id.phase == Phase::Trial {
            recipe.checkpoint = entry.checkpoint;
        }
        let held_out = match id.phase {
            Phase::Tuning => &entry.splits.validation,
            Phase::Trial => &entry.splits.test,
        };
        let seed = seed_of(self.options.seed, id.phase, id.seed);
        let mut counted = 0u64;
        let on_step = |_, _: &_| {
            counted += 1;
            if counted.is_multiple_of(50) {
                self.advance(50, &entry.network);
            }
            !self.stop.load(Ordering::Relaxed)
        };
        let level = self.options.level;
        let data = &entry.splits.train;
        // Spectra and histograms are shown of the first fresh seed alone.
        let wanted = id.phase == Phase::Trial && id.seed == 0;
        let architecture = &recipe.architecture;
        let mut keeper = SpectrumKeeper { wanted, level, architecture, data, found: Default::default() };
        let result = train_kept(&recipe, data, held_out, seed, level, &Serial, &mut keeper, on_step)
            .map_err(|source| StudyError::Train { network: entry.network.clone(), source })?;
        let Some(mut result) = result else { return Err(StudyError::Interrupted) };
        result.spectra = keeper.found;
        if !wanted {
            result.histograms = Default::default();
        }
        self.advance(self.plan.calls(entry.row) - counted / 50 * 50, &entry.network);
        let mut kept = Self::lock(&self.kept);
        kept.0.keep(&id, &setting.label(), &result)?;
        kept.1.insert(id, result);
        Ok(())
    }

    fn advance(&self, steps: u64, what: &str) {
        let mut done = Self::lock(&self.done);
        *done = done.saturating_add(steps);
        self.progress.advance(*done, self.total, what);
    }

    /// The setting that did best in validation: a run that diverged counts as worse than any that did not, and of
    /// equals the first in the grid wins.
    fn best_setting(&self, entry: &Entry<'_>) -> usize {
        let kept = Self::lock(&self.kept);
        let score = |setting: usize| tuning_score(&kept.1, &entry.network, setting).unwrap_or(-1.0);
        let settings = self.plan.settings_of(entry.row);
        settings.into_iter().reduce(|best, s| if score(s) > score(best) { s } else { best }).unwrap_or(0)
    }
}

/// `runs/NAME-SEED`, where a study goes that is not told otherwise.
pub(crate) fn default_folder(plan: &StudyPlan, seed: u64) -> PathBuf {
    Path::new("runs").join(format!("{}-{seed}", plan.name))
}
