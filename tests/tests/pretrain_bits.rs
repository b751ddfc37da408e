//! Pre-training gives the same bits whatever the level, the threads and the memory's past.

use std::sync::atomic::AtomicUsize;

use isobath::activation::Activation;
use isobath::net::{Layer, Place, Plan};
use isobath::pretrain::stack::{Memory, Stack};
use isobath::pretrain::{Model, Pretraining};
use isobath::threads::{Serial, Threads};
use isobath_kernels::Level;
use isobath_tests::case::{INIT, normals};
use isobath_tests::contrary::Contrary;
use isobath_tests::hash::hash;
use isobath_tests::levels;

const MODELS: [Model; 4] = [
    Model::Autoencoder { noise: 0.2 },
    Model::Autoencoder { noise: 0.0 },
    Model::Rbm { gibbs_steps: 2, persistent: false },
    Model::Rbm { gibbs_steps: 1, persistent: true },
];

/// The hash of a network of two hidden layers after pre-training.
fn run<T: Threads>(model: Model, size: [usize; 3], level: Level, threads: &T, garbage: f32) -> u64 {
    let [input, width, batch] = size;
    let dense = Layer::dense(width, INIT);
    let sigmoid = Layer::Activation(Activation::Sigmoid);
    let layers = [dense, sigmoid, dense, sigmoid, Layer::dense(3, INIT)];
    let mut places = [Place::default(); 5];
    let plan = Plan::new(input, batch, &layers, &mut places).unwrap();
    let stack = Stack::new(Pretraining { model, steps: 8, rate: 0.01, shuffled: false }, plan).unwrap();
    // Not a multiple of the batch, so that batches wrap around and the last one passed on is ragged.
    let samples = 2 * batch + batch / 2;
    let mut values = vec![garbage; stack.memory_len(samples, threads.count())];
    let mut order = vec![u32::MAX; samples];
    let memory = Memory { values: &mut values, order: &mut order };
    let mut parameters: Vec<f32> = normals(1, plan.parameters()).iter().map(|p| p * 0.1).collect();
    let before = parameters.clone();
    let inputs = normals(2, samples * input);
    assert_eq!(stack.train(&mut parameters, &inputs, memory, 3, level, threads, || true), Ok(true));
    assert!(parameters.iter().all(|p| p.is_finite()));
    let hidden = plan.parameters() - (width + 1) * 3;
    assert_ne!(parameters[..hidden], before[..hidden], "nothing was learned");
    hash(&parameters)
}

#[test]
fn pretraining_ends_the_same_on_every_level() {
    for model in MODELS {
        // More columns than a block of a product along k.
        for size in [[300, 37, 33], [5, 3, 2], [1, 1, 1]] {
            let expected = run(model, size, Level::SCALAR, &Serial, f32::NAN);
            for level in levels::all() {
                let found = run(model, size, level, &Serial, f32::NAN);
                assert_eq!(expected, found, "{model:?}, {size:?}, {}", level.name());
            }
        }
    }
}

#[test]
fn nothing_is_read_before_it_is_written() {
    for model in MODELS {
        let found = [f32::NAN, 0.0, f32::INFINITY]
            .map(|garbage| run(model, [20, 9, 7], Level::detect(), &Serial, garbage));
        assert_eq!(found, [found[0]; 3], "{model:?}");
    }
}

#[test]
fn pretraining_ends_the_same_on_any_number_of_threads() {
    for model in MODELS {
        let size = [300, 300, 96];
        let expected = run(model, size, Level::detect(), &Serial, f32::NAN);
        for pieces in [2, 3] {
            let joins = AtomicUsize::new(0);
            let contrary = Contrary::new(pieces, &joins);
            assert_eq!(
                expected,
                run(model, size, Level::detect(), &contrary, f32::NAN),
                "{model:?}, {pieces}"
            );
            assert!(joins.into_inner() > 0, "no product was shared");
        }
    }
}
