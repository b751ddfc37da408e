//! Networks again, in f64 and as plain loops: what the f32 network is compared with.
//!
//! Only [`Layer`] and the order of the parameters (per layer: weights then biases, gain then shift, the slope, or the branch's scale) are
//! shared with the code under test. Derivatives come from central differences, so no formula of a derivative is
//! written twice.

use isobath::activation::Activation;
use isobath::net::Layer;

use crate::recurrent;

/// A batch: rows of `width` values.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// Columns.
    pub width: usize,
    /// Row by row.
    pub values: Vec<f64>,
}

impl Rows {
    /// The same numbers as f64.
    pub fn new(width: usize, values: &[f32]) -> Self {
        Self { width, values: values.iter().copied().map(f64::from).collect() }
    }

    fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { width: self.width, values: self.values.iter().copied().map(f).collect() }
    }

    /// self + scale other.
    fn plus(&self, scale: f64, other: &Self) -> Self {
        let values = self.values.iter().zip(&other.values).map(|(a, b)| a + scale * b).collect();
        Self { width: self.width, values }
    }
}

/// values 2^exponent: an f64 that no depth takes out of range.
#[derive(Clone, Debug)]
pub struct Wide {
    /// The largest magnitude is in [1/2, 1), or all are 0.
    pub rows: Rows,
    /// The power of two.
    pub exponent: i32,
}

impl Wide {
    fn new(rows: Rows, exponent: i32) -> Self {
        let largest = rows.values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let (_, up) = libm::frexp(largest);
        Self { rows: rows.map(|v| libm::ldexp(v, -up)), exponent: exponent + up }
    }

    fn plus(&self, other: &Self) -> Self {
        let common = self.exponent.max(other.exponent);
        let on = |wide: &Self| wide.rows.map(|v| libm::ldexp(v, wide.exponent - common));
        Self::new(on(self).plus(1.0, &on(other)), common)
    }

    /// log10 of the Euclidean norm.
    pub fn log10_norm(&self) -> f64 {
        log10_norm(&self.rows.values, self.exponent)
    }
}

/// log10 of the norm of values 2^exponent.
pub fn log10_norm(values: &[f64], exponent: i32) -> f64 {
    let squares: f64 = values.iter().map(|v| v * v).sum();
    squares.log10() / 2.0 + f64::from(exponent) * 2.0_f64.log10()
}

/// phi(h). PReLU's slope is the learned one where there is one.
pub fn activate(function: Activation, learned: Option<f64>, h: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let rectify = |slope: f64| if h > 0.0 { h } else { slope * h };
    let elu = |alpha: f64| if h > 0.0 { h } else { alpha * h.exp_m1() };
    match function {
        Activation::Identity => h,
        Activation::Sigmoid => sigmoid(h),
        Activation::Tanh => h.tanh(),
        Activation::Relu => h.max(0.0),
        Activation::Leaky(slope) => rectify(slope.into()),
        Activation::Prelu(slope) => rectify(learned.unwrap_or(slope.into())),
        Activation::Elu(alpha) => elu(alpha.into()),
        Activation::Selu => 1.050_700_987_355_480_5 * elu(1.673_263_242_354_377_2),
        Activation::Gelu => 0.5 * h * libm::erfc(-h * std::f64::consts::FRAC_1_SQRT_2),
        Activation::GeluTanh => {
            h * sigmoid(2.0 * (2.0 / std::f64::consts::PI).sqrt() * (h + 0.044715 * h * h * h))
        }
        Activation::Silu => h * sigmoid(h),
        Activation::Softplus => h.exp().ln_1p(),
    }
}

fn parameter_count(layer: &Layer, width: usize) -> usize {
    match layer {
        Layer::Dense(dense) => (width + 1) * dense.units,
        Layer::Standardised(dense) => (width + 2) * dense.units,
        Layer::BatchNorm { .. } | Layer::LayerNorm { .. } => 2 * width,
        Layer::Activation(Activation::Prelu(_)) | Layer::LearnedSkipEnd { .. } => 1,
        Layer::Recurrent(recurrent) => recurrent::parameter_count(recurrent, width),
        _ => 0,
    }
}

/// The input of every layer, and last the network's output. Batch norm uses the batch's statistics.
///
/// # Panics
/// The layers are no network, or have another number of parameters.
pub fn forward(layers: &[Layer], parameters: &[f64], input: &Rows) -> Vec<Rows> {
    forward_in_time(layers, parameters, input, 1)
}

/// The same over sequences of so many steps, each a row of its own.
///
/// # Panics
/// The layers are no network, or have another number of parameters.
pub fn forward_in_time(layers: &[Layer], parameters: &[f64], input: &Rows, mut steps: usize) -> Vec<Rows> {
    let mut trace = vec![input.clone()];
    let mut skips = Vec::new();
    let mut rest = parameters;
    for layer in layers {
        let x = trace.last().expect("starts with the input");
        let (own, others) = rest.split_at(parameter_count(layer, x.width));
        rest = others;
        let (width, height) = (x.width, x.values.len() / x.width);
        let y = match layer {
            Layer::Dense(dense) => affine(x, own, dense.units),
            Layer::Standardised(dense) => affine(x, &standardise(own, x.width, dense.units), dense.units),
            Layer::Activation(function) => x.map(|h| activate(*function, own.first().copied(), h)),
            Layer::BatchNorm { epsilon, .. } => {
                normalise(x, own, *epsilon, (0..width).map(|j| (0..height).map(move |i| i * width + j)))
            }
            Layer::LayerNorm { epsilon } => {
                normalise(x, own, *epsilon, (0..height).map(|i| i * width..(i + 1) * width))
            }
            Layer::Convolution(_) | Layer::MaxPool { .. } | Layer::AveragePool => {
                panic!("no reference for {layer:?}")
            }
            Layer::Flatten => {
                let width = width * std::mem::replace(&mut steps, 1);
                Rows { width, values: x.values.clone() }
            }
            Layer::Recurrent(layer) => {
                let samples = x.values.chunks(steps * width);
                let outputs: Vec<Vec<f64>> =
                    samples.map(|x| recurrent::output(layer, own, x, steps, None)).collect();
                steps = outputs[0].len() / layer.units;
                Rows { width: layer.units, values: outputs.concat() }
            }
            Layer::SkipStart => {
                skips.push(x.clone());
                x.clone()
            }
            Layer::SkipEnd { scale } => skips.pop().expect("was opened").plus(f64::from(*scale), x),
            Layer::LearnedSkipEnd { .. } => skips.pop().expect("was opened").plus(own[0], x),
        };
        trace.push(y);
    }
    assert!(rest.is_empty(), "{} parameters too many", rest.len());
    trace
}

/// X W + b.
fn affine(x: &Rows, own: &[f64], units: usize) -> Rows {
    let (weights, biases) = own.split_at(x.width * units);
    let mut values = Vec::new();
    for row in x.values.chunks(x.width) {
        for (j, bias) in biases.iter().enumerate() {
            values.push(bias + row.iter().enumerate().map(|(i, x)| x * weights[i * units + j]).sum::<f64>());
        }
    }
    Rows { width: units, values }
}

/// Weights and biases of a layer that has weights, biases and gains.
fn standardise(own: &[f64], inputs: usize, units: usize) -> Vec<f64> {
    let (mut found, n) = (own[..(inputs + 1) * units].to_vec(), inputs as f64);
    for (j, gain) in own[(inputs + 1) * units..].iter().enumerate() {
        let column = || (0..inputs).map(|i| i * units + j);
        let mean = column().map(|at| own[at]).sum::<f64>() / n;
        let variance = column().map(|at| (own[at] - mean).powi(2)).sum::<f64>() / n;
        column().for_each(|at| found[at] = gain * (own[at] - mean) / (n * (variance + 1e-10)).sqrt());
    }
    found
}

/// gain (x - mean) / sqrt(variance + epsilon) + shift, mean and variance over each group of elements.
fn normalise<G: Iterator<Item = usize> + Clone>(
    x: &Rows,
    own: &[f64],
    epsilon: f32,
    groups: impl Iterator<Item = G>,
) -> Rows {
    let (gain, shift) = own.split_at(x.width);
    let mut values = x.values.clone();
    for group in groups {
        let n = group.clone().count() as f64;
        let mean = group.clone().map(|at| x.values[at]).sum::<f64>() / n;
        let variance = group.clone().map(|at| (x.values[at] - mean).powi(2)).sum::<f64>() / n;
        for at in group {
            let column = at % x.width;
            let standard = (x.values[at] - mean) / (variance + f64::from(epsilon)).sqrt();
            values[at] = gain[column] * standard + shift[column];
        }
    }
    Rows { width: x.width, values }
}

/// The gradient of a function of many variables by central differences, of 1e-5 or of that part of a large variable.
pub fn differentiate(at: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut point = at.to_vec();
    (0..at.len())
        .map(|i| {
            let mut value = |x: f64| {
                point[i] = x;
                f(&point)
            };
            let step = 1e-5 * at[i].abs().max(1.0);
            let slope = (value(at[i] + step) - value(at[i] - step)) / (2.0 * step);
            point[i] = at[i];
            slope
        })
        .collect()
}

/// The gradient with respect to the input of every layer and to the output, for networks without normalisation,
/// at one position.
///
/// # Panics
/// The network has a normalisation or other positions, or `trace` is of another one.
pub fn backward(layers: &[Layer], parameters: &[f64], trace: &[Rows], cotangent: &[f32]) -> Vec<Wide> {
    let output = trace.last().expect("holds the output").width;
    let mut delta = Wide::new(Rows::new(output, cotangent), 0);
    let mut deltas = vec![delta.clone()];
    let mut skips = Vec::new();
    let mut rest = parameters;
    for (layer, x) in layers.iter().zip(trace).rev() {
        let (others, own) = rest.split_at(rest.len() - parameter_count(layer, x.width));
        rest = others;
        delta = match layer {
            Layer::Dense(dense) => {
                let transposed = |row: &[f64]| -> Vec<f64> {
                    let dot = |weights: &[f64]| weights.iter().zip(row).map(|(w, d)| w * d).sum();
                    own[..x.width * dense.units].chunks(dense.units).map(dot).collect()
                };
                let values = delta.rows.values.chunks(dense.units).flat_map(transposed).collect();
                Wide::new(Rows { width: x.width, values }, delta.exponent)
            }
            Layer::Activation(function) => {
                let slope =
                    |h: &f64| differentiate(&[*h], |h| activate(*function, own.first().copied(), h[0]))[0];
                let values = delta.rows.values.iter().zip(&x.values).map(|(d, h)| d * slope(h)).collect();
                Wide::new(Rows { width: x.width, values }, delta.exponent)
            }
            Layer::SkipEnd { scale } => {
                skips.push(delta.clone());
                Wide::new(delta.rows.map(|d| d * f64::from(*scale)), delta.exponent)
            }
            Layer::LearnedSkipEnd { .. } => {
                skips.push(delta.clone());
                Wide::new(delta.rows.map(|d| d * own[0]), delta.exponent)
            }
            Layer::SkipStart => delta.plus(&skips.pop().expect("was closed")),
            _ => {
                panic!("no reference for {layer:?}")
            }
        };
        deltas.push(delta.clone());
    }
    deltas.reverse();
    deltas
}

/// X^T dY: the gradient of a dense layer's weights.
pub fn weight_gradient(x: &Rows, delta: &Wide) -> Wide {
    let mut values = vec![0.0; x.width * delta.rows.width];
    for (x, d) in x.values.chunks(x.width).zip(delta.rows.values.chunks(delta.rows.width)) {
        for (row, x) in values.chunks_mut(d.len()).zip(x) {
            for (sum, d) in row.iter_mut().zip(d) {
                *sum += x * d;
            }
        }
    }
    Wide::new(Rows { width: delta.rows.width, values }, delta.exponent)
}
