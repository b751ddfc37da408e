//! Kernels that work element by element: functions, optimisers, penalties, clipping, residual sums, the multiply-add.

use isobath::hash::Hash;
use isobath_kernels::clip::{self, ClipReport};
use isobath_kernels::optimizer::{self, Adam, AdamState, Momentum};
use isobath_kernels::reduce::{Norm, norm};
use isobath_kernels::{LengthError, Level, MatMut, MatRef, math, residual, simd};

use crate::line::List;
use crate::operands::{anything, ordinary};
use crate::reduce::take_scaled;

/// Not a multiple of any vector's length.
const LENGTH: usize = 1021;

/// A function over slices.
type Function = fn(Level, &[f32], &mut [f32]) -> Result<(), LengthError>;

pub(crate) fn add(list: &mut List<'_>) {
    multiply_adds(list);
    let functions: [(&str, Function); 5] = [
        ("math::exp_slice", math::exp_slice),
        ("math::expm1_slice", math::expm1_slice),
        ("math::ln_slice", math::ln_slice),
        ("math::log1p_slice", math::log1p_slice),
        ("math::erf_slice", math::erf_slice),
    ];
    for (name, function) in functions {
        list.add(name, |level, hash| {
            for x in [anything::<LENGTH>(1), ordinary(2)] {
                let mut y = [0.0; LENGTH];
                function(level, &x, &mut y).unwrap();
                hash.f32s(&y);
            }
        });
    }
    optimizers(list);
    clipping(list);
    list.add("residual::scale_add", |level, hash| {
        let mut x = anything::<LENGTH>(3);
        residual::scale_add(level, 0.7, &mut x, &ordinary::<LENGTH>(4)).unwrap();
        hash.f32s(&x);
    });
}

fn multiply_adds(list: &mut List<'_>) {
    type MultiplyAdd = fn(f32, f32, f32) -> f32;
    let functions: [(&str, MultiplyAdd); 2] =
        [("simd::fma", simd::fma), ("simd::fma_from_integers", simd::fma_from_integers)];
    for (name, function) in functions {
        list.add(name, |_, hash| {
            let operands: [[[f32; LENGTH]; 3]; 3] = [
                [anything(5), anything(6), anything(7)],
                [anything(8), ordinary(9), anything(10)],
                [ordinary(11), ordinary(12), ordinary(13)],
            ];
            for [a, b, c] in operands {
                for ((a, b), c) in a.iter().zip(b.iter().rev()).zip(c) {
                    // The second sum cancels all but the rounding error of the product.
                    hash.f32s(&[function(*a, *b, c), function(*a, *b, -a * b)]);
                }
            }
        });
    }
}

fn optimizers(list: &mut List<'_>) {
    list.add("optimizer::sgd", |level, hash| {
        let mut w = ordinary::<LENGTH>(14);
        optimizer::sgd(level, 0.1, &mut w, &anything::<LENGTH>(15)).unwrap();
        hash.f32s(&w);
    });
    for (of, nesterov) in [("heavy ball", false), ("Nesterov", true)] {
        list.add_generic("optimizer::momentum", of, |level, hash| {
            let (mut w, mut v) = (ordinary::<LENGTH>(16), ordinary::<LENGTH>(17));
            let settings = Momentum { learning_rate: 0.1, momentum: 0.9, nesterov };
            optimizer::momentum(level, settings, &mut w, &mut v, &anything::<LENGTH>(18)).unwrap();
            hash.f32s(&w);
            hash.f32s(&v);
        });
    }
    list.add("optimizer::AdamState::advance", |_, hash| {
        let (mut state, settings) = (AdamState::new(), Adam::default());
        for _ in 0..1000 {
            let correction = state.advance(&settings);
            hash.f32s(&[correction.first, correction.second]);
        }
    });
    for (of, weight_decay) in [("Adam", 0.0), ("AdamW", 0.01)] {
        list.add_generic("optimizer::adam", of, |level, hash| {
            let settings = Adam { weight_decay, ..Adam::default() };
            let (mut state, mut w) = (AdamState::new(), ordinary::<LENGTH>(19));
            let (mut m, mut v) = ([0.0; LENGTH], [0.0; LENGTH]);
            for g in [ordinary::<LENGTH>(20), anything(21)] {
                let correction = state.advance(&settings);
                optimizer::adam(level, &settings, &correction, &mut w, &mut m, &mut v, &g).unwrap();
                [&w, &m, &v].into_iter().for_each(|values| hash.f32s(values));
            }
        });
    }
    list.add("optimizer::scale", |level, hash| {
        let mut x = anything::<LENGTH>(22);
        optimizer::scale(level, 1.0e-3, &mut x);
        hash.f32s(&x);
    });
    list.add("optimizer::add_l1", |level, hash| {
        let mut g = ordinary::<LENGTH>(23);
        optimizer::add_l1(level, 0.01, &anything::<LENGTH>(24), &mut g).unwrap();
        hash.f32s(&g);
    });
    list.add("optimizer::add_l2", |level, hash| {
        let mut g = ordinary::<LENGTH>(25);
        optimizer::add_l2(level, 0.01, &anything::<LENGTH>(26), &mut g).unwrap();
        hash.f32s(&g);
    });
}

fn take_report(hash: &mut Hash, report: ClipReport) {
    take_scaled(hash, report.norm);
    hash.f32s(&[report.scale]);
    hash.u64(report.clipped as u64);
}

fn clipping(list: &mut List<'_>) {
    list.add("clip::by_value", |level, hash| {
        let mut g = anything::<LENGTH>(27);
        take_report(hash, clip::by_value(level, &mut g, 1.5).unwrap());
        hash.f32s(&g);
    });
    list.add("clip::by_global_norm", |level, hash| {
        // The second gradient's norm is beyond f32, the third has none.
        for (scale, spoil) in [(1.0, false), (1.0e37, false), (1.0, true)] {
            let (mut first, mut second) = (ordinary::<LENGTH>(28), ordinary::<70>(29));
            first.iter_mut().for_each(|g| *g *= scale);
            if spoil {
                second = anything(30);
            }
            let report = clip::by_global_norm(level, &mut [&mut first, &mut second], 1.0).unwrap();
            take_report(hash, report);
            hash.f32s(&first);
            hash.f32s(&second);
        }
    });
    list.add("clip::scale_to_norm", |level, hash| {
        let mut g = ordinary::<LENGTH>(31);
        let norm: Norm = norm(level, &g);
        take_report(hash, clip::scale_to_norm(level, &mut g, norm, 0.1).unwrap());
        hash.f32s(&g);
    });
    list.add("clip::adaptive", |level, hash| {
        let (w, mut g) = (ordinary::<{ 67 * 29 }>(32), ordinary::<{ 67 * 29 }>(33));
        let (w, view) = (MatRef::new(&w, 67, 29).unwrap(), MatMut::new(&mut g, 67, 29).unwrap());
        take_report(hash, clip::adaptive(level, w, view, 0.5, 1e-3).unwrap());
        hash.f32s(&g);
    });
}
