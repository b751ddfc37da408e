//! Random numbers of the zoo's own: SplitMix64 (Steele et al. 2014), normal numbers by Box and Muller.
//!
//! The truth must not depend on the generator of the networks that are diagnosed.

/// SplitMix64.
pub(super) struct Generator(u64);

impl Generator {
    /// The stream `stream` of a seed.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ stream);
        Self(generator.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform on [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform on [low, high).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// A whole number from `low` to `high`, small ones as often as large ones by their logarithm.
    pub(super) fn size(&mut self, low: usize, high: usize) -> usize {
        let log = self.between((low as f64).ln(), (high as f64 + 1.0).ln());
        (log.exp() as usize).clamp(low, high)
    }

    /// One of the items.
    pub(super) fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[(self.uniform() * items.len() as f64) as usize % items.len()]
    }

    /// Normal numbers.
    pub(super) fn normals(&mut self, count: usize, deviation: f64) -> Vec<f64> {
        let mut values = Vec::with_capacity(count + 1);
        while values.len() < count {
            let radius = deviation * (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
            let (sine, cosine) = (core::f64::consts::TAU * self.uniform()).sin_cos();
            values.push(radius * cosine);
            values.push(radius * sine);
        }
        values.truncate(count);
        values
    }
}
