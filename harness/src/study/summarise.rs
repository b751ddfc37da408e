//! From finished runs to the summary: spreads over seeds, verdicts, ranks, hashes.

use std::collections::BTreeMap;

use isobath_kernels::NUMERICS_VERSION;

use super::claim;
use super::equation::equations;
use super::outcome::{grid_edge, outcome, ranks, survived};
use super::plan::{Samples, StudyPlan};
use super::setting::Setting;
use super::store::{Phase, RunId};
use super::summary::{
    Course, Data, Group, LayerFigures, Machine, Network, Outcome, PredictedLayer, Row, SCHEMA_VERSION,
    Spread, Summary, Theory, Training,
};
use super::trial::{Entry, Options};
use crate::architecture::{Architecture, Residual};
use crate::data::sequence::adding;
use crate::data::{Dataset, Splits, Target};
use crate::hash::Hash;
use crate::init::WeightVariance;
use crate::probe::Setup;
use crate::theory::{self, Question};
use crate::train::{GradientNoise, LayerNorms, Loss, Trained, UnitFigures};

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
    let mut rows = entries.iter().zip(chosen.iter().copied()).peekable();
    let of = |(entry, setting): (&Entry<'_>, usize), known: &Data| row(plan, entry, setting, finished, known);
    let mut data = data(&plan.data, splits);
    if plan.data.linear_reference {
        data.linear = rows.next().map(|entry| of(entry, &data));
    }
    let mut hash = Hash::new();
    let mut groups = Vec::new();
    for group in &plan.groups {
        let own =
            group.data.as_ref().zip(rows.peek().map(|(entry, _)| entry.splits)).map(|(samples, splits)| {
                let mut own = self::data(samples, splits);
                if samples.linear_reference {
                    own.linear = rows.next().map(|entry| of(entry, &own));
                }
                own
            });
        let budget = rows.peek().map_or(0, |(entry, _)| entry.budget);
        let known = own.as_ref().unwrap_or(&data);
        let sick = group.rows.first();
        let mut of_group: Vec<Row> = rows
            .by_ref()
            .take(group.rows.len())
            .map(|entry| Row {
                equations: sick.map_or(Vec::new(), |sick| equations(sick, entry.0.row)),
                ..of(entry, known)
            })
            .collect();
        let spreads: Vec<Option<Spread>> = of_group.iter().map(|row| row.accuracy.clone()).collect();
        for (row, rank) in of_group.iter_mut().zip(ranks(&spreads)) {
            row.rank = rank;
            hash.bytes(row.hash.as_bytes());
        }
        let (name, title) = (group.name.clone(), group.title.clone());
        groups.push(Group { name, title, data: own, sweep: group.sweep.clone(), budget, rows: of_group });
    }
    let references = std::iter::once(&data).chain(groups.iter().flat_map(|group| &group.data));
    for linear in references.flat_map(|data| &data.linear) {
        hash.bytes(linear.hash.as_bytes());
    }
    let linear: Vec<Option<f64>> =
        groups.iter().map(|group| group.data.as_ref().unwrap_or(&data).linear_accuracy()).collect();
    let claims = claim::judge(&plan.claims, &groups, &linear);
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
        data,
        training: Training {
            steps: plan.steps,
            batch: plan.batch,
            seeds: plan.seeds,
            grid: plan.grid.iter().map(|setting| setting.label()).collect(),
            loss,
        },
        groups,
        claims,
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

/// What networks learned from, but for the linear classifier.
fn data(samples: &Samples, splits: &Splits) -> Data {
    Data {
        source: samples.source.to_string(),
        train: splits.train.len(),
        validation: splits.validation.len(),
        test: splits.test.len(),
        features: splits.train.features(),
        classes: splits.train.classes(),
        answers: samples.source.answers(),
        majority_accuracy: majority_accuracy(splits),
        linear: None,
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
    data: &Data,
) -> Row {
    let runs: Vec<&Trained> = (0..plan.seeds)
        .filter_map(|seed| {
            finished.get(&RunId { network: entry.network.clone(), phase: Phase::Trial, setting, seed })
        })
        .collect();
    let settings = plan.settings_of(entry.row);
    let tuned = settings.len() > 1;
    let tuning: Vec<Option<f64>> = if tuned {
        (0..plan.grid.len()).map(|s| tuning_score(finished, &entry.network, s)).collect()
    } else {
        Vec::new()
    };
    let at_budget = |run: &&Trained| match entry.checkpoint {
        None => None,
        Some(steps) if steps >= plan.steps_of(entry.row) => Some(run.accuracy),
        // A run that diverged before it came there keeps the accuracy that it has.
        Some(_) => Some(run.at_checkpoint.unwrap_or(run.accuracy)),
    };
    let at_budget: Vec<f64> = runs.iter().filter_map(at_budget).collect();
    let mut row = Row {
        name: entry.row.name.clone(),
        change: entry.row.change.clone(),
        equations: Vec::new(),
        depth: entry.row.architecture.depth,
        network: Network::of(&entry.row.architecture),
        accuracy: None,
        rank: 1,
        setting: plan.grid[setting].label(),
        grid_edge: grid_edge(&plan.grid, setting),
        survives: survives(plan, &tuning, data),
        tuning,
        steps: 0,
        multiply_adds: 0,
        accuracy_at_equal_cost: Spread::of(&at_budget),
        theory: theory(&entry.row.architecture),
        predicted: predicted(plan, entry),
        histograms: Default::default(),
        spectra: Default::default(),
        ratio_start: None,
        ratio_end: None,
        noise_scale: [None; 2],
        outcome: Outcome::Partial,
        layers: Vec::new(),
        course: Course::default(),
        hash: String::new(),
        seconds_in_all: finished
            .iter()
            .filter(|(id, _)| id.network == entry.network)
            .map(|(_, run)| run.seconds)
            .sum(),
        step_seconds: None,
        seconds: 0.0,
    };
    measure(&mut row, &runs, data);
    row
}

/// Puts what trials found into a row, all that depends on them alone.
pub(super) fn measure(row: &mut Row, runs: &[&Trained], data: &Data) {
    // Where a sample has several answers there is no linear classifier: to train is to beat the commonest class.
    let majority = (data.answers > 1).then_some(data.majority_accuracy);
    let linear = data.linear_accuracy().or(majority);
    let accuracies: Vec<f64> = runs.iter().map(|run| run.accuracy).collect();
    let divergences: Vec<_> = runs.iter().map(|run| run.divergence).collect();
    let spread = |figure: &dyn Fn(&Trained) -> Option<f64>| {
        let values: Vec<f64> = runs.iter().filter_map(|run| figure(run)).collect();
        Spread::of(&values)
    };
    let mut hash = Hash::new();
    runs.iter().for_each(|run| hash.u64(run.hash));
    row.accuracy = Spread::of(&accuracies);
    row.steps = runs.iter().map(|run| run.steps).max().unwrap_or(0);
    row.multiply_adds = runs.iter().map(|run| run.multiply_adds).max().unwrap_or(0);
    row.ratio_start = spread(&|run| run.ratio[0]);
    row.ratio_end = spread(&|run| run.ratio[1]);
    row.noise_scale = [0, 1].map(|which| {
        let all: Vec<GradientNoise> = runs.iter().filter_map(|run| run.noise[which]).collect();
        GradientNoise::scale(&all)
    });
    row.outcome =
        outcome(&accuracies, &divergences, linear, data.majority_accuracy, data.test * data.answers);
    row.layers = layers(runs);
    row.histograms = runs.first().map(|run| run.histograms.clone()).unwrap_or_default();
    row.spectra = runs.first().map(|run| run.spectra.clone()).unwrap_or_default();
    row.course = runs.first().map(|run| run.course.clone()).unwrap_or_default();
    row.hash = format!("{:016x}", hash.finish());
    row.step_seconds = spread(&|run| run.step_seconds).map(|spread| spread.median);
    row.seconds = runs.iter().map(|run| run.seconds).sum::<f64>() / runs.len().max(1) as f64;
}

/// Whether theory knows such networks.
fn is_known(architecture: &Architecture) -> bool {
    let Architecture { convolution, cell, standardised, init, residual, .. } = architecture;
    let unknown =
        |residual: &Residual| residual.activated_sum || residual.last_is_zero || residual.scale_is_learned;
    convolution.is_none()
        && cell.is_none()
        && !standardised
        && init.weight_variance != WeightVariance::Data
        && !residual.as_ref().is_some_and(unknown)
}

/// What theory expects of each layer of a row, on its data, for the mean over its seeds. The spreads of the layers are
/// added up as if they were independent.
fn predicted(plan: &StudyPlan, entry: &Entry<'_>) -> Vec<PredictedLayer> {
    let (architecture, data) = (&entry.row.architecture, &entry.splits.train);
    if !is_known(architecture) || entry.row.pretraining.is_some() {
        return Vec::new();
    }
    let setup = Setup { input_width: data.features(), nets: plan.seeds, ..Setup::plain(*architecture, 0) };
    let question = Question { batch: None, ..setup.question(Some(data)) };
    let Ok(prediction) = theory::predict(&question) else { return Vec::new() };
    let mut layers = Vec::with_capacity(prediction.per_layer.len());
    let (mut log10_delta, mut square) = (Some(0.0), Some(0.0));
    for (l, layer) in prediction.per_layer.iter().enumerate().rev() {
        // The last layer's own factor lies above it.
        if l + 1 < prediction.per_layer.len() {
            log10_delta = log10_delta.zip(layer.factor).map(|(sum, factor)| sum + factor.log10());
            square = square
                .zip(layer.band95)
                .map(|(sum, (low, high))| sum + (0.5 * (high.log10() - low.log10())).powi(2));
        }
        let mean_square = match (architecture.residual, question.norm) {
            (_, theory::Norm::Batch | theory::Norm::Layer) => None,
            (Some(_), _) => Some(layer.q),
            // The input of layer 1 is known and no prediction.
            (None, _) if l == 0 => question.input_q.map(|q| q / setup.first_layer_excess()),
            (None, _) => Some((layer.q - question.bias_variance) / question.weight_variance),
        };
        let width =
            if l == 0 && architecture.residual.is_none() { data.features() } else { architecture.width };
        let log10_x = mean_square.map(|mean| 0.5 * (mean * (plan.batch * width) as f64).log10());
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        layers.push(PredictedLayer {
            q: if layer.q.is_finite() { layer.q } else { f64::MAX },
            log10_delta: finite(log10_delta),
            spread: finite(square.map(f64::sqrt)),
            log10_x: finite(log10_x),
        });
    }
    layers.reverse();
    layers
}

/// What theory says of the ensemble, for very large batches. It knows dense layers with weights drawn from one
/// distribution, and branches that are added with a scale of their own.
fn theory(architecture: &Architecture) -> Option<Theory> {
    if !is_known(architecture) {
        return None;
    }
    let question = Question { batch: None, ..Setup::plain(*architecture, 0).question(None) };
    let prediction = theory::predict(&question).ok()?;
    Some(Theory {
        factor: prediction.rate_norm,
        depth_scale: prediction.depth_scale,
        correlation_depth_scale: prediction.correlation_depth_scale,
        one_decade: prediction.max_depth_one_decade,
    })
}

/// Of each optimiser, the setting with the largest rate that the tuning runs survived.
fn survives(plan: &StudyPlan, tuning: &[Option<f64>], data: &Data) -> Vec<String> {
    let survived = plan.grid.iter().zip(tuning).filter(|(_, score)| {
        // Validation samples are of the same kind as the test samples, and so is the commonest class.
        survived(**score, data.majority_accuracy, data.validation * data.answers)
    });
    let mut largest: Vec<&Setting> = Vec::new();
    for (setting, _) in survived {
        match largest.iter_mut().find(|other| other.name == setting.name) {
            Some(other) if setting.rate > other.rate => *other = setting,
            Some(_) => {}
            None => largest.push(setting),
        }
    }
    largest.into_iter().map(Setting::label).collect()
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
            let units = |figure: fn(&UnitFigures) -> Option<f64>| {
                [0, 1].map(|which: usize| {
                    median(&mut runs.iter().map(|run| run.units[which].get(l).and_then(figure)))
                })
            };
            LayerFigures {
                layer: l + 1,
                log10_x: both(|norms| norms.log10_x),
                log10_delta: both(|norms| norms.log10_delta),
                log10_gw: both(|norms| norms.log10_gw),
                speed: both(|norms| norms.speed),
                dead: units(|units| Some(units.dead)),
                saturated: units(|units| Some(units.saturated)),
                mean: units(|units| units.mean),
                deviation: units(|units| units.deviation),
                moved: median(&mut runs.iter().map(|run| run.moved.get(l).copied().flatten())),
                through_time: [0, 1].map(|which| through_time(runs, which, l)),
            }
        })
        .collect()
}
