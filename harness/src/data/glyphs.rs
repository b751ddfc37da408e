//! Glyphs: the digits 0 to 9 as images of 12 x 12 pixels, each moved, turned, slanted, stretched, partly
//! covered and noisy.
//!
//! A pixel p (from the image's middle) shows the font's cell at q = A^-1 (p - d), bilinear between cells:
//! A = R(angle) [1 shear; 0 1] diag(across, down), d the shift. The rotation is rational, t uniform and
//! (cos, sin) = (1 - t^2, 2t) / (1 + t^2), so no trigonometry is needed.
//!
//! The distortions are as strong as they are so that a linear classifier fails (test accuracy about one half)
//! where a deep network does not: the task separates networks that train from those that do not. Measured on
//! 4000 images: softmax regression 0.52 to 0.53, ReLU networks of 2 x 128 0.93, of 4 x 64 0.88.

use super::font;
use crate::random::Random;

/// Pixels down and across.
pub const SIDE: usize = 12;
/// Pixels of an image.
pub const FEATURES: usize = SIDE * SIDE;
/// The ten digits.
pub const CLASSES: usize = 10;

/// Tangent of half the largest rotation: 0.06 is 7 degrees.
const HALF_TURN: f32 = 0.06;
/// Largest slant, pixels across per pixel down.
const SHEAR: f32 = 0.1;
/// Pixels per cell, smallest and largest, drawn apart for each direction.
const SCALE: (f32, f32) = (1.2, 1.4);
/// Largest shift in pixels, either way.
const SHIFT: f32 = 2.3;
/// Side of the covered square in pixels.
const COVER: usize = 2;
/// Standard deviation of the noise; ink is 1.
const NOISE: f32 = 0.1;

/// Fills images (row-major, [`FEATURES`] each) and their labels, one label per image. Every ten in turn
/// hold each digit once, and fewer images are the first of more.
///
/// ```
/// use isobath::data::glyphs::{FEATURES, fill};
/// use isobath::random::Random;
///
/// let (mut images, mut labels) = ([0.0; 10 * FEATURES], [0; 10]);
/// fill(&mut Random::new(1), &mut images, &mut labels);
/// // Each digit once, in a random order.
/// let mut sorted = labels;
/// sorted.sort();
/// assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
/// // Fewer images are the first of more.
/// let (mut first, mut label) = ([0.0; FEATURES], [0]);
/// fill(&mut Random::new(1), &mut first, &mut label);
/// assert_eq!((&first[..], label[0]), (&images[..FEATURES], labels[0]));
/// ```
pub fn fill(random: &mut Random, images: &mut [f32], labels: &mut [u32]) {
    let tens = images.chunks_mut(CLASSES * FEATURES).zip(labels.chunks_mut(CLASSES));
    for (images, labels) in tens {
        let mut digits: [u32; CLASSES] = core::array::from_fn(|digit| digit as u32);
        random.shuffle(&mut digits);
        for ((image, label), digit) in images.chunks_exact_mut(FEATURES).zip(labels).zip(digits) {
            *label = digit;
            draw(random, digit as usize, image);
        }
    }
}

/// Draws one image of a digit.
fn draw(random: &mut Random, digit: usize, image: &mut [f32]) {
    let style = random.below(font::STYLES);
    let place = Placement::draw(random);
    let (left, top) = (random.below(SIDE + 1 - COVER), random.below(SIDE + 1 - COVER));
    let cover = random.uniform();
    for (y, row) in image.chunks_exact_mut(SIDE).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            let covered = (left..left + COVER).contains(&x) && (top..top + COVER).contains(&y);
            let clean = if covered { cover } else { place.sample(style, digit, x, y) };
            *pixel = clean + NOISE * random.normal();
        }
    }
}

/// The inverse of a random affine map: from pixels to cells.
struct Placement {
    across: [f32; 2],
    down: [f32; 2],
    shift: [f32; 2],
}

impl Placement {
    fn draw(random: &mut Random) -> Self {
        let t = random.uniform_in(-HALF_TURN, HALF_TURN);
        let (cos, sin) = ((1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t));
        let shear = random.uniform_in(-SHEAR, SHEAR);
        let (x_scale, y_scale) = (random.uniform_in(SCALE.0, SCALE.1), random.uniform_in(SCALE.0, SCALE.1));
        let shift = [random.uniform_in(-SHIFT, SHIFT), random.uniform_in(-SHIFT, SHIFT)];
        // diag(1/x_scale, 1/y_scale) [1 -shear; 0 1] [cos sin; -sin cos]
        Self {
            across: [(cos + shear * sin) / x_scale, (sin - shear * cos) / x_scale],
            down: [-sin / y_scale, cos / y_scale],
            shift,
        }
    }

    /// Ink at the centre of a pixel, bilinear between the four cells around it.
    fn sample(&self, style: usize, digit: usize, x: usize, y: usize) -> f32 {
        const MIDDLE: f32 = (SIDE - 1) as f32 / 2.0;
        const CENTRE: (f32, f32) = ((font::WIDTH - 1) as f32 / 2.0, (font::HEIGHT - 1) as f32 / 2.0);
        let (px, py) = (x as f32 - MIDDLE - self.shift[0], y as f32 - MIDDLE - self.shift[1]);
        let (column, right) = floor(self.across[0] * px + self.across[1] * py + CENTRE.0);
        let (row, below) = floor(self.down[0] * px + self.down[1] * py + CENTRE.1);
        let line = |row| {
            let (here, next) =
                (font::ink(style, digit, column, row), font::ink(style, digit, column + 1, row));
            here + right * (next - here)
        };
        let (here, next) = (line(row), line(row + 1));
        here + below * (next - here)
    }
}

/// The integer below a small x and what is left, in [0, 1].
fn floor(x: f32) -> (i32, f32) {
    let truncated = x as i32;
    let floor = if (truncated as f32) > x { truncated - 1 } else { truncated };
    (floor, x - floor as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upright_glyph_shows_the_fonts_cells() {
        let place = Placement { across: [1.0, 0.0], down: [0.0, 1.0], shift: [-0.5, -0.5] };
        for (x, y) in (0..SIDE * SIDE).map(|i| (i % SIDE, i / SIDE)) {
            let cell = font::ink(1, 4, x as i32 - 3, y as i32 - 2);
            assert_eq!(place.sample(1, 4, x, y), cell, "pixel {x}, {y}");
        }
    }

    #[test]
    fn between_cells_the_ink_is_their_mean() {
        let place = Placement { across: [1.0, 0.0], down: [0.0, 1.0], shift: [0.0, 0.0] };
        // Pixel (4, 3) lies in the middle of the cells (0, 0), (1, 0), (0, 1), (1, 1) of the first zero.
        assert_eq!(place.sample(0, 0, 4, 3), 0.5);
    }

    #[test]
    fn placements_stay_in_their_ranges() {
        let mut random = Random::new(1);
        for _ in 0..1000 {
            let Placement { across: [a, b], down: [c, d], shift } = Placement::draw(&mut random);
            let area = 1.0 / (a * d - b * c);
            assert!((SCALE.0 * SCALE.0 - 1.0e-5..=SCALE.1 * SCALE.1 + 1.0e-5).contains(&area), "{area}");
            let turn = (c / d).abs();
            assert!(turn <= 2.0 * HALF_TURN / (1.0 - HALF_TURN * HALF_TURN) + 1.0e-6, "{turn}");
            assert!(shift.iter().all(|shift| shift.abs() <= SHIFT));
        }
    }
}
