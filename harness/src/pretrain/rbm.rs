//! The restricted Boltzmann machine, by contrastive divergence (Hinton 2002) or its persistent form (Tieleman 2008).
//!
//! p(v, h) is proportional to exp(-E): E = -v W h - b h - a v for binary visible units; for Gaussian ones, of unit
//! variance, |v - a|^2 / 2 takes the place of -a v. Given v, a hidden unit is 1 with probability sigmoid(v W + b);
//! given h, a visible unit is 1 with probability sigmoid(h W^T + a), or N(h W^T + a, 1).
//!
//! The gradient of -log p(v) with respect to W is E_model \[v h\] - E_data \[v h\], and so for the biases. The second
//! takes the hidden units' probabilities. For the first, chains of k Gibbs steps (visible units from hidden ones,
//! then back) start at the data (CD-k) or where they were left (PCD); all units are sampled but the last hidden ones,
//! which enter by their probabilities, to spare noise. CD is biased unless k is large.
//!
//! Cost: 3 + 2 k products of rows n m multiply-adds, 4 + 2 k for PCD; a random number per sampled unit, row by row.

use isobath_kernels::activation::{self, Sigmoid};
use isobath_kernels::gemm::Init;
use isobath_kernels::{MatRef, optimizer, reduce, residual};

use super::units::{Batch, Products, Units, Visible, workspace_len};
use super::{PretrainError, prefix, prefix_mut};
use crate::random::Random;
use crate::threads::Threads;

/// A restricted Boltzmann machine and how its gradient is estimated.
///
/// ```
/// use isobath::pretrain::PretrainError;
/// use isobath::pretrain::rbm::Rbm;
/// use isobath::pretrain::units::{Batch, Units, Visible};
/// use isobath::random::Random;
/// use isobath::threads::Serial;
/// use isobath_kernels::Level;
///
/// let units = Units { visible: 2, hidden: 3, kind: Visible::Binary };
/// let model = Rbm { units, gibbs_steps: 1 };
/// // No weights, and visible biases with which units are all but certainly 1 and 0.
/// let mut parameters = vec![0.0; units.parameters()];
/// parameters[2 * 3 + 3..].copy_from_slice(&[99.0, -99.0]);
/// let mut memory = vec![0.0; model.memory_len(1, 1)];
/// let mut visible_biases = |inputs: [f32; 2]| {
///     let batch = Batch { inputs: &inputs, rows: 1, level: Level::detect(), threads: &Serial };
///     let (mut gradient, mut random) = (parameters.clone(), Random::new(1));
///     model.gradient(batch, None, &parameters, &mut gradient, &mut memory, &mut random)?;
///     Ok::<_, PretrainError>([gradient[9], gradient[10]])
/// };
/// // What the model expects less what the data are.
/// assert_eq!(visible_biases([1.0, 0.0])?, [0.0, 0.0]);
/// assert_eq!(visible_biases([0.0, 1.0])?, [1.0, -1.0]);
/// # Ok::<(), PretrainError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rbm {
    /// Its units.
    pub units: Units,
    /// k; 0 counts as 1.
    pub gibbs_steps: usize,
}

impl Rbm {
    /// Products of n x m multiply-adds per row in one step.
    pub(super) fn products(&self, persistent: bool) -> usize {
        self.gibbs_steps.max(1).saturating_mul(2).saturating_add(3 + usize::from(persistent))
    }

    /// Elements of memory that [`Rbm::gradient`] needs for so many rows.
    pub fn memory_len(&self, rows: usize, threads: usize) -> usize {
        let Units { visible, hidden, .. } = self.units;
        let values = visible.saturating_add(hidden.saturating_mul(2)).saturating_mul(rows);
        let sums = visible.saturating_add(hidden);
        values.saturating_add(sums).saturating_add(workspace_len(self.units, rows, threads))
    }

    /// An estimate of the gradient of the mean of -log p over a batch, in the order of the parameters. What `memory`
    /// holds does not matter. `particles`, if given, are the visible units of persistent chains, as many as the batch
    /// has rows: they are moved on. Without them chains start at the batch.
    ///
    /// # Errors
    /// A buffer is shorter than the units and rows need.
    pub fn gradient<T: Threads>(
        &self,
        batch: Batch<'_, T>,
        particles: Option<&mut [f32]>,
        parameters: &[f32],
        gradient: &mut [f32],
        memory: &mut [f32],
        random: &mut Random,
    ) -> Result<(), PretrainError> {
        let Batch { inputs, rows, level, threads } = batch;
        let Units { visible: n, hidden: m, kind } = self.units;
        let products = Products { units: self.units, rows, level, threads };
        let inputs = prefix("the inputs", inputs, rows.saturating_mul(n))?;
        let memory = prefix_mut("a step", memory, self.memory_len(rows, threads.count()))?;
        let (visible, memory) = memory.split_at_mut(rows * n);
        let (means, memory) = memory.split_at_mut(rows * m);
        let (hidden, memory) = memory.split_at_mut(rows * m);
        let (visible_sums, memory) = memory.split_at_mut(n);
        let (hidden_sums, workspace) = memory.split_at_mut(m);
        let parameters = self.units.parts(parameters)?;
        let gradient = self.units.parts_mut(gradient)?;

        // Over the data.
        products.hidden_means(&parameters, inputs, means, workspace)?;
        sample(random, means, hidden);
        let share = 1.0 / rows as f32;
        optimizer::scale(level, -share, means);
        products.correlations(inputs, means, gradient.weights, Init::Zero, workspace)?;
        reduce::column_sums(level, MatRef::new(means, rows, m)?, gradient.hidden_biases)?;
        reduce::column_sums(level, MatRef::new(inputs, rows, n)?, gradient.visible_biases)?;
        optimizer::scale(level, -share, gradient.visible_biases);

        // Over the model, as far as the chains show it.
        let particles = match particles {
            None => None,
            Some(particles) => {
                let particles = prefix_mut("the particles", particles, rows * n)?;
                products.hidden_means(&parameters, particles, means, workspace)?;
                sample(random, means, hidden);
                Some(particles)
            }
        };
        for step in (0..self.gibbs_steps.max(1)).rev() {
            products.visible_sums(&parameters, hidden, visible, workspace)?;
            match kind {
                Visible::Binary => {
                    activation::forward_in_place(level, Sigmoid, visible);
                    sample_in_place(random, visible);
                }
                Visible::Gaussian => visible.iter_mut().for_each(|v| *v += random.normal()),
            }
            products.hidden_means(&parameters, visible, means, workspace)?;
            if step > 0 {
                sample(random, means, hidden);
            }
        }
        if let Some(particles) = particles {
            particles.copy_from_slice(visible);
        }
        optimizer::scale(level, share, means);
        products.correlations(visible, means, gradient.weights, Init::Accumulate, workspace)?;
        reduce::column_sums(level, MatRef::new(means, rows, m)?, hidden_sums)?;
        residual::scale_add(level, 1.0, gradient.hidden_biases, hidden_sums)?;
        reduce::column_sums(level, MatRef::new(visible, rows, n)?, visible_sums)?;
        optimizer::scale(level, share, visible_sums);
        residual::scale_add(level, 1.0, gradient.visible_biases, visible_sums)?;
        Ok(())
    }
}

/// Units that are 1 with the given probabilities, else 0.
fn sample(random: &mut Random, probabilities: &[f32], units: &mut [f32]) {
    units.copy_from_slice(probabilities);
    sample_in_place(random, units);
}

/// The same, over the probabilities.
fn sample_in_place(random: &mut Random, units: &mut [f32]) {
    for unit in units {
        *unit = if random.uniform() < *unit { 1.0 } else { 0.0 };
    }
}
