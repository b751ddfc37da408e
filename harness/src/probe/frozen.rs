//! Batch norm with its statistics held fixed: gain (x - mean) / sqrt(variance + epsilon) + shift of each unit by itself,
//! which is a dense layer with a diagonal W.
//!
//! A batch mixes its samples through mean and variance. With those of one batch held fixed each sample has a Jacobian of
//! its own, as after training, where a network answers with fixed statistics.

use isobath_kernels::Level;

use super::measure::ProbeError;
use crate::init::Init;
use crate::memory::Buffer;
use crate::net::{Arena, Layer, Mode, Pass, Place, Plan, PlanError, Signal, Unwatched};
use crate::threads::Serial;

/// A network's layers and their parameters.
pub(super) struct Frozen {
    pub(super) layers: Vec<Layer>,
    pub(super) parameters: Vec<f32>,
}

impl Frozen {
    /// Of `layers` with `parameters`, which begin with theirs; the statistics are those of `batch`, rows of `features` numbers.
    /// None where there are fewer than two rows, or not all parameters.
    pub(super) fn new(
        level: Level,
        layers: &[Layer],
        features: usize,
        parameters: &[f32],
        batch: &[f32],
    ) -> Result<Option<Self>, ProbeError> {
        let rows = batch.len() / features.max(1);
        if rows < 2 {
            return Ok(None);
        }
        // With this weight of the newest batch the running statistics are its own.
        let newest = |layer: &Layer| match *layer {
            Layer::BatchNorm { epsilon, .. } => Layer::BatchNorm { epsilon, momentum: 1.0 },
            layer => layer,
        };
        let layers: Vec<Layer> = layers.iter().map(newest).collect();
        let mut places = vec![Place::default(); layers.len()];
        let plan = Plan::new(Signal::vector(features), rows, &layers, &mut places)?;
        let Some(own) = parameters.get(..plan.parameters()) else { return Ok(None) };
        let mut memory = Buffer::zeros(plan.arena_len(0, 1)?).map_err(|_| PlanError::TooLarge)?;
        let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
        arena.parameters.copy_from_slice(own);
        arena.input_mut(&plan, rows).copy_from_slice(&batch[..rows * features]);
        Pass { plan, level, threads: &Serial, rows }.forward(&mut arena, Mode::Training, &mut Unwatched)?;

        let mut frozen = Self { layers: Vec::with_capacity(layers.len()), parameters: Vec::new() };
        for (layer, place) in layers.iter().zip(plan.places()) {
            let own = &own[place.parameters..][..place.parameter_count];
            let Layer::BatchNorm { epsilon, .. } = *layer else {
                frozen.layers.push(*layer);
                frozen.parameters.extend_from_slice(own);
                continue;
            };
            let width = place.width;
            let (gain, shift) = own.split_at(width);
            let running = &arena.statistics[place.statistics + 3 * width..][..2 * width];
            let (mean, variance) = running.split_at(width);
            // A running variance is n / (n - 1) times that of the batch.
            let biased = (rows - 1) as f64 / rows as f64;
            let start = frozen.parameters.len();
            frozen.parameters.resize(start + (width + 1) * width, 0.0);
            let (weights, biases) = frozen.parameters[start..].split_at_mut(width * width);
            for unit in 0..width {
                let deviation = (f64::from(variance[unit]) * biased + f64::from(epsilon)).sqrt();
                let scale = f64::from(gain[unit]) / deviation;
                weights[unit * (width + 1)] = scale as f32;
                biases[unit] = (f64::from(shift[unit]) - scale * f64::from(mean[unit])) as f32;
            }
            // It is not started by any initialiser.
            frozen.layers.push(Layer::dense(width, Init::LECUN));
        }
        Ok(Some(frozen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_network_answers_a_batch_as_it_did_with_batch_norm() {
        // Two layers of 2 units with ReLU; weights, biases, gains, shifts.
        let init = Init::LECUN;
        let activation = Layer::Activation("relu".parse().unwrap());
        let layers = [
            Layer::dense(2, init),
            Layer::BATCH_NORM,
            activation,
            Layer::dense(2, init),
            activation,
            Layer::BATCH_NORM,
        ];
        let parameters: Vec<f32> =
            [[1.5, -0.5, 0.25, 2.0], [0.5, -1.0, 1.5, 0.5], [0.25, -0.5, 1.0, 0.5], [-1.0, 1.0, 0.5, 0.25]]
                .concat()
                .into_iter()
                .chain([2.0, -3.0, 0.5, 0.75])
                .collect();
        let batch = [5.0, -1.0, 3.0, -3.0, -2.0, 0.5];
        for level in Level::available() {
            let frozen = Frozen::new(level, &layers, 2, &parameters, &batch).unwrap().unwrap();
            let answers = |layers: &[Layer], parameters: &[f32]| {
                let mut places = vec![Place::default(); layers.len()];
                let plan = Plan::new(Signal::vector(2), 3, layers, &mut places).unwrap();
                let mut memory = vec![0.0; plan.arena_len(0, 1).unwrap()];
                let mut arena = Arena::new(&plan, 0, 1, &mut memory).unwrap();
                arena.parameters.copy_from_slice(parameters);
                arena.input_mut(&plan, 3).copy_from_slice(&batch);
                let pass = Pass { plan, level, threads: &Serial, rows: 3 };
                pass.forward(&mut arena, Mode::Training, &mut Unwatched).unwrap();
                arena.output(&plan, 3).to_vec()
            };
            let (before, after) =
                (answers(&layers, &parameters), answers(&frozen.layers, &frozen.parameters));
            assert!(before.iter().any(|value| value.abs() > 1.0), "{before:?}");
            for (one, other) in before.iter().zip(&after) {
                assert!((one - other).abs() < 1e-5, "{before:?} and {after:?}");
            }
            assert!(Frozen::new(level, &layers, 2, &parameters, &batch[..2]).unwrap().is_none(), "one row");
            assert!(Frozen::new(level, &layers, 2, &parameters[1..], &batch).unwrap().is_none());
        }
    }
}
