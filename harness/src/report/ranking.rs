//! The rows of a group from the best to the worst, and which of them are cures.

use std::cmp::Ordering;

use super::time;
use crate::study::summary::{Data, Group, Outcome, Row};

/// Rows by rank, then median accuracy, then the study's order; each with its place in the group.
pub(super) fn ranked(group: &Group) -> Vec<(usize, &Row)> {
    let mut rows: Vec<(usize, &Row)> = group.rows.iter().enumerate().collect();
    rows.sort_by(|(_, a), (_, b)| better(a, b));
    rows
}

/// The better of two rows first.
fn better(a: &Row, b: &Row) -> Ordering {
    a.rank.cmp(&b.rank).then(median(b).total_cmp(&median(a)))
}

fn median(row: &Row) -> f64 {
    row.accuracy.as_ref().map_or(f64::NEG_INFINITY, |s| s.median)
}

/// Whether the group's networks were scored at all.
pub(super) fn has_accuracy(group: &Group) -> bool {
    group.rows.iter().any(|row| row.accuracy.is_some())
}

/// Whether the budget of the cheapest row changes any score.
pub(super) fn differs_at_equal_cost(group: &Group) -> bool {
    group.rows.iter().any(|row| row.accuracy_at_equal_cost != row.accuracy)
}

/// Whether the study looks at the speed of learning: it scores nothing, or compares a score with nothing. Where a row
/// is recurrent, it looks through time instead.
pub(super) fn shows_speed(group: &Group, data: &Data) -> bool {
    (!has_accuracy(group) || data.linear.is_none())
        && group.rows.iter().all(|row| time::steps(row).is_none())
        && group.rows.iter().any(|row| row.layers.iter().any(|layer| layer.speed[0].is_some()))
}

/// The remedy that did best; one that trains before any that does not.
pub(super) fn best(group: &Group) -> Option<(usize, &Row)> {
    let scored = group.rows.iter().enumerate().skip(1).filter(|(_, row)| row.accuracy.is_some());
    let fails = |row: &Row| row.outcome != Outcome::Trains;
    scored.min_by(|(_, a), (_, b)| fails(a).cmp(&fails(b)).then(better(a, b)))
}

/// Remedies that train and that no row beats with all its seeds.
pub(super) fn first_rank(group: &Group) -> impl Iterator<Item = &Row> {
    group.rows.iter().skip(1).filter(|row| row.rank == 1 && row.outcome == Outcome::Trains)
}

/// Of those, the one with the fewest multiply-adds; among equals, the most accurate.
pub(super) fn cheapest(group: &Group) -> Option<&Row> {
    first_rank(group).min_by(|a, b| a.multiply_adds.cmp(&b.multiply_adds).then(better(a, b)))
}
