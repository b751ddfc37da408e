//! What the units of each hidden layer do on a batch: how many are dead or saturated, and where their outputs lie.
//!
//! Dead and saturated are as a probe counts them (phi' = 0 on every sample of the batch; |phi'| below 1 % of its largest).
//! Mean and deviation are of phi's outputs over all units and samples: ReLU's are not centred, and what is not centred
//! shifts every sum of the next layer (Clevert et al. 2016). A residual block's activations are taken together.
//! Cost: a look at each slope and three at each output in f64: where layers are narrow nearly as much as a step, so not in
//! every step.

use isobath_kernels::MatRef;
use serde::{Deserialize, Serialize};

use super::course::learned_slopes;
use crate::activation::Activation;
use crate::architecture::Built;
use crate::net::{Arena, Layer, Plan, Watch};
use crate::probe::{Saturation, moments};

/// The units of one hidden layer on one batch.
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
/// // `trained` is the result of a tanh network of three layers: its slopes are never 0.
/// for units in &trained.units[1] {
///     assert_eq!(units.dead, 0.0);
///     assert!((0.0..=1.0).contains(&units.saturated));
///     assert!(units.mean.unwrap().abs() < 1.0 && units.deviation.unwrap() < 1.0);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitFigures {
    /// Fraction of units whose slope is 0 on every sample.
    pub dead: f64,
    /// Fraction of units and samples whose slope is below 1 % of the largest that phi has.
    pub saturated: f64,
    /// Mean of the outputs; none where one is not finite.
    pub mean: Option<f64>,
    /// Standard deviation of the outputs.
    pub deviation: Option<f64>,
}

/// The network with the slopes that its PReLUs have learned.
pub(super) fn as_learned(built: &Built, plan: &Plan<'_>, arena: &Arena<'_>) -> Built {
    let mut built = built.clone();
    for (at, slope) in learned_slopes(plan, arena) {
        built.layers[at] = Layer::Activation(Activation::Prelu(slope));
    }
    built
}

/// Counts while a forward pass runs.
pub(crate) struct Units<'a> {
    built: &'a Built,
    saturation: Saturation<'a>,
    outputs: Vec<Outputs>,
}

/// Sums over the activations of a hidden layer.
#[derive(Clone, Copy, Default)]
struct Outputs {
    activations: usize,
    means: f64,
    mean_squares: f64,
}

impl<'a> Units<'a> {
    /// A counter for the network `built`, PReLU's slopes as they are now.
    pub(crate) fn new(built: &'a Built, function: Activation) -> Self {
        let outputs = vec![Outputs::default(); built.delta_at.len()];
        Self { built, saturation: Saturation::new(built, function), outputs }
    }

    /// The figures of each hidden layer.
    pub(crate) fn figures(&self) -> Vec<UnitFigures> {
        let layers = self.saturation.fractions().into_iter().zip(&self.outputs);
        layers
            .map(|(fractions, outputs)| {
                let count = outputs.activations as f64;
                let (mean, mean_square) = (outputs.means / count, outputs.mean_squares / count);
                let is_known = mean.is_finite() && mean_square.is_finite();
                UnitFigures {
                    dead: fractions.dead,
                    saturated: fractions.saturated,
                    mean: is_known.then_some(mean),
                    deviation: is_known.then(|| (mean_square - mean * mean).max(0.0).sqrt()),
                }
            })
            .collect()
    }
}

impl Watch for Units<'_> {
    fn input(&mut self, layer: usize, x: MatRef<'_>, exponent: i32) {
        // What an activation gives out is the input of the layer that follows.
        let Some(before) = layer.checked_sub(1) else { return };
        if !matches!(self.built.layers[before], Layer::Activation(_)) {
            return;
        }
        let number = self.built.delta_at.partition_point(|start| *start <= before);
        let Some(outputs) = number.checked_sub(1).and_then(|l| self.outputs.get_mut(l)) else { return };
        outputs.activations += 1;
        match moments(x, exponent) {
            Some(found) => {
                outputs.means += found.mean;
                outputs.mean_squares += found.variance + found.mean * found.mean;
            }
            None => outputs.means = f64::NAN,
        }
    }

    fn slope(&mut self, layer: usize, kept: MatRef<'_>) {
        self.saturation.slope(layer, kept);
    }
}
