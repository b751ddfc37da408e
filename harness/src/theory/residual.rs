//! Residual networks x + s F(x): what a block multiplies lengths and squared gradients by.
//!
//! Gradient: T' = (1 + s^2 G) T with T = E ||delta||^2 / n and G = prod over the branch's K layers of s_w^2 E
//! phi'(sqrt(q_k) z)^2 (without phi' for a linear last layer); the cross terms vanish because a fresh last
//! matrix has zero mean. Stream: p = E x^2 grows by s^2 E F^2 + 2 s mu E F and mu = E x by s E F, where E F =
//! 0 unless phi comes last.
//!
//! A last activation with E phi != 0 adds a coherent part: x then gains a mean and grows faster than delta
//! does, but delta.x is conserved along a homogeneous network (Euler's theorem), so that delta's component
//! along x must grow as x shrinks going down. It is 1/n of ||delta||^2 at the top and takes over in deep
//! networks. Its square P, over the top's, follows
//!   P_l = c P_{l+1} + max(0, 1 + s^2 G - c) T_{l+1},  c = eta^2 p_{l+1} / p_l,
//! with eta = (x + s J x).(x + s F) / ||x + s F||^2 (1 if homogeneous) and J the branch's Jacobian; the rest
//! of the isotropic growth is fresh. It replaces what delta^{l+1} had along x_l, rho^2 P_{l+1}, rho the
//! cosine between x_l and x_{l+1}:
//!   T_l = (1 + s^2 G) T_{l+1} + (P_l - rho^2 P_{l+1} - (1 - rho^2 + s^2 G) T_{l+1}) / n.
//! Both are linear in the top's 1 - 1/n isotropic and z^2 / n along x, z ~ N(0, 1); growth is the mean of ln
//! T over z.
//!
//! Domain: width >> branch layers, Gaussian cotangent. Source: Yang and Schoenholz 2017 for the growth, Hanin
//! and Rolnick 2018 for the branch scale; the coherent part is derived here.

use super::ensemble::{Ensemble, mean, mean_square};
use super::error::{TheoryError, at_least, positive};
use super::finite_width::{LogGain, relative_variance};
use super::length_map::LONGEST;
use super::phi::d_phi;
use super::quadrature::gaussian;
use crate::activation::Activation;

/// What a residual branch ends with.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::{BranchEnd, Ensemble, Residual};
///
/// // He's weights in both layers of a branch: the last one, which no ReLU follows, doubles what the branch adds.
/// let he = Ensemble::new(Activation::Relu, 2.0, 0.0)?;
/// let gain = |end| Residual::new(1.0, 2, end).map(|branch| branch.blocks(he, 1.0, 1, 64)[0].branch_gain);
/// assert!((gain(BranchEnd::Linear { weight_variance: 1.0 })? - 1.0).abs() < 1e-9);
/// assert!((gain(BranchEnd::Linear { weight_variance: 2.0 })? - 2.0).abs() < 1e-9);
/// assert!((gain(BranchEnd::Activation)? - 1.0).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BranchEnd {
    /// A linear layer with its own s_w^2.
    Linear {
        /// fan_in Var W of the last layer.
        weight_variance: f64,
    },
    /// The activation.
    Activation,
}

/// The branch F of x + s F(x): dense layers, each followed by the activation except where the end says
/// otherwise.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::{BranchEnd, Ensemble, Residual};
///
/// // Branches that keep the mean square double it at each sum; scaled by 1/sqrt L, L blocks grow by e at most.
/// let (he, end) = (Ensemble::new(Activation::Relu, 2.0, 0.0)?, BranchEnd::Linear { weight_variance: 1.0 });
/// let growth = |scale: f64| -> Result<f64, Box<dyn std::error::Error>> {
///     let blocks = Residual::new(scale, 2, end)?.blocks(he, 1.0, 100, 64);
///     Ok(blocks.iter().map(|block| block.growth).product())
/// };
/// assert!((growth(1.0)?.log2() - 100.0).abs() < 1e-9);
/// assert!(growth(0.1)? < std::f64::consts::E);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// s.
    pub scale: f64,
    /// K >= 1.
    pub layers: usize,
    /// What comes last.
    pub end: BranchEnd,
}

/// What a branch does to a stream of mean square p.
struct Branch {
    /// m = E F and its derivative to p.
    mean: f64,
    mean_slope: f64,
    /// E F^2 and its derivative to p.
    mean_square: f64,
    mean_square_slope: f64,
    /// G, and n times the relative variance of its finite-width counterpart.
    gain: f64,
    relative_variance: f64,
}

/// One block, from its input's statistics.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::{BranchEnd, Ensemble, Residual};
///
/// let he = Ensemble::new(Activation::Relu, 2.0, 0.0)?;
/// let branch = Residual::new(1.0, 2, BranchEnd::Linear { weight_variance: 1.0 })?;
/// let blocks = branch.blocks(he, 3.0, 2, 64);
/// // The second block is given what the first has made of the input: x and a branch of the same size.
/// assert!((blocks[0].mean_square - 3.0).abs() < 1e-9 && (blocks[1].mean_square - 6.0).abs() < 1e-9);
/// assert!((blocks[0].growth - 2.0).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// p = E x^2 at the block's input.
    pub mean_square: f64,
    /// G: what the branch alone multiplies the squared gradient by.
    pub branch_gain: f64,
    /// Relative variance of that over networks.
    pub branch_variance: f64,
    /// exp E ln(||delta||^2 at the block's input / at its output).
    pub growth: f64,
    /// eta^2 p_{l+1} / p_l.
    coherent_growth: f64,
    /// rho^2.
    overlap: f64,
}

impl Block {
    /// Mean and variance of the block's log gain: with f = J_F^T delta / ||delta||, the squared gain 1 + 2 s
    /// f.delta/||delta|| + s^2 ||f||^2 varies by (4 s^2 G / n + s^4 G^2 v) / (1 + s^2 G)^2, v the branch's
    /// own relative variance.
    pub(crate) fn log_gain(&self, scale: f64, width: usize) -> LogGain {
        let gain = scale * scale * self.branch_gain;
        let var = (4.0 * gain / width as f64 + gain * gain * self.branch_variance) / (1.0 + gain).powi(2);
        LogGain { mean: self.growth.ln() - 0.5 * var, var }
    }
}

impl Residual {
    /// Checks the numbers.
    ///
    /// # Errors
    /// A scale that is not finite, no layers, or a last variance that is not positive.
    ///
    /// ```
    /// use isobath::theory::{BranchEnd, Residual};
    ///
    /// assert!(Residual::new(0.5, 1, BranchEnd::Activation).is_ok());
    /// let error = Residual::new(0.5, 0, BranchEnd::Activation).unwrap_err();
    /// assert_eq!(error.to_string(), "branch layers is 0; allowed is 1 or more");
    /// ```
    pub fn new(scale: f64, layers: usize, end: BranchEnd) -> Result<Self, TheoryError> {
        at_least("branch scale", scale, f64::MIN, "a finite number")?;
        at_least("branch layers", layers as f64, 1.0, "1 or more")?;
        if let BranchEnd::Linear { weight_variance } = end {
            positive("last weight variance", weight_variance)?;
        }
        Ok(Self { scale, layers, end })
    }

    /// All blocks of a network, from the input of mean square `input_q` up; `width` sets the coherent part.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::{BranchEnd, Ensemble, Residual};
    ///
    /// // Wide ReLU branches scaled by 1/2 add a quarter to the squared gradient, narrow ones more in deep networks.
    /// let he = Ensemble::new(Activation::Relu, 2.0, 0.0)?;
    /// let branch = Residual::new(0.5, 2, BranchEnd::Activation)?;
    /// let [wide, narrow] = [1 << 30, 64].map(|width| branch.blocks(he, 1.0, 20, width));
    /// assert_eq!(wide.len(), 20);
    /// assert!((wide[0].growth - 1.25).abs() < 1e-3 && narrow[0].growth > wide[0].growth);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn blocks(self, ensemble: Ensemble, input_q: f64, depth: usize, width: usize) -> Vec<Block> {
        let s = self.scale;
        let mut blocks = Vec::with_capacity(depth);
        let (mut p, mut mu) = (input_q, 0.0);
        for _ in 0..depth {
            let branch = self.branch(ensemble, p);
            let inner = p + s * mu * branch.mean; // x.(x + s F) / n
            let next = (inner + s * mu * branch.mean + s * s * branch.mean_square).min(LONGEST);
            let eta =
                (inner + 2.0 * s * mu * branch.mean_slope * p + s * s * p * branch.mean_square_slope) / next;
            let growth = 1.0 + s * s * branch.gain;
            blocks.push(Block {
                mean_square: p,
                branch_gain: branch.gain,
                branch_variance: branch.relative_variance / width as f64,
                growth,
                coherent_growth: eta * eta * (next / p),
                overlap: (inner / p) * (inner / next),
            });
            p = next;
            mu = (mu + s * branch.mean).clamp(-LONGEST.sqrt(), LONGEST.sqrt());
        }
        if self.end == BranchEnd::Activation {
            add_coherent_growth(&mut blocks, width as f64);
        }
        blocks
    }

    /// The branch applied to a stream of mean square p.
    fn branch(self, ensemble: Ensemble, p: f64) -> Branch {
        let mut q = ensemble.pre_activation_variance(p);
        let mut gain = 1.0;
        let mut variance = 0.0;
        let mut length_slope = ensemble.weight_variance;
        for _ in 1..self.layers {
            gain *= ensemble.chi(q);
            variance += relative_variance(ensemble, q, 1, false);
            length_slope *= ensemble.length_slope(q);
            q = ensemble.length_map(q);
        }
        match self.end {
            BranchEnd::Activation => Branch {
                mean: mean(ensemble.activation, q),
                mean_slope: mean_slope(ensemble.activation, q) * length_slope,
                mean_square: mean_square(ensemble.activation, q),
                mean_square_slope: ensemble.length_slope(q) / ensemble.weight_variance * length_slope,
                gain: gain * ensemble.chi(q),
                relative_variance: variance + relative_variance(ensemble, q, 1, false),
            },
            BranchEnd::Linear { weight_variance } => {
                // q is the variance of W x + b with the ensemble's s_w^2; the last layer has its own.
                let below = (q - ensemble.bias_variance) / ensemble.weight_variance;
                Branch {
                    mean: 0.0,
                    mean_slope: 0.0,
                    mean_square: weight_variance * below + ensemble.bias_variance,
                    mean_square_slope: weight_variance * length_slope / ensemble.weight_variance,
                    gain: gain * weight_variance,
                    relative_variance: variance + 2.0,
                }
            }
        }
    }
}

/// Adds the coherent part to the growth of each block, from the top down.
fn add_coherent_growth(blocks: &mut [Block], n: f64) {
    // T and P / n, each as (isotropic part, coefficient of z^2).
    let mut t = [1.0 - 1.0 / n, 1.0 / n];
    let mut p = [0.0, 1.0 / n];
    let mut log = 0.0;
    for block in blocks.iter_mut().rev() {
        let fresh = (block.growth - block.coherent_growth).max(0.0) / n;
        let kept = block.growth - (block.growth - block.overlap) / n;
        for (t, p) in t.iter_mut().zip(&mut p) {
            let grown = block.coherent_growth * *p + fresh * *t;
            *t = *t * kept + grown - block.overlap * *p;
            *p = grown;
        }
        let mean_log = gaussian(|z| (t[0] + t[1] * z * z).ln());
        block.growth = (mean_log - log).exp();
        // Only ratios matter; a total of 1 keeps them in range.
        let total = t[0] + t[1];
        t = t.map(|t| t / total);
        p = p.map(|p| p / total);
        log = mean_log - total.ln();
    }
}

/// d/dq E phi(sqrt(q) z) = E[z phi'(sqrt(q) z)] / (2 sqrt(q)).
fn mean_slope(activation: Activation, q: f64) -> f64 {
    let scale = q.max(f64::MIN_POSITIVE).sqrt();
    gaussian(|z| z * d_phi(activation, scale * z)) / (2.0 * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;

    const HE: Ensemble = Ensemble { activation: Activation::Relu, weight_variance: 2.0, bias_variance: 0.0 };
    const UNIT: BranchEnd = BranchEnd::Linear { weight_variance: 1.0 };

    fn total_growth(blocks: &[Block]) -> f64 {
        blocks.iter().map(|block| block.growth).product()
    }

    #[test]
    fn linear_end_grows_by_one_plus_s_squared_both_ways() {
        let blocks = Residual::new(1.0, 2, UNIT).unwrap().blocks(HE, 3.0, 10, 64);
        assert_close(total_growth(&blocks), 1024.0, 1e-12);
        assert_close(blocks[9].mean_square, 3.0 * 512.0, 1e-12);
        let blocks = Residual::new(0.1, 2, UNIT).unwrap().blocks(HE, 1.0, 100, 64);
        assert_close(total_growth(&blocks), core::f64::consts::E, 6e-3);
        let he_on_both = Residual::new(0.5, 2, BranchEnd::Linear { weight_variance: 2.0 }).unwrap();
        assert_close(total_growth(&he_on_both.blocks(HE, 1.0, 5, 64)), 1.5f64.powi(5), 1e-12);
    }

    #[test]
    fn activation_end_is_coherent_at_finite_width() {
        // Without the coherent part it is 1.25 at every depth.
        let branch = Residual::new(0.5, 2, BranchEnd::Activation).unwrap();
        // Measured: 1.436 (published), the others means of logs over 24 nets.
        for (depth, width, measured, tolerance) in
            [(30, 256, 1.436, 0.03), (20, 256, 1.321, 0.02), (10, 64, 1.2685, 0.02), (20, 64, 1.418, 0.04)]
        {
            let growth = total_growth(&branch.blocks(HE, 1.0, depth, width)).powf(1.0 / depth as f64);
            assert_close(growth, measured, tolerance);
        }
        assert_close(total_growth(&branch.blocks(HE, 1.0, 5, usize::MAX)).powf(0.2), 1.25, 1e-9);
    }

    #[test]
    fn tanh_residual_grows_with_the_root_of_depth() {
        let tanh = Ensemble::new(Activation::Tanh, 1.0, 0.0).unwrap();
        let branch = Residual::new(1.0, 1, BranchEnd::Activation).unwrap();
        let log: Vec<f64> =
            [1000, 4000, 16000].map(|depth| total_growth(&branch.blocks(tanh, 1.0, depth, 4096)).ln()).into();
        // The slope against sqrt(depth) tends to its limit as 1/sqrt(depth): twice the depth's root, half the
        // error.
        let slopes = [(log[1] - log[0]) / 1000f64.sqrt(), (log[2] - log[1]) / 4000f64.sqrt()];
        assert_close(2.0 * slopes[1] - slopes[0], 4.0 / (3.0 * (0.5 * core::f64::consts::PI).sqrt()), 5e-3);
    }

    #[test]
    fn rejects_impossible_branches() {
        assert!(Residual::new(f64::NAN, 1, UNIT).is_err());
        assert!(Residual::new(1.0, 0, UNIT).is_err());
        assert!(Residual::new(1.0, 1, BranchEnd::Linear { weight_variance: 0.0 }).is_err());
    }
}
