//! Layer normalisation: the documented order bit for bit on every level, gradients against f64 finite differences.

use isobath_kernels::layer_norm;
use isobath_kernels::reduce::ShapeError;
use isobath_kernels::{LengthError, Level, MatMut, MatRef};
use isobath_tests::fma::fma;
use isobath_tests::hash::assert_same_bits;
use isobath_tests::levels;
use isobath_tests::reference::{self, noise};

const EPSILON: f32 = 1e-5;

/// y, mean and inv_std.
fn forward(level: Level, x: MatRef, gamma: &[f32], beta: &[f32]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let (rows, columns) = (x.rows(), x.columns());
    let [mut mean, mut inv_std] = [0; 2].map(|_| vec![f32::NAN; rows]);
    let mut y = vec![f32::NAN; rows * columns];
    let out = MatMut::new(&mut y, rows, columns).unwrap();
    layer_norm::forward(level, x, gamma, beta, EPSILON, out, &mut mean, &mut inv_std).unwrap();
    (y, mean, inv_std)
}

/// dx, d_gamma, d_beta.
fn backward(
    level: Level,
    x: MatRef,
    dy: MatRef,
    gamma: &[f32],
    mean: &[f32],
    inv_std: &[f32],
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let (rows, columns) = (x.rows(), x.columns());
    let [mut d_gamma, mut d_beta] = [0; 2].map(|_| vec![f32::NAN; columns]);
    let mut dx = vec![f32::NAN; rows * columns];
    let out = MatMut::new(&mut dx, rows, columns).unwrap();
    layer_norm::backward(level, x, dy, gamma, mean, inv_std, out, &mut d_gamma, &mut d_beta).unwrap();
    (dx, d_gamma, d_beta)
}

fn shapes() -> Vec<(usize, usize)> {
    let mut shapes: Vec<(usize, usize)> = (1..=130).map(|columns| (2, columns)).collect();
    shapes.extend([(0, 5), (1, 1), (3, 0), (64, 10), (65, 33), (130, 65), (2, 4096), (2, 5000), (1, 8200)]);
    shapes
}

#[test]
fn both_passes_in_the_documented_order() {
    for (rows, columns) in shapes() {
        let stride = columns + rows % 3;
        let data: Vec<f32> = noise(columns as u64, rows * stride).iter().map(|x| x * 2.0 + 0.7).collect();
        let x = MatRef::with_stride(&data, rows, columns, stride).unwrap();
        let dy_data = noise(5, rows * columns);
        let dy = MatRef::new(&dy_data, rows, columns).unwrap();
        let (gamma, beta) = (noise(1, columns), noise(2, columns));
        let (mut y, mut mean, mut inv_std, mut dx) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for i in 0..rows {
            let (m, variance) = reference::row_moments(x.row(i));
            let inverse = reference::inverse_deviation(variance, EPSILON);
            y.extend((0..columns).map(|j| fma((x.row(i)[j] - m) * inverse, gamma[j], beta[j])));
            dx.extend(reference::layer_norm_input_gradient(x.row(i), dy.row(i), &gamma, m, inverse));
            mean.push(m);
            inv_std.push(inverse);
        }
        let normal = |i: usize, j: usize| (x.row(i)[j] - mean[i]) * inv_std[i];
        let d_gamma: Vec<f32> = (0..columns)
            .map(|j| reference::column(rows, |sum, i| fma(dy.row(i)[j], normal(i, j), sum)))
            .collect();
        let d_beta: Vec<f32> =
            (0..columns).map(|j| reference::column(rows, |sum, i| sum + dy.row(i)[j])).collect();
        for level in levels::all() {
            let what = format!("{rows} x {columns}, {}", level.name());
            let found = forward(level, x, &gamma, &beta);
            assert_same_bits(&mean, &found.1, &what);
            assert_same_bits(&inv_std, &found.2, &what);
            assert_same_bits(&y, &found.0, &what);
            let found = backward(level, x, dy, &gamma, &mean, &inv_std);
            assert_same_bits(&dx, &found.0, &what);
            assert_same_bits(&d_gamma, &found.1, &what);
            assert_same_bits(&d_beta, &found.2, &what);
        }
    }
}

/// y of one row in f64.
fn exact_forward(x: &[f64], gamma: &[f64]) -> Vec<f64> {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let scale = 1.0 / (variance + f64::from(EPSILON)).sqrt();
    x.iter().zip(gamma).map(|(x, gamma)| gamma * (x - mean) * scale).collect()
}

#[test]
fn gradients_agree_with_finite_differences() {
    let wide = |x: &[f32]| x.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
    for columns in [2, 9, 70] {
        let (x, dy, gamma) = (noise(3, columns), noise(4, columns), noise(5, columns));
        let view = MatRef::new(&x, 1, columns).unwrap();
        let (_, mean, inv_std) = forward(Level::SCALAR, view, &gamma, &gamma);
        let dy_view = MatRef::new(&dy, 1, columns).unwrap();
        let (dx, d_gamma, d_beta) = backward(Level::SCALAR, view, dy_view, &gamma, &mean, &inv_std);
        let loss = |x: &[f64], gamma: &[f64]| -> f64 {
            exact_forward(x, gamma).iter().zip(&dy).map(|(y, dy)| y * f64::from(*dy)).sum()
        };
        let (x, gamma) = (wide(&x), wide(&gamma));
        let h = 1e-5;
        for j in 0..columns {
            let moved = |v: &[f64], h: f64| {
                let mut v = v.to_vec();
                v[j] += h;
                v
            };
            let expected = (loss(&moved(&x, h), &gamma) - loss(&moved(&x, -h), &gamma)) / (2.0 * h);
            assert!((f64::from(dx[j]) - expected).abs() < 2e-5, "dx {j}: {} and {expected}", dx[j]);
            let expected = (loss(&x, &moved(&gamma, h)) - loss(&x, &moved(&gamma, -h))) / (2.0 * h);
            assert!((f64::from(d_gamma[j]) - expected).abs() < 2e-5, "d_gamma {j}");
        }
        assert_eq!(d_beta, dy);
    }
}

#[test]
fn a_large_mean_does_not_drown_a_small_deviation() {
    for columns in [2, 63, 1000, 4096] {
        let x: Vec<f32> = noise(1, columns).iter().map(|x| 1e4 + 0.1 * x).collect();
        let (mean, variance) = reference::row_moments(&x);
        let (_, found_mean, inv_std) = forward(
            Level::SCALAR,
            MatRef::new(&x, 1, columns).unwrap(),
            &vec![1.0; columns],
            &vec![0.0; columns],
        );
        assert_eq!((found_mean[0], inv_std[0]), (mean, reference::inverse_deviation(variance, EPSILON)));
        let n = columns as f64;
        let exact_mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let exact = x.iter().map(|x| (f64::from(*x) - exact_mean).powi(2)).sum::<f64>() / n;
        let error = (f64::from(variance) / exact - 1.0).abs();
        assert!(error <= 150.0 * 2f64.powi(-24), "{columns}: {error:e}");
    }
}

#[test]
fn constant_and_bad_rows() {
    for level in levels::all() {
        for columns in [1, 10, 63, 100, 5000] {
            let mut data = vec![0.1; 3 * columns];
            data[columns + columns / 2] = f32::INFINITY;
            data[2 * columns..].fill(1e-30);
            let x = MatRef::new(&data, 3, columns).unwrap();
            let (y, mean, inv_std) = forward(level, x, &vec![2.0; columns], &vec![0.5; columns]);
            for i in [0, 2] {
                assert_eq!(mean[i], data[i * columns]);
                assert_eq!(inv_std[i], 1.0 / EPSILON.sqrt());
                assert!(y[i * columns..][..columns].iter().all(|y| *y == 0.5));
            }
            assert!(y[columns..2 * columns].iter().all(|y| y.is_nan()));
        }
    }
}

#[test]
fn wrong_shapes_are_errors() {
    let x = MatRef::new(&[0.0; 6], 2, 3).unwrap();
    let mut y = [0.0; 6];
    let out = MatMut::new(&mut y, 3, 2).unwrap();
    let found =
        layer_norm::forward(Level::SCALAR, x, &[0.0; 3], &[0.0; 3], 0.0, out, &mut [0.0; 2], &mut [0.0; 2]);
    assert_eq!(found, Err(ShapeError::Matrix { expected: (2, 3), found: (3, 2) }));
    let out = MatMut::new(&mut y, 2, 3).unwrap();
    let found =
        layer_norm::forward(Level::SCALAR, x, &[0.0; 3], &[0.0; 3], 0.0, out, &mut [0.0; 3], &mut [0.0; 2]);
    assert_eq!(found, Err(ShapeError::Length(LengthError { expected: 2, found: 3 })));
}
