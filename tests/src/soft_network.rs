//! Networks of dense layers, activations and residual branches once more, in [`Soft`] numbers and the kernels' order: the
//! bits that an f32 with unlimited exponent would have.
//!
//! A homogeneous activation is a product. Of the others the kernels give the value where h is an ordinary f32 (they have
//! tests of their own), and beyond that theory says what phi is to the last bit: a constant or a line.

use isobath::activation::Activation;
use isobath::net::Layer;
use isobath_kernels::{Level, activation as kernel};

use crate::soft::Soft;

/// |log2 h| up to which kernels are asked for phi(h).
const ORDINARY: i64 = 100;

/// What passes over a network give.
#[derive(Clone, Debug)]
pub struct Passes {
    /// The input of every layer, and last the network's output; row by row.
    pub values: Vec<Vec<Soft>>,
    /// The gradients with respect to these.
    pub deltas: Vec<Vec<Soft>>,
    /// The gradients of every layer's parameters, in their order.
    pub gradients: Vec<Vec<Soft>>,
}

/// Runs a network forward on `input` and backward from `cotangent`.
///
/// # Panics
/// The layers are no network, or one with a normalisation or a learned branch scale.
pub fn passes(layers: &[Layer], parameters: &[f32], rows: usize, input: &[f32], cotangent: &[f32]) -> Passes {
    let soft = |values: &[f32]| values.iter().map(|x| Soft::new(*x, 0)).collect::<Vec<Soft>>();
    let (mut values, mut skips, mut own) = (vec![soft(input)], Vec::new(), Vec::new());
    let mut rest = parameters;
    for layer in layers {
        let x = values.last().expect("starts with the input").clone();
        let (parameters, others) = rest.split_at(parameter_count(layer, x.len() / rows));
        rest = others;
        own.push(soft(parameters));
        values.push(match layer {
            Layer::Dense(dense) => affine(&x, &soft(parameters), rows, dense.units),
            Layer::Activation(function) => {
                x.iter().map(|h| activate(*function, parameters.first().copied(), *h).0).collect()
            }
            Layer::Convolution(_)
            | Layer::MaxPool { .. }
            | Layer::AveragePool
            | Layer::Flatten
            | Layer::Recurrent(_) => {
                panic!("no reference for {layer:?}")
            }
            Layer::SkipStart => {
                skips.push(x.clone());
                x
            }
            Layer::SkipEnd { scale } => {
                add_scaled(&skips.pop().expect("was opened"), Soft::new(*scale, 0), &x)
            }
            Layer::BatchNorm { .. }
            | Layer::LayerNorm { .. }
            | Layer::LearnedSkipEnd { .. }
            | Layer::Standardised(_) => {
                panic!("no reference for {layer:?}")
            }
        });
    }
    assert!(rest.is_empty(), "{} parameters too many", rest.len());

    let mut deltas = vec![soft(cotangent)];
    let mut gradients = Vec::new();
    for ((layer, x), own) in layers.iter().zip(&values).zip(&own).rev() {
        let dy = deltas.last().expect("starts with the cotangent").clone();
        gradients.push(match layer {
            Layer::Dense(dense) => affine_gradients(x, &dy, rows, dense.units),
            Layer::Activation(Activation::Prelu(_)) => vec![slope_gradient(x, &dy, rows)],
            _ => Vec::new(),
        });
        deltas.push(match layer {
            Layer::Dense(dense) => {
                let weights = |i: usize, j: usize| own[i * dense.units + j];
                let width = x.len() / rows;
                let dx = |at: usize| {
                    let (row, i) = (at / width, at % width);
                    chain(None, dense.units, |j| (dy[row * dense.units + j], weights(i, j)))
                };
                (0..x.len()).map(dx).collect()
            }
            Layer::Activation(function) => {
                let slope = own.first().map(|slope| slope.to_f32());
                let dh = |(h, dy): (&Soft, &Soft)| Soft::product(activate(*function, slope, *h).1, *dy);
                if *function == Activation::Identity { dy } else { x.iter().zip(&dy).map(dh).collect() }
            }
            Layer::SkipEnd { scale } => {
                skips.push(dy.clone());
                dy.iter().map(|d| Soft::product(Soft::new(*scale, 0), *d)).collect()
            }
            Layer::SkipStart => add_scaled(&skips.pop().expect("was closed"), Soft::ONE, &dy),
            _ => {
                panic!("no reference for {layer:?}")
            }
        });
    }
    deltas.reverse();
    gradients.reverse();
    Passes { values, deltas, gradients }
}

fn parameter_count(layer: &Layer, width: usize) -> usize {
    match layer {
        Layer::Dense(dense) => (width + 1) * dense.units,
        Layer::Activation(Activation::Prelu(_)) => 1,
        _ => 0,
    }
}

/// start + sum of products: a chain from +0 over each block of 256, the blocks in order.
fn chain(start: Option<Soft>, k: usize, factors: impl Fn(usize) -> (Soft, Soft)) -> Soft {
    let blocks = (0..k).step_by(256).map(|from| {
        (from..k.min(from + 256)).fold(Soft::ZERO, |sum, p| {
            let (a, b) = factors(p);
            Soft::fma(a, b, sum)
        })
    });
    start.into_iter().chain(blocks).reduce(Soft::sum).unwrap_or(Soft::ZERO)
}

/// X W + b.
fn affine(x: &[Soft], own: &[Soft], rows: usize, units: usize) -> Vec<Soft> {
    let width = x.len() / rows;
    let (weights, biases) = own.split_at(width * units);
    let y = |at: usize| {
        let (row, j) = (at / units, at % units);
        chain(Some(biases[j]), width, |i| (x[row * width + i], weights[i * units + j]))
    };
    (0..rows * units).map(y).collect()
}

/// X^T dY, and the column sums of dY, over one block of rows.
fn affine_gradients(x: &[Soft], dy: &[Soft], rows: usize, units: usize) -> Vec<Soft> {
    assert!(rows <= 64, "the sums of {rows} rows are cut into blocks");
    let width = x.len() / rows;
    let weight = |at: usize| {
        let (i, j) = (at / units, at % units);
        chain(None, rows, |row| (x[row * width + i], dy[row * units + j]))
    };
    let bias = |j: usize| (0..rows).fold(Soft::ZERO, |sum, row| Soft::sum(sum, dy[row * units + j]));
    (0..width * units).map(weight).chain((0..units).map(bias)).collect()
}

/// The sum of dy h where h <= 0: by columns, which are then added in order; up to 64 rows and columns.
fn slope_gradient(h: &[Soft], dy: &[Soft], rows: usize) -> Soft {
    let width = h.len() / rows;
    assert!(rows <= 64 && width <= 64, "the sums are cut into blocks");
    (0..width).fold(Soft::ZERO, |total, j| {
        let negative = (0..rows).map(|row| row * width + j).filter(|at| !h[*at].is_positive());
        Soft::sum(total, negative.fold(Soft::ZERO, |sum, at| Soft::fma(dy[at], h[at], sum)))
    })
}

/// skip + scale branch.
fn add_scaled(skip: &[Soft], scale: Soft, branch: &[Soft]) -> Vec<Soft> {
    skip.iter().zip(branch).map(|(skip, branch)| Soft::fma(scale, *branch, *skip)).collect()
}

/// phi(h) and phi'(h). PReLU's slope is the learned one.
fn activate(function: Activation, learned: Option<f32>, h: Soft) -> (Soft, Soft) {
    let number = |x: f32| Soft::new(x, 0);
    let rectify = |slope: f32| {
        if h.is_positive() { (h, Soft::ONE) } else { (Soft::product(number(slope), h), number(slope)) }
    };
    if h == Soft::Nan {
        return (h, h);
    }
    match function {
        Activation::Identity => (h, Soft::ONE),
        Activation::Relu if h.is_positive() => (h, Soft::ONE),
        Activation::Relu => (Soft::ZERO, Soft::ZERO),
        Activation::Leaky(slope) => rectify(slope),
        Activation::Prelu(slope) => rectify(learned.unwrap_or(slope)),
        _ => match h.log2() {
            Some(power) if power >= ORDINARY => beyond(function, h),
            Some(power) if power < -ORDINARY => near_zero(function, h),
            _ => ordinary(function, h.to_f32()),
        },
    }
}

/// Where |h| is so large that phi is flat or a line.
fn beyond(function: Activation, h: Soft) -> (Soft, Soft) {
    let constant = |y: f32| (Soft::new(y, 0), Soft::ZERO);
    match function {
        Activation::Sigmoid => constant(if h.is_positive() { 1.0 } else { 0.0 }),
        Activation::Tanh => constant(if h.is_positive() { 1.0 } else { -1.0 }),
        _ if h.is_positive() => (h, Soft::ONE),
        Activation::Elu(alpha) => constant(-alpha),
        Activation::Softplus => constant(0.0),
        // h Phi(h) and h sigmoid(h) come from below, and so do their slopes.
        Activation::Gelu | Activation::GeluTanh | Activation::Silu => {
            (Soft::new(-0.0, 0), Soft::new(-0.0, 0))
        }
        other => panic!("no limit of {other}"),
    }
}

/// Where |h| is so small that phi(h) = phi(0) + phi'(0) h to the last bit.
fn near_zero(function: Activation, h: Soft) -> (Soft, Soft) {
    let line = |slope: f32| (Soft::product(Soft::new(slope, 0), h), Soft::new(slope, 0));
    match function {
        Activation::Sigmoid => (Soft::new(0.5, 0), Soft::new(0.25, 0)),
        Activation::Softplus => (Soft::new(std::f32::consts::LN_2, 0), Soft::new(0.5, 0)),
        Activation::Elu(alpha) if !h.is_positive() => line(alpha),
        Activation::Tanh | Activation::Elu(_) => line(1.0),
        Activation::Gelu | Activation::GeluTanh | Activation::Silu => line(0.5),
        other => panic!("no limit of {other}"),
    }
}

/// What the kernels say.
fn ordinary(function: Activation, h: f32) -> (Soft, Soft) {
    fn of(phi: impl kernel::Activation, h: f32) -> (Soft, Soft) {
        let (mut y, mut slope) = ([h], [0.0]);
        let same_length = kernel::forward_with_derivative_in_place(Level::SCALAR, phi, &mut y, &mut slope);
        same_length.expect("one and one");
        (Soft::new(y[0], 0), Soft::new(slope[0], 0))
    }
    match function {
        Activation::Sigmoid => of(kernel::Sigmoid, h),
        Activation::Tanh => of(kernel::Tanh, h),
        Activation::Elu(alpha) => of(kernel::Elu { alpha }, h),
        Activation::Selu => of(kernel::Selu, h),
        Activation::Gelu => of(kernel::Gelu, h),
        Activation::GeluTanh => of(kernel::GeluTanh, h),
        Activation::Silu => of(kernel::Silu, h),
        Activation::Softplus => of(kernel::Softplus, h),
        other => panic!("{other} is homogeneous"),
    }
}
