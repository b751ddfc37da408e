//! The networks under diagnosis: built, started and run by the harness, with the fault planted in their parameters, and
//! put on record. The record is all that the diagnosis sees.

use isobath_kernels::Level;

use super::ensemble::{Ensemble, Fault, Input, Weights};
use crate::architecture::{Architecture, Built, Norm};
use crate::data::{Dataset, Form, glyphs};
use crate::diagnose::{Record, recorded};
use crate::init::{Family, Init, WeightVariance};
use crate::net::{Arena, Plan};
use crate::probe::{self, Cotangent, Inputs, NEIGHBOURS, ProbeError, Setup};
use crate::random::Random;

/// Networks of an ensemble that are put on record.
pub(super) const RECORDED: usize = 8;

/// The records of eight networks of the ensemble.
///
/// # Errors
/// The networks do not fit into memory.
pub(super) fn records(ensemble: &Ensemble, seed: u64, level: Level) -> Result<Vec<Record>, ProbeError> {
    let images = match ensemble.input {
        Input::Gaussian(_) => None,
        Input::Glyphs => Some(images(seed)?),
    };
    let inputs = match (ensemble.input, &images) {
        (Input::Gaussian(mean_square), _) => Inputs::Gaussian(mean_square),
        (_, Some(images)) => Inputs::Data(images),
        (_, None) => Inputs::Gaussian(1.0),
    };
    let setup = setup(ensemble, seed);
    let tamper = |arena: &mut Arena<'_>, plan: &Plan<'_>, built: &Built| plant(ensemble, arena, plan, built);
    let nets = probe::networks(&setup, inputs, level, &tamper)?;
    Ok(nets.iter().map(recorded).collect())
}

/// The decades that are left when the remedy of the ensemble without its fault has been run: what a user who describes
/// the networks by flags would be shown. None where nothing is wrong or no remedy is known.
///
/// # Errors
/// As [`records`].
pub(super) fn decades_after_fix(
    ensemble: &Ensemble,
    seed: u64,
    level: Level,
) -> Result<Option<f64>, ProbeError> {
    let images = match ensemble.input {
        Input::Gaussian(_) => None,
        Input::Glyphs => Some(images(seed)?),
    };
    let report = probe::probe(&setup(ensemble, seed), images.as_ref(), level)?;
    Ok(report.fix.and_then(|fix| fix.measured_decades))
}

fn images(seed: u64) -> Result<Dataset, ProbeError> {
    const COUNT: usize = 256;
    let (mut inputs, mut labels) = (vec![0.0; COUNT * glyphs::FEATURES], vec![0; COUNT]);
    glyphs::fill(&mut Random::new(seed), &mut inputs, &mut labels);
    let form = Form::Image(glyphs::SIDE, glyphs::SIDE);
    let images = Dataset::new("glyphs", form, glyphs::CLASSES, inputs, labels);
    images.map_err(|error| ProbeError::Impossible { what: "glyphs", why: error.to_string() })
}

fn setup(ensemble: &Ensemble, seed: u64) -> Setup {
    let family = match ensemble.weights {
        Weights::Gaussian => Family::Gaussian,
        Weights::Uniform => Family::Uniform,
        Weights::Orthogonal => Family::Orthogonal,
    };
    let pair = ensemble.batch == 1 && matches!(ensemble.input, Input::Gaussian(_));
    let init = Init {
        family,
        weight_variance: WeightVariance::Fixed(ensemble.weight_variance as f32),
        bias_variance: ensemble.bias_variance as f32,
    };
    let plain = Architecture::plain(ensemble.depth, ensemble.width, ensemble.phi.activation(), init);
    let norm = if ensemble.batch > 1 { Norm::Batch } else { Norm::None };
    Setup {
        input_width: ensemble.input_width(),
        batch: ensemble.batch,
        nets: RECORDED,
        cotangent: if ensemble.loss { Cotangent::Loss } else { Cotangent::Gaussian },
        pair_correlation: pair.then_some(NEIGHBOURS),
        ..Setup::plain(Architecture { norm, ..plain }, seed)
    }
}

/// Plants the fault. Weights are fan-in x units, and biases lie behind them.
fn plant(ensemble: &Ensemble, arena: &mut Arena<'_>, plan: &Plan<'_>, built: &Built) {
    let Some((number, fault)) = ensemble.fault else { return };
    let layer = built.dense_at[number - 1];
    // Batch norm, where there is one, stands behind the dense layer.
    let place = &plan.places()[if fault == Fault::Mute { layer + 1 } else { layer }];
    let parameters = &mut arena.parameters[place.parameters..][..place.parameter_count];
    let n = place.width;
    // Weights of one input, and the biases behind them, are rows of one unit after the other.
    match fault {
        Fault::Scaled(factor) => {
            parameters[..place.weight_count].iter_mut().for_each(|w| *w *= factor as f32);
        }
        Fault::Shifted(by) => parameters[place.weight_count..].iter_mut().for_each(|b| *b += by as f32),
        Fault::Silent => parameters[..place.weight_count].fill(0.0),
        Fault::Halved => {
            parameters.chunks_mut(n).flat_map(|row| row.iter_mut().step_by(2)).for_each(|p| *p = 0.0);
        }
        Fault::Alike(units) => {
            for row in parameters.chunks_mut(n) {
                (units..n).for_each(|unit| row[unit] = row[unit - units]);
            }
        }
        // Gains, then shifts.
        Fault::Mute => parameters[..n].fill(0.0),
        Fault::Broken => parameters[0] = f32::NAN,
    }
}
