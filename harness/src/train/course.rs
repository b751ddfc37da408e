//! How a run went: what is kept of it step by step.

use serde::{Deserialize, Serialize};

/// The course of one run: a figure per recorded step, or per recorded step and hidden layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// The recorded steps; 0 is before the first update.
    pub steps: Vec<usize>,
    /// Training loss on the step's batch; null where not finite.
    pub loss: Vec<Option<f64>>,
    /// log10 of the norm of all gradients together, before clipping.
    pub log10_gradient: Vec<Option<f64>>,
    /// Fraction of gradient elements or units that clipping changed.
    pub clipped: Vec<f64>,
    /// log10 ||delta^l||, `[step][layer - 1]`; null where it is zero or not finite.
    pub log10_delta: Vec<Vec<Option<f64>>>,
    /// Speed of learning, `[step][layer - 1]`.
    pub speed: Vec<Vec<Option<f64>>>,
}
