//! Windows that slide over an image: where they lie, and how many there are.
//!
//! A window of k x k positions moves in steps of s over an image with p positions of padding on each side. Of n
//! positions down or across it takes (n + 2p - k) / s + 1 places, rounded down; what lies behind the last one is not
//! looked at.

use core::ops::Range;

use super::Signal;

/// A square window and how it moves.
///
/// ```
/// use isobath::init::Init;
/// use isobath::net::{Layer, Place, Plan, PlanError, Signal, Window};
///
/// let mut places = [Place::default()];
/// let window = Window { size: 3, stride: 2, padding: 1 };
/// let layers = [Layer::convolution(1, window, Init::HE)];
/// let image = Signal::image(5, 7, 1);
/// // (5 + 2 - 3) / 2 + 1 places down, (7 + 2 - 3) / 2 + 1 across.
/// assert_eq!(Plan::new(image, 1, &layers, &mut places)?.output_signal(), Signal::image(3, 4, 1));
///
/// let window = Window { size: 6, stride: 1, padding: 0 };
/// let layers = [Layer::convolution(1, window, Init::HE)];
/// let refused = Plan::new(image, 1, &layers, &mut places).unwrap_err();
/// assert_eq!(refused, PlanError::Window { layer: 0, window, image });
/// # Ok::<(), PlanError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// k, its side.
    pub size: usize,
    /// s, from one place to the next.
    pub stride: usize,
    /// p, positions outside the image on each of its sides.
    pub padding: usize,
}

impl Window {
    /// Places down and across; none where the window is larger than the padded image, empty, or stands still.
    pub(super) fn places(self, image: Signal) -> Option<(usize, usize)> {
        let along = |positions: usize| {
            let padded = self.padding.checked_mul(2)?.checked_add(positions)?;
            let steps = padded.checked_sub(self.size)?.checked_div(self.stride)?;
            (self.size > 0).then_some(steps + 1)
        };
        Some((along(image.height)?, along(image.width)?))
    }

    /// At a place, the rows or columns of the window that lie inside the image, and the image's row or column that the
    /// first of these is.
    pub(super) fn inside(self, place: usize, positions: usize) -> (Range<usize>, usize) {
        let start = place * self.stride;
        let from = self.padding.saturating_sub(start).min(self.size);
        let to = (positions + self.padding).saturating_sub(start).min(self.size).max(from);
        (from..to, (start + from).saturating_sub(self.padding).min(positions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_moving_the_window() {
        for size in 0..6 {
            for stride in 0..4 {
                for padding in 0..3 {
                    for positions in 1..9 {
                        let window = Window { size, stride, padding };
                        let fits = |place: &usize| place * stride + size <= positions + 2 * padding;
                        let counted =
                            if size == 0 || stride == 0 { 0 } else { (0..20).take_while(fits).count() };
                        let expected = (counted > 0).then_some((counted, counted));
                        assert_eq!(window.places(Signal::image(positions, positions, 1)), expected);
                    }
                }
            }
        }
    }

    #[test]
    fn inside_is_what_is_not_padding() {
        for (size, stride, padding, positions) in [(3, 1, 1, 4), (5, 2, 2, 3), (3, 2, 5, 2), (1, 3, 0, 7)] {
            let window = Window { size, stride, padding };
            let (places, _) = window.places(Signal::image(positions, positions, 1)).unwrap();
            for place in 0..places {
                let (inside, first) = window.inside(place, positions);
                for i in 0..size {
                    let at = (place * stride + i).checked_sub(padding).filter(|at| *at < positions);
                    assert_eq!(at.is_some(), inside.contains(&i), "{window:?}, {place}, {i}");
                    if let Some(at) = at {
                        assert_eq!(at, first + i - inside.start);
                    }
                }
            }
        }
    }

    #[test]
    fn no_size_overflows() {
        for window in [
            Window { size: 1, stride: 1, padding: usize::MAX },
            Window { size: usize::MAX, stride: 1, padding: 0 },
            Window { size: 1, stride: 1, padding: usize::MAX / 2 },
        ] {
            assert_eq!(window.places(Signal::image(2, 2, 1)), None);
        }
    }
}
