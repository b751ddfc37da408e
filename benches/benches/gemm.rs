//! Matrix products in the three forms of a training step. Throughput counts 2 m n k flops as elements.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use isobath_benches::{values, vector_levels};
use isobath_kernels::gemm::{Gemm, Init, Shape, Store};
use isobath_kernels::{MatMut, MatRef};

const SIZES: [(usize, usize, usize); 7] = [
    (64, 64, 64),
    (64, 10, 64),
    (128, 128, 128),
    (256, 256, 256),
    (512, 512, 512),
    (32, 256, 256),
    (128, 100, 784),
];

fn products(criterion: &mut Criterion) {
    for (form, transpose_a, transpose_b) in [("nn", false, false), ("nt", false, true), ("tn", true, false)] {
        let mut group = criterion.benchmark_group(format!("gemm {form}"));
        for (m, n, k) in SIZES {
            let (a, b) = (values(1, m * k), values(2, k * n));
            let mut c = vec![0.0; m * n];
            group.throughput(Throughput::Elements(2 * (m * n * k) as u64));
            for level in vector_levels() {
                let gemm = Gemm::new(level, Shape { m, n, k, transpose_a, transpose_b });
                let mut workspace = vec![0.0; gemm.workspace_len()];
                let a = if transpose_a { MatRef::new(&a, k, m) } else { MatRef::new(&a, m, k) }.unwrap();
                let b = if transpose_b { MatRef::new(&b, n, k) } else { MatRef::new(&b, k, n) }.unwrap();
                group.bench_function(BenchmarkId::new(level.name(), format!("{m}x{n}x{k}")), |bencher| {
                    bencher.iter(|| {
                        let mut c = MatMut::new(&mut c, m, n).unwrap();
                        gemm.run(a, b, &mut c, Init::Zero, &mut workspace, Store).unwrap();
                    });
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
