//! Gradient correlation: the cosine between the gradients that two correlated inputs receive from one cotangent.
//!
//! x_1 is the network's input, x_2 = rho x_1 + sqrt(1 - rho^2) x', x' a fresh one. Where the cosine falls towards 0 with
//! depth, gradients of neighbouring inputs share nothing: they are shattered (Balduzzi et al. 2017).
//! The figure is the mean over eight pairs, which share the network.
//! Cost: a forward and a backward pass over two rows for each pair.

use isobath_kernels::MatRef;

use super::measure::ProbeError;
use crate::net::{Arena, Mode, Pass, Watch};
use crate::statistics::Moments;
use crate::threads::Serial;

/// Pairs of inputs.
pub(super) const PAIRS: usize = 8;

/// Keeps dL/dx^0 of all rows.
#[derive(Default)]
struct Bottom {
    rows: Vec<Vec<f64>>,
}

impl Watch for Bottom {
    fn delta(&mut self, layer: usize, delta: MatRef<'_>, _exponent: i32) {
        if layer == 0 {
            // All rows share the power of two, so cosines do not need it.
            let row = |i| delta.row(i).iter().copied().map(f64::from).collect();
            self.rows = (0..delta.rows()).map(row).collect();
        }
    }
}

/// The mean cosine over pairs x and rho x + sqrt(1 - rho^2) x', for rows x of `first`, x' of `fresh` and a row of
/// `cotangents` for each; none where a gradient is 0 or not finite. `pass` is over two rows for each pair.
pub(super) fn gradient_correlation(
    pass: &Pass<'_, Serial>,
    arena: &mut Arena<'_>,
    (first, fresh): (&[f32], &[f32]),
    rho: f64,
    cotangents: &[f32],
) -> Result<Option<f64>, ProbeError> {
    let (along, across) = (rho as f32, (1.0 - rho * rho).max(0.0).sqrt() as f32);
    let (columns, outputs) = (pass.plan.input(), pass.plan.output());
    let rows = arena.input_mut(&pass.plan, pass.rows).chunks_exact_mut(2 * columns);
    for ((rows, first), fresh) in rows.zip(first.chunks_exact(columns)).zip(fresh.chunks_exact(columns)) {
        let (row1, row2) = rows.split_at_mut(columns);
        row1.copy_from_slice(first);
        for ((x, first), fresh) in row2.iter_mut().zip(first).zip(fresh) {
            *x = along * first + across * fresh;
        }
    }
    let mut bottom = Bottom::default();
    pass.forward(arena, Mode::Training, &mut bottom)?;
    let twice: Vec<f32> = cotangents.chunks_exact(outputs).flat_map(|row| row.repeat(2)).collect();
    pass.backward(arena, &twice, true, &mut bottom)?;
    let cosines: Option<Vec<f64>> =
        bottom.rows.chunks_exact(2).map(|pair| cosine(&pair[0], &pair[1])).collect();
    Ok(cosines.and_then(|cosines| Some(Moments::of(&cosines)?.mean)))
}

fn cosine(one: &[f64], other: &[f64]) -> Option<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let cosine = dot(one, other) / (dot(one, one) * dot(other, other)).sqrt();
    cosine.is_finite().then_some(cosine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_by_hand() {
        assert_eq!(cosine(&[3.0, 4.0], &[4.0, 3.0]), Some(24.0 / 25.0));
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 2.0]), Some(0.0));
        assert_eq!(cosine(&[0.0, 0.0], &[0.0, 2.0]), None);
        assert_eq!(cosine(&[f64::INFINITY, 0.0], &[0.0, 2.0]), None);
    }
}
