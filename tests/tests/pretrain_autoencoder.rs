//! The autoencoder's loss and gradient against f64, and the stack of them against a second one.

use isobath::activation::Activation;
use isobath::net::{Layer, Place, Plan};
use isobath::pretrain::autoencoder::Autoencoder;
use isobath::pretrain::stack::{Memory, Stack};
use isobath::pretrain::units::{Batch, Units, Visible};
use isobath::pretrain::{Model, PretrainError, Pretraining};
use isobath::random::Random;
use isobath::threads::Serial;
use isobath_kernels::Level;
use isobath_tests::autoencoder::Tied;
use isobath_tests::case::{INIT, normals};

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

/// Inputs of a kind: probabilities, 0 and 1 among them, or normal numbers.
fn inputs(kind: Visible, count: usize) -> Vec<f32> {
    match kind {
        Visible::Gaussian => normals(2, count),
        Visible::Binary => {
            let mut random = Random::new(2);
            let mut values = vec![0.0; count];
            random.fill_uniform(&mut values, -0.2, 1.2);
            values.iter().map(|v| v.clamp(0.0, 1.0)).collect()
        }
    }
}

#[test]
fn loss_and_gradient_are_those_of_f64() {
    for kind in [Visible::Binary, Visible::Gaussian] {
        for noise in [0.0, 0.3] {
            const ROWS: usize = 6;
            let units = Units { visible: 7, hidden: 5, kind };
            let parameters = normals(1, units.parameters());
            let clean = inputs(kind, ROWS * units.visible);
            let mut random = Random::new(3);
            // One number per input, row by row.
            let keep = |x: &f32| if random.uniform() < noise { 0.0 } else { *x };
            let corrupted: Vec<f32> = clean.iter().map(keep).collect();
            assert_eq!(noise > 0.0, corrupted != clean);

            let model = Autoencoder { units, noise };
            let mut memory = vec![f32::NAN; model.memory_len(ROWS, 1)];
            let mut gradient = vec![f32::NAN; units.parameters()];
            let batch = Batch { inputs: &clean, rows: ROWS, level: Level::detect(), threads: &Serial };
            let loss =
                model.gradient(batch, &parameters, &mut gradient, &mut memory, &mut Random::new(3)).unwrap();

            let tied = Tied { visible: 7, hidden: 5, binary: kind == Visible::Binary };
            let (parameters, clean, corrupted) = (wide(&parameters), wide(&clean), wide(&corrupted));
            let expected = tied.loss(&parameters, &clean, &corrupted);
            assert!((f64::from(loss) - expected).abs() < 1e-5 * expected, "{kind:?}: {loss}, not {expected}");
            let expected = tied.gradient(&parameters, &clean, &corrupted);
            assert!(expected.iter().all(|g| g.abs() > 1e-6), "every parameter has a gradient");
            for (p, (found, expected)) in gradient.iter().zip(&expected).enumerate() {
                let error = (f64::from(*found) - expected).abs();
                assert!(error < 2e-5, "{kind:?}, parameter {p}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn buffers_that_are_too_short_are_refused() {
    let units = Units { visible: 7, hidden: 5, kind: Visible::Binary };
    let model = Autoencoder { units, noise: 0.1 };
    let enough = [6 * 7, units.parameters(), units.parameters(), model.memory_len(6, 1)];
    let run = |lengths: [usize; 4]| {
        let [inputs, parameters, mut gradient, mut memory] = lengths.map(|length| vec![0.5; length]);
        let batch = Batch { inputs: &inputs, rows: 6, level: Level::detect(), threads: &Serial };
        model.gradient(batch, &parameters, &mut gradient, &mut memory, &mut Random::new(1))
    };
    run(enough).unwrap();
    for short in 0..4 {
        let mut lengths = enough;
        lengths[short] -= 1;
        let error = run(lengths).unwrap_err();
        let PretrainError::Buffer { needed, found, .. } = error else { panic!("{error}") };
        assert_eq!((needed, found), (enough[short], lengths[short]));
        assert!(error.to_string().contains(&needed.to_string()));
    }
}

/// Adam in f64, with the bias corrections written out.
struct Adam {
    first: Vec<f64>,
    second: Vec<f64>,
    steps: i32,
}

impl Adam {
    fn step(&mut self, rate: f64, parameters: &mut [f64], gradient: &[f64]) {
        self.steps += 1;
        let corrections = [1.0 - 0.9_f64.powi(self.steps), 1.0 - 0.999_f64.powi(self.steps)];
        for (p, g) in gradient.iter().enumerate() {
            self.first[p] = 0.9 * self.first[p] + 0.1 * g;
            self.second[p] = 0.999 * self.second[p] + 0.001 * g * g;
            let deviation = (self.second[p] / corrections[1]).sqrt() + 1e-8;
            parameters[p] -= rate * self.first[p] / corrections[0] / deviation;
        }
    }
}

/// Hidden layers of different widths, and a head.
const WIDTHS: [usize; 3] = [7, 4, 6];

fn layers() -> Vec<Layer> {
    let mut layers = Vec::new();
    for width in WIDTHS {
        layers.extend([Layer::dense(width, INIT), Layer::Activation(Activation::Sigmoid)]);
    }
    layers.push(Layer::dense(2, INIT));
    layers
}

/// Parameters of a network before and after pre-training on these inputs in batches of so many rows.
fn pretrain(
    layers: &[Layer],
    pretraining: Pretraining,
    width: usize,
    batch: usize,
    inputs: &[f32],
    before: &[f32],
) -> Result<Vec<f32>, PretrainError> {
    let mut places = vec![Place::default(); layers.len()];
    let plan = Plan::new(width, batch, layers, &mut places).unwrap();
    let stack = Stack::new(pretraining, plan)?;
    let samples = inputs.len() / width;
    let mut values = vec![f32::NAN; stack.memory_len(samples, 1)];
    let mut order = vec![u32::MAX; samples];
    let memory = Memory { values: &mut values, order: &mut order };
    let mut after = before.to_vec();
    let mut steps = 0;
    let mut count = || {
        steps += 1;
        true
    };
    assert!(stack.train(&mut after, inputs, memory, 1, Level::detect(), &Serial, &mut count)?);
    assert_eq!(steps, pretraining.steps * stack.layers());
    Ok(after)
}

const INPUT: usize = 5;
const PARAMETERS: usize = (5 + 1) * 7 + (7 + 1) * 4 + (4 + 1) * 6 + (6 + 1) * 2;

const PLAIN: Pretraining =
    Pretraining { model: Model::Autoencoder { noise: 0.0 }, steps: 25, rate: 0.02, shuffled: false };

#[test]
fn a_stack_is_layers_trained_one_after_the_other() {
    const ROWS: usize = 9;
    let inputs = normals(4, ROWS * INPUT);
    let before = normals(5, PARAMETERS);
    // Without noise, and with all samples in every batch, nothing is left to chance but the order of sums.
    let after = pretrain(&layers(), PLAIN, INPUT, ROWS, &inputs, &before).unwrap();

    let mut data = wide(&inputs);
    let (mut visible, mut start) = (INPUT, 0);
    for hidden in WIDTHS {
        let tied = Tied { visible, hidden, binary: start > 0 };
        let end = start + (visible + 1) * hidden;
        let mut parameters = wide(&before[start..end]);
        parameters.extend(vec![0.0; visible]);
        let zeros = vec![0.0; parameters.len()];
        let mut adam = Adam { first: zeros.clone(), second: zeros, steps: 0 };
        let at_first = tied.loss(&parameters, &data, &data);
        for _ in 0..PLAIN.steps {
            let gradient = tied.gradient(&parameters, &data, &data);
            adam.step(PLAIN.rate.into(), &mut parameters, &gradient);
        }
        assert!(tied.loss(&parameters, &data, &data) < at_first, "nothing was learned");
        for (p, (found, expected)) in after[start..end].iter().zip(&parameters).enumerate() {
            let error = (f64::from(*found) - expected).abs();
            assert!(error < 1e-4, "layer of {hidden}, parameter {p}: {found}, not {expected}");
            assert!((found - before[start + p]).abs() > 1e-3, "layer of {hidden}, parameter {p} stayed");
        }
        data = data.chunks_exact(visible).flat_map(|x| tied.encode(&parameters, x)).collect();
        (visible, start) = (hidden, end);
    }
    assert_eq!(after[start..], before[start..], "the head is not pre-trained");
}

#[test]
fn shuffling_keeps_weights_and_biases_of_each_layer() {
    let inputs = normals(4, 20 * INPUT + 3);
    let before = normals(5, PARAMETERS);
    let noisy = Pretraining { model: Model::Autoencoder { noise: 0.2 }, ..PLAIN };
    let ordered = pretrain(&layers(), noisy, INPUT, 6, &inputs, &before).unwrap();
    let shuffled =
        pretrain(&layers(), Pretraining { shuffled: true, ..noisy }, INPUT, 6, &inputs, &before).unwrap();
    let sorted = |values: &[f32]| {
        let mut values = values.to_vec();
        values.sort_by(f32::total_cmp);
        values
    };
    let (mut visible, mut start) = (INPUT, 0);
    for hidden in WIDTHS {
        let border = start + visible * hidden;
        for range in [start..border, border..border + hidden] {
            let (one, other) = (&ordered[range.clone()], &shuffled[range]);
            assert_ne!(one, other);
            assert_eq!(sorted(one), sorted(other));
        }
        (visible, start) = (hidden, border + hidden);
    }
    assert_eq!(ordered[start..], shuffled[start..]);
}

#[test]
fn multiply_adds_are_counted_product_by_product() {
    let layers = layers();
    let mut places = vec![Place::default(); layers.len()];
    let plan = Plan::new(INPUT, 6, &layers, &mut places).unwrap();
    let weights = [5 * 7, 7 * 4, 4 * 6];
    let all: u64 = weights.iter().sum();
    let passed_on = 100 * (weights[0] + weights[1]);
    let count = |model| Stack::new(Pretraining { model, ..PLAIN }, plan).unwrap().multiply_adds(100);
    // Encoder and decoder, back through the decoder, and the weights' gradient from either.
    assert_eq!(count(Model::Autoencoder { noise: 0.1 }), 5 * 25 * 6 * all + passed_on);
    // Hidden from data; visible and hidden in each Gibbs step; two gradients; the chains' own start.
    assert_eq!(count(Model::Rbm { gibbs_steps: 1, persistent: false }), 5 * 25 * 6 * all + passed_on);
    assert_eq!(count(Model::Rbm { gibbs_steps: 3, persistent: false }), 9 * 25 * 6 * all + passed_on);
    assert_eq!(count(Model::Rbm { gibbs_steps: 3, persistent: true }), 10 * 25 * 6 * all + passed_on);
}

#[test]
fn networks_that_cannot_be_stacked_are_refused() {
    let before = normals(5, PARAMETERS);
    let inputs = normals(4, 9 * INPUT);
    let refused =
        |layers: &[Layer], batch| pretrain(layers, PLAIN, INPUT, batch, &inputs, &before).unwrap_err();
    let mut other = layers();
    other[3] = Layer::Activation(Activation::Tanh);
    assert_eq!(refused(&other, 6), PretrainError::Layers { layer: 3 });
    let mut normed = layers();
    normed.insert(1, Layer::LAYER_NORM);
    assert_eq!(refused(&normed, 6), PretrainError::Layers { layer: 1 });
    let mut linear = layers();
    linear.remove(1);
    assert_eq!(refused(&linear, 6), PretrainError::Layers { layer: 1 });
    assert_eq!(refused(&layers(), 10), PretrainError::Samples { needed: 10, found: 9 });
    // A sigmoid head, and a network without hidden layers, are fine.
    let mut squared = layers();
    squared.push(Layer::Activation(Activation::Sigmoid));
    pretrain(&squared, PLAIN, INPUT, 6, &inputs, &before).unwrap();
    let nothing = pretrain(&layers()[6..], PLAIN, INPUT, 6, &inputs, &before[..12]).unwrap();
    assert_eq!(nothing, before[..12]);
}

#[test]
fn a_stack_stops_when_told_to() {
    let layers = layers();
    let mut places = vec![Place::default(); layers.len()];
    let plan = Plan::new(INPUT, 6, &layers, &mut places).unwrap();
    let stack = Stack::new(PLAIN, plan).unwrap();
    let (mut values, mut order) = (vec![0.0; stack.memory_len(9, 1)], vec![0; 9]);
    let memory = Memory { values: &mut values, order: &mut order };
    let (mut parameters, inputs) = (normals(5, PARAMETERS), normals(4, 9 * INPUT));
    let mut left = 30;
    let finished = stack.train(&mut parameters, &inputs, memory, 1, Level::detect(), &Serial, || {
        left -= 1;
        left > 0
    });
    assert_eq!((finished, left), (Ok(false), 0));
}
