//! Random numbers whose bits are the same everywhere.
//!
//! Bits come from xoshiro256++ (Blackman and Vigna, 2021); the distributions are made here from
//! integers and + - * / sqrt on f32, without a platform's math library. No std, no allocation, no panic.
//!
//! - uniform: the upper 24 bits times 2^-24, in [0, 1).
//! - below(n): the upper word of a 64 x 64 bit product, unbiased by rejection (Lemire, 2019).
//! - normal: the polar method. (u, v) uniform in the unit disc, s = u^2 + v^2; then u r and v r with
//!   r = sqrt(-2 ln s / s) are independent N(0, 1) (Marsaglia and Bray, 1964). u and v have 32 bits, so
//!   the tail reaches 9 sigma.

pub(crate) mod elementary;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// A generator of random numbers; equal seeds give equal numbers on every machine.
///
/// ```
/// use isobath::random::Random;
///
/// // The same seed gives the same bits, on every machine.
/// let (mut one, mut other) = (Random::new(7), Random::new(7));
/// assert_eq!(one.normal().to_bits(), other.normal().to_bits());
/// assert_eq!(one.below(1000), other.below(1000));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Random {
    bits: Xoshiro256PlusPlus,
    /// The polar method's second number, kept for the next call.
    spare: Option<f32>,
}

impl Random {
    /// The generator of a seed.
    ///
    /// ```
    /// use isobath::random::Random;
    ///
    /// assert_eq!(Random::new(7).next_u64(), Random::new(7).next_u64());
    /// assert_ne!(Random::new(7).next_u64(), Random::new(8).next_u64());
    /// ```
    pub fn new(seed: u64) -> Self {
        Self { bits: Xoshiro256PlusPlus::seed_from_u64(seed), spare: None }
    }

    /// One of 2^64 independent generators of a seed: the same pair gives the same numbers, and what one
    /// purpose draws does not move what another draws.
    ///
    /// ```
    /// use isobath::random::Random;
    ///
    /// // Weights are the same however many inputs are drawn before them.
    /// let (mut weights, mut inputs) = (Random::stream(7, 0), Random::stream(7, 1));
    /// inputs.fill_normal(&mut [0.0; 100], 1.0);
    /// assert_eq!(weights.next_u64(), Random::stream(7, 0).next_u64());
    /// ```
    pub fn stream(seed: u64, stream: u64) -> Self {
        Self::new(mix(mix(seed).wrapping_add(stream)))
    }

    /// The next 64 random bits.
    ///
    /// ```
    /// use isobath::random::Random;
    ///
    /// // Half of 64 random bits are set.
    /// let mut random = Random::new(7);
    /// let ones: u32 = (0..1000).map(|_| random.next_u64().count_ones()).sum();
    /// assert!((31_500..32_500).contains(&ones));
    /// ```
    pub fn next_u64(&mut self) -> u64 {
        self.bits.next_u64()
    }

    /// Uniform in [0, 1), a multiple of 2^-24.
    ///
    /// ```
    /// use isobath::random::Random;
    ///
    /// let mut random = Random::new(7);
    /// let draw = random.uniform();
    /// assert!((0.0..1.0).contains(&draw) && (draw * 2f32.powi(24)).fract() == 0.0);
    /// ```
    pub fn uniform(&mut self) -> f32 {
        const ULP: f32 = 1.0 / (1 << 24) as f32;
        (self.next_u64() >> 40) as f32 * ULP
    }

    /// Uniform between low and high; rounding may return high itself.
    ///
    /// ```
    /// use isobath::random::Random;
    ///
    /// // Weights of variance a^2 / 3.
    /// let (mut random, a) = (Random::new(7), 0.5);
    /// let squares: f32 = (0..1000).map(|_| random.uniform_in(-a, a).powi(2)).sum();
    /// assert!((squares / 1000.0 - a * a / 3.0).abs() < 0.01);
    /// ```
    pub fn uniform_in(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.uniform()
    }

    /// Uniform among 0, 1, ..., n - 1; 0 for n = 0.
    ///
    /// ```
    /// use isobath::random::Random;
    ///
    /// let mut random = Random::new(7);
    /// let mut rolls = [0; 6];
    /// (0..6000).for_each(|_| rolls[random.below(6)] += 1);
    /// assert!(rolls.iter().all(|count| (850..1150).contains(count)));
    /// ```
    pub fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        if (product as u64) < n {
            let biased = n.wrapping_neg() % n;
            while (product as u64) < biased {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as usize
    }

    /// A draw from N(0, 1).
    ///
    /// ```
    /// use isobath::random::Random;
    ///
    /// // Two in three lie within one standard deviation.
    /// let mut random = Random::new(7);
    /// let near = (0..3000).filter(|_| random.normal().abs() < 1.0).count();
    /// assert!((1950..2150).contains(&near));
    /// ```
    pub fn normal(&mut self) -> f32 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            if let Some((first, second)) = polar(self.next_u64()) {
                self.spare = Some(second);
                return first;
            }
        }
    }

    /// Fills with draws uniform between low and high.
    ///
    /// ```
    /// use isobath::random::Random;
    ///
    /// let mut values = [0.0; 100];
    /// Random::new(7).fill_uniform(&mut values, 2.0, 3.0);
    /// assert!(values.iter().all(|value| (2.0..=3.0).contains(value)));
    /// ```
    pub fn fill_uniform(&mut self, values: &mut [f32], low: f32, high: f32) {
        for value in values {
            *value = self.uniform_in(low, high);
        }
    }

    /// Fills with draws from N(0, std^2).
    ///
    /// ```
    /// use isobath::random::Random;
    ///
    /// let mut values = [0.0; 1000];
    /// Random::new(7).fill_normal(&mut values, 0.1);
    /// let variance = values.iter().map(|value| value * value).sum::<f32>() / 1000.0;
    /// assert!((variance - 0.01).abs() < 0.001);
    /// ```
    pub fn fill_normal(&mut self, values: &mut [f32], std: f32) {
        for value in values {
            *value = std * self.normal();
        }
    }

    /// Puts the values into a random order, each order equally likely (Fisher and Yates).
    ///
    /// ```
    /// use isobath::random::Random;
    ///
    /// let mut order: Vec<usize> = (0..10).collect();
    /// Random::new(7).shuffle(&mut order);
    /// assert_ne!(order, (0..10).collect::<Vec<_>>());
    /// order.sort_unstable();
    /// assert_eq!(order, (0..10).collect::<Vec<_>>());
    /// ```
    pub fn shuffle<E>(&mut self, values: &mut [E]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
    }
}

/// Two normal numbers from the two halves of the bits, or none where the point is outside the disc.
fn polar(bits: u64) -> Option<(f32, f32)> {
    const ULP: f32 = 1.0 / (1_u32 << 31) as f32;
    let u = (bits >> 32) as i32 as f32 * ULP;
    let v = bits as i32 as f32 * ULP;
    let s = u * u + v * v;
    if s >= 1.0 || s == 0.0 {
        return None;
    }
    let r = libm::sqrtf(-2.0 * elementary::ln(s) / s);
    Some((u * r, v * r))
}

/// A bijection of 64-bit words that leaves no pattern of its argument (Steele, Lea and Flood, 2014: SplitMix64).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
pub(crate) mod tests;
