//! Kernels over matrices: normalisations, losses, sums of columns, clipping by columns. Each matrix is exactly as long as its
//! rows and stride need; vectors have one element per column or per row.

use std::hint::black_box;

use isobath_kernels::batch_norm::{self, BatchStatistics};
use isobath_kernels::{Level, MatMut, MatRef, activation, clip, layer_norm, loss, reduce};
use isobath_tests::guard::Guarded;

use crate::Runs;

/// What a kernel takes its operands from.
struct Given<'a> {
    level: Level,
    rows: usize,
    columns: usize,
    stride: usize,
    matrices: [&'a mut [f32]; 3],
    by_column: [&'a mut [f32]; 5],
    by_row: [&'a mut [f32]; 2],
    labels: &'a [u32],
}

impl Given<'_> {
    fn read(&self, matrix: usize) -> MatRef<'_> {
        MatRef::with_stride(self.matrices[matrix], self.rows, self.columns, self.stride).expect("its shape")
    }
}

/// Says whether the kernel had no error.
type OverMatrices = fn(Given<'_>) -> bool;

/// Columns: every length of tail. Rows: fewest, few, and more than a block of columns' sums.
const COLUMNS: std::ops::RangeInclusive<usize> = 0..=130;
const ROWS: [usize; 3] = [2, 5, 66];
/// Elements between the end of a row and the next row.
const GAPS: [usize; 3] = [0, 1, 16];
const EPSILON: f32 = 1e-5;

/// A matrix to write: the first argument is a field, so that the others can be borrowed beside it.
fn write<'a>(data: &'a mut [f32], rows: usize, columns: usize, stride: usize) -> MatMut<'a> {
    MatMut::with_stride(data, rows, columns, stride).expect("its shape")
}

const NORMALISATIONS: [(&str, OverMatrices); 7] = [
    ("batch_norm::forward_training", |given| {
        let Given { level, rows, columns, stride, matrices: [x, y, _], by_column, .. } = given;
        let [gamma, beta, mean, inv_std, variance] = by_column;
        let x = MatRef::with_stride(x, rows, columns, stride).expect("its shape");
        let saved = BatchStatistics { mean, inv_std, variance };
        let y = write(y, rows, columns, stride);
        batch_norm::forward_training(level, x, gamma, beta, EPSILON, y, saved).is_ok()
    }),
    ("batch_norm::forward_inference", |given| {
        let Given { level, rows, columns, stride, matrices: [x, y, _], by_column, .. } = given;
        let [gamma, beta, mean, variance, _] = by_column;
        let x = MatRef::with_stride(x, rows, columns, stride).expect("its shape");
        let y = write(y, rows, columns, stride);
        batch_norm::forward_inference(level, x, gamma, beta, mean, variance, EPSILON, y).is_ok()
    }),
    ("batch_norm::forward_inference_in_place", |given| {
        let Given { level, rows, columns, stride, matrices: [x, ..], by_column, .. } = given;
        let [gamma, beta, mean, variance, _] = by_column;
        let x = write(x, rows, columns, stride);
        batch_norm::forward_inference_in_place(level, x, gamma, beta, mean, variance, EPSILON).is_ok()
    }),
    ("batch_norm::backward", |given| {
        let Given { level, rows, columns, stride, matrices: [x, dy, dx], by_column, .. } = given;
        let [gamma, mean, inv_std, d_gamma, d_beta] = by_column;
        let x = MatRef::with_stride(x, rows, columns, stride).expect("its shape");
        let dy = MatRef::with_stride(dy, rows, columns, stride).expect("its shape");
        let dx = write(dx, rows, columns, stride);
        batch_norm::backward(level, x, dy, gamma, mean, inv_std, dx, d_gamma, d_beta).is_ok()
    }),
    ("batch_norm::backward_in_place", |given| {
        let Given { level, rows, columns, stride, matrices: [x, dy, _], by_column, .. } = given;
        let [gamma, mean, inv_std, d_gamma, d_beta] = by_column;
        let x = MatRef::with_stride(x, rows, columns, stride).expect("its shape");
        let dy = write(dy, rows, columns, stride);
        batch_norm::backward_in_place(level, x, dy, gamma, mean, inv_std, d_gamma, d_beta).is_ok()
    }),
    ("layer_norm::forward", |given| {
        let Given { level, rows, columns, stride, matrices: [x, y, _], by_column, by_row, .. } = given;
        let ([gamma, beta, ..], [mean, inv_std]) = (by_column, by_row);
        let x = MatRef::with_stride(x, rows, columns, stride).expect("its shape");
        let y = write(y, rows, columns, stride);
        layer_norm::forward(level, x, gamma, beta, EPSILON, y, mean, inv_std).is_ok()
    }),
    ("layer_norm::backward", |given| {
        let Given { level, rows, columns, stride, matrices: [x, dy, dx], by_column, by_row, .. } = given;
        let ([gamma, d_gamma, d_beta, ..], [mean, inv_std]) = (by_column, by_row);
        let x = MatRef::with_stride(x, rows, columns, stride).expect("its shape");
        let dy = MatRef::with_stride(dy, rows, columns, stride).expect("its shape");
        let dx = write(dx, rows, columns, stride);
        layer_norm::backward(level, x, dy, gamma, mean, inv_std, dx, d_gamma, d_beta).is_ok()
    }),
];

const OTHERS: [(&str, OverMatrices); 8] = [
    ("loss::softmax", |given| {
        let Given { level, rows, columns, stride, matrices: [x, p, _], .. } = given;
        let x = MatRef::with_stride(x, rows, columns, stride).expect("its shape");
        loss::softmax(level, x, write(p, rows, columns, stride)).is_ok()
    }),
    ("loss::softmax_cross_entropy", |given| {
        let Given { level, rows, columns, stride, matrices: [x, d, _], labels, .. } = given;
        let x = MatRef::with_stride(x, rows, columns, stride).expect("its shape");
        loss::softmax_cross_entropy(level, x, labels, write(d, rows, columns, stride)).is_ok()
    }),
    ("loss::accuracy", |given| loss::accuracy(given.level, given.read(0), given.labels).is_ok()),
    ("loss::squared_error", |given| {
        let Given { level, rows, columns, stride, matrices: [y, target, dy], .. } = given;
        let y = MatRef::with_stride(y, rows, columns, stride).expect("its shape");
        let target = MatRef::with_stride(target, rows, columns, stride).expect("its shape");
        loss::squared_error(level, y, target, write(dy, rows, columns, stride)).is_ok()
    }),
    ("reduce::column_sums", |mut given| {
        let sums = std::mem::take(&mut given.by_column[0]);
        reduce::column_sums(given.level, given.read(0), sums).is_ok()
    }),
    ("clip::adaptive", |given| {
        let Given { level, rows, columns, stride, matrices: [w, g, _], .. } = given;
        let w = MatRef::with_stride(w, rows, columns, stride).expect("its shape");
        clip::adaptive(level, w, write(g, rows, columns, stride), 0.5, 1e-3).is_ok()
    }),
    ("activation::prelu_slope_gradient", |mut given| {
        let slopes = std::mem::take(&mut given.by_column[0]);
        activation::prelu_slope_gradient(given.level, given.read(0), given.read(1), slopes).is_ok()
    }),
    ("activation::prelu_shared_slope_gradient", |given| {
        black_box(activation::prelu_shared_slope_gradient(given.level, given.read(0), given.read(1))).is_ok()
    }),
];

pub(crate) fn run(runs: &mut Runs) {
    let (edge, mut labels) = (runs.operands.edge, Guarded::new(4 * 66));
    for (rows, gap, columns) in ROWS.into_iter().flat_map(|rows| {
        GAPS.into_iter().flat_map(move |gap| COLUMNS.map(move |columns| (rows, gap, columns)))
    }) {
        let stride = columns + gap;
        let length = if columns == 0 { 0 } else { (rows - 1) * stride + columns };
        let classes: Vec<u32> = (0..rows as u32).map(|row| row % columns.max(1) as u32).collect();
        for (name, kernel) in NORMALISATIONS.into_iter().chain(OTHERS) {
            let (matrix, column, row) =
                (&runs.values[..length], &runs.values[..columns], &runs.values[..rows]);
            let [a, b, c, d, e, f, g, h, i, j] = runs
                .operands
                .place([matrix, matrix, matrix, column, column, column, column, column, row, row]);
            let given = Given {
                level: runs.level,
                rows,
                columns,
                stride,
                matrices: [a, b, c],
                by_column: [d, e, f, g, h],
                by_row: [i, j],
                labels: labels.place(edge, &classes),
            };
            // Without columns no label names a class.
            assert!(kernel(given) || columns == 0, "{name} refused {rows} x {columns}, stride {stride}");
            runs.count(name);
        }
    }
}
