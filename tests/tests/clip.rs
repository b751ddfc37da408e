//! Gradient clipping: the documented arithmetic bit for bit on every level, norms beyond f32, infinities and NaN.

use isobath_kernels::clip::{self, ClipError, ClipReport};
use isobath_kernels::reduce::{self, Norm, Scaled};
use isobath_kernels::{Level, MatMut, MatRef};
use isobath_tests::hash::assert_same_bits;
use isobath_tests::levels;
use isobath_tests::reference::{self, noise};
use proptest::prelude::*;

fn to_f64(x: Scaled) -> f64 {
    f64::from(x.significand) * f64::from(x.exponent).exp2()
}

fn specials() -> Vec<f32> {
    let mut values = isobath_tests::values::special();
    values.extend(noise(3, 100));
    values
}

#[test]
fn by_value_cuts_what_is_beyond() {
    for limit in [0.0, -0.0, f32::from_bits(1), 0.3, 1.0, f32::MAX, f32::INFINITY] {
        for level in levels::all() {
            for n in (0..=130).chain([4097, 9000]) {
                let g: Vec<f32> = specials().into_iter().cycle().take(n).collect();
                let cut = |x: &f32| if x.abs() > limit { limit.abs().copysign(*x) } else { *x };
                let expected: Vec<f32> = g.iter().map(cut).collect();
                let mut found = g.clone();
                let report = clip::by_value(level, &mut found, limit).unwrap();
                assert_same_bits(&expected, &found, level.name());
                assert_eq!(report.clipped, g.iter().filter(|x| x.abs() > limit).count());
                let norm = reduce::norm(level, &g);
                assert!(report.norm == norm || norm.significand.is_nan() && report.norm.significand.is_nan());
                let again = clip::by_value(level, &mut found, limit).unwrap();
                assert_same_bits(&expected, &found, "idempotent");
                assert_eq!(again.clipped, 0);
            }
        }
    }
}

/// Clips on every level and compares with the reference; gives the last report.
#[track_caller]
fn check_by_norm(slices: &[Vec<f32>], max_norm: f32) -> ClipReport {
    let views: Vec<&[f32]> = slices.iter().map(Vec::as_slice).collect();
    let norm = reference::norm(&views);
    let scale = reference::clip_scale(norm, max_norm.into());
    let mut last = None;
    for level in levels::all() {
        let mut gs = slices.to_vec();
        let mut parts: Vec<&mut [f32]> = gs.iter_mut().map(Vec::as_mut_slice).collect();
        let report = clip::by_global_norm(level, &mut parts, max_norm).unwrap();
        for (g, found) in slices.iter().zip(&gs) {
            let expected: Vec<f32> = if scale == 1.0 {
                g.clone()
            } else {
                g.iter().map(|x| reference::times_scale(*x, scale)).collect()
            };
            assert_same_bits(&expected, found, level.name());
        }
        assert!(to_f64(report.norm) == norm || norm.is_nan() && report.norm.significand.is_nan());
        assert_eq!(report.scale, scale as f32);
        last = Some(report);
    }
    last.unwrap()
}

#[test]
fn by_global_norm_over_the_whole_range() {
    for exponent in (-149..=127).step_by(4) {
        let scale = |x: Vec<f32>| -> Vec<f32> {
            x.iter().map(|x| (f64::from(*x) * f64::from(exponent).exp2()) as f32).collect()
        };
        let slices = [scale(noise(1, 5000)), scale(noise(2, 77)), vec![], scale(vec![0.5])];
        for max_norm in [0.0, f32::from_bits(1), 1e-38, 1e-10, 1.0, 1e20, f32::MAX, f32::INFINITY] {
            check_by_norm(&slices, max_norm);
        }
    }
}

#[test]
fn a_norm_beyond_f32_still_clips() {
    let report = check_by_norm(&[vec![f32::MAX; 100], vec![-f32::MAX; 69]], 1.0);
    assert!(report.norm.is_finite() && report.norm.to_f32() == f32::INFINITY);
    let expected = 1.0 / (13.0 * f64::from(f32::MAX));
    assert_eq!((report.scale, report.clipped), (expected as f32, 169));
    // The factor is far below f32, the result is not.
    let mut g = [f32::MAX; 16];
    let report = clip::by_global_norm(Level::SCALAR, &mut [&mut g], 1e-40).unwrap();
    assert_eq!(report.scale, 0.0);
    assert!(g.iter().all(|x| (x / 2.5e-41 - 1.0).abs() < 1e-4));
}

#[test]
fn zero_norms_and_zero_bounds() {
    let report = check_by_norm(&[vec![0.0; 100], vec![-0.0; 3]], 0.0);
    assert_eq!((report.scale, report.clipped), (1.0, 0));
    let report = check_by_norm(&[vec![1.0; 100]], 0.0);
    assert_eq!((report.scale, report.clipped), (0.0, 100));
    assert!(check_by_norm(&[], 1.0).norm.is_zero());
}

#[test]
fn what_is_not_finite_is_reported_and_left() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut slices = [noise(1, 100), noise(2, 5000)];
        slices[1][4321] = bad;
        let report = check_by_norm(&slices, 0.1);
        assert!(!report.norm.is_finite());
        assert_eq!((report.scale, report.clipped), (1.0, 0));
    }
}

#[test]
fn bounds_that_are_none_are_errors() {
    for bound in [-1.0, f32::NEG_INFINITY] {
        let error = Err(ClipError::Bound { bound });
        assert_eq!(clip::by_value(Level::SCALAR, &mut [1.0], bound), error);
        assert_eq!(clip::by_global_norm(Level::SCALAR, &mut [], bound), error);
        assert_eq!(clip::scale_to_norm(Level::SCALAR, &mut [1.0], Norm::ZERO, bound), error);
    }
    let mut g = [1.0];
    assert!(clip::by_global_norm(Level::SCALAR, &mut [&mut g], f32::NAN).is_err());
    let w = MatRef::new(&[0.0; 2], 1, 2).unwrap();
    let found = clip::adaptive(Level::SCALAR, w, MatMut::new(&mut g, 1, 1).unwrap(), 1.0, 1e-3);
    assert!(matches!(found, Err(ClipError::Shape(_))));
    assert_eq!(g, [1.0]);
}

/// Columns of every size, of weights and of gradients, zeros, infinities and NaN among them.
#[test]
fn adaptive_bounds_each_column() {
    for rows in [0, 1, 3, 64, 65, 200] {
        for columns in (0..=20).chain([31, 33, 64, 65, 129]) {
            let stride = columns + rows % 3;
            let sized = |seed: u64, step: i32| -> Vec<f32> {
                let exponent = |k: usize| f64::from((k % stride.max(1)) as i32 * step % 140);
                let x = noise(seed, rows * stride);
                x.iter().enumerate().map(|(k, x)| (f64::from(*x) * exponent(k).exp2()) as f32).collect()
            };
            let (w, mut g) = (sized(1, -3), sized(2, if columns % 2 == 0 { 7 } else { -11 }));
            if rows > 2 && columns > 9 {
                g[2 * stride + 4] = f32::NAN;
                g[2 * stride + 8] = f32::INFINITY;
                (0..rows).for_each(|i| g[i * stride + 9] = 0.0);
            }
            let (lambda, epsilon) = (0.01, 1e-3);
            let column = |x: &[f32], j: usize| -> Vec<f32> { (0..rows).map(|i| x[i * stride + j]).collect() };
            let mut expected = g.clone();
            let (mut squares, mut clipped, mut least) = (0.0, 0, 1.0f64);
            for j in 0..columns {
                let square = reference::column_squares(&column(&g, j));
                squares = reference::round24(squares + square);
                let root = |square: f64| reference::round24(square.sqrt());
                let weights = root(reference::column_squares(&column(&w, j))).max(f64::from(epsilon));
                let bound = reference::round24(f64::from(lambda) * weights);
                let scale = reference::clip_scale(root(square), bound);
                if scale < 1.0 {
                    clipped += 1;
                    least = least.min(scale);
                    (0..rows).for_each(|i| {
                        expected[i * stride + j] = reference::times_scale(g[i * stride + j], scale);
                    });
                }
            }
            for level in levels::all() {
                let mut found = g.clone();
                let w = MatRef::with_stride(&w, rows, columns, stride).unwrap();
                let view = MatMut::with_stride(&mut found, rows, columns, stride).unwrap();
                let report = clip::adaptive(level, w, view, lambda, epsilon).unwrap();
                assert_same_bits(&expected, &found, &format!("{rows} x {columns}, {}", level.name()));
                assert_eq!((report.clipped, report.scale), (clipped, least as f32));
                let norm = reference::round24(squares.sqrt());
                assert!(to_f64(report.norm) == norm || norm.is_nan() && report.norm.significand.is_nan());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// After clipping the norm is the bound, to the rounding of the scale, of the elements and of the norm.
    #[test]
    fn a_clipped_gradient_has_the_norm_asked_for(
        seed: u64, n in 1usize..3000, size in -60i32..100, bound in -60i32..60,
    ) {
        let mut g: Vec<f32> = noise(seed, n).iter().map(|x| x * 2f32.powi(size)).collect();
        let max_norm = 2f32.powi(bound);
        let level = Level::detect();
        let before = clip::by_global_norm(level, &mut [&mut g], max_norm).unwrap();
        let norm = reduce::norm(level, &g).to_f32();
        prop_assert!(norm <= max_norm * (1.0 + 2e-5));
        prop_assert!(before.clipped == 0 || norm >= max_norm * (1.0 - 2e-5));
        let again = clip::by_global_norm(level, &mut [&mut g], max_norm).unwrap();
        prop_assert!(again.scale >= 1.0 - 2e-5, "clipping twice clips once");
    }
}
