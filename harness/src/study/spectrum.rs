//! Takes the singular values of a run's hidden layers where it begins and ends.

use isobath_kernels::Level;

use crate::architecture::{Architecture, Built};
use crate::data::{Dataset, Target};
use crate::net::{Arena, Plan};
use crate::probe::{SPECTRUM_SAMPLES, Spectrum};
use crate::train::Keeper;
use crate::weights::WeightsError;

/// A keeper that looks at the parameters, at the first training sample, and changes nothing. Batch norm has the statistics
/// of the first [`SPECTRUM_SAMPLES`].
pub(super) struct SpectrumKeeper<'a> {
    /// Whether it looks at all.
    pub(super) wanted: bool,
    pub(super) level: Level,
    pub(super) architecture: &'a Architecture,
    pub(super) data: &'a Dataset,
    /// Before the first step and after the last; none where there is none, see [`Spectrum`].
    pub(super) found: [Option<Spectrum>; 2],
}

impl SpectrumKeeper<'_> {
    fn look(&self, arena: &Arena<'_>) -> Option<Spectrum> {
        let form = self.data.form();
        let inputs = self.data.inputs();
        let samples = &inputs[..inputs.len().min(SPECTRUM_SAMPLES * form.features())];
        if !self.wanted {
            return None;
        }
        // The network has just been trained: what cannot be laid out beside it is not worth its run.
        Spectrum::of_hidden_layers(self.level, self.architecture, form, arena.parameters, samples)
            .ok()
            .flatten()
    }
}

impl Keeper for SpectrumKeeper<'_> {
    fn start(&mut self, _: &Plan<'_>, _: &Built, arena: &mut Arena<'_>) -> Result<(), WeightsError> {
        self.found[0] = self.look(arena);
        Ok(())
    }

    fn first_gradients(&mut self, _: &Plan<'_>, _: &Built, _: &mut Arena<'_>, _: &[u32], _: Target) {}

    fn end(&mut self, _: &Plan<'_>, _: &Built, arena: &Arena<'_>) {
        self.found[1] = self.look(arena);
    }
}
