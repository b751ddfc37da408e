//! The end of a step: the order of clipping, penalty, optimiser and restraint, which parameters they touch, what is
//! reported.

use isobath::activation::Activation;
use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
use isobath::net::{Layer, NetError, Restraint};
use isobath::threads::Serial;
use isobath_kernels::Level;
use isobath_tests::case::{Case, INIT, normals, perturb};
use isobath_tests::levels;

const RATE: f64 = 0.25;
/// Weights of the first dense layer, its biases; the slope; gain and shift; the second layer's weights and biases.
const WEIGHTS: [std::ops::Range<usize>; 2] = [0..6, 16..22];

fn case() -> Case {
    let layers = vec![
        Layer::dense(3, INIT),
        Layer::Activation(Activation::Prelu(0.25)),
        Layer::LAYER_NORM,
        Layer::dense(2, INIT),
    ];
    Case::new("two dense layers", 2, 2, layers)
}

fn is_weight(at: usize) -> bool {
    WEIGHTS.iter().any(|range| range.contains(&at))
}

/// Applies one update to given gradients; returns parameters before, gradients before, parameters after, the report.
fn apply(
    level: Level,
    optimizer: Optimizer,
    clipping: Clipping,
    penalty: Penalty,
) -> (Vec<f64>, Vec<f64>, Vec<f64>, f64) {
    let widen = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<f64>>();
    case().run_in(optimizer.moments(), f32::NAN, |plan, arena| {
        perturb(arena);
        arena.gradients.copy_from_slice(&normals(3, plan.parameters()));
        let (before, gradients) = (widen(arena.parameters), widen(arena.gradients));
        let mut update = Update::new(optimizer, clipping, penalty);
        let changed = update.apply(level, &Serial, &plan, arena, RATE as f32).expect("update");
        (before, gradients, widen(arena.parameters), changed.fraction())
    })
}

#[track_caller]
fn assert_close(expected: impl Iterator<Item = f64>, found: &[f64], what: &str) {
    for (i, (e, f)) in expected.zip(found).enumerate() {
        assert!((e - f).abs() <= 3e-6, "{what}: parameter {i} is {f}, expected {e}");
    }
}

/// Gradients are clipped before the penalty is added, and the penalty concerns weights alone.
#[test]
fn clipping_then_penalty_then_step() {
    let lambda = f64::from(0.1_f32);
    for level in levels::all() {
        for penalty in [Penalty::None, Penalty::L1 { lambda: 0.1 }, Penalty::L2 { lambda: 0.1 }] {
            let addition = |at: usize, w: f64| match penalty {
                _ if !is_weight(at) => 0.0,
                Penalty::None => 0.0,
                Penalty::L1 { .. } => lambda * w.signum(),
                Penalty::L2 { .. } => lambda * w,
            };
            for clipping in
                [Clipping::None, Clipping::Value { limit: 0.5 }, Clipping::GlobalNorm { max_norm: 0.5 }]
            {
                let (before, gradients, after, changed) = apply(level, Optimizer::Sgd, clipping, penalty);
                let norm = gradients.iter().map(|g| g * g).sum::<f64>().sqrt();
                let clipped = |g: f64| match clipping {
                    Clipping::Value { .. } => g.clamp(-0.5, 0.5),
                    Clipping::GlobalNorm { .. } => g * 0.5 / norm,
                    _ => g,
                };
                let step = |(at, (w, g)): (usize, (&f64, &f64))| w - RATE * (clipped(*g) + addition(at, *w));
                let expected = before.iter().zip(&gradients).enumerate().map(step);
                assert_close(expected, &after, &format!("{clipping:?}, {penalty:?}"));
                let moved = gradients.iter().filter(|g| clipped(**g) != **g).count();
                assert_eq!(changed, moved as f64 / gradients.len() as f64, "{clipping:?}");
            }
        }
    }
}

/// The first step of Adam is the sign of the gradient; AdamW also shrinks weights, and nothing else.
#[test]
fn only_weights_decay() {
    for weight_decay in [0.0, 0.5] {
        let optimizer = Optimizer::Adam { weight_decay };
        let (before, gradients, after, changed) =
            apply(Level::detect(), optimizer, Clipping::None, Penalty::None);
        let step = |(at, (w, g)): (usize, (&f64, &f64))| {
            let decay = if is_weight(at) { f64::from(weight_decay) } else { 0.0 };
            w * (1.0 - RATE * decay) - RATE * g.signum()
        };
        assert_close(before.iter().zip(&gradients).enumerate().map(step), &after, "Adam");
        assert_eq!(changed, 0.0);
    }
}

/// AGC holds each unit's weight gradient to lambda times its weights' norm and leaves all else alone.
#[test]
fn adaptive_clipping_by_unit() {
    let lambda = 1.5_f32;
    let (before, gradients, after, changed) =
        apply(Level::detect(), Optimizer::Sgd, Clipping::Adaptive { lambda }, Penalty::None);
    let mut clipped = gradients.clone();
    let mut units = 0;
    for (start, fan_in, width) in [(0, 2, 3), (16, 3, 2)] {
        for unit in 0..width {
            let norm = |values: &[f64]| {
                (0..fan_in).map(|i| values[start + i * width + unit].powi(2)).sum::<f64>().sqrt()
            };
            let limit = f64::from(lambda) * norm(&before);
            let factor = limit / norm(&gradients);
            if factor < 1.0 {
                units += 1;
                (0..fan_in).for_each(|i| clipped[start + i * width + unit] *= factor);
            }
        }
    }
    assert!((1..5).contains(&units), "some units are clipped and some not, {units} of 5");
    assert_close(before.iter().zip(&clipped).map(|(w, g)| w - RATE * g), &after, "AGC");
    assert_eq!(changed, units as f64 / 5.0);
}

/// The parameters after one update of given gradients, under a restraint.
fn restrained(level: Level, optimizer: Optimizer, restraint: Restraint) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    case().run_in(optimizer.moments(), f32::NAN, |plan, arena| {
        perturb(arena);
        arena.gradients.copy_from_slice(&normals(3, plan.parameters()));
        let (before, gradients) = (arena.parameters.to_vec(), arena.gradients.to_vec());
        let mut update = Update::new(optimizer, Clipping::None, Penalty::None).with_restraint(restraint);
        update.apply(level, &Serial, &plan, arena, RATE as f32).expect("update");
        (before, gradients, arena.parameters.to_vec())
    })
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// Decay shrinks weights beside the step, whatever the optimiser; beside Adam's it is AdamW to the last bit.
#[test]
fn decay_is_decoupled_from_the_step() {
    let restraint = Restraint { decay: 0.5, max_norm: None };
    let none = Restraint::default();
    for level in levels::all() {
        for optimizer in [
            Optimizer::Sgd,
            Optimizer::Momentum { momentum: 0.9, nesterov: true },
            Optimizer::Adam { weight_decay: 0.0 },
        ] {
            let (before, _, plain) = restrained(level, optimizer, none);
            let (_, _, decayed) = restrained(level, optimizer, restraint);
            let shrunk = |(at, w): (usize, &f32)| {
                f64::from(plain[at]) - if is_weight(at) { RATE * 0.5 * f64::from(*w) } else { 0.0 }
            };
            let expected = before.iter().enumerate().map(shrunk);
            assert_close(expected, &widen(&decayed), &format!("{optimizer:?}"));
        }
        let adam_w = restrained(level, Optimizer::Adam { weight_decay: 0.3 }, none).2;
        let decayed = restrained(
            level,
            Optimizer::Adam { weight_decay: 0.0 },
            Restraint { decay: 0.3, max_norm: None },
        )
        .2;
        assert_eq!(adam_w, decayed, "{}", level.name());
    }
}

/// After the step each unit's incoming weights, a column, are on or inside the ball; what was inside keeps its bits.
#[test]
fn max_norm_projects_columns_after_the_step() {
    let limit = 1.0_f32;
    let restraint = Restraint { decay: 0.0, max_norm: Some(limit) };
    for level in levels::all() {
        let (before, gradients, after) = restrained(level, Optimizer::Sgd, restraint);
        let free = restrained(level, Optimizer::Sgd, Restraint::default()).2;
        let mut expected: Vec<f64> =
            before.iter().zip(&gradients).map(|(w, g)| f64::from(*w) - RATE * f64::from(*g)).collect();
        let mut projected = 0;
        for (start, fan_in, width) in [(0, 2, 3), (16, 3, 2)] {
            for unit in 0..width {
                let column = || (0..fan_in).map(|i| start + i * width + unit);
                let norm = column().map(|at| expected[at].powi(2)).sum::<f64>().sqrt();
                if norm > f64::from(limit) {
                    projected += 1;
                    column().for_each(|at| expected[at] *= f64::from(limit) / norm);
                } else {
                    assert!(column().all(|at| after[at] == free[at]), "a unit inside the ball has moved");
                }
            }
        }
        assert!((1..5).contains(&projected), "some units are projected and some not, {projected} of 5");
        assert_close(expected.into_iter(), &widen(&after), level.name());
        assert!((0..after.len()).all(|at| is_weight(at) || after[at] == free[at]), "only weights are held");
    }
}

#[test]
fn restraints_that_are_none() {
    case().run(|plan, arena| {
        arena.gradients.fill(1.0);
        let before = arena.parameters.to_vec();
        for (decay, max_norm) in
            [(-0.1, None), (f32::NAN, None), (f32::INFINITY, None), (0.0, Some(-1.0)), (0.0, Some(f32::NAN))]
        {
            let mut update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None)
                .with_restraint(Restraint { decay, max_norm });
            let error = update.apply(Level::detect(), &Serial, &plan, arena, 0.1).expect_err("no restraint");
            assert_eq!(error, NetError::Restraint);
            assert_eq!(error.to_string(), "decay and the largest norm of weights must be 0 or positive");
            assert_eq!(before, arena.parameters, "nothing has moved");
        }
    });
}

/// The penalty is a function of the dense weights alone, whose gradient is what is added to theirs.
#[test]
fn the_value_of_a_penalty() {
    let lambda = f64::from(0.1_f32);
    for level in levels::all() {
        case().run(|plan, arena| {
            perturb(arena);
            let weights: Vec<f64> = (0..plan.parameters())
                .filter(|at| is_weight(*at))
                .map(|at| arena.parameters[at].into())
                .collect();
            let l1 = lambda * weights.iter().map(|w| w.abs()).sum::<f64>();
            let l2 = lambda / 2.0 * weights.iter().map(|w| w * w).sum::<f64>();
            let value = |penalty: Penalty| penalty.value(level, &plan, arena);
            assert!((value(Penalty::L1 { lambda: 0.1 }) - l1).abs() < 1e-12 * l1);
            assert!((value(Penalty::L2 { lambda: 0.1 }) - l2).abs() < 1e-6 * l2);
            assert_eq!(value(Penalty::None), 0.0);
        });
    }
}
