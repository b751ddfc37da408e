//! Gaussian: x ~ N(0, I), labels uniform at random. There is nothing to learn: test accuracy above chance
//! is a fault of the measurement.

use crate::random::Random;

/// Numbers per sample.
pub const FEATURES: usize = 64;
/// Labels are below this.
pub const CLASSES: usize = 10;

/// Fills samples (row-major, [`FEATURES`] each) and their labels, one label per sample.
///
/// ```
/// use isobath::data::gaussian::{CLASSES, FEATURES, fill};
/// use isobath::random::Random;
///
/// let (mut samples, mut labels) = (vec![0.0; 50 * FEATURES], [0; 50]);
/// fill(&mut Random::new(1), &mut samples, &mut labels);
/// assert!(labels.iter().all(|label| *label < CLASSES as u32));
/// // The variance of 3200 numbers is 1, with a deviation of 2.5 %.
/// let square = samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32;
/// assert!((square - 1.0).abs() < 0.1);
/// ```
pub fn fill(random: &mut Random, samples: &mut [f32], labels: &mut [u32]) {
    for (sample, label) in samples.chunks_exact_mut(FEATURES).zip(labels) {
        random.fill_normal(sample, 1.0);
        *label = random.below(CLASSES) as u32;
    }
}
