//! The truth: deep random networks once more, in f64 and as plain loops.
//!
//! It shares nothing with the code under test but the drawing of glyphs: weights, inputs and cotangents come from the
//! zoo's own generator, passes are sums written out, and neither the kernels nor the theory are asked. Norms are handed
//! out as a [`Record`], which is what another program would have written down of the same networks.

use super::ensemble::{Ensemble, Fault, Input, Weights};
use super::generator::Generator;
use super::rows::{Rows, dot, effective_rank, norm, norm_of_products};
use crate::data::glyphs;
use crate::diagnose::{LayerRecord, Norm, Record};
use crate::probe::NEIGHBOURS;
use crate::random::Random;

/// Inputs over which ranks and saturation are taken in networks without batch norm.
const SURVEY: usize = 32;

/// Pairs of neighbours among them.
const PAIRS: usize = 4;

/// What is true of one network.
///
/// ```
/// use isobath::zoo::{Ensemble, Input, Phi, Weights};
/// # const HE: Ensemble = Ensemble {
/// #     phi: Phi::Relu,
/// #     weights: Weights::Gaussian,
/// #     weight_variance: 2.0,
/// #     bias_variance: 0.0,
/// #     depth: 8,
/// #     width: 64,
/// #     batch: 1,
/// #     input: Input::Gaussian(1.0),
/// #     loss: false,
/// #     fault: None,
/// # };
///
/// // HE: eight layers of 64 ReLUs, with He's variance.
/// let seen = HE.run(1, true);
/// assert!(seen.is_finite && !seen.is_dead);
/// // He's weights keep the gradient within half a decade.
/// assert!(seen.record.decades().unwrap().abs() < 0.5);
/// // Half of the ReLUs are flat.
/// assert!((seen.survey.unwrap().saturated - 0.5).abs() < 0.1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Norms of x, delta, gW and W per layer.
    pub record: Record,
    /// Whether dL/dx^0 is exactly 0.
    pub is_dead: bool,
    /// Whether all values and gradients are finite.
    pub is_finite: bool,
    /// What the survey saw, where there was one.
    pub survey: Option<Survey>,
}

/// What is seen with several inputs.
///
/// ```
/// use isobath::zoo::{Ensemble, Input, Phi, Weights};
/// # const HE: Ensemble = Ensemble {
/// #     phi: Phi::Relu,
/// #     weights: Weights::Gaussian,
/// #     weight_variance: 2.0,
/// #     bias_variance: 0.0,
/// #     depth: 8,
/// #     width: 64,
/// #     batch: 1,
/// #     input: Input::Gaussian(1.0),
/// #     loss: false,
/// #     fault: None,
/// # };
///
/// // HE: eight layers of 64 ReLUs, with He's variance.
/// let survey = HE.run(1, true).survey.unwrap();
/// // Layers of ReLUs leave fewer directions, and neighbours' gradients less alike: the first 1 - acos(.9)/pi = .86.
/// assert_eq!(survey.ranks.len(), 1 + 8);
/// assert!(survey.ranks[8] < survey.ranks[0]);
/// assert!((0.0..0.86).contains(&survey.correlation.unwrap()));
/// ```
#[derive(Clone, Debug)]
pub struct Survey {
    /// Fraction of units and inputs whose slope is below 1 % of the steepest.
    pub saturated: f64,
    /// Effective rank of the inputs, then of each layer's outputs.
    pub ranks: Vec<f64>,
    /// Cosine between the gradients of two inputs of correlation 0.9; none for batch norm and images.
    pub correlation: Option<f64>,
}

/// One layer as it was run; W has a row per unit.
struct Layer {
    x: Rows,
    w: Vec<f64>,
    slopes: Rows,
    /// Batch norm's gain, output before it, and 1 / deviation per unit.
    normalised: Option<(f64, Rows, Vec<f64>)>,
}

impl Ensemble {
    /// Runs network number `net` of the ensemble, with a survey if that is wanted.
    ///
    /// ```
    /// use isobath::zoo::{Ensemble, Input, Phi, Weights};
    /// # const HE: Ensemble = Ensemble {
    /// #     phi: Phi::Relu,
    /// #     weights: Weights::Gaussian,
    /// #     weight_variance: 2.0,
    /// #     bias_variance: 0.0,
    /// #     depth: 8,
    /// #     width: 64,
    /// #     batch: 1,
    /// #     input: Input::Gaussian(1.0),
    /// #     loss: false,
    /// #     fault: None,
    /// # };
    ///
    /// // HE: eight layers of 64 ReLUs, with He's variance.
    /// // A number names a network: the same one, with the same weights, whenever it is run.
    /// let decades = |net| HE.run(net, false).record.decades().unwrap();
    /// assert_eq!(decades(1), decades(1));
    /// assert_ne!(decades(1), decades(2));
    /// // A survey takes more inputs, and is left out where none is wanted.
    /// assert!(HE.run(1, false).survey.is_none());
    /// ```
    pub fn run(&self, net: u64, survey: bool) -> Seen {
        let mut generator = Generator::new(net, 0x5851_f42d_4c95_7f2d);
        let pair = survey && self.batch == 1 && matches!(self.input, Input::Gaussian(_));
        let inputs = self.inputs(net, survey, pair, &mut generator);
        let mut ranks = if survey { vec![effective_rank(&inputs)] } else { Vec::new() };
        let mut signal = inputs;
        let mut layers = Vec::with_capacity(self.depth);
        for number in 1..=self.depth {
            let (layer, above) = self.layer(number, &signal, &mut generator);
            layers.push(layer);
            signal = above;
            if survey {
                ranks.push(effective_rank(&signal));
            }
        }
        let is_finite = signal.iter().flatten().all(|value| value.is_finite());
        let cotangent = if self.loss {
            self.cotangent_of_loss(&signal[..self.batch], &mut generator)
        } else {
            (0..self.batch).map(|_| generator.normals(self.width, 1.0)).collect()
        };
        let descent = self.descend(&layers, cotangent);
        let correlation = pair.then(|| {
            let cotangents = (0..PAIRS).flat_map(|_| vec![generator.normals(self.width, 1.0); 2]).collect();
            let bottom = self.descend(&layers, cotangents).bottom;
            let cosine = |pair: &[Vec<f64>]| {
                dot(&pair[0], &pair[1]) / (dot(&pair[0], &pair[0]) * dot(&pair[1], &pair[1])).sqrt()
            };
            bottom.chunks(2).map(cosine).sum::<f64>() / PAIRS as f64
        });
        let slopes = || layers.iter().flat_map(|layer| layer.slopes.iter().flatten());
        let flat = slopes().filter(|slope| **slope < 0.01 * self.phi.steepest()).count();
        Seen {
            is_dead: descent.bottom.iter().flatten().all(|value| *value == 0.0),
            is_finite: is_finite && descent.bottom.iter().flatten().all(|value| value.is_finite()),
            survey: survey.then(|| Survey {
                saturated: flat as f64 / slopes().count() as f64,
                ranks,
                correlation: correlation.filter(|cosine| cosine.is_finite()),
            }),
            record: descent.record,
        }
    }

    /// The batch; for a survey without batch norm, more inputs behind it, the first few in pairs of neighbours.
    fn inputs(&self, net: u64, survey: bool, pair: bool, generator: &mut Generator) -> Rows {
        let count = if survey { self.batch.max(SURVEY) } else { self.batch };
        match self.input {
            Input::Gaussian(mean_square) => {
                let mut rows: Rows =
                    (0..count).map(|_| generator.normals(self.width, mean_square.sqrt())).collect();
                if pair {
                    let across = (1.0 - NEIGHBOURS * NEIGHBOURS).sqrt();
                    for pair in rows.chunks_mut(2).take(PAIRS) {
                        let (first, second) = pair.split_at_mut(1);
                        let neighbours = second[0].iter_mut().zip(&first[0]);
                        neighbours.for_each(|(y, x)| *y = NEIGHBOURS * x + across * *y);
                    }
                }
                rows
            }
            Input::Glyphs => {
                let mut images = vec![0.0; count.max(glyphs::CLASSES) * glyphs::FEATURES];
                let mut labels = vec![0; count.max(glyphs::CLASSES)];
                glyphs::fill(&mut Random::stream(net, u64::MAX), &mut images, &mut labels);
                let rows = images.chunks_exact(glyphs::FEATURES).take(count);
                rows.map(|image| image.iter().map(|pixel| f64::from(*pixel)).collect()).collect()
            }
        }
    }

    fn draw_weights(&self, fan_in: usize, generator: &mut Generator) -> Vec<f64> {
        let n = self.width;
        let deviation = (self.weight_variance / fan_in as f64).sqrt();
        match self.weights {
            Weights::Gaussian => generator.normals(n * fan_in, deviation),
            Weights::Uniform => {
                let limit = 3f64.sqrt() * deviation;
                (0..n * fan_in).map(|_| generator.between(-limit, limit)).collect()
            }
            Weights::Orthogonal => {
                let (count, length) = (n.min(fan_in), n.max(fan_in));
                let mut vectors: Rows = Vec::with_capacity(count);
                while vectors.len() < count {
                    let mut vector = generator.normals(length, 1.0);
                    for _ in 0..2 {
                        for other in &vectors {
                            let along = dot(&vector, other);
                            vector.iter_mut().zip(other).for_each(|(v, o)| *v -= along * o);
                        }
                    }
                    let size = dot(&vector, &vector).sqrt();
                    vectors.push(vector.iter().map(|v| v / size).collect());
                }
                let scale = (self.weight_variance * length as f64 / fan_in as f64).sqrt();
                let of = |i: usize, j: usize| if fan_in < n { vectors[j][i] } else { vectors[i][j] };
                (0..n * fan_in).map(|at| scale * of(at / fan_in, at % fan_in)).collect()
            }
        }
    }

    fn layer(&self, number: usize, x: &[Vec<f64>], generator: &mut Generator) -> (Layer, Rows) {
        let (n, fan_in) = (self.width, x[0].len());
        let mut w = self.draw_weights(fan_in, generator);
        let mut b = generator.normals(n, self.bias_variance.sqrt());
        let mut gain = 1.0;
        match self.fault_of(number) {
            Some(Fault::Scaled(factor)) => w.iter_mut().for_each(|w| *w *= factor),
            Some(Fault::Shifted(by)) => b.iter_mut().for_each(|b| *b += by),
            Some(Fault::Silent) => w.fill(0.0),
            Some(Fault::Halved) => {
                w.chunks_mut(fan_in).step_by(2).flatten().for_each(|w| *w = 0.0);
                b.iter_mut().step_by(2).for_each(|b| *b = 0.0);
            }
            Some(Fault::Alike(units)) => {
                for unit in units..n {
                    w.copy_within((unit - units) * fan_in..(unit - units + 1) * fan_in, unit * fan_in);
                    b[unit] = b[unit - units];
                }
            }
            Some(Fault::Mute) => gain = 0.0,
            Some(Fault::Broken) => w[0] = f64::NAN,
            None => {}
        }
        let affine = |x: &Vec<f64>| w.chunks(fan_in).zip(&b).map(|(row, b)| dot(row, x) + b).collect();
        let mut h: Rows = x.iter().map(affine).collect();
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
            normalised = Some((gain, h.clone(), inverse));
            h.iter_mut().flatten().for_each(|h| *h *= gain);
        }
        let pairs = |row: &Vec<f64>| row.iter().map(|h| self.phi.at(*h)).unzip();
        let (outputs, slopes): (Rows, Rows) = h.iter().map(pairs).unzip();
        (Layer { x: x.to_vec(), w, slopes, normalised }, outputs)
    }

    /// The gradient of mean softmax cross-entropy with random labels at the last hidden output.
    fn cotangent_of_loss(&self, top: &[Vec<f64>], generator: &mut Generator) -> Rows {
        let n = self.width;
        let head = generator.normals(glyphs::CLASSES * n, (1.0 / n as f64).sqrt());
        let gradient = |x: &Vec<f64>| {
            let logits: Vec<f64> = head.chunks(n).map(|row| dot(row, x)).collect();
            let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let powers: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
            let sum: f64 = powers.iter().sum();
            let mut gradient: Vec<f64> = powers.iter().map(|power| power / sum).collect();
            gradient[(generator.uniform() * glyphs::CLASSES as f64) as usize] -= 1.0;
            let mut below = vec![0.0; n];
            for (row, g) in head.chunks(n).zip(&gradient) {
                below.iter_mut().zip(row).for_each(|(below, w)| *below += w * g);
            }
            below
        };
        top.iter().map(gradient).collect()
    }

    /// Sends gradients of the first rows down.
    fn descend(&self, layers: &[Layer], mut gradient: Rows) -> Descent {
        // The power of ten beside the gradient lets no depth take it out of range.
        let mut log10 = 0.0;
        let mut records = Vec::with_capacity(layers.len());
        for layer in layers.iter().rev() {
            for (row, slopes) in gradient.iter_mut().zip(&layer.slopes) {
                row.iter_mut().zip(slopes).for_each(|(d, slope)| *d *= slope);
            }
            let size = norm(&gradient);
            if let Some((gain, h, inverse)) = &layer.normalised {
                let samples = self.batch as f64;
                for j in 0..self.width {
                    let sum: f64 = gradient.iter().map(|row| row[j]).sum();
                    let along: f64 = gradient.iter().zip(h).map(|(d, h)| d[j] * h[j]).sum();
                    for (row, h) in gradient.iter_mut().zip(h) {
                        row[j] = gain * inverse[j] * (row[j] - sum / samples - h[j] * along / samples);
                    }
                }
            }
            let x = &layer.x[..gradient.len()];
            let on_scale = |value: f64| match Norm::new(value) {
                Some(Norm::Log10(own)) => Norm::Log10(own + log10),
                other => other.unwrap_or_default(),
            };
            records.push(LayerRecord {
                x: Norm::new(norm(x)).unwrap_or_default(),
                delta: on_scale(size),
                gw: on_scale(norm_of_products(&gradient, x)),
                w: Norm::new(dot(&layer.w, &layer.w).sqrt()).unwrap_or_default(),
                ..LayerRecord::default()
            });
            let fan_in = layer.w.len() / self.width;
            gradient = gradient
                .iter()
                .map(|delta| {
                    let mut below = vec![0.0; fan_in];
                    for (row, d) in layer.w.chunks(fan_in).zip(delta) {
                        below.iter_mut().zip(row).for_each(|(below, w)| *below += w * d);
                    }
                    below
                })
                .collect();
            let size = norm(&gradient);
            if size.is_finite() && size > 0.0 {
                gradient.iter_mut().flatten().for_each(|g| *g /= size);
                log10 += size.log10();
            }
        }
        records.reverse();
        Descent { record: Record { layers: records, ..Record::default() }, bottom: gradient }
    }
}

/// How a gradient arrives.
struct Descent {
    record: Record,
    /// dL/dx^0, times a power of ten.
    bottom: Rows,
}
