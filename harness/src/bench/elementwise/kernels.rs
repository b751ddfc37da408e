//! Every element-wise and memory-bound kernel: how to call it, and what it moves.

use std::hint::black_box;

use isobath_kernels::batch_norm::{self, BatchStatistics};
use isobath_kernels::optimizer::{self, Adam, AdamState, Momentum};
use isobath_kernels::view::ViewError;
use isobath_kernels::{Level, MatMut, MatRef, clip, layer_norm, loss, math, reduce, residual};

use super::operands::{COLUMNS, Operands};
use super::{BenchError, Streams, activations};

/// A step so small that weights stay what they are through millions of them.
const RATE: f32 = 1e-9;

/// What the arrays hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// Normal numbers of deviation 1.
    Normal,
    /// Their magnitudes.
    Positive,
    /// 1, for what multiplies again and again.
    One,
}

pub(super) type Run = Box<dyn Fn(Level, &mut Operands) -> Result<(), BenchError>>;

/// A kernel to be measured.
pub struct Kernel {
    /// What it computes.
    pub subject: &'static str,
    /// In which form; empty if there is one alone.
    pub form: &'static str,
    /// What it moves.
    pub streams: Streams,
    pub(super) values: Values,
    run: Run,
}

impl Kernel {
    pub(super) fn new(
        subject: &'static str,
        form: &'static str,
        streams: Streams,
        run: impl Fn(Level, &mut Operands) -> Result<(), BenchError> + 'static,
    ) -> Self {
        Self { subject, form, streams, values: Values::Normal, run: Box::new(run) }
    }

    pub(super) fn on(self, values: Values) -> Self {
        Self { values, ..self }
    }

    pub(super) fn run(&self, level: Level, operands: &mut Operands) -> Result<(), BenchError> {
        (self.run)(level, operands)
    }
}

/// The kernels, in the order of the table.
pub fn kernels() -> Vec<Kernel> {
    let mut kernels = elementary();
    kernels.extend(activations::kernels());
    kernels.extend(normalisations());
    kernels.extend(clippings());
    kernels.extend(reductions());
    kernels.extend(losses());
    kernels.extend(updates());
    kernels
}

/// An array as a matrix.
pub(super) fn matrix(x: &[f32]) -> Result<MatRef<'_>, ViewError> {
    MatRef::new(x, x.len() / COLUMNS, COLUMNS)
}

fn matrix_mut(x: &mut [f32]) -> Result<MatMut<'_>, ViewError> {
    let rows = x.len() / COLUMNS;
    MatMut::new(x, rows, COLUMNS)
}

fn elementary() -> Vec<Kernel> {
    type Slices = fn(Level, &[f32], &mut [f32]) -> Result<(), isobath_kernels::LengthError>;
    let kernel = |name, f: Slices| {
        Kernel::new(name, "", Streams::copy(1, 1), move |level, operands| {
            let [x, y, ..] = operands.arrays.all();
            Ok(f(level, x, y)?)
        })
    };
    vec![
        kernel("exp", math::exp_slice),
        kernel("expm1", math::expm1_slice),
        kernel("ln", math::ln_slice).on(Values::Positive),
        kernel("log1p", math::log1p_slice).on(Values::Positive),
        kernel("erf", math::erf_slice),
    ]
}

fn normalisations() -> Vec<Kernel> {
    vec![
        // Once for the statistics, block of rows by block of rows, and once to be normalised.
        Kernel::new("batch-norm", "training", Streams::copy(1, 1).and_again(1), |level, operands| {
            let [x, y, ..] = operands.arrays.all();
            let [gamma, beta, mean, inv_std, variance] = &mut operands.columns;
            let saved = BatchStatistics { mean, inv_std, variance };
            batch_norm::forward_training(level, matrix(x)?, gamma, beta, 1e-5, matrix_mut(y)?, saved)?;
            Ok(())
        }),
        Kernel::new("batch-norm", "inference", Streams::copy(1, 1), |level, operands| {
            let [x, y, ..] = operands.arrays.all();
            let [gamma, beta, mean, variance, _] = &operands.columns;
            let y = matrix_mut(y)?;
            batch_norm::forward_inference(level, matrix(x)?, gamma, beta, mean, variance, 1e-5, y)?;
            Ok(())
        }),
        // x and dy once for the sums, and once for dx.
        Kernel::new("batch-norm", "backward", Streams::copy(2, 1).and_again(2), |level, operands| {
            let [x, dy, dx, ..] = operands.arrays.all();
            let [gamma, d_gamma, d_beta, mean, inv_std] = &mut operands.columns;
            let (x, dy, dx) = (matrix(x)?, matrix(dy)?, matrix_mut(dx)?);
            batch_norm::backward(level, x, dy, gamma, mean, inv_std, dx, d_gamma, d_beta)?;
            Ok(())
        }),
        Kernel::new("layer-norm", "forward", Streams::copy(1, 1), |level, operands| {
            let [x, y, ..] = operands.arrays.all();
            let ([gamma, beta, ..], [mean, inv_std]) = (&operands.columns, &mut operands.rows);
            layer_norm::forward(level, matrix(x)?, gamma, beta, 1e-5, matrix_mut(y)?, mean, inv_std)?;
            Ok(())
        }),
        Kernel::new("layer-norm", "backward", Streams::copy(2, 1), |level, operands| {
            let [x, dy, dx, ..] = operands.arrays.all();
            let ([gamma, d_gamma, d_beta, ..], [mean, inv_std]) = (&mut operands.columns, &operands.rows);
            let (x, dy, dx) = (matrix(x)?, matrix(dy)?, matrix_mut(dx)?);
            layer_norm::backward(level, x, dy, gamma, mean, inv_std, dx, d_gamma, d_beta)?;
            Ok(())
        }),
    ]
}

fn clippings() -> Vec<Kernel> {
    vec![
        Kernel::new("clip", "by-value", Streams::update(1, 1), |level, operands| {
            let [g, ..] = operands.arrays.all();
            black_box(clip::by_value(level, g, 1.0)?);
            Ok(())
        }),
        // Once for the norm, and once to be scaled: each call finds a norm just above its bound.
        Kernel::new("clip", "by-norm", Streams::update(1, 1).and_again(1), |level, operands| {
            let [g, ..] = operands.arrays.all();
            let report = clip::by_global_norm(level, &mut [g], operands.bound)?;
            operands.bound = report.norm.to_f32().min(operands.bound) * (1.0 - 1e-5);
            Ok(())
        }),
        // Weights and gradients, of which none is clipped.
        Kernel::new("clip", "adaptive", Streams::read(2), |level, operands| {
            let [w, g, ..] = operands.arrays.all();
            black_box(clip::adaptive(level, matrix(w)?, matrix_mut(g)?, 1e6, 1e-3)?);
            Ok(())
        }),
    ]
}

fn reductions() -> Vec<Kernel> {
    vec![
        Kernel::new("sum", "", Streams::read(1), |level, operands| {
            black_box(reduce::sum(level, operands.arrays.all()[0]));
            Ok(())
        }),
        Kernel::new("dot", "", Streams::read(2), |level, operands| {
            let [a, b, ..] = operands.arrays.all();
            black_box(reduce::dot(level, a, b)?);
            Ok(())
        }),
        Kernel::new("sum-of-squares", "", Streams::read(1), |level, operands| {
            black_box(reduce::sum_of_squares(level, operands.arrays.all()[0]));
            Ok(())
        }),
        Kernel::new("max-abs", "", Streams::read(1), |level, operands| {
            black_box(reduce::max_abs(level, operands.arrays.all()[0]));
            Ok(())
        }),
        Kernel::new("column-sums", "", Streams::read(1), |level, operands| {
            let [x, ..] = operands.arrays.all();
            Ok(reduce::column_sums(level, matrix(x)?, &mut operands.columns[0])?)
        }),
    ]
}

fn losses() -> Vec<Kernel> {
    vec![
        Kernel::new("softmax", "", Streams::copy(1, 1), |level, operands| {
            let [z, p, ..] = operands.arrays.all();
            Ok(loss::softmax(level, matrix(z)?, matrix_mut(p)?)?)
        }),
        Kernel::new("cross-entropy", "", Streams::copy(1, 1), |level, operands| {
            let [z, dz, ..] = operands.arrays.all();
            let dz = matrix_mut(dz)?;
            black_box(loss::softmax_cross_entropy(level, matrix(z)?, &operands.labels, dz)?);
            Ok(())
        }),
        Kernel::new("squared-error", "", Streams::copy(2, 1), |level, operands| {
            let [y, target, dy, ..] = operands.arrays.all();
            black_box(loss::squared_error(level, matrix(y)?, matrix(target)?, matrix_mut(dy)?)?);
            Ok(())
        }),
        Kernel::new("accuracy", "", Streams::read(1), |level, operands| {
            let [z, ..] = operands.arrays.all();
            black_box(loss::accuracy(level, matrix(z)?, &operands.labels)?);
            Ok(())
        }),
    ]
}

fn updates() -> Vec<Kernel> {
    let settings = Adam { learning_rate: RATE, ..Adam::default() };
    let correction = AdamState::new().advance(&settings);
    vec![
        Kernel::new("sgd", "", Streams::update(2, 1), |level, operands| {
            let [w, g, ..] = operands.arrays.all();
            Ok(optimizer::sgd(level, RATE, w, g)?)
        }),
        Kernel::new("momentum", "", Streams::update(3, 2), |level, operands| {
            let [w, v, g, ..] = operands.arrays.all();
            let settings = Momentum { learning_rate: RATE, momentum: 0.9, nesterov: false };
            Ok(optimizer::momentum(level, settings, w, v, g)?)
        }),
        Kernel::new("adam", "", Streams::update(4, 3), move |level, operands| {
            let [w, m, v, g] = operands.arrays.all();
            Ok(optimizer::adam(level, &settings, &correction, w, m, v, g)?)
        })
        .on(Values::Positive),
        Kernel::new("penalty", "l2", Streams::update(2, 1), |level, operands| {
            let [g, w, ..] = operands.arrays.all();
            Ok(optimizer::add_l2(level, RATE, w, g)?)
        }),
        Kernel::new("penalty", "l1", Streams::update(2, 1), |level, operands| {
            let [g, w, ..] = operands.arrays.all();
            Ok(optimizer::add_l1(level, RATE, w, g)?)
        }),
        Kernel::new("scale", "", Streams::update(1, 1), |level, operands| {
            let [x, ..] = operands.arrays.all();
            optimizer::scale(level, black_box(1.0), x);
            Ok(())
        }),
        Kernel::new("residual", "", Streams::update(2, 1), |level, operands| {
            let [x, y, ..] = operands.arrays.all();
            Ok(residual::scale_add(level, 0.5, x, y)?)
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_takes_its_operands_and_has_one_name() {
        let mut names = std::collections::BTreeSet::new();
        for kernel in kernels() {
            let name = format!("{} {}", kernel.subject, kernel.form);
            assert!(name.trim_end().len() <= 20, "{name}: no room in the table");
            for bytes in [1 << 10, 1 << 16] {
                let mut operands = Operands::new(&kernel, bytes);
                for _ in 0..3 {
                    kernel
                        .run(Level::detect(), &mut operands)
                        .unwrap_or_else(|error| panic!("{name}: {error}"));
                }
            }
            assert!(names.insert(name.clone()), "{name} twice");
        }
    }

    /// Else it would read the gradient once and not write it.
    #[test]
    fn every_call_of_clipping_by_norm_clips() {
        let by_norm = clippings().into_iter().find(|kernel| kernel.form == "by-norm").unwrap();
        let mut operands = Operands::new(&by_norm, 1 << 16);
        for _ in 0..1000 {
            let before = operands.arrays.all()[0].to_vec();
            by_norm.run(Level::detect(), &mut operands).unwrap();
            assert_ne!(before, operands.arrays.all()[0]);
        }
    }
}
