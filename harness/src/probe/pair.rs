//! Gradient correlation: the cosine between the gradients that two correlated inputs receive from one cotangent.
//!
//! x_1 is the network's input, x_2 = rho x_1 + sqrt(1 - rho^2) x', x' a fresh one. Where the cosine falls towards 0 with
//! depth, gradients of neighbouring inputs share nothing: they are shattered (Balduzzi et al. 2017).
//! Cost: a forward and a backward pass over two rows.

use isobath_kernels::MatRef;

use super::measure::ProbeError;
use crate::net::{Arena, Mode, Pass, Watch};
use crate::threads::Serial;

/// Keeps dL/dx^0 of the two rows.
#[derive(Default)]
struct Bottom {
    rows: Vec<Vec<f64>>,
}

impl Watch for Bottom {
    fn delta(&mut self, layer: usize, delta: MatRef<'_>, _exponent: i32) {
        if layer == 0 {
            // Both rows share the power of two, so the cosine does not need it.
            let row = |i| delta.row(i).iter().copied().map(f64::from).collect();
            self.rows = (0..delta.rows()).map(row).collect();
        }
    }
}

/// The cosine for the inputs `first` and rho `first` + sqrt(1 - rho^2) `fresh`; none where a gradient is 0 or not
/// finite. `pass` is over two rows, `cotangent` is for one.
pub(super) fn gradient_correlation(
    pass: &Pass<'_, Serial>,
    arena: &mut Arena<'_>,
    (first, fresh): (&[f32], &[f32]),
    rho: f64,
    cotangent: &[f32],
) -> Result<Option<f64>, ProbeError> {
    let (along, across) = (rho as f32, (1.0 - rho * rho).max(0.0).sqrt() as f32);
    let inputs = arena.input_mut(&pass.plan, 2);
    let (row1, row2) = inputs.split_at_mut(first.len());
    row1.copy_from_slice(first);
    for ((x, first), fresh) in row2.iter_mut().zip(first).zip(fresh) {
        *x = along * first + across * fresh;
    }
    let mut bottom = Bottom::default();
    pass.forward(arena, Mode::Training, &mut bottom)?;
    pass.backward(arena, &cotangent.repeat(2), true, &mut bottom)?;
    Ok(match bottom.rows.as_slice() {
        [one, other] => cosine(one, other),
        _ => None,
    })
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
