//! The memory of a network, cut into its regions. Each begins at a line of the cache if the memory does.

use super::plan::whole_lines;
use super::{Convolution, Dense, Layer, Place, Plan, PlanError, Values};
use crate::init::{Init, WeightVariance};
use crate::random::Random;

/// Up to here an f32 holds whole numbers exactly: powers of two of 10^5 layers that each use up the range of f32.
const MOST: f32 = 16_777_216.0;

/// The regions of an arena. Parameters, gradients and moments have the same layout.
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::{Arena, Layer, Place, Plan};
/// use isobath::random::Random;
///
/// let layers = [Layer::dense(4, Init::HE)];
/// let mut places = [Place::default()];
/// let plan = Plan::new(3, 2, &layers, &mut places)?;
/// // One moment per parameter, for an optimiser with momentum; one thread.
/// let mut memory = vec![0.0; plan.arena_len(1, 1)?];
/// let mut arena = Arena::new(&plan, 1, 1, &mut memory)?;
/// arena.initialise(&plan, &mut Random::new(1));
/// assert_eq!(arena.parameters.len(), 3 * 4 + 4);
/// assert_eq!(arena.moments.len(), arena.parameters.len());
/// let (weights, biases) = arena.parameters_of(&plan.places()[0]).split_at(3 * 4);
/// assert!(weights.iter().all(|weight| *weight != 0.0));
/// assert_eq!(biases, [0.0; 4]);
///
/// let error = Arena::new(&plan, 1, 1, &mut [0.0; 9]).unwrap_err();
/// assert!(error.to_string().starts_with("the arena has 9 elements but "));
/// # Ok::<(), isobath::net::PlanError>(())
/// ```
#[derive(Debug)]
pub struct Arena<'a> {
    /// All trained parameters.
    pub parameters: &'a mut [f32],
    /// Their gradients after a backward pass; those of one layer at a time where the plan consumes them.
    pub gradients: &'a mut [f32],
    /// The optimiser's state: one run of the parameters' length per moment.
    pub moments: &'a mut [f32],
    /// Batch and running statistics of the normalisations.
    pub statistics: &'a mut [f32],
    /// Inputs and outputs of all layers, or of a segment of them, each array without the power of two that
    /// [`Arena::exponent`] gives. Behind them the checkpoints, if there are some.
    pub values: &'a mut [f32],
    /// Those powers, one per array, then one per checkpoint.
    pub(super) exponents: &'a mut [f32],
    /// Whose values are there.
    pub(super) segment: usize,
    /// Gradients with respect to values, on their way; in a forward pass, scratch.
    pub(super) deltas: &'a mut [f32],
    /// For the matrix products.
    pub(super) workspace: &'a mut [f32],
}

impl<'a> Arena<'a> {
    /// Cuts `memory` up as the plan says.
    ///
    /// # Errors
    /// `memory` is shorter than [`Plan::arena_len`] for these `moments` and `threads`.
    pub fn new(
        plan: &Plan<'_>,
        moments: usize,
        threads: usize,
        memory: &'a mut [f32],
    ) -> Result<Self, PlanError> {
        let needed = plan.arena_len(moments, threads)?;
        let found = memory.len();
        let lengths = plan.regions(moments, threads)?;
        let mut rest = memory;
        let mut regions: [&mut [f32]; 8] = Default::default();
        for (region, length) in regions.iter_mut().zip(lengths) {
            let (lines, left) =
                rest.split_at_mut_checked(whole_lines(length)?).ok_or(PlanError::Arena { needed, found })?;
            (*region, rest) = (lines.split_at_mut(length).0, left);
        }
        let [parameters, gradients, moments, statistics, values, exponents, deltas, workspace] = regions;
        // Which those of the last forward pass over this memory are.
        let segment = plan.segments - 1;
        Ok(Self { parameters, gradients, moments, statistics, values, exponents, segment, deltas, workspace })
    }

    /// Starts the network: weights and biases as their layers say, gains 1, shifts 0, slopes at their initial value,
    /// moments and running statistics at theirs.
    pub fn initialise(&mut self, plan: &Plan<'_>, random: &mut Random) {
        self.gradients.fill(0.0);
        self.moments.fill(0.0);
        self.statistics.fill(0.0);
        for (layer, place) in plan.layers.iter().zip(plan.places) {
            let range = place.parameters..place.parameters + place.parameter_count;
            let count = self.parameters.len();
            let Some(parameters) = self.parameters.get_mut(range) else { continue };
            let scratch = gradients_of(self.gradients, count, place).unwrap_or_default();
            match layer {
                Layer::Dense(Dense { init, weight_scale, .. })
                | Layer::Standardised(Dense { init, weight_scale, .. })
                | Layer::Convolution(Convolution { init, weight_scale, .. }) => {
                    // The fan-out of a convolution is not its channels alone.
                    let fan_out = place.width * (place.fan_in / place.from.channels);
                    let variance = init.weight_variance(place.fan_in, fan_out);
                    let init = Init { weight_variance: WeightVariance::Fixed(variance), ..*init };
                    let (weights, rest) = parameters.split_at_mut(place.weight_count);
                    let (biases, gains) = rest.split_at_mut(place.width);
                    let scratch = scratch.split_at_mut(place.weight_count).0;
                    let filled = init.fill(random, place.fan_in, weights, biases, scratch);
                    debug_assert!(filled.is_ok(), "the plan gives every layer what it needs");
                    gains.fill(libm::sqrtf(variance) * weight_scale);
                    if *weight_scale != 1.0 {
                        for weight in weights {
                            *weight *= weight_scale;
                        }
                    }
                }
                Layer::BatchNorm { .. } | Layer::LayerNorm { .. } => {
                    let (gain, shift) = parameters.split_at_mut(place.width);
                    gain.fill(1.0);
                    shift.fill(0.0);
                    if let Layer::BatchNorm { .. } = layer {
                        let running_variance = place.statistics + 4 * place.width;
                        let end = running_variance + place.width;
                        self.statistics.get_mut(running_variance..end).unwrap_or_default().fill(1.0);
                    }
                }
                Layer::Activation(crate::activation::Activation::Prelu(slope)) => parameters.fill(*slope),
                Layer::LearnedSkipEnd { start } => parameters.fill(*start),
                Layer::Recurrent(recurrent) => {
                    recurrent.start(place.from.height, random, parameters, scratch);
                }
                Layer::Activation(_)
                | Layer::MaxPool { .. }
                | Layer::AveragePool
                | Layer::Flatten
                | Layer::SkipStart
                | Layer::SkipEnd { .. } => {}
            }
        }
        self.gradients.fill(0.0);
    }

    /// The parameters of one layer.
    pub fn parameters_of(&self, place: &Place) -> &[f32] {
        self.parameters.get(place.parameters..place.parameters + place.parameter_count).unwrap_or(&[])
    }

    /// The power of two that values are stored without, after a forward pass.
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, Unwatched};
    /// use isobath::threads::Serial;
    /// use isobath_kernels::Level;
    ///
    /// // Six layers of one unit. After the third the signal is 2^-150, which f32 does not reach.
    /// let layers = [Layer::dense(1, Init::LECUN); 6];
    /// let mut places = [Place::default(); 6];
    /// let plan = Plan::new(1, 1, &layers, &mut places)?;
    /// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
    /// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
    /// for (place, log2) in plan.places().iter().zip([-50, -50, -50, 50, 50, 50]) {
    ///     arena.parameters[place.parameters] = 2.0_f32.powi(log2);
    /// }
    /// arena.input_mut(&plan, 1)[0] = 1.0;
    /// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 1 };
    /// pass.forward(&mut arena, Mode::Inference, &mut Unwatched)?;
    /// let hidden = plan.places()[2].output;
    /// let (stored, power) = (f64::from(arena.values[hidden.start]), arena.exponent(hidden));
    /// assert_eq!(stored * 2.0_f64.powi(power), 2.0_f64.powi(-150));
    /// assert_eq!(arena.output(&plan, 1), [1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn exponent(&self, values: Values) -> i32 {
        self.exponents.get(values.exponent).map_or(0, |exponent| exponent.clamp(-MOST, MOST) as i32)
    }

    pub(super) fn set_exponent(&mut self, values: Values, exponent: i32) -> Option<()> {
        *self.exponents.get_mut(values.exponent)? = exponent as f32;
        Some(())
    }

    /// Where the network's input goes: `rows` samples, to be filled before a forward pass.
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::{Arena, Layer, Place, Plan};
    ///
    /// let layers = [Layer::dense(4, Init::HE)];
    /// let mut places = [Place::default()];
    /// let plan = Plan::new(3, 2, &layers, &mut places)?;
    /// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
    /// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
    /// // Two samples of three columns; of the last, ragged batch perhaps one.
    /// assert_eq!(arena.input_mut(&plan, 2).len(), 2 * 3);
    /// assert_eq!(arena.input_mut(&plan, 1).len(), 3);
    /// assert_eq!(arena.output(&plan, 1).len(), 4);
    /// # Ok::<(), isobath::net::PlanError>(())
    /// ```
    pub fn input_mut(&mut self, plan: &Plan<'_>, rows: usize) -> &mut [f32] {
        self.values.get_mut(..rows.min(plan.batch) * plan.input.elements()).unwrap_or_default()
    }

    /// The network's output after a forward pass over `rows` samples. Of a plan with checkpoints nothing is left of it
    /// after the backward pass.
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, Unwatched};
    /// use isobath::threads::Serial;
    /// use isobath_kernels::Level;
    ///
    /// let layers = [Layer::dense(1, Init::LECUN)];
    /// let mut places = [Place::default()];
    /// let plan = Plan::new(2, 2, &layers, &mut places)?;
    /// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
    /// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
    /// arena.parameters.copy_from_slice(&[2.0, 3.0, 1.0]); // y = 2 x_1 + 3 x_2 + 1
    /// arena.input_mut(&plan, 2).copy_from_slice(&[1.0, 0.0, 0.0, 1.0]);
    /// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 2 };
    /// pass.forward(&mut arena, Mode::Inference, &mut Unwatched)?;
    /// assert_eq!(arena.output(&plan, 2), [3.0, 4.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn output(&self, plan: &Plan<'_>, rows: usize) -> &[f32] {
        if self.segment + 1 != plan.segments {
            return &[];
        }
        let start = plan.places.last().map_or(0, |place| place.output.start);
        self.values.get(start..start + rows.min(plan.batch) * plan.output.elements()).unwrap_or(&[])
    }
}

/// The gradients of one layer's parameters, of a network that has `parameters` of them: in their place, or, where fewer
/// are held, at the start.
pub(super) fn gradients_of<'g>(
    gradients: &'g mut [f32],
    parameters: usize,
    place: &Place,
) -> Option<&'g mut [f32]> {
    let start = if gradients.len() < parameters { 0 } else { place.parameters };
    gradients.get_mut(start..)?.get_mut(..place.parameter_count)
}
