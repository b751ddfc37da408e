//! Mean, variance and confidence interval of a small sample; the value of a sequence that stands out.

use core::f64::consts::LN_10;

/// Mean and unbiased variance of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moments {
    pub(crate) count: usize,
    pub(crate) mean: f64,
    /// None for a single value.
    pub(crate) var: Option<f64>,
}

impl Moments {
    /// None for an empty sample.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self { count, mean, var: (count > 1).then(|| squares / (count - 1) as f64) })
    }

    /// The standard error of the mean; none for a single value.
    pub(crate) fn standard_error(self) -> Option<f64> {
        Some((self.var? / self.count as f64).sqrt())
    }

    /// Where the mean of the population lies with 95 % confidence, by Student's t; none for a single value.
    pub(crate) fn ci95(self) -> Option<(f64, f64)> {
        let half = student_t(self.count - 1) * self.standard_error()?;
        Some((self.mean - half, self.mean + half))
    }
}

/// The 0.975 quantile of Student's t, to 1e-5 relative: exact values for few degrees of freedom, above them the
/// expansion around the normal quantile (Abramowitz and Stegun 26.7.5).
fn student_t(freedom: usize) -> f64 {
    const FEW: [f64; 9] = [
        12.706204736,
        4.302652730,
        3.182446305,
        2.776445105,
        2.570581836,
        2.446911851,
        2.364624252,
        2.306004135,
        2.262157163,
    ];
    if let Some(exact) = freedom.checked_sub(1).and_then(|i| FEW.get(i)) {
        return *exact;
    }
    let z: f64 = 1.959963984540054;
    let z2 = z * z;
    let terms = [
        (z2 + 1.0) / 4.0,
        ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0,
        (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0,
        ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) / 92160.0,
    ];
    let inverse = 1.0 / freedom as f64;
    z * (1.0 + terms.iter().rev().fold(0.0, |sum, term| (sum + term) * inverse))
}

/// The middle value; none for an empty sample.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some(upper.midpoint(values[middle - 1]))
}

/// 10^x as a norm's ratio: ln of its square.
pub(crate) fn log_gain(log10: f64) -> f64 {
    2.0 * LN_10 * log10
}

/// Neighbours on either side that a value is held against.
const NEIGHBOURS: usize = 4;
/// Fewer values have no neighbourhood to stand out from.
const FEWEST: usize = 5;
/// Robust standard deviations by which a value stands out.
const DEVIATIONS: f64 = 6.0;

/// By how much each value is off the median of up to four neighbours on either side.
pub(crate) fn deviations(values: &[f64]) -> Vec<f64> {
    (0..values.len())
        .map(|i| {
            let from = i.saturating_sub(NEIGHBOURS);
            let to = (i + NEIGHBOURS + 1).min(values.len());
            let others = (from..to).filter(|j| *j != i).map(|j| values[j]).collect();
            values[i] - median(others).unwrap_or(values[i])
        })
        .collect()
}

/// The standard deviation of values around 0 of which most are normal: 1.4826 times the median magnitude.
pub(crate) fn robust_spread(values: &[f64]) -> f64 {
    1.4826 * median(values.iter().map(|value| value.abs()).collect()).unwrap_or(0.0)
}

/// The natural logarithm that stands out most from a sequence, and by how much, if one does: it must be off its
/// neighbours by more than six robust standard deviations of all, and by more than the factor `least`.
pub(crate) fn outlier(logs: &[f64], least: f64) -> Option<(usize, f64)> {
    if logs.len() < FEWEST {
        return None;
    }
    let offsets = deviations(logs);
    let spread = robust_spread(&offsets);
    let (i, offset) =
        offsets.into_iter().enumerate().max_by(|(_, one), (_, other)| one.abs().total_cmp(&other.abs()))?;
    (offset.abs() > (DEVIATIONS * spread).max(least.ln())).then_some((i, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_student() {
        for (freedom, expected) in [
            (1, 12.7062047),
            (7, 2.3646243),
            (10, 2.2281389),
            (11, 2.2009852),
            (30, 2.0422725),
            (1000, 1.9623391),
        ] {
            assert!((student_t(freedom) / expected - 1.0).abs() < 1e-5, "{freedom}: {}", student_t(freedom));
        }
    }

    #[test]
    fn moments_by_hand() {
        let moments = Moments::of(&[1.0, 2.0, 6.0]).unwrap();
        assert_eq!((moments.mean, moments.var), (3.0, Some(7.0)));
        let (low, high) = moments.ci95().unwrap();
        assert!((high - low - 2.0 * 4.302652730 * (7.0f64 / 3.0).sqrt()).abs() < 1e-9);
        assert_eq!(Moments::of(&[1.0]).unwrap().ci95(), None);
        assert_eq!(Moments::of(&[]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0, 10.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn one_value_stands_out() {
        let mut logs: Vec<f64> = (0..20).map(|i| 0.1 * f64::from(i) + 0.01 * f64::from(i % 3)).collect();
        assert_eq!(outlier(&logs, 1.5), None);
        logs[7] += 2.0;
        let (i, offset) = outlier(&logs, 1.5).unwrap();
        assert!(i == 7 && (offset - 2.0).abs() < 0.1, "{i} {offset}");
        // Less than a factor of 1.5 is never a defect, however quiet the rest.
        let mut quiet = vec![0.0; 20];
        quiet[3] = 0.4;
        assert_eq!(outlier(&quiet, 1.5), None);
        quiet[3] = -0.41;
        assert_eq!(outlier(&quiet, 1.5), Some((3, -0.41)));
        assert_eq!(outlier(&[0.0, 0.0, 9.0, 0.0], 1.5), None);
    }
}
