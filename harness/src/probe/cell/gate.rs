//! One gate of a cell: its weights, its pre-activation, and the way back to h.

use isobath_kernels::gemm::{Init as Start, Shape};
use isobath_kernels::{Level, MatMut, MatRef};

use super::CellSetup;
use crate::activation::{Activation, with_kernel};
use crate::net::multiply;
use crate::probe::ProbeError;
use crate::random::Random;
use crate::threads::Serial;

/// W, U and b.
pub(super) struct Gate {
    units: usize,
    inputs: Vec<f32>,
    recurrent: Vec<f32>,
    biases: Vec<f32>,
}

impl Gate {
    /// Draws a gate; `bias` replaces what the initialiser draws for b.
    pub(super) fn draw(
        setup: &CellSetup,
        random: &mut Random,
        bias: Option<f32>,
    ) -> Result<Self, ProbeError> {
        let units = setup.width;
        let mut scratch = vec![0.0; units * units];
        let mut matrix = |biases: &mut [f32]| {
            let mut weights = vec![0.0; units * units];
            let drawn = setup.init.fill(random, units, &mut weights, biases, &mut scratch);
            drawn.map_err(|error| ProbeError::Loss(error.to_string()))?;
            Ok::<_, ProbeError>(weights)
        };
        let mut biases = vec![0.0; units];
        let inputs = matrix(&mut vec![0.0; units])?;
        let recurrent = matrix(&mut biases)?;
        if let Some(bias) = bias {
            biases.fill(bias);
        }
        Ok(Self { units, inputs, recurrent, biases })
    }

    /// x W + b.
    pub(super) fn of_input(&self, level: Level, x: &[f32]) -> Result<Vec<f32>, ProbeError> {
        product(level, x, &self.inputs, self.units, false, Start::Bias(&self.biases))
    }

    /// h U.
    pub(super) fn of_state(&self, level: Level, h: &[f32]) -> Result<Vec<f32>, ProbeError> {
        product(level, h, &self.recurrent, self.units, false, Start::Zero)
    }

    /// phi(x W + b + h U) and its slopes.
    pub(super) fn run(
        &self,
        level: Level,
        phi: Activation,
        x: &[f32],
        h: &[f32],
    ) -> Result<Active, ProbeError> {
        let mut sum = self.of_input(level, x)?;
        sum.iter_mut().zip(self.of_state(level, h)?).for_each(|(sum, more)| *sum += more);
        activate(level, phi, sum)
    }

    /// delta U^T.
    pub(super) fn back(&self, level: Level, delta: &[f32]) -> Result<Vec<f32>, ProbeError> {
        product(level, delta, &self.recurrent, self.units, true, Start::Zero)
    }
}

/// phi(h) and phi'(h).
pub(super) struct Active {
    pub(super) value: Vec<f32>,
    pub(super) slope: Vec<f32>,
}

/// phi(h) and phi'(h) of these h.
pub(super) fn activate(level: Level, phi: Activation, mut h: Vec<f32>) -> Result<Active, ProbeError> {
    use isobath_kernels::activation::forward_with_derivative_in_place;
    let mut slopes = vec![0.0; h.len()];
    let done =
        with_kernel!(phi, kernel => forward_with_derivative_in_place(level, kernel, &mut h, &mut slopes));
    done.map_err(|error| ProbeError::Loss(error.to_string()))?;
    Ok(Active { value: h, slope: slopes })
}

/// Adds delta U^T of each gate to a gradient, one after the other.
pub(super) fn add_back(
    level: Level,
    gates: &[(&Gate, Vec<f32>)],
    gradient: &mut [f32],
) -> Result<(), ProbeError> {
    for (gate, delta) in gates {
        gradient.iter_mut().zip(gate.back(level, delta)?).for_each(|(sum, more)| *sum += more);
    }
    Ok(())
}

/// Rows times a square matrix, or its transpose.
fn product(
    level: Level,
    rows: &[f32],
    matrix: &[f32],
    units: usize,
    transpose_b: bool,
    start: Start<'_>,
) -> Result<Vec<f32>, ProbeError> {
    let wrong = |error: &dyn std::fmt::Display| ProbeError::Loss(error.to_string());
    let m = rows.len() / units;
    let mut values = vec![0.0; rows.len()];
    let shape = Shape { m, n: units, k: units, transpose_a: false, transpose_b };
    let a = MatRef::new(rows, m, units).map_err(|error| wrong(&error))?;
    let b = MatRef::new(matrix, units, units).map_err(|error| wrong(&error))?;
    let c = MatMut::new(&mut values, m, units).map_err(|error| wrong(&error))?;
    multiply(level, &Serial, shape, a, b, c, start, &mut []).map_err(|error| wrong(&error))?;
    Ok(values)
}
