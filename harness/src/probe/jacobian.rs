//! Singular values of the Jacobian dx^L / dx^0 at one input, or of that from one hidden place to another.
//!
//! A backward pass whose batch is that input again and again, with unit vectors as cotangents, gives the Jacobian row by
//! row. Its spread Var(s^2) / mean(s^2)^2 is 0 where every direction is treated alike.
//! Cost: as many rows of forward and backward pass as there are outputs, and one SVD in f64 (`nalgebra`); no bit of the
//! network depends on it.

use isobath_kernels::{Level, MatRef};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::frozen::Frozen;
use super::measure::ProbeError;
use crate::architecture::{Architecture, Head, Norm, Recurrence};
use crate::data::Form;
use crate::memory::Buffer;
use crate::net::{Arena, Mode, Pass, Place, Plan, PlanError, Signal, Watch};
use crate::threads::Serial;

/// The most elements a Jacobian may have: 2048 x 2048.
pub const LARGEST: usize = 1 << 22;

/// The widest layer whose spectrum is taken beside a run.
const WIDEST: usize = 256;
/// The most parameters of such a network: they are copied.
const PARAMETERS: usize = 1 << 22;
/// Rows of a pass for a spectrum, which bounds its memory.
const ROWS: usize = 32;
/// Singular values so much smaller than the largest are lost in rounding.
const LOST: f64 = 1e-13;

/// Samples whose statistics batch norm has in a spectrum.
pub(crate) const SPECTRUM_SAMPLES: usize = 128;

/// What a Jacobian is with respect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variable {
    /// The input of a layer.
    Input(usize),
    /// The state of a recurrent layer after its first step: h, of an LSTM c.
    FirstState(usize),
}

/// Rows of the Jacobian, with their power of two.
struct Rows {
    of: Variable,
    columns: usize,
    values: Vec<f32>,
    /// For each row.
    exponents: Vec<i32>,
}

impl Rows {
    fn new(of: Variable) -> Self {
        Self { of, columns: 0, values: Vec::new(), exponents: Vec::new() }
    }

    fn add(&mut self, gradient: MatRef<'_>, exponent: i32) {
        self.columns = gradient.columns();
        for i in 0..gradient.rows() {
            self.values.extend_from_slice(gradient.row(i));
            self.exponents.push(exponent);
        }
    }
}

impl Watch for Rows {
    fn delta(&mut self, layer: usize, delta: MatRef<'_>, exponent: i32) {
        if self.of == Variable::Input(layer) {
            self.add(delta, exponent);
        }
    }

    fn state(
        &mut self,
        layer: usize,
        step: usize,
        hidden: MatRef<'_>,
        memory: Option<MatRef<'_>>,
        exponent: i32,
    ) {
        if self.of == Variable::FirstState(layer) && step == 1 {
            self.add(memory.unwrap_or(hidden), exponent);
        }
    }
}

/// The singular values of the output's Jacobian with respect to the input of `layer`, in decreasing order; none where the
/// Jacobian is not finite. `pass` is over one row or more of the plan's batch.
pub(super) fn singular_values(
    pass: &Pass<'_, Serial>,
    arena: &mut Arena<'_>,
    x: &[f32],
    layer: usize,
) -> Result<Option<Vec<f64>>, ProbeError> {
    last_outputs(pass, arena, x, pass.plan.output(), Variable::Input(layer))
}

/// The same of the last `count` numbers of the output, with respect to `of`.
fn last_outputs(
    pass: &Pass<'_, Serial>,
    arena: &mut Arena<'_>,
    x: &[f32],
    count: usize,
    of: Variable,
) -> Result<Option<Vec<f64>>, ProbeError> {
    let outputs = pass.plan.output();
    let mut jacobian = Rows::new(of);
    for first in (outputs.saturating_sub(count)..outputs).step_by(pass.rows) {
        let rows = pass.rows.min(outputs - first);
        let pass = Pass { rows, ..*pass };
        arena.input_mut(&pass.plan, rows).copy_from_slice(&x.repeat(rows));
        let mut cotangent = vec![0.0; rows * outputs];
        for i in 0..rows {
            cotangent[i * outputs + first + i] = 1.0;
        }
        pass.forward(arena, Mode::Training, &mut jacobian)?;
        pass.backward(arena, &cotangent, true, &mut jacobian)?;
    }
    Ok(decompose(&jacobian))
}

/// The singular values of the hidden layers' Jacobian dx^L / dh^1 at one input; of a recurrent network those of the topmost
/// layer's last state h with respect to its first one, of an LSTM to its first memory c.
///
/// ```
/// use isobath::probe::Spectrum;
///
/// // As `summary.json` holds it: the largest of four is a hundred times the third, beside it the last is lost.
/// let spectrum: Spectrum = serde_json::from_str(r#"{"log10": [0.5, 0.0, -1.5], "lost": 1}"#)?;
/// assert_eq!(spectrum.log10[0] - spectrum.log10[2], 2.0);
/// assert_eq!(spectrum.log10.len() + spectrum.lost, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// log10 of those that are not lost beside the largest, in decreasing order, to four decimals.
    pub log10: Vec<f64>,
    /// How many are.
    pub lost: usize,
}

impl Spectrum {
    /// Of singular values in decreasing order; none without any.
    fn of(singular_values: &[f64]) -> Option<Self> {
        let least = singular_values.first()? * LOST;
        let log10: Vec<f64> = singular_values
            .iter()
            .filter(|value| **value > least)
            .map(|value| (libm::log10(*value) * 1e4).round() / 1e4)
            .collect();
        Some(Self { lost: singular_values.len() - log10.len(), log10 })
    }

    /// Of a network with these parameters, those of its head behind the others, at the first of `samples`. Batch norm has the
    /// statistics of all of them, held fixed. None where there is no such Jacobian, where it is large, as that of a
    /// convolutional network, or where it is not finite.
    ///
    /// # Errors
    /// The layers are no network.
    pub(crate) fn of_hidden_layers(
        level: Level,
        architecture: &Architecture,
        form: Form,
        parameters: &[f32],
        samples: &[f32],
    ) -> Result<Option<Self>, ProbeError> {
        let Architecture { norm, convolution, width, depth, .. } = *architecture;
        // The way back is looked at, not what clipping makes of it.
        let cell = architecture.cell.map(|of| Recurrence { clip: None, ..of });
        let is_deep = depth > usize::from(cell.is_none());
        if !is_deep || convolution.is_some() || width > WIDEST || parameters.len() > PARAMETERS {
            return Ok(None);
        }
        let features = form.features();
        let input = match form {
            Form::Sequence { steps, features, .. } if cell.is_some() => Signal::sequence(steps, features),
            Form::Image(height, width) if cell.is_some() => Signal::image(height, width, 1),
            _ => Signal::vector(features),
        };
        let built = Architecture { cell, ..*architecture }.build(form, Head::None);
        let frozen = match norm {
            Norm::Batch if cell.is_none() => {
                Frozen::new(level, &built.layers, features, parameters, samples)?
            }
            _ => Some(Frozen { layers: built.layers, parameters: parameters.to_vec() }),
        };
        let (Some(Frozen { layers, parameters }), Some(x)) = (frozen, samples.get(..features)) else {
            return Ok(None);
        };
        let rows = width.min(ROWS);
        let mut places = vec![Place::default(); layers.len()];
        let plan = Plan::new(input, rows, &layers, &mut places)?;
        let Some(own) = parameters.get(..plan.parameters()) else { return Ok(None) };
        let mut memory = Buffer::zeros(plan.arena_len(0, 1)?).map_err(|_| PlanError::TooLarge)?;
        let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
        arena.parameters.copy_from_slice(own);
        let pass = Pass { plan, level, threads: &Serial, rows };
        let (bottom, top) = (built.delta_at.first(), built.dense_at.last());
        let of = match cell {
            None => bottom.map(|layer| Variable::Input(*layer)),
            Some(_) => top.map(|layer| Variable::FirstState(*layer)),
        };
        let Some(of) = of else { return Ok(None) };
        let values = last_outputs(&pass, &mut arena, x, width, of)?;
        Ok(values.and_then(|values| Self::of(&values)))
    }
}

fn decompose(jacobian: &Rows) -> Option<Vec<f64>> {
    if jacobian.values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    // On the largest power of two, so that squares stay within f64.
    let common = jacobian.exponents.iter().copied().max()?;
    let matrix = DMatrix::from_fn(jacobian.exponents.len(), jacobian.columns, |i, j| {
        let value = f64::from(jacobian.values[i * jacobian.columns + j]);
        libm::ldexp(value, jacobian.exponents[i] - common)
    });
    let values = matrix.singular_values();
    Some(values.iter().map(|value| libm::ldexp(*value, common)).collect())
}

/// Var(s^2) / mean(s^2)^2 over the singular values; none where all are 0.
pub(super) fn spread(singular_values: &[f64]) -> Option<f64> {
    let largest = singular_values.first().copied().filter(|largest| *largest > 0.0)?;
    let squares: Vec<f64> = singular_values.iter().map(|value| (value / largest).powi(2)).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let first = mean(&squares);
    let second = mean(&squares.iter().map(|square| square * square).collect::<Vec<_>>());
    Some(second / (first * first) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Cell, ForgetBias};

    #[test]
    fn a_spectrum_leaves_out_what_rounding_leaves() {
        let spectrum = Spectrum::of(&[2.0, 0.001, 1e-14, 0.0]).unwrap();
        assert_eq!(spectrum, Spectrum { log10: vec![0.301, -3.0], lost: 2 });
        assert_eq!(Spectrum::of(&[]), None);
    }

    #[test]
    fn a_network_of_multiples_of_the_identity_has_one_singular_value() {
        // x^3 = 3 * 2 * h^1 for layers of identity activation: weights, then biases, layer after layer, then a head.
        let architecture = Architecture::plain(3, 2, "identity".parse().unwrap(), "xavier".parse().unwrap());
        let times = |factor: f32| [factor, 0.0, 0.0, factor, 0.5, 0.5];
        let parameters = [&times(7.0)[..], &times(2.0), &times(3.0), &[9.0; 4]].concat();
        for level in Level::available() {
            let of = |parameters: &[f32]| {
                Spectrum::of_hidden_layers(level, &architecture, Form::Vector(2), parameters, &[1.0, -1.0])
                    .unwrap()
            };
            assert_eq!(of(&parameters).unwrap(), Spectrum { log10: vec![0.7782; 2], lost: 0 });
            assert_eq!(of(&parameters[..17]), None, "not all parameters");
            assert_eq!(of(&[f32::NAN; 22]), None);
        }
    }

    #[test]
    fn batch_norm_divides_by_its_fixed_deviations() {
        // Samples 7 (1, -1) and 7 (-1, 1), after layer 1 (1, -1) and (-1, 1); times 3 and 5, divided by 3 and 5, times 4 and 6.
        let mut architecture =
            Architecture::plain(2, 2, "identity".parse().unwrap(), "xavier".parse().unwrap());
        architecture.norm = Norm::Batch;
        let layer = |w: [f32; 2], gains: [f32; 2], shifts: [f32; 2]| {
            [[w[0], 0.0, 0.0, w[1]], [0.5, 0.5, gains[0], gains[1]]].concat().into_iter().chain(shifts)
        };
        let of = |architecture: &Architecture, parameters: &[f32], samples: &[f32]| {
            Spectrum::of_hidden_layers(Level::detect(), architecture, Form::Vector(2), parameters, samples)
                .unwrap()
        };
        let parameters: Vec<f32> =
            layer([7.0; 2], [1.0; 2], [0.0; 2]).chain(layer([3.0, 5.0], [4.0, 6.0], [1.0; 2])).collect();
        let samples = [1.0, -1.0, -1.0, 1.0];
        let expected = Spectrum { log10: vec![0.7782, 0.6021], lost: 0 };
        assert_eq!(of(&architecture, &parameters, &samples), Some(expected));
        assert_eq!(of(&architecture, &parameters, &samples[..2]), None, "one sample has no statistics");
        // ReLU: the shift -2 silences the first unit of the first sample; of the second unit 5 and 0 come into layer 2,
        // whose deviation is 2.5.
        architecture.activation = "relu".parse().unwrap();
        let parameters: Vec<f32> =
            layer([1.0; 2], [1.0; 2], [-2.0, 0.0]).chain(layer([3.0, 5.0], [4.0, 6.0], [1.0; 2])).collect();
        let expected = Spectrum { log10: vec![1.0792], lost: 1 };
        assert_eq!(of(&architecture, &parameters, &[5.0, -1.0, 3.0, -3.0]), Some(expected));
    }

    #[test]
    fn the_last_state_against_the_first() {
        let form = Form::Sequence { steps: 3, features: 1, answers: 2 };
        let of = |cell: Cell, parameters: &[f32]| {
            let mut architecture =
                Architecture::plain(1, 2, "identity".parse().unwrap(), "xavier".parse().unwrap());
            // A clip would leave next to nothing.
            let clip = Some(1e-6);
            architecture.cell = Some(Recurrence { cell, forget_bias: ForgetBias::Fixed(0.0), clip });
            Spectrum::of_hidden_layers(Level::detect(), &architecture, form, parameters, &[0.1, 0.2, 0.3])
                .unwrap()
                .unwrap()
                .log10
        };
        // Two steps of h <- h U, with U = diag(2, 3): W, U, b.
        let rnn = of(Cell::Rnn("identity".parse().unwrap()), &[1.0, 1.0, 2.0, 0.0, 0.0, 3.0, 0.5, 0.5]);
        assert_eq!(rnn, [0.9542, 0.6021]);
        // All gates at a half and c = 0: dh_3/dc_1 = o f f = 1/8.
        assert_eq!(of(Cell::Lstm, &[0.0; 8 + 16 + 8]), [-0.9031; 2]);
    }

    #[test]
    fn singular_values_by_hand() {
        // (3, 0; 4, 5) has J J^T with eigenvalues 45 and 5; the second row carries a power of two.
        let jacobian = Rows {
            columns: 2,
            values: vec![3.0, 0.0, 1.0, 1.25],
            exponents: vec![-2000, -1998],
            ..Rows::new(Variable::Input(0))
        };
        assert_eq!(decompose(&jacobian).unwrap(), [0.0, 0.0]);
        let jacobian = Rows { exponents: vec![0, 2], ..jacobian };
        let found = decompose(&jacobian).unwrap();
        assert!(
            (found[0] - 45f64.sqrt()).abs() < 1e-12 && (found[1] - 5f64.sqrt()).abs() < 1e-12,
            "{found:?}"
        );
        // Squares 45 and 5: mean 25, variance 400.
        assert!((spread(&found).unwrap() - 400.0 / 625.0).abs() < 1e-12);
        assert_eq!(spread(&[0.0, 0.0]), None);
        let broken = Rows { values: vec![f32::NAN; 4], ..jacobian };
        assert_eq!(decompose(&broken), None);
    }
}
