//! What the benches share: deterministic values, and the levels to run on.

use isobath::random::Random;
pub use isobath_kernels::Level;

/// Normal values.
pub fn values(seed: u64, count: usize) -> Vec<f32> {
    let mut values = vec![0.0; count];
    Random::new(seed).fill_normal(&mut values, 1.0);
    values
}

/// The vector levels of this CPU; scalar and portable are a hundred times slower and would only cost time.
pub fn vector_levels() -> Vec<Level> {
    let levels: Vec<Level> =
        Level::available().filter(|level| !["scalar", "portable"].contains(&level.name())).collect();
    if levels.is_empty() { vec![Level::detect()] } else { levels }
}
