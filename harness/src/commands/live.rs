//! What `isobath train` shows on a terminal while it runs: a bar with the time that is left, and a curve over the layers.

use std::io::{self, IsTerminal};

use indicatif::ProgressBar;

use super::common::bar;
use crate::train::Course;

/// Characters of a curve, at most.
const WIDTH: usize = 30;

/// A row of blocks, the lowest for the least value and the highest for the largest; a space where there is none. Of more
/// values than [`WIDTH`], so many at equal distances.
pub(super) fn curve(values: &[Option<f64>]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let least = values.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let largest = values.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let block = |value: f64| {
        let height = if largest > least { (value - least) / (largest - least) } else { 0.0 };
        BLOCKS[((height * 7.0).round() as usize).min(7)]
    };
    let count = values.len().min(WIDTH);
    let at = |i: usize| if count < 2 { 0 } else { i * (values.len() - 1) / (count - 1) };
    (0..count).map(|i| values[at(i)].map_or(' ', block)).collect()
}

/// The bar of a run.
pub(super) struct Live(ProgressBar);

impl Live {
    /// Of so many steps; hidden unless standard error is a terminal.
    pub(super) fn new(quiet: bool, steps: usize) -> Self {
        Self(bar(quiet, steps as u64, "{bar:16} {pos}/{len}  {eta} left  {msg}"))
    }

    /// After a step.
    pub(super) fn advance(&self, step: usize, course: &Course) {
        self.0.set_position(step as u64);
        if course.steps.last() == Some(&step) {
            let curve = course.log10_delta.last().map(|deltas| curve(deltas)).unwrap_or_default();
            self.0.set_message(format!("gradient by layer {curve}"));
        }
    }

    /// Does something else to the terminal.
    pub(super) fn beside<R>(&self, print: impl FnOnce() -> R) -> R {
        self.0.suspend(print)
    }

    /// Leaves the terminal.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// The course of these layers' gradients, a line each; nothing where standard output is no terminal.
pub(super) fn curves(course: &Course, layers: &[usize]) -> String {
    if !io::stdout().is_terminal() || course.steps.len() < 2 {
        return String::new();
    }
    let mut text = String::from("\nlog10 of the gradient over the steps\n");
    for &layer in layers {
        let values: Vec<_> = course.log10_delta.iter().map(|deltas| *deltas.get(layer - 1)?).collect();
        let ends = |value: Option<&Option<f64>>| {
            value.copied().flatten().map_or("-".to_owned(), |v| format!("{v:.2}"))
        };
        text += &format!(
            "  at {layer:<6}{:>8}  {}  {}\n",
            ends(values.first()),
            curve(&values),
            ends(values.last())
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_go_from_the_lowest_block_to_the_highest() {
        assert_eq!(curve(&[Some(-7.0), None, Some(0.0), Some(-3.5)]), "▁ █▅");
        assert_eq!(curve(&[Some(2.0)]), "▁");
        assert_eq!(curve(&[]), "");
        let many: Vec<_> = (0..1000).map(|i| Some(f64::from(i))).collect();
        let text = curve(&many);
        assert_eq!(text.chars().count(), WIDTH);
        assert!(text.starts_with('▁') && text.ends_with('█'));
    }
}
