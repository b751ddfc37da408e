//! Activation functions: limits, kinks, signs of zero, fused forms, properties, lengths, PReLU's slope gradient.

use isobath_kernels::activation::{
    Activation, Elu, FromOutput, Gelu, GeluTanh, Identity, LeakyRelu, PRelu, Relu, Selu, Sigmoid, Silu,
    Softplus, Tanh, backward, backward_in_place, derivative, derivative_from_output, derivative_in_place,
    forward, forward_in_place, forward_with_derivative, forward_with_derivative_in_place, multiply,
    prelu_shared_slope_gradient, prelu_slope_gradient,
};
use isobath_kernels::{LengthError, Level, MatRef, math};
use isobath_tests::hash::{assert_same_bits, same_bits};
use isobath_tests::{levels, values};
use proptest::prelude::*;

const INF: f32 = f32::INFINITY;

fn value(act: impl Activation, h: f32) -> f32 {
    let mut y = [h];
    forward_in_place(Level::detect(), act, &mut y);
    y[0]
}

fn slope(act: impl Activation, h: f32) -> f32 {
    let mut d = [h];
    derivative_in_place(Level::detect(), act, &mut d);
    d[0]
}

/// f at -inf, -0, +0, inf; then f' there.
#[track_caller]
fn check(act: impl Activation + std::fmt::Debug, values: [f32; 4], slopes: [f32; 4]) {
    for (i, h) in [-INF, -0.0, 0.0, INF].into_iter().enumerate() {
        assert!(same_bits(value(act, h), values[i]), "{act:?} at {h} is {}", value(act, h));
        assert!(same_bits(slope(act, h), slopes[i]), "{act:?}' at {h} is {}", slope(act, h));
    }
    for nan in [0x7fc0_0000, 0xffc0_0000, 0x7f80_0001, 0xff80_0001, 0xffff_ffff_u32].map(f32::from_bits) {
        // The identity's derivative alone does not read its argument.
        let slope_is_nan = slope(act, nan).is_nan() || slopes == [1.0; 4];
        assert!(value(act, nan).is_nan() && slope_is_nan, "{act:?} at {:x}", nan.to_bits());
    }
}

#[test]
fn limits_zeros_and_kinks() {
    let ln_2 = std::f32::consts::LN_2;
    let (lambda, lambda_alpha) = (1.050_701, 1.758_099_3);
    check(Identity, [-INF, -0.0, 0.0, INF], [1.0; 4]);
    check(Relu, [0.0, 0.0, 0.0, INF], [0.0, 0.0, 0.0, 1.0]);
    check(LeakyRelu { slope: 0.25 }, [-INF, -0.0, 0.0, INF], [0.25, 0.25, 0.25, 1.0]);
    check(PRelu { slope: -0.5 }, [INF, 0.0, -0.0, INF], [-0.5, -0.5, -0.5, 1.0]);
    check(Elu { alpha: 1.5 }, [-1.5, -0.0, 0.0, INF], [0.0, 1.5, 1.5, 1.0]);
    check(Selu, [-lambda_alpha, -0.0, 0.0, INF], [0.0, lambda_alpha, lambda_alpha, lambda]);
    check(Sigmoid, [0.0, 0.5, 0.5, 1.0], [0.0, 0.25, 0.25, 0.0]);
    check(Tanh, [-1.0, -0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]);
    check(Gelu, [-0.0, -0.0, 0.0, INF], [-0.0, 0.5, 0.5, 1.0]);
    check(GeluTanh, [-0.0, -0.0, 0.0, INF], [-0.0, 0.5, 0.5, 1.0]);
    check(Silu, [-0.0, -0.0, 0.0, INF], [-0.0, 0.5, 0.5, 1.0]);
    check(Softplus, [0.0, ln_2, ln_2, INF], [0.0, 0.5, 0.5, 1.0]);
}

/// Every form of one activation returns the bits of `forward` and `derivative` on the scalar level.
fn check_forms(act: impl Activation + std::fmt::Debug) {
    let h = values::dense().into_iter().step_by(61).collect::<Vec<f32>>();
    let dy: Vec<f32> = (0..h.len()).map(|i| (i % 7) as f32 - 3.25).collect();
    let n = h.len();
    let (mut y, mut d) = (vec![0.0; n], vec![0.0; n]);
    forward(Level::SCALAR, act, &h, &mut y).unwrap();
    derivative(Level::SCALAR, act, &h, &mut d).unwrap();
    let dx: Vec<f32> = d.iter().zip(&dy).map(|(d, dy)| d * dy).collect();
    for level in levels::all() {
        let what = format!("{act:?} on {}", level.name());
        let (mut a, mut b) = (vec![0.0; n], vec![0.0; n]);
        forward_with_derivative(level, act, &h, &mut a, &mut b).unwrap();
        assert_same_bits(&y, &a, &what);
        assert_same_bits(&d, &b, &what);
        let (mut a, mut b) = (h.clone(), vec![0.0; n]);
        forward_with_derivative_in_place(level, act, &mut a, &mut b).unwrap();
        assert_same_bits(&y, &a, &what);
        assert_same_bits(&d, &b, &what);
        let mut a = h.clone();
        forward_in_place(level, act, &mut a);
        assert_same_bits(&y, &a, &what);
        let mut b = vec![0.0; n];
        backward(level, act, &h, &dy, &mut b).unwrap();
        assert_same_bits(&dx, &b, &what);
        let mut b = dy.clone();
        backward_in_place(level, act, &h, &mut b).unwrap();
        assert_same_bits(&dx, &b, &what);
        let mut b = dy.clone();
        multiply(level, &d, &mut b).unwrap();
        assert_same_bits(&dx, &b, &what);
    }
}

#[test]
fn fused_forms_return_the_bits_of_the_separate_ones() {
    check_forms(Identity);
    check_forms(Relu);
    check_forms(LeakyRelu { slope: 0.01 });
    check_forms(PRelu { slope: -0.3 });
    check_forms(Elu { alpha: 0.7 });
    check_forms(Selu);
    check_forms(Sigmoid);
    check_forms(Tanh);
    check_forms(Gelu);
    check_forms(GeluTanh);
    check_forms(Silu);
    check_forms(Softplus);
}

#[test]
fn every_length_gives_the_same_elements() {
    let h: Vec<f32> = (0..140).map(|i| i as f32 / 16.0 - 4.0).collect();
    let (mut whole, mut whole_d) = (vec![0.0; 140], vec![0.0; 140]);
    forward_with_derivative(Level::SCALAR, Gelu, &h, &mut whole, &mut whole_d).unwrap();
    for level in levels::all() {
        for n in 0..=h.len() {
            let (mut y, mut d) = (vec![7.0; n], vec![7.0; n]);
            forward(level, Gelu, &h[..n], &mut y).unwrap();
            assert_same_bits(&whole[..n], &y, level.name());
            y.fill(7.0);
            forward_with_derivative(level, Gelu, &h[..n], &mut y, &mut d).unwrap();
            assert_same_bits(&whole[..n], &y, level.name());
            assert_same_bits(&whole_d[..n], &d, level.name());
        }
    }
}

#[test]
fn lengths_that_differ_are_an_error() {
    let (h, mut y, mut d) = ([0.0; 5], [7.0; 4], [7.0; 5]);
    let expected = Err(LengthError { expected: 5, found: 4 });
    let level = Level::detect();
    assert_eq!(forward(level, Tanh, &h, &mut y), expected);
    assert_eq!(derivative(level, Tanh, &h, &mut y), expected);
    assert_eq!(forward_with_derivative(level, Tanh, &h, &mut d, &mut y), expected);
    assert_eq!(backward(level, Tanh, &h, &d, &mut y), expected);
    assert_eq!(multiply(level, &h, &mut y), expected);
    assert_eq!((y, d), ([7.0; 4], [7.0; 5]));
}

/// The absolute error of a derivative taken from the output, over arguments where both are finite.
fn error_from_output(act: impl FromOutput) -> f32 {
    let h: Vec<f32> = (-40_000..40_000).map(|i| i as f32 / 1000.0).collect();
    let level = Level::detect();
    let (mut y, mut d, mut found) = (h.clone(), h.clone(), h.clone());
    forward_with_derivative(level, act, &h, &mut y, &mut d).unwrap();
    derivative_from_output(level, act, &y, &mut found).unwrap();
    d.iter().zip(&found).map(|(d, found)| (d - found).abs()).fold(0.0, f32::max)
}

#[test]
fn derivatives_from_the_output_have_the_stated_error() {
    let unit = f32::EPSILON / 2.0;
    assert_eq!(error_from_output(Identity), 0.0);
    assert_eq!(error_from_output(Relu), 0.0);
    assert_eq!(error_from_output(LeakyRelu { slope: 0.01 }), 0.0);
    assert!(error_from_output(Sigmoid) <= 2.0 * unit);
    assert!(error_from_output(Tanh) <= 3.0 * unit);
    assert!(error_from_output(Elu { alpha: 1.0 }) <= 2.0 * unit);
    assert!(error_from_output(Selu) <= 4.0 * unit);
    assert!(error_from_output(Softplus) <= 2.0 * unit);
}

/// Whether a type has a derivative from its output: an inherent constant, where its bound holds, hides that of a trait.
struct Has<A>(std::marker::PhantomData<A>);
impl<A: FromOutput> Has<A> {
    const FROM_OUTPUT: bool = true;
}
trait Otherwise {
    const FROM_OUTPUT: bool = false;
}
impl<A> Otherwise for Has<A> {}

/// GELU and SiLU take most values twice, and so does PReLU with a negative slope: their outputs do not tell the argument.
#[test]
fn only_functions_of_their_output_have_a_derivative_from_it() {
    let have = [
        Has::<Identity>::FROM_OUTPUT,
        Has::<Relu>::FROM_OUTPUT,
        Has::<LeakyRelu>::FROM_OUTPUT,
        Has::<Elu>::FROM_OUTPUT,
        Has::<Selu>::FROM_OUTPUT,
        Has::<Sigmoid>::FROM_OUTPUT,
        Has::<Tanh>::FROM_OUTPUT,
        Has::<Softplus>::FROM_OUTPUT,
    ];
    let lack = [
        Has::<Gelu>::FROM_OUTPUT,
        Has::<GeluTanh>::FROM_OUTPUT,
        Has::<Silu>::FROM_OUTPUT,
        Has::<PRelu>::FROM_OUTPUT,
    ];
    assert_eq!((have, lack), ([true; 8], [false; 4]));
}

/// The definition, by loops: per column a fused chain over each block of 64 rows, the blocks added in order.
fn slope_gradient(h: &[f32], dy: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let column = |j: usize| {
        let mut total = 0.0f32;
        for block in (0..rows).step_by(64) {
            let mut sum = 0.0f32;
            for i in block..rows.min(block + 64) {
                let at = i * columns + j;
                if h[at] <= 0.0 {
                    sum = dy[at].mul_add(h[at], sum);
                }
            }
            total += sum;
        }
        total
    };
    (0..columns).map(column).collect()
}

#[test]
fn prelu_slope_gradient_is_the_loop() {
    for (rows, columns) in [(0, 3), (1, 1), (63, 5), (64, 16), (65, 17), (200, 70)] {
        let h: Vec<f32> = (0..rows * columns).map(|i| ((i * 37 % 101) as f32 - 50.0) / 7.0).collect();
        let dy: Vec<f32> = (0..rows * columns).map(|i| ((i * 53 % 97) as f32 - 48.0) / 3.0).collect();
        let expected = slope_gradient(&h, &dy, rows, columns);
        let total = expected.iter().fold(0.0, |total, sum| total + sum);
        let (h, dy) = (MatRef::new(&h, rows, columns).unwrap(), MatRef::new(&dy, rows, columns).unwrap());
        for level in levels::all() {
            let mut found = vec![9.0; columns];
            prelu_slope_gradient(level, h, dy, &mut found).unwrap();
            assert_same_bits(&expected, &found, level.name());
            assert_same_bits(&[total], &[prelu_shared_slope_gradient(level, h, dy).unwrap()], level.name());
        }
    }
}

/// Fails where `f` falls, by more than the one unit in the last place that rounding allows between neighbours, as its argument
/// grows over the dense sample within `domain`.
#[track_caller]
fn check_monotone(name: &str, domain: std::ops::RangeInclusive<f32>, f: impl Fn(Level, &[f32], &mut [f32])) {
    let mut x: Vec<f32> = values::dense().into_iter().filter(|x| domain.contains(x)).collect();
    assert!(x.len() > 100_000, "{name}: {} arguments", x.len());
    x.sort_by(f32::total_cmp);
    let mut y = x.clone();
    f(Level::detect(), &x, &mut y);
    let mut highest = (f32::NAN, f32::NEG_INFINITY);
    for (x, y) in x.into_iter().zip(y) {
        assert!(
            y.next_up() >= highest.1,
            "{name} falls from {:e} at {:e} to {y:e} at {x:e}",
            highest.1,
            highest.0
        );
        if y > highest.1 {
            highest = (x, y);
        }
    }
}

#[test]
fn functions_are_monotone_to_one_unit() {
    fn act<A: Activation>(act: A) -> impl Fn(Level, &[f32], &mut [f32]) {
        move |level, x, y| forward(level, act, x, y).unwrap()
    }
    type Slices = fn(Level, &[f32], &mut [f32]) -> Result<(), LengthError>;
    let slice = |f: Slices| move |level, x: &[f32], y: &mut [f32]| f(level, x, y).unwrap();
    check_monotone("exp", -INF..=INF, slice(math::exp_slice));
    check_monotone("expm1", -INF..=INF, slice(math::expm1_slice));
    check_monotone("ln", 0.0..=INF, slice(math::ln_slice));
    check_monotone("log1p", -1.0..=INF, slice(math::log1p_slice));
    check_monotone("erf", -INF..=INF, slice(math::erf_slice));
    check_monotone("sigmoid", -INF..=INF, act(Sigmoid));
    check_monotone("tanh", -INF..=INF, act(Tanh));
    check_monotone("softplus", -INF..=INF, act(Softplus));
    check_monotone("elu", -INF..=INF, act(Elu { alpha: 1.0 }));
    check_monotone("selu", -INF..=INF, act(Selu));
    check_monotone("relu", -INF..=INF, act(Relu));
    check_monotone("leaky", -INF..=INF, act(LeakyRelu { slope: 0.01 }));
    check_monotone("prelu", -INF..=INF, act(PRelu { slope: 0.25 }));
    // Right of their minimum.
    check_monotone("gelu", -0.75..=INF, act(Gelu));
    check_monotone("gelu-tanh", -0.75..=INF, act(GeluTanh));
    check_monotone("silu", -1.27..=INF, act(Silu));
}

proptest! {
    #[test]
    fn erf_is_odd_and_bounded(x: f32) {
        let erf = |x: f32| math::erf(isobath_kernels::simd::Scalar, x);
        prop_assert!(erf(x).abs() <= 1.0);
        prop_assert!(same_bits(erf(-x), -erf(x)));
    }

    #[test]
    fn tanh_is_odd_and_bounded(h: f32) {
        prop_assert!(value(Tanh, h).abs() <= 1.0);
        prop_assert!(same_bits(value(Tanh, -h), -value(Tanh, h)));
        prop_assert!(same_bits(slope(Tanh, -h), slope(Tanh, h)));
        prop_assert!((0.0..=1.0).contains(&slope(Tanh, h)));
    }

    #[test]
    fn sigmoid_is_bounded_and_its_derivative_nearly_even(h: f32) {
        prop_assert!((0.0..=1.0).contains(&value(Sigmoid, h)));
        prop_assert!((0.0..=0.25).contains(&slope(Sigmoid, h)));
        prop_assert!((slope(Sigmoid, -h) - slope(Sigmoid, h)).abs() <= 2f32.powi(-22) * slope(Sigmoid, h) + f32::from_bits(2));
    }

    #[test]
    fn the_derivative_of_softplus_is_the_sigmoid(h: f32) {
        prop_assert!(same_bits(slope(Softplus, h), value(Sigmoid, h)));
    }

    #[test]
    fn gates_lie_between_their_bounds(h in -1e3f32..1e3) {
        for y in [value(Gelu, h), value(GeluTanh, h), value(Silu, h)] {
            prop_assert!(y <= h.max(0.0) && y >= -0.2785);
        }
        for d in [slope(Gelu, h), slope(GeluTanh, h), slope(Silu, h)] {
            prop_assert!((-0.13..=1.13).contains(&d));
        }
    }

    #[test]
    fn functions_are_monotone(h in -100f32..100.0, step in 1e-3f32..1.0) {
        let upper = h + step;
        prop_assert!(value(Sigmoid, h) <= value(Sigmoid, upper));
        prop_assert!(value(Tanh, h) <= value(Tanh, upper));
        prop_assert!(value(Softplus, h) <= value(Softplus, upper));
        let elu = Elu { alpha: 1.0 };
        prop_assert!(value(elu, h) <= value(elu, upper));
        prop_assert!(value(Selu, h) <= value(Selu, upper));
    }
}
