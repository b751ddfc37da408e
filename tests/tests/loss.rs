//! Losses: the documented order bit for bit on every level, values and gradients against f64, logits of any size.

use isobath_kernels::loss::{self, LossError};
use isobath_kernels::math::{exp_slice, ln_slice};
use isobath_kernels::reduce::ShapeError;
use isobath_kernels::{LengthError, Level, MatMut, MatRef};
use isobath_tests::fma::fma;
use isobath_tests::hash::{assert_same_bits, same_bits};
use isobath_tests::levels;
use isobath_tests::reference::{self, noise};
use proptest::prelude::*;

fn shapes() -> Vec<(usize, usize)> {
    let mut shapes: Vec<(usize, usize)> = (1..=130).map(|columns| (3, columns)).collect();
    shapes.extend([(1, 1), (64, 10), (65, 10), (200, 17), (2, 4096), (1, 5000)]);
    shapes
}

fn labels(rows: usize, classes: usize) -> Vec<u32> {
    (0..rows).map(|i| (i * 7 % classes) as u32).collect()
}

/// The kernel's own exponential or logarithm, one number at a time; their tests are elsewhere.
fn exp(x: f32) -> f32 {
    let mut y = [0.0];
    exp_slice(Level::SCALAR, &[x], &mut y).unwrap();
    y[0]
}
fn ln(x: f32) -> f32 {
    let mut y = [0.0];
    ln_slice(Level::SCALAR, &[x], &mut y).unwrap();
    y[0]
}

fn softmax(level: Level, x: MatRef) -> Vec<f32> {
    let mut out = vec![f32::NAN; x.rows() * x.columns()];
    loss::softmax(level, x, MatMut::new(&mut out, x.rows(), x.columns()).unwrap()).unwrap();
    out
}

fn cross_entropy(level: Level, x: MatRef, labels: &[u32]) -> Result<(f32, Vec<f32>), LossError> {
    let mut d = vec![f32::NAN; x.rows() * x.columns()];
    let view = MatMut::new(&mut d, x.rows(), x.columns()).unwrap();
    let loss = loss::softmax_cross_entropy(level, x, labels, view)?;
    Ok((loss, d))
}

#[test]
fn squared_error_in_the_documented_order() {
    for (rows, columns) in shapes() {
        let stride = columns + rows % 4;
        let (y, target) = (noise(1, rows * stride), noise(2, rows * columns));
        let view = MatRef::with_stride(&y, rows, columns, stride).unwrap();
        let target_view = MatRef::new(&target, rows, columns).unwrap();
        let difference = |i: usize, j: usize| y[i * stride + j] - target[i * columns + j];
        let row =
            |i: usize| reference::reduce(columns, |sum, j| fma(difference(i, j), difference(i, j), sum));
        let expected = reference::column(rows, |sum, i| sum + row(i)) / rows as f32 * 0.5;
        let gradient: Vec<f32> =
            (0..rows * columns).map(|k| difference(k / columns, k % columns) / rows as f32).collect();
        for level in levels::all() {
            let mut dy = vec![f32::NAN; rows * columns];
            let out = MatMut::new(&mut dy, rows, columns).unwrap();
            let found = loss::squared_error(level, view, target_view, out).unwrap();
            assert_eq!(expected.to_bits(), found.to_bits(), "{rows} x {columns}, {}", level.name());
            assert_same_bits(&gradient, &dy, level.name());
        }
    }
}

#[test]
fn cross_entropy_in_the_documented_order() {
    for (rows, columns) in shapes() {
        let stride = columns + rows % 4;
        let data: Vec<f32> = noise(1, rows * stride).iter().map(|x| x * 9.0).collect();
        let x = MatRef::with_stride(&data, rows, columns, stride).unwrap();
        let labels = labels(rows, columns);
        let (mut p, mut d, mut losses) = (Vec::new(), Vec::new(), Vec::new());
        for (i, label) in labels.iter().enumerate() {
            let z = x.row(i);
            let max = z.iter().fold(f32::NEG_INFINITY, |max, z| max.max(*z));
            let e: Vec<f32> = z.iter().map(|z| exp(z - max)).collect();
            let sum = reference::sum(&e);
            losses.push(ln(sum) - (z[*label as usize] - max));
            for (j, e) in e.iter().enumerate() {
                p.push(e / sum);
                d.push((e / sum - if j == *label as usize { 1.0 } else { 0.0 }) / rows as f32);
            }
        }
        let expected = reference::column(rows, |sum, i| sum + losses[i]) / rows as f32;
        for level in levels::all() {
            let what = format!("{rows} x {columns}, {}", level.name());
            assert_same_bits(&p, &softmax(level, x), &what);
            let (found, gradient) = cross_entropy(level, x, &labels).unwrap();
            assert_eq!(expected.to_bits(), found.to_bits(), "{what}");
            assert_same_bits(&d, &gradient, &what);
        }
    }
}

/// The mean loss in f64.
fn exact_cross_entropy(x: &[f64], columns: usize, labels: &[u32]) -> f64 {
    let row = |(z, label): (&[f64], &u32)| {
        let max = z.iter().fold(f64::NEG_INFINITY, |max, z| max.max(*z));
        z.iter().map(|z| (z - max).exp()).sum::<f64>().ln() - (z[*label as usize] - max)
    };
    x.chunks(columns).zip(labels).map(row).sum::<f64>() / labels.len() as f64
}

#[test]
fn gradients_agree_with_finite_differences() {
    for (rows, columns) in [(1, 2), (3, 10), (7, 65)] {
        let data: Vec<f32> = noise(4, rows * columns).iter().map(|x| x * 3.0).collect();
        let labels = labels(rows, columns);
        let view = MatRef::new(&data, rows, columns).unwrap();
        let (found, d) = cross_entropy(Level::SCALAR, view, &labels).unwrap();
        let wide: Vec<f64> = data.iter().map(|x| f64::from(*x)).collect();
        assert!((f64::from(found) - exact_cross_entropy(&wide, columns, &labels)).abs() < 2e-6);
        let h = 1e-5;
        for k in 0..rows * columns {
            let moved = |h: f64| {
                let mut x = wide.clone();
                x[k] += h;
                exact_cross_entropy(&x, columns, &labels)
            };
            let expected = (moved(h) - moved(-h)) / (2.0 * h);
            assert!((f64::from(d[k]) - expected).abs() < 1e-6, "{k}: {} and {expected}", d[k]);
        }
    }
}

#[test]
fn logits_of_any_finite_size() {
    for level in levels::all() {
        let x = [1e30, -1e30, 0.0, -1e30, 1e30, 1e30, -f32::MAX, f32::MAX, f32::MIN_POSITIVE];
        let view = MatRef::new(&x, 3, 3).unwrap();
        let (found, d) = cross_entropy(level, view, &[0, 2, 1]).unwrap();
        assert!((found - std::f32::consts::LN_2 / 3.0).abs() < 1e-7);
        let third = |x: f32| x / 3.0;
        assert_same_bits(&[0.0, 0.0, 0.0, 0.0, 0.5, -0.5, 0.0, 0.0, 0.0].map(third), &d, level.name());
        let (found, d) = cross_entropy(level, view, &[1, 2, 1]).unwrap();
        assert_eq!(found, 2e30 / 3.0);
        assert_eq!(d[..3], [1.0 / 3.0, -1.0 / 3.0, 0.0]);
    }
}

#[test]
fn infinities_and_nan() {
    const INF: f32 = f32::INFINITY;
    for level in levels::all() {
        let view = |x: &'static [f32]| MatRef::new(x, 1, x.len()).unwrap();
        assert_eq!(softmax(level, view(&[0.0, f32::NEG_INFINITY, 0.0])), [0.5, 0.0, 0.5]);
        assert_eq!(cross_entropy(level, view(&[0.0, f32::NEG_INFINITY]), &[1]).unwrap().0, INF);
        for bad in [&[0.0, f32::NAN], &[INF, 1.0], &[f32::NEG_INFINITY; 2]] {
            assert!(softmax(level, view(bad)).iter().all(|p| p.is_nan()), "{bad:?}");
            assert!(cross_entropy(level, view(bad), &[0]).unwrap().0.is_nan());
        }
    }
}

#[test]
fn the_first_maximum_counts_and_nan_is_wrong() {
    let x = [1.0, 2.0, 2.0, 3.0, f32::NAN, 1.0, -1.0, -0.5, f32::NEG_INFINITY, 0.0, -0.0, -1.0];
    for level in levels::all() {
        let count = |labels: &[u32]| loss::accuracy(level, MatRef::new(&x, 4, 3).unwrap(), labels);
        assert_eq!(count(&[1, 0, 1, 0]), Ok(3));
        assert_eq!(count(&[2, 1, 0, 1]), Ok(0));
        assert_eq!(loss::accuracy(level, MatRef::new(&[], 0, 3).unwrap(), &[]), Ok(0));
    }
}

#[test]
fn labels_without_class_and_wrong_shapes_are_errors() {
    let x = MatRef::new(&[0.0; 6], 2, 3).unwrap();
    let error = LossError::Label { row: 1, label: 3, classes: 3 };
    assert_eq!(cross_entropy(Level::SCALAR, x, &[0, 3]), Err(error));
    assert_eq!(loss::accuracy(Level::SCALAR, x, &[0, 3]), Err(error));
    assert_eq!(error.to_string(), "the label of row 1 is 3, but there are 3 classes, counted from 0");
    let error = LossError::Shape(ShapeError::Length(LengthError { expected: 2, found: 1 }));
    assert_eq!(cross_entropy(Level::SCALAR, x, &[0]), Err(error));
    let mut d = [7.0; 6];
    let found = loss::squared_error(Level::SCALAR, x, x, MatMut::new(&mut d, 3, 2).unwrap());
    let error = ShapeError::Matrix { expected: (2, 3), found: (3, 2) };
    assert_eq!(found, Err(LossError::Shape(error)));
    assert_eq!(d, [7.0; 6]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn softmax_sums_to_one_and_is_right_and_so_is_the_loss(seed: u64, columns in 1usize..3000, size in -10i32..7) {
        let x: Vec<f32> = noise(seed, columns).iter().map(|x| x * 2f32.powi(size)).collect();
        let p = softmax(Level::detect(), MatRef::new(&x, 1, columns).unwrap());
        let unit = 2f64.powi(-24);
        let total: f64 = p.iter().map(|p| f64::from(*p)).sum();
        prop_assert!((total - 1.0).abs() <= 80.0 * unit, "{}", total - 1.0);
        let max = x.iter().fold(f32::NEG_INFINITY, |max, z| max.max(*z));
        let e = |z: f32| (f64::from(z) - f64::from(max)).exp();
        let sum: f64 = x.iter().map(|z| e(*z)).sum();
        for (z, p) in x.iter().zip(&p) {
            let exact = e(*z) / sum;
            let bound = (80.0 + f64::from(max - z)) * unit * exact + 1.5 * f64::from(f32::from_bits(1));
            prop_assert!((f64::from(*p) - exact).abs() <= bound);
        }
        let (loss, _) = cross_entropy(Level::detect(), MatRef::new(&x, 1, columns).unwrap(), &[0]).unwrap();
        let wide: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let exact = exact_cross_entropy(&wide, columns, &[0]);
        prop_assert!((f64::from(loss) - exact).abs() <= (80.0 + 2.0 * exact) * unit, "{} and {}", loss, exact);
    }

    #[test]
    fn any_bits_give_the_same_on_every_level(bits in prop::collection::vec(any::<u32>(), 12)) {
        let x: Vec<f32> = bits.iter().map(|bits| f32::from_bits(*bits)).collect();
        let view = MatRef::new(&x, 3, 4).unwrap();
        let (expected, d) = cross_entropy(Level::SCALAR, view, &[0, 1, 2]).unwrap();
        for level in levels::all() {
            let (found, gradient) = cross_entropy(level, view, &[0, 1, 2]).unwrap();
            prop_assert!(same_bits(expected, found));
            assert_same_bits(&d, &gradient, level.name());
        }
    }
}
