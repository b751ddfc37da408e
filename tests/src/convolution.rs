//! Networks over images in f64: a convolution as its definition says, four nested loops per output, no patches.
//!
//! Layers that know no positions are those of [`crate::network`]. Derivatives come from central differences there.

use isobath::net::{Layer, Signal, Window};

use crate::network::{self, Rows};

/// A batch of images, channel after channel, position after position, sample after sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// What each of them is.
    pub signal: Signal,
    /// All numbers.
    pub values: Vec<f64>,
}

impl Images {
    /// The same numbers as f64.
    pub fn new(signal: Signal, values: &[f32]) -> Self {
        Self { signal, values: values.iter().copied().map(f64::from).collect() }
    }

    fn samples(&self) -> usize {
        self.values.len() / self.signal.elements()
    }

    /// 0 outside the image.
    fn at(&self, sample: usize, y: isize, x: isize, channel: usize) -> f64 {
        let Signal { height, width, channels } = self.signal;
        if y < 0 || x < 0 || y as usize >= height || x as usize >= width {
            return 0.0;
        }
        self.values[((sample * height + y as usize) * width + x as usize) * channels + channel]
    }

    /// Every number of a batch of this kind by a function of sample, row, column and channel.
    fn by(samples: usize, signal: Signal, f: impl Fn(usize, usize, usize, usize) -> f64) -> Self {
        let mut values = Vec::new();
        for sample in 0..samples {
            for y in 0..signal.height {
                for x in 0..signal.width {
                    values.extend((0..signal.channels).map(|channel| f(sample, y, x, channel)));
                }
            }
        }
        Self { signal, values }
    }
}

/// Parameters of a layer on images with so many channels.
fn parameter_count(layer: &Layer, channels: usize) -> usize {
    match layer {
        Layer::Convolution(layer) => (layer.window.size.pow(2) * channels + 1) * layer.channels,
        Layer::Dense(dense) => (channels + 1) * dense.units,
        Layer::BatchNorm { .. } | Layer::LayerNorm { .. } => 2 * channels,
        Layer::Activation(isobath::activation::Activation::Prelu(_)) => 1,
        _ => 0,
    }
}

/// The input of every layer, and last the network's output.
///
/// # Panics
/// The layers are no network, or have another number of parameters.
pub fn forward(layers: &[Layer], parameters: &[f64], input: &Images) -> Vec<Images> {
    let mut trace = vec![input.clone()];
    let (mut skips, mut rest) = (Vec::new(), parameters);
    for layer in layers {
        let x = trace.last().expect("starts with the input");
        let (own, others) = rest.split_at(parameter_count(layer, x.signal.channels));
        rest = others;
        let y = match layer {
            Layer::Convolution(layer) => convolve(x, own, layer.channels, layer.window),
            Layer::MaxPool { size, stride } => largest(x, *size, *stride),
            Layer::AveragePool => average(x),
            Layer::Flatten => {
                Images { signal: Signal::vector(x.signal.elements()), values: x.values.clone() }
            }
            Layer::SkipStart => {
                skips.push(x.clone());
                x.clone()
            }
            Layer::SkipEnd { scale } => {
                let skip = skips.pop().expect("was opened");
                assert_eq!(skip.signal, x.signal);
                let sum = skip.values.iter().zip(&x.values).map(|(s, x)| s + f64::from(*scale) * x);
                Images { signal: x.signal, values: sum.collect() }
            }
            _ => {
                let rows = Rows { width: x.signal.channels, values: x.values.clone() };
                let out = network::forward(std::slice::from_ref(layer), own, &rows);
                let out = out.last().expect("the output");
                Images { signal: Signal { channels: out.width, ..x.signal }, values: out.values.clone() }
            }
        };
        trace.push(y);
    }
    assert!(rest.is_empty(), "{} parameters too many", rest.len());
    trace
}

/// How many windows there are along so many positions.
fn places(positions: usize, window: Window) -> usize {
    let fits = |place: &usize| place * window.stride + window.size <= positions + 2 * window.padding;
    (0..).take_while(fits).count()
}

fn convolve(x: &Images, own: &[f64], channels: usize, window: Window) -> Images {
    let (height, width) = (places(x.signal.height, window), places(x.signal.width, window));
    let (weights, biases) = own.split_at(own.len() - channels);
    Images::by(x.samples(), Signal { height, width, channels }, |sample, y, x_, out| {
        let mut sum = biases[out];
        for ky in 0..window.size {
            for kx in 0..window.size {
                for c in 0..x.signal.channels {
                    let row = (y * window.stride + ky) as isize - window.padding as isize;
                    let column = (x_ * window.stride + kx) as isize - window.padding as isize;
                    let weight = ((ky * window.size + kx) * x.signal.channels + c) * channels + out;
                    sum += weights[weight] * x.at(sample, row, column, c);
                }
            }
        }
        sum
    })
}

fn largest(x: &Images, size: usize, stride: usize) -> Images {
    let window = Window { size, stride, padding: 0 };
    let (height, width) = (places(x.signal.height, window), places(x.signal.width, window));
    Images::by(x.samples(), Signal { height, width, ..x.signal }, |sample, y, x_, c| {
        let seen = (0..size * size)
            .map(|i| x.at(sample, (y * stride + i / size) as isize, (x_ * stride + i % size) as isize, c));
        seen.fold(f64::NEG_INFINITY, f64::max)
    })
}

fn average(x: &Images) -> Images {
    let Signal { height, width, channels } = x.signal;
    Images::by(x.samples(), Signal::vector(channels), |sample, _, _, c| {
        let seen = (0..height * width).map(|i| x.at(sample, (i / width) as isize, (i % width) as isize, c));
        seen.sum::<f64>() / (height * width) as f64
    })
}
