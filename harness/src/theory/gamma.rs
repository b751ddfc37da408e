//! psi(x) = d/dx ln Gamma(x) and its derivative psi1(x), for x > 0.
//!
//! Recurrence up to x >= 10, then the asymptotic series; absolute error below 1e-12 (relative for small x).
//! Source: Abramowitz and Stegun 6.3.5, 6.3.18, 6.4.6, 6.4.12.

/// psi(x) for x > 0.
pub(crate) fn digamma(x: f64) -> f64 {
    let (x, sum) = raise(x, |x| 1.0 / x);
    let y = 1.0 / (x * x);
    let series =
        y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y * (5.0 / 660.0)))));
    x.ln() - 0.5 / x - series - sum
}

/// psi1(x) for x > 0.
pub(crate) fn trigamma(x: f64) -> f64 {
    let (x, sum) = raise(x, |x| 1.0 / (x * x));
    let y = 1.0 / (x * x);
    let series = y * (1.0 / 6.0 - y * (1.0 / 30.0 - y * (1.0 / 42.0 - y * (1.0 / 30.0 - y * (5.0 / 66.0)))));
    (1.0 + 0.5 / x + series) / x + sum
}

/// x raised to at least 10 in steps of 1, and the sum of the terms stepped over.
fn raise(mut x: f64, term: impl Fn(f64) -> f64) -> (f64, f64) {
    let mut sum = 0.0;
    while x < 10.0 {
        sum += term(x);
        x += 1.0;
    }
    (x, sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::assert_close;
    use core::f64::consts::{LN_2, PI};

    const EULER: f64 = 0.57721566490153286;

    #[test]
    fn closed_forms() {
        assert_close(digamma(1.0), -EULER, 1e-12);
        assert_close(digamma(0.5), -EULER - 2.0 * LN_2, 1e-12);
        assert_close(
            digamma(20.5),
            (0..20).fold(digamma(0.5), |sum, i| sum + 1.0 / (0.5 + f64::from(i))),
            1e-12,
        );
        assert_close(trigamma(1.0), PI * PI / 6.0, 1e-12);
        assert_close(trigamma(0.5), PI * PI / 2.0, 1e-12);
        assert_close(trigamma(1e6), 1.0000005000001667e-6, 1e-12);
    }
}
