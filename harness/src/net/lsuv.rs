//! LSUV, layer-sequential unit variance: weights are scaled by what a batch of data says (Mishkin and Matas 2016).
//!
//! Layers run one after the other on the batch. After each dense layer or convolution whose [`WeightVariance`] is
//! [`Data`](WeightVariance::Data), started orthonormal, W = W / sqrt(Var h) until |Var h - 1| is below [`TOLERANCE`], where
//! Var h is over all units and samples of its output h; then the next layer runs on what it gives out. Without biases one
//! division is enough, but for rounding. A layer whose output is constant or not finite is left as it is. Running statistics
//! of batch norm have seen the batch afterwards.
//!
//! Deterministic: sums and norms are the kernels'. No allocation: the arena's deltas are scratch.
//! Cost: one forward pass, and each such layer twice more.

use isobath_kernels::{optimizer, reduce};

use super::{Arena, Convolution, Dense, Layer, Mode, NetError, Pass, Place, Unwatched, Values};
use crate::init::WeightVariance;
use crate::threads::Threads;

/// How far the variance may be from 1.
pub const TOLERANCE: f32 = 0.01;
/// Divisions per layer; from the second on they only take rounding away.
const ATTEMPTS: usize = 10;

impl<T: Threads> Pass<'_, T> {
    /// Scales the weights of the layers that ask for it, by the rows that lie in [`Arena::input_mut`].
    ///
    /// # Errors
    /// The rows or the arena do not fit the plan, see [`NetError`].
    ///
    /// ```
    /// use isobath::init::Init;
    /// use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, Unwatched, lsuv};
    /// use isobath::random::Random;
    /// use isobath::threads::Serial;
    /// use isobath_kernels::Level;
    ///
    /// let layers = [Layer::dense(4, Init::LSUV)];
    /// let mut places = [Place::default()];
    /// let plan = Plan::new(4, 8, &layers, &mut places)?;
    /// let mut memory = vec![0.0; plan.arena_len(0, 1)?];
    /// let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
    /// let mut random = Random::new(1);
    /// arena.initialise(&plan, &mut random);
    /// let pass = Pass { plan, level: Level::detect(), threads: &Serial, rows: 8 };
    /// // Data of deviation 30, far from what weights are usually made for.
    /// random.fill_normal(arena.input_mut(&plan, 8), 30.0);
    /// pass.scale_to_data(&mut arena)?;
    ///
    /// pass.forward(&mut arena, Mode::Training, &mut Unwatched)?;
    /// let output = arena.output(&plan, 8);
    /// let mean = output.iter().sum::<f32>() / 32.0;
    /// let variance = output.iter().map(|h| (h - mean).powi(2)).sum::<f32>() / 32.0;
    /// assert!((variance - 1.0).abs() < lsuv::TOLERANCE);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scale_to_data(&self, arena: &mut Arena<'_>) -> Result<(), NetError> {
        self.check_rows()?;
        arena.set_exponent(Values::default(), 0).ok_or(NetError::Arena { layer: 0 })?;
        for (index, (layer, place)) in self.plan.layers.iter().zip(self.plan.places).enumerate() {
            self.enter(arena, index)?;
            let attempts = if asks_for_data(layer) { ATTEMPTS } else { 0 };
            self.forward_layers(arena, index..index + 1, Mode::Training, &mut Unwatched)?;
            for _ in 0..attempts {
                let missing = NetError::Arena { layer: index };
                let Some(factor) = self.factor(arena, place).ok_or(missing)? else { break };
                let weights = arena.parameters.get_mut(place.parameters..).ok_or(missing)?;
                optimizer::scale(self.level, factor, weights.get_mut(..place.weight_count).ok_or(missing)?);
                self.forward_layers(arena, index..index + 1, Mode::Training, &mut Unwatched)?;
            }
        }
        Ok(())
    }

    /// 1 over the deviation of a layer's output; none inside where that is near enough to 1, or no figure.
    fn factor(&self, arena: &mut Arena<'_>, place: &Place) -> Option<Option<f32>> {
        let count = self.elements_of(place.to);
        let exponent = arena.exponent(place.output);
        let centred = arena.deltas.get_mut(..count)?;
        centred.copy_from_slice(arena.values.get(place.output.start..)?.get(..count)?);
        let mean = reduce::sum(self.level, centred) / count as f32;
        for value in centred.iter_mut() {
            *value -= mean;
        }
        let norm = reduce::norm(self.level, centred);
        if norm.is_zero() || !norm.is_finite() {
            return Some(None);
        }
        let factor = libm::ldexpf(libm::sqrtf(count as f32) / norm.significand, -(norm.exponent + exponent));
        let variance = 1.0 / (factor * factor);
        Some((libm::fabsf(variance - 1.0) >= TOLERANCE && factor.is_normal()).then_some(factor))
    }
}

/// Whether a layer's weights are scaled by data.
pub(crate) fn asks_for_data(layer: &Layer) -> bool {
    match layer {
        Layer::Dense(Dense { init, .. }) | Layer::Convolution(Convolution { init, .. }) => {
            init.weight_variance == WeightVariance::Data
        }
        _ => false,
    }
}
