//! The error of every function over the dense sample, held against the documented table; and the same bits on every
//! level. The table itself is measured over all arguments by `isobath verify --exhaustive`.

use isobath::accuracy::{self, Arguments, Function};
use isobath_kernels::Level;
use isobath_tests::{hash, levels, values};
use rayon::prelude::*;

/// Elements in the widest group: four vectors of AVX-512.
const WIDEST: usize = 64;

#[test]
fn errors_are_at_most_the_stated_ones() {
    let x = values::dense();
    let found: Vec<String> = accuracy::functions()
        .par_iter()
        .filter_map(|function| {
            let errors = function.measure(Level::detect(), &x).unwrap();
            let (normal, subnormal) = accuracy::stated(function.name).unwrap();
            let good = errors.normal.error <= normal && errors.subnormal.error <= subnormal;
            (!good).then(|| format!("{}: {errors:?}, stated {normal}, {subnormal}", function.name))
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_stated_error_exceeds_one_unit() {
    for function in accuracy::functions() {
        let (normal, subnormal) = accuracy::stated(function.name).unwrap();
        assert!(normal <= 1.0 && subnormal <= 1.0, "{}", function.name);
    }
}

#[test]
fn every_level_returns_the_same_bits() {
    let x = values::dense();
    accuracy::functions().par_iter().for_each(|function| {
        let mut expected = vec![0.0; x.len()];
        (function.kernel)(Level::SCALAR, &x, &mut expected).unwrap();
        for level in levels::all() {
            let mut found = vec![0.0; x.len()];
            (function.kernel)(level, &x, &mut found).unwrap();
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
            (function.kernel)(level, &x, &mut together).unwrap();
            let alone: Vec<f32> = x
                .iter()
                .map(|x| {
                    let mut y = [0.0];
                    (function.kernel)(level, &[*x], &mut y).unwrap();
                    y[0]
                })
                .collect();
            hash::assert_same_bits(&alone, &together, &format!("{} on {}", function.name, level.name()));
        }
    });
}

/// Every special value alone among others of every kind, signalling NaNs too, in vectors and groups of any width.
#[test]
fn special_neighbours_do_not_change_a_result() {
    let special = values::special();
    let among = |one: f32, others: f32| (0..WIDEST).map(move |i| if i == 0 { one } else { others });
    let x: Vec<f32> =
        special.iter().flat_map(|one| special.iter().flat_map(move |others| among(*one, *others))).collect();
    accuracy::functions().par_iter().for_each(|function| {
        let mut expected = vec![0.0; x.len()];
        (function.kernel)(Level::SCALAR, &x, &mut expected).unwrap();
        for level in levels::all() {
            let mut found = vec![0.0; x.len()];
            (function.kernel)(level, &x, &mut found).unwrap();
            hash::assert_same_bits(&expected, &found, &format!("{} on {}", function.name, level.name()));
        }
    });
}

/// A kernel that is wrong at the argument of these bits alone.
fn wrong_at(bits: u32, wrong: f32) -> Function {
    let mut function = accuracy::functions().swap_remove(0);
    let right = std::mem::replace(&mut function.kernel, Box::new(|_, _, _| Ok(())));
    function.kernel = Box::new(move |level, x, y| {
        right(level, x, y)?;
        for (x, y) in x.iter().zip(y) {
            if x.to_bits() == bits {
                *y = wrong;
            }
        }
        Ok(())
    });
    function
}

#[test]
fn a_sweep_sees_every_error_and_every_bit() {
    let arguments = Arguments::every(1 << 12);
    assert!(arguments.chunks() > 1);
    let levels = levels::all();
    let sweep =
        |function: &Function| accuracy::sweep(function, Level::detect(), &levels, arguments, || ()).unwrap();
    let right = sweep(&wrong_at(0, 1.0)); // exp(0) is 1 anyway
    assert_eq!(right.hashes, vec![right.hashes[0]; levels.len()]);
    // The first and the last argument of a chunk, the last of all, a NaN that gives a number.
    for (bits, wrong) in
        [(0u32, 2.0), (0xffff << 12, 3.0), (0x0001_0000 << 12, 3.0), (0xffff_f000, 0.0), (0x7fc0_0000, 1.0)]
    {
        let found = sweep(&wrong_at(bits, wrong));
        assert_eq!(found.errors.normal.x.to_bits(), bits, "{found:?}");
        assert!(found.hashes.iter().all(|hash| *hash != right.hashes[0]), "{bits:x}");
    }
    // The same results in other places are other results: in the same chunk, and in another.
    let alone_at = |index: u32| {
        let mut function = accuracy::functions().swap_remove(0);
        function.kernel = Box::new(move |_, x, y| {
            for (x, y) in x.iter().zip(y) {
                *y = f32::from(u8::from(x.to_bits() == index << 12));
            }
            Ok(())
        });
        sweep(&function).hashes[0]
    };
    let hashes = [0x0003_0000, 0x0003_0001, 0x0004_0000].map(alone_at);
    assert!(hashes[0] != hashes[1] && hashes[0] != hashes[2] && hashes[1] != hashes[2], "{hashes:x?}");
}
