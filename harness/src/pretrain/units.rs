//! Visible and hidden units joined by one matrix of weights: what a restricted Boltzmann machine and an autoencoder
//! with tied weights have in common.
//!
//! n visible and m hidden units have n x m weights W, m hidden biases b and n visible biases a, which lie in this
//! order: the first two are a dense layer's. For a batch V (rows x n) the hidden units' means are H = sigmoid(V W +
//! b); for H (rows x m) the visible units' are sigmoid(H W^T + a) where they are binary, H W^T + a where they are
//! Gaussian. Cost: rows n m multiply-adds for each direction, and for each sum V^T H of a gradient.

use isobath_kernels::activation::{self, Sigmoid};
use isobath_kernels::gemm::{Gemm, Init, Shape};
use isobath_kernels::{Level, MatMut, MatRef};

use super::{PretrainError, prefix, prefix_mut};
use crate::net::multiply;
use crate::threads::Threads;

/// What visible units are.
///
/// ```
/// use isobath::pretrain::PretrainError;
/// use isobath::pretrain::autoencoder::Autoencoder;
/// use isobath::pretrain::units::{Batch, Units, Visible};
/// use isobath::random::Random;
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// // The loss of an autoencoder without weights on the input 1.
/// fn loss(kind: Visible) -> Result<f32, PretrainError> {
///     let units = Units { visible: 1, hidden: 1, kind };
///     let model = Autoencoder { units, noise: 0.0 };
///     let batch = Batch { inputs: &[1.0], rows: 1, level: Level::detect(), threads: &Serial };
///     let memory = &mut vec![0.0; model.memory_len(1, 1)];
///     model.gradient(batch, &[0.0; 3], &mut [0.0; 3], memory, &mut Random::new(1))
/// }
///
/// // Half the squared error of 0, and -ln of the probability 1/2.
/// assert_eq!(loss(Visible::Gaussian)?, 0.5);
/// assert!((loss(Visible::Binary)? - 2.0_f32.ln()).abs() < 1e-6);
/// # Ok::<(), PretrainError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visible {
    /// 0 or 1, or a probability in between: the outputs of a sigmoid layer.
    Binary,
    /// Real numbers of unit variance: standardised inputs.
    Gaussian,
}

/// The size of a model, and what its visible units are.
///
/// ```
/// use isobath::pretrain::units::{Units, Visible};
///
/// let units = Units { visible: 2, hidden: 3, kind: Visible::Gaussian };
/// assert_eq!(units.weights(), 2 * 3);
/// assert_eq!(units.parameters(), 2 * 3 + 3 + 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// n.
    pub visible: usize,
    /// m.
    pub hidden: usize,
    /// What the visible units are.
    pub kind: Visible,
}

/// The parameters of a model, or their gradients.
#[derive(Debug)]
pub(super) struct Parts<S> {
    /// n x m.
    pub(super) weights: S,
    /// m.
    pub(super) hidden_biases: S,
    /// n.
    pub(super) visible_biases: S,
}

impl Units {
    /// Number of weights.
    pub fn weights(&self) -> usize {
        self.visible.saturating_mul(self.hidden)
    }

    /// Number of parameters: weights, hidden biases, visible biases.
    pub fn parameters(&self) -> usize {
        self.weights().saturating_add(self.hidden).saturating_add(self.visible)
    }

    /// rows x n times n x m: from visible units to hidden ones.
    fn upward(&self, rows: usize) -> Shape {
        Shape { m: rows, n: self.hidden, k: self.visible, transpose_a: false, transpose_b: false }
    }

    /// rows x m times m x n, by the same weights transposed: from hidden units to visible ones.
    fn downward(&self, rows: usize) -> Shape {
        Shape { m: rows, n: self.visible, k: self.hidden, transpose_a: false, transpose_b: true }
    }

    /// n x rows times rows x m: sums over the batch.
    fn correlation(&self, rows: usize) -> Shape {
        Shape { m: self.visible, n: self.hidden, k: rows, transpose_a: true, transpose_b: false }
    }

    pub(super) fn parts<'a>(&self, parameters: &'a [f32]) -> Result<Parts<&'a [f32]>, PretrainError> {
        let parameters = prefix("the parameters", parameters, self.parameters())?;
        let (weights, biases) = parameters.split_at(self.weights());
        let (hidden_biases, visible_biases) = biases.split_at(self.hidden);
        Ok(Parts { weights, hidden_biases, visible_biases })
    }

    pub(super) fn parts_mut<'a>(
        &self,
        gradient: &'a mut [f32],
    ) -> Result<Parts<&'a mut [f32]>, PretrainError> {
        let gradient = prefix_mut("the gradient", gradient, self.parameters())?;
        let (weights, biases) = gradient.split_at_mut(self.weights());
        let (hidden_biases, visible_biases) = biases.split_at_mut(self.hidden);
        Ok(Parts { weights, hidden_biases, visible_biases })
    }
}

/// What a gradient is taken over, and where it is computed.
///
/// ```
/// use isobath::pretrain::PretrainError;
/// use isobath::pretrain::rbm::Rbm;
/// use isobath::pretrain::units::{Batch, Units, Visible};
/// use isobath::random::Random;
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let model = Rbm { units: Units { visible: 2, hidden: 3, kind: Visible::Gaussian }, gibbs_steps: 1 };
/// let mut memory = vec![0.0; model.memory_len(2, 1)];
/// let mut gradient = |inputs: &[f32]| {
///     let batch = Batch { inputs, rows: 2, level: Level::detect(), threads: &Serial };
///     let mut random = Random::new(1);
///     model.gradient(batch, None, &[0.0; 11], &mut [0.0; 11], &mut memory, &mut random)
/// };
/// assert_eq!(gradient(&[0.5, -0.5, 1.0, -1.0]), Ok(()));
/// // Two rows of two visible units are four numbers.
/// let refused = gradient(&[0.5, -0.5, 1.0]);
/// assert_eq!(refused, Err(PretrainError::Buffer { name: "the inputs", needed: 4, found: 3 }));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, T> {
    /// The visible units of each row: rows x n.
    pub inputs: &'a [f32],
    /// Rows.
    pub rows: usize,
    /// The instruction set. It never shows in a bit.
    pub level: Level,
    /// Who shares the products. It never shows in a bit.
    pub threads: &'a T,
}

/// The products of one step over a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Products<'a, T> {
    pub(super) units: Units,
    pub(super) rows: usize,
    pub(super) level: Level,
    pub(super) threads: &'a T,
}

impl<T: Threads> Products<'_, T> {
    /// out = V W + b.
    pub(super) fn hidden_sums(
        &self,
        parameters: &Parts<&[f32]>,
        visible: &[f32],
        out: &mut [f32],
        workspace: &mut [f32],
    ) -> Result<(), PretrainError> {
        let init = Init::Bias(parameters.hidden_biases);
        self.multiply(self.units.upward(self.rows), visible, parameters.weights, out, init, workspace)
    }

    /// out = sigmoid(V W + b).
    pub(super) fn hidden_means(
        &self,
        parameters: &Parts<&[f32]>,
        visible: &[f32],
        out: &mut [f32],
        workspace: &mut [f32],
    ) -> Result<(), PretrainError> {
        self.hidden_sums(parameters, visible, out, workspace)?;
        activation::forward_in_place(self.level, Sigmoid, out);
        Ok(())
    }

    /// out = H W^T + a.
    pub(super) fn visible_sums(
        &self,
        parameters: &Parts<&[f32]>,
        hidden: &[f32],
        out: &mut [f32],
        workspace: &mut [f32],
    ) -> Result<(), PretrainError> {
        let init = Init::Bias(parameters.visible_biases);
        self.multiply(self.units.downward(self.rows), hidden, parameters.weights, out, init, workspace)
    }

    /// out = D W, without biases: how a gradient of the visible sums reaches the hidden means.
    pub(super) fn hidden_gradients(
        &self,
        parameters: &Parts<&[f32]>,
        visible: &[f32],
        out: &mut [f32],
        workspace: &mut [f32],
    ) -> Result<(), PretrainError> {
        self.multiply(self.units.upward(self.rows), visible, parameters.weights, out, Init::Zero, workspace)
    }

    /// out = V^T H, or with [`Init::Accumulate`] out += V^T H.
    pub(super) fn correlations(
        &self,
        visible: &[f32],
        hidden: &[f32],
        out: &mut [f32],
        init: Init<'_>,
        workspace: &mut [f32],
    ) -> Result<(), PretrainError> {
        self.multiply(self.units.correlation(self.rows), visible, hidden, out, init, workspace)
    }

    fn multiply(
        &self,
        shape: Shape,
        a: &[f32],
        b: &[f32],
        c: &mut [f32],
        init: Init<'_>,
        workspace: &mut [f32],
    ) -> Result<(), PretrainError> {
        let Shape { m, n, k, transpose_a, transpose_b } = shape;
        let a = if transpose_a { MatRef::new(a, k, m) } else { MatRef::new(a, m, k) };
        let b = if transpose_b { MatRef::new(b, n, k) } else { MatRef::new(b, k, n) };
        let c = MatMut::new(c, m, n)?;
        Ok(multiply(self.level, self.threads, shape, a?, b?, c, init, workspace)?)
    }
}

/// Elements of workspace for the products of a batch on `threads` threads.
pub(super) fn workspace_len(units: Units, rows: usize, threads: usize) -> usize {
    let shapes = [units.upward(rows), units.downward(rows), units.correlation(rows)];
    let longest = shapes.into_iter().map(Gemm::workspace_len_for).max().unwrap_or(0);
    longest.saturating_mul(threads)
}
