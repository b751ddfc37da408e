//! What is no network, and what does not fit the plan: each error with its message, never a panic.

use isobath::activation::Activation;
use isobath::init::Init;
use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
use isobath::net::{Arena, Dense, Layer, Mode, NetError, Pass, Place, Plan, PlanError, Unwatched};
use isobath::random::Random;
use isobath::threads::Serial;
use isobath_kernels::Level;
use isobath_tests::case::{Case, INIT};

const DENSE: Layer = Layer::dense(3, INIT);
const START: Layer = Layer::SkipStart;
const END: Layer = Layer::SkipEnd { scale: 1.0 };
const HALF: usize = usize::MAX / 2;

fn plan_error(input: usize, batch: usize, layers: &[Layer]) -> PlanError {
    let mut places = vec![Place::default(); layers.len()];
    Plan::new(input, batch, layers, &mut places).expect_err("this is no network")
}

#[track_caller]
fn assert_refused(input: usize, batch: usize, layers: &[Layer], error: PlanError, message: &str) {
    let found = plan_error(input, batch, layers);
    assert_eq!(found, error);
    assert_eq!(found.to_string(), message);
}

#[test]
fn zeros() {
    let cases = [
        (0, 1, vec![DENSE], "the input width"),
        (1, 0, vec![DENSE], "the batch size"),
        (1, 1, vec![DENSE, Layer::dense(0, INIT)], "the width of a dense layer"),
    ];
    for (input, batch, layers, what) in cases {
        let message = format!("{what} is 0; it must be at least 1");
        assert_refused(input, batch, &layers, PlanError::Zero(what), &message);
    }
}

#[test]
fn too_few_places() {
    let layers = [DENSE; 3];
    let error =
        Plan::new(1, 1, &layers, &mut [Place::default(); 2]).expect_err("two places for three layers");
    assert_eq!(error, PlanError::Places { needed: 3, found: 2 });
    assert_eq!(error.to_string(), "3 layers need as many places, 2 were given");
    let mut more = [Place::default(); 4];
    assert_eq!(Plan::new(1, 1, &layers, &mut more).expect("one to spare").places().len(), 3);
}

#[test]
fn residual_branches_that_are_none() {
    let identity = Layer::Activation(Activation::Identity);
    let cases: [(&[Layer], usize); 7] = [
        (&[START, DENSE], 2),
        (&[START], 1),
        (&[DENSE, END], 1),
        (&[START, END], 1),
        (&[START, identity, END], 2),
        (&[START, DENSE, END, END], 3),
        (&[START, START, START, START, START, DENSE, END, END, END, END, END], 4),
    ];
    for (layers, layer) in cases {
        let message = format!(
            "layer {layer}: a residual branch must be opened, hold a layer, be closed, and nest at most 4 deep"
        );
        assert_refused(3, 1, layers, PlanError::Skip { layer }, &message);
    }
}

#[test]
fn a_branch_of_another_width() {
    let error = PlanError::SkipWidth { layer: 3, skip: 3, branch: 5 };
    let message = "layer 3: the residual branch has 5 columns but its skip connection 3";
    assert_refused(2, 1, &[DENSE, START, Layer::dense(5, INIT), END], error, message);
}

#[test]
fn batch_norm_of_one_row() {
    let message = "batch norm needs a batch of at least 2 rows in training, not 1";
    assert_refused(2, 1, &[Layer::BATCH_NORM], PlanError::BatchNormBatch { batch: 1 }, message);
}

#[test]
fn standardised_weights_of_one_input() {
    let standardised = Layer::Standardised(Dense { units: 3, init: INIT, weight_scale: 1.0 });
    let message = "layer 1: standardised weights need at least 2 inputs, not 1";
    let layers = [Layer::dense(1, INIT), standardised];
    assert_refused(2, 1, &layers, PlanError::OneInput { layer: 1 }, message);
}

#[test]
fn too_large() {
    let message = "the network does not fit in this machine's address space";
    let huge = Layer::dense(usize::MAX, INIT);
    let sigmoid = Layer::Activation(Activation::Sigmoid);
    let cases: [(usize, usize, &[Layer]); 10] = [
        (1, 1, &[huge]),
        (usize::MAX, 1, &[DENSE]),
        (1, usize::MAX, &[DENSE]),
        (usize::MAX, usize::MAX, &[]),
        (usize::MAX, 1, &[sigmoid]),
        (usize::MAX, 2, &[Layer::BATCH_NORM]),
        (HALF, 1, &[Layer::LAYER_NORM, Layer::LAYER_NORM]),
        (1, HALF + 1, &[Layer::LAYER_NORM]),
        (1, 1, &[Layer::dense(HALF, INIT), sigmoid, sigmoid]),
        (HALF / 2, 2, &[Layer::BATCH_NORM]),
    ];
    for (input, batch, layers) in cases {
        assert_refused(input, batch, layers, PlanError::TooLarge, message);
    }
    // These can be laid out, but not with everything that a run adds.
    let layers = [Layer::dense(HALF, INIT)];
    let mut places = [Place::default()];
    let plan = Plan::new(1, 1, &layers, &mut places).expect("its parts fit");
    assert_eq!(plan.arena_len(0, 1), Err(PlanError::TooLarge));
    assert_eq!(Arena::new(&plan, 0, 1, &mut []).expect_err("too large"), PlanError::TooLarge);
    let layers = [DENSE];
    let plan = Plan::new(1, 1, &layers, &mut places).expect("small");
    for (moments, threads) in [(usize::MAX, 1), (usize::MAX - 1, 1), (HALF, 1), (0, usize::MAX)] {
        assert_eq!(plan.arena_len(moments, threads), Err(PlanError::TooLarge), "{moments} {threads}");
    }
}

#[test]
fn arenas_of_the_exact_length() {
    let layers = [DENSE, Layer::Activation(Activation::Prelu(0.1)), Layer::LAYER_NORM];
    let mut places = [Place::default(); 3];
    let plan = Plan::new(2, 4, &layers, &mut places).expect("a network");
    assert_eq!(plan.parameters(), 9 + 1 + 6);
    assert_eq!((plan.input(), plan.output(), plan.batch(), plan.multiply_adds()), (2, 3, 4, 6));
    for (moments, threads) in [(0, 0), (0, 1), (2, 3)] {
        let needed = plan.arena_len(moments, threads).expect("small");
        let mut memory = vec![0.0; needed];
        let arena = Arena::new(&plan, moments, threads, &mut memory).expect("exactly long enough");
        assert_eq!(arena.moments.len(), moments * plan.parameters());
        let found = needed - 1;
        let error = Arena::new(&plan, moments, threads, &mut memory[..found]).expect_err("too short");
        assert_eq!(error, PlanError::Arena { needed, found });
        let message = format!("the arena has {found} elements but {needed} are needed");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn rows_that_the_plan_has_not() {
    let case = Case::new("small", 2, 4, vec![DENSE]);
    case.run(|plan, arena| {
        for found in [0, 5, usize::MAX] {
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: found };
            let forward = pass.forward(arena, Mode::Training, &mut Unwatched);
            let backward = pass.backward(arena, &[1.0; 100], true, &mut Unwatched);
            assert_eq!((forward, backward), (Err(NetError::Rows { batch: 4, found }), forward));
            let message = format!("a pass over {found} rows; the plan is for 1 to 4");
            assert_eq!(forward.expect_err("refused").to_string(), message);
        }
    });
}

#[test]
fn a_gradient_that_is_too_short() {
    let case = Case::new("small", 2, 4, vec![DENSE]);
    case.run(|plan, arena| {
        let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 4 };
        arena.input_mut(&plan, 4).fill(1.0);
        pass.forward(arena, Mode::Training, &mut Unwatched).expect("forward");
        let error = pass.backward(arena, &[1.0; 11], true, &mut Unwatched).expect_err("one short");
        assert_eq!(error, NetError::Gradient { needed: 12, found: 11 });
        assert_eq!(error.to_string(), "the gradient has 11 elements but the output 12");
        // The arena has survived the error.
        pass.backward(arena, &[1.0; 12], true, &mut Unwatched).expect("backward");
    });
}

#[test]
fn batch_norm_trains_on_two_rows_or_more() {
    let case = Case::new("batch norm", 2, 4, vec![Layer::BATCH_NORM]);
    case.run(|plan, arena| {
        arena.input_mut(&plan, 4).fill(1.0);
        let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 1 };
        let error = pass.forward(arena, Mode::Training, &mut Unwatched).expect_err("one row");
        assert_eq!(error, NetError::BatchNormRows);
        assert_eq!(error.to_string(), "batch norm cannot train on a batch of one row");
    });
}

#[test]
fn the_arena_of_another_plan() {
    let large = Case::new("large", 2, 4, vec![DENSE; 4]);
    let small = Case::new("small", 2, 4, vec![DENSE; 2]);
    large.run(|plan, _| {
        small.run(|_, arena| {
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 4 };
            arena.input_mut(&plan, 4).fill(1.0);
            let error = pass.forward(arena, Mode::Training, &mut Unwatched).expect_err("too small");
            assert_eq!(error, NetError::Arena { layer: 2 });
            assert_eq!(error.to_string(), "the arena does not belong to this plan (layer 2)");
            let error = pass.backward(arena, &[1.0; 12], true, &mut Unwatched).expect_err("too small");
            assert_eq!(error, NetError::Arena { layer: 3 });
            // Nor does starting it in the wrong memory panic.
            arena.initialise(&plan, &mut Random::new(1));
        });
    });
}

#[test]
fn limits_that_are_none() {
    let case = Case::new("small", 2, 4, vec![DENSE]);
    case.run(|plan, arena| {
        arena.gradients.fill(1.0);
        for limit in [-1.0, f32::NAN] {
            for clipping in [
                Clipping::Value { limit },
                Clipping::GlobalNorm { max_norm: limit },
                Clipping::Adaptive { lambda: limit },
            ] {
                let before = arena.parameters.to_vec();
                let mut update = Update::new(Optimizer::Sgd, clipping, Penalty::None);
                let error = update.apply(Level::detect(), &Serial, &plan, arena, 0.1).expect_err("no limit");
                assert_eq!(error, NetError::Limit);
                assert_eq!(error.to_string(), "the clipping limit must be 0 or positive");
                assert_eq!(before, arena.parameters, "nothing has moved");
            }
        }
    });
}

#[test]
fn names_of_initialisers() {
    for (name, init) in [
        ("xavier", Init::XAVIER),
        ("he", Init::HE),
        ("lecun", Init::LECUN),
        ("uniform", Init::UNIFORM),
        ("orthogonal", Init::ORTHOGONAL),
        ("article", Init::ARTICLE),
    ] {
        assert_eq!(name.parse(), Ok(init));
        assert!(Init::NAMES.split(", ").any(|known| known == name));
    }
    assert_eq!(Init::NAMES.split(", ").count(), 6);
    for name in ["", "Xavier", "he ", "kaiming"] {
        let error = name.parse::<Init>().expect_err("unknown");
        let message = "unknown initialiser; allowed are xavier, he, lecun, uniform, orthogonal, article";
        assert_eq!(error.to_string(), message);
    }
}
