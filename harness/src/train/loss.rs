//! Losses, each a mean over the labels of a batch, with the gradient of what the head puts out. Labels are classes, as
//! one-hot targets, or numbers, with half the squared error.

use isobath_kernels::activation::{self, Sigmoid, Softplus};
use isobath_kernels::{Level, MatMut, MatRef, loss, optimizer, reduce};

use super::{Loss, TrainError};
use crate::data::Target;

/// The loss of `output` (a row per label) and its gradient. For labels that are numbers it is half the squared error,
/// whatever `kind` says; for classes:
///
/// - [`Loss::CrossEntropy`]: softmax cross-entropy of logits.
/// - [`Loss::SigmoidCrossEntropy`]: sum over classes of softplus(h) - t h; gradient sigmoid(h) - t.
/// - [`Loss::Squared`]: half the squared error of sigmoid outputs.
///
/// # Errors
/// The shapes do not fit, or a label is not a class.
pub(super) fn loss_and_gradient(
    kind: Loss,
    level: Level,
    output: &[f32],
    labels: &[u32],
    target: Target,
    gradient: &mut [f32],
) -> Result<f32, TrainError> {
    fn wrong(error: impl std::fmt::Display) -> TrainError {
        TrainError::Loss(error.to_string())
    }
    let rows = labels.len();
    let Target::Classes(classes) = target else {
        let targets: Vec<f32> = labels.iter().map(|label| f32::from_bits(*label)).collect();
        let outputs = MatRef::new(output, rows, 1).map_err(wrong)?;
        let targets = MatRef::new(&targets, rows, 1).map_err(wrong)?;
        let gradient = MatMut::new(gradient, rows, 1).map_err(wrong)?;
        return loss::squared_error(level, outputs, targets, gradient).map_err(wrong);
    };
    let outputs = MatRef::new(output, rows, classes).map_err(wrong)?;
    match kind {
        Loss::CrossEntropy => {
            let gradient = MatMut::new(gradient, rows, classes).map_err(wrong)?;
            loss::softmax_cross_entropy(level, outputs, labels, gradient).map_err(wrong)
        }
        Loss::SigmoidCrossEntropy => {
            let targets = one_hot(labels, classes);
            let mut softplus = vec![0.0; output.len()];
            activation::forward(level, Softplus, output, &mut softplus).map_err(wrong)?;
            let chosen = reduce::dot(level, output, &targets).map_err(wrong)?;
            activation::forward(level, Sigmoid, output, gradient).map_err(wrong)?;
            for (gradient, target) in gradient.iter_mut().zip(&targets) {
                *gradient -= target;
            }
            let mean = 1.0 / rows as f32;
            optimizer::scale(level, mean, gradient);
            Ok((reduce::sum(level, &softplus) - chosen) * mean)
        }
        Loss::Squared => {
            let targets = one_hot(labels, classes);
            let targets = MatRef::new(&targets, rows, classes).map_err(wrong)?;
            let gradient = MatMut::new(gradient, rows, classes).map_err(wrong)?;
            loss::squared_error(level, outputs, targets, gradient).map_err(wrong)
        }
    }
}

fn one_hot(labels: &[u32], classes: usize) -> Vec<f32> {
    let mut targets = vec![0.0; labels.len() * classes];
    for (row, label) in targets.chunks_exact_mut(classes).zip(labels) {
        if let Some(target) = row.get_mut(*label as usize) {
            *target = 1.0;
        }
    }
    targets
}
