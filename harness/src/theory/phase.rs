//! The phase diagram of plain networks: chi over the plane of (s_w, s_b), and the edge of chaos in it.
//!
//! At each point the length that an input of unit mean square leads to is found by iterating the length map; chi there
//! says whether gradients vanish (< 1, order) or explode (> 1, chaos). Where lengths diverge there is none. The edge is
//! explicit along q: s_w^2 = 1 / E phi'^2, s_b^2 = q - E phi^2 / E phi'^2; it is drawn from q = 1e-6 to 1e6, and its
//! points are marked unstable where |V'| > 1. Cost: 10 to 160 microseconds per cell, most
//! where lengths settle slowly. Source: Poole et al. 2016.

use rayon::prelude::*;

use super::edge::edge_of_chaos;
use super::ensemble::{Ensemble, mean_square, slope_moment};
use super::error::{TheoryError, positive};
use super::length_map::FixedPoints;
use crate::activation::Activation;

/// Iterations of the length map: what has not settled then changes by less than its own width on the diagram.
const ITERATIONS: usize = 100;
/// Lengths beyond this diverge.
const LONG: f64 = 1e6;

/// A point of the edge of chaos.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::phase::PhaseDiagram;
///
/// // ReLU's edge is a single point: s_w = sqrt 2 and no biases.
/// let diagram = PhaseDiagram::new(Activation::Relu, (2.0, 1.0), (4, 2))?;
/// let [point] = diagram.edge[..] else { unreachable!("one point") };
/// assert!((point.weight_deviation - 2f64.sqrt()).abs() < 1e-9);
/// assert!(point.bias_deviation == 0.0 && point.stable);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::phase::PhaseDiagram;
///
/// // Four cells with s_w = 0.5, 1.5, 2.5, 3.5: tanh turns from order to chaos between the first two.
/// let diagram = PhaseDiagram::new(Activation::Tanh, (4.0, 0.1), (4, 1))?;
/// let chi: Vec<f64> = diagram.chi.iter().map(|chi| chi.unwrap()).collect();
/// assert!(chi[0] < 1.0 && chi[1..].iter().all(|chi| *chi > 1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// The diagram that holds these networks, (s_w, s_b) each, the edge of chaos without biases, and something to see
    /// around them; its ends are whole numbers.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::phase::PhaseDiagram;
    ///
    /// // Room for the edge at s_w = 1, and for a network beyond it.
    /// let alone = PhaseDiagram::around(Activation::Tanh, &[], (2, 2))?;
    /// let with_network = PhaseDiagram::around(Activation::Tanh, &[(4.0, 2.0)], (2, 2))?;
    /// assert_eq!((alone.ends, with_network.ends), ((3.0, 1.0), (6.0, 3.0)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn around(
        activation: Activation,
        networks: &[(f64, f64)],
        cells: (usize, usize),
    ) -> Result<Self, TheoryError> {
        let edge = edge_of_chaos(activation, 0.0)?;
        let critical = edge.first().map_or(0.0, |point| point.weight_variance.sqrt());
        let largest = networks.iter().fold((0.0f64, 0.0f64), |(w, b), n| (w.max(n.0), b.max(n.1)));
        let ends = ((1.5 * critical).max(1.5 * largest.0).max(3.0), (1.5 * largest.1).max(1.0));
        Self::new(activation, (ends.0.ceil(), ends.1.ceil()), cells)
    }

    /// The diagram of an activation up to the deviations `ends`, on a grid of `cells`.
    ///
    /// # Errors
    /// An end that is not a positive number.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::phase::PhaseDiagram;
    ///
    /// let diagram = PhaseDiagram::new(Activation::Tanh, (3.0, 1.0), (6, 2))?;
    /// assert_eq!(diagram.chi.len(), 6 * 2);
    /// let error = PhaseDiagram::new(Activation::Tanh, (0.0, 1.0), (6, 2)).unwrap_err();
    /// assert_eq!(error.to_string(), "largest weight deviation is 0; allowed is a finite number above 0");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(activation: Activation, ends: (f64, f64), cells: (usize, usize)) -> Result<Self, TheoryError> {
        positive("largest weight deviation", ends.0)?;
        positive("largest bias deviation", ends.1)?;
        let middle = |i: usize, count: usize, end: f64| (i as f64 + 0.5) / count as f64 * end;
        let chi = (0..cells.0 * cells.1)
            .into_par_iter()
            .map(|cell| {
                let weight = middle(cell % cells.0, cells.0, ends.0);
                let bias = middle(cell / cells.0, cells.1, ends.1);
                Ok(settled_chi(Ensemble::new(activation, weight * weight, bias * bias)?))
            })
            .collect::<Result<_, TheoryError>>()?;
        Ok(Self { ends, cells, chi, edge: edge(activation, ends) })
    }
}

/// Where a network ends that starts from an input of unit mean square.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::Ensemble;
/// use isobath::theory::phase::Limit;
///
/// // ReLUs of variance 3: signals and gradients grow by half in every layer.
/// let limit = Limit::of(Ensemble::new(Activation::Relu, 3.0, 0.0)?);
/// assert!(limit.diverges && (limit.chi.unwrap() - 1.5).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// chi in the limit of many layers; none where lengths diverge and chi depends on them.
    pub chi: Option<f64>,
    /// Whether lengths diverge.
    pub diverges: bool,
}

impl Limit {
    /// The limit of an ensemble, exact also at the edge, where lengths settle too slowly to be followed there.
    ///
    /// ```
    /// use isobath::activation::Activation;
    /// use isobath::theory::Ensemble;
    /// use isobath::theory::phase::Limit;
    ///
    /// // The edge of chaos of tanh, to which lengths come too slowly to be followed.
    /// let limit = Limit::of(Ensemble::new(Activation::Tanh, 1.0, 0.0)?);
    /// assert!(!limit.diverges && (limit.chi.unwrap() - 1.0).abs() < 1e-9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(ensemble: Ensemble) -> Self {
        let reached = match ensemble.fixed_points() {
            FixedPoints::Every => return Self { chi: Some(ensemble.chi(1.0)), diverges: false },
            FixedPoints::Isolated(points) => {
                ensemble.reached_from(&points, ensemble.pre_activation_variance(1.0))
            }
        };
        let chi = if ensemble.activation.is_homogeneous() {
            Some(ensemble.chi(1.0))
        } else {
            reached.map(|point| ensemble.chi(point.q))
        };
        Self { chi, diverges: reached.is_none() }
    }
}

/// chi at the length that an input of unit mean square leads to; none where lengths diverge.
fn settled_chi(ensemble: Ensemble) -> Option<f64> {
    let mut q = ensemble.pre_activation_variance(1.0);
    for _ in 0..ITERATIONS {
        let next = ensemble.length_map(q);
        if next > LONG {
            return None;
        }
        let settled = (next - q).abs() <= 1e-6 * q.max(1e-9);
        q = next;
        if settled {
            break;
        }
    }
    Some(ensemble.chi(q))
}

/// The points of the edge within the diagram; for a homogeneous activation the one without biases.
fn edge(activation: Activation, ends: (f64, f64)) -> Vec<EdgePoint> {
    const STEPS: i32 = 120;
    if activation.is_homogeneous() {
        return Critical::at(activation, 0.0).inside(activation, ends).into_iter().collect();
    }
    let criticals: Vec<Critical> =
        (-STEPS..=STEPS).map(|i| Critical::at(activation, 6.0 * f64::from(i) / f64::from(STEPS))).collect();
    let mut points = Vec::new();
    for pair in criticals.windows(2) {
        points.extend(pair[0].inside(activation, ends));
        between(activation, ends, (pair[0], pair[1]), DEEPEST, &mut points);
    }
    points
}

/// How often a piece of the edge is halved at most, and how long its parts may be, in lengths of the axes.
const DEEPEST: u32 = 24;
const LONGEST: f64 = 0.01;

/// Adds the points between two of the edge until none is far from the next: along q the edge may cross a whole diagram
/// in one step, as sigmoid's does.
fn between(
    activation: Activation,
    ends: (f64, f64),
    (from, to): (Critical, Critical),
    depth: u32,
    points: &mut Vec<EdgePoint>,
) {
    let beyond = |side: fn(&Critical, (f64, f64)) -> bool| side(&from, ends) && side(&to, ends);
    let missed = beyond(|c, _| c.bias_deviation < 0.0)
        || beyond(|c, ends| c.bias_deviation > ends.1)
        || beyond(|c, ends| c.weight_deviation > ends.0);
    let length = ((to.weight_deviation - from.weight_deviation) / ends.0)
        .hypot((to.bias_deviation - from.bias_deviation) / ends.1);
    if missed || length <= LONGEST || depth == 0 {
        return;
    }
    let middle = Critical::at(activation, 0.5 * (from.log10_q + to.log10_q));
    between(activation, ends, (from, middle), depth - 1, points);
    points.extend(middle.inside(activation, ends));
    between(activation, ends, (middle, to), depth - 1, points);
}

/// Where chi = 1 at a fixed length q.
#[derive(Clone, Copy)]
struct Critical {
    log10_q: f64,
    weight_deviation: f64,
    /// Negative where s_b^2 is, so that there is no such network.
    bias_deviation: f64,
}

impl Critical {
    fn at(activation: Activation, log10_q: f64) -> Self {
        let q = 10f64.powf(log10_q);
        let weight_variance = 1.0 / slope_moment(activation, q, 2);
        let bias_variance = q - mean_square(activation, q) * weight_variance;
        // Without biases, up to rounding.
        let bias_variance = if bias_variance.abs() < 1e-9 * q { 0.0 } else { bias_variance };
        let bias_deviation = bias_variance.abs().sqrt().copysign(bias_variance);
        Self { log10_q, weight_deviation: weight_variance.sqrt(), bias_deviation }
    }

    /// The point, if it lies in the diagram.
    fn inside(self, activation: Activation, ends: (f64, f64)) -> Option<EdgePoint> {
        let Self { log10_q, weight_deviation, bias_deviation } = self;
        if !(0.0..=ends.1).contains(&bias_deviation) || weight_deviation > ends.0 {
            return None;
        }
        let ensemble = Ensemble::new(activation, weight_deviation.powi(2), bias_deviation.powi(2)).ok()?;
        let stable = ensemble.length_slope(10f64.powf(log10_q)) <= 1.0 + 1e-9;
        Some(EdgePoint { weight_deviation, bias_deviation, stable })
    }
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
    fn a_diagram_around_networks_holds_them_and_the_edge() {
        let small = PhaseDiagram::around(Activation::Tanh, &[(0.5, 0.1)], (2, 2)).unwrap();
        assert_eq!(small.ends, (3.0, 1.0));
        let large = PhaseDiagram::around(Activation::Relu, &[(0.1, 1.5), (4.0, 0.0)], (2, 2)).unwrap();
        assert_eq!(large.ends, (6.0, 3.0));
        // Sigmoid's edge begins at the square root of 103.007554 = 10.15.
        let sigmoid = PhaseDiagram::around(Activation::Sigmoid, &[], (2, 2)).unwrap();
        assert_eq!(sigmoid.ends, (16.0, 1.0));
    }

    /// Sigmoid's edge crosses the whole diagram while q grows by a few percent.
    #[test]
    fn the_edge_has_no_gap() {
        for activation in [Activation::Sigmoid, Activation::Tanh, Activation::Elu(1.0)] {
            let diagram = PhaseDiagram::around(activation, &[], (1, 1)).unwrap();
            let ends = diagram.ends;
            for pair in diagram.edge.windows(2) {
                let [one, other] = pair else { continue };
                let length = ((one.weight_deviation - other.weight_deviation) / ends.0)
                    .hypot((one.bias_deviation - other.bias_deviation) / ends.1);
                assert!(length < 0.02, "{activation}: {pair:?}");
            }
            let biases = || diagram.edge.iter().map(|point| point.bias_deviation);
            assert!(biases().fold(1.0, f64::min) < 0.02 && biases().fold(0.0, f64::max) > 0.98);
        }
        // And it lies where the equation for a given bias variance puts it.
        let sigmoid = PhaseDiagram::around(Activation::Sigmoid, &[], (1, 1)).unwrap();
        let half = sigmoid.edge.iter().find(|point| (point.bias_deviation - 0.5).abs() < 0.01).unwrap();
        let exact = edge_of_chaos(Activation::Sigmoid, half.bias_deviation.powi(2)).unwrap();
        assert!((exact[0].weight_variance.sqrt() - half.weight_deviation).abs() < 1e-6);
    }

    /// The limit is what the diagram shows, but exact on the edge.
    #[test]
    fn limits_agree_with_the_diagram_and_with_known_points() {
        let limit = |activation, weight, bias| Limit::of(Ensemble::new(activation, weight, bias).unwrap());
        let critical = limit(Activation::Tanh, 1.0, 0.0);
        assert!((critical.chi.unwrap() - 1.0).abs() < 1e-9 && !critical.diverges);
        assert!((limit(Activation::Sigmoid, 1.0, 0.0).chi.unwrap() - 0.0557207).abs() < 1e-6);
        let he = limit(Activation::Relu, 2.0, 0.0);
        assert!((he.chi.unwrap() - 1.0).abs() < 1e-12 && !he.diverges);
        let exploding = limit(Activation::Relu, 3.0, 0.0);
        assert!((exploding.chi.unwrap() - 1.5).abs() < 1e-9 && exploding.diverges);
        assert_eq!(limit(Activation::Gelu, 9.0, 0.0), Limit { chi: None, diverges: true });
        for activation in [Activation::Elu(1.0), Activation::Tanh, Activation::Gelu, Activation::Relu] {
            for (weight, bias) in [(0.25, 0.04), (0.64, 0.49), (6.25, 0.25)] {
                let ensemble = Ensemble::new(activation, weight, bias).unwrap();
                let (followed, limit) = (settled_chi(ensemble), Limit::of(ensemble));
                assert_eq!(followed.is_none(), limit.diverges, "{activation} {weight} {bias}");
                if let Some(chi) = followed {
                    assert!((chi - limit.chi.unwrap()).abs() < 1e-4, "{activation} {weight} {bias}");
                }
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
