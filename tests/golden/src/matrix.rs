//! Kernels over matrices: normalisations and losses.

use isobath_kernels::batch_norm::{self, BatchStatistics};
use isobath_kernels::{MatMut, MatRef, layer_norm, loss};

use crate::line::List;
use crate::operands::{anything, labels, ordinary, spoilt};

/// Two blocks of rows and part of a third.
const ROWS: usize = 131;
/// Vectors of every length and a tail.
const COLUMNS: usize = 27;
const SIZE: usize = ROWS * COLUMNS;
const EPSILON: f32 = 1e-5;

fn view(x: &[f32; SIZE]) -> MatRef<'_> {
    MatRef::new(x, ROWS, COLUMNS).unwrap()
}

fn view_mut(x: &mut [f32; SIZE]) -> MatMut<'_> {
    MatMut::new(x, ROWS, COLUMNS).unwrap()
}

/// Ordinary values, and some among which special ones spoil a row or a column.
fn inputs() -> [[f32; SIZE]; 2] {
    [ordinary(1), spoilt(2)]
}

pub(crate) fn add(list: &mut List<'_>) {
    batch_normalisation(list);
    layer_normalisation(list);
    losses(list);
}

fn batch_normalisation(list: &mut List<'_>) {
    let (gamma, beta) = (ordinary::<COLUMNS>(3), ordinary::<COLUMNS>(4));
    let variance = ordinary::<COLUMNS>(5).map(f32::abs);
    list.add("batch_norm::forward_training", |level, hash| {
        for x in inputs() {
            let (mut y, mut mean, mut inv_std, mut var) =
                ([0.0; SIZE], [0.0; COLUMNS], [0.0; COLUMNS], [0.0; COLUMNS]);
            let saved = BatchStatistics { mean: &mut mean, inv_std: &mut inv_std, variance: &mut var };
            let (x, out) = (view(&x), view_mut(&mut y));
            batch_norm::forward_training(level, x, &gamma, &beta, EPSILON, out, saved).unwrap();
            hash.f32s(&y);
            [mean, inv_std, var].into_iter().for_each(|values| hash.f32s(&values));
        }
    });
    list.add("batch_norm::forward_inference", |level, hash| {
        for x in inputs() {
            let mut y = [0.0; SIZE];
            let (x, out) = (view(&x), view_mut(&mut y));
            batch_norm::forward_inference(level, x, &gamma, &beta, &beta, &variance, EPSILON, out).unwrap();
            hash.f32s(&y);
        }
    });
    list.add("batch_norm::forward_inference_in_place", |level, hash| {
        for mut x in inputs() {
            let view = view_mut(&mut x);
            batch_norm::forward_inference_in_place(level, view, &gamma, &beta, &beta, &variance, EPSILON)
                .unwrap();
            hash.f32s(&x);
        }
    });
    list.add("batch_norm::backward", |level, hash| {
        for x in inputs() {
            let dy = ordinary(6);
            let (mut dx, mut d_gamma, mut d_beta) = ([0.0; SIZE], [0.0; COLUMNS], [0.0; COLUMNS]);
            let (x, dy, out) = (view(&x), view(&dy), view_mut(&mut dx));
            batch_norm::backward(level, x, dy, &gamma, &beta, &variance, out, &mut d_gamma, &mut d_beta)
                .unwrap();
            hash.f32s(&dx);
            [d_gamma, d_beta].into_iter().for_each(|values| hash.f32s(&values));
        }
    });
    list.add("batch_norm::backward_in_place", |level, hash| {
        for x in inputs() {
            let (mut dy, mut d_gamma, mut d_beta) = (ordinary(6), [0.0; COLUMNS], [0.0; COLUMNS]);
            let (x, out) = (view(&x), view_mut(&mut dy));
            batch_norm::backward_in_place(level, x, out, &gamma, &beta, &variance, &mut d_gamma, &mut d_beta)
                .unwrap();
            hash.f32s(&dy);
            [d_gamma, d_beta].into_iter().for_each(|values| hash.f32s(&values));
        }
    });
    list.add("batch_norm::update_running", |level, hash| {
        let (mut mean, mut running_variance) = (anything::<COLUMNS>(7), variance);
        batch_norm::update_running(level, &mut mean, &mut running_variance, &beta, &gamma, 0.1, ROWS)
            .unwrap();
        [mean, running_variance].into_iter().for_each(|values| hash.f32s(&values));
    });
}

fn layer_normalisation(list: &mut List<'_>) {
    let (gamma, beta) = (ordinary::<COLUMNS>(8), ordinary::<COLUMNS>(9));
    list.add("layer_norm::forward", |level, hash| {
        for x in inputs() {
            let (mut y, mut mean, mut inv_std) = ([0.0; SIZE], [0.0; ROWS], [0.0; ROWS]);
            let (x, out) = (view(&x), view_mut(&mut y));
            layer_norm::forward(level, x, &gamma, &beta, EPSILON, out, &mut mean, &mut inv_std).unwrap();
            hash.f32s(&y);
            [mean, inv_std].into_iter().for_each(|values| hash.f32s(&values));
        }
    });
    list.add("layer_norm::backward", |level, hash| {
        let (mean, inv_std) = (ordinary::<ROWS>(10), ordinary::<ROWS>(11).map(f32::abs));
        for x in inputs() {
            let dy = ordinary(12);
            let (mut dx, mut d_gamma, mut d_beta) = ([0.0; SIZE], [0.0; COLUMNS], [0.0; COLUMNS]);
            let (x, dy, out) = (view(&x), view(&dy), view_mut(&mut dx));
            layer_norm::backward(level, x, dy, &gamma, &mean, &inv_std, out, &mut d_gamma, &mut d_beta)
                .unwrap();
            hash.f32s(&dx);
            [d_gamma, d_beta].into_iter().for_each(|values| hash.f32s(&values));
        }
    });
}

fn losses(list: &mut List<'_>) {
    let targets = labels::<ROWS>(13, COLUMNS as u32);
    list.add("loss::softmax", |level, hash| {
        for x in inputs() {
            let mut p = [0.0; SIZE];
            loss::softmax(level, view(&x), view_mut(&mut p)).unwrap();
            hash.f32s(&p);
        }
    });
    list.add("loss::softmax_cross_entropy", |level, hash| {
        for x in inputs() {
            let mut d_logits = [0.0; SIZE];
            let (x, out) = (view(&x), view_mut(&mut d_logits));
            hash.f32s(&[loss::softmax_cross_entropy(level, x, &targets, out).unwrap()]);
            hash.f32s(&d_logits);
        }
    });
    list.add("loss::accuracy", |level, hash| {
        for x in inputs() {
            hash.u64(loss::accuracy(level, view(&x), &targets).unwrap() as u64);
        }
    });
    list.add("loss::squared_error", |level, hash| {
        for x in inputs() {
            let (target, mut dy) = (ordinary(14), [0.0; SIZE]);
            let (y, target, out) = (view(&x), view(&target), view_mut(&mut dy));
            hash.f32s(&[loss::squared_error(level, y, target, out).unwrap()]);
            hash.f32s(&dy);
        }
    });
}
