//! The denoising autoencoder with tied weights (Vincent et al. 2008): it learns to undo masking noise.
//!
//! Each input is set to 0 with probability `noise`; x~ is what is left. h = sigmoid(x~ W + b), s = h W^T + a, and the
//! loss, a mean over the rows, compares with the clean x:
//!
//! - binary inputs, in [0, 1]: the cross-entropy of r = sigmoid(s), per row sum_j softplus(s_j) - x_j s_j. Not the
//!   squared error, whose gradient with respect to s has the factor r (1 - r) and vanishes where r is wrong and
//!   saturated;
//! - Gaussian inputs: half the squared error of r = s. There is no sigmoid that could reach them.
//!
//! Either way the gradient with respect to s is (r - x) / rows. W collects two terms, from the decoder and from the
//! encoder. Cost: 5 rows n m multiply-adds, and one uniform number per input, drawn row by row.

use isobath_kernels::activation::{self, Sigmoid, Softplus};
use isobath_kernels::gemm::Init;
use isobath_kernels::{MatMut, MatRef, loss, reduce};

use super::units::{Batch, Products, Units, Visible, workspace_len};
use super::{PretrainError, prefix, prefix_mut};
use crate::random::Random;
use crate::threads::Threads;

/// Products of n x m multiply-adds per row in one step.
pub(super) const PRODUCTS: usize = 5;

/// A denoising autoencoder.
///
/// ```
/// use isobath::pretrain::PretrainError;
/// use isobath::pretrain::autoencoder::Autoencoder;
/// use isobath::pretrain::units::{Batch, Units, Visible};
/// use isobath::random::Random;
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let units = Units { visible: 2, hidden: 3, kind: Visible::Binary };
/// let model = Autoencoder { units, noise: 0.0 };
/// let parameters = vec![0.0; units.parameters()];
/// let (mut gradient, mut memory) = (parameters.clone(), vec![0.0; model.memory_len(1, 1)]);
/// let batch = Batch { inputs: &[1.0, 0.0], rows: 1, level: Level::detect(), threads: &Serial };
/// let mut random = Random::new(1);
/// let loss = model.gradient(batch, &parameters, &mut gradient, &mut memory, &mut random)?;
/// // Without weights it reconstructs every input as 1/2: ln 2 for each.
/// assert!((loss - 2.0 * 2.0_f32.ln()).abs() < 1e-6);
/// assert_eq!(gradient[2 * 3 + 3..], [0.5 - 1.0, 0.5 - 0.0]); // of the visible biases
///
/// let short = model.gradient(batch, &parameters, &mut gradient, &mut [], &mut random);
/// assert!(matches!(short, Err(PretrainError::Buffer { found: 0, .. })));
/// # Ok::<(), PretrainError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Autoencoder {
    /// Its units.
    pub units: Units,
    /// The probability that an input is set to 0.
    pub noise: f32,
}

impl Autoencoder {
    /// Elements of memory that [`Autoencoder::gradient`] needs for so many rows.
    pub fn memory_len(&self, rows: usize, threads: usize) -> usize {
        let Units { visible, hidden, .. } = self.units;
        let values = visible.saturating_mul(3).saturating_add(hidden.saturating_mul(2)).saturating_mul(rows);
        values.saturating_add(workspace_len(self.units, rows, threads))
    }

    /// The loss of a batch; writes its gradient, in the order of the parameters. What `memory` holds does not matter.
    ///
    /// # Errors
    /// A buffer is shorter than the units and rows need.
    pub fn gradient<T: Threads>(
        &self,
        batch: Batch<'_, T>,
        parameters: &[f32],
        gradient: &mut [f32],
        memory: &mut [f32],
        random: &mut Random,
    ) -> Result<f32, PretrainError> {
        let Batch { inputs, rows, level, threads } = batch;
        let Units { visible: n, hidden: m, .. } = self.units;
        let products = Products { units: self.units, rows, level, threads };
        let inputs = prefix("the inputs", inputs, rows.saturating_mul(n))?;
        let memory = prefix_mut("a step", memory, self.memory_len(rows, threads.count()))?;
        let (corrupted, memory) = memory.split_at_mut(rows * n);
        let (sums, memory) = memory.split_at_mut(rows * n);
        let (difference, memory) = memory.split_at_mut(rows * n);
        let (hidden, memory) = memory.split_at_mut(rows * m);
        let (slope, workspace) = memory.split_at_mut(rows * m);
        let parameters = self.units.parts(parameters)?;
        let gradient = self.units.parts_mut(gradient)?;

        for (to, from) in corrupted.iter_mut().zip(inputs) {
            *to = if random.uniform() < self.noise { 0.0 } else { *from };
        }
        products.hidden_sums(&parameters, corrupted, hidden, workspace)?;
        activation::forward_with_derivative_in_place(level, Sigmoid, hidden, slope)?;
        products.visible_sums(&parameters, hidden, sums, workspace)?;

        let mut cross_entropy = None;
        if self.units.kind == Visible::Binary {
            activation::forward(level, Softplus, sums, difference)?;
            let expected = reduce::dot(level, inputs, sums)?;
            cross_entropy = Some((reduce::sum(level, difference) - expected) / rows as f32);
            activation::forward_in_place(level, Sigmoid, sums);
        }
        let (reconstruction, clean) = (MatRef::new(sums, rows, n)?, MatRef::new(inputs, rows, n)?);
        let squared_error =
            loss::squared_error(level, reconstruction, clean, MatMut::new(difference, rows, n)?)?;

        products.correlations(difference, hidden, gradient.weights, Init::Zero, workspace)?;
        reduce::column_sums(level, MatRef::new(difference, rows, n)?, gradient.visible_biases)?;
        // The decoder has had its use of the hidden means: their gradient takes their place.
        products.hidden_gradients(&parameters, difference, hidden, workspace)?;
        activation::multiply(level, slope, hidden)?;
        products.correlations(corrupted, hidden, gradient.weights, Init::Accumulate, workspace)?;
        reduce::column_sums(level, MatRef::new(hidden, rows, m)?, gradient.hidden_biases)?;
        Ok(cross_entropy.unwrap_or(squared_error))
    }
}
