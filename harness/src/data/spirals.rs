//! Spirals: arms that wind around each other in a plane, laid into a space of more dimensions.
//!
//! Arm c at radius r in (0, 1): r (cos, sin) of r TURNS + c / CLASSES turns, plus noise in the plane; the
//! plane's two axes in R^FEATURES are orthonormal and drawn from the seed (Gram-Schmidt on two Gaussian
//! vectors). r is the square root of a uniform number, so the arms are evenly filled. No line tells the arms
//! apart. [`fill_two`] draws two arms and leaves them in their plane: the smallest task that needs hidden layers.

use crate::random::Random;
use crate::random::elementary::sin_cos_turns;

/// Numbers per sample.
pub const FEATURES: usize = 16;
/// The number of arms.
pub const CLASSES: usize = 5;
/// How often an arm winds around the centre.
const TURNS: f32 = 1.0;
/// Standard deviation of the noise along each axis of the plane; the outermost radius is 1.
const NOISE: f32 = 0.03;

/// The plane that the spirals lie in: two orthonormal vectors.
///
/// ```
/// use isobath::data::spirals::{CLASSES, FEATURES, Plane};
/// use isobath::random::Random;
///
/// let mut random = Random::new(1);
/// let plane = Plane::new(&mut random);
/// let (mut samples, mut labels) = ([0.0; CLASSES * FEATURES], [0; CLASSES]);
/// plane.fill(&mut random, &mut samples, &mut labels);
/// // Each arm once, in a random order, and its points within the unit circle but for some noise.
/// labels.sort();
/// assert_eq!(labels, [0, 1, 2, 3, 4]);
/// let squares = samples.chunks(FEATURES).map(|sample| sample.iter().map(|x| x * x).sum::<f32>());
/// assert!(squares.into_iter().all(|square| square < 1.5));
/// ```
#[derive(Clone, Debug)]
pub struct Plane {
    axes: [[f32; FEATURES]; 2],
}

impl Plane {
    /// Draws a plane.
    pub fn new(random: &mut Random) -> Self {
        let mut axes = [[0.0; FEATURES]; 2];
        random.fill_normal(axes.as_flattened_mut(), 1.0);
        let [first, second] = &mut axes;
        normalise(first);
        let overlap = dot(first, second);
        for (b, a) in second.iter_mut().zip(first) {
            *b -= overlap * *a;
        }
        normalise(second);
        Self { axes }
    }

    /// Fills samples (row-major, [`FEATURES`] each) and their labels, one label per sample. Every
    /// [`CLASSES`] in turn hold each arm once.
    pub fn fill(&self, random: &mut Random, samples: &mut [f32], labels: &mut [u32]) {
        let [first, second] = &self.axes;
        for (samples, labels) in samples.chunks_mut(CLASSES * FEATURES).zip(labels.chunks_mut(CLASSES)) {
            let mut arms: [u32; CLASSES] = core::array::from_fn(|arm| arm as u32);
            random.shuffle(&mut arms);
            for ((sample, label), arm) in samples.chunks_exact_mut(FEATURES).zip(labels).zip(arms) {
                *label = arm;
                let [x, y] = point(random, arm as f32 / CLASSES as f32);
                for ((value, a), b) in sample.iter_mut().zip(first).zip(second) {
                    *value = x * a + y * b;
                }
            }
        }
    }
}

/// A point of the arm that starts at this angle, in turns.
fn point(random: &mut Random, start: f32) -> [f32; 2] {
    let radius = libm::sqrtf(random.uniform());
    let (sin, cos) = sin_cos_turns(radius * TURNS + start);
    [radius * cos + NOISE * random.normal(), radius * sin + NOISE * random.normal()]
}

/// Fills points (two numbers each) of two arms and their labels, 0 or 1. Every two in turn hold each arm once.
///
/// ```
/// use isobath::data::spirals::fill_two;
/// use isobath::random::Random;
///
/// let (mut points, mut labels) = ([0.0; 8], [0; 4]);
/// fill_two(&mut Random::new(1), &mut points, &mut labels);
/// assert!(labels.chunks(2).all(|two| two == [0, 1] || two == [1, 0]));
/// // Within the unit circle but for some noise.
/// assert!(points.chunks(2).all(|xy| xy[0].hypot(xy[1]) < 1.2));
/// ```
pub fn fill_two(random: &mut Random, points: &mut [f32], labels: &mut [u32]) {
    for (points, labels) in points.chunks_mut(4).zip(labels.chunks_mut(2)) {
        let mut arms = [0, 1];
        random.shuffle(&mut arms);
        for ((xy, label), arm) in points.chunks_exact_mut(2).zip(labels).zip(arms) {
            *label = arm;
            xy.copy_from_slice(&point(random, arm as f32 / 2.0));
        }
    }
}

fn normalise(vector: &mut [f32]) {
    let length = libm::sqrtf(dot(vector, vector));
    for value in vector {
        *value /= length;
    }
}

/// The sum of products in order.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_arms_are_each_others_mirror_image() {
        let (mut points, mut labels) = ([0.0; 2000], [0; 1000]);
        fill_two(&mut Random::new(1), &mut points, &mut labels);
        for (point, label) in points.chunks_exact(2).zip(labels) {
            let side = if label == 0 { 1.0 } else { -1.0 };
            let distance = |step: usize| {
                let radius = step as f32 / 1000.0;
                let (sin, cos) = sin_cos_turns(radius * TURNS);
                (side * point[0] - radius * cos).hypot(side * point[1] - radius * sin)
            };
            let distance = (0..=1000).map(distance).fold(f32::INFINITY, f32::min);
            assert!(distance < 5.0 * NOISE, "{distance} from arm {label}");
        }
        assert_eq!(labels.iter().sum::<u32>(), 500);
    }

    #[test]
    fn samples_lie_near_their_arm_in_an_orthonormal_plane() {
        let mut random = Random::new(1);
        let plane = Plane::new(&mut random);
        let [first, second] = &plane.axes;
        assert!((dot(first, first) - 1.0).abs() < 1.0e-6 && (dot(second, second) - 1.0).abs() < 1.0e-6);
        assert!(dot(first, second).abs() < 1.0e-6);

        let (mut samples, mut labels) = (vec![0.0; 1000 * FEATURES], vec![0; 1000]);
        plane.fill(&mut random, &mut samples, &mut labels);
        for (sample, label) in samples.chunks_exact(FEATURES).zip(labels) {
            let (x, y) = (dot(sample, first), dot(sample, second));
            let length = dot(sample, sample);
            assert!((x * x + y * y - length).abs() < 1.0e-5, "a sample is outside the plane");
            let on_arm = |step: usize| {
                let radius = step as f32 / 1000.0;
                let (sin, cos) = sin_cos_turns(radius * TURNS + label as f32 / CLASSES as f32);
                (x - radius * cos).hypot(y - radius * sin)
            };
            let distance = (0..=1000).map(on_arm).fold(f32::INFINITY, f32::min);
            assert!(distance < 5.0 * NOISE, "{distance} from arm {label}");
        }
    }
}
