//! The deepest network whose gradient stays within one decade: the largest L with |log10 of its gradient
//! ratio| <= 1.
//!
//! Found by doubling and bisection, for a ratio that moves one way with depth. Domain: up to 4096 layers or
//! blocks.

const FARTHEST: usize = 4096;

/// The largest depth at which the logarithm of the *squared* ratio stays within a decade, or why there is no
/// limit.
pub(crate) fn depth_within_decade(log_gain: impl Fn(usize) -> f64) -> Result<usize, &'static str> {
    let within = |depth: usize| log_gain(depth).abs() <= 2.0 * core::f64::consts::LN_10;
    let mut high = 1;
    while within(high) {
        if high == FARTHEST {
            return Err("the gradient stays within one decade for 4096 layers and more");
        }
        high *= 2;
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low.midpoint(high);
        if within(middle) { low = middle } else { high = middle }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_last_depth_within() {
        assert_eq!(depth_within_decade(|depth| depth as f64), Ok(4));
        assert_eq!(depth_within_decade(|depth| -2e-3 * depth as f64), Ok(2302));
        assert_eq!(depth_within_decade(|depth| 5.0 * depth as f64), Ok(0));
        assert!(depth_within_decade(|_| 0.0).is_err());
    }
}
