//! Reductions: the documented order bit for bit on every level, error bounds against f64, the whole range of f32.

use isobath_kernels::reduce::{self, Norm, Scaled};
use isobath_kernels::{LengthError, MatRef};
use isobath_tests::hash::{assert_same_bits, same_bits};
use isobath_tests::levels;
use isobath_tests::reference::{self, noise};
use proptest::prelude::*;

/// Every length at which a row of lanes, a chunk or a vector may end.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=130).chain([511, 512, 1000, 4032, 4095, 4096, 4097, 4160, 8191, 8192, 12_345])
}

fn to_f64(x: Scaled) -> f64 {
    f64::from(x.significand) * f64::from(x.exponent).exp2()
}

#[track_caller]
fn assert_scaled(expected: f64, found: Scaled, what: &str) {
    let found = to_f64(found);
    assert!(
        expected.to_bits() == found.to_bits() || expected.is_nan() && found.is_nan(),
        "{what}: {found:e}, expected {expected:e}"
    );
}

#[test]
fn slices_in_the_documented_order() {
    for n in lengths() {
        let (a, b) = (noise(n as u64, n), noise(n as u64 + 1, n));
        let expected = [reference::sum(&a), reference::dot(&a, &b), reference::max_abs(&a)];
        for level in levels::all() {
            let found =
                [reduce::sum(level, &a), reduce::dot(level, &a, &b).unwrap(), reduce::max_abs(level, &a)];
            assert_same_bits(&expected, &found, &format!("{} elements, {}", n, level.name()));
            assert_scaled(reference::add_squares(0.0, &a), reduce::sum_of_squares(level, &a), "squares");
            assert_scaled(reference::norm(&[&a]), reduce::norm(level, &a), "norm");
        }
    }
}

#[test]
fn slices_do_not_depend_on_alignment() {
    let x = noise(7, 5000);
    for level in levels::all() {
        for offset in 1..17 {
            let moved = [vec![f32::NAN; offset], x.clone()].concat();
            assert_eq!(reduce::sum(level, &x).to_bits(), reduce::sum(level, &moved[offset..]).to_bits());
        }
    }
}

#[test]
fn columns_in_the_documented_order() {
    for rows in [0, 1, 2, 63, 64, 65, 128, 300] {
        for columns in (0..=20).chain([31, 32, 33, 63, 64, 65, 130]) {
            let stride = columns + rows % 5;
            let data = noise((rows * 1000 + columns) as u64, rows * stride + columns);
            let x = MatRef::with_stride(&data, rows, columns, stride).unwrap();
            let expected: Vec<f32> =
                (0..columns).map(|j| reference::column(rows, |sum, i| sum + x.row(i)[j])).collect();
            for level in levels::all() {
                let mut out = vec![f32::NAN; columns];
                reduce::column_sums(level, x, &mut out).unwrap();
                assert_same_bits(&expected, &out, &format!("{rows} x {columns}, {}", level.name()));
            }
        }
    }
}

#[test]
fn special_values() {
    let inf = f32::INFINITY;
    for level in levels::all() {
        for n in [1, 3, 64, 100, 5000] {
            let mut x = vec![-0.0; n];
            assert_eq!(reduce::sum(level, &x).to_bits(), 0, "sums of zeros are +0");
            assert_eq!(reduce::dot(level, &x, &x).unwrap().to_bits(), 0);
            assert_eq!(reduce::max_abs(level, &x).to_bits(), 0);
            assert!(reduce::norm(level, &x).is_zero());
            // Products that underflow to -0 in every lane.
            assert_eq!(reduce::dot(level, &vec![-1e-30; n], &vec![1e-30; n]).unwrap().to_bits(), 0);
            x[n / 2] = -inf;
            assert_eq!(reduce::sum(level, &x), -inf);
            assert_eq!(reduce::max_abs(level, &x), inf);
            assert_eq!(reduce::norm(level, &x).significand, inf);
            assert_eq!(reduce::norm(level, &x).to_f32(), inf);
            x[0] = f32::from_bits(0xff80_0001); // a signalling NaN, and a negative one
            for norm in [reduce::norm(level, &x), reduce::norm_of_slices(level, &[&[1.0], &x, &[1.0]])] {
                assert!(norm.significand.is_nan() && norm.to_f32().is_nan() && !norm.is_finite());
            }
            assert!(reduce::sum(level, &x).is_nan());
            assert!(reduce::max_abs(level, &x).is_nan(), "NaN is reported");
        }
        assert!(reduce::sum(level, &[inf, -inf]).is_nan());
        assert!(reduce::norm_of_slices(level, &[]).is_zero());
    }
}

#[test]
fn lengths_that_differ_are_errors() {
    let level = isobath_kernels::Level::SCALAR;
    let error = LengthError { expected: 2, found: 3 };
    assert_eq!(reduce::dot(level, &[0.0; 2], &[0.0; 3]), Err(error));
    let x = MatRef::new(&[0.0; 4], 2, 2).unwrap();
    assert_eq!(reduce::column_sums(level, x, &mut [0.0; 3]), Err(error));
}

/// Every binade of f32, and mixtures of far ones: the norm is right to a few units, where the plain sum of squares
/// overflows or vanishes.
#[test]
fn norms_over_the_whole_range() {
    for exponent in -149..=127 {
        for (n, spread) in [(1, 1), (70, 1), (5000, 1), (5000, 40), (9000, 150), (100, 280)] {
            let scale = f64::from(exponent);
            let x: Vec<f32> = noise(n as u64, n)
                .iter()
                .enumerate()
                .map(|(i, x)| (f64::from(*x) * (scale - (i / 64 % spread) as f64).exp2()) as f32)
                .collect();
            let exact = x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            let expected = reference::norm(&[&x]);
            assert!(
                (expected - exact).abs() <= 40.0 * 2f64.powi(-24) * exact,
                "{exponent}: {expected} {exact}"
            );
            for level in levels::all() {
                assert_scaled(expected, reduce::norm(level, &x), &format!("2^{exponent}, {}", level.name()));
            }
        }
    }
}

#[test]
fn norms_beyond_f32() {
    for level in levels::all() {
        let x = vec![f32::MAX; 1 << 14];
        let norm = reduce::norm(level, &x);
        assert!(norm.is_finite() && norm.to_f32() == f32::INFINITY);
        assert_eq!(norm, Norm { significand: 2.0 - 2f32.powi(-23), exponent: 134 });
        let least = f32::from_bits(1);
        assert_eq!(reduce::norm(level, &[least; 4]), Norm { significand: 1.0, exponent: -148 });
        // A slice far above and one far below f32's squares add up.
        let both = reduce::norm_of_slices(level, &[&[3e30, 0.0], &[1e-30], &[4e30]]);
        assert!((both.to_f32() / 5e30 - 1.0).abs() < 2e-7);
    }
}

#[test]
fn scaled_numbers_come_back_as_f32() {
    for exponent in -160..=135 {
        for significand in [1.0, 1.5, 1.0 + 2f32.powi(-23), 2.0 - 2f32.powi(-23), 1.75] {
            let exact = f64::from(significand) * f64::from(exponent).exp2();
            assert_eq!(Norm { significand, exponent }.to_f32(), exact as f32, "{significand} 2^{exponent}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sums_are_within_their_bound(seed: u64, n in 0usize..20_000, big in -30i32..30) {
        let x: Vec<f32> = noise(seed, n).iter().map(|x| x.powi(3) * 2f32.powi(big)).collect();
        let exact: f64 = x.iter().map(|x| f64::from(*x)).sum();
        let size: f64 = x.iter().map(|x| f64::from(x.abs())).sum();
        let bound = (70.0 + n as f64 / 4096.0) * 2f64.powi(-24) * size;
        for level in levels::all() {
            prop_assert!((f64::from(reduce::sum(level, &x)) - exact).abs() <= bound);
        }
    }

    #[test]
    fn any_bits_sum_alike_on_every_level(bits in prop::collection::vec(any::<u32>(), 0..300)) {
        let x: Vec<f32> = bits.iter().map(|bits| f32::from_bits(*bits)).collect();
        let (sum, dot) = (reference::sum(&x), reference::dot(&x, &x));
        let squares = reference::add_squares(0.0, &x);
        for level in levels::all() {
            prop_assert!(same_bits(sum, reduce::sum(level, &x)));
            prop_assert!(same_bits(dot, reduce::dot(level, &x, &x).unwrap()));
            assert_scaled(squares, reduce::sum_of_squares(level, &x), "squares");
        }
    }

    #[test]
    fn arithmetic_with_any_exponent(
        a in 0u32..0x7f80_0000, b in 0u32..0x7f80_0000, i in -300i32..300, j in -300i32..300,
    ) {
        let scaled = |bits, e: i32| {
            let x = Scaled::new(f32::from_bits(bits));
            if x.is_zero() { x } else { Scaled { exponent: x.exponent + e, ..x } }
        };
        let (x, y) = (scaled(a, i), scaled(b, j));
        let (p, q) = (to_f64(x), to_f64(y));
        assert_scaled(reference::round24(p + q), x.plus(y), "sum");
        assert_scaled(reference::round24(p * q), x.times(y), "product");
        assert_scaled(reference::round24(p.sqrt()), x.sqrt(), "root");
        if q > 0.0 {
            assert_scaled(reference::round24(p / q), x.over(y), "quotient");
        }
        prop_assert_eq!(p < q, x.is_less_than(y));
        prop_assert_eq!(x.to_f32().to_bits(), (p as f32).to_bits());
    }
}

#[test]
fn matrices_without_gaps_are_one_slice() {
    let data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    let slice = |rows, columns, stride| MatRef::with_stride(&data, rows, columns, stride).unwrap().as_slice();
    assert_eq!(slice(2, 3, 3), Some(&data[..6]));
    assert_eq!(slice(2, 3, 4), None);
    // A single row has no gap behind it, and nothing has none.
    assert_eq!(slice(1, 3, 5), Some(&data[..3]));
    assert_eq!((slice(0, 3, 5), slice(3, 0, 0)), (Some(&data[..0]), Some(&data[..0])));
    let part = MatRef::new(&data, 2, 3).unwrap().sub_columns(1, 3);
    assert_eq!((part.as_slice(), part.sub_rows(1, 2).as_slice()), (None, Some(&data[4..6])));
}
