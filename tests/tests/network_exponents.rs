//! Gradients beyond the range of f32: stored values and power of two against a backward pass in unbounded f64.

use isobath::activation::Activation;
use isobath::init::Init;
use isobath::net::{Dense, Layer, Mode, Pass, Unwatched};
use isobath::threads::Serial;
use isobath_kernels::Level;
use isobath_tests::case::{Case, Record, Seen, normals};
use isobath_tests::hash::{assert_same_bits, same_bits};
use isobath_tests::network::{self, Rows};
use isobath_tests::{levels, zoo};

const WIDTH: usize = 32;
const ROWS: usize = 4;

/// What a forward and a backward pass show, and the gradients' true values.
struct Run {
    record: Record,
    gradients: Vec<f32>,
    parameters: Vec<f32>,
}

fn run(case: &Case, level: Level, input: &[f32], cotangent: &[f32]) -> Run {
    case.run(|plan, arena| {
        let mut record = Record::default();
        let pass = Pass { plan, level, threads: &Serial, rows: plan.batch() };
        arena.input_mut(&plan, plan.batch()).copy_from_slice(input);
        pass.forward(arena, Mode::Training, &mut record).expect("forward");
        pass.backward(arena, cotangent, true, &mut record).expect("backward");
        Run { record, gradients: arena.gradients.to_vec(), parameters: arena.parameters.to_vec() }
    })
}

fn chain(depth: usize, init: Init, function: Activation) -> Case {
    let layer = [Layer::dense(WIDTH, init), Layer::Activation(function)];
    Case::new(format!("{depth} x {function}"), WIDTH, ROWS, layer.repeat(depth))
}

/// Compares the norms of all deltas and weight gradients with f64; returns log10 of the lowest and the highest delta.
fn check(case: &Case, level: Level, input: &[f32]) -> (f64, f64) {
    let cotangent = normals(2, case.batch * WIDTH);
    let Run { record, parameters, .. } = run(case, level, input, &cotangent);
    let parameters: Vec<f64> = parameters.iter().copied().map(f64::from).collect();
    let trace = network::forward(&case.layers, &parameters, &Rows::new(case.input, input));
    let expected = network::backward(&case.layers, &parameters, &trace, &cotangent);
    assert_eq!(record.deltas.len(), expected.len());
    let close = |expected: f64, found: f64, what: &str, layer: usize| {
        let close = (expected - found).abs() <= 1e-3;
        assert!(close, "{}: log10 of the {what} of layer {layer} is {found}, not {expected}", case.name);
    };
    for seen in &record.deltas {
        close(expected[seen.layer].log10_norm(), seen.log10_norm(), "delta", seen.layer);
    }
    for seen in &record.weight_gradients {
        let expected = network::weight_gradient(&trace[seen.layer], &expected[seen.layer + 1]);
        close(expected.log10_norm(), seen.log10_norm(), "weight gradient", seen.layer);
    }
    (record.deltas[case.layers.len()].log10_norm(), record.deltas[0].log10_norm())
}

#[test]
fn vanishing_below_f32() {
    for level in levels::all() {
        for (depth, decades) in [(80, -45.0), (300, -180.0)] {
            let case = chain(depth, Init::XAVIER, Activation::Sigmoid);
            let (bottom, top) = check(&case, level, &normals(1, ROWS * WIDTH));
            assert!(bottom < decades && top > 0.0, "{}: from {top} to {bottom}", case.name);
        }
    }
}

#[test]
fn exploding_above_f32() {
    // The values grow as fast as the gradients; they start small enough to stay in range.
    let input: Vec<f32> = normals(1, ROWS * WIDTH).iter().map(|x| x * 1e-25).collect();
    for level in levels::all() {
        let case = chain(200, Init::gaussian(4.0, 0.0), Activation::Identity);
        let (bottom, top) = check(&case, level, &input);
        assert!(bottom > 45.0 && top < 2.0, "from {top} to {bottom}");
    }
}

/// A block whose branch multiplies by about `gain` in each of two dense layers.
fn block(gain: f32, scale: f32) -> [Layer; 4] {
    let dense = Layer::Dense(Dense { units: WIDTH, init: Init::LECUN, weight_scale: gain });
    [Layer::SkipStart, dense, dense, Layer::SkipEnd { scale }]
}

#[test]
fn branch_and_skip_of_different_exponents() {
    // Where the branch amplifies, its values need room above them.
    let cases = [
        (1e-20, 1.0, 1.0),
        (1e15, 1.0, 1e-30),
        (1e13, 1e-20, 1e-30),
        (1e-10, 1e20, 1.0),
        (1.0, 1e-35, 1.0),
        (1e3, -1e-6, 1.0),
    ];
    for (gain, scale, size) in cases {
        let input: Vec<f32> = normals(1, ROWS * WIDTH).iter().map(|x| x * size).collect();
        let mut layers = block(gain, scale).to_vec();
        layers.extend(block(1.0, 0.5));
        layers.extend(block(gain, scale));
        let case = Case::new(format!("gain {gain:e}, scale {scale:e}"), WIDTH, ROWS, layers);
        check(&case, Level::detect(), &input);
    }
}

/// A branch whose gradient first explodes and then dies must not take the skip connection's gradient with it.
#[test]
fn a_dead_branch_has_no_exponent() {
    let mut layers = vec![Layer::SkipStart, Layer::Activation(Activation::Relu)];
    let huge = Layer::Dense(Dense { units: WIDTH, init: Init::LECUN, weight_scale: 1e15 });
    layers.extend([huge; 4]);
    layers.push(Layer::SkipEnd { scale: 1.0 });
    let case = Case::new("dead branch", WIDTH, ROWS, layers);
    let cotangent = normals(2, ROWS * WIDTH);
    for level in levels::all() {
        let run = run(&case, level, &[-1.0; ROWS * WIDTH], &cotangent);
        assert_eq!(run.record.deltas[case.layers.len()].values, cotangent, "{}", level.name());
        assert_eq!(run.record.deltas[case.layers.len()].exponent, 0);
    }
}

/// Scaling the cotangent by a power of two moves exponents and no bit.
#[test]
fn deltas_are_an_f32_with_a_wider_exponent() {
    let mut residual = block(0.5, 1.0).repeat(3);
    residual.extend([Layer::Activation(Activation::Tanh), Layer::dense(WIDTH, Init::HE)]);
    let cases = [
        chain(80, Init::XAVIER, Activation::Sigmoid),
        chain(60, Init::gaussian(4.0, 1.0), Activation::Relu),
        Case::new("residual", WIDTH, ROWS, residual),
    ];
    let cotangent = normals(2, ROWS * WIDTH);
    for case in &cases {
        let input = normals(1, ROWS * WIDTH);
        let reference = run(case, Level::detect(), &input, &cotangent).record;
        for shift in [-90, -41, -30, -1, 1, 30, 41, 60, 90] {
            let moved: Vec<f32> = cotangent.iter().map(|c| libm::ldexpf(*c, shift)).collect();
            let record = run(case, Level::detect(), &input, &moved).record;
            for (expected, found) in
                [(&reference.deltas, &record.deltas), (&reference.weight_gradients, &record.weight_gradients)]
            {
                for (expected, found) in expected.iter().zip(found.iter()) {
                    let back = Seen { exponent: found.exponent - shift, ..found.clone() };
                    assert_eq!(expected.exact(), back.exact(), "{}: layer {}", case.name, found.layer);
                }
            }
        }
    }
}

/// Each layer brings its parameters' gradients to their true value, whatever power of two the delta carries.
#[test]
fn gradients_of_every_layer_scale() {
    for case in zoo::cases() {
        let gradients = |shift: i32| {
            case.run(|plan, arena| {
                let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: plan.batch() };
                let input = normals(1, plan.batch() * plan.input());
                arena.input_mut(&plan, plan.batch()).copy_from_slice(&input);
                pass.forward(arena, Mode::Training, &mut Unwatched).expect("forward");
                let cotangent: Vec<f32> = normals(2, plan.batch() * plan.output())
                    .iter()
                    .map(|c| libm::ldexpf(*c, shift))
                    .collect();
                pass.backward(arena, &cotangent, false, &mut Unwatched).expect("backward");
                arena.gradients.iter().map(|g| libm::ldexpf(*g, -shift)).collect::<Vec<f32>>()
            })
        };
        let expected = gradients(0);
        for shift in [-70, -50, 50, 70] {
            assert_same_bits(&expected, &gradients(shift), &format!("{}, 2^{shift}", case.name));
        }
    }
}

/// Every delta that is shown is in the band where products neither overflow nor lose bits, and exponents do occur.
#[test]
fn deltas_stay_in_their_band() {
    for case in
        [chain(80, Init::XAVIER, Activation::Sigmoid), chain(60, Init::gaussian(16.0, 0.0), Activation::Relu)]
    {
        let record = run(&case, Level::detect(), &normals(1, ROWS * WIDTH), &normals(2, ROWS * WIDTH)).record;
        for seen in &record.deltas {
            let largest = seen.values.iter().fold(0.0, |m: f32, v| m.max(v.abs()));
            let band = libm::ldexpf(1.0, -41)..libm::ldexpf(1.0, 40);
            assert!(band.contains(&largest), "{}: layer {} has {largest:e}", case.name, seen.layer);
        }
        assert!(record.deltas.iter().any(|seen| seen.exponent != 0), "{}", case.name);
    }
}

/// The arena's gradients are the shown ones times their power of two, rounded once; beyond f32 they are 0 or infinite.
#[test]
fn gradients_are_true_values() {
    let vanishing = chain(80, Init::XAVIER, Activation::Sigmoid);
    // Ten times larger in each layer: the values start small, the gradients large, and only these leave f32.
    let exploding = chain(40, Init::gaussian(100.0, 0.0), Activation::Identity);
    // If 2^-102 were reached by 2^-100 and then 2^-2, the first step would round already: 2^-42 to 2^-142 to 2^-144.
    let tiny = Case::new("tiny", WIDTH, ROWS, vec![Layer::dense(WIDTH, Init::XAVIER)]);
    let runs = [
        (vanishing, 1.0, 1.0, 0.0),
        (tiny, libm::ldexpf(1.0, -40), libm::ldexpf(1.0, -104), 0.0),
        (exploding, 1e-20, 1e25, f32::INFINITY),
    ];
    for (case, input, top, limit) in runs {
        let times = |seed, factor: f32| -> Vec<f32> {
            normals(seed, ROWS * WIDTH).iter().map(|x| x * factor).collect()
        };
        let Run { record, gradients, .. } = run(&case, Level::detect(), &times(1, input), &times(2, top));
        let mut subnormal = 0;
        for seen in &record.weight_gradients {
            let start = seen.layer / 2 * WIDTH * (WIDTH + 1);
            for (exact, found) in seen.exact().iter().zip(&gradients[start..]) {
                let rounded = *exact as f32;
                assert!(same_bits(rounded, *found), "layer {}: {found:e}, not {exact:e}", seen.layer);
                subnormal += usize::from(rounded.is_subnormal());
            }
        }
        assert!(gradients.iter().any(|g| g.abs() == limit), "{}: nothing left f32", case.name);
        assert!(limit != 0.0 || subnormal > 100, "no gradient near the end of f32");
    }
}
