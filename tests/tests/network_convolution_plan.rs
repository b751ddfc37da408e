//! Convolutions and pools before they run: what is refused, how weights start, what memory it takes.

use isobath::init::Init;
use isobath::net::{Arena, Layer, Mode, NetError, Pass, Place, Plan, PlanError, Signal, Unwatched, Window};
use isobath::random::Random;
use isobath::threads::Serial;
use isobath_kernels::Level;
use isobath_tests::case::INIT;

const IMAGE: Signal = Signal::image(4, 6, 3);

const fn convolution(channels: usize, size: usize, stride: usize, padding: usize) -> Layer {
    Layer::convolution(channels, Window { size, stride, padding }, INIT)
}

#[track_caller]
fn refused(image: Signal, batch: usize, layers: &[Layer], error: PlanError, message: &str) {
    let mut places = vec![Place::default(); layers.len()];
    let found = Plan::new(image, batch, layers, &mut places).expect_err("this is no network");
    assert_eq!(found, error);
    assert_eq!(found.to_string(), message);
}

#[test]
fn zeros() {
    let pool = |size, stride| Layer::MaxPool { size, stride };
    let cases = [
        (convolution(0, 3, 1, 1), "the number of channels of a convolution"),
        (convolution(2, 0, 1, 1), "the size of a window"),
        (convolution(2, 3, 0, 1), "the stride of a window"),
        (pool(0, 1), "the size of a window"),
        (pool(2, 0), "the stride of a window"),
    ];
    for (layer, what) in cases {
        refused(IMAGE, 2, &[layer], PlanError::Zero(what), &format!("{what} is 0; it must be at least 1"));
    }
    let none = Signal::image(4, 6, 0);
    let what = PlanError::Zero("the input width");
    refused(none, 2, &[convolution(1, 3, 1, 1)], what, "the input width is 0; it must be at least 1");
}

#[test]
fn windows_larger_than_the_image() {
    let window = Window { size: 7, stride: 1, padding: 1 };
    refused(
        IMAGE,
        2,
        &[convolution(3, 1, 1, 0), Layer::convolution(3, window, INIT)],
        PlanError::Window { layer: 1, window, image: IMAGE },
        "layer 1: a window of 7 x 7 does not fit 4 x 6 positions of 3 channels, padded by 1 on each side",
    );
    let window = Window { size: 5, stride: 2, padding: 0 };
    refused(
        IMAGE,
        2,
        &[Layer::MaxPool { size: 5, stride: 2 }],
        PlanError::Window { layer: 0, window, image: IMAGE },
        "layer 0: a window of 5 x 5 does not fit 4 x 6 positions of 3 channels, padded by 0 on each side",
    );
    // What fits exactly is allowed.
    let layers = [convolution(3, 6, 1, 1), Layer::MaxPool { size: 1, stride: 9 }];
    let mut places = [Place::default(); 2];
    assert_eq!(Plan::new(IMAGE, 2, &layers, &mut places).expect("fits").output_signal(), Signal::vector(3));
    let huge = Signal::image(5000, 5000, 1);
    let message = "layer 0: max pooling over 5000 x 5000; the most is 4096 x 4096";
    let error = PlanError::Pool { layer: 0, size: 5000 };
    refused(huge, 1, &[Layer::MaxPool { size: 5000, stride: 1 }], error, message);
}

#[test]
fn too_large() {
    let message = "the network does not fit in this machine's address space";
    let half = usize::MAX / 2;
    let cases = [
        (IMAGE, 1, convolution(half, 3, 1, 1)),
        (IMAGE, 1, convolution(1, 3, 1, half / 4)),
        (IMAGE, half / 8, convolution(2, 3, 1, 1)),
        (Signal::image(1, 1, half / 300), 1, convolution(1, 3, 1, 1)),
        (Signal::image(half, 2, 1), 1, Layer::MaxPool { size: 1, stride: 1 }),
    ];
    for (image, batch, layer) in cases {
        refused(image, batch, &[layer], PlanError::TooLarge, message);
    }
    // Padding that no usize holds fits no image.
    let window = Window { size: 3, stride: 1, padding: usize::MAX };
    let mut places = [Place::default()];
    let layers = [Layer::convolution(1, window, INIT)];
    let error = Plan::new(IMAGE, 1, &layers, &mut places).expect_err("too large");
    assert_eq!(error, PlanError::Window { layer: 0, window, image: IMAGE });
}

#[test]
fn a_branch_that_shrinks_the_image() {
    let branch = Signal::image(2, 3, 3);
    refused(
        IMAGE,
        2,
        &[Layer::SkipStart, convolution(3, 3, 2, 1), Layer::SkipEnd { scale: 1.0 }],
        PlanError::SkipPositions { layer: 2, skip: IMAGE, branch },
        "layer 2: the residual branch has 2 x 3 positions of 3 channels \
         but its skip connection 4 x 6 positions of 3 channels",
    );
}

/// A network of `layers` in memory of exactly the planned length.
fn run<R>(layers: &[Layer], threads: usize, test: impl FnOnce(Plan<'_>, &mut Arena<'_>) -> R) -> R {
    let mut places = vec![Place::default(); layers.len()];
    let plan = Plan::new(IMAGE, 2, layers, &mut places).expect("a network");
    let mut memory = vec![f32::NAN; plan.arena_len(0, threads).expect("small")];
    let mut arena = Arena::new(&plan, 0, threads, &mut memory).expect("is long enough");
    arena.initialise(&plan, &mut Random::new(3));
    test(plan, &mut arena)
}

/// Var W = s_w^2 / (k k C), where Glorot's s_w^2 has the fan-out k k C'.
#[test]
fn weights_start_by_their_fans() {
    let window = Window { size: 5, stride: 1, padding: 2 };
    let (fan_in, channels) = (75.0, 400);
    let cases = [
        (Init::HE, 2.0 / fan_in),
        (Init::XAVIER, 2.0 / (fan_in + 25.0 * channels as f64)),
        (Init::UNIFORM, 1.0 / (3.0 * fan_in)),
        (Init::ORTHOGONAL, 1.0 / fan_in),
        (Init::ARTICLE, 1.0 / fan_in),
    ];
    for (init, variance) in cases {
        run(&[Layer::convolution(channels, window, init)], 1, |plan, arena| {
            let (weights, biases) = arena.parameters.split_at(plan.places()[0].weight_count);
            assert_eq!((weights.len(), biases.len()), (75 * channels, channels));
            let mean = |values: &[f32]| {
                values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / values.len() as f64
            };
            let found = mean(weights);
            // Of 30000 squares of normal numbers the mean deviates by sqrt(2 / 30000).
            assert!((found / variance - 1.0).abs() < 0.04, "{init:?}: {found:e}, not {variance:e}");
            let of_biases = f64::from(init.bias_variance);
            assert!((mean(biases) - of_biases).abs() <= 0.4 * of_biases, "{init:?}");
        });
    }
    let planted = isobath::net::Convolution { channels, window, init: Init::HE, weight_scale: 4.0 };
    run(&[Layer::convolution(channels, window, Init::HE)], 1, |_, plain| {
        run(&[Layer::Convolution(planted)], 1, |_, scaled| {
            let times_four: Vec<f32> = plain.parameters.iter().map(|w| 4.0 * w).collect();
            assert_eq!(times_four, scaled.parameters);
        });
    });
}

/// Patches need workspace; an arena without any is refused when a pass runs, and survives it.
#[test]
fn an_arena_for_no_thread() {
    let layers = [convolution(3, 3, 1, 1)];
    for (threads, expected) in [(1, Ok(())), (0, Err(NetError::Arena { layer: 0 }))] {
        run(&layers, threads, |plan, arena| {
            arena.input_mut(&plan, 2).fill(1.0);
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 2 };
            assert_eq!(pass.forward(arena, Mode::Training, &mut Unwatched), expected);
            let cotangent = vec![1.0; 2 * plan.output()];
            assert_eq!(pass.backward(arena, &cotangent, true, &mut Unwatched), expected);
        });
    }
}
