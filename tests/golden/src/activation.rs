//! Activation functions: every kernel with every function.

use isobath::hash::Hash;
use isobath_kernels::activation::{
    self, Activation, Elu, FromOutput, Gelu, GeluTanh, Identity, LeakyRelu, PRelu, Relu, Selu, Sigmoid, Silu,
    Softplus, Tanh,
};
use isobath_kernels::{Level, MatRef};

use crate::line::List;
use crate::operands::{anything, ordinary};

/// Not a multiple of any vector's length.
const LENGTH: usize = 1021;

pub(crate) fn add(list: &mut List<'_>) {
    all_forms(list, "Elu", Elu { alpha: 1.5 });
    all_forms(list, "Gelu", Gelu);
    all_forms(list, "GeluTanh", GeluTanh);
    all_forms(list, "Identity", Identity);
    all_forms(list, "LeakyRelu", LeakyRelu { slope: 0.01 });
    all_forms(list, "PRelu", PRelu { slope: 0.25 });
    all_forms(list, "Relu", Relu);
    all_forms(list, "Selu", Selu);
    all_forms(list, "Sigmoid", Sigmoid);
    all_forms(list, "Silu", Silu);
    all_forms(list, "Softplus", Softplus);
    all_forms(list, "Tanh", Tanh);
    from_output(list, "Elu", Elu { alpha: 1.5 });
    from_output(list, "Identity", Identity);
    from_output(list, "LeakyRelu", LeakyRelu { slope: 0.01 });
    from_output(list, "Relu", Relu);
    from_output(list, "Selu", Selu);
    from_output(list, "Sigmoid", Sigmoid);
    from_output(list, "Softplus", Softplus);
    from_output(list, "Tanh", Tanh);
    list.add("activation::multiply", |level, hash| {
        let mut dy = ordinary::<LENGTH>(2);
        activation::multiply(level, &anything::<LENGTH>(1), &mut dy).unwrap();
        hash.f32s(&dy);
    });
    let (h, dy) = (ordinary::<{ 70 * 19 }>(3), ordinary::<{ 70 * 19 }>(4));
    let (h, dy) = (MatRef::new(&h, 70, 19).unwrap(), MatRef::new(&dy, 70, 19).unwrap());
    list.add("activation::prelu_slope_gradient", |level, hash| {
        let mut d_slope = [0.0; 19];
        activation::prelu_slope_gradient(level, h, dy, &mut d_slope).unwrap();
        hash.f32s(&d_slope);
    });
    list.add("activation::prelu_shared_slope_gradient", |level, hash| {
        hash.f32s(&[activation::prelu_shared_slope_gradient(level, h, dy).unwrap()]);
    });
}

/// A kernel of one function: writes its results over the three slices; the first starts as h, the second as dy.
type Form<A> = fn(Level, A, [&mut [f32; LENGTH]; 3]);

fn all_forms<A: Activation>(list: &mut List<'_>, of: &'static str, act: A) {
    let forms: [(&str, Form<A>); 8] = [
        ("activation::forward", |level, act, [h, y, _]| activation::forward(level, act, h, y).unwrap()),
        ("activation::forward_in_place", |level, act, [h, ..]| activation::forward_in_place(level, act, h)),
        ("activation::derivative", |level, act, [h, d, _]| activation::derivative(level, act, h, d).unwrap()),
        ("activation::derivative_in_place", |level, act, [h, ..]| {
            activation::derivative_in_place(level, act, h);
        }),
        ("activation::forward_with_derivative", |level, act, [h, y, d]| {
            activation::forward_with_derivative(level, act, h, y, d).unwrap();
        }),
        ("activation::forward_with_derivative_in_place", |level, act, [h, _, d]| {
            activation::forward_with_derivative_in_place(level, act, h, d).unwrap();
        }),
        ("activation::backward", |level, act, [h, dy, dx]| {
            activation::backward(level, act, h, dy, dx).unwrap();
        }),
        ("activation::backward_in_place", |level, act, [h, dy, _]| {
            activation::backward_in_place(level, act, h, dy).unwrap();
        }),
    ];
    for (name, form) in forms {
        list.add_generic(name, of, |level, hash| both_inputs(hash, |slices| form(level, act, slices)));
    }
}

/// Runs a kernel on any bits and on values where the functions bend.
fn both_inputs(hash: &mut Hash, mut run: impl FnMut([&mut [f32; LENGTH]; 3])) {
    for mut h in [anything::<LENGTH>(5), ordinary(6)] {
        let (mut dy, mut out) = (ordinary::<LENGTH>(7), [0.0; LENGTH]);
        run([&mut h, &mut dy, &mut out]);
        [&h, &dy, &out].into_iter().for_each(|values| hash.f32s(values));
    }
}

fn from_output<A: FromOutput>(list: &mut List<'_>, of: &'static str, act: A) {
    list.add_generic("activation::derivative_from_output", of, |level, hash| {
        both_inputs(hash, |[y, d, _]| activation::derivative_from_output(level, act, y, d).unwrap());
    });
}
