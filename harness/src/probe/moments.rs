//! Moments of a layer's outputs over all units and inputs: mean, variance and kurtosis.
//!
//! kurtosis = E (y - mean)^4 / variance^2, which is 3 for normal outputs, 1 for outputs that are all at two ends, and
//! large where few units carry everything. A ReLU's mean is not 0 (Clevert et al. 2016 on why that matters).
//! Cost: two reads of the outputs, in f64.

use isobath_kernels::MatRef;

/// Mean, variance and kurtosis of outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OutputMoments {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    /// None where the variance is 0.
    pub(super) kurtosis: Option<f64>,
}

/// The moments of `x` times 2^`exponent`; none where a value is not finite.
pub(crate) fn moments(x: MatRef<'_>, exponent: i32) -> Option<OutputMoments> {
    let count = (x.rows() * x.columns()) as f64;
    let values = || (0..x.rows()).flat_map(|i| x.row(i)).map(|v| f64::from(*v));
    let mean = values().sum::<f64>() / count;
    let (mut second, mut fourth) = (0.0, 0.0);
    for value in values() {
        let square = (value - mean).powi(2);
        second += square;
        fourth += square * square;
    }
    let variance = second / count;
    let scaled = |value: f64, exponent| libm::ldexp(value, exponent);
    (mean.is_finite() && variance.is_finite()).then(|| OutputMoments {
        mean: scaled(mean, exponent),
        variance: scaled(variance, 2 * exponent),
        kurtosis: (variance > 0.0).then(|| fourth / count / (variance * variance)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let x = [1.0, 3.0, -1.0, 1.0, 5.0, -3.0];
        let found = moments(MatRef::new(&x, 2, 3).unwrap(), 0).unwrap();
        // Deviations 0, 2, -2, 0, 4, -4: squares sum to 40, fourth powers to 544.
        assert_eq!((found.mean, found.variance), (1.0, 40.0 / 6.0));
        assert!((found.kurtosis.unwrap() - (544.0 / 6.0) / (40.0f64 / 6.0).powi(2)).abs() < 1e-15);
        let scaled = moments(MatRef::new(&x, 3, 2).unwrap(), -3).unwrap();
        assert_eq!((scaled.mean, scaled.variance), (0.125, 40.0 / 6.0 / 64.0));
        assert_eq!(scaled.kurtosis, found.kurtosis);
        let flat = moments(MatRef::new(&[2.0; 4], 2, 2).unwrap(), 0).unwrap();
        assert_eq!((flat.mean, flat.variance, flat.kurtosis), (2.0, 0.0, None));
        assert_eq!(moments(MatRef::new(&[f32::NAN], 1, 1).unwrap(), 0), None);
    }
}
