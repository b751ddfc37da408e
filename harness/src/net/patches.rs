//! Patches: what a window sees at each of its places, one row each, so that a convolution is a product (im2col).
//!
//! Row r of the patches of a batch belongs to sample r / places and place r mod places. Its k k C columns are the
//! window's positions in the order of memory, C channels each; positions in the padding are 0. One row of the window is
//! one run of k C elements of the image. Cost: the patches are written once, and as many elements of the image read.
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

/// Rows of patches whose places lie beside each other.
struct Line {
    sample: usize,
    down: usize,
    across: Range<usize>,
}

impl Patches {
    /// Elements of a row.
    pub(super) fn columns(&self) -> usize {
        self.window.size * self.window.size * self.image.channels
    }

    /// Writes the patches `rows` of a batch of images to `patches`, row after row.
    pub(super) fn gather(&self, images: &[f32], rows: Range<usize>, patches: &mut [f32]) -> Option<()> {
        let line = self.window.size * self.image.channels;
        let mut rest = patches;
        for Line { sample, down, across } in self.lines(rows) {
            let image = images.get(sample * self.image.elements()..)?;
            let (inside, top) = self.window.inside(down, self.image.height);
            for place in across {
                let (run, left) = self.run(place);
                for i in 0..self.window.size {
                    let (to, after) = rest.split_at_mut_checked(line)?;
                    rest = after;
                    if !inside.contains(&i) {
                        to.fill(0.0);
                        continue;
                    }
                    let start = self.element(top + i - inside.start, left);
                    let seen = image.get(start..)?.get(..run.len())?;
                    if run.len() < line {
                        to.fill(0.0);
                    }
                    copy(to.get_mut(run.clone())?, seen);
                }
            }
        }
        Some(())
    }

    /// Adds the patches `rows` of a batch onto the images they were taken from, in the order of the rows; what lies in
    /// the padding is left out.
    pub(super) fn scatter(&self, patches: &[f32], rows: Range<usize>, images: &mut [f32]) -> Option<()> {
        let line = self.window.size * self.image.channels;
        let mut rest = patches;
        for Line { sample, down, across } in self.lines(rows) {
            let image = images.get_mut(sample * self.image.elements()..)?;
            let (inside, top) = self.window.inside(down, self.image.height);
            for place in across {
                let (run, left) = self.run(place);
                for i in 0..self.window.size {
                    let (from, after) = rest.split_at_checked(line)?;
                    rest = after;
                    if !inside.contains(&i) {
                        continue;
                    }
                    let start = self.element(top + i - inside.start, left);
                    let seen = image.get_mut(start..)?.get_mut(..run.len())?;
                    for (seen, part) in seen.iter_mut().zip(from.get(run.clone())?) {
                        *seen += part;
                    }
                }
            }
        }
        Some(())
    }

    /// Where a position of an image starts.
    fn element(&self, row: usize, column: usize) -> usize {
        (row * self.image.width + column) * self.image.channels
    }

    /// The rows, cut where a line of places ends.
    fn lines(&self, rows: Range<usize>) -> impl Iterator<Item = Line> {
        let Self { across, places, .. } = *self;
        let mut next = rows.start;
        core::iter::from_fn(move || {
            let start = next;
            let left = rows.end.checked_sub(start).filter(|left| *left > 0)?;
            let column = start % across;
            let length = left.min(across - column);
            next += length;
            let down = start % places / across;
            Some(Line { sample: start / places, down, across: column..column + length })
        })
    }

    /// Of each line of the patch at a place, the elements inside the image; and the image's column where they start.
    fn run(&self, across: usize) -> (Range<usize>, usize) {
        let (inside, left) = self.window.inside(across, self.image.width);
        (inside.start * self.image.channels..inside.end * self.image.channels, left)
    }
}

/// Short runs are copied without a call.
fn copy(to: &mut [f32], from: &[f32]) {
    if from.len() < 8 {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    } else {
        to.copy_from_slice(from);
    }
}
