//! Patches: what a window sees at each of its places, one row each, so that a convolution is a product (im2col).
//!
//! Row r of the patches of a batch belongs to sample r / places and place r mod places. Its k k C columns are the
//! window's positions in the order of memory, C channels each; positions in the padding are 0. One row of the window is
//! one run of k C elements of the image. Cost: the patches are written once, and of the image as many elements are read.
//! Source: K. Chellapilla, S. Puri, P. Simard, "High performance convolutional neural networks for document
//! processing", 2006.

use core::ops::Range;

use super::{Signal, Window};

/// The patches of a batch of images.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patches {
    /// What looks.
    pub(super) window: Window,
    /// What it looks at.
    pub(super) image: Signal,
    /// How many places the window takes across, and in all.
    pub(super) across: usize,
    pub(super) places: usize,
}

impl Patches {
    /// Elements of a row.
    pub(super) fn columns(&self) -> usize {
        self.window.size * self.window.size * self.image.channels
    }

    /// Writes the patches `rows` of a batch of images to `patches`, row after row.
    pub(super) fn gather(&self, images: &[f32], rows: Range<usize>, patches: &mut [f32]) -> Option<()> {
        let mut rest = patches;
        for row in rows {
            let (patch, after) = rest.split_at_mut_checked(self.columns())?;
            rest = after;
            let image = self.image_of(row, images.len())?;
            self.gather_one(images.get(image)?, row % self.places, patch)?;
        }
        Some(())
    }

    /// Adds the patches `rows` of a batch onto the images they were taken from, in the order of the rows; what lies in the
    /// padding is left out.
    pub(super) fn scatter(&self, patches: &[f32], rows: Range<usize>, images: &mut [f32]) -> Option<()> {
        let length = images.len();
        for (row, patch) in rows.zip(patches.chunks_exact(self.columns())) {
            let image = self.image_of(row, length)?;
            self.scatter_one(patch, row % self.places, images.get_mut(image)?)?;
        }
        Some(())
    }

    /// The elements of the image that a row belongs to.
    fn image_of(&self, row: usize, length: usize) -> Option<Range<usize>> {
        let size = self.image.elements();
        let start = (row / self.places).checked_mul(size)?;
        let end = start.checked_add(size)?;
        (end <= length).then_some(start..end)
    }

    fn gather_one(&self, image: &[f32], place: usize, patch: &mut [f32]) -> Option<()> {
        let line = self.window.size * self.image.channels;
        let (down, top) = self.window.inside(place / self.across, self.image.height);
        let (run, left) = self.run(place);
        for (i, line) in patch.chunks_exact_mut(line).enumerate() {
            if down.contains(&i) {
                let start = ((top + i - down.start) * self.image.width + left) * self.image.channels;
                let seen = image.get(start..)?.get(..run.len())?;
                line.get_mut(..run.start)?.fill(0.0);
                line.get_mut(run.clone())?.copy_from_slice(seen);
                line.get_mut(run.end..)?.fill(0.0);
            } else {
                line.fill(0.0);
            }
        }
        Some(())
    }

    fn scatter_one(&self, patch: &[f32], place: usize, image: &mut [f32]) -> Option<()> {
        let line = self.window.size * self.image.channels;
        let (down, top) = self.window.inside(place / self.across, self.image.height);
        let (run, left) = self.run(place);
        let lines = patch.chunks_exact(line).skip(down.start).take(down.len());
        for (i, line) in lines.enumerate() {
            let start = ((top + i) * self.image.width + left) * self.image.channels;
            let seen = image.get_mut(start..)?.get_mut(..run.len())?;
            for (seen, part) in seen.iter_mut().zip(line.get(run.clone())?) {
                *seen += part;
            }
        }
        Some(())
    }

    /// Of a line of the patch at a place, the elements inside the image; and the image's column where they start.
    fn run(&self, place: usize) -> (Range<usize>, usize) {
        let (inside, left) = self.window.inside(place % self.across, self.image.width);
        (inside.start * self.image.channels..inside.end * self.image.channels, left)
    }
}
