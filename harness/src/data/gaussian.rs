//! Gaussian: x ~ N(0, I), labels uniform at random. There is nothing to learn: test accuracy above chance
//! is a fault of the measurement.

use crate::random::Random;

/// Numbers per sample.
pub const FEATURES: usize = 64;
/// Labels are below this.
pub const CLASSES: usize = 10;

/// Fills samples (row-major, [`FEATURES`] each) and their labels, one label per sample.
pub fn fill(random: &mut Random, samples: &mut [f32], labels: &mut [u32]) {
    for (sample, label) in samples.chunks_exact_mut(FEATURES).zip(labels) {
        random.fill_normal(sample, 1.0);
        *label = random.below(CLASSES) as u32;
    }
}
