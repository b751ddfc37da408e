use super::*;

/// FNV-1a over the bytes of the values, low byte first: pins every bit of a sequence.
pub(crate) fn hash(values: impl IntoIterator<Item = u32>) -> u64 {
    let bytes = values.into_iter().flat_map(u32::to_le_bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The largest distance between the empirical distribution of the sample and a distribution function.
fn kolmogorov_smirnov(mut sample: Vec<f32>, distribution: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f32::total_cmp);
    let n = sample.len() as f64;
    let distance = |(i, &x): (usize, &f32)| {
        let p = distribution(f64::from(x));
        (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
    };
    sample.iter().enumerate().map(distance).fold(0.0, f64::max)
}

fn normals(seed: u64, count: usize) -> Vec<f32> {
    let mut values = vec![0.0; count];
    Random::new(seed).fill_normal(&mut values, 1.0);
    values
}

fn moment(values: &[f32], power: i32) -> f64 {
    values.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / values.len() as f64
}

/// 1 in 1000 samples of n is farther than 1.95 / sqrt(n) from its own distribution.
const KS_LIMIT: f64 = 1.95;

#[test]
fn ten_thousand_normals_have_these_bits() {
    assert_eq!(hash(normals(1, 10_000).iter().map(|x| x.to_bits())), 0xcfaa_a1a8_b47b_9fd0);
}

#[test]
fn the_first_words_are_those_of_xoshiro256_plus_plus() {
    let mut random = Random::new(1);
    assert_eq!([random.next_u64(), random.next_u64()], [0xcfc5_d07f_6f03_c29b, 0xbf42_4132_963f_e08d]);
}

#[test]
fn normals_have_the_moments_of_the_normal_distribution() {
    let values = normals(2, 1_000_000);
    // Four standard errors: sqrt(var(x^k) / n).
    for (power, expected, variance) in
        [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0), (6, 15.0, 10_170.0_f64)]
    {
        let error = (moment(&values, power) - expected).abs();
        assert!(error < 4.0e-3 * variance.sqrt(), "moment {power} is off by {error}");
    }
}

#[test]
fn both_numbers_of_a_pair_are_independent() {
    let values = normals(3, 1_000_000);
    let product = |power: i32| {
        let pair = |pair: &[f32]| f64::from(pair[0]).powi(power) * f64::from(pair[1]).powi(power);
        values.chunks_exact(2).map(pair).sum::<f64>() / 500_000.0
    };
    assert!(product(1).abs() < 4.0 / 500_000_f64.sqrt());
    assert!((product(2) - 1.0).abs() < 4.0 * (8.0 / 500_000_f64).sqrt());
}

#[test]
fn normals_follow_the_normal_distribution() {
    let sample = normals(4, 200_000);
    let distance = kolmogorov_smirnov(sample, |x| 0.5 * libm::erfc(-x / 2_f64.sqrt()));
    assert!(distance < KS_LIMIT / 200_000_f64.sqrt(), "{distance}");
}

#[test]
fn the_tail_has_its_share_and_reaches_nine_sigma() {
    let values = normals(5, 4_000_000);
    for sigma in [3.0_f32, 4.0, 4.5] {
        let share = values.len() as f64 * libm::erfc(f64::from(sigma) / 2_f64.sqrt());
        let found = values.iter().filter(|x| x.abs() > sigma).count() as f64;
        assert!((found - share).abs() < 4.0 * share.sqrt(), "{found} beyond {sigma} sigma, expected {share}");
    }
    let (farthest, other) = polar(1 << 32).unwrap();
    assert!((farthest - 9.2709).abs() < 1.0e-4 && other == 0.0, "{farthest}");
    assert_eq!(polar(0), None);
    assert_eq!(polar(1 << 63), None);
}

#[test]
fn uniforms_follow_the_uniform_distribution() {
    let mut sample = vec![0.0; 200_000];
    Random::new(6).fill_uniform(&mut sample, -1.0, 3.0);
    assert!(sample.iter().all(|x| (-1.0..=3.0).contains(x)));
    let distance = kolmogorov_smirnov(sample, |x| (x + 1.0) / 4.0);
    assert!(distance < KS_LIMIT / 200_000_f64.sqrt(), "{distance}");
}

#[test]
fn below_is_unbiased_and_in_range() {
    let mut random = Random::new(7);
    let mut counts = [0.0_f64; 7];
    for _ in 0..70_000 {
        counts[random.below(7)] += 1.0;
    }
    let chi_squared: f64 = counts.iter().map(|count| (count - 10_000.0).powi(2) / 10_000.0).sum();
    assert!(chi_squared < 22.46, "{chi_squared}"); // 0.999 quantile, 6 degrees of freedom
    assert_eq!([random.below(0), random.below(1)], [0, 0]);
}

#[test]
fn below_rejects_what_would_be_biased() {
    // n is 3/4 of all words: without rejection multiples of 3 would come twice as often as others.
    let n = 3_usize << (usize::BITS - 2);
    let mut random = Random::new(8);
    let low = (0..30_000).filter(|_| random.below(n).is_multiple_of(3)).count() as f64;
    assert!((low - 10_000.0).abs() < 4.0 * 6666.7_f64.sqrt(), "{low}");
}

#[test]
fn shuffles_are_permutations_and_equally_likely() {
    let mut random = Random::new(9);
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..24_000 {
        let mut values = [0, 1, 2, 3];
        random.shuffle(&mut values);
        *counts.entry(values).or_insert(0.0_f64) += 1.0;
    }
    assert_eq!(counts.len(), 24);
    let chi_squared: f64 = counts.values().map(|count| (count - 1000.0).powi(2) / 1000.0).sum();
    assert!(chi_squared < 49.73, "{chi_squared}"); // 0.999 quantile, 23 degrees of freedom
}

#[test]
fn filling_in_parts_is_filling_at_once() {
    let mut parts = vec![0.0; 11];
    let mut random = Random::new(10);
    let (first, second) = parts.split_at_mut(5);
    random.fill_normal(first, 1.0);
    random.fill_normal(second, 1.0);
    assert_eq!(parts, normals(10, 11));
}

#[test]
fn streams_differ_from_each_other_and_repeat() {
    let first = |seed, stream| Random::stream(seed, stream).next_u64();
    let mut words: Vec<u64> = (0..100).flat_map(|seed| (0..100).map(move |s| first(seed, s))).collect();
    assert_eq!(first(3, 4), first(3, 4));
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), 10_000);
}

#[test]
fn neighbouring_streams_are_uncorrelated() {
    let (mut a, mut b) = (Random::stream(1, 0), Random::stream(1, 1));
    let sum: f64 = (0..100_000).map(|_| f64::from(a.normal()) * f64::from(b.normal())).sum();
    assert!((sum / 100_000.0).abs() < 4.0 / 100_000_f64.sqrt());
}
