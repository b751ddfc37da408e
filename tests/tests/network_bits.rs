//! The same bits whatever the level, the threads, the rows of the plan and the memory's past.

use std::sync::atomic::AtomicUsize;

use isobath::activation::Activation;
use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
use isobath::net::{
    Arena, Cell, Convolution, Dense, Layer, Mode, NetError, Pass, Place, Plan, Recurrent, Restraint, Signal,
    Unwatched, Window,
};
use isobath::random::Random;
use isobath::threads::{Serial, Threads, Workers};
use isobath_kernels::Level;
use isobath_tests::case::{Case, INIT, Record, normals};
use isobath_tests::contrary::Contrary;
use isobath_tests::hash::{assert_same_bits, hash};
use isobath_tests::{levels, zoo};

/// Twenty steps in each of which the batch is another one.
const STEPS: u64 = 20;

/// How a run steps.
type Rule = (Optimizer, Clipping, Penalty);

const RULES: [Rule; 5] = [
    (
        Optimizer::Momentum { momentum: 0.9, nesterov: false },
        Clipping::GlobalNorm { max_norm: 0.5 },
        Penalty::L2 { lambda: 1e-3 },
    ),
    (Optimizer::Momentum { momentum: 0.9, nesterov: true }, Clipping::None, Penalty::None),
    (Optimizer::Adam { weight_decay: 0.0 }, Clipping::None, Penalty::L1 { lambda: 1e-4 }),
    (Optimizer::Adam { weight_decay: 0.1 }, Clipping::Adaptive { lambda: 0.01 }, Penalty::None),
    (Optimizer::Sgd, Clipping::Value { limit: 0.01 }, Penalty::None),
];

/// One of each kind of layer, the first with more columns than a block of a product along k.
fn network(input: usize, width: usize, batch: usize) -> Case {
    let dense = Layer::dense(width, INIT);
    let phi = Layer::Activation;
    let layers = vec![
        dense,
        Layer::BATCH_NORM,
        phi(Activation::Relu),
        Layer::SkipStart,
        Layer::LAYER_NORM,
        phi(Activation::Gelu),
        dense,
        Layer::SkipEnd { scale: 0.5 },
        phi(Activation::Prelu(0.25)),
        phi(Activation::Sigmoid),
        Layer::SkipStart,
        phi(Activation::Tanh),
        Layer::LearnedSkipEnd { start: 0.0 },
        Layer::Standardised(Dense { units: width, init: INIT, weight_scale: 1.0 }),
        Layer::dense(10, INIT),
    ];
    Case::new("one of each kind", input, batch, layers)
}

/// One step on squared error against fixed targets.
fn step<T: Threads>(pass: Pass<'_, T>, arena: &mut Arena<'_>, update: &mut Update, seed: u64) {
    let gradient = gradient(&pass, arena, seed);
    pass.backward(arena, &gradient, false, &mut Unwatched).expect("backward");
    update.apply(pass.level, pass.threads, &pass.plan, arena, 0.01).expect("update");
}

/// The gradient of that error after a forward pass.
fn gradient<T: Threads>(pass: &Pass<'_, T>, arena: &mut Arena<'_>, seed: u64) -> Vec<f32> {
    let (plan, rows) = (pass.plan, pass.rows);
    arena.input_mut(&plan, rows).copy_from_slice(&normals(seed, rows * plan.input()));
    pass.forward(arena, Mode::Training, &mut Unwatched).expect("forward");
    let targets = normals(100 + seed, rows * plan.output());
    let output = arena.output(&plan, rows).iter();
    output.zip(targets).map(|(y, t)| (y - t) / rows as f32).collect()
}

/// The hash of everything that training leaves.
fn train<T: Threads>(
    plan: Plan<'_>,
    arena: &mut Arena<'_>,
    rule: Rule,
    level: Level,
    threads: &T,
    steps: u64,
) -> u64 {
    let (optimizer, clipping, penalty) = rule;
    let mut update = Update::new(optimizer, clipping, penalty);
    for seed in 0..steps {
        // The last batch is ragged.
        let rows = if seed + 1 == steps { plan.batch() - 1 } else { plan.batch() };
        step(Pass { plan, level, threads, rows }, arena, &mut update, seed);
    }
    assert!(arena.parameters.iter().all(|p| p.is_finite()), "training went wrong");
    hash(&[&*arena.parameters, &*arena.gradients, &*arena.moments, &*arena.statistics].concat())
}

fn run<T: Threads>(case: &Case, rule: Rule, level: Level, threads: &T, steps: u64) -> u64 {
    case.run_in(rule.0.moments(), f32::NAN, |plan, arena| train(plan, arena, rule, level, threads, steps))
}

#[test]
fn training_ends_the_same_on_every_level() {
    let case = network(300, 37, 33);
    for rule in RULES {
        let expected = run(&case, rule, Level::SCALAR, &Serial, STEPS);
        for level in levels::all() {
            assert_eq!(expected, run(&case, rule, level, &Serial, STEPS), "{}, {rule:?}", level.name());
        }
    }
}

/// A network with a layer of each kind that has parameters of its own, so that each is updated where it lies.
fn images_and_sequences() -> [Case; 2] {
    let window = Window { size: 3, stride: 1, padding: 1 };
    let convolution = Layer::Convolution(Convolution { channels: 5, window, init: INIT, weight_scale: 1.0 });
    let phi = Layer::Activation(Activation::Tanh);
    let images = vec![convolution, Layer::BATCH_NORM, phi, Layer::Flatten, Layer::dense(4, INIT)];
    let recurrent = Recurrent::new(Cell::Lstm, 6, INIT);
    let sequences = vec![Layer::Recurrent(recurrent), Layer::dense(4, INIT)];
    [
        Case::new("images", Signal::image(6, 5, 2), 8, images),
        Case::new("sequences", Signal::sequence(5, 3), 8, sequences),
    ]
}

/// A step that updates layer by layer gives the bits of one that does so at the end, whether gradients are kept or not.
#[test]
fn layers_may_be_updated_as_soon_as_they_have_their_gradients() {
    let held = Restraint { decay: 0.1, max_norm: Some(1.0) };
    let [images, sequences] = images_and_sequences();
    for case in [network(30, 17, 9), images, sequences] {
        for (optimizer, clipping, penalty) in RULES {
            for restraint in [Restraint::default(), held] {
                let new = || Update::new(optimizer, clipping, penalty).with_restraint(restraint);
                let what = format!("{}, {optimizer:?}, {clipping:?}, {restraint:?}", case.name);
                let train = |level: Level, in_one: bool, consumes: bool| {
                    let mut places = vec![Place::default(); case.layers.len()];
                    let plan = Plan::new(case.signal, case.batch, &case.layers, &mut places).unwrap();
                    let plan = if consumes { plan.consuming_gradients() } else { plan };
                    let mut memory = vec![f32::NAN; plan.arena_len(optimizer.moments(), 1).unwrap()];
                    let mut arena = Arena::new(&plan, optimizer.moments(), 1, &mut memory).unwrap();
                    arena.initialise(&plan, &mut Random::new(7));
                    let pass = Pass { plan, level, threads: &Serial, rows: case.batch };
                    let mut update = new();
                    let mut reports = vec![];
                    for seed in 0..3 {
                        let gradient = gradient(&pass, &mut arena, seed);
                        let report = if in_one {
                            pass.descend(&mut arena, &gradient, &mut update, 0.01, &mut Unwatched)
                        } else {
                            pass.backward(&mut arena, &gradient, false, &mut Unwatched)
                                .and_then(|()| update.apply(level, &Serial, &plan, &mut arena, 0.01))
                        };
                        reports.push(report);
                    }
                    let left = [&*arena.parameters, &*arena.moments, &*arena.statistics].concat();
                    (reports, left, arena.gradients.to_vec())
                };
                let expected = train(Level::SCALAR, false, false);
                for level in levels::all() {
                    if !new().is_by_layer() {
                        assert_eq!(train(level, true, false).0[0], Err(NetError::Consumed), "{what}");
                        continue;
                    }
                    let what = format!("{what}, {}", level.name());
                    let kept = train(level, true, false);
                    assert_eq!(kept.0, expected.0, "{what}");
                    assert_same_bits(&kept.1, &expected.1, &what);
                    assert_same_bits(&kept.2, &expected.2, &what);
                    let consumed = train(level, true, true);
                    assert_eq!(consumed.0, expected.0, "{what}");
                    assert_same_bits(&consumed.1, &expected.1, &what);
                    assert!(consumed.2.len() < expected.2.len(), "{what}");
                    assert_eq!(train(level, false, true).0[0], Err(NetError::Consumed), "{what}");
                }
            }
        }
    }
}

#[test]
fn training_ends_the_same_on_any_number_of_threads() {
    let case = network(300, 300, 96);
    let level = Level::detect();
    for rule in [RULES[0], RULES[3]] {
        let expected = run(&case, rule, level, &Serial, STEPS);
        for threads in 1..=3 {
            let workers = Workers::new(threads).expect("threads");
            let found = run(&case, rule, level, &workers.team(), STEPS);
            assert_eq!(expected, found, "{threads} threads, {rule:?}");
        }
        for pieces in [2, 3, 7] {
            let joins = AtomicUsize::new(0);
            let contrary = Contrary::new(pieces, &joins);
            assert_eq!(expected, run(&case, rule, level, &contrary, STEPS), "{pieces} pieces, {rule:?}");
            // Eight large products a step (the first layer's input gradient is not wanted), in `pieces` pieces each,
            // and the passes over the elements.
            let of_products = STEPS * 8 * (pieces as u64 - 1);
            assert!(joins.into_inner() as u64 > of_products, "products were not shared");
        }
    }
}

#[test]
fn threads_and_levels_together_change_nothing() {
    let case = network(300, 300, 96);
    let expected = run(&case, RULES[0], Level::SCALAR, &Serial, 1);
    let workers = Workers::new(3).expect("threads");
    for level in levels::all() {
        let found = run(&case, RULES[0], level, &workers.team(), 1);
        assert_eq!(expected, found, "{}", level.name());
    }
}

#[test]
fn one_flipped_bit_changes_the_hash() {
    let case = network(20, 8, 9);
    let rule = RULES[0];
    let level = Level::detect();
    let train_flipped = |flip: u32| {
        case.run_in(rule.0.moments(), f32::NAN, |plan, arena| {
            let weight = &mut arena.parameters[0];
            *weight = f32::from_bits(weight.to_bits() ^ flip);
            train(plan, arena, rule, level, &Serial, STEPS)
        })
    };
    assert_eq!(train_flipped(0), train_flipped(0));
    assert_ne!(train_flipped(0), train_flipped(1));
}

#[test]
fn nothing_is_read_before_it_is_written() {
    let case = network(20, 8, 9);
    for rule in RULES {
        let hashes = [f32::NAN, 0.0, f32::INFINITY, -1.5].map(|garbage| {
            case.run_in(rule.0.moments(), garbage, |plan, arena| {
                train(plan, arena, rule, Level::detect(), &Serial, STEPS)
            })
        });
        assert_eq!(hashes, [hashes[0]; 4], "{rule:?}");
    }
}

/// Batches with fewer rows than the plan's give what a plan for so many rows gives, whatever the full batch left.
#[test]
fn ragged_batches() {
    let cases = zoo::cases().into_iter().filter(|case| !case.has_batch_norm());
    for case in cases.chain(zoo::recurrent_cases()) {
        let level = Level::detect();
        let both = |plan: Plan<'_>, arena: &mut Arena<'_>, rows: usize| {
            let mut record = Record::default();
            let pass = Pass { plan, level, threads: &Serial, rows };
            arena.input_mut(&plan, rows).copy_from_slice(&normals(1, rows * plan.input()));
            pass.forward(arena, Mode::Training, &mut record).expect("forward");
            let cotangent = normals(2, rows * plan.output());
            pass.backward(arena, &cotangent, true, &mut record).expect("backward");
            (arena.output(&plan, rows).to_vec(), arena.gradients.to_vec(), record)
        };
        for rows in 1..case.batch {
            let (output, gradients, record) = case.run(|plan, arena| {
                both(plan, arena, case.batch);
                both(plan, arena, rows)
            });
            let exact = Case { batch: rows, ..case.clone() };
            let (expected_output, expected_gradients, expected) =
                exact.run(|plan, arena| both(plan, arena, rows));
            assert_same_bits(&expected_output, &output, &case.name);
            assert_same_bits(&expected_gradients, &gradients, &case.name);
            assert_eq!(expected, record, "{}", case.name);
        }
    }
}
