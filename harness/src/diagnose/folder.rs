//! Records of a study's networks, from its run folder: norms before the first step and after the last, means of
//! logarithms over the seeds. A study that is still running has what it has finished. The layers of a recurrent network
//! are the steps of its topmost layer, from the first, and their deltas the gradients of its state.

use std::collections::BTreeMap;
use std::path::Path;

use super::records::{LayerRecord, Norm, Record};
use crate::study::StudyError;
use crate::study::store;
use crate::train::{LayerNorms, Trained};

/// Every network of the study in `folder` with its records, in the order of their names.
///
/// # Errors
/// The folder holds no records of a study, or they cannot be read.
///
/// ```
/// use isobath::diagnose::folder;
/// use isobath::probe::Kind;
/// use isobath::study::trial;
/// # use isobath::study::plan::StudyPlan;
/// # use isobath::study::trial::{Options, Progress};
/// # use isobath_kernels::Level;
/// # struct Silent;
/// # impl Progress for Silent {
/// #     fn advance(&self, _done: u64, _total: u64, _what: &str) {}
/// # }
/// # let study = r#"
/// #     name = "tiny"
/// #     title = "Do six ReLU layers learn?"
/// #     data = { source = "glyphs", train = 40, validation = 20, test = 20, linear_reference = false }
/// #     training = { steps = 4, batch = 10, seeds = 2, record_every = 2 }
/// #     grid = [{ optimizer = "sgd", rates = [0.1] }]
/// #     [[group]]
/// #     name = "relu"
/// #     title = "6 ReLU layers of 16 units"
/// #     sick = { name = "untreated", depth = 6, width = 16, activation = "relu", init = "uniform" }
/// #     remedy = [{ name = "He", change = "He's weights", init = "he" }]
/// # "#;
/// # let plan = StudyPlan::parse("tiny.toml", study, None, false)?;
/// # let folder = std::env::temp_dir().join(format!("isobath-networks-{}", std::process::id()));
/// # let options = Options { folder: folder.clone(), seed: 1, level: Level::detect(), threads: 1, force: true };
/// # let stop = std::sync::atomic::AtomicBool::new(false);
///
/// // A study of two networks: six ReLU layers, untreated and with He's weights.
/// trial::run(&plan, &options, &stop, &Silent)?;
///
/// let networks = folder::networks(&folder)?;
/// let (name, records) = &networks[1]; // in the order of their names
/// assert_eq!((networks.len(), name.as_str()), (2, "relu/untreated"));
/// // Before the first step and after the last.
/// assert_eq!((records[0].step, records[1].step, records[0].layers.len()), (0, 4, 6));
/// assert_eq!(isobath::diagnose::judge(&records[0]).kind, Kind::Vanishing);
/// std::fs::remove_dir_all(&folder)?;
/// assert!(folder::networks(&folder).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn networks(folder: &Path) -> Result<Vec<(String, Vec<Record>)>, StudyError> {
    let mut trials: BTreeMap<String, Vec<Trained>> = BTreeMap::new();
    for (id, trained) in store::trials(folder)? {
        trials.entry(id.network).or_default().push(trained);
    }
    // The linear classifier has no hidden layers.
    let deep = trials.into_iter().filter(|(_, runs)| runs.iter().all(|run| !run.layers[0].is_empty()));
    Ok(deep.map(|(name, runs)| (name, vec![record(&runs, 0), record(&runs, 1)])).collect())
}

/// The mean over runs, before the first step (0) or after the last (1).
fn record(runs: &[Trained], end: usize) -> Record {
    let depth = runs.first().map_or(0, |run| run.layers[0].len());
    let mean_of = |norm: &dyn Fn(&Trained) -> Option<f64>| {
        let known: Vec<f64> = runs.iter().filter_map(norm).collect();
        if known.is_empty() {
            let diverged = end == 1 && runs.iter().any(|run| run.divergence.is_some());
            return if diverged { Norm::NotFinite } else { Norm::Zero };
        }
        Norm::Log10(known.iter().sum::<f64>() / known.len() as f64)
    };
    let mean = |l: usize, norm: fn(&LayerNorms) -> Option<f64>| {
        mean_of(&|run: &Trained| run.layers[end].get(l).and_then(norm))
    };
    let through_time =
        |run: &Trained| run.layers[end].last().map_or(Vec::new(), |top| top.through_time.clone());
    let time = runs.iter().map(|run| through_time(run).len()).max().unwrap_or(0);
    let layers = if time > 0 {
        let delta = |t: usize| mean_of(&|run: &Trained| through_time(run).get(t).copied().flatten());
        (0..time).map(|t| LayerRecord { delta: delta(t), ..LayerRecord::default() }).collect()
    } else {
        (0..depth)
            .map(|l| LayerRecord {
                x: mean(l, |norms| norms.log10_x),
                delta: mean(l, |norms| norms.log10_delta),
                gw: mean(l, |norms| norms.log10_gw),
                ..LayerRecord::default()
            })
            .collect()
    };
    let steps = runs.iter().map(|run| run.steps).max().unwrap_or(0) as u64;
    Record { step: if end == 0 { 0 } else { steps }, layers, ..Record::default() }
}
