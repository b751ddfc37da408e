//! Deep random networks once more, in f64 and as plain loops: the truth that a diagnosis is held against.
//!
//! It shares nothing with the code under test but the shape of a record: weights, inputs and cotangents come from a
//! generator of its own (SplitMix64 and Box-Muller), passes are sums written out, one sample per network, or a batch
//! where batch norm needs one.

use isobath::diagnose::{LayerRecord, Norm, Record};

/// phi.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phi {
    /// max(h, 0).
    Relu,
    /// h, or a fifth of it below 0.
    Leaky,
    /// tanh h.
    Tanh,
    /// 1 / (1 + e^-h).
    Sigmoid,
    /// h, or e^h - 1 below 0.
    Elu,
}

impl Phi {
    /// Value and slope.
    pub fn at(self, h: f64) -> (f64, f64) {
        match self {
            Self::Relu => {
                if h > 0.0 {
                    (h, 1.0)
                } else {
                    (0.0, 0.0)
                }
            }
            Self::Leaky => {
                if h > 0.0 {
                    (h, 1.0)
                } else {
                    (0.2 * h, 0.2)
                }
            }
            Self::Tanh => (h.tanh(), 1.0 - h.tanh().powi(2)),
            Self::Sigmoid => {
                let y = 1.0 / (1.0 + (-h).exp());
                (y, y * (1.0 - y))
            }
            Self::Elu => {
                if h > 0.0 {
                    (h, 1.0)
                } else {
                    (h.exp_m1(), h.exp())
                }
            }
        }
    }

    /// Whether phi(c h) = c phi(h) for c > 0.
    pub fn is_homogeneous(self) -> bool {
        matches!(self, Self::Relu | Self::Leaky)
    }
}

/// How weights are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weights {
    /// Independent and normal.
    Gaussian,
    /// Independent and uniform.
    Uniform,
    /// Orthonormal rows times s_w.
    Orthogonal,
}

/// What is wrong with one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Its weights times this.
    Scaled(f64),
    /// Its biases moved by this.
    Shifted(f64),
    /// Its weights all 0.
    Silent,
    /// A weight that is not a number.
    Broken,
}

/// An ensemble of networks whose input is as wide as their layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ensemble {
    /// phi.
    pub phi: Phi,
    /// The weights' distribution.
    pub weights: Weights,
    /// s_w^2 = n Var W.
    pub weight_variance: f64,
    /// s_b^2.
    pub bias_variance: f64,
    /// Hidden layers.
    pub depth: usize,
    /// Units per layer.
    pub width: usize,
    /// Samples over which batch norm (before phi) is taken; 1 is no batch norm.
    pub batch: usize,
    /// The mean square of the input.
    pub input: f64,
    /// A fault, and its layer from 1.
    pub fault: Option<(usize, Fault)>,
}

/// SplitMix64, with normal numbers by Box and Muller.
struct Generator(u64);

impl Generator {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normals(&mut self, count: usize, deviation: f64) -> Vec<f64> {
        let mut values = Vec::with_capacity(count + 1);
        while values.len() < count {
            let radius = deviation * (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
            let angle = core::f64::consts::TAU * self.uniform();
            values.extend([radius * angle.cos(), radius * angle.sin()]);
        }
        values.truncate(count);
        values
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// One layer as it was run. Matrices are row by row; W has a row per unit.
struct Layer {
    x: Vec<Vec<f64>>,
    w: Vec<f64>,
    slopes: Vec<Vec<f64>>,
    /// Batch norm's output and 1 / deviation per unit.
    normalised: Option<(Vec<Vec<f64>>, Vec<f64>)>,
}

/// Norms of one network: those a program would record, and log10 of the gradient's ratio, if it has one.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The norms.
    pub record: Record,
    /// Whether the gradient is exactly 0 at the bottom.
    pub is_dead: bool,
}

impl Seen {
    /// log10(||delta^1|| / ||delta^L||).
    pub fn decades(&self) -> Option<f64> {
        let layers = &self.record.layers;
        Some(layers.first()?.delta.log10()? - layers.last()?.delta.log10()?)
    }
}

impl Ensemble {
    fn draw_weights(&self, generator: &mut Generator) -> Vec<f64> {
        let n = self.width;
        let deviation = (self.weight_variance / n as f64).sqrt();
        match self.weights {
            Weights::Gaussian => generator.normals(n * n, deviation),
            Weights::Uniform => {
                let limit = 3f64.sqrt() * deviation;
                (0..n * n).map(|_| limit * (2.0 * generator.uniform() - 1.0)).collect()
            }
            Weights::Orthogonal => {
                let mut rows: Vec<Vec<f64>> = Vec::new();
                while rows.len() < n {
                    let mut row = generator.normals(n, 1.0);
                    for _ in 0..2 {
                        for other in &rows {
                            let along = dot(&row, other);
                            row.iter_mut().zip(other).for_each(|(v, o)| *v -= along * o);
                        }
                    }
                    let length = norm(&row);
                    rows.push(row.iter().map(|v| v / length).collect());
                }
                rows.into_iter().flatten().map(|v| v * self.weight_variance.sqrt()).collect()
            }
        }
    }

    fn layer(&self, number: usize, x: Vec<Vec<f64>>, generator: &mut Generator) -> (Layer, Vec<Vec<f64>>) {
        let n = self.width;
        let mut w = self.draw_weights(generator);
        let mut b = generator.normals(n, self.bias_variance.sqrt());
        match self.fault.filter(|(layer, _)| *layer == number).map(|(_, fault)| fault) {
            Some(Fault::Scaled(factor)) => w.iter_mut().for_each(|w| *w *= factor),
            Some(Fault::Shifted(by)) => b.iter_mut().for_each(|b| *b += by),
            Some(Fault::Silent) => w.fill(0.0),
            Some(Fault::Broken) => w[0] = f64::NAN,
            None => {}
        }
        let affine =
            |x: &Vec<f64>| -> Vec<f64> { w.chunks(n).zip(&b).map(|(row, b)| dot(row, x) + b).collect() };
        let mut h: Vec<Vec<f64>> = x.iter().map(affine).collect();
        let mut normalised = None;
        if self.batch > 1 {
            let samples = self.batch as f64;
            let mut inverse = vec![0.0; n];
            for j in 0..n {
                let mean = h.iter().map(|row| row[j]).sum::<f64>() / samples;
                let variance = h.iter().map(|row| (row[j] - mean).powi(2)).sum::<f64>() / samples;
                inverse[j] = 1.0 / (variance + 1e-5).sqrt();
                h.iter_mut().for_each(|row| row[j] = (row[j] - mean) * inverse[j]);
            }
            normalised = Some((h.clone(), inverse));
        }
        let pairs: Vec<Vec<(f64, f64)>> =
            h.iter().map(|row| row.iter().map(|h| self.phi.at(*h)).collect()).collect();
        let part = |pick: fn(&(f64, f64)) -> f64| -> Vec<Vec<f64>> {
            pairs.iter().map(|row| row.iter().map(pick).collect()).collect()
        };
        (Layer { x, w, slopes: part(|pair| pair.1), normalised }, part(|pair| pair.0))
    }

    /// Runs network number `net` of the ensemble.
    pub fn run(&self, net: u64) -> Seen {
        let n = self.width;
        let mut generator = Generator(net.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5851_f42d_4c95_7f2d);
        let mut draw = |deviation: f64| -> Vec<Vec<f64>> {
            (0..self.batch).map(|_| generator.normals(n, deviation)).collect()
        };
        let mut signal = draw(self.input.sqrt());
        let mut gradient = draw(1.0);
        let mut layers = Vec::with_capacity(self.depth);
        for number in 1..=self.depth {
            let (layer, above) = self.layer(number, signal, &mut generator);
            layers.push(layer);
            signal = above;
        }
        // Norms are summed on a power of two beside the gradient, so that no depth takes it out of range.
        let mut exponent = 0.0;
        let mut records = Vec::with_capacity(self.depth);
        for layer in layers.iter().rev() {
            let mut delta = gradient.clone();
            for (row, slopes) in delta.iter_mut().zip(&layer.slopes) {
                row.iter_mut().zip(slopes).for_each(|(d, slope)| *d *= slope);
            }
            let size = norm(&delta.concat());
            let mut gw = vec![0.0; n * n];
            // What reaches W has gone through the normalisation.
            let mut below = delta.clone();
            if let Some((h, inverse)) = &layer.normalised {
                let samples = self.batch as f64;
                for j in 0..n {
                    let sum: f64 = delta.iter().map(|row| row[j]).sum();
                    let along: f64 = delta.iter().zip(h).map(|(d, h)| d[j] * h[j]).sum();
                    for (row, h) in below.iter_mut().zip(h) {
                        row[j] = inverse[j] * (row[j] - sum / samples - h[j] * along / samples);
                    }
                }
            }
            for (d, x) in below.iter().zip(&layer.x) {
                for (row, d) in gw.chunks_mut(n).zip(d) {
                    row.iter_mut().zip(x).for_each(|(g, x)| *g += d * x);
                }
            }
            let log10 = |value: f64| match Norm::new(value) {
                Some(Norm::Log10(log10)) => Norm::Log10(log10 + exponent),
                other => other.unwrap_or_default(),
            };
            records.push(LayerRecord {
                x: Norm::new(norm(&layer.x.concat())).unwrap_or_default(),
                delta: log10(size),
                gw: log10(norm(&gw)),
                w: Norm::new(norm(&layer.w)).unwrap_or_default(),
            });
            gradient = below
                .iter()
                .map(|d| (0..n).map(|j| (0..n).map(|i| layer.w[i * n + j] * d[i]).sum()).collect())
                .collect();
            let size = norm(&gradient.concat());
            if size.is_finite() && size > 0.0 {
                gradient.iter_mut().flatten().for_each(|g| *g /= size);
                exponent += size.log10();
            }
        }
        records.reverse();
        let is_dead = records[0].delta == Norm::Zero;
        Seen { record: Record { step: 0, input_delta: Norm::Missing, layers: records }, is_dead }
    }
}

/// The record of several networks: means of logarithms; a norm that is not finite, or zero, in half of them is so.
pub fn average(nets: &[Seen]) -> Record {
    let mean = |l: usize, norm: fn(&LayerRecord) -> Norm| {
        let norms: Vec<Norm> = nets.iter().map(|net| norm(&net.record.layers[l])).collect();
        for special in [Norm::NotFinite, Norm::Zero] {
            if 2 * norms.iter().filter(|norm| **norm == special).count() >= norms.len() {
                return special;
            }
        }
        let logs: Vec<f64> = norms.iter().filter_map(|norm| norm.log10()).collect();
        Norm::Log10(logs.iter().sum::<f64>() / logs.len() as f64)
    };
    let layers = (0..nets[0].record.layers.len())
        .map(|l| LayerRecord {
            x: mean(l, |layer| layer.x),
            delta: mean(l, |layer| layer.delta),
            gw: mean(l, |layer| layer.gw),
            w: mean(l, |layer| layer.w),
        })
        .collect();
    Record { step: 0, input_delta: Norm::Missing, layers }
}
