//! Initial weights and biases: moments, limits, orthogonality, and what a layer adds.

use isobath::init::{Family, Init, WeightVariance};
use isobath::net::{Arena, Dense, Layer, Mode, Pass, Unwatched};
use isobath::random::Random;
use isobath::threads::Serial;
use isobath_kernels::Level;
use isobath_tests::case::Case;
use isobath_tests::hash::assert_same_bits;

fn filled(init: Init, fan_in: usize, fan_out: usize, seed: u64) -> (Vec<f32>, Vec<f32>) {
    let count = fan_in * fan_out;
    let (mut weights, mut biases) = (vec![f32::NAN; count], vec![f32::NAN; fan_out]);
    init.fill(&mut Random::new(seed), fan_in, &mut weights, &mut biases, &mut vec![f32::NAN; count]).unwrap();
    (weights, biases)
}

/// Mean 0 and this variance, each to five standard errors of a normal sample.
#[track_caller]
fn assert_moments(values: &[f32], variance: f64, what: &str) {
    let n = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let found = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / n;
    assert!(mean.abs() <= 5.0 * (variance / n).sqrt(), "{what}: mean {mean:e}");
    let error = (found / variance - 1.0).abs();
    assert!(error <= 5.0 * (2.0 / n).sqrt(), "{what}: variance {found:e}, not {variance:e}");
}

#[test]
fn variances_of_every_name() {
    for (fan_in, fan_out) in [(300, 500), (500, 300), (400, 400)] {
        let (n, m) = (fan_in as f64, fan_out as f64);
        for (name, variance) in [
            ("xavier", 2.0 / (n + m)),
            ("he", 2.0 / n),
            ("lecun", 1.0 / n),
            ("uniform", 1.0 / 3.0 / n),
            ("orthogonal", 1.0 / n),
            ("article", 1.0 / n),
        ] {
            let init: Init = name.parse().expect("a name");
            let (weights, biases) = filled(init, fan_in, fan_out, 1);
            assert_moments(&weights, variance, &format!("{name} {fan_in} x {fan_out}"));
            let given = f64::from(init.weight_variance(fan_in, fan_out));
            assert!((given / n / variance - 1.0).abs() < 1e-6, "{name}: s_w^2 is {given}");
            if name == "article" {
                assert_moments(&biases, 1.0, "biases");
            } else {
                assert!(biases.iter().all(|b| b.to_bits() == 0), "{name} has biases");
            }
        }
    }
}

#[test]
fn any_variance_in_any_family() {
    for family in [Family::Gaussian, Family::Uniform, Family::Orthogonal] {
        for weight_variance in [0.25_f32, 3.0] {
            let init =
                Init { family, weight_variance: WeightVariance::Fixed(weight_variance), bias_variance: 0.3 };
            let (weights, _) = filled(init, 200, 300, 2);
            assert_moments(&weights, f64::from(weight_variance) / 200.0, &format!("{init:?}"));
            let (_, biases) = filled(Init { family: Family::Gaussian, ..init }, 2, 50_000, 3);
            assert_moments(&biases, 0.3, "biases");
        }
    }
}

#[test]
fn uniform_weights_fill_their_interval() {
    for fan_in in [1, 7, 400] {
        let limit = 1.0 / (fan_in as f32).sqrt();
        let (weights, _) = filled(Init::UNIFORM, fan_in, 40_000 / fan_in, 4);
        let largest = weights.iter().fold(0.0, |m: f32, w| m.max(w.abs()));
        assert!(largest <= limit && largest > 0.999 * limit, "fan-in {fan_in}: {largest} of {limit}");
        // An interval and not two heaps: a quarter of the weights lies in the middle quarter.
        let middle = weights.iter().filter(|w| w.abs() < limit / 4.0).count() as f32 / weights.len() as f32;
        assert!((middle - 0.25).abs() < 0.012, "fan-in {fan_in}: {middle}");
    }
}

/// The fewer of rows and columns are orthogonal, of squared length s_w^2 max(n, m) / n, to 1e-5 of it.
#[test]
fn orthogonal_weights() {
    for (n, m) in [(1, 1), (64, 64), (50, 20), (20, 50), (1, 7), (7, 1), (2, 3), (130, 129)] {
        for variance in [1.0_f32, 2.0] {
            let init = Init { weight_variance: WeightVariance::Fixed(variance), ..Init::ORTHOGONAL };
            let (weights, _) = filled(init, n, m, 5);
            let at = |i: usize, j: usize| f64::from(weights[i * m + j]);
            let count = n.min(m);
            let square = f64::from(variance) * n.max(m) as f64 / n as f64;
            for p in 0..count {
                for q in 0..count {
                    let dot: f64 = if n < m {
                        (0..m).map(|j| at(p, j) * at(q, j)).sum()
                    } else {
                        (0..n).map(|i| at(i, p) * at(i, q)).sum()
                    };
                    let expected = if p == q { square } else { 0.0 };
                    assert!((dot - expected).abs() <= 1e-5 * square, "{n} x {m}: ({p}, {q}) is {dot}");
                }
            }
        }
    }
}

#[test]
fn seeds_decide() {
    for name in Init::NAMES.split(", ") {
        let init: Init = name.parse().expect("a name");
        let (first, again, other) = (filled(init, 9, 5, 1), filled(init, 9, 5, 1), filled(init, 9, 5, 2));
        assert_same_bits(&first.0, &again.0, name);
        assert_same_bits(&first.1, &again.1, name);
        assert_ne!(first.0, other.0, "{name}");
    }
}

/// A planted defect multiplies one layer's weights and leaves its biases and all other layers alone.
#[test]
fn a_scaled_layer() {
    let plain = Dense { units: 4, init: Init::ARTICLE, weight_scale: 1.0 };
    let parameters = |scales: [f32; 3]| {
        let layers = scales.map(|weight_scale| Layer::Dense(Dense { weight_scale, ..plain }));
        Case::new("scaled", 4, 1, layers.to_vec()).run(|_, arena| arena.parameters.to_vec())
    };
    let mut expected = parameters([1.0; 3]);
    for weight in &mut expected[20..36] {
        *weight *= 0.3;
    }
    assert_same_bits(&expected, &parameters([1.0, 0.3, 1.0]), "the second layer's weights");
}

/// Standardised weights start with the variance that the initialiser is asked for, whatever was drawn, and keep it when all
/// weights of a unit are moved or stretched alike.
#[test]
fn standardised_weights_start_with_their_variance() {
    let (inputs, units) = (50, 20);
    let init = Init::gaussian(3.0, 0.0);
    let layers = vec![Layer::Standardised(Dense { units, init, weight_scale: 1.0 })];
    let case = Case::new("standardised", inputs, inputs, layers);
    case.run(|plan, arena| {
        // The identity as a batch gives out the weights themselves.
        let identity = |at: usize| f32::from(at / inputs == at % inputs);
        let effective = |arena: &mut Arena<'_>| {
            arena.input_mut(&plan, inputs).iter_mut().enumerate().for_each(|(at, x)| *x = identity(at));
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: inputs };
            pass.forward(arena, Mode::Training, &mut Unwatched).expect("forward");
            arena.output(&plan, inputs).to_vec()
        };
        let weights = effective(arena);
        for unit in 0..units {
            let column = || weights.iter().skip(unit).step_by(units).map(|w| f64::from(*w));
            let mean = column().sum::<f64>() / inputs as f64;
            let variance = column().map(|w| w * w).sum::<f64>() / inputs as f64;
            assert!(mean.abs() < 1e-6 && (variance - 3.0 / inputs as f64).abs() < 1e-6, "{mean}, {variance}");
        }
        arena.parameters[..inputs * units].iter_mut().for_each(|w| *w = 4.0 * *w + 0.5);
        for (before, after) in weights.iter().zip(effective(arena)) {
            assert!((before - after).abs() < 1e-5, "{before}, {after}");
        }
    });
}
