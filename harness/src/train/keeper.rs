//! Who starts a run's parameters in another way than from its seed, or keeps a copy of what it ends with.

use crate::architecture::Built;
use crate::data::Target;
use crate::net::{Arena, Plan};
use crate::weights::WeightsError;

/// Sees a network where a run begins and ends.
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
#[derive(Clone, Copy, Debug, Default)]
pub struct Unkept;

impl Keeper for Unkept {
    fn start(&mut self, _: &Plan<'_>, _: &Built, _: &mut Arena<'_>) -> Result<(), WeightsError> {
        Ok(())
    }

    fn first_gradients(&mut self, _: &Plan<'_>, _: &Built, _: &mut Arena<'_>, _: &[u32], _: Target) {}

    fn end(&mut self, _: &Plan<'_>, _: &Built, _: &Arena<'_>) {}
}
