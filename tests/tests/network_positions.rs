//! Samples of several positions: each is a row to every layer that works on rows or columns.

use isobath::activation::Activation;
use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, PlanError, Signal};
use isobath::threads::{Serial, Threads, Workers};
use isobath_kernels::Level;
use isobath_tests::case::{Case, INIT, Record, normals, perturb};
use isobath_tests::hash::assert_same_bits;
use isobath_tests::{levels, zoo};

const DENSE: Layer = Layer::dense(5, INIT);
const TANH: Layer = Layer::Activation(Activation::Tanh);

/// A pass forward and backward over `rows` samples: what was seen, and the output.
fn pass<T: Threads>(
    pass: Pass<'_, T>,
    arena: &mut Arena<'_>,
    input: &[f32],
    cotangent: &[f32],
) -> (Record, Vec<f32>) {
    let mut record = Record::default();
    arena.input_mut(&pass.plan, pass.rows).copy_from_slice(input);
    pass.forward(arena, Mode::Training, &mut record).expect("forward");
    pass.backward(arena, cotangent, true, &mut record).expect("backward");
    (record, arena.output(&pass.plan, pass.rows).to_vec())
}

fn whole_batch(plan: Plan<'_>) -> Pass<'_, Serial> {
    Pass { plan, level: Level::detect(), threads: &Serial, rows: plan.batch() }
}

/// What a case gives over its first `rows` samples: parameters that are not special, gradients, statistics, a record.
fn run<T: Threads>(case: &Case, rows: usize, level: Level, threads: &T) -> (Record, Vec<f32>) {
    case.run(|plan, arena| {
        perturb(arena);
        let input = normals(1, rows * plan.input());
        let cotangent = normals(2, rows * plan.output());
        let (record, mut rest) = pass(Pass { plan, level, threads, rows }, arena, &input, &cotangent);
        rest.extend_from_slice(arena.gradients);
        (record, rest)
    })
}

/// Every network of the zoo sees samples of 2 x 2 positions as four samples each, also in a ragged last batch.
#[test]
fn positions_are_rows() {
    for flat in zoo::cases() {
        let batch = flat.batch;
        let deep = Case::new(flat.name, Signal::image(2, 2, flat.signal.channels), batch, flat.layers);
        for rows in [batch, batch - 2] {
            let flat = Case::new(deep.name.clone(), deep.signal.channels, 4 * batch, deep.layers.clone());
            let (expected, expected_rest) = run(&flat, 4 * rows, Level::detect(), &Serial);
            let (found, rest) = run(&deep, rows, Level::detect(), &Serial);
            assert!(found == expected, "{}: a pass differs", deep.name);
            assert_same_bits(&expected_rest, &rest, &deep.name);
        }
    }
}

/// One layer of each kind, in front of and behind a flattening.
fn flattened() -> Vec<Layer> {
    vec![
        DENSE,
        Layer::BATCH_NORM,
        TANH,
        Layer::SkipStart,
        Layer::LAYER_NORM,
        DENSE,
        Layer::SkipEnd { scale: 0.5 },
    ]
}

/// Flattening moves nothing: the layers in front of it and those behind it are two networks, one fed by the other.
#[test]
fn flattening_is_two_networks_in_a_row() {
    let (steps, batch) = (3, 4);
    let above = vec![Layer::dense(6, INIT), TANH, Layer::dense(2, INIT)];
    let layers = [flattened(), vec![Layer::Flatten], above.clone()].concat();
    let whole = Case::new("whole", Signal::sequence(steps, 4), batch, layers);
    let lower = Case::new("lower", Signal::sequence(steps, 4), batch, flattened());
    let upper = Case::new("upper", steps * 5, batch, above);
    let input = normals(3, batch * whole.input);
    let cotangent = normals(4, batch * 2);
    whole.run(|plan, arena| {
        assert_eq!(plan.output_signal(), Signal::vector(2));
        assert_eq!(plan.multiply_adds(), (steps * (4 * 5 + 5 * 5) + 15 * 6 + 6 * 2) as u64);
        let (record, output) = pass(whole_batch(plan), arena, &input, &cotangent);
        let (below, beyond) = arena.parameters.split_at(plan.places()[flattened().len()].parameters);
        let middle = record.inputs[flattened().len() + 1].values.clone();
        upper.run(|plan, part| {
            part.parameters.copy_from_slice(beyond);
            let (shown, above) = pass(whole_batch(plan), part, &middle, &cotangent);
            assert_same_bits(&above, &output, "the output");
            assert_same_bits(part.gradients, &arena.gradients[below.len()..], "the upper gradients");
            let delta = &shown.deltas.last().expect("of the input").values;
            lower.run(|plan, part| {
                assert_eq!((plan.output(), plan.output_signal()), (15, Signal::sequence(steps, 5)));
                part.parameters.copy_from_slice(below);
                let (_, below) = pass(whole_batch(plan), part, &input, delta);
                assert_same_bits(&below, &middle, "the output of the lower part");
                assert_same_bits(
                    part.gradients,
                    &arena.gradients[..part.gradients.len()],
                    "the lower gradients",
                );
            });
        });
    });
}

#[test]
fn levels_and_threads_show_in_no_bit() {
    let layers = [flattened(), vec![Layer::Flatten, Layer::dense(90, INIT), Layer::dense(3, INIT)]].concat();
    let case = Case::new("positions", Signal::image(20, 30, 60), 16, layers);
    let expected = run(&case, 15, Level::SCALAR, &Serial);
    for level in levels::all() {
        assert!(expected == run(&case, 15, level, &Serial), "{}", level.name());
    }
    let workers = Workers::new(2).expect("threads");
    let shared = run(&case, 15, Level::detect(), &workers.team());
    assert!(expected == shared, "two threads");
}

/// One sample is enough for batch norm where it has two positions.
#[test]
fn batch_norm_of_one_sample() {
    let case = Case::new("one sample", Signal::sequence(2, 3), 1, vec![Layer::BATCH_NORM]);
    let flat = Case::new("two rows", 3, 2, vec![Layer::BATCH_NORM]);
    assert!(run(&case, 1, Level::detect(), &Serial) == run(&flat, 2, Level::detect(), &Serial));
}

fn refused(input: Signal, layers: &[Layer], error: PlanError, message: &str) {
    let mut places = vec![Place::default(); layers.len()];
    let found = Plan::new(input, 1, layers, &mut places).expect_err("this is no network");
    assert_eq!(found, error);
    assert_eq!(found.to_string(), message);
}

#[test]
fn what_is_no_network() {
    let what = "the number of the input's positions";
    for none in [Signal::image(0, 3, 1), Signal::image(3, 0, 1), Signal::sequence(0, 4)] {
        refused(
            none,
            &[DENSE],
            PlanError::Zero(what),
            "the number of the input's positions is 0; it must be at least 1",
        );
    }
    let message = "the network does not fit in this machine's address space";
    let half = usize::MAX / 2;
    for (signal, layers) in [
        (Signal::image(half, 3, 1), &[DENSE][..]),
        (Signal::image(half, 1, 3), &[]),
        (Signal::sequence(half, 1), &[DENSE]),
        (Signal::sequence(half, 1), &[Layer::LAYER_NORM, Layer::LAYER_NORM]),
    ] {
        refused(signal, layers, PlanError::TooLarge, message);
    }
    let (skip, branch) = (Signal::sequence(2, 3), Signal::vector(6));
    refused(
        skip,
        &[Layer::SkipStart, TANH, Layer::Flatten, Layer::SkipEnd { scale: 1.0 }],
        PlanError::SkipPositions { layer: 3, skip, branch },
        "layer 3: the residual branch has 1 x 1 positions of 6 channels \
         but its skip connection 2 x 1 positions of 3 channels",
    );
    refused(
        skip,
        &[Layer::SkipStart, DENSE, Layer::SkipEnd { scale: 1.0 }],
        PlanError::SkipWidth { layer: 2, skip: 3, branch: 5 },
        "layer 2: the residual branch has 5 columns but its skip connection 3",
    );
    let empty = PlanError::Skip { layer: 2 };
    let message = empty.to_string();
    refused(skip, &[Layer::SkipStart, Layer::Flatten, Layer::SkipEnd { scale: 1.0 }], empty, &message);
}
