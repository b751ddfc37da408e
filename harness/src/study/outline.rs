//! What a study is going to run, for those who watch it: `outline.json` in the run folder, written when it starts.
//!
//! An outline is the summary of a study without a run, and the number of runs to come. [`Outline::so_far`] fills in what
//! the records hold by now, by the rules of a finished study. Rows without a trial are left out, and groups whose
//! untreated network has none; claims, the edge of the grid and accuracies at equal cost come with the finished study.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::outcome::ranks;
use super::store::{Phase, RunId};
use super::summarise::measure;
use super::summary::{Data, Row, Summary};
use crate::train::Trained;

/// Name of its file in the run folder.
pub const FILE: &str = "outline.json";

/// A study before its first run.
///
/// ```
/// use isobath::study::follow::Followed;
/// use isobath::study::outline::{self, Outline};
///
/// # let folder = std::env::temp_dir().join(format!("isobath-outline-{}", std::process::id()));
/// # let study = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/smallest_study.rs"));
/// # study(&folder)?;
/// // `folder` is that of a study of two networks, which may still be running.
/// let outline: Outline = serde_json::from_slice(&std::fs::read(folder.join(outline::FILE))?)?;
/// let mut followed = Followed::default();
/// assert!(outline.so_far(&followed.finished).groups.is_empty());
/// followed.read_on(&folder.join("records.jsonl"))?;
/// assert_eq!(followed.finished.len(), outline.runs); // it has ended
/// assert_eq!(outline.so_far(&followed.finished).groups[0].rows.len(), 2);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outline {
    /// Runs of the whole study, those of tuning included.
    pub runs: usize,
    /// Its summary without a figure.
    pub summary: Summary,
}

impl Outline {
    /// The summary of the runs that are finished.
    pub fn so_far(&self, finished: &BTreeMap<RunId, Trained>) -> Summary {
        let mut summary = self.summary.clone();
        let grid = &summary.training.grid;
        fill_reference(&mut summary.data, "linear softmax", grid, finished);
        for group in &mut summary.groups {
            let shared = &summary.data;
            if let Some(own) = &mut group.data {
                fill_reference(own, &format!("linear softmax of {}", group.name), grid, finished);
            }
            let data = group.data.as_ref().unwrap_or(shared);
            for row in &mut group.rows {
                fill(row, &format!("{}/{}", group.name, row.name), data, grid, finished);
            }
            if group.rows.first().is_none_or(|sick| sick.layers.is_empty() && sick.accuracy.is_none()) {
                group.rows.clear();
            }
            group.rows.retain(|row| row.accuracy.is_some() || !row.layers.is_empty());
            let spreads: Vec<_> = group.rows.iter().map(|row| row.accuracy.clone()).collect();
            for (row, rank) in group.rows.iter_mut().zip(ranks(&spreads)) {
                row.rank = rank;
            }
        }
        summary.groups.retain(|group| !group.rows.is_empty());
        summary.claims.clear();
        summary
    }
}

/// Fills in the linear classifier; takes it out where it has no trial yet.
fn fill_reference(data: &mut Data, network: &str, grid: &[String], finished: &BTreeMap<RunId, Trained>) {
    if let Some(mut linear) = data.linear.take() {
        fill(&mut linear, network, data, grid, finished);
        data.linear = Some(linear).filter(|linear| linear.accuracy.is_some());
    }
}

/// Fills in what a row's runs found.
fn fill(row: &mut Row, network: &str, data: &Data, grid: &[String], finished: &BTreeMap<RunId, Trained>) {
    let own = finished.iter().filter(|(id, _)| id.network == network);
    let (trials, tuning): (Vec<_>, Vec<_>) = own.partition(|(id, _)| id.phase == Phase::Trial);
    row.tuning.fill(None);
    for (id, run) in &tuning {
        if let Some(score) = row.tuning.get_mut(id.setting) {
            *score = Some(run.accuracy).filter(|_| run.divergence.is_none());
        }
    }
    row.seconds_in_all = trials.iter().chain(&tuning).map(|(_, run)| run.seconds).sum();
    if let Some(setting) = trials.first().and_then(|(id, _)| grid.get(id.setting)) {
        row.setting.clone_from(setting);
    }
    let runs: Vec<&Trained> = trials.into_iter().map(|(_, run)| run).collect();
    measure(row, &runs, data);
}
