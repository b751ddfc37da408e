//! Delayed recall: the rows of a glyph are shown from the top, one a step, then T blank steps; then the digit is to be
//! named. Images and labels are those of [`glyphs`], from the same random numbers.

use crate::data::glyphs;
use crate::random::Random;

/// Numbers of a step: a row of pixels.
pub const FEATURES: usize = glyphs::SIDE;
/// The ten digits.
pub const CLASSES: usize = glyphs::CLASSES;

/// Steps of a sequence with so many blanks.
///
/// ```
/// use isobath::data::sequence::recall::steps;
///
/// // After the 12 rows of the glyph.
/// assert_eq!(steps(30), 42);
/// ```
pub const fn steps(blanks: usize) -> usize {
    blanks.saturating_add(glyphs::SIDE)
}

/// Fills sequences with `blanks` blank steps, and their labels.
///
/// ```
/// use isobath::data::glyphs;
/// use isobath::data::sequence::recall::{FEATURES, fill, steps};
/// use isobath::random::Random;
///
/// let (mut inputs, mut labels) = (vec![f32::NAN; steps(2) * FEATURES], [0]);
/// fill(&mut Random::new(1), 2, &mut inputs, &mut labels);
/// let (mut image, mut digit) = ([0.0; glyphs::FEATURES], [0]);
/// glyphs::fill(&mut Random::new(1), &mut image, &mut digit);
/// // A glyph, then two blank steps.
/// assert_eq!(inputs, [&image[..], &[0.0; 2 * FEATURES]].concat());
/// assert_eq!(labels, digit);
/// ```
pub fn fill(random: &mut Random, blanks: usize, inputs: &mut [f32], labels: &mut [u32]) {
    // Images are drawn in tens, see `glyphs::fill`: into the front of ten sequences, then each to its place.
    let ten = glyphs::CLASSES;
    let length = steps(blanks) * FEATURES;
    for (inputs, labels) in inputs.chunks_mut(ten * length).zip(labels.chunks_mut(ten)) {
        let count = labels.len();
        glyphs::fill(random, inputs.get_mut(..count * glyphs::FEATURES).unwrap_or_default(), labels);
        for sequence in (0..count).rev() {
            let from = sequence * glyphs::FEATURES;
            let to = sequence * length;
            if to + length <= inputs.len() {
                inputs.copy_within(from..from + glyphs::FEATURES, to);
                inputs.get_mut(to + glyphs::FEATURES..to + length).unwrap_or_default().fill(0.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_glyph_is_followed_by_blanks() {
        for (blanks, samples) in [(0, 20), (1, 27), (30, 13)] {
            let length = steps(blanks) * FEATURES;
            let (mut inputs, mut labels) = (vec![f32::NAN; samples * length], vec![10; samples]);
            fill(&mut Random::new(1), blanks, &mut inputs, &mut labels);
            let (mut images, mut digits) = (vec![0.0; samples * glyphs::FEATURES], vec![10; samples]);
            glyphs::fill(&mut Random::new(1), &mut images, &mut digits);
            assert_eq!(labels, digits);
            for (input, image) in inputs.chunks(length).zip(images.chunks(glyphs::FEATURES)) {
                let (shown, blank) = input.split_at(glyphs::FEATURES);
                assert_eq!(shown, image);
                assert!(blank.iter().all(|x| *x == 0.0));
            }
        }
    }
}
