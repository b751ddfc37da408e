//! The edge of chaos: where chi = 1 at a fixed point of the length map, for a given s_b^2.
//!
//! Along q the edge is explicit: s_w^2 = 1 / E phi'^2 makes chi = 1, and s_b^2 = q - E phi^2 / E phi'^2 then
//! makes q fixed; so one equation in q is solved, on [1e-10, 1e10]. A point of the edge trains only if its
//! length is stable. Source: Poole et al. 2016, Schoenholz et al. 2017; stability: Hayou et al. 2019.

use super::ensemble::{Ensemble, mean_square, slope_moment};
use super::error::{TheoryError, at_least};
use super::length_map::log_grid_roots;
use crate::activation::Activation;

/// A point on the edge of chaos.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::edge_of_chaos;
///
/// // Without biases tanh is critical at variance 1, where all signals shrink towards 0.
/// let point = edge_of_chaos(Activation::Tanh, 0.0)?[0];
/// assert!((point.weight_variance - 1.0).abs() < 1e-12);
/// assert_eq!(point.q, 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CriticalPoint {
    /// s_w^2.
    pub weight_variance: f64,
    /// q*; for a homogeneous activation any other length is fixed as well, and 1 stands here.
    pub q: f64,
    /// V'(q*); above 1 the length runs away from q*.
    pub length_slope: f64,
}

/// The points of the edge of chaos with this bias variance, by increasing q.
///
/// # Errors
/// A negative or not finite bias variance.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::theory::edge_of_chaos;
///
/// // ReLU's is He's variance 2; with biases there is none, since lengths grow.
/// let points = edge_of_chaos(Activation::Relu, 0.0)?;
/// assert!((points[0].weight_variance - 2.0).abs() < 1e-12);
/// assert!(edge_of_chaos(Activation::Relu, 0.1)?.is_empty());
///
/// let error = edge_of_chaos(Activation::Relu, -0.1).unwrap_err();
/// assert_eq!(error.to_string(), "bias variance is -0.1; allowed is a finite number, 0 or more");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn edge_of_chaos(activation: Activation, bias_variance: f64) -> Result<Vec<CriticalPoint>, TheoryError> {
    at_least("bias variance", bias_variance, 0.0, "a finite number, 0 or more")?;
    let critical = |q: f64| {
        let weight_variance = 1.0 / slope_moment(activation, q, 2);
        let ensemble = Ensemble { activation, weight_variance, bias_variance };
        CriticalPoint { weight_variance, q, length_slope: ensemble.length_slope(q) }
    };
    if activation.is_homogeneous() {
        return Ok(if bias_variance == 0.0 { vec![critical(1.0)] } else { vec![] });
    }
    let mut points = Vec::new();
    if bias_variance == 0.0 && mean_square(activation, 0.0) == 0.0 {
        points.push(critical(0.0));
    }
    let excess = |q: f64| {
        let bias = q - mean_square(activation, q) / slope_moment(activation, q, 2);
        (bias - bias_variance) / q
    };
    points.extend(log_grid_roots(excess).into_iter().map(critical));
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;

    #[test]
    fn tanh() {
        for (bias_variance, weight_variance) in [
            (2.01e-5, 1.04999563),
            (1e-3, 1.18918959),
            (0.01, 1.42420529),
            (0.05, 1.76095464),
            (0.09, 1.94765463),
            (0.3, 2.50512719),
            (1.0, 3.44321091),
        ] {
            let points = edge_of_chaos(Activation::Tanh, bias_variance).unwrap();
            assert_eq!(points.len(), 1, "{points:?}");
            assert_close(points[0].weight_variance, weight_variance, 1e-8);
            assert!(points[0].length_slope < 1.0);
        }
        let unbiased = edge_of_chaos(Activation::Tanh, 0.0).unwrap();
        assert_eq!(unbiased.len(), 1, "{unbiased:?}");
        assert_close(unbiased[0].weight_variance, 1.0, 1e-12);
        assert_eq!(unbiased[0].q, 0.0);
    }

    #[test]
    fn sigmoid_needs_huge_weights() {
        let points = edge_of_chaos(Activation::Sigmoid, 0.0).unwrap();
        assert_eq!(points.len(), 1);
        assert_close(points[0].weight_variance, 103.007554, 1e-8);
    }

    #[test]
    fn gelu_and_silu_are_critical_where_lengths_run_away() {
        for (activation, slope) in [(Activation::Gelu, 1.085), (Activation::Silu, 1.100)] {
            let points = edge_of_chaos(activation, 0.05).unwrap();
            assert!(points.iter().any(|point| (point.length_slope - slope).abs() < 5e-4), "{points:?}");
        }
    }

    #[test]
    fn homogeneous_activations_are_critical_without_biases_only() {
        assert_close(edge_of_chaos(Activation::Relu, 0.0).unwrap()[0].weight_variance, 2.0, 1e-12);
        assert!(edge_of_chaos(Activation::Relu, 0.1).unwrap().is_empty());
        assert!(edge_of_chaos(Activation::Relu, f64::NAN).is_err());
    }
}
