//! What a run records of units, weights, penalty and gradient noise, against f64 loops over the same small network.

use isobath::activation::Activation;
use isobath::architecture::{Architecture, Norm, Residual};
use isobath::data::{Dataset, Form, Target};
use isobath::init::Init;
use isobath::net::update::{Clipping, Optimizer, Penalty};
use isobath::net::{Arena, Place, Plan, Restraint};
use isobath::random::Random;
use isobath::threads::Serial;
use isobath::train::{Loss, Recipe, Schedule, Trained, train};
use isobath_kernels::Level;
use isobath_tests::case::normals;
use isobath_tests::levels;
use isobath_tests::network::{Rows, differentiate, forward};

/// As many samples as a batch has rows, and as the noise scale has parts: no order of samples shows.
const SAMPLES: usize = 8;
const FEATURES: usize = 3;
const CLASSES: usize = 3;
const WIDTH: usize = 6;
const DEPTH: usize = 2;
const SEED: u64 = 11;

fn recipe(activation: Activation) -> Recipe {
    Recipe {
        architecture: Architecture::plain(DEPTH, WIDTH, activation, Init::gaussian(2.0, 0.3)),
        loss: Loss::CrossEntropy,
        optimizer: Optimizer::Sgd,
        rate: 0.05,
        schedule: Schedule::Constant,
        clipping: Clipping::None,
        penalty: Penalty::L1 { lambda: 0.25 },
        restraint: Restraint::default(),
        pretraining: None,
        steps: 6,
        batch: SAMPLES,
        record_every: 2,
        checkpoint: None,
        recompute_every: None,
    }
}

fn data() -> Dataset {
    let labels = (0..SAMPLES as u32).map(|i| i % CLASSES as u32).collect();
    let inputs = normals(3, SAMPLES * FEATURES);
    Dataset::new("normal", Form::Vector(FEATURES), CLASSES, inputs, labels).expect("a data set")
}

fn run(recipe: &Recipe, level: Level) -> Trained {
    let data = data();
    train(recipe, &data, &data, SEED, level, &Serial, |_, _| true).expect("trains").expect("to the end")
}

/// The parameters that the run starts from: weights are drawn from the first stream of its seed.
fn start(recipe: &Recipe) -> (Vec<isobath::net::Layer>, Vec<f64>) {
    let built = recipe.build(FEATURES, CLASSES);
    let mut places = vec![Place::default(); built.layers.len()];
    let plan = Plan::new(FEATURES, SAMPLES, &built.layers, &mut places).expect("a network");
    let mut memory = vec![0.0; plan.arena_len(0, 1).expect("fits")];
    let mut arena = Arena::new(&plan, 0, 1, &mut memory).expect("fits");
    arena.initialise(&plan, &mut Random::stream(SEED, 1));
    let parameters = arena.parameters.iter().copied().map(f64::from).collect();
    (built.layers, parameters)
}

#[track_caller]
fn assert_near(expected: f64, found: f64, what: &str) {
    assert!(
        (expected - found).abs() <= 1e-5 * expected.abs().max(1e-3),
        "{what}: {found}, expected {expected}"
    );
}

/// The slope of ReLU and its kin, and of the sigmoid.
fn slope(function: Activation, h: f64) -> f64 {
    match function {
        Activation::Relu => f64::from(h > 0.0),
        Activation::Prelu(k) if h <= 0.0 => k.into(),
        Activation::Prelu(_) => 1.0,
        Activation::Sigmoid => (-h).exp() / (1.0 + (-h).exp()).powi(2),
        _ => panic!("no slope of {function}"),
    }
}

#[test]
fn units_before_the_first_step() {
    // Inputs of every size: some sigmoids saturate at 1 % of their steepest slope, 1/4.
    for (function, steepest) in
        [(Activation::Relu, 1.0), (Activation::Prelu(0.005), 1.0), (Activation::Sigmoid, 0.25)]
    {
        let mut recipe = recipe(function);
        recipe.architecture.init = Init::gaussian(30.0, 3.0);
        let trained = run(&recipe, Level::detect());
        let (layers, parameters) = start(&recipe);
        let trace = forward(&layers, &parameters, &Rows::new(FEATURES, data().inputs()));
        for layer in 0..DEPTH {
            // Each hidden layer is a dense layer and an activation.
            let (h, y) = (&trace[2 * layer + 1].values, &trace[2 * layer + 2].values);
            let count = h.len() as f64;
            let saturated = h.iter().filter(|h| slope(function, **h) < 0.01 * steepest).count();
            let is_dead = |unit: &usize| (0..SAMPLES).all(|i| slope(function, h[i * WIDTH + unit]) == 0.0);
            let dead = (0..WIDTH).filter(is_dead).count();
            let mean = y.iter().sum::<f64>() / count;
            let deviation = (y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / count).sqrt();
            let found = trained.units[0][layer];
            assert_eq!(found.saturated, saturated as f64 / count, "{function}, layer {layer}");
            assert_eq!(found.dead, dead as f64 / WIDTH as f64, "{function}, layer {layer}");
            assert_near(mean, found.mean.expect("finite"), "mean");
            assert_near(deviation, found.deviation.expect("finite"), "deviation");
            assert!(saturated > 0, "{function}: nothing saturates, the figure is not tested");
        }
        assert_eq!(trained.units[1].len(), DEPTH);
    }
}

/// All units of a layer with weights 0 and biases below 0 are dead.
#[test]
fn a_dead_layer_is_seen() {
    let mut recipe = recipe(Activation::Relu);
    recipe.architecture.scale_layer = Some((2, 0.0));
    recipe.architecture.init = Init::gaussian(2.0, 0.0);
    let units = run(&recipe, Level::detect()).units;
    assert!(units[0][0].dead < 1.0);
    assert_eq!((units[0][1].dead, units[0][1].mean), (1.0, Some(0.0)));
}

#[test]
fn weights_penalty_and_slopes_before_the_first_step() {
    let recipe = recipe(Activation::Prelu(0.25));
    let course = run(&recipe, Level::detect()).course;
    let (_, parameters) = start(&recipe);
    // Dense 3 x 6, biases, slope; dense 6 x 6, biases, slope; the head's 6 x 3 and biases.
    let weights = [0..18, 25..61, 68..86].map(|range| &parameters[range]);
    let l1 = weights.iter().copied().flatten().map(|w| w.abs()).sum::<f64>();
    assert_near(0.25 * l1, course.penalty[0].expect("finite"), "penalty");
    for (layer, weights) in weights[..DEPTH].iter().enumerate() {
        let norm = weights.iter().map(|w| w * w).sum::<f64>().sqrt();
        assert_near(norm.log10(), course.log10_w[0][layer].expect("finite"), "norm of weights");
    }
    assert_eq!(course.steps, [0, 2, 4, 6]);
    for figures in [&course.log10_w, &course.prelu] {
        assert!(figures.len() == 4 && figures.iter().all(|step| step.len() == DEPTH));
    }
    assert_eq!(course.prelu[0], [Some(0.25); DEPTH]);
    assert_ne!(course.prelu[1], course.prelu[0], "slopes are learned");
    assert!(course.penalty[3] < course.penalty[0], "the penalty pulls weights to 0");
    assert!(run(&recipe_of_relu(), Level::detect()).course.prelu.is_empty());
}

fn recipe_of_relu() -> Recipe {
    recipe(Activation::Relu)
}

/// Softmax cross-entropy of some of the samples, a mean.
fn loss(layers: &[isobath::net::Layer], parameters: &[f64], samples: std::ops::Range<usize>) -> f64 {
    let data = data();
    let inputs = &data.inputs()[samples.start * FEATURES..samples.end * FEATURES];
    let trace = forward(layers, parameters, &Rows::new(FEATURES, inputs));
    let logits = &trace[layers.len()].values;
    let losses = samples.clone().zip(logits.chunks(CLASSES)).map(|(sample, logits)| {
        logits.iter().map(|h| h.exp()).sum::<f64>().ln() - logits[data.labels()[sample] as usize]
    });
    losses.sum::<f64>() / samples.len() as f64
}

/// Of batches of one sample and of all eight: the mean square norm over the samples, and the square norm of the mean.
#[test]
fn the_noise_of_the_gradient() {
    let recipe = recipe(Activation::Sigmoid);
    let (layers, parameters) = start(&recipe);
    let square = |samples: std::ops::Range<usize>| {
        let gradient = differentiate(&parameters, |at| loss(&layers, at, samples.clone()));
        gradient.iter().map(|g| g * g).sum::<f64>()
    };
    let small = (0..SAMPLES).map(|i| square(i..i + 1)).sum::<f64>() / SAMPLES as f64;
    let big = square(0..SAMPLES);
    let n = SAMPLES as f64;
    let noise = run(&recipe, Level::detect()).noise[0].expect("has one");
    assert_near((small - big) / (1.0 - 1.0 / n), noise.trace, "trace");
    assert_near((n * big - small) / (n - 1.0), noise.square, "square");
}

/// Clipping among them; and under batch norm, where a sample's gradient depends on its batch, there is no noise scale.
#[test]
fn records_are_the_same_on_every_level() {
    for function in [Activation::Relu, Activation::Prelu(0.25), Activation::Gelu] {
        let mut recipe = recipe(function);
        recipe.clipping = Clipping::GlobalNorm { max_norm: 0.5 };
        let timeless = |level| Trained { seconds: 0.0, step_seconds: None, ..run(&recipe, level) };
        let expected = timeless(Level::SCALAR);
        assert!(
            expected.course.clipped[0] == 1.0 && expected.course.log10_gradient[0] > Some(0.5f64.log10())
        );
        for level in levels::all() {
            assert_eq!(expected, timeless(level), "{function}, {}", level.name());
        }
    }
    let mut normed = recipe_of_relu();
    normed.architecture.norm = Norm::Batch;
    assert_eq!(run(&normed, Level::detect()).noise, [None; 2]);
}

/// What is computed again shows in nothing but time: neither in figures nor in the place where a run leaves f32.
#[test]
fn checkpoints_show_in_no_record() {
    let deep = |norm, residual, rate| {
        let architecture = Architecture { depth: 5, norm, residual, ..recipe(Activation::Relu).architecture };
        Recipe { architecture, rate, record_every: 4, ..recipe(Activation::Relu) }
    };
    let residual = Some(Residual { activated_sum: true, ..Residual::new(0.5, 2, true) });
    let recipes = [
        deep(Norm::None, None, 0.05),
        deep(Norm::Batch, None, 0.05),
        deep(Norm::Layer, residual, 0.05),
        // Weights explode in the first step, signals after it.
        deep(Norm::None, None, 1e25),
    ];
    let mut diverged = 0;
    for recipe in recipes {
        // JSON, in which a figure that is none is equal to itself.
        let figures = |recipe: &Recipe| {
            let trained = run(recipe, Level::detect());
            serde_json::to_string(&Trained { seconds: 0.0, step_seconds: None, ..trained }).expect("JSON")
        };
        let expected = figures(&recipe);
        diverged += usize::from(run(&recipe, Level::detect()).divergence.is_some());
        for every in 1..=6 {
            let found = figures(&Recipe { recompute_every: Some(every), ..recipe });
            assert_eq!(expected, found, "{recipe:?}, every {every}");
        }
    }
    assert_eq!(diverged, 1);
    let form = Form::Vector(FEATURES);
    let bytes = |recompute_every| {
        let architecture = Architecture { depth: 100, ..recipe(Activation::Relu).architecture };
        let recipe = Recipe { architecture, recompute_every, ..recipe(Activation::Relu) };
        recipe.memory_bytes(form, Target::Classes(CLASSES), SAMPLES).expect("fits")
    };
    assert!(bytes(Some(10)) < bytes(None));
}
