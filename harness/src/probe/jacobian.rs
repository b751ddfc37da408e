//! Singular values of the Jacobian dx^L / dx^0 at one input.
//!
//! A backward pass whose batch is that input again and again, with unit vectors as cotangents, gives the Jacobian row by
//! row. Its spread Var(s^2) / mean(s^2)^2 is 0 where every direction is treated alike.
//! Cost: as many rows of forward and backward pass as there are outputs, and one SVD in f64 (`nalgebra`); no bit of the
//! network depends on it.

use isobath_kernels::{Level, MatRef};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::measure::ProbeError;
use crate::architecture::{Architecture, Head, Norm};
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

/// Rows of the Jacobian with respect to the input of a layer, with their power of two.
struct Rows {
    layer: usize,
    columns: usize,
    values: Vec<f32>,
    /// For each row.
    exponents: Vec<i32>,
}

impl Watch for Rows {
    fn delta(&mut self, layer: usize, delta: MatRef<'_>, exponent: i32) {
        if layer == self.layer {
            self.columns = delta.columns();
            for i in 0..delta.rows() {
                self.values.extend_from_slice(delta.row(i));
                self.exponents.push(exponent);
            }
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
    let outputs = pass.plan.output();
    let mut jacobian = Rows { layer, columns: 0, values: Vec::new(), exponents: Vec::new() };
    for first in (0..outputs).step_by(pass.rows) {
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

/// The singular values of the hidden layers' Jacobian dx^L / dh^1 at one input.
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

    /// Of a network with these parameters, those of its head behind the others, at the input `x`. None where there is no
    /// such Jacobian (batch norm mixes the inputs of a batch; convolutions and cells have other shapes), where it is large,
    /// or where it is not finite.
    ///
    /// # Errors
    /// The layers are no network.
    pub(crate) fn of_hidden_layers(
        level: Level,
        architecture: &Architecture,
        form: Form,
        parameters: &[f32],
        x: &[f32],
    ) -> Result<Option<Self>, ProbeError> {
        let Architecture { norm, convolution, cell, width, depth, .. } = *architecture;
        if norm == Norm::Batch || convolution.is_some() || cell.is_some() || width > WIDEST || depth < 2 {
            return Ok(None);
        }
        let built = architecture.build(form, Head::None);
        let rows = width.min(ROWS);
        let mut places = vec![Place::default(); built.layers.len()];
        let plan = Plan::new(Signal::vector(form.features()), rows, &built.layers, &mut places)?;
        let Some(own) = parameters.get(..plan.parameters()).filter(|own| own.len() <= PARAMETERS) else {
            return Ok(None);
        };
        let mut memory = Buffer::zeros(plan.arena_len(0, 1)?).map_err(|_| PlanError::TooLarge)?;
        let mut arena = Arena::new(&plan, 0, 1, &mut memory)?;
        arena.parameters.copy_from_slice(own);
        let pass = Pass { plan, level, threads: &Serial, rows };
        let Some(&first) = built.delta_at.first() else { return Ok(None) };
        let values = singular_values(&pass, &mut arena, x, first)?;
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
    fn singular_values_by_hand() {
        // (3, 0; 4, 5) has J J^T with eigenvalues 45 and 5; the second row carries a power of two.
        let jacobian =
            Rows { layer: 0, columns: 2, values: vec![3.0, 0.0, 1.0, 1.25], exponents: vec![-2000, -1998] };
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
