//! What remedies are said to do, on the networks of the built-in studies: explosion with and without them, what clipping does
//! not repair, and the rates of normalised networks at the start.

use std::f64::consts::PI;

use isobath::data::{Sizes, Splits, Target};
use isobath::net::update::Clipping;
use isobath::study::plan::StudyPlan;
use isobath::threads::Serial;
use isobath::train::{Recipe, Trained, train};
use isobath_kernels::Level;

fn plan(name: &str) -> StudyPlan {
    StudyPlan::load(name, None, false).expect("a built-in study")
}

fn data(train: usize) -> Splits {
    plan("exploding").data.source.load(&Sizes { train, validation: 1, test: 1000 }, 1).expect("glyphs")
}

/// The recipe of a row of a study at the rate of momentum that is asked for.
fn recipe(plan: &StudyPlan, group: &str, row: &str, rate: f32) -> Recipe {
    let group = plan.groups.iter().find(|g| g.name == group).expect("a group");
    let row = group.rows.iter().find(|r| r.name == row).expect("a row");
    let setting = plan.grid.iter().find(|setting| setting.rate == rate).expect("a rate");
    plan.recipe(row, setting)
}

fn run(recipe: &Recipe, data: &Splits, seed: u64) -> Trained {
    let level = Level::detect();
    train(recipe, &data.train, &data.test, seed, level, &Serial, |_, _| true)
        .expect("trains")
        .expect("to the end")
}

/// `--data` may bring rows of numbers: what needs images or sequences has data of its own.
#[test]
fn the_default_study_runs_on_any_data() {
    let plan = plan("remedies");
    let shared: Vec<_> = plan.groups.iter().filter(|group| group.data.is_none()).collect();
    assert!(shared.len() >= 3);
    for row in shared.iter().flat_map(|group| &group.rows) {
        let needed = plan.recipe(row, &plan.grid[0]).memory_bytes(16, Target::Classes(4), 1000);
        assert!(needed.is_ok(), "{}: {needed:?}", row.name);
    }
}

/// NaN within a few steps without: at step 2 at rate .1, around step 4 at rate .01. With clipping by norm it trains, and says how
/// large the gradient was before, and that all of it was clipped.
#[test]
fn an_exploding_network_needs_clipping() {
    let (plan, data) = (plan("exploding"), data(2000));
    for (rate, steps) in [(0.1, 2..=2), (0.01, 3..=5)] {
        for seed in 0..3 {
            let untreated = run(&recipe(&plan, "exploding", "untreated", rate), &data, seed);
            let found = untreated.divergence.expect("diverges").step;
            assert!(steps.contains(&found), "rate {rate}, seed {seed}: step {found}");
        }
    }
    for row in ["clip by value", "clip by norm", "adaptive clip"] {
        let clipped = run(&Recipe { steps: 600, ..recipe(&plan, "exploding", row, 0.1) }, &data, 1);
        assert_eq!(clipped.divergence, None, "{row}");
        assert!(clipped.accuracy > 0.3, "{row}: {}", clipped.accuracy);
        let course = &clipped.course;
        assert!(
            course.log10_gradient[0] > Some(0.5),
            "{row}: before clipping {:?}",
            course.log10_gradient[0]
        );
        assert!(course.clipped[0] > 0.5, "{row}: {}", course.clipped[0]);
    }
}

/// A smaller start is what is missing: LSUV and He's variance train unclipped.
#[test]
fn the_right_size_at_the_start_needs_no_clipping() {
    let (plan, data) = (plan("exploding"), data(2000));
    for row in ["LSUV", "smaller init"] {
        let recipe = Recipe { steps: 600, ..recipe(&plan, "exploding", row, 0.01) };
        assert_eq!(recipe.clipping, Clipping::None);
        let trained = run(&recipe, &data, 1);
        assert!(trained.divergence.is_none() && trained.accuracy > 0.4, "{row}: {}", trained.accuracy);
    }
}

/// Clipping makes gradients smaller, never larger: where they vanish, nothing is repaired.
#[test]
fn what_vanishes_cannot_be_clipped_back() {
    let (plan, data) = (plan("exploding"), data(2000));
    let of = |row| run(&Recipe { steps: 200, ..recipe(&plan, "vanishing", row, 0.1) }, &data, 1);
    let untreated = of("untreated");
    for row in ["clip by value", "clip by norm", "adaptive clip"] {
        let clipped = of(row);
        assert_eq!(clipped.ratio[0], untreated.ratio[0], "{row}");
        assert!(clipped.ratio[1] < Some(-15.0), "{row}: {:?}", clipped.ratio);
        assert!(clipped.accuracy < 0.2, "{row}: {}", clipped.accuracy);
    }
}

/// Decay and penalties shrink weights, max-norm holds each unit's: 20 layers of 64 units with norm 1.4 at most.
#[test]
fn weights_are_held_back() {
    let (plan, data) = (plan("exploding"), data(2000));
    let size = |row: &str| {
        let course = run(&Recipe { steps: 300, ..recipe(&plan, "exploding", row, 0.01) }, &data, 1).course;
        let squares = |step: usize| -> f64 {
            course.log10_w[step].iter().map(|log10| 10f64.powf(2.0 * log10.expect("finite"))).sum()
        };
        (squares(0).sqrt(), squares(course.steps.len() - 1).sqrt())
    };
    let (start, free) = size("clip by norm");
    // Variance 3 / n is 20 x 64 units of squared norm 3: sqrt(3840) = 62 at the start.
    assert!((start - 62.0).abs() < 1.0, "{start}");
    for row in ["norm + L1", "norm + L2", "norm + decay"] {
        let (_, end) = size(row);
        assert!(end < 0.99 * free, "{row}: {end} against {free}");
    }
    let (_, held) = size("norm + max-norm");
    let most = 1.4 * (20.0f64 * 64.0).sqrt();
    assert!(held <= most * (1.0 + 1e-5) && held > 0.8 * most, "{held} of {most}");
}

/// At the start, plain and wide: batch norm makes the gradient of ReLU layers explode by sqrt(pi / (pi - 1)) per layer, layer
/// norm leaves it level; batch norm keeps that of sigmoid layers, which layer norm does not rescue: sqrt(.1528).
#[test]
fn rates_of_normalised_networks() {
    let (plan, data) = (plan("norms"), data(512));
    let rate = |group: &str, row: &str| {
        let mut recipe = Recipe { steps: 0, batch: 512, ..recipe(&plan, group, row, 0.1) };
        recipe.architecture.width = 256;
        let ratio = run(&recipe, &data, 1).ratio[0].expect("a ratio");
        10f64.powf(ratio / (recipe.architecture.depth - 1) as f64)
    };
    for (group, row, expected) in [
        ("relu", "batch norm", (PI / (PI - 1.0)).sqrt()),
        // Standardised weights of variance 2 / ((1 - 1 / pi) n), of which ReLU's slope leaves half.
        ("relu", "standardised", (PI / (PI - 1.0)).sqrt()),
        ("relu", "layer norm", 1.0),
        ("relu", "untreated", 1.0),
        ("sigmoid", "layer norm", 0.1528f64.sqrt()),
    ] {
        let found = rate(group, row);
        assert!((found / expected - 1.0).abs() < 0.02, "{row} before {group}: {found}, expected {expected}");
    }
    let rescued = rate("sigmoid", "batch norm");
    assert!((0.95..1.1).contains(&rescued), "{rescued}");
}

/// What a network's table says is taken over by its recipe, and a warm-up is a row's own.
#[test]
fn a_row_has_its_own_schedule_and_restraint() {
    let plan = plan("exploding");
    let of = |row| recipe(&plan, "exploding", row, 0.1);
    let first = |recipe: Recipe| recipe.schedule.factor(0, recipe.steps);
    assert_eq!((first(of("warm-up")), first(of("untreated"))), (1.0 / 200.0, 1.0));
    assert_eq!((of("decay").restraint.decay, of("max-norm").restraint.max_norm), (1e-2, Some(1.4)));
    assert_eq!(of("untreated").restraint, Default::default());
}

#[test]
fn bad_fields_of_remedies_are_refused() {
    const SMALL: &str = include_str!("small.toml");
    let old = "penalty = { kind = \"l1\", lambda = 1e-5 }";
    assert!(SMALL.contains(old));
    let residual = "residual = { scale = \"1/sqrt(L)\", layers = 2, last = \"linear\" }";
    assert!(SMALL.contains(residual));
    let add = |line: &str| SMALL.replace(old, line);
    let branch = |table: &str| SMALL.replace(residual, &format!("residual = {{ layers = 2, {table} }}"));
    let cases: [(String, &[&str]); 12] = [
        (add("weights = \"standardized\""), &["standardized", "`standardised`", "line"]),
        (
            add("weights = \"standardised\"").replace("orthogonal", "lsuv"),
            &["init is lsuv", "standardised weights"],
        ),
        (add("decay = -0.1"), &["residual", "decay is -0.1", "0 or positive"]),
        (add("decay = inf"), &["decay is inf", "0 or positive"]),
        (add("max_norm = 0.0"), &["max_norm is 0", "positive number"]),
        (add("max_norm = nan"), &["max_norm is NaN", "positive number"]),
        (add("schedule = \"slow\""), &["slow", "warm-up", "line"]),
        (add("bias_variance = 0.1").replace("orthogonal", "lsuv"), &["bias_variance", "lsuv", "biases of 0"]),
        (branch("scale = \"learnt\", last = \"linear\""), &["learnt", "\"learned\"", "line"]),
        (
            branch("scale = 1.0, last = \"activation\", zero_init = true"),
            &["residual.zero_init", "residual.last = \"linear\""],
        ),
        (
            branch("scale = \"learned\", last = \"linear\", zero_init = true"),
            &["residual.zero_init", "not learned"],
        ),
        (branch("scale = 1.0, last = \"linear\", position = \"middle\""), &["middle", "`post`", "line"]),
    ];
    for (text, words) in cases {
        let error = StudyPlan::parse("bad.toml", &text, None, false).expect_err("bad").to_string();
        for word in words {
            assert!(error.contains(word), "`{word}` is not in: {error}");
        }
    }
}

#[test]
fn lsuv_needs_data() {
    let error = "lsuv".parse::<isobath::init::Init>().expect_err("no data").to_string();
    assert!(error.contains("isobath train") && error.contains("xavier, he"), "{error}");
}

/// A block whose branch is zero passes its gradient on as it is, and still learns.
#[test]
fn blocks_that_start_as_the_identity_learn() {
    let (plan, data) = (plan("norms"), data(2000));
    for row in ["skip-init", "zero-init"] {
        let mut recipe = Recipe { steps: 300, ..recipe(&plan, "relu", row, 0.01) };
        let trained = run(&recipe, &data, 1);
        assert!(trained.ratio[0].expect("a ratio").abs() < 1e-6, "{row}: {:?}", trained.ratio);
        assert!(
            trained.moved.iter().all(|moved| moved.expect("a figure") > 1e-3),
            "{row}: {:?}",
            trained.moved
        );
        assert!(trained.accuracy > 0.5, "{row}: {}", trained.accuracy);
        // Activated after the sum, blocks are no identity, but still start level enough to learn.
        recipe.architecture.residual.as_mut().expect("has blocks").activated_sum = true;
        let trained = run(&recipe, &data, 1);
        assert!(trained.accuracy > 0.4, "{row}, activated sums: {}", trained.accuracy);
    }
}
