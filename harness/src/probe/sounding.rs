//! What is taken down during one network's forward and backward pass: norms and slopes per layer, and the hash.

use isobath_kernels::{Level, MatRef};

use crate::activation::Activation;
use crate::architecture::Built;
use crate::hash::Hash;
use crate::net::Watch;
use crate::train::{Observer, norm};

/// An onlooker that adds the mean square slopes, whether the gradient is exactly zero, and a hash to the norms.
pub(super) struct Sounding<'a> {
    level: Level,
    built: &'a Built,
    function: Activation,
    /// Norms per layer.
    pub(super) norms: Observer<'a>,
    /// sqrt(mean phi'^2) per layer; 1 for the identity, which has nothing to keep.
    pub(super) slope_rms: Vec<f64>,
    /// Whether dL/dx^0 is zero.
    pub(super) is_zero: bool,
    /// Whether dL/dx^0 is finite.
    pub(super) is_finite: bool,
    /// Takes in every stored delta.
    pub(super) hash: Hash,
}

impl<'a> Sounding<'a> {
    pub(super) fn new(level: Level, built: &'a Built, function: Activation) -> Self {
        Self {
            level,
            built,
            function,
            norms: Observer::new(level, built),
            slope_rms: vec![1.0; built.delta_at.len()],
            is_zero: false,
            is_finite: true,
            hash: Hash::new(),
        }
    }
}

/// The slopes phi'(h) in a row of what an activation keeps, which for PReLU is h itself.
pub(super) fn slopes(function: Activation, kept: &[f32]) -> impl Iterator<Item = f32> {
    kept.iter().map(move |&kept| match function {
        Activation::Prelu(slope) => {
            if kept > 0.0 {
                1.0
            } else {
                slope
            }
        }
        _ => kept,
    })
}

impl Watch for Sounding<'_> {
    fn input(&mut self, layer: usize, x: MatRef<'_>, exponent: i32) {
        self.norms.input(layer, x, exponent);
    }

    fn slope(&mut self, layer: usize, kept: MatRef<'_>) {
        // In a plain network each activation is a hidden layer's own; residual blocks have no one slope.
        let Ok(l) = self.built.delta_at.binary_search(&layer) else { return };
        let rows = (0..kept.rows()).flat_map(|i| slopes(self.function, kept.row(i)));
        let squares: f64 = rows.map(|slope| f64::from(slope).powi(2)).sum();
        self.slope_rms[l] = (squares / (kept.rows() * kept.columns()) as f64).sqrt();
    }

    fn delta(&mut self, layer: usize, delta: MatRef<'_>, exponent: i32) {
        self.norms.delta(layer, delta, exponent);
        self.hash.u64(exponent as u64);
        for i in 0..delta.rows() {
            self.hash.f32s(delta.row(i));
        }
        if layer == 0 {
            let norm = norm(self.level, delta);
            self.is_zero = norm.is_zero();
            self.is_finite = norm.is_finite();
        }
    }

    fn weight_gradient(&mut self, layer: usize, gradient: MatRef<'_>, exponent: i32) {
        self.norms.weight_gradient(layer, gradient, exponent);
    }
}
