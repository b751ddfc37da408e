//! Probing recurrent cells: what T steps in time do to the gradient of a cell's state, over several networks.
//!
//! - LSTM: c' = f c + i g, h' = o tanh c'; gates sigma(x W + h U + b), g = tanh(x W + h U + b).
//! - GRU: h' = z h + (1 - z) n; n = tanh(x W + b + r (h U)).
//! - RNN: h' = phi(x W + h U + b).
//!
//! Inputs are N(0, 1) at each step, the state starts at 0, the cotangent is Gaussian, of the last state (LSTM: of c alone).
//! The gradient's power of two is carried beside it, so that no number of steps takes it out of range. W has n columns
//! per input, U is n x n; both are drawn as the initialiser says. Cost: 8 n^2 multiply-adds per LSTM step and sample and
//! direction. Source: Hochreiter and Schmidhuber 1997, Gers et al. 2000, Cho et al. 2014.

mod gate;
mod gru;
mod lstm;
mod remedy;
mod rnn;
mod tape;

pub use remedy::{CellFix, cell_fix};

use isobath_kernels::{Level, reduce};
use rayon::prelude::*;
use serde::Serialize;

use self::gru::Gru;
use self::lstm::Lstm;
use self::rnn::Rnn;
use self::tape::Tape;
use super::figures::Measured;
use super::measure::ProbeError;
use super::verdict::{Kind, size_of};
use crate::activation::Activation;
use crate::hash::Hash;
use crate::init::Init;
use crate::net::PlanError;
use crate::random::Random;
use crate::statistics::median;
use crate::theory::{Prediction, Recurrence, predict_recurrent};

/// The largest |log2| that a gradient's largest element may have before it is rescaled.
const BAND: i32 = 40;
/// The most f32 that one network may keep of its steps: 4 GiB.
const LARGEST: usize = 1 << 30;
/// Weights of less than this s_w^2 are as good as 0.
const NO_WEIGHTS: f32 = 1e-20;

/// A kind of cell.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::probe::{Cell, CellSetup, probe_cell};
/// use isobath_kernels::Level;
///
/// // A gate that starts half open passes half of the gradient per step, an orthogonal matrix all of it.
/// let factor = |cell, activation, init| {
///     let setup = CellSetup {
///         cell,
///         width: 8,
///         steps: 10,
///         forget_bias: 0.0,
///         activation,
///         init,
///         batch: 1,
///         nets: 4,
///         seed: 1,
///     };
///     probe_cell(&setup, Level::detect()).map(|report| report.factor_per_step.unwrap())
/// };
/// assert!((factor(Cell::Gru, Activation::Tanh, Init::gaussian(0.0, 0.0))? - 0.5).abs() < 1e-6);
/// assert!((factor(Cell::Rnn, Activation::Identity, Init::ORTHOGONAL)? - 1.0).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cell {
    /// Long short-term memory.
    Lstm,
    /// Gated recurrent unit.
    Gru,
    /// A plain recurrence.
    Rnn,
}

/// An ensemble of recurrent networks and its measurement.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::probe::{Cell, CellSetup};
/// use isobath::theory::Recurrence;
///
/// let setup = CellSetup {
///     cell: Cell::Lstm,
///     width: 8,
///     steps: 10,
///     forget_bias: 1.0,
///     activation: Activation::Tanh,
///     init: Init::XAVIER,
///     batch: 1,
///     nets: 4,
///     seed: 1,
/// };
/// // The gates of random weights have no closed form, those of none do.
/// assert_eq!(setup.recurrence(), Recurrence::RandomWeights);
/// let silent = CellSetup { init: Init::gaussian(0.0, 0.0), ..setup };
/// assert_eq!(silent.recurrence(), Recurrence::ZeroWeightGate { forget_bias: 1.0 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellSetup {
    /// The cell.
    pub cell: Cell,
    /// Units, and columns of the input.
    pub width: usize,
    /// T.
    pub steps: usize,
    /// Bias of the gate that keeps the state, of LSTM and GRU.
    pub forget_bias: f32,
    /// phi of the plain recurrence.
    pub activation: Activation,
    /// How weights, and biases but that one, are drawn.
    pub init: Init,
    /// Samples per network.
    pub batch: usize,
    /// Networks.
    pub nets: usize,
    /// What everything random follows from.
    pub seed: u64,
}

/// What was found.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::probe::{Cell, CellSetup, Kind, probe_cell};
/// use isobath_kernels::Level;
///
/// let setup = CellSetup {
///     cell: Cell::Lstm,
///     width: 8,
///     steps: 10,
///     forget_bias: 0.0,
///     activation: Activation::Tanh,
///     init: Init::gaussian(0.0, 0.0),
///     batch: 1,
///     nets: 4,
///     seed: 1,
/// };
/// let report = probe_cell(&setup, Level::detect())?;
/// // sigma(0) = 1/2 per step: three decades in ten steps, as predicted.
/// assert_eq!(report.kind, Kind::Vanishing);
/// assert!((report.decades.unwrap() - report.theory.log10_delta_ratio.unwrap()).abs() < 1e-5);
/// assert_eq!(report.measured.factors, 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CellReport {
    /// What theory predicts; for random weights nothing.
    pub theory: Prediction,
    /// What was measured; `factors` is T.
    pub measured: Measured,
    /// How the gradient fares, by the median over networks.
    pub kind: Kind,
    /// That median of log10 of the whole ratio.
    pub decades: Option<f64>,
    /// What one step multiplies the gradient by.
    pub factor_per_step: Option<f64>,
    /// Over the gradients of all steps and networks.
    pub hash: u64,
}

/// One network: log10 of its gradient's ratio (none where it is zero), and the hash.
struct Run {
    log10_ratio: Option<f64>,
    is_zero: bool,
    hash: u64,
}

impl CellSetup {
    /// What is known of the recurrence.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::init::Init;
    /// use isobath::probe::{Cell, CellSetup};
    /// use isobath::theory::Recurrence;
    ///
    /// let setup = CellSetup {
    ///     cell: Cell::Rnn,
    ///     width: 8,
    ///     steps: 10,
    ///     forget_bias: 0.0,
    ///     activation: Activation::Identity,
    ///     init: Init::ORTHOGONAL,
    ///     batch: 1,
    ///     nets: 4,
    ///     seed: 1,
    /// };
    /// assert_eq!(setup.recurrence(), Recurrence::ScaledOrthogonal { gain: 1.0 });
    /// // With a nonlinearity no more is known.
    /// let bent = CellSetup { activation: Activation::Tanh, ..setup };
    /// assert_eq!(bent.recurrence(), Recurrence::RandomWeights);
    /// ```
    pub fn recurrence(&self) -> Recurrence {
        let weight_variance = self.init.weight_variance(self.width, self.width);
        let orthogonal =
            self.init.family == crate::init::Family::Orthogonal && self.init.bias_variance == 0.0;
        match self.cell {
            Cell::Lstm | Cell::Gru if weight_variance <= NO_WEIGHTS && self.init.bias_variance == 0.0 => {
                Recurrence::ZeroWeightGate { forget_bias: f64::from(self.forget_bias) }
            }
            Cell::Rnn if orthogonal && self.activation == Activation::Identity => {
                Recurrence::ScaledOrthogonal { gain: f64::from(weight_variance).sqrt() }
            }
            _ => Recurrence::RandomWeights,
        }
    }

    /// Refuses what no memory holds.
    fn check(&self) -> Result<(), ProbeError> {
        if self.steps == 0 || self.width == 0 || self.batch == 0 || self.nets == 0 {
            return Err(PlanError::Zero("steps, width, batch or the number of networks").into());
        }
        // Nine arrays per step at most, and the weights of four gates.
        let kept = self.steps.checked_mul(self.width).and_then(|n| n.checked_mul(9 * self.batch));
        let weights = self.width.checked_mul(8 * self.width);
        match kept.zip(weights).and_then(|(kept, weights)| kept.checked_add(weights)) {
            Some(total) if total <= LARGEST => Ok(()),
            _ => Err(PlanError::TooLarge.into()),
        }
    }
}

/// Measures the cells of `setup`. Networks run in parallel on the current thread pool; no bit depends on it.
///
/// # Errors
/// The setup is none, or does not fit into memory.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::probe::{Cell, CellSetup, probe_cell};
/// use isobath_kernels::Level;
///
/// let setup = CellSetup {
///     cell: Cell::Lstm,
///     width: 8,
///     steps: 10,
///     forget_bias: 3.0,
///     activation: Activation::Tanh,
///     init: Init::XAVIER,
///     batch: 1,
///     nets: 4,
///     seed: 1,
/// };
/// // A forget gate that starts nearly open keeps most of the state, and so of the gradient.
/// let open = probe_cell(&setup, Level::detect())?.factor_per_step.unwrap();
/// let shut =
///     probe_cell(&CellSetup { forget_bias: -3.0, ..setup }, Level::detect())?.factor_per_step.unwrap();
/// assert!(open > 0.8 && shut < 0.3);
/// assert!(probe_cell(&CellSetup { steps: 0, ..setup }, Level::detect()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn probe_cell(setup: &CellSetup, level: Level) -> Result<CellReport, ProbeError> {
    setup.check()?;
    let theory = predict_recurrent(setup.recurrence(), setup.steps)?;
    let run = |net| run(setup, net as u64, level);
    let runs: Vec<Run> = (0..setup.nets).into_par_iter().map(run).collect::<Result<_, _>>()?;
    let ratios: Vec<f64> = runs.iter().filter_map(|run| run.log10_ratio).collect();
    let zero = runs.iter().filter(|run| run.is_zero).count() as f64 / setup.nets as f64;
    let decades = median(ratios.clone());
    let mut hash = Hash::new();
    runs.iter().for_each(|run| hash.u64(run.hash));
    let kind = match decades {
        _ if zero >= 0.5 => Kind::Dead,
        // Neither zero nor a figure: it is not finite.
        None => Kind::Exploding,
        Some(decades) => size_of(decades),
    };
    Ok(CellReport {
        theory,
        measured: Measured::of(setup.steps, &ratios, &[], zero),
        kind,
        decades,
        factor_per_step: decades.map(|decades| 10f64.powf(decades / setup.steps as f64)),
        hash: hash.finish(),
    })
}

/// Runs one network forward from a state.
fn tape(
    setup: &CellSetup,
    weights: &mut Random,
    inputs: &mut Random,
    start: Vec<f32>,
    level: Level,
) -> Result<Box<dyn Tape>, ProbeError> {
    match setup.cell {
        Cell::Lstm => tape::run(Lstm::draw(setup, weights)?, setup.steps, inputs, start, level),
        Cell::Gru => tape::run(Gru::draw(setup, weights)?, setup.steps, inputs, start, level),
        Cell::Rnn => tape::run(Rnn::draw(setup, weights)?, setup.steps, inputs, start, level),
    }
}

/// Runs one network forward and back.
fn run(setup: &CellSetup, net: u64, level: Level) -> Result<Run, ProbeError> {
    const STREAMS: u64 = 4;
    let stream = |purpose| Random::stream(setup.seed, net.wrapping_mul(STREAMS).wrapping_add(purpose));
    let (mut weights, mut inputs) = (stream(0), stream(1));
    let mut state = vec![0.0; setup.batch * setup.width];
    stream(2).fill_normal(&mut state, 1.0);
    let start = vec![0.0; state.len()];
    let tape = tape(setup, &mut weights, &mut inputs, start, level)?;
    if tape.end().iter().any(|value| !value.is_finite()) {
        return Ok(Run { log10_ratio: None, is_zero: false, hash: Hash::new().finish() });
    }
    let top = log10(level, &state, 0);
    let mut scratch = vec![0.0; state.len()];
    let (mut exponent, mut hash) = (0_i64, Hash::new());
    for t in (0..setup.steps).rev() {
        tape.back(level, t, &mut state, &mut scratch)?;
        exponent += rescale(level, &mut state, &mut scratch);
        hash.u64(exponent as u64);
        hash.f32s(&state);
    }
    let is_zero = reduce::norm(level, &state).is_zero();
    let bottom = log10(level, &state, exponent);
    Ok(Run { log10_ratio: bottom.zip(top).map(|(bottom, top)| bottom - top), is_zero, hash: hash.finish() })
}

/// log10 of the norm; none where it is zero or not finite.
fn log10(level: Level, values: &[f32], exponent: i64) -> Option<f64> {
    let norm = reduce::norm(level, values);
    let exponent = exponent as f64 + f64::from(norm.exponent);
    (!norm.is_zero() && norm.is_finite())
        .then(|| f64::from(norm.significand).log10() + exponent * std::f64::consts::LOG10_2)
}

/// Brings the largest element of both back to the neighbourhood of 1 when it has left the band; the power of two that
/// was taken out.
fn rescale(level: Level, state: &mut [f32], scratch: &mut [f32]) -> i64 {
    let largest = reduce::max_abs(level, state).max(reduce::max_abs(level, scratch));
    if largest == 0.0 || !largest.is_finite() {
        return 0;
    }
    let (_, exponent) = libm::frexpf(largest);
    if exponent.abs() <= BAND {
        return 0;
    }
    // Two steps: one factor alone may be beyond f32.
    for part in [-exponent / 2, -exponent - -exponent / 2] {
        let factor = libm::ldexpf(1.0, part);
        state.iter_mut().chain(scratch.iter_mut()).for_each(|value| *value *= factor);
    }
    i64::from(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// dL/dc_0 of L = u . c_T against central differences of the forward pass.
    #[test]
    fn gradients_are_slopes() {
        for cell in [Cell::Lstm, Cell::Gru, Cell::Rnn] {
            let setup = CellSetup {
                cell,
                width: 6,
                steps: 4,
                forget_bias: 0.5,
                activation: Activation::Tanh,
                init: Init::gaussian(1.0, 0.1),
                batch: 2,
                nets: 1,
                seed: 1,
            };
            let level = Level::detect();
            let run = |start: Vec<f32>| {
                tape(&setup, &mut Random::new(1), &mut Random::new(2), start, level).unwrap()
            };
            let (mut start, mut cotangent) = (vec![0.0; 12], vec![0.0; 12]);
            Random::new(3).fill_normal(&mut start, 0.5);
            Random::new(4).fill_normal(&mut cotangent, 1.0);
            let taped = run(start.clone());
            let (mut gradient, mut scratch) = (cotangent.clone(), vec![0.0; 12]);
            for t in (0..setup.steps).rev() {
                taped.back(level, t, &mut gradient, &mut scratch).unwrap();
            }
            let loss = |start: Vec<f32>| -> f64 {
                let taped = run(start);
                taped.end().iter().zip(&cotangent).map(|(s, u)| f64::from(*s) * f64::from(*u)).sum()
            };
            for k in 0..12 {
                let moved = |by: f32| {
                    let mut start = start.clone();
                    start[k] += by;
                    loss(start)
                };
                let slope = (moved(0.01) - moved(-0.01)) / 0.02;
                let found = f64::from(gradient[k]);
                assert!((found - slope).abs() < 1e-3, "{cell:?} {k}: {found} for {slope}");
            }
        }
    }

    #[test]
    fn rescaling_is_exact() {
        for exponent in [-120, -41, 39, 41, 100] {
            let mut state = vec![libm::ldexpf(0.75, exponent), 0.0];
            let mut scratch = vec![-libm::ldexpf(0.625, exponent - 3)];
            let out = rescale(Level::SCALAR, &mut state, &mut scratch) as i32;
            assert_eq!(state[0], libm::ldexpf(0.75, exponent - out), "{exponent}");
            assert_eq!(scratch[0], -libm::ldexpf(0.625, exponent - 3 - out), "{exponent}");
            assert!(libm::frexpf(state[0]).1.abs() <= BAND);
        }
        assert_eq!(rescale(Level::SCALAR, &mut [0.0], &mut [0.0]), 0);
    }
}
