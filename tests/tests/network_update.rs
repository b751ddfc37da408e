//! The end of a step: the order of clipping, penalty and optimiser, which parameters decay, what is reported.

use isobath::activation::Activation;
use isobath::net::Layer;
use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
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
        let changed = update.apply(level, &plan, arena, RATE as f32).expect("update");
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
