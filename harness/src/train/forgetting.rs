//! When a recurrent layer forgets: over how many steps its gradient through time loses nine tenths of its norm.

/// Steps back from the last after which the norm of the gradient is a tenth of that at the last step, or less, for the
/// first time; as many as there are steps where that happens in none. `log10` holds log10 of the norms from the first
/// step to the last; a norm that is zero has none. None where there are no steps, or nothing arrives at the last.
///
/// ```
/// use isobath::train::forgetting;
///
/// // Over each step back the gradient halves: 2^-4 is the first below a tenth.
/// let halves: Vec<_> = (0..9).rev().map(|back| Some(f64::from(back) * 0.5_f64.log10())).collect();
/// assert_eq!(forgetting(&halves), Some(4));
/// // An exploding one forgets nothing in its three steps.
/// assert_eq!(forgetting(&[Some(5.0), Some(2.0), Some(0.0)]), Some(3));
/// assert_eq!(forgetting(&[]), None);
/// ```
pub fn forgetting(log10: &[Option<f64>]) -> Option<usize> {
    let (last, before) = log10.split_last()?;
    let tenth = (*last)? - 1.0;
    let forgotten = before.iter().rev().position(|norm| norm.is_none_or(|norm| norm <= tenth));
    Some(forgotten.map_or(log10.len(), |back| back + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_counts_from_the_last_step() {
        let of = |norms: &[f64]| forgetting(&norms.iter().map(|norm| Some(*norm)).collect::<Vec<_>>());
        assert_eq!(of(&[-9.0, -2.0, -1.0, 0.0]), Some(1));
        assert_eq!(of(&[-3.2, -2.9, -2.3, -2.0]), Some(3));
        assert_eq!(of(&[-0.9, -0.3, 0.0]), Some(3), "not within its three steps");
        assert_eq!(of(&[5.0, 2.0, 0.0]), Some(3), "an exploding gradient forgets nothing");
        // Down, up again, and down for good: the first time counts.
        assert_eq!(of(&[-4.0, 0.0, -1.5, 0.0]), Some(1));
        // Each step halves: 2^-4 is the first below a tenth.
        let halves: Vec<f64> = (0..9).rev().map(|k| f64::from(k) * 0.5_f64.log10()).collect();
        assert_eq!(of(&halves), Some(4));
        assert_eq!(forgetting(&[Some(0.0), None, Some(0.0)]), Some(1), "a zero is forgotten");
        assert_eq!(forgetting(&[Some(0.0), None]), None);
        assert_eq!(forgetting(&[]), None);
    }
}
