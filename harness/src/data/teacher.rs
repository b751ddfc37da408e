//! Teacher: structureless inputs with labels that can be learned, the negative control of pre-training.
//!
//! x ~ N(0, I); the label is the largest of V (|W x| - mean), W and V Gaussian with variance 1 / fan-in, drawn
//! from the seed. |z|'s mean for z ~ N(0, 1), sqrt(2 / pi), is taken off so that no class is favoured; |W x| is
//! even, so a linear classifier learns next to nothing.

use crate::random::Random;

/// Numbers per sample.
pub const FEATURES: usize = 16;
/// Labels are below this.
pub const CLASSES: usize = 10;
/// Hidden units of the teacher.
const HIDDEN: usize = 16;

/// The network that labels the samples.
///
/// ```
/// use isobath::data::teacher::{FEATURES, Teacher};
/// use isobath::random::Random;
///
/// // Two teachers label the same inputs.
/// let taught = |seed| {
///     let (mut samples, mut labels) = (vec![0.0; 20 * FEATURES], vec![0; 20]);
///     Teacher::new(&mut Random::new(seed)).fill(&mut Random::new(9), &mut samples, &mut labels);
///     (samples, labels)
/// };
/// let [(inputs, labels), (same_inputs, other_labels)] = [taught(1), taught(2)];
/// assert_eq!(inputs, same_inputs);
/// assert_ne!(labels, other_labels);
/// ```
#[derive(Clone, Debug)]
pub struct Teacher {
    hidden: [[f32; FEATURES]; HIDDEN],
    output: [[f32; HIDDEN]; CLASSES],
}

impl Teacher {
    /// Draws a teacher.
    pub fn new(random: &mut Random) -> Self {
        let mut teacher = Self { hidden: [[0.0; FEATURES]; HIDDEN], output: [[0.0; HIDDEN]; CLASSES] };
        random.fill_normal(teacher.hidden.as_flattened_mut(), libm::sqrtf(1.0 / FEATURES as f32));
        random.fill_normal(teacher.output.as_flattened_mut(), libm::sqrtf(1.0 / HIDDEN as f32));
        teacher
    }

    /// Fills samples (row-major, [`FEATURES`] each) and their labels, one label per sample.
    pub fn fill(&self, random: &mut Random, samples: &mut [f32], labels: &mut [u32]) {
        for (sample, label) in samples.chunks_exact_mut(FEATURES).zip(labels) {
            random.fill_normal(sample, 1.0);
            *label = self.label(sample);
        }
    }

    fn label(&self, sample: &[f32]) -> u32 {
        const MEAN: f32 = 0.797_884_6;
        let mut hidden = [0.0; HIDDEN];
        for (unit, weights) in hidden.iter_mut().zip(&self.hidden) {
            *unit = dot(weights, sample).abs() - MEAN;
        }
        let mut best = (0, f32::NEG_INFINITY);
        for (class, weights) in (0..).zip(&self.output) {
            let score = dot(weights, &hidden);
            if score > best.1 {
                best = (class, score);
            }
        }
        best.0
    }
}

/// The sum of products in order, each rounded: not fused, for machines without a fused multiply-add.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_the_teachers_and_even() {
        let mut random = Random::new(1);
        let teacher = Teacher::new(&mut random);
        let (mut samples, mut labels) = (vec![0.0; 500 * FEATURES], vec![0; 500]);
        teacher.fill(&mut random, &mut samples, &mut labels);
        samples.iter_mut().for_each(|x| *x = -*x);
        let mirrored = samples.chunks_exact(FEATURES).map(|sample| teacher.label(sample));
        assert_eq!(mirrored.collect::<Vec<u32>>(), labels);
        assert!((0..CLASSES as u32).all(|class| labels.contains(&class)));
    }
}
