//! Whole training steps: forward, cross-entropy, backward, SGD. 64 inputs, 10 classes, Xavier.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use isobath::activation::Activation;
use isobath::architecture::{Architecture, Head, Norm};
use isobath::init::Init;
use isobath::memory::Buffer;
use isobath::net::update::{Clipping, Optimizer, Penalty, Update};
use isobath::net::{Arena, Mode, Pass, Place, Plan, Unwatched};
use isobath::random::Random;
use isobath::threads::Serial;
use isobath_benches::{Level, values};
use isobath_kernels::{MatMut, MatRef, loss};

const INPUT: usize = 64;
const CLASSES: usize = 10;
const NETWORKS: [(usize, usize, usize); 5] =
    [(4, 30, 32), (32, 64, 32), (32, 128, 64), (32, 256, 64), (100, 128, 64)];

fn steps(criterion: &mut Criterion) {
    let level = Level::detect();
    for (name, activation, norm) in
        [("tanh", Activation::Tanh, Norm::None), ("relu + batch norm", Activation::Relu, Norm::Batch)]
    {
        let mut group = criterion.benchmark_group(format!("step {name}"));
        for (depth, width, batch) in NETWORKS {
            let architecture =
                Architecture { norm, ..Architecture::plain(depth, width, activation, Init::XAVIER) };
            let built = architecture.build(INPUT, Head::Linear(CLASSES, Init::LECUN));
            let mut places = vec![Place::default(); built.layers.len()];
            let plan = Plan::new(INPUT, batch, &built.layers, &mut places).unwrap().consuming_gradients();
            let mut memory = Buffer::zeros(plan.arena_len(0, 1).unwrap()).unwrap();
            let mut arena = Arena::new(&plan, 0, 1, &mut memory).unwrap();
            arena.initialise(&plan, &mut Random::new(1));
            let inputs = values(2, batch * INPUT);
            let labels: Vec<u32> = (0..batch as u32).map(|i| i % CLASSES as u32).collect();
            let mut gradient = vec![0.0; batch * CLASSES];
            let mut update = Update::new(Optimizer::Sgd, Clipping::None, Penalty::None);
            let pass = Pass { plan, level, threads: &Serial, rows: batch };
            group.bench_function(
                BenchmarkId::new(level.name(), format!("{depth}x{width}, {batch}")),
                |bencher| {
                    bencher.iter(|| {
                        arena.input_mut(&plan, batch).copy_from_slice(&inputs);
                        pass.forward(&mut arena, Mode::Training, &mut Unwatched).unwrap();
                        let logits = MatRef::new(arena.output(&plan, batch), batch, CLASSES).unwrap();
                        let d_logits = MatMut::new(&mut gradient, batch, CLASSES).unwrap();
                        loss::softmax_cross_entropy(level, logits, &labels, d_logits).unwrap();
                        pass.descend(&mut arena, &gradient, &mut update, 1e-4, &mut Unwatched).unwrap();
                    });
                },
            );
        }
        group.finish();
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
