//! A network's weights in a safetensors file, under the names and in the shapes that PyTorch has.
//!
//! | of | name | shape | here |
//! |---|---|---|---|
//! | hidden layer l, from 1 | `hidden.l.weight`, `hidden.l.bias` | `[out, in]`, `[out]` | W is in x out: the file holds its transpose |
//! | layer k of residual block l | `hidden.l.branch.k.weight`, ... | the same | the same |
//! | the layer below the blocks | `stem.weight`, ... | the same | the same |
//! | the output | `output.weight`, `output.bias` | the same | the same |
//! | a convolution | `....weight` | `[out, in, rows, columns]` | W is (rows columns in) x out |
//! | batch norm | `....norm.weight`, `.bias`, `.running_mean`, `.running_var` | `[out]` | gain, shift, statistics |
//! | layer norm | `....norm.weight`, `.bias` | `[out]` | gain, shift |
//! | PReLU | `....activation.weight` | `[1]` | its slope |
//! | standardised weights | `....gain` | `[out]` | g |
//! | the learned scale of block l | `hidden.l.scale` | `[1]` | s |
//! | a cell | `hidden.l.weight_ih`, `.weight_hh`, `.bias` | `[gates out, in]`, `[gates out, out]`, `[gates out]` | W, U, b |
//!
//! A cell's gates follow each other in this program's order: LSTM i, f, o, g; GRU n, z, r in W and b, but z, r, n in U.
//! PyTorch has i, f, g, o and r, z, n. All elements are F32 and move without rounding, so a file that is loaded gives back
//! the bits that were saved. A file is compared with the network as a whole before an element of it is used.
//! Cost: one read and one write of every element.

mod file;
mod names;

pub use file::{Weights, WeightsError};
pub use names::{Tensor, tensors};

use crate::architecture::Built;
use crate::data::Target;
use crate::net::{Arena, Plan};
use crate::train::Keeper;

/// Starts a run from weights, and keeps copies of what else is asked for.
///
/// ```
/// use isobath::architecture::Architecture;
/// use isobath::data::{Sizes, Source};
/// use isobath::study::plan::StudyPlan;
/// use isobath::threads::Serial;
/// use isobath::train::{Recipe, TrainError, train_kept};
/// use isobath::weights::WeightsKeeper;
/// use isobath_kernels::Level;
///
/// let plan = StudyPlan::load("remedies", None, false)?;
/// let row = plan.recipe(&plan.groups[0].rows[0], &plan.grid[0]);
/// let architecture = Architecture::plain(3, 4, "tanh".parse()?, "xavier".parse()?);
/// let recipe = Recipe { architecture, steps: 10, batch: 8, ..row };
/// let splits = Source::TwoSpirals.load(&Sizes { train: 40, validation: 0, test: 20 }, 1)?;
/// let train = |recipe: &Recipe, keeper: &mut WeightsKeeper| {
///     train_kept(recipe, &splits.train, &splits.test, 1, Level::detect(), &Serial, keeper, |_, _| true)
/// };
/// let mut keeper = WeightsKeeper::default();
/// train(&recipe, &mut keeper)?;
/// // A run without a step ends with what it started from.
/// let last = keeper.last;
/// let mut still = WeightsKeeper { load: Some(last.clone()), ..WeightsKeeper::default() };
/// train(&Recipe { steps: 0, ..recipe }, &mut still)?;
/// assert_eq!(still.last, last);
/// // A wider network refuses them all.
/// let wider = Recipe { architecture: Architecture { width: 5, ..architecture }, ..recipe };
/// assert!(matches!(train(&wider, &mut still), Err(TrainError::Weights(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct WeightsKeeper {
    /// What the run starts from, if not from its seed.
    pub load: Option<Weights>,
    /// Whether the gradients of the first batch are kept.
    pub keep_gradients: bool,
    /// The gradients of the first batch before clipping and without the penalty's, and that batch: `batch.input` with a row
    /// per sample, `batch.labels` as I64 where they are classes, else as F32.
    pub gradients: Weights,
    /// The weights after the last step.
    pub last: Weights,
}

impl Keeper for WeightsKeeper {
    fn start(&mut self, plan: &Plan<'_>, built: &Built, arena: &mut Arena<'_>) -> Result<(), WeightsError> {
        let Some(load) = &self.load else { return Ok(()) };
        load.give(&tensors(plan, built), arena)
    }

    fn first_gradients(
        &mut self,
        plan: &Plan<'_>,
        built: &Built,
        arena: &mut Arena<'_>,
        labels: &[u32],
        target: Target,
    ) {
        if self.keep_gradients {
            self.gradients = Weights::of_gradients(&tensors(plan, built), arena);
            let inputs = arena.input_mut(plan, plan.batch()).to_vec();
            self.gradients.add_batch(inputs, plan.input(), labels, target);
        }
    }

    fn end(&mut self, plan: &Plan<'_>, built: &Built, arena: &Arena<'_>) {
        self.last = Weights::of_parameters(&tensors(plan, built), arena);
    }
}
