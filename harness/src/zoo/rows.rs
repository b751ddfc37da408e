//! Sums over rows in f64: what the simulation of a network is made of, written once more and apart from the kernels.

/// A row per input.
pub(super) type Rows = Vec<Vec<f64>>;

/// Spread, relative to the outputs themselves, that f32 no longer resolves.
const ROUNDING: f64 = 1e-5;

/// The sum of a_i b_i, in four sums side by side.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; 4];
    for (a, b) in a4.zip(b4) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums[0] + sums[1] + sums[2] + sums[3] + rest
}

/// sqrt of the sum of all squares.
pub(super) fn norm(rows: &[Vec<f64>]) -> f64 {
    rows.iter().map(|row| dot(row, row)).sum::<f64>().sqrt()
}

/// || sum_b d_b x_b^T ||: its square is the sum over pairs of (d_a d_b) (x_a x_b).
pub(super) fn norm_of_products(d: &[Vec<f64>], x: &[Vec<f64>]) -> f64 {
    let pairs = (0..d.len()).flat_map(|a| (0..d.len()).map(move |b| (a, b)));
    pairs.map(|(a, b)| dot(&d[a], &d[b]) * dot(&x[a], &x[b])).sum::<f64>().max(0.0).sqrt()
}

/// (tr C)^2 / tr C^2 of the rows' covariance; 0 where they do not differ, to the precision of f32.
pub(super) fn effective_rank(rows: &[Vec<f64>]) -> f64 {
    let columns = rows[0].len();
    let mean: Vec<f64> =
        (0..columns).map(|j| rows.iter().map(|row| row[j]).sum::<f64>() / rows.len() as f64).collect();
    let centred: Rows =
        rows.iter().map(|row| row.iter().zip(&mean).map(|(v, mean)| v - mean).collect()).collect();
    let trace: f64 = centred.iter().map(|row| dot(row, row)).sum();
    let squares: f64 = centred.iter().map(|a| centred.iter().map(|b| dot(a, b).powi(2)).sum::<f64>()).sum();
    let resolved = trace > (ROUNDING * norm(rows)).powi(2);
    if resolved { trace * trace / squares } else { 0.0 }
}
