//! Recurrent layers: gradients of each step's state against f64, exact cases, powers of two in time, clipping, starts.
//! Values and gradients of parameters and inputs are in `network.rs`, ragged batches in `network_bits.rs`.

use std::sync::atomic::AtomicUsize;

use isobath::activation::Activation;
use isobath::init::{Init, WeightVariance};
use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
use isobath::net::{Cell, ForgetBias, Layer, Mode, Pass, Recurrent, Shown, Signal, Watch};
use isobath::threads::{Serial, Threads};
use isobath_kernels::{Level, MatRef};
use isobath_tests::case::{Case, INIT, Seen, normals, perturb};
use isobath_tests::contrary::Contrary;
use isobath_tests::hash::hash;
use isobath_tests::network::{Rows, activate, differentiate, log10_norm};
use isobath_tests::recurrent::{Nudge, output};
use isobath_tests::{levels, zoo};

/// The gradients of states that a backward pass shows: of h, and of c if there is one.
#[derive(Default)]
struct States {
    hidden: Vec<Seen>,
    memory: Vec<Seen>,
    weights: Vec<f64>,
}

fn seen(step: usize, x: MatRef<'_>, exponent: i32) -> Seen {
    let values = (0..x.rows()).flat_map(|i| x.row(i).iter().copied()).collect();
    Seen { layer: step, values, exponent }
}

impl Watch for States {
    fn state(&mut self, _: usize, step: usize, h: MatRef<'_>, c: Option<MatRef<'_>>, exponent: i32) {
        self.hidden.push(seen(step, h, exponent));
        self.memory.extend(c.map(|c| seen(step, c, exponent)));
    }
    fn weight_gradient(&mut self, _: usize, gradient: MatRef<'_>, exponent: i32) {
        self.weights.push(seen(0, gradient, exponent).log10_norm());
    }
}

/// One layer over `rows` sequences of `features` values a step, with parameters that `change` has had a look at.
fn run(
    layer: Recurrent,
    (steps, features): (usize, usize),
    rows: usize,
    level: Level,
    input: &[f32],
    change: impl Fn(&mut [f32]),
) -> (States, Vec<f32>, Vec<f32>) {
    let case = Case::new(
        "a recurrent layer",
        Signal::sequence(steps, features),
        rows,
        vec![Layer::Recurrent(layer)],
    );
    case.run(|plan, arena| {
        change(arena.parameters);
        let pass = Pass { plan, level, threads: &Serial, rows };
        let mut states = States::default();
        arena.input_mut(&plan, rows).copy_from_slice(input);
        pass.forward(arena, Mode::Training, &mut states).expect("forward");
        let cotangent = normals(2, rows * plan.output());
        pass.backward(arena, &cotangent, true, &mut states).expect("backward");
        (states, arena.parameters.to_vec(), arena.gradients.to_vec())
    })
}

#[test]
fn gradients_of_every_state_are_slopes() {
    let (rows, features, units, steps) = (2, 3, 4, 5);
    for (cell, shown) in zoo::CELLS.into_iter().flat_map(|cell| [(cell, 1), (cell, 3), (cell, 5)]) {
        let layer = zoo::recurrent(cell, units, Shown::Last(shown));
        let input = normals(1, rows * features * steps);
        let (found, parameters, _) = run(layer, (steps, features), rows, Level::detect(), &input, |_| {});
        let parameters = Rows::new(1, &parameters).values;
        let cotangent = Rows::new(shown * units, &normals(2, rows * shown * units));
        let input = Rows::new(features * steps, &input);
        let with_memory = if cell == Cell::Lstm { steps } else { 0 };
        assert_eq!((found.hidden.len(), found.memory.len()), (steps, with_memory), "{cell:?}");
        for (i, seen) in found.hidden.iter().chain(&found.memory).enumerate() {
            let (step, of_memory) = (seen.layer, i >= steps);
            assert_eq!(step, steps - i % steps, "steps are shown from the last to the first");
            for (at, found) in seen.exact().into_iter().enumerate() {
                let (row, unit) = (at / units, at % units);
                let x = &input.values[row * features * steps..][..features * steps];
                let u = &cotangent.values[row * shown * units..][..shown * units];
                let slope = differentiate(&[0.0], |by| {
                    let nudge = Nudge { step, of_memory, unit, by: by[0] };
                    let output = output(&layer, &parameters, x, steps, Some(nudge));
                    output.iter().zip(u).map(|(y, u)| y * u).sum()
                })[0];
                let close = (found - slope).abs() <= 4e-6 * (1.0 + slope.abs());
                assert!(
                    close,
                    "{cell:?}, {shown} shown, step {step}, {of_memory}, {at}: {found} for {slope}"
                );
            }
        }
    }
}

/// Without weights each step multiplies the gradient of the LSTM's c by sigma(b_f), of the GRU's h by sigma(b_z), and
/// the plain recurrence forgets at once.
#[test]
fn without_weights_the_gates_alone_decide() {
    let (rows, units, steps) = (2, 3, 1000);
    for (cell, bias) in [(Cell::Lstm, 0.0_f32), (Cell::Lstm, 1.0), (Cell::Gru, 0.0), (Cell::Gru, -2.0)] {
        let layer = Recurrent {
            forget_bias: ForgetBias::Fixed(bias),
            ..Recurrent::new(cell, units, Init::gaussian(1.0, 0.0))
        };
        let weights = if cell == Cell::Lstm { 4 } else { 3 } * units * (1 + units);
        let input = normals(1, rows * steps);
        for level in levels::all() {
            let (states, _, _) = run(layer, (steps, 1), rows, level, &input, |p| p[..weights].fill(0.0));
            let shown = if cell == Cell::Lstm { &states.memory } else { &states.hidden };
            let factor = 1.0 / (1.0 + (-f64::from(bias)).exp());
            for (k, seen) in shown.iter().enumerate() {
                let expected = shown[0].log10_norm() + k as f64 * factor.log10();
                let close = (seen.log10_norm() - expected).abs() <= 1e-7 * (1.0 + k as f64);
                assert!(close, "{cell:?} {bias}: {} steps back {}", k, seen.log10_norm());
                if bias == 0.0 && k > 0 {
                    let half: Vec<f64> = shown[k - 1].exact().iter().map(|x| x / 2.0).collect();
                    // f64 ends at 2^-1074, f32 with its power of two does not.
                    assert!(k > 900 || seen.exact() == half, "exactly a half, {k} steps back");
                }
            }
        }
    }
    let plain = Recurrent::new(Cell::Rnn(Activation::Tanh), units, INIT);
    let (states, _, _) = run(plain, (4, 1), rows, Level::detect(), &normals(1, rows * 4), |p| p.fill(0.0));
    let zero = |seen: &Seen| seen.values.iter().all(|x| *x == 0.0);
    assert!(!zero(&states.hidden[0]) && states.hidden[1..].iter().all(zero));
}

/// Each step multiplies the gradient of a linear recurrence with an orthogonal matrix by its gain, in either direction
/// far beyond f32; the sums over time are those of the largest step.
#[test]
fn gradients_leave_the_range_of_f32_and_are_still_known() {
    let (rows, units, steps) = (3, 8, 400);
    for gain in [0.25_f32, 4.0] {
        let init = Init { weight_variance: WeightVariance::Fixed(gain * gain), ..Init::ORTHOGONAL };
        let layer = Recurrent::new(Cell::Rnn(Activation::Identity), units, init);
        for level in levels::all() {
            let (states, _, gradients) =
                run(layer, (steps, 1), rows, level, &vec![0.0; rows * steps], |_| {});
            for (k, seen) in states.hidden.iter().enumerate() {
                let expected = states.hidden[0].log10_norm() + k as f64 * f64::from(gain).log10();
                assert!((seen.log10_norm() - expected).abs() <= 1e-4, "{gain}: {k} steps back");
                let largest = seen.values.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
                assert!((1e-13..1e13).contains(&largest), "{gain}: {k} steps back {largest} is stored");
            }
            // The bias hears every step: a geometric series.
            let biases = &gradients[gradients.len() - units..];
            assert!(biases.iter().all(|g| if gain < 1.0 { g.is_finite() } else { g.is_infinite() }));
        }
    }
}

/// A plain recurrence backward in f64, with clipping: the gradient of h after each step from the last, log10 of the
/// norm of each, and log10 of the norm of dW and dU together.
fn backward(
    layer: &Recurrent,
    parameters: &[f64],
    input: &[f64],
    steps: usize,
    rows: usize,
    cotangent: &[f64],
) -> (Vec<f64>, f64) {
    let Cell::Rnn(phi) = layer.cell else { panic!("a plain recurrence is needed") };
    let n = layer.units;
    let features = parameters.len() / n - n - 1;
    let (w, rest) = parameters.split_at(features * n);
    let (u, b) = rest.split_at(n * n);
    let width = features * steps;
    let states: Vec<Vec<Vec<f64>>> = (0..rows)
        .map(|row| {
            let x = &input[row * width..][..width];
            isobath_tests::recurrent::states(layer, parameters, x, steps, None)
        })
        .collect();
    let mut dh = cotangent.to_vec();
    let (mut norms, mut weights) = (Vec::new(), vec![0.0; (features + n) * n]);
    for t in (0..steps).rev() {
        let norm = dh.iter().map(|x| x * x).sum::<f64>().sqrt();
        if let Some(limit) = layer.clip.map(f64::from)
            && norm > limit
        {
            dh.iter_mut().for_each(|x| *x *= limit / norm);
        }
        norms.push(log10_norm(&dh, 0));
        let mut before = vec![0.0; rows * n];
        for row in 0..rows {
            let x = &input[row * width + t * features..][..features];
            let zero = vec![0.0; n];
            let h = if t == 0 { &zero } else { &states[row][t - 1] };
            for k in 0..n {
                let sum = b[k]
                    + x.iter().enumerate().map(|(i, x)| x * w[i * n + k]).sum::<f64>()
                    + h.iter().enumerate().map(|(i, h)| h * u[i * n + k]).sum::<f64>();
                let slope = differentiate(&[sum], |sum| activate(phi, None, sum[0]))[0];
                let delta = dh[row * n + k] * slope;
                for (i, x) in x.iter().chain(h).enumerate() {
                    weights[i * n + k] += x * delta;
                }
                for i in 0..n {
                    before[row * n + i] += delta * u[i * n + k];
                }
            }
        }
        dh = before;
    }
    (norms, log10_norm(&weights, 0))
}

#[test]
fn vanishing_exploding_and_clipped_gradients_are_those_of_f64() {
    let (rows, features, units, steps) = (2, 2, 5, 120);
    // s_w^2, and log10 of the whole ratio at which the test means something.
    let cases =
        [(0.01, None, -100.0), (2.0, None, 5.0), (2.0, Some(0.5), f64::NAN), (0.9, Some(1e-3), f64::NAN)];
    for (variance, clip, decades) in cases {
        let phi = if variance > 1.0 { Activation::Identity } else { Activation::Tanh };
        let layer = Recurrent {
            clip,
            recurrent_init: Init::gaussian(variance, 0.0),
            ..Recurrent::new(Cell::Rnn(phi), units, Init::gaussian(0.1, 0.1))
        };
        let input = normals(1, rows * features * steps);
        let (found, parameters, _) = run(layer, (steps, features), rows, Level::detect(), &input, |_| {});
        let cotangent = Rows::new(units, &normals(2, rows * units)).values;
        let (input, parameters) = (Rows::new(1, &input).values, Rows::new(1, &parameters).values);
        let (norms, weights) = backward(&layer, &parameters, &input, steps, rows, &cotangent);
        for (k, (expected, seen)) in norms.iter().zip(&found.hidden).enumerate() {
            let found = seen.log10_norm();
            assert!(
                (expected - found).abs() < 1e-4,
                "{variance}, {clip:?}, {k} steps back: {found}, {expected}"
            );
            if let Some(limit) = clip {
                assert!(found <= f64::from(limit).log10() + 1e-6, "{found} is beyond the limit");
            }
        }
        assert!(
            (weights - found.weights[0]).abs() < 1e-4,
            "{variance}, {clip:?}: {weights}, {:?}",
            found.weights
        );
        let ratio = norms[steps - 1] - norms[0];
        assert!(decades.is_nan() || ratio / decades > 1.0, "{variance}: the whole ratio is {ratio}");
        if clip.is_some() {
            let free = Recurrent { clip: None, ..layer };
            let (free, _) = backward(&free, &parameters, &input, steps, rows, &cotangent);
            assert!(free.iter().zip(&norms).any(|(free, cut)| free - cut > 0.1), "nothing was clipped");
        }
    }
}

/// The hash of what training leaves.
fn train<T: Threads>(case: &Case, level: Level, threads: &T) -> u64 {
    let optimizer = Optimizer::Adam { weight_decay: 0.01 };
    case.run_in(optimizer.moments(), f32::NAN, |plan, arena| {
        let clipping = Clipping::GlobalNorm { max_norm: 0.5 };
        let mut update = Update::new(optimizer, clipping, Penalty::L2 { lambda: 1e-3 });
        for seed in 0..3 {
            let rows = plan.batch() - usize::from(seed == 2);
            let pass = Pass { plan, level, threads, rows };
            arena.input_mut(&plan, rows).copy_from_slice(&normals(seed, rows * plan.input()));
            pass.forward(arena, Mode::Training, &mut None::<States>).expect("forward");
            let gradient: Vec<f32> = arena.output(&plan, rows).iter().map(|y| y - 0.3).collect();
            pass.backward(arena, &gradient, false, &mut None::<States>).expect("backward");
            update.apply(level, &Serial, &plan, arena, 0.01).expect("update");
        }
        assert!(arena.parameters.iter().all(|p| p.is_finite()));
        hash(&[&*arena.parameters, &*arena.gradients, &*arena.moments].concat())
    })
}

#[test]
fn training_ends_the_same_on_every_level_and_any_number_of_threads() {
    for cell in zoo::CELLS {
        let below = Recurrent { clip: Some(0.05), ..zoo::recurrent(cell, 33, Shown::All) };
        let above = zoo::recurrent(cell, 32, Shown::Last(1));
        let layers = [Layer::Recurrent(below), Layer::Recurrent(above), Layer::dense(3, INIT)];
        let case = Case::new("recurrent", Signal::sequence(16, 90), 50, layers.to_vec());
        let expected = train(&case, Level::SCALAR, &Serial);
        for level in levels::all() {
            assert_eq!(expected, train(&case, level, &Serial), "{cell:?}, {}", level.name());
        }
        let joins = AtomicUsize::new(0);
        let threads = Contrary::new(3, &joins);
        assert_eq!(expected, train(&case, Level::detect(), &threads), "{cell:?}");
        assert!(joins.into_inner() > 0, "{cell:?}: products were not shared");
    }
}

/// The same memory serves a second backward pass, as probes ask for.
#[test]
fn a_backward_pass_can_be_repeated() {
    for cell in zoo::CELLS {
        let case = Case::new(
            "twice",
            Signal::sequence(6, 2),
            3,
            vec![Layer::Recurrent(zoo::recurrent(cell, 4, Shown::Last(2)))],
        );
        case.run(|plan, arena| {
            perturb(arena);
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 3 };
            arena.input_mut(&plan, 3).copy_from_slice(&normals(1, 36));
            pass.forward(arena, Mode::Training, &mut States::default()).expect("forward");
            let mut gradients = |seed| {
                let cotangent = normals(seed, 3 * plan.output());
                pass.backward(arena, &cotangent, true, &mut States::default()).expect("backward");
                hash(arena.gradients)
            };
            let first = gradients(5);
            assert_ne!(gradients(6), first);
            assert_eq!(gradients(5), first, "{cell:?}");
        });
    }
}

/// An image is a sequence of its rows, from the top.
#[test]
fn an_image_is_read_row_by_row() {
    let layers = vec![Layer::Recurrent(zoo::recurrent(Cell::Gru, 3, Shown::All))];
    let run = |signal: Signal| {
        Case::new("an image", signal, 2, layers.clone()).run(|plan, arena| {
            let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 2 };
            arena.input_mut(&plan, 2).copy_from_slice(&normals(1, 2 * 24));
            pass.forward(arena, Mode::Training, &mut States::default()).expect("forward");
            (plan.output_signal(), hash(arena.output(&plan, 2)))
        })
    };
    assert_eq!(run(Signal::image(4, 3, 2)), run(Signal::sequence(4, 6)));
}
