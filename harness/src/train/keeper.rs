//! Who starts a run's parameters in another way than from its seed, or keeps a copy of what it ends with.

use crate::architecture::Built;
use crate::data::Target;
use crate::net::{Arena, Plan};
use crate::weights::WeightsError;

/// Sees a network where a run begins and ends.
///
/// ```
/// use isobath::architecture::{Architecture, Built};
/// use isobath::data::{Sizes, Source, Target};
/// use isobath::net::{Arena, Plan};
/// use isobath::study::plan::StudyPlan;
/// use isobath::threads::Serial;
/// use isobath::train::{Keeper, Recipe, train_kept};
/// use isobath::weights::WeightsError;
/// use isobath_kernels::Level;
///
/// // Starts all parameters at one value, and looks at what they have become.
/// struct Flat(f32, Vec<f32>);
///
/// impl Keeper for Flat {
///     fn start(&mut self, _: &Plan<'_>, _: &Built, arena: &mut Arena<'_>) -> Result<(), WeightsError> {
///         arena.parameters.fill(self.0);
///         Ok(())
///     }
///
///     fn first_gradients(&mut self, _: &Plan<'_>, _: &Built, _: &mut Arena<'_>, _: &[u32], _: Target) {}
///
///     fn end(&mut self, _: &Plan<'_>, _: &Built, arena: &Arena<'_>) {
///         self.1 = arena.parameters.to_vec();
///     }
/// }
///
/// let plan = StudyPlan::load("remedies", None, false)?;
/// let row = plan.recipe(&plan.groups[0].rows[0], &plan.grid[0]);
/// let architecture = Architecture::plain(3, 4, "tanh".parse()?, "xavier".parse()?);
/// let recipe = Recipe { architecture, steps: 10, batch: 8, ..row };
/// let splits = Source::TwoSpirals.load(&Sizes { train: 40, validation: 0, test: 20 }, 1)?;
/// let mut keeper = Flat(0.5, Vec::new());
/// let level = Level::detect();
/// train_kept(&recipe, &splits.train, &splits.test, 1, level, &Serial, &mut keeper, |_, _| true)?;
/// // Units that start alike stay alike: the four biases of the first layer behind its 2 x 4 weights.
/// assert_eq!(keeper.1[8..12], [keeper.1[8]; 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Keeper {
    /// Before the first step, after any pre-training: may change the parameters and running statistics.
    ///
    /// # Errors
    /// The weights to start from do not fit; the run ends then.
    fn start(&mut self, plan: &Plan<'_>, built: &Built, arena: &mut Arena<'_>) -> Result<(), WeightsError>;

    /// After the first backward pass, before its gradients are clipped. `labels` are those of the batch.
    fn first_gradients(
        &mut self,
        plan: &Plan<'_>,
        built: &Built,
        arena: &mut Arena<'_>,
        labels: &[u32],
        target: Target,
    );

    /// After the last step.
    fn end(&mut self, plan: &Plan<'_>, built: &Built, arena: &Arena<'_>);
}

/// Leaves a run as it is.
///
/// ```
/// # use isobath::architecture::Architecture;
/// # use isobath::data::{Sizes, Source};
/// # use isobath::study::plan::StudyPlan;
/// # use isobath::threads::Serial;
/// # use isobath::train::{Recipe, train};
/// # let plan = StudyPlan::load("remedies", None, false)?;
/// # let row = plan.recipe(&plan.groups[0].rows[0], &plan.grid[0]);
/// # let architecture = Architecture::plain(3, 4, "tanh".parse()?, "xavier".parse()?);
/// # let recipe = Recipe { architecture, steps: 10, batch: 40, record_every: 5, ..row };
/// # let splits = Source::TwoSpirals.load(&Sizes { train: 40, validation: 0, test: 20 }, 1)?;
/// # let level = isobath_kernels::Level::detect();
/// # let trained = train(&recipe, &splits.train, &splits.test, 1, level, &Serial, |_, _| true)?;
/// # let trained = trained.expect("nobody stopped it");
/// use isobath::train::{Unkept, train_kept};
///
/// // `trained` is what `train` has made of a recipe, two data sets and the seed 1.
/// let (data, test, keeper) = (&splits.train, &splits.test, &mut Unkept);
/// let again = train_kept(&recipe, data, test, 1, level, &Serial, keeper, |_, _| true)?;
/// assert_eq!(again.map(|again| again.hash), Some(trained.hash));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Unkept;

impl Keeper for Unkept {
    fn start(&mut self, _: &Plan<'_>, _: &Built, _: &mut Arena<'_>) -> Result<(), WeightsError> {
        Ok(())
    }

    fn first_gradients(&mut self, _: &Plan<'_>, _: &Built, _: &mut Arena<'_>, _: &[u32], _: Target) {}

    fn end(&mut self, _: &Plan<'_>, _: &Built, _: &Arena<'_>) {}
}
