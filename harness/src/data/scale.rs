//! One mean and one deviation for all features, taken from the training part: x -> (x - mean) / deviation.
//! Global, not per feature, so that an image's dark corners stay dark; afterwards the mean square is 1.
//!
//! Sums run in order in f64, the second after the mean is subtracted. Source: the two-pass variance.

/// The centre and the scale of a set of inputs.
///
/// ```
/// use isobath::data::Scale;
///
/// let scale = Scale::of(&[1.0, 3.0, 1.0, 3.0]).expect("they differ");
/// assert_eq!(scale, Scale { mean: 2.0, deviation: 1.0 });
/// // What was not measured is brought onto the same scale.
/// let mut others = [0.0, 2.0, 5.0];
/// scale.apply(&mut others);
/// assert_eq!(others, [-2.0, 0.0, 3.0]);
/// assert_eq!(Scale::of(&[7.0; 4]), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The mean of all values.
    pub mean: f64,
    /// Their standard deviation, positive.
    pub deviation: f64,
}

impl Scale {
    /// The scale of finite values; none where they are all equal or there are none.
    pub fn of(values: &[f32]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let squares = values.iter().map(|&x| (f64::from(x) - mean) * (f64::from(x) - mean)).sum::<f64>();
        let deviation = libm::sqrt(squares / n);
        (deviation > 0.0).then_some(Self { mean, deviation })
    }

    /// Centres and scales the values.
    pub fn apply(self, values: &mut [f32]) {
        for value in values {
            *value = ((f64::from(*value) - self.mean) / self.deviation) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_values_have_mean_zero_and_mean_square_one() {
        let mut values = [1.0e30_f32, 3.0e30, -5.0e30, 8.0e30];
        let scale = Scale::of(&values).unwrap();
        scale.apply(&mut values);
        let mean_square: f32 = values.iter().map(|x| x * x).sum::<f32>() / 4.0;
        assert!(values.iter().sum::<f32>().abs() < 1.0e-6);
        assert!((mean_square - 1.0).abs() < 1.0e-6);
    }

    #[test]
    fn a_small_spread_about_a_large_mean_is_kept() {
        let scale = Scale::of(&[16_777_214.0, 16_777_216.0]).unwrap();
        assert_eq!(scale, Scale { mean: 16_777_215.0, deviation: 1.0 });
    }

    #[test]
    fn constant_and_empty_inputs_have_no_scale() {
        assert_eq!(Scale::of(&[2.5; 7]), None);
        assert_eq!(Scale::of(&[]), None);
    }
}
