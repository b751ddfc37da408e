//! Batch normalisation: the documented order bit for bit on every level, gradients against f64 finite differences,
//! statistics where the textbook formula has no digit left.

use isobath_kernels::batch_norm::{self, BatchNormError, BatchStatistics};
use isobath_kernels::{Level, MatMut, MatRef};
use isobath_tests::fma::fma;
use isobath_tests::hash::assert_same_bits;
use isobath_tests::levels;
use isobath_tests::reference::{self, noise};
use proptest::prelude::*;

const EPSILON: f32 = 1e-5;

/// What a training step gives.
struct Forward {
    y: Vec<f32>,
    mean: Vec<f32>,
    inv_std: Vec<f32>,
    variance: Vec<f32>,
}

fn forward(level: Level, x: MatRef, gamma: &[f32], beta: &[f32]) -> Result<Forward, BatchNormError> {
    let (rows, columns) = (x.rows(), x.columns());
    let [mut mean, mut inv_std, mut variance] = [0; 3].map(|_| vec![f32::NAN; columns]);
    let mut y = vec![f32::NAN; rows * columns];
    let saved = BatchStatistics { mean: &mut mean, inv_std: &mut inv_std, variance: &mut variance };
    let out = MatMut::new(&mut y, rows, columns).unwrap();
    batch_norm::forward_training(level, x, gamma, beta, EPSILON, out, saved)?;
    Ok(Forward { y, mean, inv_std, variance })
}

fn column(x: MatRef, j: usize) -> Vec<f32> {
    (0..x.rows()).map(|i| x.row(i)[j]).collect()
}

/// (rows, columns, stride): batches of 2, ends of blocks, ends of vectors and strips, gaps between rows.
fn shapes() -> Vec<(usize, usize, usize)> {
    let mut shapes = Vec::new();
    for rows in [2, 3, 63, 64, 65, 129, 200] {
        for columns in [0, 1, 2, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100] {
            shapes.push((rows, columns, columns + rows % 3));
        }
    }
    shapes
}

#[test]
fn forward_in_the_documented_order() {
    for (rows, columns, stride) in shapes() {
        let data: Vec<f32> = noise(rows as u64, rows * stride).iter().map(|x| x * 3.0 + 1.5).collect();
        let x = MatRef::with_stride(&data, rows, columns, stride).unwrap();
        let (gamma, beta) = (noise(1, columns), noise(2, columns));
        let moments: Vec<(f32, f32)> =
            (0..columns).map(|j| reference::column_moments(&column(x, j))).collect();
        let means: Vec<f32> = moments.iter().map(|m| m.0).collect();
        let variances: Vec<f32> = moments.iter().map(|m| m.1).collect();
        let inverses: Vec<f32> =
            variances.iter().map(|v| reference::inverse_deviation(*v, EPSILON)).collect();
        let mut y = Vec::new();
        for i in 0..rows {
            for j in 0..columns {
                y.push(fma(x.row(i)[j] - means[j], gamma[j] * inverses[j], beta[j]));
            }
        }
        for level in levels::all() {
            let what = format!("{rows} x {columns}, {}", level.name());
            let found = forward(level, x, &gamma, &beta).unwrap();
            assert_same_bits(&means, &found.mean, &what);
            assert_same_bits(&variances, &found.variance, &what);
            assert_same_bits(&inverses, &found.inv_std, &what);
            assert_same_bits(&y, &found.y, &what);

            let mut out = vec![f32::NAN; rows * columns];
            let view = MatMut::new(&mut out, rows, columns).unwrap();
            batch_norm::forward_inference(level, x, &gamma, &beta, &means, &variances, EPSILON, view)
                .unwrap();
            assert_same_bits(&y, &out, &what);

            let mut over = data.clone();
            let view = MatMut::with_stride(&mut over, rows, columns, stride).unwrap();
            batch_norm::forward_inference_in_place(level, view, &gamma, &beta, &means, &variances, EPSILON)
                .unwrap();
            for i in 0..rows {
                assert_same_bits(&y[i * columns..][..columns], &over[i * stride..][..columns], &what);
                assert_same_bits(
                    &data[i * stride..][columns..stride],
                    &over[i * stride..][columns..stride],
                    "gap",
                );
            }
        }
    }
}

#[test]
fn backward_in_the_documented_order() {
    for (rows, columns, stride) in shapes() {
        let data = noise(rows as u64, rows * stride);
        let x = MatRef::with_stride(&data, rows, columns, stride).unwrap();
        let dy_data = noise(9, rows * columns);
        let dy = MatRef::new(&dy_data, rows, columns).unwrap();
        let gamma = noise(1, columns);
        let saved = forward(Level::SCALAR, x, &gamma, &gamma).unwrap();
        let mut dx = vec![0.0; rows * columns];
        let (mut d_gamma, mut d_beta) = (Vec::new(), Vec::new());
        for j in 0..columns {
            let (values, dg, db) = reference::batch_norm_backward(
                &column(x, j),
                &column(dy, j),
                gamma[j],
                saved.mean[j],
                saved.inv_std[j],
            );
            (0..rows).for_each(|i| dx[i * columns + j] = values[i]);
            d_gamma.push(dg);
            d_beta.push(db);
        }
        for level in levels::all() {
            let what = format!("{rows} x {columns}, {}", level.name());
            let (mean, inv_std) = (&saved.mean, &saved.inv_std);
            let mut out = vec![f32::NAN; rows * columns];
            let [mut dg, mut db] = [0; 2].map(|_| vec![f32::NAN; columns]);
            let view = MatMut::new(&mut out, rows, columns).unwrap();
            batch_norm::backward(level, x, dy, &gamma, mean, inv_std, view, &mut dg, &mut db).unwrap();
            assert_same_bits(&d_gamma, &dg, &what);
            assert_same_bits(&d_beta, &db, &what);
            assert_same_bits(&dx, &out, &what);

            out.copy_from_slice(&dy_data);
            let view = MatMut::new(&mut out, rows, columns).unwrap();
            batch_norm::backward_in_place(level, x, view, &gamma, mean, inv_std, &mut dg, &mut db).unwrap();
            assert_same_bits(&[dx.as_slice(), &d_gamma, &d_beta].concat(), &[out, dg, db].concat(), &what);
        }
    }
}

/// y of one column in f64.
fn exact_forward(x: &[f64], gamma: f64, beta: f64) -> Vec<f64> {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    x.iter().map(|x| gamma * (x - mean) / (variance + f64::from(EPSILON)).sqrt() + beta).collect()
}

#[test]
fn gradients_agree_with_finite_differences() {
    for rows in [2, 5, 70] {
        let x = noise(3, rows);
        let dy = noise(4, rows);
        let (gamma, beta) = (0.7, -0.2);
        let view = MatRef::new(&x, rows, 1).unwrap();
        let saved = forward(Level::SCALAR, view, &[gamma], &[beta]).unwrap();
        let (mut dx, mut d_gamma, mut d_beta) = (vec![0.0; rows], [0.0], [0.0]);
        batch_norm::backward(
            Level::SCALAR,
            view,
            MatRef::new(&dy, rows, 1).unwrap(),
            &[gamma],
            &saved.mean,
            &saved.inv_std,
            MatMut::new(&mut dx, rows, 1).unwrap(),
            &mut d_gamma,
            &mut d_beta,
        )
        .unwrap();
        let wide: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let loss = |x: &[f64], gamma: f64, beta: f64| -> f64 {
            exact_forward(x, gamma, beta).iter().zip(&dy).map(|(y, dy)| y * f64::from(*dy)).sum()
        };
        let h = 1e-5;
        let central = |f: &dyn Fn(f64) -> f64| (f(h) - f(-h)) / (2.0 * h);
        let (gamma, beta) = (f64::from(gamma), f64::from(beta));
        for i in 0..rows {
            let expected = central(&|h| {
                let mut x = wide.clone();
                x[i] += h;
                loss(&x, gamma, beta)
            });
            assert!((f64::from(dx[i]) - expected).abs() < 1e-5, "dx {i}: {} and {expected}", dx[i]);
        }
        let expected =
            [central(&|h| loss(&wide, gamma + h, beta)), central(&|h| loss(&wide, gamma, beta + h))];
        assert!((f64::from(d_gamma[0]) - expected[0]).abs() < 1e-5);
        assert!((f64::from(d_beta[0]) - expected[1]).abs() < 1e-5);
    }
}

/// Relative error of the variance, and error of the mean in units of its last place.
fn errors(x: &[f32], mean: f32, variance: f32) -> (f64, f64) {
    let n = x.len() as f64;
    let exact_mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
    let exact = x.iter().map(|x| (f64::from(*x) - exact_mean).powi(2)).sum::<f64>() / n;
    let unit = isobath::accuracy::ulp::spacing(exact_mean);
    ((f64::from(variance) / exact - 1.0).abs(), (f64::from(mean) - exact_mean).abs() / unit)
}

#[test]
fn a_large_mean_does_not_drown_a_small_deviation() {
    for rows in [2, 64, 100, 1000, 4096] {
        for (centre, deviation) in [(1e4, 0.1), (1e6, 1.0), (-3e3, 1e-2), (0.0, 1e-10), (1.0, 1e15)] {
            let x: Vec<f32> = noise(rows as u64, rows).iter().map(|x| centre + deviation * x).collect();
            let found = forward(Level::SCALAR, MatRef::new(&x, rows, 1).unwrap(), &[1.0], &[0.0]).unwrap();
            let (variance, mean) = errors(&x, found.mean[0], found.variance[0]);
            let drift = f64::from(64.0 * 2f32.powi(-24) * centre / (deviation * 0.5));
            let bound = 150.0 * 2f64.powi(-24) * (1.0 + drift.powi(2));
            assert!(variance <= bound, "{rows} rows, {centre} +- {deviation}: {variance:e} above {bound:e}");
            assert!(
                centre.abs() < deviation || mean <= 1.5,
                "{rows} rows, {centre}: mean off by {mean} units"
            );
        }
    }
}

#[test]
fn a_constant_column_has_no_variance() {
    for rows in [2, 63, 64, 65, 1000] {
        for constant in [0.0, 1.0, -0.1, 1e4 + 0.3, 1e-30, 3e23] {
            let x = vec![constant; rows];
            let found = forward(Level::SCALAR, MatRef::new(&x, rows, 1).unwrap(), &[2.0], &[0.5]).unwrap();
            assert_eq!(found.mean[0], constant, "{rows} rows");
            assert_eq!(found.variance[0].to_bits(), 0, "{rows} rows of {constant}");
            assert!(found.y.iter().all(|y| *y == 0.5));
        }
    }
}

/// Deviations whose squares f32 holds are right, and larger ones say so: an infinite variance normalises to beta.
#[test]
fn huge_values_are_right_or_infinite() {
    for level in levels::all() {
        for rows in [2, 64, 130] {
            let column = |size: f32| -> Forward {
                let x: Vec<f32> = noise(5, rows).iter().map(|x| x * size).collect();
                forward(level, MatRef::new(&x, rows, 1).unwrap(), &[2.0], &[0.5]).unwrap()
            };
            let (one, huge, beyond) = (column(1.0), column(2f32.powi(60)), column(2f32.powi(70)));
            // Scaling by a power of two is exact.
            assert_eq!(huge.mean[0], one.mean[0] * 2f32.powi(60), "{rows} rows, {}", level.name());
            assert_eq!(huge.variance[0], one.variance[0] * 2f32.powi(120), "{rows} rows, {}", level.name());
            assert_eq!(beyond.mean[0], one.mean[0] * 2f32.powi(70));
            assert_eq!((beyond.variance[0], beyond.inv_std[0]), (f32::INFINITY, 0.0));
            assert_eq!(beyond.y, vec![0.5; rows]);
        }
    }
}

/// Subnormal numbers are numbers: their mean has every bit that there is, their variance underflows to +0, and epsilon
/// decides.
#[test]
fn subnormal_values_are_not_flushed() {
    const LEAST: f32 = f32::from_bits(1);
    for level in levels::all() {
        for rows in [2, 64, 65, 200] {
            let counts: Vec<i32> = (0..rows as i32).map(|i| i * 37 % 1000 - 300).collect();
            let x: Vec<f32> = counts.iter().map(|n| *n as f32 * LEAST).collect();
            let view = MatRef::new(&x, rows, 1).unwrap();
            let found = forward(level, view, &[1.0], &[0.0]).unwrap();
            let exact = f64::from(counts.iter().sum::<i32>()) / rows as f64;
            let mean = f64::from(found.mean[0]) / f64::from(LEAST);
            // A block's mean, its offset and their sum round to whole units.
            assert!((mean - exact).abs() <= 2.0, "{rows} rows, {}: {mean} and {exact}", level.name());
            assert_eq!(found.variance[0].to_bits(), 0);
            assert_eq!(found.inv_std[0], 1.0 / EPSILON.sqrt());
            for (x, y) in x.iter().zip(&found.y) {
                assert_eq!(*y, (x - found.mean[0]) * found.inv_std[0]);
            }
            assert!(found.y.iter().any(|y| *y != 0.0));
        }
    }
}

/// Where a column is constant, what reaches it is dy without its mean, times gamma / sqrt(epsilon).
#[test]
fn the_gradient_of_a_constant_column_is_finite() {
    for level in levels::all() {
        for rows in [2, 64, 100] {
            let (x, dy) = (vec![1e4 + 0.3; rows], noise(8, rows));
            let (x, dy_view) = (MatRef::new(&x, rows, 1).unwrap(), MatRef::new(&dy, rows, 1).unwrap());
            let saved = forward(level, x, &[3.0], &[0.0]).unwrap();
            let (mut dx, mut d_gamma, mut d_beta) = (vec![f32::NAN; rows], [f32::NAN], [f32::NAN]);
            let out = MatMut::new(&mut dx, rows, 1).unwrap();
            let (mean, inv_std) = (&saved.mean, &saved.inv_std);
            batch_norm::backward(level, x, dy_view, &[3.0], mean, inv_std, out, &mut d_gamma, &mut d_beta)
                .unwrap();
            let mean = dy.iter().map(|dy| f64::from(*dy)).sum::<f64>() / rows as f64;
            let factor = 3.0 / f64::from(EPSILON).sqrt();
            assert_eq!(d_gamma, [0.0]);
            for (dx, dy) in dx.iter().zip(&dy) {
                let expected = factor * (f64::from(*dy) - mean);
                assert!((f64::from(*dx) - expected).abs() <= 1e-6 * factor, "{dx} and {expected}");
            }
        }
    }
}

#[test]
fn a_bad_column_is_bad_alone() {
    for bad in [f32::NAN, f32::INFINITY] {
        let mut data = noise(1, 10 * 20);
        data[3 * 20 + 7] = bad;
        for level in levels::all() {
            let x = MatRef::new(&data, 10, 20).unwrap();
            let found = forward(level, x, &[1.0; 20], &[0.0; 20]).unwrap();
            for (k, y) in found.y.iter().enumerate() {
                assert_eq!(y.is_nan(), k % 20 == 7, "element {k}");
            }
        }
    }
}

#[test]
fn batches_of_one_and_wrong_shapes_are_errors() {
    let x = MatRef::new(&[1.0, 2.0], 1, 2).unwrap();
    let small = BatchNormError::BatchTooSmall { batch: 1 };
    assert_eq!(forward(Level::SCALAR, x, &[1.0; 2], &[0.0; 2]).err(), Some(small));
    let update = batch_norm::update_running(Level::SCALAR, &mut [0.0], &mut [1.0], &[1.0], &[1.0], 0.1, 1);
    assert_eq!(update, Err(small));
    let x = MatRef::new(&[1.0, 2.0], 2, 1).unwrap();
    for (gamma, beta) in [(2, 1), (1, 0)] {
        let error = forward(Level::SCALAR, x, &vec![1.0; gamma], &vec![0.0; beta]).err();
        assert!(matches!(error, Some(BatchNormError::Shape(_))), "{error:?}");
    }
}

#[test]
fn running_statistics_move_by_momentum() {
    let (mean, variance) = (noise(1, 37), noise(2, 37));
    let (old_mean, old_variance) = (noise(3, 37), noise(4, 37));
    let batch = 5;
    let towards = |old: &[f32], new: &[f32], factor: f32| -> Vec<f32> {
        old.iter().zip(new).map(|(r, x)| fma(0.1, x * factor - r, *r)).collect()
    };
    for level in levels::all() {
        let (mut m, mut v) = (old_mean.clone(), old_variance.clone());
        batch_norm::update_running(level, &mut m, &mut v, &mean, &variance, 0.1, batch).unwrap();
        assert_same_bits(&towards(&old_mean, &mean, 1.0), &m, level.name());
        assert_same_bits(&towards(&old_variance, &variance, 5.0 / 4.0), &v, level.name());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// y does not change when x is scaled by a power of two or shifted, but for epsilon and the rounding of the shift.
    #[test]
    fn shift_and_scale_of_a_column_do_not_matter(
        seed: u64, rows in 2usize..200, shift in -8.0f32..8.0, scale in 0i32..10,
    ) {
        let x = noise(seed, rows);
        let moved: Vec<f32> = x.iter().map(|x| (x + shift) * 2f32.powi(scale)).collect();
        let y = |x: &[f32]| {
            forward(Level::SCALAR, MatRef::new(x, rows, 1).unwrap(), &[1.0], &[0.0]).unwrap()
        };
        let (a, b) = (y(&x), y(&moved));
        // A batch of near twins has its variance near epsilon.
        prop_assume!(a.variance[0] > 1e-2);
        for (a, b) in a.y.iter().zip(&b.y) {
            prop_assert!((a - b).abs() <= 1e-3 * (1.0 + a.abs()), "{} and {}", a, b);
        }
    }
}
