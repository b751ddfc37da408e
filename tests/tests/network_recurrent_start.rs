//! How recurrent layers start, and what is none.

use isobath::activation::Activation;
use isobath::init::Init;
use isobath::net::{Arena, Cell, ForgetBias, Layer, Place, Plan, PlanError, Recurrent, Shown, Signal};
use isobath_tests::case::{Case, INIT};
use isobath_tests::zoo;

fn started(layer: Recurrent, (steps, features): (usize, usize), test: impl Fn(&[f32], &[f32], &[f32])) {
    let case = Case::new("a start", Signal::sequence(steps, features), 2, vec![Layer::Recurrent(layer)]);
    case.run(|plan, arena: &mut Arena<'_>| {
        let place = plan.places()[0];
        let (weights, biases) = arena.parameters_of(&place).split_at(place.weight_count);
        let (w, u) = weights.split_at(features * biases.len());
        test(w, u, biases);
    });
}

#[test]
fn gates_start_each_by_itself() {
    let (n, features) = (12, 40);
    for (cell, gates) in [(Cell::Lstm, 4), (Cell::Gru, 3), (Cell::Rnn(Activation::Tanh), 1)] {
        let layer = Recurrent {
            input_init: Init::gaussian(4.0, 0.25),
            recurrent_init: Init::ORTHOGONAL,
            forget_bias: ForgetBias::Fixed(1.5),
            ..Recurrent::new(cell, n, INIT)
        };
        started(layer, (3, features), |w, u, biases| {
            assert_eq!(biases.len(), gates * n);
            for gate in 0..gates {
                let column = |k: usize| (0..n).map(move |i| f64::from(u[i * gates * n + gate * n + k]));
                for (a, b) in (0..n).flat_map(|a| (0..n).map(move |b| (a, b))) {
                    let dot: f64 = column(a).zip(column(b)).map(|(x, y)| x * y).sum();
                    assert!(
                        (dot - f64::from(u8::from(a == b))).abs() < 1e-5,
                        "{cell:?}: gate {gate}, {a}, {b}"
                    );
                }
                let of_gate = |(at, _): &(usize, &f32)| at % (gates * n) / n == gate;
                let values: Vec<f64> =
                    w.iter().enumerate().filter(of_gate).map(|(_, w)| f64::from(*w)).collect();
                let variance = values.iter().map(|w| w * w).sum::<f64>() / values.len() as f64;
                // Chi-squared: 480 draws deviate by 6.5 %.
                assert!(
                    (variance * features as f64 / 4.0 - 1.0).abs() < 0.26,
                    "{cell:?}: gate {gate}, {variance}"
                );
                let biases = &biases[gate * n..][..n];
                let keeps = gate == 1;
                assert_eq!(biases.iter().all(|b| *b == 1.5), keeps, "{cell:?}: gate {gate}, {biases:?}");
                assert!(keeps || biases.iter().any(|b| *b != biases[0]));
            }
        });
    }
}

#[test]
fn chrono_spreads_the_times_of_keeping_up_to_the_longest() {
    let (n, longest) = (400, 100);
    for cell in [Cell::Lstm, Cell::Gru] {
        let forget_bias = ForgetBias::Chrono;
        let layer = Recurrent { forget_bias, ..Recurrent::new(cell, n, Init::LECUN) };
        started(layer, (longest, 1), |_, _, biases| {
            let keeps = &biases[n..2 * n];
            let mut times: Vec<f64> = keeps.iter().map(|b| f64::from(*b).exp()).collect();
            times.sort_by(f64::total_cmp);
            assert!(times[0] >= 0.999 && times[n - 1] <= 99.01, "{} to {}", times[0], times[n - 1]);
            // Kolmogorov and Smirnov: 400 uniform draws stay within 1.63 / 20 of their line in 99 of 100 cases.
            for (i, time) in times.iter().enumerate() {
                let line = (time - 1.0) / 98.0;
                assert!((line - i as f64 / n as f64).abs() < 1.63 / 20.0 + 0.003, "{cell:?}: {time} at {i}");
            }
            let opposite = biases[..n].iter().zip(keeps).all(|(i, f)| *i == -*f);
            assert_eq!(opposite, cell == Cell::Lstm, "the input gate starts at minus the forget gate");
        });
    }
}

#[test]
fn what_is_no_recurrent_layer_is_refused() {
    let good = zoo::recurrent(Cell::Lstm, 3, Shown::Last(2));
    let plan = |layer: Recurrent| {
        let (layers, mut places) = ([Layer::Recurrent(layer)], [Place::default()]);
        let plan = Plan::new(Signal::sequence(4, 2), 2, &layers, &mut places);
        plan.map(|plan| plan.output_signal()).map_err(|error| (error, error.to_string()))
    };
    assert_eq!(plan(good), Ok(Signal::sequence(2, 3)));
    assert_eq!(plan(Recurrent { shown: Shown::All, ..good }), Ok(Signal::sequence(4, 3)));
    let refused = |layer| plan(layer).unwrap_err();
    let (error, text) = refused(Recurrent { shown: Shown::Last(5), ..good });
    assert_eq!(error, PlanError::Shown { layer: 0, shown: 5, steps: 4 });
    assert!(text.contains("5 states") && text.contains("1 to 4"), "{text}");
    let none = Recurrent { shown: Shown::Last(0), ..good };
    assert_eq!(refused(none).0, PlanError::Shown { layer: 0, shown: 0, steps: 4 });
    assert!(matches!(refused(Recurrent { units: 0, ..good }).0, PlanError::Zero(_)));
    let prelu = Cell::Rnn(Activation::Prelu(0.25));
    assert_eq!(refused(Recurrent { cell: prelu, ..good }).0, PlanError::RecurrentPrelu { layer: 0 });
    for limit in [0.0, -1.0, f32::NAN] {
        let layer = Recurrent { clip: Some(limit), ..good };
        assert_eq!(refused(layer).0, PlanError::RecurrentClip { layer: 0 });
    }
    let huge = Recurrent { units: usize::MAX / 8, ..good };
    assert_eq!(refused(huge).0, PlanError::TooLarge);
}
