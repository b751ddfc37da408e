//! How a run went: what is kept of it step by step.

use isobath_kernels::Level;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::architecture::Built;
use crate::net::update::Penalty;
use crate::net::{Arena, Layer, Plan};
use crate::probe::weight_norms;

/// The course of one run: a figure per recorded step, or per recorded step and hidden layer.
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
/// // `trained` is the result of ten steps over all samples of a network of three layers, every fifth on record.
/// let course = &trained.course;
/// assert_eq!(course.steps, [0, 5, 10]);
/// assert!(course.loss[2] < course.loss[0]);
/// for deltas in &course.log10_delta {
///     assert_eq!(deltas.len(), 3);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// The recorded steps; 0 is before the first update.
    pub steps: Vec<usize>,
    /// Training loss on the step's batch, without the penalty; null where not finite.
    pub loss: Vec<Option<f64>>,
    /// What the penalty on the weights adds to it, before the step; null where not finite.
    #[serde(default)]
    pub penalty: Vec<Option<f64>>,
    /// log10 of the norm of all gradients together, before clipping.
    pub log10_gradient: Vec<Option<f64>>,
    /// Fraction of gradient elements or units that clipping changed.
    pub clipped: Vec<f64>,
    /// log10 ||delta^l||, `[step][layer - 1]`; null where it is zero or not finite.
    pub log10_delta: Vec<Vec<Option<f64>>>,
    /// log10 ||W^l|| before the step, of each hidden layer's (first) dense layer, `[step][layer - 1]`; null where it is
    /// zero or not finite.
    #[serde(default)]
    pub log10_w: Vec<Vec<Option<f64>>>,
    /// PReLU's learned slope k before the step, `[step][activation]` from the input; null where not finite. Empty for
    /// networks without PReLU.
    #[serde(default)]
    pub prelu: Vec<Vec<Option<f64>>>,
    /// Speed of learning, `[step][layer - 1]`.
    pub speed: Vec<Vec<Option<f64>>>,
}

impl Course {
    /// Adds what the parameters say of themselves.
    pub(super) fn add_parameters(
        &mut self,
        level: Level,
        plan: &Plan<'_>,
        built: &Built,
        arena: &Arena<'_>,
        penalty: Penalty,
    ) {
        let finite = |value: f64| value.is_finite().then_some(value);
        self.penalty.push(finite(penalty.value(level, plan, arena)));
        self.log10_w.push(weight_norms(level, arena, plan, built));
        let slopes: Vec<_> = learned_slopes(plan, arena).map(|(_, k)| finite(k.into())).collect();
        if !slopes.is_empty() {
            self.prelu.push(slopes);
        }
    }
}

/// The layers that are PReLU, and their slopes.
pub(super) fn learned_slopes(plan: &Plan<'_>, arena: &Arena<'_>) -> impl Iterator<Item = (usize, f32)> {
    let layers = plan.layers().iter().zip(plan.places()).enumerate();
    layers.filter_map(|(at, (layer, place))| match layer {
        Layer::Activation(Activation::Prelu(_)) => Some((at, *arena.parameters_of(place).first()?)),
        _ => None,
    })
}
