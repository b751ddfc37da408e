//! Restricted Boltzmann machines again, in f64, by going through all of their states: what contrastive divergence
//! is compared with. Only the order of the parameters (weights, hidden biases, visible biases) is shared with the code
//! under test.

/// A machine small enough to enumerate.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Visible units.
    pub visible: usize,
    /// Hidden units.
    pub hidden: usize,
    /// Weights (visible x hidden), hidden biases, visible biases.
    pub parameters: Vec<f64>,
}

/// State number s: unit i is bit i.
fn bits(state: usize, units: usize) -> Vec<f64> {
    (0..units).map(|i| (state >> i & 1) as f64).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn log_sum_exp(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    let largest = values.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
    largest + values.iter().map(|v| (v - largest).exp()).sum::<f64>().ln()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The probability of a state of independent units.
fn product(means: &[f64], state: &[f64]) -> f64 {
    means.iter().zip(state).map(|(p, s)| if *s == 1.0 { *p } else { 1.0 - p }).product()
}

impl Machine {
    fn weight(&self, i: usize, j: usize) -> f64 {
        self.parameters[i * self.hidden + j]
    }

    fn hidden_biases(&self) -> &[f64] {
        &self.parameters[self.visible * self.hidden..][..self.hidden]
    }

    fn visible_biases(&self) -> &[f64] {
        &self.parameters[(self.visible + 1) * self.hidden..]
    }

    /// v W + b.
    fn hidden_sums(&self, v: &[f64]) -> Vec<f64> {
        let sum =
            |j| self.hidden_biases()[j] + (0..self.visible).map(|i| v[i] * self.weight(i, j)).sum::<f64>();
        (0..self.hidden).map(sum).collect()
    }

    /// W h.
    fn reach(&self, h: &[f64]) -> Vec<f64> {
        (0..self.visible).map(|i| (0..self.hidden).map(|j| self.weight(i, j) * h[j]).sum()).collect()
    }

    fn hidden_means(&self, v: &[f64]) -> Vec<f64> {
        self.hidden_sums(v).into_iter().map(sigmoid).collect()
    }

    fn visible_means(&self, h: &[f64]) -> Vec<f64> {
        self.reach(h).iter().zip(self.visible_biases()).map(|(s, a)| sigmoid(s + a)).collect()
    }

    /// Minus the free energy of binary visible units: the logarithm of the sum of exp(-E) over hidden states.
    fn log_weight(&self, v: &[f64]) -> f64 {
        dot(self.visible_biases(), v) + self.hidden_sums(v).into_iter().map(softplus).sum::<f64>()
    }

    /// p(v) of every state of binary visible units.
    pub fn distribution(&self) -> Vec<f64> {
        let weights: Vec<f64> =
            (0..1 << self.visible).map(|s| self.log_weight(&bits(s, self.visible))).collect();
        let log_z = log_sum_exp(weights.iter().copied());
        weights.iter().map(|w| (w - log_z).exp()).collect()
    }

    /// The mean of log p(v) over rows of binary visible units.
    pub fn log_likelihood(&self, rows: &[f64]) -> f64 {
        let log_z = log_sum_exp((0..1 << self.visible).map(|s| self.log_weight(&bits(s, self.visible))));
        let sum: f64 = rows.chunks_exact(self.visible).map(|v| self.log_weight(v)).sum();
        sum / (rows.len() / self.visible) as f64 - log_z
    }

    /// The same for Gaussian visible units of unit variance: hidden states are enumerated, visible ones integrated.
    pub fn gaussian_log_likelihood(&self, rows: &[f64]) -> f64 {
        let states = || (0..1 << self.hidden).map(|s| bits(s, self.hidden));
        let (a, b) = (self.visible_biases(), self.hidden_biases());
        let half = |x: &[f64]| dot(x, x) / 2.0;
        let log_z = log_sum_exp(states().map(|h| {
            let reach = self.reach(&h);
            dot(b, &h) + dot(a, &reach) + half(&reach)
        })) + self.visible as f64 / 2.0 * (2.0 * std::f64::consts::PI).ln();
        let of_row = |v: &[f64]| {
            let away: Vec<f64> = v.iter().zip(a).map(|(v, a)| v - a).collect();
            log_sum_exp(states().map(|h| dot(b, &h) + dot(v, &self.reach(&h)))) - half(&away) - log_z
        };
        rows.chunks_exact(self.visible).map(of_row).sum::<f64>() / (rows.len() / self.visible) as f64
    }

    /// The gradient of minus a log-likelihood, by central differences.
    pub fn differences(&self, log_likelihood: impl Fn(&Self) -> f64) -> Vec<f64> {
        const STEP: f64 = 1e-5;
        let at = |p: usize, by: f64| {
            let mut moved = self.clone();
            moved.parameters[p] += by;
            log_likelihood(&moved)
        };
        (0..self.parameters.len()).map(|p| (at(p, -STEP) - at(p, STEP)) / (2.0 * STEP)).collect()
    }

    /// <v h>, <h> and <v> where visible states have these probabilities, in the order of the parameters.
    fn moments(&self, distribution: &[f64]) -> Vec<f64> {
        let mut moments = vec![0.0; self.parameters.len()];
        for (state, p) in distribution.iter().enumerate() {
            let v = bits(state, self.visible);
            let h = self.hidden_means(&v);
            for i in 0..self.visible {
                for j in 0..self.hidden {
                    moments[i * self.hidden + j] += p * v[i] * h[j];
                }
                moments[(self.visible + 1) * self.hidden + i] += p * v[i];
            }
            for j in 0..self.hidden {
                moments[self.visible * self.hidden + j] += p * h[j];
            }
        }
        moments
    }

    /// One Gibbs step: the distribution of visible states after hidden units were drawn, and visible ones from them.
    pub fn gibbs_step(&self, distribution: &[f64]) -> Vec<f64> {
        let mut of_hidden = vec![0.0; 1 << self.hidden];
        for (state, p) in distribution.iter().enumerate() {
            let means = self.hidden_means(&bits(state, self.visible));
            for (h, q) in of_hidden.iter_mut().enumerate() {
                *q += p * product(&means, &bits(h, self.hidden));
            }
        }
        let mut after = vec![0.0; distribution.len()];
        for (h, q) in of_hidden.iter().enumerate() {
            let means = self.visible_means(&bits(h, self.hidden));
            for (v, p) in after.iter_mut().enumerate() {
                *p += q * product(&means, &bits(v, self.visible));
            }
        }
        after
    }

    /// What CD with `gibbs_steps` estimates for data that are distributed so: its expectation, exactly.
    pub fn expected_divergence(&self, data: &[f64], gibbs_steps: usize) -> Vec<f64> {
        let model = (0..gibbs_steps).fold(data.to_vec(), |distribution, _| self.gibbs_step(&distribution));
        self.difference(&model, data)
    }

    /// The gradient of minus the log-likelihood of data that are distributed so, exactly.
    pub fn exact_gradient(&self, data: &[f64]) -> Vec<f64> {
        self.difference(&self.distribution(), data)
    }

    fn difference(&self, model: &[f64], data: &[f64]) -> Vec<f64> {
        self.moments(model).iter().zip(self.moments(data)).map(|(model, data)| model - data).collect()
    }
}

/// The distribution of rows of binary units over their states.
pub fn empirical(rows: &[f64], units: usize) -> Vec<f64> {
    let mut distribution = vec![0.0; 1 << units];
    let count = rows.len() / units;
    for row in rows.chunks_exact(units) {
        let state: usize = row.iter().enumerate().map(|(i, v)| (*v as usize) << i).sum();
        distribution[state] += 1.0 / count as f64;
    }
    distribution
}

/// Bars and stripes: all images of 3 x 3 pixels whose rows, or whose columns, are each of one colour. 14 of them.
pub fn bars_and_stripes() -> Vec<f64> {
    let mut images: Vec<Vec<f64>> = Vec::new();
    for lines in 0..8 {
        let lines = bits(lines, 3);
        for image in [
            (0..9).map(|i| lines[i / 3]).collect::<Vec<f64>>(),
            (0..9).map(|i| lines[i % 3]).collect::<Vec<f64>>(),
        ] {
            if !images.contains(&image) {
                images.push(image);
            }
        }
    }
    images.concat()
}
