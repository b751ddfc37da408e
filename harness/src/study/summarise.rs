//! From finished runs to the summary: spreads over seeds, verdicts, ranks, hashes.

use std::collections::BTreeMap;

use isobath_kernels::NUMERICS_VERSION;

use super::outcome::{grid_edge, outcome, ranks};
use super::plan::StudyPlan;
use super::store::{Phase, RunId};
use super::summary::{Data, Group, LayerFigures, Machine, Row, SCHEMA_VERSION, Spread, Summary, Training};
use super::trial::{Entry, Options};
use crate::data::sequence::adding;
use crate::data::{Dataset, Splits, Target};
use crate::hash::Hash;
use crate::train::{LayerNorms, Loss, Trained};

/// Validation accuracy of a setting; none if it diverged.
pub(super) fn tuning_score(
    finished: &BTreeMap<RunId, Trained>,
    network: &str,
    setting: usize,
) -> Option<f64> {
    let id = RunId { network: network.to_owned(), phase: Phase::Tuning, setting, seed: 0 };
    finished.get(&id).filter(|run| run.divergence.is_none()).map(|run| run.accuracy)
}

/// The summary of a study whose runs are all there. The time it took is left open.
pub(super) fn summarise(
    plan: &StudyPlan,
    options: &Options,
    splits: &Splits,
    entries: &[Entry<'_>],
    chosen: &[usize],
    finished: &BTreeMap<RunId, Trained>,
) -> Summary {
    let majority = majority_accuracy(splits);
    let test = splits.test.labels().len();
    let mut rows = entries.iter().zip(chosen);
    let reference =
        |entry: &Entry<'_>, setting, linear| row(plan, entry, setting, finished, linear, majority, test);
    let linear = if plan.linear_reference {
        rows.next().map(|(entry, setting)| reference(entry, *setting, None))
    } else {
        None
    };
    let linear_accuracy = linear.as_ref().and_then(|row| row.accuracy.as_ref()).map(|s| s.median);
    // Where a sample has several answers there is no linear classifier: to train is to beat the commonest class.
    let linear_accuracy = linear_accuracy.or((plan.source.answers() > 1).then_some(majority));
    let mut hash = Hash::new();
    let mut groups = Vec::new();
    for group in &plan.groups {
        let mut of_group: Vec<Row> = rows
            .by_ref()
            .take(group.rows.len())
            .map(|(entry, setting)| reference(entry, *setting, linear_accuracy))
            .collect();
        let spreads: Vec<Option<Spread>> = of_group.iter().map(|row| row.accuracy.clone()).collect();
        for (row, rank) in of_group.iter_mut().zip(ranks(&spreads)) {
            row.rank = rank;
            hash.bytes(row.hash.as_bytes());
        }
        groups.push(Group { name: group.name.clone(), title: group.title.clone(), rows: of_group });
    }
    if let Some(linear) = &linear {
        hash.bytes(linear.hash.as_bytes());
    }
    let loss =
        plan.groups.first().and_then(|group| group.rows.first()).map(|row| row.loss).unwrap_or_default();
    let loss = match splits.train.target() {
        Target::Classes(_) => loss.to_string(),
        Target::Number => Loss::Squared.to_string(),
    };
    Summary {
        schema_version: SCHEMA_VERSION,
        name: plan.name.clone(),
        title: plan.title.clone(),
        seed: options.seed,
        data: Data {
            source: plan.source.to_string(),
            train: splits.train.len(),
            validation: splits.validation.len(),
            test: splits.test.len(),
            features: splits.train.features(),
            classes: splits.train.classes(),
            majority_accuracy: majority,
            linear,
        },
        training: Training {
            steps: plan.steps,
            batch: plan.batch,
            seeds: plan.seeds,
            grid: plan.grid.iter().map(|setting| setting.label()).collect(),
            loss,
        },
        groups,
        hash: format!("{:016x}", hash.finish()),
        machine: Machine {
            level: options.level.name().to_owned(),
            threads: options.threads,
            cpu: crate::machine::cpu(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            numerics_version: NUMERICS_VERSION,
            seconds: 0.0,
        },
    }
}

/// Test accuracy of always naming the commonest class of the training samples, or the mean of their numbers.
fn majority_accuracy(splits: &Splits) -> f64 {
    if splits.train.target() == Target::Number {
        let numbers = |data: &Dataset| -> Vec<f64> {
            data.labels().iter().map(|label| f64::from(f32::from_bits(*label))).collect()
        };
        let (train, test) = (numbers(&splits.train), numbers(&splits.test));
        let mean = train.iter().sum::<f64>() / train.len().max(1) as f64;
        let right = test.iter().filter(|number| (*number - mean).abs() < f64::from(adding::TOLERANCE));
        return right.count() as f64 / test.len().max(1) as f64;
    }
    let mut counts = vec![0usize; splits.train.classes()];
    for label in splits.train.labels() {
        counts[*label as usize] += 1;
    }
    let commonest = counts.iter().enumerate().max_by_key(|(class, count)| (**count, usize::MAX - class));
    let commonest = commonest.map_or(0, |(class, _)| class as u32);
    let right = splits.test.labels().iter().filter(|label| **label == commonest).count();
    right as f64 / splits.test.labels().len().max(1) as f64
}

fn row(
    plan: &StudyPlan,
    entry: &Entry<'_>,
    setting: usize,
    finished: &BTreeMap<RunId, Trained>,
    linear: Option<f64>,
    majority: f64,
    test: usize,
) -> Row {
    let runs: Vec<&Trained> = (0..plan.seeds)
        .filter_map(|seed| {
            finished.get(&RunId { network: entry.network.clone(), phase: Phase::Trial, setting, seed })
        })
        .collect();
    let accuracies: Vec<f64> = runs.iter().map(|run| run.accuracy).collect();
    let divergences: Vec<_> = runs.iter().map(|run| run.divergence).collect();
    let spread = |figure: &dyn Fn(&Trained) -> Option<f64>| {
        let values: Vec<f64> = runs.iter().filter_map(|run| figure(run)).collect();
        Spread::of(&values)
    };
    let mut hash = Hash::new();
    runs.iter().for_each(|run| hash.u64(run.hash));
    let tuned = plan.grid.len() > 1;
    Row {
        name: entry.row.name.clone(),
        change: entry.row.change.clone(),
        depth: entry.row.architecture.depth,
        accuracy: Spread::of(&accuracies),
        rank: 1,
        setting: plan.grid[setting].label(),
        grid_edge: grid_edge(&plan.grid, setting),
        tuning: if tuned {
            (0..plan.grid.len()).map(|s| tuning_score(finished, &entry.network, s)).collect()
        } else {
            Vec::new()
        },
        steps: runs.iter().map(|run| run.steps).max().unwrap_or(0),
        multiply_adds: runs.iter().map(|run| run.multiply_adds).max().unwrap_or(0),
        ratio_start: spread(&|run| run.ratio[0]),
        ratio_end: spread(&|run| run.ratio[1]),
        outcome: outcome(&accuracies, &divergences, linear, majority, test),
        layers: layers(&runs),
        course: runs.first().map(|run| run.course.clone()).unwrap_or_default(),
        hash: format!("{:016x}", hash.finish()),
        seconds: runs.iter().map(|run| run.seconds).sum::<f64>() / runs.len().max(1) as f64,
    }
}

/// Medians over the seeds of a recurrent layer's gradient, step by step through time.
fn through_time(runs: &[&Trained], which: usize, layer: usize) -> Vec<Option<f64>> {
    let curves = || runs.iter().filter_map(|run| Some(&run.layers[which].get(layer)?.through_time));
    let steps = curves().map(Vec::len).max().unwrap_or(0);
    (0..steps)
        .map(|t| {
            let values: Vec<f64> = curves().filter_map(|curve| curve.get(t).copied().flatten()).collect();
            Spread::of(&values).map(|spread| spread.median)
        })
        .collect()
}

/// Medians over the seeds, layer by layer.
fn layers(runs: &[&Trained]) -> Vec<LayerFigures> {
    let depth = runs.first().map_or(0, |run| run.moved.len());
    let median = |values: &mut dyn Iterator<Item = Option<f64>>| {
        let values: Vec<f64> = values.flatten().collect();
        Spread::of(&values).map(|spread| spread.median)
    };
    (0..depth)
        .map(|l| {
            let at = |which: usize, figure: fn(&LayerNorms) -> Option<f64>| {
                median(&mut runs.iter().map(|run| run.layers[which].get(l).and_then(figure)))
            };
            let both = |figure| [at(0, figure), at(1, figure)];
            LayerFigures {
                layer: l + 1,
                log10_x: both(|norms| norms.log10_x),
                log10_delta: both(|norms| norms.log10_delta),
                log10_gw: both(|norms| norms.log10_gw),
                speed: both(|norms| norms.speed),
                moved: median(&mut runs.iter().map(|run| run.moved.get(l).copied().flatten())),
                through_time: [0, 1].map(|which| through_time(runs, which, l)),
            }
        })
        .collect()
}
