//! Convolutions and pooling against their definition in f64 and its finite differences, and, to the last bit, against
//! the dense layer over the patches.

use isobath::activation::Activation;
use isobath::net::{Arena, Layer, Mode, Pass, Plan, Signal, Unwatched, Window};
use isobath::threads::{Serial, Threads, Workers};
use isobath_kernels::Level;
use isobath_tests::case::{Case, INIT, Record, normals, perturb};
use isobath_tests::convolution::{self, Images};
use isobath_tests::hash::assert_same_bits;
use isobath_tests::{levels, network};

const RELU: Layer = Layer::Activation(Activation::Relu);
const TANH: Layer = Layer::Activation(Activation::Tanh);
const START: Layer = Layer::SkipStart;
const END: Layer = Layer::SkipEnd { scale: 0.5 };

/// k x k windows in steps of s, padded by p.
const fn convolution(channels: usize, size: usize, stride: usize, padding: usize) -> Layer {
    Layer::convolution(channels, Window { size, stride, padding }, INIT)
}

/// 3 x 3 windows that keep the size.
const fn same(channels: usize) -> Layer {
    convolution(channels, 3, 1, 1)
}

/// A pass in training mode, forward and backward.
fn pass<T: Threads>(pass: Pass<'_, T>, arena: &mut Arena<'_>, input: &[f32], cotangent: &[f32]) -> Record {
    let mut record = Record::default();
    arena.input_mut(&pass.plan, pass.rows).copy_from_slice(input);
    pass.forward(arena, Mode::Training, &mut record).expect("forward");
    pass.backward(arena, cotangent, true, &mut record).expect("backward");
    record
}

/// Networks of every kind of window, then of every neighbour a convolution or a pool may have.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (size, channels, batch) in [(1, 9, 2), (3, 2, 3), (5, 1, 1)] {
        for stride in [1, 2] {
            for padding in 0..=2 {
                let layer = convolution(3, size, stride, padding);
                let name = format!("{size} x {size} in steps of {stride}, padded by {padding}");
                cases.push(Case::new(name, Signal::image(6, 5, channels), batch, vec![layer]));
            }
        }
    }
    let (phi, pool) = (TANH, Layer::MaxPool { size: 2, stride: 2 });
    let all: [(&str, Vec<Layer>); 14] = [
        ("a window beyond the image", vec![convolution(2, 3, 3, 4)]),
        ("one place", vec![convolution(7, 5, 9, 0)]),
        ("two in a row", vec![same(4), same(3)]),
        ("max pool alone", vec![pool]),
        ("overlapping pools", vec![same(3), phi, Layer::MaxPool { size: 3, stride: 1 }]),
        ("pools with gaps", vec![phi, Layer::MaxPool { size: 2, stride: 3 }, same(2)]),
        ("average alone", vec![Layer::AveragePool]),
        ("average of a sigmoid", vec![same(3), Layer::Activation(Activation::Sigmoid), Layer::AveragePool]),
        ("flat head", vec![same(3), phi, pool, same(4), phi, Layer::Flatten, Layer::dense(3, INIT)]),
        (
            "average head",
            vec![same(4), phi, convolution(5, 3, 2, 1), phi, Layer::AveragePool, Layer::dense(3, INIT)],
        ),
        ("batch norm per channel", vec![same(3), Layer::BATCH_NORM, phi, same(4), Layer::BATCH_NORM, phi]),
        ("layer norm per position", vec![same(3), Layer::LAYER_NORM, phi, Layer::AveragePool]),
        (
            "residual blocks between pools",
            vec![
                same(3),
                START,
                same(3),
                phi,
                same(3),
                END,
                pool,
                START,
                Layer::BATCH_NORM,
                phi,
                same(3),
                END,
            ],
        ),
        (
            "a block with a dense layer at every position",
            vec![START, Layer::dense(5, INIT), Layer::Activation(Activation::Prelu(0.25)), same(2), END, phi],
        ),
    ];
    for (name, layers) in all {
        cases.push(Case::new(name, Signal::image(5, 6, 2), 4, layers));
    }
    cases
}

/// Largest error of a value or gradient, relative to the largest of its layer's: half a unit in the last place is 6e-8,
/// and there are up to ten layers of sums over at most 225 terms, some with the conditioning of a normalisation.
const BOUND: f64 = 1e-6;

#[track_caller]
fn assert_close(expected: &[f64], found: &[f64], what: &str) {
    assert_eq!(expected.len(), found.len(), "{what}: lengths differ");
    let largest = expected.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    for (i, (e, f)) in expected.iter().zip(found).enumerate() {
        // Not (a <= b), so that NaN fails.
        let close = (e - f).abs() <= BOUND * largest;
        assert!(close, "{what}: element {i} is {f:e}, expected {e:e}, the largest is {largest:e}");
    }
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

#[test]
#[should_panic(expected = "wrong: element 1 is")]
fn the_bound_tells_a_wrong_gradient() {
    assert_close(&[-1.0, 0.5], &[-1.0, 0.5 + 2e-6], "wrong");
}

#[test]
fn values_and_gradients_of_every_kind() {
    for case in cases() {
        for level in levels::all() {
            check(&case, level);
        }
    }
}

fn check(case: &Case, level: Level) {
    let what = |part: &str| format!("{}, {}: {part}", case.name, level.name());
    case.run(|plan, arena| {
        perturb(arena);
        let input = normals(1, plan.batch() * plan.input());
        let cotangent = normals(2, plan.batch() * plan.output());
        let all = Pass { plan, level, threads: &Serial, rows: plan.batch() };
        let record = pass(all, arena, &input, &cotangent);

        let parameters = widen(arena.parameters);
        let trace = convolution::forward(&case.layers, &parameters, &Images::new(case.signal, &input));
        for (layer, seen) in record.inputs.iter().enumerate() {
            assert_eq!(seen.layer, layer, "every layer's input is shown once, in order");
            assert_eq!(plan.places()[layer].from, trace[layer].signal, "{}", what("signal"));
            assert_close(&trace[layer].values, &widen(&seen.values), &what(&format!("input of {layer}")));
        }
        let output = &trace[case.layers.len()];
        assert_eq!(plan.output_signal(), output.signal);
        assert_close(&output.values, &widen(arena.output(&plan, plan.batch())), &what("output"));

        let loss = |parameters: &[f64], input: &Images| -> f64 {
            let trace = convolution::forward(&case.layers, parameters, input);
            let output = &trace[case.layers.len()].values;
            output.iter().zip(&cotangent).map(|(y, c)| y * f64::from(*c)).sum()
        };
        let input = Images::new(case.signal, &input);
        let expected = network::differentiate(&parameters, |parameters| loss(parameters, &input));
        for (index, place) in plan.places().iter().enumerate() {
            let range = place.parameters..place.parameters + place.parameter_count;
            let found = widen(&arena.gradients[range.clone()]);
            assert_close(&expected[range], &found, &what(&format!("parameters of {index}")));
        }
        let expected = network::differentiate(&input.values, |values| {
            loss(&parameters, &Images { signal: case.signal, values: values.to_vec() })
        });
        let last = record.deltas.last().expect("of the input");
        assert_eq!(last.layer, 0);
        assert_close(&expected, &last.exact(), &what("input gradient"));
    });
}

/// What a window sees at each of its places, row by row, with 0 in the padding.
fn patches(images: &[f32], image: Signal, window: Window) -> Vec<f32> {
    let along = |n: usize| (n + 2 * window.padding - window.size) / window.stride + 1;
    let inside = |at: usize, n: usize| at.checked_sub(window.padding).filter(|at| *at < n);
    let mut patches = Vec::new();
    for sample in images.chunks(image.elements()) {
        for place in 0..along(image.height) * along(image.width) {
            let (top, left) = (place / along(image.width), place % along(image.width));
            for seen in 0..window.size * window.size {
                let row = inside(top * window.stride + seen / window.size, image.height);
                let column = inside(left * window.stride + seen % window.size, image.width);
                for channel in 0..image.channels {
                    let at = row.zip(column).map(|(y, x)| (y * image.width + x) * image.channels + channel);
                    patches.push(at.map_or(0.0, |at| sample[at]));
                }
            }
        }
    }
    patches
}

/// A convolution has the bits of a dense layer over its patches, and its dX is that layer's, added up in the order of
/// the windows. More than 256 rows of patches, so that blocks show if they can.
#[test]
fn a_convolution_is_the_dense_layer_over_its_patches() {
    let windows = [(3, 1, 1), (3, 2, 0), (5, 1, 2), (1, 1, 0), (2, 2, 1), (5, 3, 1)];
    for (size, stride, padding) in windows {
        for channels in [1, 4, 9] {
            let window = Window { size, stride, padding };
            let image = Signal::image(11, 13, channels);
            let what = format!("{window:?} on {image}");
            let case = Case::new(what.clone(), image, 5, vec![convolution(6, size, stride, padding)]);
            for rows in [5, 4] {
                let input = normals(3, rows * image.elements());
                case.run(|plan, arena| {
                    perturb(arena);
                    let cotangent = normals(4, rows * plan.output());
                    let some = Pass { plan, level: Level::detect(), threads: &Serial, rows };
                    let record = pass(some, arena, &input, &cotangent);

                    let x = patches(&input, image, window);
                    let columns = size * size * channels;
                    let dense = Case::new("dense", columns, x.len() / columns, vec![Layer::dense(6, INIT)]);
                    dense.run(|plan, over| {
                        over.parameters.copy_from_slice(arena.parameters);
                        let all = Pass { plan, level: Level::detect(), threads: &Serial, rows: plan.batch() };
                        let expected = pass(all, over, &x, &cotangent);
                        let output = over.output(&plan, plan.batch());
                        assert_same_bits(output, arena.output(&some.plan, rows), &what);
                        assert_same_bits(over.gradients, arena.gradients, &what);
                        // The place of every element of a patch, by its number instead of its value.
                        let numbers: Vec<f32> = (1..=input.len()).map(|number| number as f32).collect();
                        let mut dx = vec![0.0; input.len()];
                        let owners = patches(&numbers, image, window);
                        for (owner, part) in owners.iter().zip(&expected.deltas[1].values) {
                            if *owner != 0.0 {
                                dx[*owner as usize - 1] += part;
                            }
                        }
                        assert_same_bits(&dx, &record.deltas[1].values, &what);
                    });
                });
            }
        }
    }
}

/// A network with everything, and images large enough that products are shared among threads.
fn network() -> Case {
    let layers = vec![
        same(16),
        Layer::BATCH_NORM,
        RELU,
        START,
        same(16),
        RELU,
        same(16),
        END,
        Layer::MaxPool { size: 2, stride: 2 },
        convolution(24, 3, 2, 1),
        TANH,
        Layer::AveragePool,
        Layer::dense(10, INIT),
    ];
    Case::new("everything", Signal::image(20, 18, 3), 12, layers)
}

/// What a pass over so many samples leaves.
fn bits<T: Threads>(case: &Case, rows: usize, level: Level, threads: &T) -> Vec<f32> {
    case.run(|plan, arena| {
        let (input, cotangent) = (normals(5, rows * plan.input()), normals(6, rows * plan.output()));
        let record = pass(Pass { plan, level, threads, rows }, arena, &input, &cotangent);
        let deltas = record.deltas.iter().flat_map(|delta| delta.values.iter().copied());
        let output = arena.output(&plan, rows).to_vec();
        deltas.chain(output).chain(arena.gradients.iter().copied()).collect()
    })
}

#[test]
fn levels_and_threads_show_in_no_bit() {
    let case = network();
    for rows in [12, 7] {
        let expected = bits(&case, rows, Level::SCALAR, &Serial);
        assert!(expected.iter().all(|value| value.is_finite()));
        for level in levels::all() {
            assert_same_bits(&expected, &bits(&case, rows, level, &Serial), level.name());
        }
        for threads in [2, 3] {
            let workers = Workers::new(threads).expect("threads");
            let found = bits(&case, rows, Level::detect(), &workers.team());
            assert_same_bits(&expected, &found, &format!("{threads} threads"));
        }
    }
}

/// A sample's output does not depend on the others in inference.
#[test]
fn samples_do_not_know_each_other() {
    network().run(|plan, arena| {
        let input = normals(7, plan.batch() * plan.input());
        let mut outputs = |samples: &[f32]| {
            let rows = samples.len() / plan.input();
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows };
            arena.input_mut(&plan, rows).copy_from_slice(samples);
            pass.forward(arena, Mode::Inference, &mut Unwatched).expect("forward");
            arena.output(&plan, rows).to_vec()
        };
        let all = outputs(&input);
        let one: Vec<f32> = input.chunks(plan.input()).flat_map(&mut outputs).collect();
        assert_same_bits(&all, &one, "one by one");
    });
}

/// Of equal values the first is taken and gets the gradient; a NaN is not passed over, nor does it touch other
/// channels.
#[test]
fn ties_and_nan_in_max_pools() {
    let nan = f32::NAN;
    let case = Case::new("max", Signal::image(2, 2, 2), 3, vec![Layer::MaxPool { size: 2, stride: 2 }]);
    let input = [
        [1.0, -1.0, 3.0, -2.0, 3.0, -1.0, 3.0, -5.0],
        [2.0, 4.0, nan, 4.0, 9.0, 4.0, nan, f32::INFINITY],
        [-0.0, f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY, -0.0, -f32::MAX, 0.0, nan],
    ];
    case.run(|plan, arena| {
        let all = Pass { plan, level: Level::detect(), threads: &Serial, rows: 3 };
        let cotangent = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0];
        let record = pass(all, arena, input.as_flattened(), &cotangent);
        let output = [3.0, -1.0, nan, f32::INFINITY, -0.0, nan];
        assert_same_bits(&output, arena.output(&plan, 3), "the largest");
        let gradient = [
            [0.0, 20.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 30.0, 0.0, 0.0, 0.0, 0.0, 40.0],
            [50.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 60.0],
        ];
        assert_same_bits(gradient.as_flattened(), &record.deltas[1].values, "their gradient");
    });
}

/// Weights smaller or larger by a power of two scale signals and gradients by powers of two, far beyond f32 as well.
#[test]
fn signals_and_gradients_beyond_f32() {
    // Every layer is homogeneous.
    let pool = Layer::MaxPool { size: 2, stride: 1 };
    let layers = vec![same(4), RELU, pool, same(4), RELU, same(4), Layer::AveragePool, Layer::dense(3, INIT)];
    let weighted = |layer: &Layer| matches!(layer, Layer::Convolution(_) | Layer::Dense(_));
    let case = Case::new("homogeneous", Signal::image(5, 4, 2), 3, layers.clone());
    let run = |power: i32| {
        case.run(|plan, arena| {
            for place in plan.places().iter().filter(|place| place.parameter_count > 0) {
                let own = &mut arena.parameters[place.parameters..][..place.parameter_count];
                let (weights, biases) = own.split_at_mut(place.weight_count);
                weights.iter_mut().for_each(|w| *w *= libm::ldexpf(1.0, power));
                biases.fill(0.0);
            }
            let (input, cotangent) =
                (normals(8, plan.batch() * plan.input()), normals(9, plan.batch() * plan.output()));
            let all = Pass { plan, level: Level::detect(), threads: &Serial, rows: plan.batch() };
            pass(all, arena, &input, &cotangent)
        })
    };
    let plain = run(0);
    for power in [-50, -20, 20, 50] {
        let scaled = run(power);
        // Weights beneath layer l scale its input, those from l on its delta.
        let beneath = |l: usize| layers[..l].iter().filter(|layer| weighted(layer)).count() as i32;
        let above = |l: usize| layers[l..].iter().filter(|layer| weighted(layer)).count() as i32;
        let expect = |values: Vec<f64>, factors: i32| -> Vec<f64> {
            values.into_iter().map(|v| libm::ldexp(v, power * factors)).collect()
        };
        for (plain, scaled) in plain.inputs.iter().zip(&scaled.inputs) {
            assert_eq!(expect(plain.exact(), beneath(plain.layer)), scaled.exact(), "input, {power}");
        }
        for (plain, scaled) in plain.deltas.iter().zip(&scaled.deltas) {
            assert_eq!(expect(plain.exact(), above(plain.layer)), scaled.exact(), "delta, {power}");
        }
        for (plain, scaled) in plain.weight_gradients.iter().zip(&scaled.weight_gradients) {
            let factors = beneath(plain.layer) + above(plain.layer) - 1;
            assert_eq!(expect(plain.exact(), factors), scaled.exact(), "weight gradient, {power}");
        }
    }
    assert!(run(-50).deltas.last().expect("of the input").exponent < -126, "f32 does not reach this far");
}

fn describe(plan: Plan<'_>) -> (Signal, u64, usize) {
    (plan.output_signal(), plan.multiply_adds(), plan.parameters())
}

#[test]
fn shapes_and_costs() {
    let layers = vec![convolution(8, 3, 2, 1), Layer::MaxPool { size: 2, stride: 1 }, Layer::AveragePool];
    Case::new("small", Signal::image(12, 9, 5), 2, layers).run(|plan, _| {
        assert_eq!(plan.places()[0].to, Signal::image(6, 5, 8));
        assert_eq!((plan.places()[0].fan_in, plan.places()[0].width), (45, 8));
        assert_eq!(plan.places()[1].to, Signal::image(5, 4, 8));
        assert_eq!(describe(plan), (Signal::vector(8), 30 * 45 * 8, 45 * 8 + 8));
    });
    // The patches of a block of 256 rows are all that a large batch adds to its values and deltas.
    let arena = |batch: usize, layer: Layer| {
        Case::new("large", Signal::image(12, 12, 8), batch, vec![layer])
            .run(|plan, _| plan.arena_len(0, 1).expect("small"))
    };
    let dense = |batch: usize| arena(batch, Layer::dense(8, INIT));
    let most = 256 * 72 + 50_000;
    for batch in [2, 100] {
        let parameters = 2 * (72 - 8) * 8;
        assert!(arena(batch, same(8)) <= dense(batch) + parameters + most, "{batch} samples");
    }
}
