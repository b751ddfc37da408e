//! Pooling: the largest of each window, or the mean over all positions, channel by channel.
//!
//! Of equal values in a window the first in the order of memory counts, and gets the gradient; so does the first NaN,
//! if there is one: a broken signal stays visible. Means are sums over the positions in the order of
//! [`reduce::column_sums`] times 1 / positions, rounded. Where windows overlap, gradients are added in the order of the
//! windows, from +0.0. Cost: one look at every element of every window.

use isobath_kernels::{Level, MatRef, optimizer, reduce};

use super::{Place, Signal, Window};

/// Most rows and columns of a window: the place of the largest is kept as an f32, which must be exact.
pub(super) const MOST: usize = 4096;

/// The windows of a batch of images, without padding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pooling {
    window: Window,
    image: Signal,
    out: Signal,
}

impl Pooling {
    pub(super) fn new(size: usize, stride: usize, place: &Place) -> Self {
        Self { window: Window { size, stride, padding: 0 }, image: place.from, out: place.to }
    }

    /// y: the largest of each window; `which`: its number in the window.
    pub(super) fn forward(self, images: &[f32], y: &mut [f32], which: &mut [f32]) {
        let channels = self.image.channels;
        let images = images.chunks_exact(self.image.elements());
        let outputs =
            y.chunks_exact_mut(self.out.elements()).zip(which.chunks_exact_mut(self.out.elements()));
        for (image, (y, which)) in images.zip(outputs) {
            let rows = y.chunks_exact_mut(channels).zip(which.chunks_exact_mut(channels));
            for (place, (y, which)) in rows.enumerate() {
                which.fill(0.0);
                for number in 0..self.window.size * self.window.size {
                    let start = self.position(place, number) * channels;
                    let Some(seen) = image.get(start..start + channels) else { continue };
                    if number == 0 {
                        y.copy_from_slice(seen);
                        continue;
                    }
                    for ((y, which), seen) in y.iter_mut().zip(&mut *which).zip(seen) {
                        let is_larger = *seen > *y || (seen.is_nan() && !y.is_nan());
                        *y = if is_larger { *seen } else { *y };
                        *which = if is_larger { number as f32 } else { *which };
                    }
                }
            }
        }
    }

    /// dx: of each window's dy, all goes to the element that was the largest.
    pub(super) fn backward(self, dy: &[f32], which: &[f32], dx: &mut [f32]) {
        let channels = self.image.channels;
        let outputs = dy.chunks_exact(self.out.elements()).zip(which.chunks_exact(self.out.elements()));
        for (dx, (dy, which)) in dx.chunks_exact_mut(self.image.elements()).zip(outputs) {
            dx.fill(0.0);
            let rows = dy.chunks_exact(channels).zip(which.chunks_exact(channels));
            for (place, (dy, which)) in rows.enumerate() {
                for (channel, (dy, which)) in dy.iter().zip(which).enumerate() {
                    let at = self.position(place, *which as usize) * channels + channel;
                    if let Some(dx) = dx.get_mut(at) {
                        *dx += dy;
                    }
                }
            }
        }
    }

    /// The image's position that has this number in the window at a place.
    fn position(self, place: usize, number: usize) -> usize {
        let (size, stride) = (self.window.size, self.window.stride);
        let row = place / self.out.width * stride + number / size;
        row * self.image.width + place % self.out.width * stride + number % size
    }
}

/// y: the mean over the positions of each sample.
pub(super) fn average(level: Level, image: Signal, images: &[f32], y: &mut [f32]) -> Option<()> {
    let samples = images.chunks_exact(image.elements()).zip(y.chunks_exact_mut(image.channels));
    for (x, y) in samples {
        let x = MatRef::new(x, image.positions(), image.channels).ok()?;
        reduce::column_sums(level, x, y).ok()?;
    }
    optimizer::scale(level, 1.0 / image.positions() as f32, y);
    Some(())
}

/// dx: the same share of dy at every position.
pub(super) fn average_backward(level: Level, image: Signal, dy: &mut [f32], dx: &mut [f32]) {
    optimizer::scale(level, 1.0 / image.positions() as f32, dy);
    let samples = dx.chunks_exact_mut(image.elements()).zip(dy.chunks_exact(image.channels));
    for (dx, dy) in samples {
        for dx in dx.chunks_exact_mut(image.channels) {
            dx.copy_from_slice(dy);
        }
    }
}
