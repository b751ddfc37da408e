//! The sum that closes a residual branch: bits against the definition on every level.

use isobath_kernels::{LengthError, Level, residual};
use isobath_tests::fma::fma;
use isobath_tests::hash::assert_same_bits;
use isobath_tests::reference::noise;
use isobath_tests::{levels, values};

#[test]
fn one_fused_multiply_add_per_element() {
    let mut x = values::special();
    x.extend(noise(1, 100));
    let mut y = noise(2, 100);
    y.extend(values::special());
    assert_eq!(x.len(), y.len());
    for factor in [1.0, -0.5, 0.0, 1e-30, f32::INFINITY] {
        for length in 0..=x.len() {
            let (x, y) = (&x[..length], &y[..length]);
            let expected: Vec<f32> = x.iter().zip(y).map(|(x, y)| fma(factor, *x, *y)).collect();
            for level in levels::all() {
                let mut found = x.to_vec();
                residual::scale_add(level, factor, &mut found, y).expect("equal lengths");
                assert_same_bits(&expected, &found, &format!("{factor}, {length} on {}", level.name()));
            }
        }
    }
}

#[test]
fn lengths_that_differ_are_errors() {
    let found = residual::scale_add(Level::SCALAR, 1.0, &mut [0.0; 2], &[0.0; 3]);
    assert_eq!(found, Err(LengthError { expected: 2, found: 3 }));
}
