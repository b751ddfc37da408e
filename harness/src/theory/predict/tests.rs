//! Whole questions: published totals, transients, and that nothing is null without a reason.

use super::*;
use crate::activation::Activation;
use crate::theory::assert_close;
use crate::theory::finite_width::layer_log_gain;
use crate::theory::question::NormPosition;
use crate::theory::residual::BranchEnd;

const BARE: Question = Question {
    activation: Activation::Sigmoid,
    weight_variance: 1.0,
    bias_variance: 0.0,
    orthogonal: false,
    depth: 30,
    width: 64,
    input_width: 64,
    batch: None,
    norm: Norm::None,
    norm_position: NormPosition::Pre,
    residual: None,
    input_q: None,
    pair_correlation: None,
    nets: 8,
};
const HE: Question = Question { activation: Activation::Relu, weight_variance: 2.0, ..BARE };
const WIDE: usize = 1 << 40;

#[test]
fn sigmoid_xavier_vanishes_by_eighteen_decades() {
    let wide = predict(&Question { width: WIDE, input_width: WIDE, ..BARE }).unwrap();
    assert_close(wide.log10_delta_ratio.unwrap(), 14.5 * 0.0557207f64.log10(), 1e-6);
    assert_close(wide.chi.unwrap(), 0.0557207, 2e-6);
    assert_eq!(wide.source, Source::MeanField);
    assert_eq!(wide.length_stable, Some(true));
    assert_eq!(wide.max_depth_one_decade, Some(2));
    assert_eq!(wide.per_layer.len(), 30);
    assert_eq!(wide.per_layer[29].factor, None);
    assert_close(wide.per_layer[3].weight_gain.unwrap(), 1.0, 1e-9);
}

#[test]
fn he_relu_keeps_its_size_but_for_width() {
    let prediction = predict(&HE).unwrap();
    let law = layer_log_gain(Ensemble::new(Activation::Relu, 2.0, 0.0).unwrap(), 1.0, 64, false);
    let total = prediction.log_gain.unwrap();
    assert_close(total.mean, 29.0 * law.mean, 1e-12);
    assert_close(total.var.unwrap(), 29.0 * law.var, 1e-12);
    assert_close(prediction.chi.unwrap(), 1.0, 1e-12);
    assert_eq!((prediction.q_star, prediction.c_star, prediction.depth_scale), (None, Some(1.0), None));
    let (low, high) = prediction.band95.unwrap();
    let middle = prediction.log10_delta_ratio.unwrap();
    assert!(low < middle && middle < high && low < 0.0);
    assert_close(
        high - low,
        2.0 * 1.959964 * (29.0 * law.var / 8.0).sqrt() / (2.0 * core::f64::consts::LN_10),
        1e-6,
    );
}

/// Mean and variance of the log gain of 10 factors at width 64, simulated: 3000 nets (orthogonal: 6000), the
/// first layer at q*. Activation, s_w^2, s_b^2, q*, orthogonal, mean and its standard error, variance and its
/// own.
type Simulated = (Activation, f64, f64, f64, bool, (f64, f64), (f64, f64));

const SIMULATED: [Simulated; 14] = [
    (Activation::Sigmoid, 1.0, 0.0, 0.2646869, false, (-29.0700, 0.0105), (0.3287, 0.0085)),
    (Activation::Sigmoid, 1.0, 1.0, 1.302134, false, (-31.9378, 0.0118), (0.4149, 0.0107)),
    (Activation::Tanh, 1.0, 0.05, 0.1935925, false, (-2.9822, 0.0118), (0.4154, 0.0107)),
    (Activation::Tanh, 1.76095464, 0.05, 0.5700479, false, (-0.2648, 0.0139), (0.5835, 0.0151)),
    (Activation::Tanh, 2.5, 0.05, 1.0639584, false, (0.9203, 0.0160), (0.7640, 0.0197)),
    (Activation::Elu(1.0), 1.55, 0.0, 0.9969357, false, (0.1003, 0.0133), (0.5281, 0.0136)),
    (Activation::Selu, 1.0, 0.0, 1.0, false, (0.4251, 0.0135), (0.5471, 0.0141)),
    (Activation::Relu, 2.0, 0.0, 1.0, false, (-0.4060, 0.0170), (0.8692, 0.0224)),
    (Activation::Relu, 2.0, 0.0, 1.0, true, (-0.2525, 0.0132), (0.5239, 0.0135)),
    (Activation::Tanh, 1.76095464, 0.05, 0.5700479, true, (-0.0652, 0.0055), (0.1834, 0.0033)),
    (Activation::Tanh, 2.5, 0.05, 1.0639584, true, (1.1319, 0.0073), (0.3155, 0.0058)),
    (Activation::Elu(1.0), 1.55, 0.0, 0.9969357, true, (0.2652, 0.0049), (0.1427, 0.0026)),
    (Activation::Selu, 1.0, 0.0, 1.0, true, (0.6139, 0.0049), (0.1468, 0.0027)),
    (Activation::Sigmoid, 1.0, 0.0, 0.2646869, true, (-28.8816, 0.0010), (0.0066, 0.0001)),
];

#[test]
fn finite_width_agrees_with_simulation() {
    for (activation, weight_variance, bias_variance, q, orthogonal, mean, var) in SIMULATED {
        let found = predict(&Question {
            activation,
            weight_variance,
            bias_variance,
            orthogonal,
            depth: 11,
            input_width: WIDE, // the simulated inputs have exactly this length
            input_q: Some((q - bias_variance) / weight_variance),
            ..BARE
        })
        .unwrap()
        .log_gain
        .unwrap();
        // Three standard errors, and what the next order in 1/n may add.
        let close = |found: f64, (expected, error): (f64, f64), order: f64| {
            (found - expected).abs() < 3.0 * error + order
        };
        assert!(
            close(found.mean, mean, 2e-3),
            "{activation} {orthogonal}: mean {} for {}",
            found.mean,
            mean.0
        );
        let var_found = found.var.unwrap();
        assert!(
            close(var_found, var, 0.05 * var.0),
            "{activation} {orthogonal}: var {var_found} for {}",
            var.0
        );
    }
}

#[test]
fn fading_tanh_rises_to_its_limit() {
    let question = Question { activation: Activation::Tanh, weight_variance: 1.0 / 3.0, width: WIDE, ..BARE };
    let prediction = predict(&question).unwrap();
    let factors: Vec<f64> = prediction.per_layer.iter().filter_map(|row| row.factor).collect();
    assert!(factors.windows(2).all(|pair| pair[0] < pair[1]));
    assert_close(factors[28], (1.0f64 / 3.0).sqrt(), 1e-5);
    assert_close(prediction.rate_squared.unwrap(), 1.0 / 3.0, 1e-9);
    assert!(prediction.log10_delta_ratio.unwrap() < 29.0 * (1.0f64 / 3.0).sqrt().log10() - 0.05);
}

#[test]
fn unstable_gelu_follows_its_length() {
    let gelu = Question { activation: Activation::Gelu, weight_variance: 2.1, width: WIDE, ..BARE };
    let open = predict(&gelu).unwrap();
    assert_eq!(open.length_stable, Some(false));
    let q = open.q_star.unwrap();
    let fading = predict(&Question { input_q: Some(0.9 * q / 2.1), depth: 200, ..gelu }).unwrap();
    assert_eq!(fading.q_star, Some(0.0));
    assert!(fading.per_layer[199].q < 1e-3);
    assert_close(fading.per_layer[198].factor.unwrap(), (2.1f64 / 4.0).sqrt(), 1e-2);
    let growing = predict(&Question { input_q: Some(1.1 * q / 2.1), depth: 200, ..gelu }).unwrap();
    assert_eq!((growing.q_star, growing.chi), (None, None));
    assert_close(growing.per_layer[198].factor.unwrap(), 1.05f64.sqrt(), 1e-2);
}

#[test]
fn normalisation() {
    let batch = |batch| Question { norm: Norm::Batch, batch, ..HE };
    let large = predict(&batch(Some(128))).unwrap();
    assert_close(large.rate_squared.unwrap(), 1.46694, 5e-6);
    assert_close(10f64.powf(large.log10_delta_ratio.unwrap() * 30.0 / 29.0), 313.0, 2e-3);
    let small = predict(&batch(Some(8))).unwrap();
    assert_eq!((small.source, small.rate_norm, small.batch_norm_rate), (Source::None, None, None));
    let linear = predict(&Question { activation: Activation::Identity, ..batch(Some(8)) }).unwrap();
    assert_close(linear.rate_squared.unwrap(), 6.0 / 5.0, 1e-12);
    let layer = predict(&Question { norm: Norm::Layer, ..BARE }).unwrap();
    assert_close(layer.rate_squared.unwrap(), 0.1528, 3e-4);
    assert_eq!(layer.source, Source::LayerNorm);
    let after = predict(&Question { norm: Norm::Layer, norm_position: NormPosition::Post, ..HE }).unwrap();
    assert_close(
        after.rate_squared.unwrap(),
        2.0 * core::f64::consts::PI / (core::f64::consts::PI - 1.0) / 2.0,
        1e-9,
    );
}

#[test]
fn residual() {
    let end = BranchEnd::Linear { weight_variance: 1.0 };
    let branch = Residual { scale: 1.0, layers: 2, end };
    let prediction = predict(&Question { residual: Some(branch), depth: 10, width: WIDE, ..HE }).unwrap();
    assert_close(prediction.rate_squared.unwrap(), 2.0, 1e-12);
    assert_close(prediction.log10_delta_ratio.unwrap(), 5.0 * 2f64.log10(), 1e-9);
    assert_eq!(prediction.per_layer.iter().filter(|row| row.factor.is_some()).count(), 10);
    assert_eq!(prediction.max_depth_one_decade, Some(6));
    assert_eq!(prediction.q_star, None);
}

#[test]
fn recurrence() {
    let forget = predict_recurrent(Recurrence::ZeroWeightGate { forget_bias: 1.0 }, 100).unwrap();
    assert_close(forget.rate_norm.unwrap(), 0.731059, 1e-6);
    assert_close(forget.log10_delta_ratio.unwrap(), 100.0 * 0.731059f64.log10(), 1e-5);
    assert_eq!(forget.max_depth_one_decade, Some(7));
    let random = predict_recurrent(Recurrence::RandomWeights, 100).unwrap();
    assert_eq!((random.source, random.rate_norm), (Source::None, None));
    assert!(predict_recurrent(Recurrence::ZeroWeightGate { forget_bias: f64::NAN }, 1).is_err());
}

#[test]
fn one_decade_is_where_the_ratio_crosses_it() {
    for question in [
        HE,
        BARE,
        Question { activation: Activation::Tanh, weight_variance: 0.9, input_q: Some(4.0), ..BARE },
        Question { activation: Activation::Gelu, weight_variance: 2.2, ..BARE },
        Question { norm: Norm::Batch, ..HE },
        Question { residual: Some(Residual { scale: 0.5, layers: 1, end: BranchEnd::Activation }), ..HE },
    ] {
        let depth = predict(&question).unwrap().max_depth_one_decade.unwrap();
        let decades =
            |depth| predict(&Question { depth, ..question }).unwrap().log10_delta_ratio.unwrap().abs();
        assert!(decades(depth) <= 1.0, "{question:?}: {} at {depth}", decades(depth));
        assert!(decades(depth + 1) > 1.0, "{question:?}: {} at {}", decades(depth + 1), depth + 1);
    }
}

#[test]
fn every_null_has_its_reason_and_no_figure_has_one() {
    let activations =
        [Activation::Identity, Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::Gelu];
    let skip = Some(Residual { scale: 0.5, layers: 1, end: BranchEnd::Activation });
    let networks = [
        BARE,
        Question { residual: skip, ..BARE },
        Question { residual: skip, norm: Norm::Batch, ..BARE },
        Question { norm: Norm::Batch, ..BARE },
        Question { norm: Norm::Batch, batch: Some(3), ..BARE },
        Question { norm: Norm::Batch, norm_position: NormPosition::Post, ..BARE },
        Question { norm: Norm::Layer, ..BARE },
        Question { norm: Norm::Layer, norm_position: NormPosition::Post, ..BARE },
        Question { input_q: Some(3.0), pair_correlation: Some(0.5), ..BARE },
        Question { depth: 1, input_width: 7, ..BARE },
    ];
    for activation in activations {
        for (weight_variance, bias_variance) in [(0.3, 0.0), (2.0, 0.0), (2.0, 0.05)] {
            for network in networks {
                let question = Question { activation, weight_variance, bias_variance, ..network };
                check_nulls(&predict(&Question { depth: question.depth.min(3), ..question }).unwrap());
            }
        }
    }
    check_nulls(&predict_recurrent(Recurrence::RandomWeights, 9).unwrap());
    check_nulls(&predict_recurrent(Recurrence::ScaledOrthogonal { gain: 1.0 }, 9).unwrap());
}

#[track_caller]
fn check_nulls(prediction: &Prediction) {
    let json = serde_json::to_value(prediction).unwrap();
    for (name, value) in json.as_object().unwrap() {
        assert_eq!(
            value.is_null(),
            prediction.reasons.contains_key(name.as_str()),
            "{name} in {prediction:?}"
        );
    }
}

#[test]
fn refuses_bad_questions() {
    for question in [
        Question { depth: 0, ..BARE },
        Question { width: 0, ..BARE },
        Question { input_width: 0, ..BARE },
        Question { nets: 0, ..BARE },
        Question { batch: Some(0), ..BARE },
        Question { weight_variance: -1.0, ..BARE },
        Question { bias_variance: f64::NAN, ..BARE },
        Question { input_q: Some(-1.0), ..BARE },
        Question { pair_correlation: Some(1.5), ..BARE },
        Question {
            residual: Some(Residual { scale: f64::NAN, layers: 1, end: BranchEnd::Activation }),
            ..BARE
        },
    ] {
        assert!(predict(&question).is_err(), "{question:?}");
    }
}
