//! Singular values of the Jacobian dx^L / dx^0 at one input.
//!
//! A backward pass whose batch is that input again and again, with unit vectors as cotangents, gives the Jacobian row by
//! row. Its spread Var(s^2) / mean(s^2)^2 is 0 where every direction is treated alike.
//! Cost: as many rows of forward and backward pass as there are outputs, and one SVD in f64 (`nalgebra`); no bit of the
//! network depends on it.

use isobath_kernels::MatRef;
use nalgebra::DMatrix;

use super::measure::ProbeError;
use crate::net::{Arena, Mode, Pass, Watch};
use crate::threads::Serial;

/// The most elements a Jacobian may have: 2048 x 2048.
pub const LARGEST: usize = 1 << 22;

/// Rows of the Jacobian with their power of two.
struct Rows {
    columns: usize,
    values: Vec<f32>,
    /// For each row.
    exponents: Vec<i32>,
}

impl Watch for Rows {
    fn delta(&mut self, layer: usize, delta: MatRef<'_>, exponent: i32) {
        if layer == 0 {
            for i in 0..delta.rows() {
                self.values.extend_from_slice(delta.row(i));
                self.exponents.push(exponent);
            }
        }
    }
}

/// The singular values in decreasing order; none where the Jacobian is not finite. `pass` is over one row or more of
/// the plan's batch.
pub(super) fn singular_values(
    pass: &Pass<'_, Serial>,
    arena: &mut Arena<'_>,
    x: &[f32],
) -> Result<Option<Vec<f64>>, ProbeError> {
    let outputs = pass.plan.output();
    let mut jacobian = Rows { columns: x.len(), values: Vec::new(), exponents: Vec::new() };
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
    fn singular_values_by_hand() {
        // (3, 0; 4, 5) has J J^T with eigenvalues 45 and 5; the second row carries a power of two.
        let jacobian = Rows { columns: 2, values: vec![3.0, 0.0, 1.0, 1.25], exponents: vec![-2000, -1998] };
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
