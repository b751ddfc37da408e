//! Functions of one argument on any bit patterns: the same bits on every level, in place, fused with the derivative and at any
//! alignment; and against the double-double oracle no error above the stated one.

use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use isobath::accuracy::{Function, functions, stated};
use isobath_kernels::activation::{
    self, Activation, Elu, Gelu, GeluTanh, Identity, LeakyRelu, Relu, Selu, Sigmoid, Silu, Softplus, Tanh,
};
use isobath_kernels::{Level, residual};
use isobath_tests::hash::assert_same_bits;
use isobath_tests::levels;

use crate::bits::{POISON, Pool};

/// Activations that are fused in one way or another.
const ACTIVATIONS: u8 = 11;

/// Runs one function and one activation on every level.
pub fn run(bytes: &[u8]) {
    // Too short an input is no case.
    let _ = case(&mut Unstructured::new(bytes));
}

fn case(input: &mut Unstructured<'_>) -> Result<()> {
    static FUNCTIONS: OnceLock<Vec<Function>> = OnceLock::new();
    let functions = FUNCTIONS.get_or_init(functions);
    let function = &functions[input.choose_index(functions.len())?];
    let activation = input.int_in_range(0..=ACTIVATIONS - 1)?;
    let length = input.int_in_range(0..=200)?;
    let offset = input.int_in_range(0..=15)?;
    let moderate = input.arbitrary()?;
    let mut pool = Pool::new(input, moderate)?;
    let x = pool.vector(length, offset);
    function_of(function, &x[offset..], offset);
    let dy = pool.vector(length, offset);
    match activation {
        0 => fused(Sigmoid, &x, &dy, offset),
        1 => fused(Tanh, &x, &dy, offset),
        2 => fused(Relu, &x, &dy, offset),
        3 => fused(Elu { alpha: f32::from_bits(x.last().map_or(0, |x| x.to_bits())) }, &x, &dy, offset),
        4 => fused(Selu, &x, &dy, offset),
        5 => fused(Gelu, &x, &dy, offset),
        6 => fused(GeluTanh, &x, &dy, offset),
        7 => fused(Silu, &x, &dy, offset),
        8 => fused(Softplus, &x, &dy, offset),
        9 => fused(LeakyRelu { slope: x.last().copied().unwrap_or(0.0) }, &x, &dy, offset),
        _ => fused(Identity, &x, &dy, offset),
    }
    Ok(())
}

/// Levels agree, and none errs by more than is stated.
fn function_of(function: &Function, x: &[f32], offset: usize) {
    let mut first = None;
    for level in levels::all() {
        let mut y = vec![POISON; offset + x.len() + 16];
        let place = offset..offset + x.len();
        (function.kernel)(level, x, &mut y[place.clone()]).expect("of one length");
        assert!(
            y.iter().enumerate().all(|(i, y)| place.contains(&i) || y.to_bits() == POISON.to_bits()),
            "{} at {} wrote outside its result",
            function.name,
            level.name()
        );
        let expected = first.get_or_insert_with(|| y.clone());
        assert_same_bits(expected, &y, &format!("{} of {x:?} at {}", function.name, level.name()));
    }
    let errors = function.measure(Level::SCALAR, x).expect("of one length");
    let (normal, subnormal) = stated(function.name).expect("every function has a stated error");
    assert!(errors.normal.rounded() <= normal, "{}: {errors:?}, stated is {normal}", function.name);
    assert!(errors.subnormal.rounded() <= subnormal, "{}: {errors:?}, stated is {subnormal}", function.name);
}

/// Every fused form of an activation gives the bits of the plain ones, on every level.
fn fused<A: Activation>(act: A, x: &[f32], dy: &[f32], offset: usize) {
    let length = x.len() - offset;
    let (h, dy) = (&x[offset..], &dy[offset..]);
    let fresh = || vec![POISON; length];
    let (mut y, mut d, mut dx) = (fresh(), fresh(), fresh());
    activation::forward(Level::SCALAR, act, h, &mut y).expect("of one length");
    activation::derivative(Level::SCALAR, act, h, &mut d).expect("of one length");
    for (dx, (d, dy)) in dx.iter_mut().zip(d.iter().zip(dy)) {
        *dx = d * dy;
    }
    for level in levels::all() {
        let same = |expected: &[f32], found: &[f32], what: &str| {
            assert_same_bits(
                expected,
                found,
                &format!("{what} of {} at {}", std::any::type_name::<A>(), level.name()),
            );
        };
        let in_place = || x.to_vec();
        let (mut a, mut b) = (fresh(), fresh());
        activation::forward_with_derivative(level, act, h, &mut a, &mut b).expect("of one length");
        same(&y, &a, "forward_with_derivative");
        same(&d, &b, "forward_with_derivative, derivative");
        let mut a = in_place();
        activation::forward_with_derivative_in_place(level, act, &mut a[offset..], &mut b)
            .expect("of one length");
        same(&y, &a[offset..], "forward_with_derivative_in_place");
        same(&d, &b, "forward_with_derivative_in_place, derivative");
        let mut a = in_place();
        activation::forward_in_place(level, act, &mut a[offset..]);
        same(&y, &a[offset..], "forward_in_place");
        let mut a = in_place();
        activation::derivative_in_place(level, act, &mut a[offset..]);
        same(&d, &a[offset..], "derivative_in_place");
        activation::backward(level, act, h, dy, &mut b).expect("of one length");
        same(&dx, &b, "backward");
        let mut a = dy.to_vec();
        activation::backward_in_place(level, act, h, &mut a).expect("of one length");
        same(&dx, &a, "backward_in_place");
        let mut a = dy.to_vec();
        activation::multiply(level, &d, &mut a).expect("of one length");
        same(&dx, &a, "multiply");
        let (mut a, mut b) = (in_place(), in_place());
        residual::scale_add(level, 0.7, &mut a[offset..], dy).expect("of one length");
        residual::scale_add(Level::SCALAR, 0.7, &mut b[offset..], dy).expect("of one length");
        same(&b, &a, "scale_add");
    }
}
