//! Autoencoders with tied weights again, in f64 and as plain loops; gradients by central differences. Only the order
//! of the parameters (weights, hidden biases, visible biases) is shared with the code under test.

/// An autoencoder's size, and whether its inputs are in [0, 1].
#[derive(Clone, Copy, Debug)]
pub struct Tied {
    /// Inputs.
    pub visible: usize,
    /// Hidden units.
    pub hidden: usize,
    /// Cross-entropy of sigmoid outputs; else half the squared error of linear ones.
    pub binary: bool,
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Tied {
    /// sigmoid(x W + b).
    pub fn encode(&self, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        let Self { visible: n, hidden: m, .. } = *self;
        let sum =
            |j: usize| parameters[n * m + j] + (0..n).map(|i| x[i] * parameters[i * m + j]).sum::<f64>();
        (0..m).map(|j| sigmoid(sum(j))).collect()
    }

    /// The loss of rows of clean inputs that are seen corrupted.
    pub fn loss(&self, parameters: &[f64], clean: &[f64], corrupted: &[f64]) -> f64 {
        let Self { visible: n, hidden: m, .. } = *self;
        let rows = clean.chunks_exact(n).zip(corrupted.chunks_exact(n));
        let of_row = |(clean, corrupted): (&[f64], &[f64])| {
            let h = self.encode(parameters, corrupted);
            let of_input = |i: usize| {
                let s = parameters[n * m + m + i] + (0..m).map(|j| h[j] * parameters[i * m + j]).sum::<f64>();
                if self.binary {
                    -clean[i] * sigmoid(s).ln() - (1.0 - clean[i]) * sigmoid(-s).ln()
                } else {
                    (s - clean[i]) * (s - clean[i]) / 2.0
                }
            };
            (0..n).map(of_input).sum::<f64>()
        };
        rows.map(of_row).sum::<f64>() / (clean.len() / n) as f64
    }

    /// Its gradient, by central differences.
    pub fn gradient(&self, parameters: &[f64], clean: &[f64], corrupted: &[f64]) -> Vec<f64> {
        const STEP: f64 = 1e-5;
        let at = |p: usize, by: f64| {
            let mut moved = parameters.to_vec();
            moved[p] += by;
            self.loss(&moved, clean, corrupted)
        };
        (0..parameters.len()).map(|p| (at(p, STEP) - at(p, -STEP)) / (2.0 * STEP)).collect()
    }
}
