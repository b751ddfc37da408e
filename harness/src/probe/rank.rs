//! Effective rank: how many directions a layer's outputs for different inputs spread over.
//!
//! With C the covariance of the outputs over the inputs, r = (tr C)^2 / tr C^2, the participation ratio of its
//! eigenvalues: n where all n are equal, 1 where the outputs lie on a line. It is 0 where they do not differ beyond
//! rounding. Networks whose outputs have fallen to a line or two can no longer tell inputs apart (rank collapse:
//! Daneshmand et al. 2020).
//!
//! Both traces are those of the Gram matrix K of the centred outputs, so no eigenvalue is computed.
//! Cost: B^2 n multiply-adds for B inputs of n units, by the kernels; the same bits on every level.

use isobath_kernels::gemm::{Gemm, Init, Shape, Store};
use isobath_kernels::{Level, MatMut, MatRef};

use crate::statistics::Moments;

/// Spread, relative to the outputs themselves, below which f32 has rounded away what differed.
const ROUNDING: f64 = 1e-5;

/// r of the rows of `x`; none where a value is not finite.
pub(super) fn effective_rank(level: Level, x: MatRef<'_>) -> Option<f64> {
    let (rows, columns) = (x.rows(), x.columns());
    let mut centred = vec![0.0_f32; rows * columns];
    let mut square = 0.0;
    for j in 0..columns {
        let mean = (0..rows).map(|i| f64::from(x.row(i)[j])).sum::<f64>() / rows as f64;
        for i in 0..rows {
            let value = f64::from(x.row(i)[j]);
            square += value * value;
            centred[i * columns + j] = (value - mean) as f32;
        }
    }
    let spread: f64 = centred.iter().map(|v| f64::from(*v).powi(2)).sum();
    if !spread.is_finite() || !square.is_finite() {
        return None;
    }
    if spread <= ROUNDING * ROUNDING * square {
        return Some(0.0);
    }
    // To unit size, so that no product leaves f32.
    let scale = (rows as f64 * columns as f64 / spread).sqrt();
    centred.iter_mut().for_each(|v| *v = (f64::from(*v) * scale) as f32);
    let shape = Shape { m: rows, n: rows, k: columns, transpose_a: false, transpose_b: true };
    let gemm = Gemm::new(level, shape);
    let mut workspace = vec![0.0; gemm.workspace_len()];
    let mut gram = vec![0.0; rows * rows];
    let operand = MatRef::new(&centred, rows, columns).ok()?;
    let mut result = MatMut::new(&mut gram, rows, rows).ok()?;
    gemm.run(operand, operand, &mut result, Init::Zero, &mut workspace, Store).ok()?;
    let trace: f64 = (0..rows).map(|i| f64::from(gram[i * rows + i])).sum();
    let squares: f64 = gram.iter().map(|v| f64::from(*v).powi(2)).sum();
    (squares > 0.0).then(|| trace * trace / squares)
}

/// The mean of effective ranks over networks; 0 if in one of them the outputs do not differ, for then rounding has a
/// part in the others as well. None for no network.
pub(crate) fn mean_rank(ranks: Vec<f64>) -> Option<f64> {
    let lost = ranks.contains(&0.0);
    Moments::of(&ranks).map(|moments| if lost { 0.0 } else { moments.mean })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn rank(values: &[f32], columns: usize) -> Option<f64> {
        let x = MatRef::new(values, values.len() / columns, columns).unwrap();
        let ranks = Level::available().map(|level| effective_rank(level, x));
        let ranks: Vec<Option<f64>> = ranks.collect();
        assert!(ranks.windows(2).all(|pair| pair[0] == pair[1]), "{ranks:?}");
        ranks[0]
    }

    #[test]
    fn lines_planes_and_points() {
        // On the line (1, 2, 3) t + (5, 5, 5).
        let line: Vec<f32> = [-3.0, -1.0, 0.5, 2.0, 7.0]
            .iter()
            .flat_map(|t| [5.0 + t, 5.0 + 2.0 * t, 5.0 + 3.0 * t])
            .collect();
        assert!((rank(&line, 3).unwrap() - 1.0).abs() < 1e-5);
        // Variances 4 and 1: 25 / 17.
        let cross = [2.0, 0.0, -2.0, 0.0, 0.0, 1.0, 0.0, -1.0];
        assert!((rank(&cross, 2).unwrap() - 25.0 / 17.0).abs() < 1e-6);
        // A power of two of any size changes nothing.
        let tiny: Vec<f32> = cross.iter().map(|v| v * 2f32.powi(-120)).collect();
        assert_eq!(rank(&tiny, 2), rank(&cross, 2));
        assert_eq!(rank(&[7.0; 12], 3), Some(0.0));
        assert_eq!(rank(&[0.0; 12], 3), Some(0.0));
        assert_eq!(rank(&[f32::NAN, 1.0, 2.0, 3.0], 2), None);
        assert_eq!(rank(&[f32::INFINITY, 1.0, 2.0, 3.0], 2), None);
    }

    #[test]
    fn independent_outputs_have_the_rank_of_a_wishart_matrix() {
        // For B independent rows of n normal numbers about (B - 1) n / (B - 1 + n).
        let mut values = vec![0.0; 64 * 48];
        Random::new(5).fill_normal(&mut values, 3.0);
        let expected = 63.0 * 48.0 / (63.0 + 48.0);
        assert!((rank(&values, 48).unwrap() / expected - 1.0).abs() < 0.05);
    }
}
