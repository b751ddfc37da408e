//! Values and gradients of every kind of layer against a network in f64 and its finite differences.

use isobath::activation::Activation;
use isobath::net::{Arena, Layer, Mode, Pass, Plan, Unwatched};
use isobath::threads::Serial;
use isobath_kernels::Level;
use isobath_tests::case::{Case, INIT, Record, normals, perturb};
use isobath_tests::hash::assert_same_bits;
use isobath_tests::network::{self, Rows};
use isobath_tests::{levels, zoo};

/// Largest error of a value or gradient, relative to the largest of its layer's. Half a unit in the last place is
/// 6e-8; up to ten layers of sums over at most nine terms, and the conditioning of the normalisations, make up to ten
/// of it. Central differences in f64 add 1e-9.
const BOUND: f64 = 1e-6;

/// The same for recurrent layers, of which each step is as deep as a layer: up to nine steps, one over the other.
const BOUND_IN_TIME: f64 = 4e-6;

#[track_caller]
fn assert_close(expected: &[f64], found: &[f64], what: &str) {
    assert_within(BOUND, expected, found, what);
}

#[track_caller]
fn assert_within(bound: f64, expected: &[f64], found: &[f64], what: &str) {
    assert_eq!(expected.len(), found.len(), "{what}: lengths differ");
    let largest = expected.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    for (i, (e, f)) in expected.iter().zip(found).enumerate() {
        // Not (a <= b), so that NaN fails.
        let close = (e - f).abs() <= bound * largest;
        assert!(close, "{what}: element {i} is {f:e}, expected {e:e}, the largest is {largest:e}");
    }
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// Runs a training pass forward and backward.
fn pass(
    level: Level,
    plan: Plan<'_>,
    arena: &mut Arena<'_>,
    input: &[f32],
    cotangent: &[f32],
    input_gradient: bool,
) -> Record {
    let mut record = Record::default();
    let pass = Pass { plan, level, threads: &Serial, rows: plan.batch() };
    arena.input_mut(&plan, plan.batch()).copy_from_slice(input);
    pass.forward(arena, Mode::Training, &mut record).expect("forward");
    pass.backward(arena, cotangent, input_gradient, &mut record).expect("backward");
    record
}

fn check(case: &Case, bound: f64, level: Level) {
    let assert_close =
        |expected: &[f64], found: &[f64], what: &str| assert_within(bound, expected, found, what);
    let what = |part: &str| format!("{}, {}: {part}", case.name, level.name());
    case.run(|plan, arena| {
        perturb(arena);
        let input = normals(1, plan.batch() * plan.input());
        let cotangent = normals(2, plan.batch() * plan.output());
        let record = pass(level, plan, arena, &input, &cotangent, true);

        let parameters = widen(arena.parameters);
        let (steps, channels) = (case.signal.height, case.signal.channels);
        let run = |parameters: &[f64], input: &Rows| {
            network::forward_in_time(&case.layers, parameters, input, steps)
        };
        let trace = run(&parameters, &Rows::new(channels, &input));
        for (layer, seen) in record.inputs.iter().enumerate() {
            assert_eq!(seen.layer, layer, "every layer's input is shown once, in order");
            assert_close(&trace[layer].values, &widen(&seen.values), &what(&format!("input of {layer}")));
        }
        let output = &trace[case.layers.len()].values;
        assert_close(output, &widen(arena.output(&plan, plan.batch())), &what("output"));

        let loss = |parameters: &[f64], input: &Rows| -> f64 {
            let trace = run(parameters, input);
            let output = &trace[case.layers.len()].values;
            output.iter().zip(&cotangent).map(|(y, c)| y * f64::from(*c)).sum()
        };
        let input = Rows::new(channels, &input);
        let expected = network::differentiate(&parameters, |parameters| loss(parameters, &input));
        for (index, place) in plan.places().iter().enumerate() {
            let range = place.parameters..place.parameters + place.parameter_count;
            let found = widen(&arena.gradients[range.clone()]);
            assert_close(&expected[range], &found, &what(&format!("parameters of {index}")));
        }
        let expected = network::differentiate(&input.values, |values| {
            loss(&parameters, &Rows { width: channels, values: values.to_vec() })
        });
        let shown: Vec<usize> = record.deltas.iter().map(|seen| seen.layer).collect();
        assert!(
            shown.iter().copied().eq((0..=case.layers.len()).rev()),
            "every delta is shown, from the top"
        );
        assert_close(&expected, &record.deltas[case.layers.len()].exact(), &what("input gradient"));
    });
}

#[test]
fn values_and_gradients_of_every_kind_of_layer() {
    for level in levels::all() {
        for case in zoo::cases() {
            check(&case, BOUND, level);
        }
        for case in zoo::recurrent_cases() {
            check(&case, BOUND_IN_TIME, level);
        }
    }
}

/// A branch whose learned scale is exactly 0: the block is the identity, the branch gets no gradient, its scale does.
#[test]
fn a_learned_branch_that_starts_at_0() {
    let dense = Layer::dense(6, INIT);
    let tanh = Layer::Activation(Activation::Tanh);
    let layers = vec![Layer::SkipStart, dense, tanh, dense, Layer::LearnedSkipEnd { start: 0.0 }, tanh];
    let case = Case::new("skip-init", 6, 9, layers);
    for level in levels::all() {
        case.run(|plan, arena| {
            let (input, cotangent) = (normals(1, 54), normals(4, 54));
            pass(level, plan, arena, &input, &cotangent, true);
            let tanh: Vec<f64> = input.iter().map(|x| f64::from(*x).tanh()).collect();
            assert_close(&tanh, &widen(arena.output(&plan, 9)), "output");
            let loss = |parameters: &[f64]| -> f64 {
                let trace = network::forward(&case.layers, parameters, &Rows::new(6, &input));
                trace[6].values.iter().zip(&cotangent).map(|(y, c)| y * f64::from(*c)).sum()
            };
            let expected = network::differentiate(&widen(arena.parameters), loss);
            let (branch, scale) = arena.gradients.split_at(84);
            assert!(branch.iter().all(|gradient| *gradient == 0.0));
            // A sum of 54 terms of order 1, which nearly cancel.
            assert!(
                (expected[84] - f64::from(scale[0])).abs() < 1e-6,
                "{scale:?}, expected {}",
                expected[84]
            );
            assert!(scale.len() == 1 && scale[0].abs() > 0.1, "{scale:?}");
        });
    }
}

#[test]
#[should_panic(expected = "wrong: element 1 is")]
fn the_bound_tells_a_wrong_gradient() {
    assert_close(&[-1.0, 0.5], &[-1.0, 0.5 + 2e-6], "wrong");
}

#[test]
fn leaving_out_the_input_gradient_changes_no_other() {
    for case in zoo::cases().into_iter().chain(zoo::recurrent_cases()) {
        case.run(|plan, arena| {
            let input = normals(1, plan.batch() * plan.input());
            let cotangent = normals(2, plan.batch() * plan.output());
            let all = pass(Level::detect(), plan, arena, &input, &cotangent, true);
            let expected = arena.gradients.to_vec();
            arena.gradients.fill(f32::NAN);
            let some = pass(Level::detect(), plan, arena, &input, &cotangent, false);
            assert_same_bits(&expected, arena.gradients, &case.name);
            let kept = case.layers.len().max(1);
            assert_eq!(all.deltas[..kept], some.deltas, "{}", case.name);
        });
    }
}

/// Running statistics follow the batches with their momentum, and inference uses them.
#[test]
fn batch_norm_in_inference() {
    let (rows, epsilon, momentum) = (5, 1e-3_f32, 0.25_f32);
    let case = Case::new("batch norm", 1, rows, vec![Layer::BatchNorm { epsilon, momentum }]);
    case.run(|plan, arena| {
        perturb(arena);
        let (mut mean, mut variance) = (0.0, 1.0);
        let mut pass = Pass { plan, level: Level::detect(), threads: &Serial, rows };
        for seed in 0..3 {
            let batch = normals(seed, rows);
            arena.input_mut(&plan, rows).copy_from_slice(&batch);
            pass.forward(arena, Mode::Training, &mut Unwatched).expect("forward");
            let batch = widen(&batch);
            let n = rows as f64;
            let batch_mean = batch.iter().sum::<f64>() / n;
            let unbiased = batch.iter().map(|x| (x - batch_mean).powi(2)).sum::<f64>() / (n - 1.0);
            let keep = 1.0 - f64::from(momentum);
            mean = keep * mean + f64::from(momentum) * batch_mean;
            variance = keep * variance + f64::from(momentum) * unbiased;
        }
        let (gain, shift) = (f64::from(arena.parameters[0]), f64::from(arena.parameters[1]));
        // A single row has statistics here.
        for rows in [rows, 1] {
            let input = normals(9, rows);
            arena.input_mut(&plan, rows).copy_from_slice(&input);
            pass.rows = rows;
            pass.forward(arena, Mode::Inference, &mut Unwatched).expect("forward");
            let normal = |x: f64| gain * (x - mean) / (variance + f64::from(epsilon)).sqrt() + shift;
            let expected: Vec<f64> = widen(&input).into_iter().map(normal).collect();
            assert_close(&expected, &widen(arena.output(&plan, rows)), "inference");
        }
    });
}
