//! Saturated and dead units of each hidden layer, and inputs that it does not hear.
//!
//! A unit is *saturated* on an input where |phi'| is below 1 % of its maximum over all h; the figure is the fraction
//! of units and inputs. It is *dead* if phi' = 0 on every input of the survey; the figure is the fraction of units. An
//! input is dead in a layer if phi' = 0 in all of its units: no gradient of that input passes.
//! For ReLU the inactive half counts as saturated, and a dead unit never learns.
//! Cost: one comparison per activation and one forward pass.

use isobath_kernels::MatRef;

use super::sounding::slopes;
use crate::activation::Activation;
use crate::architecture::Built;
use crate::net::{Layer, Watch};
use crate::theory::phi::max_derivative;

/// Of the maximum of |phi'|.
const SATURATED: f64 = 0.01;

/// Counts of one hidden layer; a residual block's branch may hold several activations.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    activations: usize,
    saturated: usize,
    units: usize,
    dead: usize,
    inputs: usize,
    dead_inputs: usize,
}

/// What was counted in one layer, as fractions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Fractions {
    /// Of units and inputs.
    pub(crate) saturated: f64,
    /// Of units.
    pub(crate) dead: f64,
    /// Of inputs.
    pub(crate) dead_inputs: f64,
}

/// Counts them while a forward pass runs.
pub(crate) struct Saturation<'a> {
    built: &'a Built,
    limit: f32,
    layers: Vec<Counts>,
    alive: Vec<bool>,
}

impl<'a> Saturation<'a> {
    pub(crate) fn new(built: &'a Built, function: Activation) -> Self {
        let limit = (SATURATED * max_derivative(function)) as f32;
        let layers = vec![Counts::default(); built.delta_at.len()];
        Self { built, limit, layers, alive: Vec::new() }
    }

    /// The fractions of each layer.
    pub(crate) fn fractions(&self) -> Vec<Fractions> {
        let fraction = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        let of = |c: &Counts| Fractions {
            saturated: fraction(c.saturated, c.activations),
            dead: fraction(c.dead, c.units),
            dead_inputs: fraction(c.dead_inputs, c.inputs),
        };
        self.layers.iter().map(of).collect()
    }
}

impl Watch for Saturation<'_> {
    fn slope(&mut self, layer: usize, kept: MatRef<'_>) {
        // The hidden layer or block that starts last before it.
        let number = self.built.delta_at.partition_point(|start| *start <= layer);
        let Some(counts) = number.checked_sub(1).and_then(|l| self.layers.get_mut(l)) else { return };
        let Some(Layer::Activation(function)) = self.built.layers.get(layer) else { return };
        self.alive.clear();
        self.alive.resize(kept.columns(), false);
        for i in 0..kept.rows() {
            let mut heard = false;
            for (alive, slope) in self.alive.iter_mut().zip(slopes(*function, kept.row(i))) {
                counts.saturated += usize::from(slope.abs() < self.limit);
                *alive |= slope != 0.0;
                heard |= slope != 0.0;
            }
            counts.dead_inputs += usize::from(!heard);
        }
        counts.inputs += kept.rows();
        counts.activations += kept.rows() * kept.columns();
        counts.units += kept.columns();
        counts.dead += self.alive.iter().filter(|alive| !**alive).count();
    }
}
