//! The adding problem: T steps of a number, uniform in [0, 1), and a mark; one step in each half is marked with 1, the
//! others with 0. The answer is the sum of the two marked numbers.
//!
//! Labels are the bits of that sum ([`f32::to_bits`]). Always answering 1 has a mean squared error of 1/6; an answer
//! counts as right within [`TOLERANCE`]. Source: Hochreiter and Schmidhuber 1997, experiment 4; one mark in each half
//! as in Arjovsky et al. 2016.

use crate::random::Random;

/// Numbers of a step: the value and the mark.
pub const FEATURES: usize = 2;
/// The error from which on an answer is wrong.
pub const TOLERANCE: f32 = 0.04;
/// The shortest sequence with two halves.
pub const SHORTEST: usize = 2;

/// Fills sequences of `steps` steps, one per label; nothing where they are shorter than [`SHORTEST`].
///
/// ```
/// use isobath::data::sequence::adding::fill;
/// use isobath::random::Random;
///
/// let (mut input, mut label) = ([0.0; 2 * 10], [0]);
/// fill(&mut Random::new(1), 10, &mut input, &mut label);
/// // A value and a mark each step.
/// let marked = input.chunks(2).filter(|step| step[1] == 1.0).map(|step| step[0]);
/// assert_eq!(marked.clone().count(), 2);
/// assert_eq!(f32::from_bits(label[0]), marked.sum::<f32>());
/// ```
pub fn fill(random: &mut Random, steps: usize, inputs: &mut [f32], labels: &mut [u32]) {
    if steps < SHORTEST {
        return;
    }
    for (input, label) in inputs.chunks_exact_mut(steps * FEATURES).zip(labels) {
        for step in input.chunks_exact_mut(FEATURES) {
            step.copy_from_slice(&[random.uniform(), 0.0]);
        }
        let (first, second) = input.split_at_mut(steps / 2 * FEATURES);
        let mut mark = |half: &mut [f32]| {
            let step = random.below(half.len() / FEATURES);
            match half.chunks_exact_mut(FEATURES).nth(step) {
                Some([value, mark]) => {
                    *mark = 1.0;
                    *value
                }
                _ => 0.0,
            }
        };
        // Both are multiples of 2^-24: the sum is exact, or rounded in its last bit.
        *label = (mark(first) + mark(second)).to_bits();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_the_sum_of_the_two_marked() {
        for steps in [2, 3, 7, 50] {
            let (mut inputs, mut labels) = (vec![f32::NAN; 400 * steps * FEATURES], vec![0; 400]);
            fill(&mut Random::new(1), steps, &mut inputs, &mut labels);
            let mut seen = vec![0; steps];
            for (input, label) in inputs.chunks(steps * FEATURES).zip(&labels) {
                let marked: Vec<usize> = (0..steps).filter(|t| input[t * FEATURES + 1] == 1.0).collect();
                assert!(input.iter().skip(1).step_by(2).all(|mark| [0.0, 1.0].contains(mark)));
                let [a, b] = marked[..] else { panic!("{} are marked", marked.len()) };
                assert!(a < steps / 2 && steps / 2 <= b, "one in each half: {a}, {b}");
                assert_eq!(f32::from_bits(*label), input[a * FEATURES] + input[b * FEATURES]);
                assert!(input.iter().step_by(2).all(|value| (0.0..1.0).contains(value)));
                marked.iter().for_each(|t| seen[*t] += 1);
            }
            assert!(seen.iter().all(|count| *count > 0), "any step may be marked: {seen:?}");
        }
    }

    /// The sum of two uniform numbers has variance 1/6; 20000 of them tell it within 2 %.
    #[test]
    fn a_constant_answer_has_the_stated_error() {
        let (mut inputs, mut labels) = (vec![0.0; 20_000 * 8], vec![0; 20_000]);
        fill(&mut Random::new(2), 4, &mut inputs, &mut labels);
        let errors = labels.iter().map(|label| f64::from(f32::from_bits(*label) - 1.0).powi(2));
        assert!((errors.sum::<f64>() / 20_000.0 * 6.0 - 1.0).abs() < 0.03);
    }
}
