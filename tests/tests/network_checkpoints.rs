//! Networks that keep checkpoints alone and compute the rest again: the same bits as those that keep all, in less memory.

use std::sync::atomic::AtomicUsize;

use isobath::activation::Activation;
use isobath::init::Init;
use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
use isobath::net::{
    Arena, Cell, Dense, Layer, Mode, NetError, Pass, Place, Plan, PlanError, Shown, Signal, Unwatched, Watch,
    Window,
};
use isobath::random::Random;
use isobath::threads::{Serial, Threads};
use isobath_kernels::{Level, MatRef};
use isobath_tests::case::{Case, INIT, Record, Seen, normals};
use isobath_tests::contrary::Contrary;
use isobath_tests::hash::assert_same_bits;
use isobath_tests::{levels, zoo};

const START: Layer = Layer::SkipStart;
const TANH: Layer = Layer::Activation(Activation::Tanh);

/// Images: convolutions, both pools, flattening, normalisations over positions.
fn images() -> Vec<Case> {
    let convolution =
        |channels, padding| Layer::convolution(channels, Window { size: 3, stride: 1, padding }, INIT);
    let pool = Layer::MaxPool { size: 2, stride: 2 };
    let top = Layer::dense(3, INIT);
    let end = Layer::SkipEnd { scale: 0.5 };
    let all: [(&str, Vec<Layer>); 4] = [
        ("max pools", vec![convolution(4, 1), TANH, pool, convolution(3, 1), pool, Layer::Flatten, top]),
        ("pools first", vec![pool, convolution(4, 1), Layer::AveragePool, top]),
        ("batch norm per channel", vec![convolution(4, 0), Layer::BATCH_NORM, TANH, Layer::AveragePool, top]),
        (
            "a branch",
            vec![convolution(4, 1), START, TANH, convolution(4, 1), Layer::LAYER_NORM, end, pool, TANH],
        ),
    ];
    all.map(|(name, layers)| Case::new(name, Signal::image(6, 5, 2), 3, layers)).into()
}

/// Networks whose signals leave f32, so that every array and every checkpoint has a power of two.
fn beyond_f32() -> Vec<Case> {
    // Without biases, which would dwarf what vanishes.
    let init = Init::gaussian(1.2, 0.0);
    let dense = |weight_scale| Layer::Dense(Dense { units: 6, init, weight_scale });
    let (relu, sigmoid) = (Layer::Activation(Activation::Relu), Layer::Activation(Activation::Sigmoid));
    let (up, down, end) = (dense(1e18), dense(1e-17), Layer::SkipEnd { scale: 1e-3 });
    let prelu = Layer::Activation(Activation::Prelu(0.25));
    let learned = Layer::LearnedSkipEnd { start: 0.5 };
    let gru = Layer::Recurrent(zoo::recurrent(Cell::Gru, 6, Shown::All));
    let all: [(&str, Vec<Layer>); 6] = [
        ("exploding", vec![up, relu, up, prelu, up, TANH, up, up, sigmoid, up, Layer::LAYER_NORM, up]),
        ("vanishing", vec![down, relu, down, prelu, down, TANH, down, down, Layer::LAYER_NORM, down]),
        ("normalised above f32", vec![up, up, up, Layer::BATCH_NORM, relu, up, up, Layer::LAYER_NORM, up]),
        ("normalised below f32", vec![down, down, down, down, Layer::BATCH_NORM, relu, down, down, down]),
        (
            "a branch",
            vec![up, up, START, down, relu, down, end, up, START, Layer::BATCH_NORM, up, learned, up],
        ),
        ("a cell", vec![down, up, up, START, gru, up, end, gru, up]),
    ];
    all.map(|(name, layers)| Case::new(name, Signal::sequence(2, 6), 4, layers)).into()
}

fn cases() -> Vec<Case> {
    let mut cases = zoo::cases();
    cases.extend(zoo::recurrent_cases());
    cases.extend(images());
    cases.extend(beyond_f32());
    cases
}

/// What is shown, and how often values were computed again.
#[derive(Default)]
struct Shows {
    arrays: Record,
    states: Vec<Seen>,
    recomputations: usize,
    is_recomputing: bool,
}

impl Watch for Shows {
    fn input(&mut self, layer: usize, x: MatRef<'_>, exponent: i32) {
        assert!(!self.is_recomputing, "shown a second time");
        self.arrays.input(layer, x, exponent);
    }
    fn slope(&mut self, layer: usize, kept: MatRef<'_>) {
        self.arrays.slope(layer, kept);
    }
    fn delta(&mut self, layer: usize, delta: MatRef<'_>, exponent: i32) {
        self.arrays.delta(layer, delta, exponent);
    }
    fn state(&mut self, layer: usize, _: usize, h: MatRef<'_>, c: Option<MatRef<'_>>, exponent: i32) {
        for array in [Some(h), c].into_iter().flatten() {
            let values = (0..array.rows()).flat_map(|i| array.row(i).iter().copied()).collect();
            self.states.push(Seen { layer, values, exponent });
        }
    }
    fn weight_gradient(&mut self, layer: usize, gradient: MatRef<'_>, exponent: i32) {
        self.arrays.weight_gradient(layer, gradient, exponent);
    }
    fn recomputation_begins(&mut self) {
        self.recomputations += 1;
        self.is_recomputing = true;
    }
    fn recomputation_ends(&mut self) {
        self.is_recomputing = false;
    }
}

/// All that a step leaves and shows.
struct Step {
    output: Vec<f32>,
    parameters: Vec<f32>,
    gradients: Vec<f32>,
    rest: Vec<f32>,
    shows: Shows,
}

impl Step {
    fn assert_same(&self, other: &Self, what: &str) {
        assert_same_bits(&self.output, &other.output, &format!("{what}: output"));
        assert_same_bits(&self.parameters, &other.parameters, &format!("{what}: parameters"));
        assert_same_bits(&self.gradients, &other.gradients, &format!("{what}: gradients"));
        assert_same_bits(&self.rest, &other.rest, &format!("{what}: moments and statistics"));
        let (own, others) = (&self.shows, &other.shows);
        let pairs = [
            (&own.arrays.inputs, &others.arrays.inputs, "inputs"),
            (&own.arrays.slopes, &others.arrays.slopes, "slopes"),
            (&own.arrays.deltas, &others.arrays.deltas, "deltas"),
            (&own.arrays.weight_gradients, &others.arrays.weight_gradients, "weight gradients"),
            (&own.states, &others.states, "states"),
        ];
        for (expected, found, kind) in pairs {
            assert_eq!(expected.len(), found.len(), "{what}: {kind}");
            for (expected, found) in expected.iter().zip(found) {
                let what = format!("{what}: {kind}, layer {}", expected.layer);
                assert_eq!((expected.layer, expected.exponent), (found.layer, found.exponent), "{what}");
                assert_same_bits(&expected.values, &found.values, &what);
            }
        }
    }
}

/// How a step is made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// Backward pass with the gradient of the input, then the update.
    Apart,
    /// Each layer updated as soon as its gradients are there.
    Together,
    /// The same, its gradients consumed.
    Consuming,
}

/// The first step and the second, the one over a whole batch, the other over so many rows.
fn steps<T: Threads>(case: &Case, way: Way, rows: usize, level: Level, threads: &T) -> [Step; 2] {
    let mut places = vec![Place::default(); case.layers.len()];
    let plan = case.plan(&mut places).expect(&case.name);
    let plan = if way == Way::Consuming { plan.consuming_gradients() } else { plan };
    let optimizer = Optimizer::Momentum { momentum: 0.9, nesterov: false };
    let mut memory = vec![f32::NAN; plan.arena_len(1, threads.count()).expect("fits")];
    let mut arena = Arena::new(&plan, 1, threads.count(), &mut memory).expect("long enough");
    arena.initialise(&plan, &mut Random::new(7));
    let mut update = Update::new(optimizer, Clipping::None, Penalty::None);
    [(1, case.batch), (2, rows)].map(|(seed, rows)| {
        let pass = Pass { plan, level, threads, rows };
        let mut shows = Shows::default();
        arena.input_mut(&plan, rows).copy_from_slice(&normals(seed, rows * plan.input()));
        pass.forward(&mut arena, Mode::Training, &mut shows).expect("forward");
        let output = arena.output(&plan, rows).to_vec();
        let gradient = normals(100 + seed, rows * plan.output());
        if way == Way::Apart {
            pass.backward(&mut arena, &gradient, true, &mut shows).expect("backward");
            update.apply(level, threads, &plan, &mut arena, 0.01).expect("update");
        } else {
            pass.descend(&mut arena, &gradient, &mut update, 0.01, &mut shows).expect("step");
        }
        assert_eq!(shows.recomputations, plan.segments().len() - 1, "{}", case.name);
        let gradients = if way == Way::Consuming { vec![] } else { arena.gradients.to_vec() };
        let rest = [&*arena.moments, &*arena.statistics].concat();
        let parameters = arena.parameters.to_vec();
        Step { output, parameters, gradients, rest, shows }
    })
}

fn assert_same(expected: &[Step; 2], found: &[Step; 2], what: &str) {
    for (expected, found) in expected.iter().zip(found) {
        expected.assert_same(found, what);
    }
}

/// Every network, cut in every way, on every level.
#[test]
fn no_bit_differs() {
    let mut cut = 0;
    for case in cases() {
        for way in [Way::Apart, Way::Together, Way::Consuming] {
            let expected = steps(&case, way, case.batch, Level::SCALAR, &Serial);
            for every in 1..=case.layers.len() {
                let with_checkpoints = case.with_checkpoints(every);
                for level in levels::all() {
                    // All ways on one level, one way on all.
                    if way != Way::Apart && level != Level::detect() {
                        continue;
                    }
                    let what = format!("{}, every {every}, {way:?}, {}", case.name, level.name());
                    let found = steps(&with_checkpoints, way, case.batch, level, &Serial);
                    assert_same(&expected, &found, &what);
                    cut += usize::from(found[0].shows.recomputations > 0);
                }
            }
        }
    }
    assert!(cut > 1000, "only {cut} networks were cut");
}

/// The networks beyond f32 have powers of two where they are cut, else they test nothing.
#[test]
fn checkpoints_have_powers_of_two() {
    for case in beyond_f32() {
        let [found, _] = steps(&case, Way::Apart, case.batch, Level::detect(), &Serial);
        let powers = found.shows.arrays.inputs.iter().filter(|seen| seen.exponent != 0).count();
        assert!(powers >= 2, "{}: {powers} of {}", case.name, case.layers.len());
        assert!(found.gradients.iter().all(|g| !g.is_nan()), "{}", case.name);
    }
}

#[test]
fn ragged_batches_and_threads() {
    let joins = AtomicUsize::new(0);
    for case in cases().into_iter().filter(|case| case.batch > 2) {
        let (rows, every) = (case.batch - 1, 2);
        let expected = steps(&case, Way::Together, rows, Level::SCALAR, &Serial);
        let threads = Contrary::new(2, &joins);
        let found = steps(&case.with_checkpoints(every), Way::Together, rows, Level::detect(), &threads);
        assert_same(&expected, &found, &case.name);
    }
    assert!(joins.into_inner() > 0, "no work was shared");
}

/// Running statistics against their definition, after one step: moved once, though batch norm has run twice.
#[test]
fn running_statistics_move_once() {
    let layers = vec![Layer::BATCH_NORM, TANH, Layer::dense(3, INIT)];
    let case = Case::new("batch norm", 4, 50, layers).with_checkpoints(1);
    let input = normals(3, 200);
    case.run(|plan, arena| {
        let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 50 };
        let mut shows = Shows::default();
        arena.input_mut(&plan, 50).copy_from_slice(&input);
        pass.forward(arena, Mode::Training, &mut shows).expect("forward");
        pass.backward(arena, &normals(4, 150), true, &mut shows).expect("backward");
        assert_eq!(shows.recomputations, 2);
        for column in 0..4 {
            let values: Vec<f64> = input.iter().skip(column).step_by(4).map(|x| f64::from(*x)).collect();
            let mean = values.iter().sum::<f64>() / 50.0;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 49.0;
            let running = [3, 4].map(|part| f64::from(arena.statistics[part * 4 + column]));
            assert!((running[0] - 0.1 * mean).abs() < 1e-6, "{running:?}, {mean}");
            assert!((running[1] - (0.9 + 0.1 * variance)).abs() < 1e-6, "{running:?}, {variance}");
        }
    });
}

/// A forward pass serves several backward passes, as it does where all is kept.
#[test]
fn a_second_backward_pass() {
    let backward = |case: &Case, seeds: &[u64]| {
        case.run(|plan, arena| {
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: case.batch };
            arena.input_mut(&plan, case.batch).copy_from_slice(&normals(1, case.batch * plan.input()));
            pass.forward(arena, Mode::Training, &mut Unwatched).expect("forward");
            for seed in seeds {
                let cotangent = normals(*seed, case.batch * plan.output());
                pass.backward(arena, &cotangent, true, &mut Unwatched).expect("backward");
            }
            arena.gradients.to_vec()
        })
    };
    for case in cases() {
        let expected = backward(&case, &[6]);
        for every in 1..=case.layers.len() {
            let found = backward(&case.with_checkpoints(every), &[5, 6]);
            assert_same_bits(&expected, &found, &format!("{}, every {every}", case.name));
        }
    }
}

/// The values of any layer can be had again: those that the network without checkpoints has after its forward pass.
#[test]
fn values_come_back() {
    let forward = |plan: Plan<'_>, arena: &mut Arena<'_>, rows: usize| {
        let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows };
        arena.input_mut(&plan, rows).copy_from_slice(&normals(1, rows * plan.input()));
        pass.forward(arena, Mode::Training, &mut Unwatched).expect("forward");
    };
    let outputs = |plan: &Plan<'_>, arena: &Arena<'_>, layer: usize, rows: usize| {
        let place = plan.places()[layer];
        let values = &arena.values[place.output.start..][..rows * place.to.elements()];
        // What f64 holds of values beyond f32; a normalisation may have brought them to it.
        let power = arena.exponent(place.output);
        values.iter().map(|v| libm::ldexp(f64::from(*v), power) as f32).collect::<Vec<_>>()
    };
    for case in cases().into_iter().filter(|case| !case.layers.is_empty()) {
        let rows = case.batch;
        let (expected, arrays) = case.run(|plan, arena| {
            forward(plan, arena, rows);
            let all: Vec<_> = (0..plan.layers().len()).map(|l| outputs(&plan, arena, l, rows)).collect();
            (all, plan.places().iter().map(|place| place.output).collect::<Vec<_>>())
        });
        for every in 1..=case.layers.len() {
            case.with_checkpoints(every).run(|plan, arena| {
                forward(plan, arena, rows);
                let statistics = arena.statistics.to_vec();
                let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows };
                let mut random = Random::new(9);
                for _ in 0..2 * case.layers.len() {
                    let layer = random.below(case.layers.len());
                    pass.recompute(arena, layer).expect("comes back");
                    // What the segment above overwrites there, it overwrites here in an array of its own.
                    let above = plan.segments().find(|layers| layers.contains(&layer)).expect("one").end;
                    if arrays.get(above) == Some(&arrays[layer]) {
                        continue;
                    }
                    let found = outputs(&plan, arena, layer, rows);
                    let what = format!("{}, every {every}, layer {layer}", case.name);
                    assert_same_bits(&expected[layer], &found, &what);
                }
                assert_same_bits(&statistics, arena.statistics, &case.name);
            });
        }
    }
}

/// The output is there after the forward pass; after the backward pass nothing is taken for it.
#[test]
fn the_output_is_the_last_segments() {
    let case = Case::new("two segments", 4, 5, vec![Layer::dense(3, INIT), TANH, Layer::dense(2, INIT)]);
    for (checkpoints, left) in [(Some(2), 0), (Some(3), 10), (None, 10)] {
        Case { checkpoints, ..case.clone() }.run(|plan, arena| {
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 5 };
            arena.input_mut(&plan, 5).copy_from_slice(&normals(1, 20));
            pass.forward(arena, Mode::Training, &mut Unwatched).expect("forward");
            assert_eq!(arena.output(&plan, 5).len(), 10);
            pass.backward(arena, &[1.0; 10], false, &mut Unwatched).expect("backward");
            assert_eq!(arena.output(&plan, 5).len(), left);
        });
    }
}

/// LSUV goes from layer to layer, and runs some of them several times.
#[test]
fn weights_are_scaled_to_data_alike() {
    let (dense, relu) = (Layer::dense(7, Init::LSUV), Layer::Activation(Activation::Relu));
    let end = Layer::SkipEnd { scale: 0.5 };
    let layers = vec![dense, relu, dense, Layer::BATCH_NORM, TANH, dense, START, relu, dense, end, dense];
    let case = Case::new("LSUV", 5, 20, layers);
    let scaled = |case: &Case| {
        case.run(|plan, arena| {
            arena.input_mut(&plan, 20).copy_from_slice(&normals(1, 100));
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 20 };
            pass.scale_to_data(arena).expect("scales");
            (arena.parameters.to_vec(), arena.statistics.to_vec())
        })
    };
    let expected = scaled(&case);
    for every in 1..=case.layers.len() {
        let found = scaled(&case.with_checkpoints(every));
        assert_same_bits(&expected.0, &found.0, &format!("every {every}"));
        assert_same_bits(&expected.1, &found.1, &format!("every {every}"));
    }
}

/// Segments cover all layers, in order; each but the last is as long as was asked, and longer only for an open branch.
#[test]
fn segments() {
    for case in cases() {
        for every in 1..=case.layers.len() + 1 {
            let case = case.with_checkpoints(every);
            let mut places = vec![Place::default(); case.layers.len()];
            let plan = case.plan(&mut places).expect(&case.name);
            let mut reached = 0;
            let last = plan.segments().len() - 1;
            for (number, layers) in plan.segments().enumerate() {
                assert_eq!(layers.start, reached, "{}", case.name);
                reached = layers.end;
                let open = |end: usize| {
                    case.layers[..end].iter().fold(0, |open, layer| match layer {
                        Layer::SkipStart => open + 1,
                        Layer::SkipEnd { .. } | Layer::LearnedSkipEnd { .. } => open - 1,
                        _ => open,
                    })
                };
                let earliest = (layers.start + every..case.layers.len()).find(|end| open(*end) == 0);
                assert_eq!(number == last, earliest.is_none(), "{}, every {every}", case.name);
                assert_eq!(layers.end, earliest.unwrap_or(case.layers.len()), "{}", case.name);
            }
            assert_eq!(reached, case.layers.len());
        }
    }
}

/// Elements of the arena of so many hidden tanh layers.
fn memory(depth: usize, width: usize, batch: usize, every: Option<usize>) -> usize {
    let layers: Vec<Layer> =
        (0..depth).flat_map(|_| [Layer::dense(width, INIT), TANH]).chain([Layer::dense(3, INIT)]).collect();
    let case = Case { checkpoints: every, ..Case::new("deep", width, batch, layers) };
    let mut places = vec![Place::default(); case.layers.len()];
    let plan = case.plan(&mut places).expect("a network").consuming_gradients();
    // One gradient is held whatever the depth.
    plan.arena_len(0, 1).expect("fits") - plan.parameters()
}

/// What the network needs beside its parameters, by hand: a dense layer has one array, a tanh one more.
#[test]
fn memory_is_what_checkpoints_and_the_largest_segment_take() {
    for (depth, width, batch, blocks) in [(6, 5, 3, 1), (6, 5, 3, 2), (40, 8, 7, 6), (41, 8, 7, 7)] {
        let array = width * batch;
        let segments = (depth + 1usize).div_ceil(blocks);
        assert!(segments > 1 && depth > blocks);
        let all = array + 2 * depth * array + 3 * batch;
        let kept = segments * array + (1 + 2 * blocks) * array;
        let (plain, cut) = (memory(depth, width, batch, None), memory(depth, width, batch, Some(2 * blocks)));
        // A power of two for each array; and a third delta waits. Each kind from a line of 16 elements on.
        let (of_all, of_kept) = (2 * depth + 2, segments + 1 + 2 * blocks);
        let lines =
            |kinds: [usize; 3]| kinds.map(|elements| elements.next_multiple_of(16)).iter().sum::<usize>();
        let (all, kept) = (lines([all, of_all, 2 * array]), lines([kept, of_kept, 3 * array]));
        assert_eq!(plain - cut, all - kept, "{depth}, every {blocks}");
    }
    // One segment: nothing is computed twice, nothing more is needed.
    assert_eq!(memory(6, 5, 3, None), memory(6, 5, 3, Some(13)));
}

/// In the order of the square root of the depth.
#[test]
fn a_hundred_times_as_deep_takes_ten_times_as_much() {
    let least = |depth: usize| {
        let every = (2.0 * (2 * depth) as f64).sqrt() as usize;
        // Of one layer, which stay whatever the depth.
        memory(depth, 64, 32, Some(every)) - memory(1, 64, 32, None)
    };
    let (shallow, deep) = (least(100), least(10_000));
    assert!((9.0..12.0).contains(&(deep as f64 / shallow as f64)), "{shallow} and {deep}");
    assert!(20 * least(10_000) < memory(10_000, 64, 32, None));
}

#[test]
fn errors() {
    let layers = [Layer::dense(3, INIT), TANH, Layer::dense(2, INIT)];
    let mut places = [Place::default(); 3];
    let error = Plan::with_checkpoints(4, 5, &layers, &mut places, 0).expect_err("no step");
    assert_eq!(error, PlanError::Zero("the number of layers from one checkpoint to the next"));
    assert_eq!(
        error.to_string(),
        "the number of layers from one checkpoint to the next is 0; it must be at least 1"
    );
    let error = Plan::with_checkpoints(4, 5, &layers, &mut places[..2], 1).expect_err("too few places");
    assert_eq!(error, PlanError::Places { needed: 3, found: 2 });
    let huge = Signal::image(1 << 31, 1 << 30, 1);
    let pools = [Layer::Activation(Activation::Identity); 9];
    let error =
        Plan::with_checkpoints(huge, 1, &pools, &mut [Place::default(); 9], 1).expect_err("no memory");
    assert_eq!(error, PlanError::TooLarge);

    let plan = Plan::with_checkpoints(4, 5, &layers, &mut places, 1).expect("three segments");
    let needed = plan.arena_len(0, 1).expect("fits");
    let error = Arena::new(&plan, 0, 1, &mut vec![0.0; needed - 1]).expect_err("too short");
    assert_eq!(error, PlanError::Arena { needed, found: needed - 1 });
    let mut memory = vec![0.0; needed];
    let mut arena = Arena::new(&plan, 0, 1, &mut memory).expect("long enough");
    let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 5 };
    pass.forward(&mut arena, Mode::Training, &mut Unwatched).expect("forward");
    let short = pass.backward(&mut arena, &[0.0; 9], false, &mut Unwatched);
    assert_eq!(short, Err(NetError::Gradient { needed: 10, found: 9 }));
    let rows = Pass { rows: 6, ..pass }.recompute(&mut arena, 0);
    assert_eq!(rows, Err(NetError::Rows { batch: 5, found: 6 }));

    // The arena of another plan.
    let mut others = [Place::default(); 3];
    let other = Plan::with_checkpoints(4, 5, &layers, &mut others, 3).expect("one segment");
    let mut memory = vec![0.0; other.arena_len(0, 1).expect("fits")];
    let mut arena = Arena::new(&other, 0, 1, &mut memory).expect("long enough");
    assert!(matches!(pass.forward(&mut arena, Mode::Training, &mut Unwatched), Err(NetError::Arena { .. })));
}
