//! The copying problem: [`LENGTH`] symbols are shown, then T blank steps of which the last asks for the answer, then
//! [`LENGTH`] blank steps in which the symbols are to be named in their order.
//!
//! A step is one-hot over the symbols and the question, a blank step all 0; labels are the symbols, [`LENGTH`] per
//! sequence, and only the last [`LENGTH`] steps are judged. A guess is right once in [`CLASSES`] times. Source:
//! Hochreiter and Schmidhuber 1997; in this form Arjovsky et al. 2016, with half as many symbols to remember.

use crate::random::Random;

/// Symbols to be remembered.
pub const LENGTH: usize = 5;
/// Different symbols.
pub const CLASSES: usize = 8;
/// Numbers of a step.
pub const FEATURES: usize = CLASSES + 1;
/// The fewest blank steps: the question.
pub const SHORTEST: usize = 1;

/// Steps of a sequence with so many blanks.
///
/// ```
/// use isobath::data::sequence::copy::steps;
///
/// // Between 5 steps that show the symbols and 5 that name them.
/// assert_eq!(steps(20), 30);
/// ```
pub const fn steps(blanks: usize) -> usize {
    blanks.saturating_add(2 * LENGTH)
}

/// Fills sequences with `blanks` blank steps and their [`LENGTH`] labels each.
///
/// ```
/// use isobath::data::sequence::copy::{CLASSES, FEATURES, LENGTH, fill, steps};
/// use isobath::random::Random;
///
/// let (mut input, mut labels) = (vec![0.0; steps(3) * FEATURES], [0; LENGTH]);
/// fill(&mut Random::new(1), 3, &mut input, &mut labels);
/// let hot = |step: usize| input.chunks(FEATURES).nth(step)?.iter().position(|x| *x == 1.0);
/// // The first symbol, and the question in the last blank step.
/// assert_eq!(hot(0), Some(labels[0] as usize));
/// assert_eq!([hot(5), hot(6), hot(7)], [None, None, Some(CLASSES)]);
/// ```
pub fn fill(random: &mut Random, blanks: usize, inputs: &mut [f32], labels: &mut [u32]) {
    let sequences = inputs.chunks_exact_mut(steps(blanks) * FEATURES);
    for (input, labels) in sequences.zip(labels.chunks_exact_mut(LENGTH)) {
        input.fill(0.0);
        let mut set = |step: usize, place: usize| {
            if let Some(value) = input.get_mut(step * FEATURES + place) {
                *value = 1.0;
            }
        };
        for (step, label) in labels.iter_mut().enumerate() {
            let symbol = random.below(CLASSES);
            *label = symbol as u32;
            set(step, symbol);
        }
        set(LENGTH + blanks.saturating_sub(1), CLASSES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_the_symbols_in_their_order() {
        for blanks in [1, 2, 20] {
            let (mut inputs, mut labels) =
                (vec![f32::NAN; 300 * steps(blanks) * FEATURES], vec![9; 300 * LENGTH]);
            fill(&mut Random::new(1), blanks, &mut inputs, &mut labels);
            for (input, labels) in inputs.chunks(steps(blanks) * FEATURES).zip(labels.chunks(LENGTH)) {
                let hot: Vec<usize> = (0..input.len()).filter(|at| input[*at] != 0.0).collect();
                let symbols = labels.iter().enumerate().map(|(t, label)| t * FEATURES + *label as usize);
                let question = (LENGTH + blanks - 1) * FEATURES + CLASSES;
                assert!(hot.iter().copied().eq(symbols.chain([question])), "{hot:?}");
                assert!(hot.iter().all(|at| input[*at] == 1.0));
            }
            let mut seen = [0; CLASSES];
            labels.iter().for_each(|label| seen[*label as usize] += 1);
            // 1500 draws: 187.5 of each, deviation 12.8.
            assert!(seen.iter().all(|count| (130..250).contains(count)), "{seen:?}");
        }
    }
}
