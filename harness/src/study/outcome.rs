//! What is said of a row: its verdict, its rank, whether its rate sits at the grid's edge.

use super::setting::Setting;
use super::summary::{Outcome, Spread};
use crate::train::Divergence;

/// Standard errors by which every seed must beat the linear classifier for a network to count as training.
const BEATS: f64 = 2.0;
/// Binomial deviations within which a network counts as stuck at the majority class.
const STUCK: f64 = 3.0;

/// Standard deviation of the accuracy of a classifier that is right with probability `p`, on `samples` samples.
fn deviation(p: f64, samples: usize) -> f64 {
    (p * (1.0 - p) / samples.max(1) as f64).sqrt()
}

/// The verdict over all seeds. `linear` is the linear classifier's accuracy, if it was run.
pub(super) fn outcome(
    accuracies: &[f64],
    divergences: &[Option<Divergence>],
    linear: Option<f64>,
    majority: f64,
    test_samples: usize,
) -> Outcome {
    let diverged = divergences.iter().flatten();
    if let Some(first) = diverged.clone().min_by_key(|d| d.step) {
        return Outcome::Diverged { step: first.step, layer: first.layer, seeds: diverged.count() };
    }
    let stuck_below = majority + STUCK * deviation(majority, test_samples);
    if accuracies.iter().all(|accuracy| *accuracy <= stuck_below) {
        return Outcome::Stuck;
    }
    match linear {
        Some(linear) => {
            let trains_above = linear + BEATS * deviation(linear, test_samples);
            if accuracies.iter().all(|accuracy| *accuracy > trains_above) {
                Outcome::Trains
            } else {
                Outcome::Partial
            }
        }
        None => Outcome::Partial,
    }
}

/// Ranks: one more than the number of rows whose worst seed beats this row's best, so that overlapping ranges share
/// a rank.
pub(super) fn ranks(spreads: &[Option<Spread>]) -> Vec<usize> {
    let beaten_by = |row: &Option<Spread>| {
        let best = row.as_ref().map_or(f64::NEG_INFINITY, |s| s.max);
        spreads.iter().flatten().filter(|other| other.min > best).count()
    };
    spreads.iter().map(|row| 1 + beaten_by(row)).collect()
}

/// Whether a run that scored `accuracy` on so many samples, none if it diverged, learned anything.
pub(super) fn survived(accuracy: Option<f64>, majority: f64, samples: usize) -> bool {
    accuracy.is_some_and(|accuracy| accuracy > majority + STUCK * deviation(majority, samples))
}

/// `lowest` or `highest` if the chosen rate is the last of several that its optimiser was tried with.
pub(super) fn grid_edge(grid: &[Setting], chosen: usize) -> Option<String> {
    let setting = grid.get(chosen)?;
    let rates = grid.iter().filter(|other| other.name == setting.name).map(|other| other.rate);
    if rates.clone().count() < 2 {
        return None;
    }
    if rates.clone().all(|rate| rate >= setting.rate) {
        return Some("lowest".to_owned());
    }
    rates.into_iter().all(|rate| rate <= setting.rate).then(|| "highest".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: &[f64]) -> Option<Spread> {
        Spread::of(values)
    }

    #[test]
    fn verdicts_follow_the_stated_thresholds() {
        // On 1000 samples a majority of .1 deviates by .0095 and a linear accuracy of .5 by .0158.
        let none = [None; 3];
        let of = |accuracies: &[f64]| outcome(accuracies, &none, Some(0.5), 0.1, 1000);
        assert_eq!(of(&[0.10, 0.12, 0.128]), Outcome::Stuck);
        assert_eq!(of(&[0.10, 0.12, 0.13]), Outcome::Partial);
        assert_eq!(of(&[0.54, 0.54, 0.53]), Outcome::Partial);
        assert_eq!(of(&[0.54, 0.54, 0.532]), Outcome::Trains);
        let diverged = [None, Some(Divergence { step: 7, layer: 3 }), Some(Divergence { step: 4, layer: 9 })];
        let expected = Outcome::Diverged { step: 4, layer: 9, seeds: 2 };
        assert_eq!(outcome(&[0.9, 0.1, 0.1], &diverged, Some(0.5), 0.1, 1000), expected);
    }

    #[test]
    fn overlapping_ranges_share_a_rank() {
        let rows =
            [spread(&[0.80, 0.85]), spread(&[0.84, 0.90]), spread(&[0.70, 0.79]), None, spread(&[0.1, 0.2])];
        assert_eq!(ranks(&rows), [1, 1, 3, 5, 4]);
    }

    #[test]
    fn the_edge_of_the_grid_is_seen_per_optimiser() {
        use crate::net::update::Optimizer;
        use crate::study::setting::OptimizerName::{Adam, Sgd};
        let setting = |name, rate| Setting { name, optimizer: Optimizer::Sgd, rate };
        let grid = [setting(Sgd, 0.1), setting(Sgd, 0.01), setting(Sgd, 0.001), setting(Adam, 0.5)];
        assert_eq!(grid_edge(&grid, 0).as_deref(), Some("highest"));
        assert_eq!(grid_edge(&grid, 1), None);
        assert_eq!(grid_edge(&grid, 2).as_deref(), Some("lowest"));
        assert_eq!(grid_edge(&grid, 3), None);
    }
}
