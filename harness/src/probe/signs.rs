//! What else than the gradient's size tells a sound network from a sick one, and how all of it becomes one verdict.
//!
//! A layer whose outputs fall to a line or a plane at once, out of many directions, has collapsed whatever the gradient
//! does. Then comes the gradient's size; if it vanishes by slopes of units most of which sit where the activation is
//! flat, the network is saturated. If its size is sound, gradients of neighbouring inputs may still have nothing in
//! common (shattering: Balduzzi et al. 2017), or the outputs may have sunk to a line layer by layer (rank collapse).
//! Deep rectifiers do both; that they do the second by half is no verdict, for they train.

use super::verdict::Kind;

/// Fraction of saturated units and inputs, over all layers, from which vanishing is called saturation. Half of all
/// ReLU units are off in any sound network.
const SATURATED: f64 = 0.6;
/// Effective rank below which outputs lie on a line,
const LINE: f64 = 1.1;
/// and below which that is in doubt.
const NEAR_LINE: f64 = 1.2;
/// Effective rank below which outputs lie on a line or a plane.
const PLANE: f64 = 2.5;
/// By how much the effective rank falls in one layer that collapses at once,
const FALL: f64 = 2.2;
/// and from which that is in doubt.
const NEAR_FALL: f64 = 1.9;
/// Effective rank below a layer that can collapse at once.
const ROOM: f64 = 3.0;
/// Effective rank of inputs that can show a collapse.
pub(super) const SPREAD: f64 = 4.0;
/// Cosine between the gradients of neighbouring inputs up to which they are shattered,
const SHATTERED: f64 = 0.15;
/// and up to which that is in doubt.
pub(super) const NEAR_SHATTERED: f64 = 0.25;
/// The correlation of inputs that count as neighbours.
pub(crate) const NEIGHBOURS: f64 = 0.9;

/// What was seen beside the gradient's size; none, or empty, where it was not looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Signs {
    /// Fraction of saturated units and inputs, the mean over layers.
    pub(crate) saturated: Option<f64>,
    /// Effective rank of the inputs, then of each layer's outputs; 0 where rounding has taken what differed.
    pub(crate) ranks: Vec<f64>,
    /// Cosine between the gradients of neighbouring inputs, and how far its 95 % interval reaches either way; 0 for a
    /// single network.
    pub(crate) correlation: Option<(f64, f64)>,
}

impl Signs {
    /// The layer in which outputs fall to a line or a plane at once, if there is one. Large biases, too, leave few units
    /// that answer; but then it is they that are at fault.
    pub(crate) fn collapsed_layer(&self) -> Option<usize> {
        if self.is_saturated() { None } else { self.layer_that_falls_by(FALL) }
    }

    fn layer_that_falls_by(&self, fall: f64) -> Option<usize> {
        let falls =
            |pair: &[f64]| pair[1] > 0.0 && pair[1] < PLANE && pair[0] >= ROOM && pair[0] > fall * pair[1];
        self.ranks.windows(2).position(falls).filter(|_| self.shows_collapse()).map(|l| l + 1)
    }

    fn shows_collapse(&self) -> bool {
        self.ranks.first().is_some_and(|input| *input >= SPREAD)
    }

    /// Whether most units sit where the activation is flat.
    pub(crate) fn is_saturated(&self) -> bool {
        self.saturated.is_some_and(|share| share >= SATURATED)
    }

    /// The verdict on a gradient whose size is `size`; `by_slopes` says whether it is slopes that shrink it most.
    pub(crate) fn verdict(&self, size: Kind, by_slopes: bool) -> Kind {
        if size == Kind::Dead {
            return size;
        }
        if self.collapsed_layer().is_some() {
            return Kind::RankCollapse;
        }
        if size == Kind::Vanishing && by_slopes && self.is_saturated() {
            return Kind::Saturated;
        }
        if size != Kind::Healthy {
            return size;
        }
        let (cosine, doubt) = self.correlation.unwrap_or((1.0, 0.0));
        let (low, high) = (cosine - doubt, cosine + doubt);
        let least = self.ranks.iter().copied().fold(f64::INFINITY, f64::min);
        let least = if self.shows_collapse() { least } else { f64::INFINITY };
        match size {
            _ if cosine <= SHATTERED && high <= NEAR_SHATTERED => Kind::Shattering,
            _ if cosine <= NEAR_SHATTERED || low <= SHATTERED => Kind::Borderline,
            _ if least < LINE => Kind::RankCollapse,
            _ if least < NEAR_LINE || self.layer_that_falls_by(NEAR_FALL).is_some() => Kind::Borderline,
            _ => size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collapse_at_once_then_size_then_the_rest() {
        let gradual = |least: f64| vec![30.0, 20.0, 12.0, 7.0, 4.0, 2.4, 1.5, least];
        let at_once = || vec![30.0, 25.0, 1.8, 1.7];
        for (saturated, ranks, cosine, size, by_slopes, verdict) in [
            (0.7, gradual(1.4), 0.9, Kind::Vanishing, true, Kind::Saturated),
            (0.7, gradual(1.4), 0.9, Kind::Vanishing, false, Kind::Vanishing),
            (0.5, gradual(1.0), 0.0, Kind::Vanishing, true, Kind::Vanishing),
            (0.5, at_once(), 0.9, Kind::Vanishing, true, Kind::RankCollapse),
            (0.5, at_once(), 0.9, Kind::Dead, true, Kind::Dead),
            (0.9, gradual(1.0), 0.0, Kind::Exploding, true, Kind::Exploding),
            (0.5, gradual(1.0), 0.9, Kind::Healthy, true, Kind::RankCollapse),
            (0.5, gradual(1.0), 0.9, Kind::Borderline, true, Kind::Borderline),
            (0.5, gradual(1.0), 0.05, Kind::Healthy, true, Kind::Shattering),
            (0.5, gradual(1.15), 0.9, Kind::Healthy, true, Kind::Borderline),
            (0.5, gradual(1.4), 0.18, Kind::Healthy, true, Kind::Borderline),
            (0.5, vec![30.0, 4.2, 2.1], 0.9, Kind::Healthy, true, Kind::Borderline),
            (0.9, gradual(1.4), 0.9, Kind::Healthy, true, Kind::Healthy),
            (0.9, at_once(), 0.9, Kind::Vanishing, true, Kind::Saturated),
            (0.5, vec![30.0, 8.0, 0.0], 0.9, Kind::Vanishing, true, Kind::Vanishing),
        ] {
            let signs = Signs { saturated: Some(saturated), ranks, correlation: Some((cosine, 0.01)) };
            assert_eq!(signs.verdict(size, by_slopes), verdict, "{signs:?} {size}");
        }
    }

    #[test]
    fn a_cosine_that_is_in_doubt_decides_nothing() {
        let verdict = |cosine, doubt| {
            Signs { correlation: Some((cosine, doubt)), ..Signs::default() }.verdict(Kind::Healthy, false)
        };
        assert_eq!(verdict(0.05, 0.02), Kind::Shattering);
        assert_eq!((verdict(0.05, 0.21), verdict(0.3, 0.16)), (Kind::Borderline, Kind::Borderline));
        assert_eq!(verdict(0.3, 0.05), Kind::Healthy);
    }

    #[test]
    fn the_layer_that_collapses() {
        let layer = |ranks: &[f64]| Signs { ranks: ranks.to_vec(), ..Signs::default() }.collapsed_layer();
        assert_eq!(layer(&[30.0, 1.0, 1.0]), Some(1));
        assert_eq!(layer(&[30.0, 25.0, 20.0, 1.9, 2.0]), Some(3));
        assert_eq!(layer(&[30.0, 14.0, 7.0, 4.0, 2.4, 1.5]), None);
        assert_eq!(layer(&[30.0, 10.0, 3.0]), None);
        // Inputs on a line show no collapse, and what was not looked at says nothing.
        assert_eq!(layer(&[1.5, 1.0, 1.0]), None);
        assert_eq!(Signs::default().verdict(Kind::Healthy, false), Kind::Healthy);
    }
}
