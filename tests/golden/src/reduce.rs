//! Reductions, and the numbers with an exponent of their own that norms come in.

use isobath::hash::Hash;
use isobath_kernels::MatRef;
use isobath_kernels::reduce::{self, Scaled};

use crate::line::List;
use crate::operands::{anything, ordinary, spoilt};

/// A chunk of 4096, and a second one that ends in the middle of the lanes.
const LENGTH: usize = 4096 + 331;

pub(crate) fn take_scaled(hash: &mut Hash, x: Scaled) {
    hash.f32s(&[x.significand]);
    hash.u64(x.exponent as u64);
}

/// Ordinary values, one among which there are infinities and NaN, values whose squares underflow, and whose squares
/// overflow.
fn inputs() -> [[f32; LENGTH]; 4] {
    let scaled = |factor| ordinary(2).map(|x: f32| x * factor);
    [ordinary(1), spoilt(1), scaled(1.0e-40), scaled(1.0e36)]
}

pub(crate) fn add(list: &mut List<'_>) {
    list.add("reduce::sum", |level, hash| {
        for x in inputs() {
            // Every length of tail.
            for length in (0..=130).chain([4095, 4096, 4097, LENGTH]) {
                hash.f32s(&[reduce::sum(level, &x[..length])]);
            }
        }
    });
    list.add("reduce::dot", |level, hash| {
        let b = ordinary::<LENGTH>(3);
        for a in inputs() {
            for length in (0..=130).chain([4095, 4096, 4097, LENGTH]) {
                hash.f32s(&[reduce::dot(level, &a[..length], &b[..length]).unwrap()]);
            }
        }
    });
    list.add("reduce::max_abs", |level, hash| {
        for x in inputs() {
            for length in (0..=130).chain([LENGTH]) {
                hash.f32s(&[reduce::max_abs(level, &x[..length])]);
            }
        }
    });
    list.add("reduce::sum_of_squares", |level, hash| {
        for x in inputs() {
            for length in (0..=130).chain([LENGTH]) {
                take_scaled(hash, reduce::sum_of_squares(level, &x[..length]));
            }
        }
    });
    list.add("reduce::norm", |level, hash| {
        for x in inputs() {
            take_scaled(hash, reduce::norm(level, &x));
        }
    });
    list.add("reduce::norm_of_slices", |level, hash| {
        for x in inputs() {
            let (first, rest) = x.split_at(100);
            take_scaled(hash, reduce::norm_of_slices(level, &[first, &[], rest]));
        }
    });
    list.add("reduce::column_sums", |level, hash| {
        for x in [ordinary::<{ 131 * 33 }>(4), spoilt(5)] {
            let mut sums = [0.0; 33];
            reduce::column_sums(level, MatRef::new(&x, 131, 33).unwrap(), &mut sums).unwrap();
            hash.f32s(&sums);
        }
    });
    scaled_numbers(list);
}

fn scaled_numbers(list: &mut List<'_>) {
    /// Two numbers in, one out.
    type Operation = fn(Scaled, Scaled) -> Scaled;
    let operations: [(&str, Operation); 5] = [
        ("reduce::Scaled::new", |x, _| x),
        ("reduce::Scaled::plus", Scaled::plus),
        ("reduce::Scaled::times", Scaled::times),
        ("reduce::Scaled::over", Scaled::over),
        ("reduce::Scaled::sqrt", |x, _| x.sqrt()),
    ];
    let pairs = || anything::<200>(6).into_iter().zip(anything::<200>(7).into_iter().rev());
    let pairs = || pairs().map(|(x, y)| (Scaled::new(x), Scaled::new(y)));
    for (name, operation) in operations {
        list.add(name, |_, hash| pairs().for_each(|(x, y)| take_scaled(hash, operation(x, y))));
    }
    list.add("reduce::Scaled::to_f32", |_, hash| {
        pairs().for_each(|(x, y)| hash.f32s(&[x.to_f32(), x.times(y).to_f32(), x.over(y).to_f32()]));
    });
    list.add("reduce::Scaled::is_less_than", |_, hash| {
        pairs().for_each(|(x, y)| hash.u64(x.is_less_than(y).into()));
    });
}
