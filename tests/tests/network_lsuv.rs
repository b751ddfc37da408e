//! LSUV: every pre-activation has variance 1 on the batch that weights were scaled by, the same bits everywhere.

use isobath::activation::Activation;
use isobath::init::Init;
use isobath::net::lsuv::TOLERANCE;
use isobath::net::{Arena, Layer, Mode, Pass, Plan, Signal, Unwatched, Watch, Window};
use isobath::threads::{Serial, Threads, Workers};
use isobath_kernels::{Level, MatRef};
use isobath_tests::case::{Case, INIT, normals};
use isobath_tests::hash::assert_same_bits;
use isobath_tests::levels;
use isobath_tests::network::{Rows, forward};

const WIDTH: usize = 40;
const LSUV: Layer = Layer::dense(WIDTH, Init::LSUV);

/// Layers of every sort of activation, a branch, and a head that does not ask for data.
fn network(batch: usize) -> Case {
    let phi = Layer::Activation;
    let layers = vec![
        LSUV,
        phi(Activation::Relu),
        LSUV,
        phi(Activation::Sigmoid),
        Layer::SkipStart,
        LSUV,
        phi(Activation::Tanh),
        Layer::SkipEnd { scale: 0.5 },
        LSUV,
        phi(Activation::Prelu(0.25)),
        Layer::dense(100, Init::LSUV),
        phi(Activation::Gelu),
        Layer::dense(3, INIT),
    ];
    Case::new("one of each kind", 30, batch, layers)
}

fn scaled<T: Threads + Sync>(case: &Case, input: &[f32], level: Level, threads: &T) -> Vec<f32> {
    case.run(|plan, arena| {
        scale(plan, arena, input, level, threads);
        arena.parameters.to_vec()
    })
}

fn scale<T: Threads>(plan: Plan<'_>, arena: &mut Arena<'_>, input: &[f32], level: Level, threads: &T) {
    arena.input_mut(&plan, plan.batch()).copy_from_slice(input);
    Pass { plan, level, threads, rows: plan.batch() }.scale_to_data(arena).expect("scales");
}

fn variance(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count
}

#[test]
fn every_pre_activation_has_variance_1() {
    // Inputs of any size, one of them far from 0 in the mean.
    for (factor, shift) in [(1.0, 0.0), (1e-3, 0.0), (3e4, 1e4)] {
        let case = network(48);
        let input: Vec<f32> = normals(5, 48 * 30).iter().map(|x| x * factor + shift).collect();
        let parameters: Vec<f64> =
            scaled(&case, &input, Level::detect(), &Serial).into_iter().map(f64::from).collect();
        let trace = forward(&case.layers, &parameters, &Rows::new(30, &input));
        for (index, layer) in case.layers.iter().enumerate() {
            if matches!(layer, Layer::Dense(dense) if dense.init == Init::LSUV) {
                let found = variance(&trace[index + 1].values);
                assert!(
                    (found - 1.0).abs() < f64::from(TOLERANCE),
                    "layer {index}: {found}, factor {factor}"
                );
            }
        }
    }
}

/// Only the size of a layer's weights changes: they stay orthonormal up to one factor, biases stay 0, and layers that do not
/// ask for data keep their bits.
#[test]
fn nothing_but_scales_changes() {
    let case = network(48);
    case.run(|plan, arena| {
        let before = arena.parameters.to_vec();
        scale(plan, arena, &normals(5, 48 * 30), Level::detect(), &Serial);
        let mut scaled = 0;
        for (layer, place) in plan.layers().iter().zip(plan.places()) {
            let range = place.parameters..place.parameters + place.parameter_count;
            let (before, after) = (&before[range.clone()], &arena.parameters[range]);
            if !matches!(layer, Layer::Dense(dense) if dense.init == Init::LSUV) {
                assert_same_bits(before, after, "a layer that does not ask");
                continue;
            }
            let factor = f64::from(after[0]) / f64::from(before[0]);
            scaled += usize::from((factor - 1.0).abs() > 0.1);
            for (before, after) in before.iter().zip(after) {
                assert!((f64::from(*before) * factor - f64::from(*after)).abs() <= 1e-6 * factor);
            }
            assert!(after[place.weight_count..].iter().all(|bias| *bias == 0.0));
        }
        assert!(scaled >= 3, "{scaled} layers were scaled; the first, on normal inputs, need not be");
    });
}

#[test]
fn the_same_bits_on_every_level_and_number_of_threads() {
    let case = network(48);
    let input = normals(5, 48 * 30);
    let expected = scaled(&case, &input, Level::SCALAR, &Serial);
    for level in levels::all() {
        assert_same_bits(&expected, &scaled(&case, &input, level, &Serial), level.name());
    }
    // Wide enough for a product to be shared.
    let wide = Case::new("wide", 300, 64, vec![Layer::dense(300, Init::LSUV), LSUV]);
    let input = normals(6, 64 * 300);
    let expected = scaled(&wide, &input, Level::detect(), &Serial);
    for threads in [1, 2] {
        let workers = Workers::new(threads).expect("threads");
        let found = scaled(&wide, &input, Level::detect(), &workers.team());
        assert_same_bits(&expected, &found, "threads");
    }
}

/// 100 ReLU layers: without the data the signal is 2^-50 of what it was, with it every layer's is the same.
#[test]
fn depth_does_not_show() {
    let mut layers = Vec::new();
    for _ in 0..100 {
        layers.extend([LSUV, Layer::Activation(Activation::Relu)]);
    }
    let case = Case::new("deep", WIDTH, 64, layers);
    case.run(|plan, arena| {
        let input = normals(7, 64 * WIDTH);
        let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 64 };
        let size = |arena: &mut Arena<'_>| {
            arena.input_mut(&plan, 64).copy_from_slice(&input);
            pass.forward(arena, Mode::Training, &mut Unwatched).expect("forward");
            let squares = arena.output(&plan, 64).iter().map(|y| f64::from(*y).powi(2)).sum::<f64>();
            squares / (64 * WIDTH) as f64
        };
        assert!(size(arena) < 1e-20);
        arena.input_mut(&plan, 64).copy_from_slice(&input);
        pass.scale_to_data(arena).expect("scales");
        let found = size(arena);
        assert!((0.3..3.0).contains(&found), "{found}");
    });
}

/// What gives out a constant has no variance to divide by.
#[test]
fn a_layer_without_variance_is_left_as_it_is() {
    let case =
        Case::new("dead", 4, 8, vec![Layer::Activation(Activation::Relu), Layer::dense(4, Init::LSUV)]);
    case.run(|plan, arena| {
        let before = arena.parameters.to_vec();
        scale(plan, arena, &[-1.0; 32], Level::detect(), &Serial);
        assert_same_bits(&before, arena.parameters, "dead input");
        scale(plan, arena, &[f32::NAN; 32], Level::detect(), &Serial);
        assert_same_bits(&before, arena.parameters, "no input");
    });
}

/// The variance of what enters each layer.
#[derive(Default)]
struct Entering(Vec<f64>);

impl Watch for Entering {
    fn input(&mut self, _: usize, x: MatRef<'_>, exponent: i32) {
        let values: Vec<f64> = (0..x.rows()).flat_map(|i| x.row(i)).map(|v| f64::from(*v)).collect();
        self.0.push(variance(&values) * 4f64.powi(exponent));
    }
}

#[test]
fn convolutions_are_scaled_over_all_positions() {
    let window = |stride| Window { size: 3, stride, padding: 1 };
    let layers = vec![
        Layer::convolution(6, window(1), Init::LSUV),
        Layer::Activation(Activation::Relu),
        Layer::convolution(9, window(2), Init::LSUV),
        Layer::Activation(Activation::Tanh),
        Layer::AveragePool,
        Layer::dense(3, INIT),
    ];
    let case = Case::new("convolutions", Signal::image(8, 7, 2), 12, layers);
    let input: Vec<f32> = normals(5, 12 * 8 * 7 * 2).iter().map(|x| 30.0 * x + 4.0).collect();
    let mut all = Vec::new();
    for level in levels::all() {
        let (parameters, entering) = case.run(|plan, arena| {
            scale(plan, arena, &input, level, &Serial);
            let mut entering = Entering::default();
            arena.input_mut(&plan, 12).copy_from_slice(&input);
            let pass = Pass { plan, level, threads: &Serial, rows: 12 };
            pass.forward(arena, Mode::Training, &mut entering).expect("forward");
            (arena.parameters.to_vec(), entering.0)
        });
        for behind in [1, 3] {
            assert!((entering[behind] - 1.0).abs() < f64::from(TOLERANCE), "{behind}: {entering:?}");
        }
        all.push(parameters);
    }
    for parameters in &all[1..] {
        assert_same_bits(&all[0], parameters, "convolutions");
    }
}
