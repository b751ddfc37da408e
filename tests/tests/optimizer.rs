//! Optimiser steps: the documented arithmetic bit for bit on every level, Adam against f64.

use isobath_kernels::optimizer::{self, Adam, AdamState, Momentum};
use isobath_kernels::{LengthError, Level};
use isobath_tests::fma::fma;
use isobath_tests::hash::assert_same_bits;
use isobath_tests::levels;
use isobath_tests::reference::noise;

/// Noise of this length, with special values scattered in.
fn values(seed: u64, n: usize) -> Vec<f32> {
    let special = isobath_tests::values::special();
    let mut values = noise(seed, n);
    for (k, x) in values.iter_mut().enumerate().filter(|(k, _)| (k + seed as usize).is_multiple_of(5)) {
        *x = special[(k / 5 + seed as usize) % special.len()];
    }
    values
}

fn lengths() -> impl Iterator<Item = usize> {
    (0..=130).chain([1000, 4099])
}

fn zip(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect()
}

#[test]
fn steps_of_one_or_two_operands() {
    for n in lengths() {
        let (w, g) = (values(1, n), values(2, n));
        let sign = |w: f32| if w == 0.0 { 0.0 } else { w.signum() };
        let with_l1 = |g: f32, w: f32| if w == 0.0 { g } else { g + 0.02 * sign(w) };
        for level in levels::all() {
            let run = |start: &[f32], step: &dyn Fn(&mut [f32])| {
                let mut out = start.to_vec();
                step(&mut out);
                out
            };
            let found = run(&w, &|w| optimizer::sgd(level, 0.1, w, &g).unwrap());
            assert_same_bits(&zip(&w, &g, |w, g| fma(-0.1, g, w)), &found, "sgd");
            let found = run(&g, &|g| optimizer::add_l2(level, 0.3, &w, g).unwrap());
            assert_same_bits(&zip(&g, &w, |g, w| fma(0.3, w, g)), &found, "l2");
            let found = run(&g, &|g| optimizer::add_l1(level, 0.02, &w, g).unwrap());
            assert_same_bits(&zip(&g, &w, with_l1), &found, "l1");
            let found = run(&g, &|g| optimizer::scale(level, -1.7, g));
            assert_same_bits(&zip(&g, &g, |g, _| -1.7 * g), &found, "scale");
        }
    }
}

#[test]
fn momentum_and_nesterov() {
    for n in lengths() {
        let (w, v, g) = (values(1, n), values(2, n), values(3, n));
        for nesterov in [false, true] {
            let velocity = zip(&v, &g, |v, g| fma(0.9, v, g));
            let step = if nesterov { zip(&velocity, &g, |v, g| fma(0.9, v, g)) } else { velocity.clone() };
            let expected = zip(&w, &step, |w, step| fma(-0.01, step, w));
            for level in levels::all() {
                let (mut w, mut v) = (w.clone(), v.clone());
                let settings = Momentum { learning_rate: 0.01, momentum: 0.9, nesterov };
                optimizer::momentum(level, settings, &mut w, &mut v, &g).unwrap();
                assert_same_bits(&velocity, &v, level.name());
                assert_same_bits(&expected, &w, level.name());
            }
        }
    }
}

#[test]
fn adam_in_the_documented_arithmetic() {
    for n in lengths() {
        for weight_decay in [0.0, 0.1] {
            let settings = Adam { weight_decay, ..Adam::default() };
            let mut state = AdamState::new();
            state.advance(&settings);
            let c = state.advance(&settings);
            let (w, m, g) = (values(1, n), values(2, n), values(3, n));
            let v: Vec<f32> = values(4, n).iter().map(|v| v.abs()).collect();
            let first = zip(&m, &g, |m, g| fma(0.9, m, 0.1 * g));
            let second = zip(&v, &g, |v, g| fma(0.999, v, 0.001 * g * g));
            let inverse = 1.0 / c.second;
            let step = zip(&first, &second, |m, v| m / ((v * inverse).sqrt() + 1e-8));
            let decay = fma(-0.001, weight_decay, 1.0);
            let expected = zip(&w, &step, |w, step| fma(-(0.001 / c.first), step, decay * w));
            for level in levels::all() {
                let (mut w, mut m, mut v) = (w.clone(), m.clone(), v.clone());
                optimizer::adam(level, &settings, &c, &mut w, &mut m, &mut v, &g).unwrap();
                assert_same_bits(&first, &m, level.name());
                assert_same_bits(&second, &v, level.name());
                assert_same_bits(&expected, &w, level.name());
            }
        }
    }
}

#[test]
fn corrections_are_right_at_every_step() {
    for (one_minus_beta1, one_minus_beta2) in [(0.1f32, 0.001f32), (0.5, 1e-6), (1.0, 0.05), (0.01, 1e-8)] {
        let settings = Adam {
            beta1: 1.0 - one_minus_beta1,
            one_minus_beta1,
            beta2: 1.0 - one_minus_beta2,
            one_minus_beta2,
            ..Adam::default()
        };
        let mut state = AdamState::new();
        for step in 1..=20_000u64 {
            let found = state.advance(&settings);
            assert_eq!(state.step(), step);
            if step == 1 {
                assert_eq!((found.first, found.second), (one_minus_beta1, one_minus_beta2));
            }
            for (found, rest) in [(found.first, one_minus_beta1), (found.second, one_minus_beta2)] {
                let exact = -(step as f64 * (-f64::from(rest)).ln_1p()).exp_m1();
                let error = (f64::from(found) - exact).abs() / isobath::accuracy::ulp::spacing(exact);
                assert!(error <= 2.0, "1 - {rest}, step {step}: {found:e} is {error} units from {exact:e}");
            }
        }
    }
}

/// A thousand steps from zero states stay close to Adam in f64.
#[test]
fn adam_from_zero_states_follows_f64() {
    let n = 50;
    for weight_decay in [0.0, 0.01] {
        let settings = Adam { learning_rate: 0.01, weight_decay, ..Adam::default() };
        let mut state = AdamState::new();
        let (mut w, mut m, mut v) = (noise(1, n), vec![0.0; n], vec![0.0; n]);
        let mut exact: Vec<[f64; 3]> = w.iter().map(|w| [f64::from(*w), 0.0, 0.0]).collect();
        for step in 1..=1000 {
            let g: Vec<f32> = noise(step, n).iter().map(|g| g + 0.3).collect();
            let c = state.advance(&settings);
            optimizer::adam(Level::detect(), &settings, &c, &mut w, &mut m, &mut v, &g).unwrap();
            for ([w, m, v], g) in exact.iter_mut().zip(&g) {
                let g = f64::from(*g);
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                let (m, v) = (*m / (1.0 - 0.9f64.powi(step as i32)), *v / (1.0 - 0.999f64.powi(step as i32)));
                *w -= 0.01 * (m / (v.sqrt() + 1e-8) + f64::from(weight_decay) * *w);
            }
            if step == 1 {
                // The first step has the length of the learning rate, whatever the gradient.
                for (w, start) in w.iter().zip(noise(1, n)) {
                    let length = (w - start * (1.0 - 0.01 * weight_decay)).abs();
                    assert!((length - 0.01).abs() < 1e-6, "{length}");
                }
            }
        }
        for (w, [exact, ..]) in w.iter().zip(&exact) {
            assert!((f64::from(*w) - exact).abs() < 1e-4, "{w} and {exact}");
        }
    }
}

/// However small epsilon is, from zero states a gradient of 0 makes no step, one whose square f32 holds makes a step of the
/// learning rate, and one whose square underflows makes the step that epsilon allows.
#[test]
fn tiny_epsilons_from_zero_states() {
    for epsilon in [1e-20, 1e-30, f32::MIN_POSITIVE, f32::from_bits(1)] {
        let settings = Adam { epsilon, ..Adam::default() };
        let c = AdamState::new().advance(&settings);
        let gradients = [0.0, -0.0, 1e-15, -1e-15, 1.0, -1e15, 2f32.powi(-90), -(2f32.powi(-90))];
        for level in levels::all() {
            // At every place of a vector.
            for at in 0..20 {
                let g: Vec<f32> = (0..20).map(|i| gradients[(i + at) % gradients.len()]).collect();
                let (mut w, mut m, mut v) = (vec![0.0; 20], vec![0.0; 20], vec![0.0; 20]);
                optimizer::adam(level, &settings, &c, &mut w, &mut m, &mut v, &g).unwrap();
                for ((g, w), v) in g.iter().zip(&w).zip(&v) {
                    let what = format!("{g:e} with {epsilon:e} on {}: {w:e}", level.name());
                    let g_wide = f64::from(*g);
                    let root = if *v == 0.0 { 0.0 } else { g_wide.abs() };
                    let step = if *g == 0.0 { 0.0 } else { -1e-3 * g_wide / (root + f64::from(epsilon)) };
                    assert_eq!(*v == 0.0, g.abs() < 1e-20, "{what}");
                    assert!((f64::from(*w) - step).abs() <= 1e-6 * step.abs(), "{what}, expected {step:e}");
                }
            }
        }
    }
}

#[test]
fn nan_and_infinite_gradients_stay_where_they_are() {
    for level in levels::all() {
        let settings = Adam::default();
        let c = AdamState::new().advance(&settings);
        let mut g = vec![0.5; 40];
        (g[7], g[9], g[11]) = (f32::NAN, f32::INFINITY, 1e30);
        let (mut w, mut m, mut v) = (vec![1.0; 40], vec![0.0; 40], vec![0.0; 40]);
        optimizer::adam(level, &settings, &c, &mut w, &mut m, &mut v, &g).unwrap();
        assert!(w[7].is_nan() && w[9].is_nan(), "infinity over infinity");
        assert_eq!(w[11], 1.0, "a gradient whose square is infinite makes no step");
        assert!(w.iter().enumerate().all(|(k, w)| [7, 9, 11].contains(&k) || (w - 0.999).abs() < 1e-6));
    }
}

#[test]
fn lengths_that_differ_are_errors() {
    let (mut one, mut two, three) = ([0.0; 2], [0.0; 2], [0.0; 3]);
    let error = Err(LengthError { expected: 2, found: 3 });
    let settings = Momentum { learning_rate: 0.1, momentum: 0.9, nesterov: false };
    assert_eq!(optimizer::sgd(Level::SCALAR, 0.1, &mut one, &three), error);
    assert_eq!(optimizer::momentum(Level::SCALAR, settings, &mut one, &mut two, &three), error);
    assert_eq!(optimizer::add_l1(Level::SCALAR, 0.1, &three, &mut one), error);
    assert_eq!(optimizer::add_l2(Level::SCALAR, 0.1, &three, &mut one), error);
}
