//! The rate at which a gradient changes from layer to layer, with its interval and how well it describes the curve.
//!
//! In a random network the logarithms of the factors are nearly independent, so their mean is the rate, and Student's
//! interval of that mean its interval. R^2 is that of the straight line through log10 ||delta|| over the layers.

use serde::Serialize;

use crate::statistics::Moments;

/// What one layer multiplies the gradient's norm by on the way down.
///
/// ```
/// use isobath::diagnose::{LayerRecord, Norm, Record, judge};
///
/// // delta loses half of itself in every one of twelve layers.
/// let delta = |l: i32| Norm::Log10(f64::from(l - 12) * 2f64.log10());
/// let layers = (1..=12).map(|l| LayerRecord { delta: delta(l), ..LayerRecord::default() }).collect();
/// let record = Record { layers, ..Record::default() };
/// let rate = judge(&record).rate.unwrap();
/// // A straight line in the logarithm says all of it.
/// assert!((rate.factor - 0.5).abs() < 1e-12 && rate.r_squared.unwrap() > 0.999);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// The geometric mean of the factors.
    pub factor: f64,
    /// Where the ensemble's lies with 95 % confidence; none from a single factor.
    pub ci95: Option<(f64, f64)>,
    /// How much of the curve of log10 ||delta|| a straight line explains; none for fewer than three layers.
    pub r_squared: Option<f64>,
}

impl Rate {
    /// With the interval of networks whose decades over `factors` layers have the mean's interval `decades`, if they have.
    pub(super) fn of_networks(self, decades: Option<(f64, f64)>, factors: usize) -> Self {
        let power = |log10: f64| 10f64.powf(log10 / factors.max(1) as f64);
        let of_networks = decades.map(|(low, high)| (power(low), power(high)));
        Self { ci95: of_networks.or(self.ci95), ..self }
    }
}

/// The rate of a gradient with these logarithms to base 10, bottom layer first; none for fewer than two.
pub(super) fn rate(log10_delta: &[f64]) -> Option<Rate> {
    let steps: Vec<f64> = log10_delta.windows(2).map(|pair| pair[0] - pair[1]).collect();
    let moments = Moments::of(&steps)?;
    let power = |log10: f64| 10f64.powf(log10);
    Some(Rate {
        factor: power(moments.mean),
        ci95: moments.ci95().map(|(low, high)| (power(low), power(high))),
        r_squared: r_squared(log10_delta),
    })
}

/// R^2 of the straight line through equally spaced values. A flat line of equal values explains itself.
fn r_squared(values: &[f64]) -> Option<f64> {
    if values.len() < 3 {
        return None;
    }
    let n = values.len() as f64;
    let (mean_x, mean_y) = (0.5 * (n - 1.0), values.iter().sum::<f64>() / n);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (i, y) in values.iter().enumerate() {
        let (x, y) = (i as f64 - mean_x, y - mean_y);
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    Some(if yy == 0.0 { 1.0 } else { xy * xy / (xx * yy) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_lines_and_others() {
        let line = rate(&[-6.0, -4.0, -2.0, 0.0]).unwrap();
        assert!((line.factor - 0.01).abs() < 1e-15);
        assert!((line.ci95.unwrap().0 - 0.01).abs() < 1e-15 && line.r_squared == Some(1.0));
        let bent = rate(&[0.0, 1.0, 0.0, 1.0]).unwrap();
        assert!((bent.r_squared.unwrap() - 0.2).abs() < 1e-12);
        let (low, high) = bent.ci95.unwrap();
        assert!(low < bent.factor && bent.factor < high);
        assert_eq!(rate(&[1.0, 2.0]).unwrap().ci95, None);
        assert_eq!(rate(&[1.0]), None);
    }
}
