//! Kernels over matrices: normalisation, losses, column sums.

use isobath_kernels::batch_norm::{self, BatchNormError, BatchStatistics};
use isobath_kernels::loss::{self, LossError};
use isobath_kernels::reduce::{self, ShapeError};
use isobath_kernels::{LengthError, Level, MatMut, MatRef, layer_norm};

use crate::elementwise::kernels;

kernels! {
    kernel_column_sums(level: Level, x: MatRef<'_>, out: &mut [f32]) -> Result<(), LengthError> =
        reduce::column_sums(level, x, out);

    kernel_batch_norm_forward_training(
        level: Level, x: MatRef<'_>, gamma: &[f32], beta: &[f32], epsilon: f32, y: MatMut<'_>,
        saved: BatchStatistics<'_>
    ) -> Result<(), BatchNormError> = batch_norm::forward_training(level, x, gamma, beta, epsilon, y, saved);
    kernel_batch_norm_forward_inference(
        level: Level, x: MatRef<'_>, gamma: &[f32], beta: &[f32], mean: &[f32], variance: &[f32], epsilon: f32,
        y: MatMut<'_>
    ) -> Result<(), ShapeError> =
        batch_norm::forward_inference(level, x, gamma, beta, mean, variance, epsilon, y);
    kernel_batch_norm_forward_inference_in_place(
        level: Level, x: MatMut<'_>, gamma: &[f32], beta: &[f32], mean: &[f32], variance: &[f32], epsilon: f32
    ) -> Result<(), ShapeError> =
        batch_norm::forward_inference_in_place(level, x, gamma, beta, mean, variance, epsilon);
    kernel_batch_norm_backward(
        level: Level, x: MatRef<'_>, dy: MatRef<'_>, gamma: &[f32], mean: &[f32], inv_std: &[f32], dx: MatMut<'_>,
        d_gamma: &mut [f32], d_beta: &mut [f32]
    ) -> Result<(), BatchNormError> =
        batch_norm::backward(level, x, dy, gamma, mean, inv_std, dx, d_gamma, d_beta);
    kernel_batch_norm_backward_in_place(
        level: Level, x: MatRef<'_>, dy: MatMut<'_>, gamma: &[f32], mean: &[f32], inv_std: &[f32],
        d_gamma: &mut [f32], d_beta: &mut [f32]
    ) -> Result<(), BatchNormError> =
        batch_norm::backward_in_place(level, x, dy, gamma, mean, inv_std, d_gamma, d_beta);
    kernel_batch_norm_update_running(
        level: Level, running_mean: &mut [f32], running_variance: &mut [f32], mean: &[f32], variance: &[f32],
        momentum: f32, batch: usize
    ) -> Result<(), BatchNormError> =
        batch_norm::update_running(level, running_mean, running_variance, mean, variance, momentum, batch);

    kernel_layer_norm_forward(
        level: Level, x: MatRef<'_>, gamma: &[f32], beta: &[f32], epsilon: f32, y: MatMut<'_>, mean: &mut [f32],
        inv_std: &mut [f32]
    ) -> Result<(), ShapeError> = layer_norm::forward(level, x, gamma, beta, epsilon, y, mean, inv_std);
    kernel_layer_norm_backward(
        level: Level, x: MatRef<'_>, dy: MatRef<'_>, gamma: &[f32], mean: &[f32], inv_std: &[f32], dx: MatMut<'_>,
        d_gamma: &mut [f32], d_beta: &mut [f32]
    ) -> Result<(), ShapeError> =
        layer_norm::backward(level, x, dy, gamma, mean, inv_std, dx, d_gamma, d_beta);

    kernel_softmax(level: Level, logits: MatRef<'_>, out: MatMut<'_>) -> Result<(), LossError> =
        loss::softmax(level, logits, out);
    kernel_softmax_cross_entropy(
        level: Level, logits: MatRef<'_>, labels: &[u32], d_logits: MatMut<'_>
    ) -> Result<f32, LossError> = loss::softmax_cross_entropy(level, logits, labels, d_logits);
    kernel_accuracy(level: Level, logits: MatRef<'_>, labels: &[u32]) -> Result<usize, LossError> =
        loss::accuracy(level, logits, labels);
    kernel_squared_error(
        level: Level, y: MatRef<'_>, target: MatRef<'_>, dy: MatMut<'_>
    ) -> Result<f32, LossError> = loss::squared_error(level, y, target, dy);
}
