//! The phase diagram of plain networks: chi over the plane of (s_w, s_b), and the edge of chaos in it.
//!
//! At each point the length that an input of unit mean square leads to is found by iterating the length map; chi there
//! says whether gradients vanish (< 1, order) or explode (> 1, chaos). Where lengths diverge there is none. The edge is
//! explicit along q: s_w^2 = 1 / E phi'^2, s_b^2 = q - E phi^2 / E phi'^2; it is drawn from q = 1e-6 to 1e6, and its
//! points are marked unstable where |V'| > 1. Cost: about a millisecond per point. Source: Poole et al. 2016.

use rayon::prelude::*;

use super::ensemble::{Ensemble, mean_square, slope_moment};
use super::error::{TheoryError, positive};
use crate::activation::Activation;

/// Iterations of the length map: what has not settled then changes by less than its own width on the diagram.
const ITERATIONS: usize = 100;
/// Lengths beyond this diverge.
const LONG: f64 = 1e6;

/// A point of the edge of chaos.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EdgePoint {
    /// s_w.
    pub weight_deviation: f64,
    /// s_b.
    pub bias_deviation: f64,
    /// Whether lengths return to q* there.
    pub stable: bool,
}

/// chi over a grid of cells, and the edge.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseDiagram {
    /// The largest s_w and s_b; both axes start at 0.
    pub ends: (f64, f64),
    /// Cells along each axis.
    pub cells: (usize, usize),
    /// chi at the middle of each cell, by rows of equal s_b from 0 up; none where lengths diverge.
    pub chi: Vec<Option<f64>>,
    /// By increasing q.
    pub edge: Vec<EdgePoint>,
}

impl PhaseDiagram {
    /// The diagram of an activation up to the deviations `ends`, on a grid of `cells`.
    ///
    /// # Errors
    /// An end that is not a positive number.
    pub fn new(activation: Activation, ends: (f64, f64), cells: (usize, usize)) -> Result<Self, TheoryError> {
        positive("largest weight deviation", ends.0)?;
        positive("largest bias deviation", ends.1)?;
        let middle = |i: usize, count: usize, end: f64| (i as f64 + 0.5) / count as f64 * end;
        let chi = (0..cells.0 * cells.1)
            .into_par_iter()
            .map(|cell| {
                let weight = middle(cell % cells.0, cells.0, ends.0);
                let bias = middle(cell / cells.0, cells.1, ends.1);
                settled_chi(Ensemble::new(activation, weight * weight, bias * bias)?)
            })
            .collect::<Result<_, TheoryError>>()?;
        Ok(Self { ends, cells, chi, edge: edge(activation, ends) })
    }
}

/// chi at the length that q = 1 leads to.
fn settled_chi(ensemble: Ensemble) -> Result<Option<f64>, TheoryError> {
    let mut q = ensemble.pre_activation_variance(1.0);
    for _ in 0..ITERATIONS {
        let next = ensemble.length_map(q);
        if next > LONG {
            return Ok(None);
        }
        let settled = (next - q).abs() <= 1e-6 * q.max(1e-9);
        q = next;
        if settled {
            break;
        }
    }
    Ok(Some(ensemble.chi(q)))
}

/// The points of the edge within the diagram; for a homogeneous activation the one without biases.
fn edge(activation: Activation, ends: (f64, f64)) -> Vec<EdgePoint> {
    const STEPS: i32 = 240;
    let lengths: Vec<f64> = if activation.is_homogeneous() {
        vec![1.0]
    } else {
        (-STEPS..=STEPS).map(|i| 10f64.powf(6.0 * f64::from(i) / f64::from(STEPS))).collect()
    };
    lengths
        .into_iter()
        .filter_map(|q| {
            let weight_variance = 1.0 / slope_moment(activation, q, 2);
            let bias_variance = q - mean_square(activation, q) * weight_variance;
            // Without biases, up to rounding.
            let bias_variance = if bias_variance.abs() < 1e-9 * q { 0.0 } else { bias_variance };
            let inside =
                bias_variance >= 0.0 && weight_variance.sqrt() <= ends.0 && bias_variance.sqrt() <= ends.1;
            let ensemble =
                Ensemble::new(activation, weight_variance, bias_variance).ok().filter(|_| inside)?;
            Some(EdgePoint {
                weight_deviation: weight_variance.sqrt(),
                bias_deviation: bias_variance.sqrt(),
                stable: ensemble.length_slope(q) <= 1.0 + 1e-9,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chi(diagram: &PhaseDiagram, weight: f64, bias: f64) -> Option<f64> {
        let (columns, rows) = diagram.cells;
        let column = (weight / diagram.ends.0 * columns as f64) as usize;
        let row = (bias / diagram.ends.1 * rows as f64) as usize;
        diagram.chi[row * columns + column]
    }

    #[test]
    fn tanh_has_order_left_of_its_edge_and_chaos_right_of_it() {
        let diagram = PhaseDiagram::new(Activation::Tanh, (3.0, 1.0), (30, 10)).unwrap();
        assert!(chi(&diagram, 0.55, 0.05).unwrap() < 0.5 && chi(&diagram, 2.55, 0.05).unwrap() > 1.2);
        // The published point (1.76095464, .05) lies on the line.
        let expected = (1.76095464f64.sqrt(), 0.05f64.sqrt());
        let nearest = diagram
            .edge
            .iter()
            .map(|p| (p.weight_deviation - expected.0).hypot(p.bias_deviation - expected.1))
            .fold(f64::INFINITY, f64::min);
        assert!(nearest < 0.01, "{nearest}");
        assert!(diagram.edge.iter().all(|point| point.stable));
        // Each cell lies on the side of the edge that its chi says.
        for point in &diagram.edge {
            let (weight, bias) = (point.weight_deviation, point.bias_deviation);
            if weight > 0.5 && weight < 2.7 && bias < 0.99 {
                assert!(chi(&diagram, weight - 0.2, bias).unwrap() < 1.0);
                assert!(chi(&diagram, weight + 0.2, bias).unwrap() > 1.0);
            }
        }
    }

    #[test]
    fn relu_diverges_beyond_he_and_gelu_is_critical_where_it_is_unstable() {
        let relu = PhaseDiagram::new(Activation::Relu, (2.0, 1.0), (20, 5)).unwrap();
        assert!(chi(&relu, 1.85, 0.5).is_none() && chi(&relu, 0.95, 0.5).unwrap() < 0.5);
        assert_eq!(relu.edge.len(), 1);
        assert!((relu.edge[0].weight_deviation - 2f64.sqrt()).abs() < 1e-9 && relu.edge[0].stable);
        let gelu = PhaseDiagram::new(Activation::Gelu, (3.0, 1.0), (3, 3)).unwrap();
        assert!(gelu.edge.iter().any(|point| !point.stable));
        assert!(PhaseDiagram::new(Activation::Gelu, (0.0, 1.0), (3, 3)).is_err());
    }
}
