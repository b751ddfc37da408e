//! Activations with their derivatives, normalisation, reductions and optimiser steps on 16k elements (first-level
//! to second-level cache).

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use isobath_benches::{Level, values, vector_levels};
use isobath_kernels::activation::{
    self, Activation, Elu, Gelu, GeluTanh, LeakyRelu, Relu, Selu, Sigmoid, Silu, Softplus, Tanh,
};
use isobath_kernels::batch_norm::{self, BatchStatistics};
use isobath_kernels::optimizer::{self, Adam, AdamState, Momentum};
use isobath_kernels::{MatMut, MatRef, reduce};

const COUNT: usize = 16 * 1024;

fn activations(criterion: &mut Criterion) {
    fn one<A: Activation>(criterion: &mut Criterion, name: &str, phi: A) {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(COUNT as u64));
        let h = values(1, COUNT);
        let (mut y, mut d) = (vec![0.0; COUNT], vec![0.0; COUNT]);
        for level in vector_levels() {
            group.bench_function(BenchmarkId::new("forward", level.name()), |bencher| {
                bencher.iter(|| activation::forward(level, phi, &h, &mut y).unwrap());
            });
            group.bench_function(BenchmarkId::new("forward and derivative", level.name()), |bencher| {
                bencher.iter(|| activation::forward_with_derivative(level, phi, &h, &mut y, &mut d).unwrap());
            });
        }
        group.finish();
    }
    one(criterion, "sigmoid", Sigmoid);
    one(criterion, "tanh", Tanh);
    one(criterion, "relu", Relu);
    one(criterion, "leaky relu", LeakyRelu { slope: 0.01 });
    one(criterion, "elu", Elu { alpha: 1.0 });
    one(criterion, "selu", Selu);
    one(criterion, "gelu", Gelu);
    one(criterion, "gelu tanh", GeluTanh);
    one(criterion, "silu", Silu);
    one(criterion, "softplus", Softplus);
}

fn passes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("passes");
    group.throughput(Throughput::Elements(COUNT as u64));
    let (x, g) = (values(1, COUNT), values(2, COUNT));
    let (mut w, mut m, mut v) = (values(3, COUNT), vec![0.0; COUNT], vec![0.0; COUNT]);
    for level in vector_levels() {
        let name = |what| BenchmarkId::new(what, level.name());
        group.bench_function(name("norm"), |bencher| bencher.iter(|| reduce::norm(level, &x)));
        group.bench_function(name("sum"), |bencher| bencher.iter(|| reduce::sum(level, &x)));
        let rule = Momentum { learning_rate: 1e-6, momentum: 0.9, nesterov: false };
        group.bench_function(name("momentum"), |bencher| {
            bencher.iter(|| optimizer::momentum(level, rule, &mut w, &mut m, &g).unwrap());
        });
        let rule = Adam { learning_rate: 1e-6, ..Adam::default() };
        let correction = AdamState::new().advance(&rule);
        group.bench_function(name("adam"), |bencher| {
            bencher.iter(|| optimizer::adam(level, &rule, &correction, &mut w, &mut m, &mut v, &g).unwrap());
        });
        batch_norm_forward(
            &mut |run| {
                group.bench_function(name("batch norm 64 x 256"), |bencher| bencher.iter(&mut *run));
            },
            level,
            &x,
        );
    }
    group.finish();
}

fn batch_norm_forward(bench: &mut dyn FnMut(&mut dyn FnMut()), level: Level, x: &[f32]) {
    let (rows, columns) = (64, COUNT / 64);
    let x = MatRef::new(x, rows, columns).unwrap();
    let (gain, shift) = (vec![1.0; columns], vec![0.0; columns]);
    let [mut mean, mut inv_std, mut variance] = [(); 3].map(|()| vec![0.0; columns]);
    let mut y = vec![0.0; COUNT];
    bench(&mut || {
        let saved = BatchStatistics { mean: &mut mean, inv_std: &mut inv_std, variance: &mut variance };
        let y = MatMut::new(&mut y, rows, columns).unwrap();
        batch_norm::forward_training(level, x, &gain, &shift, 1e-5, y, saved).unwrap();
    });
}

criterion_group!(benches, activations, passes);
criterion_main!(benches);
