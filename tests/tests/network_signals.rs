//! Signals beyond the range of f32: bits against a network in f32 with unlimited exponent, and what has no such reference
//! against the same network moved by powers of two.

use isobath::activation::Activation;
use isobath::init::Init;
use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
use isobath::net::{Dense, Layer, Mode, Pass, Unwatched};
use isobath::threads::Serial;
use isobath_kernels::{Level, activation as kernels};
use isobath_tests::case::{Case, Record, Seen, normals};
use isobath_tests::fma::fma;
use isobath_tests::hash::assert_same_bits;
use isobath_tests::levels;
use isobath_tests::soft::Soft;
use isobath_tests::soft_network::{Passes, passes};

const WIDTH: usize = 12;
const ROWS: usize = 5;

/// What a network shows and leaves.
struct Run {
    record: Record,
    output: Vec<f32>,
    parameters: Vec<f32>,
    gradients: Vec<f32>,
}

fn run(case: &Case, level: Level, input: &[f32], cotangent: &[f32]) -> Run {
    case.run(|plan, arena| {
        let mut record = Record::default();
        let pass = Pass { plan, level, threads: &Serial, rows: plan.batch() };
        arena.input_mut(&plan, plan.batch()).copy_from_slice(input);
        pass.forward(arena, Mode::Training, &mut record).expect("forward");
        let output = arena.output(&plan, plan.batch()).to_vec();
        pass.backward(arena, cotangent, true, &mut record).expect("backward");
        Run { record, output, parameters: arena.parameters.to_vec(), gradients: arena.gradients.to_vec() }
    })
}

fn soft(seen: &Seen) -> Vec<Soft> {
    seen.values.iter().map(|value| Soft::new(*value, seen.exponent)).collect()
}

/// The power of two of the largest element.
fn top(values: &[Soft]) -> Option<i64> {
    values.iter().filter_map(|x| x.log2()).max()
}

/// What is 2^-69 times its array's largest element may underflow; of a product, what is as small beside the largest
/// elements of both factors.
const DEPTH: i64 = 69;

/// Fails unless both are the same numbers, apart from those below 2^(top - 69), which need only both be so small.
#[track_caller]
fn assert_equal(expected: &[Soft], found: &[Soft], top: Option<i64>, what: &str) {
    assert_eq!(expected.len(), found.len(), "{what}: lengths differ");
    let is_below =
        |x: &Soft| matches!(x, Soft::Finite { .. }) && x.log2().is_none_or(|power| Some(power + DEPTH) < top);
    for (i, (expected, found)) in expected.iter().zip(found).enumerate() {
        let same = expected == found || is_below(expected) && is_below(found);
        assert!(same, "{what}: element {i} is {found:?}, not {expected:?}");
    }
}

/// Compares everything with the unlimited f32, on every level; returns what that has. The parameters' gradients and the
/// output are true values.
fn check(case: &Case, input: &[f32], cotangent: &[f32]) -> Passes {
    let places = case.run(|plan, _| plan.places().to_vec());
    let parameters = run(case, Level::SCALAR, input, cotangent).parameters;
    let expected = passes(&case.layers, &parameters, case.batch, input, cotangent);
    let rounded = |values: &[Soft]| values.iter().map(|x| Soft::new(x.to_f32(), 0)).collect::<Vec<_>>();
    let exact = |values: &[f32]| values.iter().map(|x| Soft::new(*x, 0)).collect::<Vec<_>>();
    for level in levels::all() {
        let Run { record, output, gradients, .. } = run(case, level, input, cotangent);
        let what = |part: &str, layer: usize| format!("{}, {}: {part} of {layer}", case.name, level.name());
        for (part, expected, found) in
            [("input", &expected.values, &record.inputs), ("delta", &expected.deltas, &record.deltas)]
        {
            for seen in found {
                let expected = &expected[seen.layer];
                assert_equal(expected, &soft(seen), top(expected), &what(part, seen.layer));
            }
        }
        let top_of_product =
            |layer: usize| Some(top(&expected.values[layer])? + top(&expected.deltas[layer + 1])?);
        for seen in &record.weight_gradients {
            let weights = &expected.gradients[seen.layer][..seen.values.len()];
            let what = what("weight gradient", seen.layer);
            assert_equal(weights, &soft(seen), top_of_product(seen.layer), &what);
        }
        for (layer, (expected, place)) in expected.gradients.iter().zip(&places).enumerate() {
            let (weights, biases) = expected.split_at(place.weight_count);
            let found = exact(&gradients[place.parameters..place.parameters + place.parameter_count]);
            let (found_weights, found_biases) = found.split_at(place.weight_count);
            assert_equal(
                &rounded(weights),
                found_weights,
                top_of_product(layer),
                &what("weights' gradient", layer),
            );
            assert_equal(&rounded(biases), found_biases, top(biases), &what("other gradients", layer));
        }
        let last = &expected.values[case.layers.len()];
        assert_equal(&rounded(last), &exact(&output), top(last), &what("output", 0));
    }
    expected
}

fn check_normal(case: &Case) -> Passes {
    let width = |layers: &[Layer]| {
        layers.iter().rev().find_map(|layer| match layer {
            Layer::Dense(dense) => Some(dense.units),
            _ => None,
        })
    };
    let output = width(&case.layers).unwrap_or(case.input);
    check(case, &normals(1, case.batch * case.input), &normals(2, case.batch * output))
}

/// log2 of the largest value that enters a layer, of all layers the largest and the smallest.
fn extremes(passes: &Passes) -> (i64, i64) {
    let tops: Vec<i64> = passes.values.iter().filter_map(|x| top(x)).collect();
    (*tops.iter().max().expect("has values"), *tops.iter().min().expect("has values"))
}

fn scaled(scale: f32) -> Layer {
    Layer::Dense(Dense { units: WIDTH, init: Init::HE, weight_scale: scale })
}

fn case(name: impl Into<String>, layers: Vec<Layer>) -> Case {
    Case::new(name, WIDTH, ROWS, layers)
}

/// Layers of equal init with an activation.
fn chain(depth: usize, init: Init, function: Activation) -> Case {
    let layers = [Layer::dense(WIDTH, init), Layer::Activation(function)].repeat(depth);
    case(format!("{depth} x {function}, {init:?}"), layers)
}

const RECTIFIERS: [Activation; 5] = [
    Activation::Identity,
    Activation::Relu,
    Activation::Leaky(0.01),
    Activation::Prelu(0.25),
    Activation::Prelu(-1.5),
];

/// Those that are not homogeneous, without SELU, whose slope is no f32. 1.3 times a number of many digits does not lie
/// half-way between two f32, where 1.5 times every second number does: there the line is rounded to even, and the curve beside it to its own side.
const CURVED: [Activation; 8] = [
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Elu(1.0),
    Activation::Elu(1.3),
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::Silu,
    Activation::Softplus,
];

#[test]
fn rectifier_networks_are_those_of_an_f32_without_end() {
    for function in RECTIFIERS {
        for (init, outside) in [
            (Init::gaussian(40.0, 0.0), 200),
            (Init::gaussian(40.0, 1.0), 200),
            (Init::gaussian(0.05, 0.0), -200),
        ] {
            let (top, bottom) = extremes(&check_normal(&chain(150, init, function)));
            let reached = if outside > 0 { top > outside } else { bottom < outside };
            assert!(reached, "{function}, {init:?}: from 2^{top} to 2^{bottom}");
        }
    }
}

#[test]
fn the_default_init_of_frameworks_is_measured_at_any_depth() {
    let (top, bottom) = extremes(&check_normal(&chain(400, Init::UNIFORM, Activation::Relu)));
    assert!(top < 3 && bottom < -400, "from 2^{top} to 2^{bottom}");
}

/// A layer may leave the band, and all but leave f32, at any size of what enters it.
#[test]
fn layers_at_the_edges_of_the_band_and_of_f32() {
    for function in [Activation::Relu, Activation::Prelu(-1.5), Activation::Tanh, Activation::Gelu] {
        for sign in [-1, 1] {
            for first in [50, 52, 53, 54, 55, 56, 57, 58] {
                for second in [0, 1, 2, 50] {
                    let scaled = |power: i32| scaled(libm::ldexpf(1.0, sign * power));
                    let layers = vec![scaled(first), scaled(second), Layer::Activation(function), scaled(0)];
                    check_normal(&case(format!("{function} after {sign} ({first} + {second})"), layers));
                }
            }
        }
    }
}

const LIFT: usize = 12;

/// Dense layers that multiply by 2^power together, on top of each other.
fn lift(power: i32) -> Vec<Layer> {
    vec![scaled(libm::ldexpf(1.0, power / LIFT as i32)); LIFT]
}

#[test]
fn curved_activations_take_far_signals() {
    for function in CURVED {
        let phi = Layer::Activation(function);
        for power in [-600, -300, -120, -90, -60, 60, 90, 120, 300, 600] {
            let rest = [phi, Layer::dense(WIDTH, Init::gaussian(1.0, 1.0)), phi, scaled(1.0), phi];
            let layers = [lift(power), rest.to_vec()].concat();
            check_normal(&case(format!("{function} at 2^{power}"), layers));
        }
    }
}

/// Rows whose sizes differ: what is 0 beside the largest of its array is not 0 for tanh.
#[test]
fn rows_of_different_size_share_their_power() {
    for function in [Activation::Relu, Activation::Tanh, Activation::Gelu] {
        for power in [0, 60, 120, 240, -60, -120, -240] {
            let rest = [Layer::Activation(function), scaled(1.0), Layer::Activation(function)];
            let layers = [lift(power), rest.to_vec()].concat();
            let case = case(format!("rows of {function} at 2^{power}"), layers);
            let mut input = normals(1, ROWS * WIDTH);
            for (row, size) in input.chunks_mut(WIDTH).zip([-20, 0, 20, -10, 10]) {
                row.iter_mut().for_each(|x| *x = libm::ldexpf(*x, size));
            }
            check(&case, &input, &normals(2, ROWS * WIDTH));
        }
    }
}

#[test]
fn curved_activations_do_not_end_with_f32() {
    for function in [Activation::Tanh, Activation::Gelu, Activation::Silu, Activation::Elu(1.3)] {
        let (_, bottom) = extremes(&check_normal(&chain(150, Init::gaussian(0.05, 0.0), function)));
        assert!(bottom < -200, "{function}: down to 2^{bottom}");
    }
    for function in [Activation::Gelu, Activation::Silu, Activation::Elu(1.0), Activation::Softplus] {
        let (top, _) = extremes(&check_normal(&chain(150, Init::gaussian(40.0, 1.0), function)));
        assert!(top > 200, "{function}: up to 2^{top}");
    }
}

#[test]
fn biases_beside_far_signals() {
    let biased =
        |weight_scale| Layer::Dense(Dense { units: WIDTH, init: Init::gaussian(2.0, 1.0), weight_scale });
    let relu = Layer::Activation(Activation::Relu);
    for power in [-600, -240, -180, -120, -66, 66, 120, 240, 600] {
        // A bias that dwarfs the signal or drowns in it; and one that meets it after weights have brought it back.
        let back = lift(-power);
        for top in [vec![biased(1.0), relu], [back, vec![biased(1.0)]].concat()] {
            check_normal(&case(format!("bias at 2^{power}"), [lift(power), top].concat()));
        }
    }
}

#[test]
fn residual_sums_of_any_sizes() {
    let relu = Layer::Activation(Activation::Relu);
    for (gain, scale) in [
        (1e15, 1.0),
        (1e15, -1e-6),
        (1e15, 1e-9),
        (1e15, 0.0),
        (1e-15, 1.0),
        (1e-15, 1e9),
        (1e-15, 1e15),
        (1.0, 1e-9),
        (1.0, 1e15),
        (3.0, 1.0),
    ] {
        let branch = [scaled(gain), relu, scaled(gain)];
        let end = Layer::SkipEnd { scale };
        let block = [[Layer::SkipStart].as_slice(), &branch, &[end]].concat();
        let nested = [[Layer::SkipStart, scaled(gain)].as_slice(), &block, &[end, relu]].concat();
        for (name, layers) in [("blocks", block.repeat(5)), ("nested blocks", nested.repeat(3))] {
            check_normal(&case(format!("{name} of gain {gain:e}, scale {scale:e}"), layers));
        }
    }
}

/// Zeros have no power of two: what is added to them keeps its own.
#[test]
fn zeros_after_far_signals() {
    let biased = Layer::dense(WIDTH, Init::gaussian(2.0, 1.0));
    let copy = Layer::Activation(Activation::Leaky(1.0));
    let nothing = [Layer::SkipStart, copy, Layer::SkipEnd { scale: -1.0 }];
    let dead = [
        vec![scaled(0.0)],
        nothing.to_vec(),
        // |h|, and what ReLU leaves of -|h|.
        vec![
            Layer::Activation(Activation::Leaky(-1.0)),
            Layer::SkipStart,
            copy,
            Layer::SkipEnd { scale: -2.0 },
            Layer::Activation(Activation::Relu),
        ],
    ];
    for power in [-600, 600] {
        for dead in &dead {
            for top in [
                vec![biased],
                vec![Layer::Activation(Activation::Tanh), biased],
                vec![Layer::SkipStart, biased, Layer::SkipEnd { scale: 1.0 }],
                vec![Layer::SkipStart, scaled(1.0), Layer::SkipEnd { scale: 1.0 }, biased],
            ] {
                let layers = [lift(power), dead.clone(), top].concat();
                let found = check_normal(&case(format!("{dead:?} at 2^{power}"), layers.clone()));
                let zeros = &found.values[LIFT + dead.len()];
                assert!(zeros.iter().all(|x| x.log2().is_none()), "{layers:?}: no zeros");
            }
        }
    }
    check(
        &chain(20, Init::gaussian(40.0, 0.0), Activation::Relu),
        &[0.0; ROWS * WIDTH],
        &normals(2, ROWS * WIDTH),
    );
}

/// A value that is no number, or infinite, spoils its own row.
#[test]
fn broken_rows_leave_the_others_alone() {
    for broken in [f32::NAN, f32::INFINITY, -f32::INFINITY] {
        for (variance, function) in
            [(40.0, Activation::Relu), (0.05, Activation::Leaky(0.01)), (40.0, Activation::Gelu)]
        {
            let case = chain(150, Init::gaussian(variance, 0.0), function);
            let mut input = normals(1, ROWS * WIDTH);
            input[2 * WIDTH + 3] = broken;
            let found = check(&case, &input, &normals(2, ROWS * WIDTH));
            let (row, others) = (2 * WIDTH..3 * WIDTH, &found.values[100]);
            assert!(others[row].contains(&Soft::Nan) && others[0] != Soft::Nan, "{}", case.name);
        }
    }
}

/// Weights that a power of two multiplies give normalisations the same, which send the gradient down without it.
#[test]
fn normalisations_take_the_power_out() {
    const BELOW: usize = 4;
    // An epsilon that no bit depends on.
    let epsilon = 1e-30;
    let (relu, gelu) = (Layer::Activation(Activation::Relu), Layer::Activation(Activation::Gelu));
    for norm in [Layer::BatchNorm { epsilon, momentum: 0.1 }, Layer::LayerNorm { epsilon }] {
        for above in [vec![norm, relu, scaled(1.0)], vec![norm, gelu, scaled(1.0), norm]] {
            let at = |power: i32| {
                let layers = [vec![scaled(libm::ldexpf(1.0, power)); BELOW], above.clone()].concat();
                let case = case(format!("{above:?} after 2^{power} four times"), layers);
                run(&case, Level::detect(), &normals(1, ROWS * WIDTH), &normals(2, ROWS * WIDTH))
            };
            let reference = at(0);
            for power in [13, 15, 20, 50] {
                let found = at(power);
                assert_same_bits(&reference.output, &found.output, "output");
                let (reference, found) = (&reference.record, &found.record);
                for (part, reference, found, sign) in [
                    ("input", &reference.inputs, &found.inputs, 1),
                    ("delta", &reference.deltas, &found.deltas, -1),
                ] {
                    for (expected, found) in reference.iter().zip(found) {
                        let layers = if found.layer <= BELOW { found.layer as i32 } else { 0 };
                        let back = Seen { exponent: found.exponent - sign * layers * power, ..found.clone() };
                        let (expected, back) = (soft(expected), soft(&back));
                        let what = format!("{above:?}, 2^{power}: {part} of {}", found.layer);
                        assert_equal(&expected, &back, top(&expected), &what);
                    }
                }
            }
        }
    }
}

/// Beside epsilon, what is below f32 is 0; running statistics are true values, and so inference is what it was.
#[test]
fn normalisations_know_the_true_size() {
    let at = |power: i32, mode: Mode| {
        let case = case("batch norm", vec![scaled(libm::ldexpf(1.0, power)), scaled(1.0), Layer::BATCH_NORM]);
        case.run(|plan, arena| {
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: ROWS };
            arena.input_mut(&plan, ROWS).copy_from_slice(&normals(1, ROWS * WIDTH));
            pass.forward(arena, Mode::Training, &mut Unwatched).expect("forward");
            pass.forward(arena, mode, &mut Unwatched).expect("forward");
            (arena.output(&plan, ROWS).to_vec(), arena.statistics[3 * WIDTH..4 * WIDTH].to_vec())
        })
    };
    let (_, mean) = at(0, Mode::Inference);
    let (output, huge_mean) = at(60, Mode::Inference);
    let expected: Vec<f32> = mean.iter().map(|mean| libm::ldexpf(*mean, 60)).collect();
    assert_same_bits(&expected, &huge_mean, "running mean");
    // y = (x - m / 10) / sqrt(v / 8), v the running variance after a step of a tenth from 1: y is of order sqrt 10.
    assert!(output.iter().all(|y| (0.0..20.0).contains(&y.abs())), "{output:?}");
    let (output, _) = at(-100, Mode::Training);
    assert!(output.iter().all(|y| y.abs() < 1e-20), "{output:?}");
}

/// Every curved activation of a far signal is what its kernel gives for the same number.
#[test]
fn far_activations_are_the_kernels() {
    const COUNT: usize = 1000;
    fn kernel(phi: impl kernels::Activation, h: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (mut y, mut slopes) = (h.to_vec(), vec![0.0; h.len()]);
        kernels::forward_with_derivative_in_place(Level::detect(), phi, &mut y, &mut slopes)
            .expect("as long");
        (y, slopes)
    }
    let signs = normals(1, COUNT);
    let significands: Vec<f32> = signs.iter().map(|x| 2.0 * libm::frexpf(*x).0).collect();
    // Below 2^-100 the kernels' own second words underflow.
    for power in [-100, -80, -63, -61, -60, -59, -58, 57, 58, 59, 60, 61, 62, 63, 80, 100, 120] {
        let h: Vec<f32> = significands.iter().map(|x| libm::ldexpf(*x, power)).collect();
        for function in CURVED.into_iter().chain([Activation::Selu]) {
            let lift = Layer::Dense(Dense { units: 1, init: Init::HE, weight_scale: 1.0 });
            let layers = vec![lift, lift, lift, Layer::Activation(function)];
            let case = Case::new(format!("{function} at 2^{power}"), 1, COUNT, layers);
            let (output, record) = case.run(|plan, arena| {
                for place in &plan.places()[..3] {
                    arena.parameters[place.parameters] = libm::ldexpf(1.0, power / 3);
                }
                arena.parameters[plan.places()[2].parameters] *= libm::ldexpf(1.0, power % 3);
                let mut record = Record::default();
                arena.input_mut(&plan, COUNT).copy_from_slice(&significands);
                let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: COUNT };
                pass.forward(arena, Mode::Training, &mut record).expect("forward");
                (arena.output(&plan, COUNT).to_vec(), record)
            });
            assert_ne!(record.inputs[3].exponent, 0, "{}", case.name);
            let (y, slopes) = match function {
                Activation::Sigmoid => kernel(kernels::Sigmoid, &h),
                Activation::Tanh => kernel(kernels::Tanh, &h),
                Activation::Elu(alpha) => kernel(kernels::Elu { alpha }, &h),
                Activation::Selu => kernel(kernels::Selu, &h),
                Activation::Gelu => kernel(kernels::Gelu, &h),
                Activation::GeluTanh => kernel(kernels::GeluTanh, &h),
                Activation::Silu => kernel(kernels::Silu, &h),
                _ => kernel(kernels::Softplus, &h),
            };
            // Negative numbers beside huge ones are 0 as far as f32 can tell.
            let near = |value: &f32| if value.abs() < libm::ldexpf(1.0, power - 69) { 0.0 } else { *value };
            let (y, output): (Vec<f32>, Vec<f32>) =
                (y.iter().map(near).collect(), output.iter().map(near).collect());
            assert_same_bits(&y, &output, &case.name);
            assert_same_bits(&slopes, &record.slopes[0].values, &case.name);
        }
    }
}

/// A step moves parameters by the true gradient, though signal and delta have left f32 on the way to it.
#[test]
fn a_step_is_that_of_the_true_gradient() {
    const RATE: f32 = 1e-3;
    let relu = Layer::Activation(Activation::Relu);
    for power in [-300, 300] {
        let layers = [lift(power), vec![relu], lift(-power)].concat();
        let case = case(format!("to 2^{power} and back"), layers);
        let (input, cotangent) = (normals(1, ROWS * WIDTH), normals(2, ROWS * WIDTH));
        let expected = check(&case, &input, &cotangent);
        assert!(extremes(&expected).0 > 250 || extremes(&expected).1 < -250, "{}", case.name);
        case.run(|plan, arena| {
            let before = arena.parameters.to_vec();
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: ROWS };
            arena.input_mut(&plan, ROWS).copy_from_slice(&input);
            pass.forward(arena, Mode::Training, &mut Unwatched).expect("forward");
            pass.backward(arena, &cotangent, false, &mut Unwatched).expect("backward");
            let mut update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
            update.apply(Level::detect(), &Serial, &plan, arena, RATE).expect("step");
            let gradients = expected.gradients.concat();
            let moved = before.iter().zip(&gradients).map(|(w, g)| fma(-RATE, g.to_f32(), *w));
            assert_same_bits(&moved.collect::<Vec<f32>>(), arena.parameters, &case.name);
            // Weights of 2^-25 receive gradients of 2^25, and weights of 2^25 those of 2^-25: half of them move.
            let changed = before.iter().zip(arena.parameters.iter()).filter(|(a, b)| a != b).count();
            assert!(changed > before.len() / 3, "{changed} of {} moved", before.len());
        });
    }
}
