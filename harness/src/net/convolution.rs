//! Convolutions as matrix products over patches, see [`super::patches`].
//!
//! With B samples, k x k windows, C channels in and C' out, the patches are a matrix X of B x places rows and k k C
//! columns, and the convolution is the dense layer Y = X W + b over it, to the last bit: dW = X^T dY is one chain over
//! all rows in blocks of 256. dX = dY W^T is added up window by window, in the order of memory, from +0.0.
//!
//! X never exists as a whole: 256 rows are made at a time, one block of the definition of a matrix product, which is
//! why this cutting does not show in a bit. That takes 256 k k C elements of workspace per thread. A step makes patches
//! three times (forward, for dW, and dX's). Samples are shared among threads; for dW, which is one sum over all of them,
//! the rows of dW. Padding is multiplied like everything else: 0 times an infinite weight is NaN.

use core::ops::Range;

use isobath_kernels::gemm::{Gemm, Init, K_BLOCK, Shape};
use isobath_kernels::{Level, MatMut, MatRef};

use super::forward::matrix;
use super::patches::Patches;
use super::product::{multiply, pieces};
use super::{Place, PlanError, Signal, Window};
use crate::threads::{Serial, Threads};

/// Rows of patches that are made at a time. The sums of dW are those of one product for multiples of the block alone.
const ROWS: usize = K_BLOCK;

/// A convolution of a batch: its patches, and who computes it.
pub(super) struct Convolving<'a, T> {
    level: Level,
    threads: &'a T,
    samples: usize,
    patches: Patches,
    channels: usize,
}

/// Elements of workspace per thread: patches, and what their products take.
pub(super) fn workspace_len(place: &Place) -> Result<usize, PlanError> {
    let (columns, channels) = (place.fan_in, place.width);
    let products = [
        Shape { m: ROWS, n: channels, k: columns, transpose_a: false, transpose_b: false },
        Shape { m: ROWS, n: columns, k: channels, transpose_a: false, transpose_b: true },
        Shape { m: columns, n: channels, k: ROWS, transpose_a: true, transpose_b: false },
    ];
    let products = products.into_iter().map(Gemm::workspace_len_for).max().unwrap_or(0);
    columns.checked_mul(ROWS).and_then(|patches| patches.checked_add(products)).ok_or(PlanError::TooLarge)
}

impl<'a, T: Threads> Convolving<'a, T> {
    pub(super) fn new(level: Level, threads: &'a T, samples: usize, window: Window, place: &Place) -> Self {
        let Signal { width: across, .. } = place.to;
        let patches = Patches { window, image: place.from, across, places: place.to.positions() };
        Self { level, threads, samples, patches, channels: place.width }
    }

    /// Y = X W + b.
    pub(super) fn forward(
        &self,
        images: &[f32],
        weights: MatRef<'_>,
        biases: &[f32],
        y: &mut [f32],
        workspace: &mut [f32],
    ) -> Option<()> {
        let size = self.patches.image.elements();
        let work = |samples: Range<usize>, y: &mut [f32], workspace: &mut [f32]| {
            let images = images.get(samples.start * size..samples.end * size)?;
            let (patches, workspace) = self.cut(workspace)?;
            let outputs = y.chunks_mut(ROWS * self.channels);
            for (rows, y) in blocks(samples.len() * self.patches.places).zip(outputs) {
                let patches = patches.get_mut(..rows.len() * self.patches.columns())?;
                self.patches.gather(images, rows.clone(), patches)?;
                let x = MatRef::new(patches, rows.len(), self.patches.columns()).ok()?;
                let y = MatMut::new(y, rows.len(), self.channels).ok()?;
                let shape = self.shape(rows.len());
                multiply(self.level, &Serial, shape, x, weights, y, Init::Bias(biases), workspace).ok()?;
            }
            Some(())
        };
        self.share(self.patches.places * self.channels, y, workspace, &work)
    }

    /// dW = X^T dY.
    pub(super) fn weight_gradient(
        &self,
        images: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        workspace: &mut [f32],
    ) -> Option<()> {
        let columns = self.patches.columns();
        let (patches, workspace) = self.cut(workspace)?;
        for rows in blocks(self.samples * self.patches.places) {
            let patches = patches.get_mut(..rows.len() * columns)?;
            self.patches.gather(images, rows.clone(), patches)?;
            let x = MatRef::new(patches, rows.len(), columns).ok()?;
            let init = if rows.start == 0 { Init::Zero } else { Init::Accumulate };
            let dy = matrix(dy, rows.start * self.channels, rows.len(), self.channels)?;
            let dw = MatMut::new(dw, columns, self.channels).ok()?;
            let shape =
                Shape { m: columns, n: self.channels, k: rows.len(), transpose_a: true, transpose_b: false };
            multiply(self.level, self.threads, shape, x, dy, dw, init, workspace).ok()?;
        }
        Some(())
    }

    /// dX: dY W^T, of which every window's part is added onto the image.
    pub(super) fn input_gradient(
        &self,
        dy: &[f32],
        weights: MatRef<'_>,
        dx: &mut [f32],
        workspace: &mut [f32],
    ) -> Option<()> {
        let per_sample = self.patches.places * self.channels;
        let work = |samples: Range<usize>, dx: &mut [f32], workspace: &mut [f32]| {
            let dy = dy.get(samples.start * per_sample..samples.end * per_sample)?;
            let (patches, workspace) = self.cut(workspace)?;
            dx.fill(0.0);
            for rows in blocks(samples.len() * self.patches.places) {
                let dy = matrix(dy, rows.start * self.channels, rows.len(), self.channels)?;
                let patches = patches.get_mut(..rows.len() * self.patches.columns())?;
                let out = MatMut::new(patches, rows.len(), self.patches.columns()).ok()?;
                let Shape { m, n: k, k: n, .. } = self.shape(rows.len());
                let shape = Shape { m, n, k, transpose_a: false, transpose_b: true };
                multiply(self.level, &Serial, shape, dy, weights, out, Init::Zero, workspace).ok()?;
                self.patches.scatter(patches, rows, dx)?;
            }
            Some(())
        };
        self.share(self.patches.image.elements(), dx, workspace, &work)
    }

    /// X W for so many rows of X.
    fn shape(&self, rows: usize) -> Shape {
        let (n, k) = (self.channels, self.patches.columns());
        Shape { m: rows, n, k, transpose_a: false, transpose_b: false }
    }

    /// Room for patches, and for products.
    fn cut<'w>(&self, workspace: &'w mut [f32]) -> Option<(&'w mut [f32], &'w mut [f32])> {
        workspace.split_at_mut_checked(ROWS * self.patches.columns())
    }

    /// Shares the samples among threads, each with its part of `out`, `length` elements per sample, and of the
    /// workspace.
    fn share(
        &self,
        length: usize,
        out: &mut [f32],
        workspace: &mut [f32],
        work: &(impl Fn(Range<usize>, &mut [f32], &mut [f32]) -> Option<()> + Sync),
    ) -> Option<()> {
        let whole = self.shape(self.samples * self.patches.places);
        let pieces = pieces(self.threads, whole).min(self.samples);
        let out = out.get_mut(..self.samples * length)?;
        split(self.threads, pieces, 0..self.samples, length, out, workspace, work)
    }
}

fn split<T: Threads>(
    threads: &T,
    pieces: usize,
    samples: Range<usize>,
    length: usize,
    out: &mut [f32],
    workspace: &mut [f32],
    work: &(impl Fn(Range<usize>, &mut [f32], &mut [f32]) -> Option<()> + Sync),
) -> Option<()> {
    if pieces <= 1 {
        return work(samples, out, workspace);
    }
    let first_pieces = pieces / 2;
    let at = samples.len() * first_pieces / pieces;
    let (first_out, second_out) = out.split_at_mut_checked(at * length)?;
    let (first_space, second_space) = workspace.split_at_mut(workspace.len() / pieces * first_pieces);
    let (first, second) = (samples.start..samples.start + at, samples.start + at..samples.end);
    let (mut first_done, mut second_done) = (None, None);
    threads.join(
        |team| first_done = split(team, first_pieces, first, length, first_out, first_space, work),
        |team| {
            let pieces = pieces - first_pieces;
            second_done = split(team, pieces, second, length, second_out, second_space, work);
        },
    );
    first_done.and(second_done)
}

/// Rows in blocks, the last of which may be shorter.
fn blocks(rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(ROWS).map(move |start| start..rows.min(start + ROWS))
}
