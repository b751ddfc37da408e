//! The golden list: the same on every level of this CPU, and as it was written down.
//!
//! A changed line is a change of contract: raise `NUMERICS_VERSION` and say why in the CHANGELOG under "Numerics". The
//! list is written by `cargo run -p isobath-golden --example hashes > tests/golden/hashes.txt`.

use isobath::activation::Activation;
use isobath::architecture::{Architecture, Norm, NormPosition, Recurrence};
use isobath::data::{Sizes, Source};
use isobath::descent::run_seed;
use isobath::init::Init;
use isobath::net::update::{Clipping, Penalty};
use isobath::net::{Layer, Restraint};
use isobath::threads::Workers;
use isobath::train::{Loss, Recipe, Schedule, train};
use isobath_golden::training::{self, RUNS, Run, Space};
use isobath_golden::{classifier, fused};
use isobath_kernels::Level;
use isobath_tests::levels;

const GOLDEN: &str = include_str!("../golden/hashes.txt");

#[test]
fn every_level_prints_the_golden_list() {
    for level in levels::all() {
        let mut found = String::new();
        isobath_golden::print(level, &mut Box::new(Space::new()), &mut found).expect("a string takes all");
        for (golden, found) in GOLDEN.lines().zip(found.lines()) {
            assert_eq!(golden, found, "on level {}: the bits have changed", level.name());
        }
        assert_eq!(GOLDEN.len(), found.len(), "the list has another length on level {}", level.name());
    }
}

#[test]
fn one_flipped_bit_of_one_weight_changes_every_run() {
    let mut space = Box::new(Space::new());
    for run in &RUNS {
        let hash = |space: &mut Space, flip| training::train(run, Level::detect(), space, flip).hash;
        let golden = hash(&mut space, 0);
        assert!(GOLDEN.contains(&format!("{golden:016x} {}:", run.name)), "{} in used memory", run.name);
        assert_ne!(golden, hash(&mut space, 1), "{}", run.name);
    }
}

/// The golden run as `isobath train` would be told of it.
fn recipe(run: &Run) -> Recipe {
    let batch_norm = run.layers.contains(&Layer::BATCH_NORM);
    let spirals = run.features == 2;
    let cell = match run.layers[0] {
        Layer::Recurrent(layer) => {
            Some(Recurrence { cell: layer.cell, forget_bias: layer.forget_bias, clip: layer.clip })
        }
        _ => None,
    };
    let activation = match run.layers[if batch_norm { 2 } else { 1 }] {
        Layer::Activation(activation) => activation,
        _ => Activation::Tanh,
    };
    let architecture = Architecture {
        depth: if spirals { 2 } else { 1 },
        width: if spirals { 16 } else { 32 },
        activation,
        init: if spirals { Init::XAVIER } else { Init::HE },
        norm: if batch_norm { Norm::Batch } else { Norm::None },
        norm_position: NormPosition::Pre,
        residual: None,
        standardised: false,
        convolution: None,
        scale_layer: None,
        cell: None,
    };
    let architecture = match cell {
        None => architecture,
        Some(_) => Architecture { width: 8, init: Init::XAVIER, cell, ..architecture },
    };
    Recipe {
        architecture,
        loss: Loss::CrossEntropy,
        optimizer: run.optimizer,
        rate: run.rate,
        schedule: Schedule::Constant,
        clipping: Clipping::GlobalNorm { max_norm: training::MAX_NORM },
        penalty: Penalty::None,
        restraint: Restraint::default(),
        pretraining: None,
        steps: run.steps,
        batch: training::BATCH,
        record_every: 7,
        checkpoint: None,
        recompute_every: None,
    }
}

/// What microcontrollers run over static buffers is what [`train`] runs with its records, on all threads.
#[test]
fn the_harness_trains_to_the_golden_hashes() {
    let workers = Workers::new(std::thread::available_parallelism().map_or(1, usize::from)).expect("threads");
    for run in &RUNS {
        let recipe = recipe(run);
        let source = if run.features == 2 { Source::TwoSpirals } else { Source::Glyphs };
        let sizes = Sizes { train: training::SAMPLES, validation: 10, test: training::SAMPLES };
        let data = source.load(&sizes, training::SEED).expect("data");
        assert_eq!(recipe.build(data.train.form(), run.classes).layers, run.layers, "{}", run.name);
        let (level, seed) = (Level::detect(), run_seed(training::SEED));
        let trained = train(&recipe, &data.train, &data.test, seed, level, &workers.team(), |_, _| true);
        let trained = trained.expect("a network").expect("was not stopped");
        let line = format!("{:016x} {}:", trained.hash, run.name);
        assert!(GOLDEN.contains(&line), "{line} is not in the golden list");
        let right = format!("{} of {} right", trained.accuracy * training::SAMPLES as f64, training::SAMPLES);
        assert!(GOLDEN.lines().any(|golden| golden.starts_with(&line) && golden.contains(&right)), "{right}");
    }
}

const FUSED: &str = include_str!("../golden/fused.txt");

#[test]
fn training_without_stored_gradients_learns_and_ends_the_same_on_every_level() {
    for level in levels::all() {
        let trained = fused::train(level, &mut Box::new(fused::Network::new()));
        assert_eq!(FUSED.trim_end(), trained.to_string(), "on level {}", level.name());
        assert!(trained.is_good(), "{trained}");
    }
}

/// Written by the program in C, `capi/examples/classifier.c`.
const CLASSIFIER: &str = include_str!("../golden/classifier.txt");

#[test]
fn the_example_of_the_c_interface_ends_the_same_in_rust_on_every_level() {
    for level in levels::all() {
        let trained = classifier::train(level);
        assert_eq!(CLASSIFIER.trim_end(), trained.to_string(), "on level {}", level.name());
        assert!(trained.right * 10 > classifier::Trained::SAMPLES * 9, "{trained}");
    }
}
