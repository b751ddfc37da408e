//! What else than the gradient's size tells a sound network from a sick one, and how all of it becomes one verdict.
//!
//! The gradient's size comes first. If it vanishes by slopes of units most of which sit where the activation is flat,
//! the network is saturated. If its size is sound, its outputs may still have fallen to a line or two (rank collapse),
//! or gradients of neighbouring inputs may have nothing in common (shattering: Balduzzi et al. 2017).

use super::verdict::Kind;

/// Fraction of saturated units and inputs, over all layers, from which vanishing is called saturation. Half of all
/// ReLU units are off in any sound network.
pub const SATURATED: f64 = 0.6;
/// Effective rank below which outputs have collapsed.
pub const COLLAPSED: f64 = 2.5;
/// And from which they have not. Inputs of less rank can show no collapse.
pub const SPREAD: f64 = 4.0;
/// Cosine between the gradients of neighbouring inputs up to which they are shattered.
pub const SHATTERED: f64 = 0.1;
/// And from which they are not.
pub const COHERENT: f64 = 0.2;
/// The correlation of inputs that count as neighbours.
pub const NEIGHBOURS: f64 = 0.9;

/// What was seen beside the gradient's size; none where it was not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Signs {
    /// Fraction of saturated units and inputs, the mean over layers.
    pub saturated: Option<f64>,
    /// Effective rank of the inputs, and the least of any layer's outputs.
    pub ranks: Option<(f64, f64)>,
    /// Cosine between the gradients of neighbouring inputs.
    pub correlation: Option<f64>,
}

impl Signs {
    /// The verdict on a gradient whose size is `size`; `by_slopes` says whether it is slopes that shrink it most.
    pub fn verdict(&self, size: Kind, by_slopes: bool) -> Kind {
        if size == Kind::Vanishing && by_slopes && self.saturated.is_some_and(|share| share >= SATURATED) {
            return Kind::Saturated;
        }
        if !matches!(size, Kind::Healthy | Kind::Borderline) {
            return size;
        }
        let least = self.ranks.filter(|(input, _)| *input >= SPREAD).map(|(_, least)| least);
        if least.is_some_and(|least| least < COLLAPSED) {
            return Kind::RankCollapse;
        }
        if self.correlation.is_some_and(|cosine| cosine <= SHATTERED) {
            return Kind::Shattering;
        }
        let doubtful = least.is_some_and(|least| least < SPREAD)
            || self.correlation.is_some_and(|cosine| cosine < COHERENT);
        if doubtful { Kind::Borderline } else { size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_first_then_rank_then_correlation() {
        let signs = |saturated, least, cosine| Signs {
            saturated: Some(saturated),
            ranks: Some((20.0, least)),
            correlation: Some(cosine),
        };
        for (saturated, least, cosine, size, by_slopes, verdict) in [
            (0.7, 20.0, 0.9, Kind::Vanishing, true, Kind::Saturated),
            (0.7, 20.0, 0.9, Kind::Vanishing, false, Kind::Vanishing),
            (0.5, 1.0, 0.0, Kind::Vanishing, true, Kind::Vanishing),
            (0.9, 1.0, 0.0, Kind::Exploding, true, Kind::Exploding),
            (0.9, 1.0, 0.0, Kind::Dead, true, Kind::Dead),
            (0.5, 1.0, 0.0, Kind::Healthy, true, Kind::RankCollapse),
            (0.5, 1.0, 0.9, Kind::Borderline, true, Kind::RankCollapse),
            (0.5, 20.0, 0.05, Kind::Healthy, true, Kind::Shattering),
            (0.5, 3.0, 0.9, Kind::Healthy, true, Kind::Borderline),
            (0.5, 20.0, 0.15, Kind::Healthy, true, Kind::Borderline),
            (0.9, 20.0, 0.9, Kind::Healthy, true, Kind::Healthy),
            (0.5, 20.0, 0.9, Kind::Borderline, true, Kind::Borderline),
        ] {
            assert_eq!(signs(saturated, least, cosine).verdict(size, by_slopes), verdict);
        }
        // What was not looked at says nothing, and inputs on a line show no collapse.
        assert_eq!(Signs::default().verdict(Kind::Healthy, false), Kind::Healthy);
        let narrow = Signs { ranks: Some((1.5, 1.0)), ..Signs::default() };
        assert_eq!(narrow.verdict(Kind::Healthy, false), Kind::Healthy);
    }
}
