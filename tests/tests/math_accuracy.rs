//! The error of every function over the dense sample, held against the documented table; and the same bits on every
//! level. The table itself is measured over all arguments by the example `exhaustive`.

use isobath_kernels::Level;
use isobath_tests::{accuracy, hash, levels, values};
use rayon::prelude::*;

#[test]
fn errors_are_at_most_the_stated_ones() {
    let x = values::dense();
    let found: Vec<String> = accuracy::functions()
        .par_iter()
        .filter_map(|function| {
            let errors = function.measure(Level::detect(), &x);
            let (normal, subnormal) = accuracy::stated(function.name);
            let good = errors.normal.error <= normal && errors.subnormal.error <= subnormal;
            (!good).then(|| format!("{}: {errors:?}, stated {normal}, {subnormal}", function.name))
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_stated_error_exceeds_one_unit() {
    for function in accuracy::functions() {
        let (normal, subnormal) = accuracy::stated(function.name);
        assert!(normal <= 1.0 && subnormal <= 1.0, "{}", function.name);
    }
}

#[test]
fn every_level_returns_the_same_bits() {
    let x = values::dense();
    accuracy::functions().par_iter().for_each(|function| {
        let mut expected = vec![0.0; x.len()];
        (function.kernel)(Level::SCALAR, &x, &mut expected);
        for level in levels::all() {
            let mut found = vec![0.0; x.len()];
            (function.kernel)(level, &x, &mut found);
            hash::assert_same_bits(&expected, &found, &format!("{} on {}", function.name, level.name()));
        }
    });
}

/// A vector with one extreme lane takes another path than one without; its other lanes must not change.
#[test]
fn neighbours_in_a_vector_do_not_change_a_result() {
    let x: Vec<f32> = values::dense().into_iter().step_by(17).collect();
    accuracy::functions().par_iter().for_each(|function| {
        for level in levels::all() {
            let mut together = vec![0.0; x.len()];
            (function.kernel)(level, &x, &mut together);
            let alone: Vec<f32> = x
                .iter()
                .map(|x| {
                    let mut y = [0.0];
                    (function.kernel)(level, &[*x], &mut y);
                    y[0]
                })
                .collect();
            hash::assert_same_bits(&alone, &together, &format!("{} on {}", function.name, level.name()));
        }
    });
}
