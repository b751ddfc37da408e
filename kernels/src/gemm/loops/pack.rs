//! Copies of parts of the factors in the caller's workspace, where they do not lie as the tiles want them.

use super::plan::{PACKED_DEPTH, ROW_BLOCK, STRIP_COLUMNS};
use super::tiles::Tiles;
use crate::gemm::{K_BLOCK, Shape};
use crate::part::{from_mut, part_mut};
use crate::view::MatRef;

/// Bytes of a cache line, at the start of which a workspace is made to begin.
const LINE: usize = 64;

/// A caller's workspace, or none, cut into its parts.
pub(super) struct Space<'a> {
    /// A strip of columns of op(B).
    pub(super) strip: &'a mut [f32],
    /// A block of rows of A.
    pub(super) panels: &'a mut [f32],
}

/// Elements for a strip of `depth` steps of k.
const fn strip_len(depth: usize) -> usize {
    (if depth < PACKED_DEPTH { depth } else { PACKED_DEPTH }) * STRIP_COLUMNS
}

/// Elements of workspace for a product.
pub(in crate::gemm) const fn workspace_len(shape: Shape) -> usize {
    // A microcontroller has one level of memory and none to spare.
    if shape.m == 0 || shape.n == 0 || cfg!(target_os = "none") {
        return 0;
    }
    let panels = if super::plan::large(shape.m, shape.k) { ROW_BLOCK * K_BLOCK } else { 0 };
    strip_len(shape.k) + panels + LINE / size_of::<f32>()
}

impl<'a> Space<'a> {
    pub(super) fn new(workspace: &'a mut [f32], shape: Shape) -> Self {
        let skip = workspace.as_ptr().align_offset(LINE);
        let aligned = from_mut(workspace, skip);
        let strip = strip_len(shape.k).min(aligned.len());
        let (strip, panels) = aligned.split_at_mut_checked(strip).unwrap_or((&mut [], &mut []));
        Self { strip, panels }
    }

    /// Whether a block of A fits.
    pub(super) fn holds_blocks(&self) -> bool {
        self.panels.len() >= ROW_BLOCK * K_BLOCK
    }
}

/// Writes the transpose of `source`: element (i, j) to out[j source.rows() + i].
#[inline(always)]
pub(super) fn transpose<S: Tiles>(simd: S, source: MatRef<'_>, out: &mut [f32]) {
    let stride = source.rows();
    let mut row = 0;
    while row < source.rows() {
        let mut column = 0;
        while column < source.columns() {
            let block = source.block(row, column, S::LANES, S::LANES);
            simd.transpose(block, from_mut(out, column * stride + row), stride);
            column += S::LANES;
        }
        row += S::LANES;
    }
}

/// Copies `rows` lines of A, `steps` elements of each, to panels of [`Tiles::ROWS`] lines: within a panel the elements
/// that a tile multiplies at one step lie side by side. The panel of line r starts at r `steps`.
#[inline(always)]
pub(super) fn panels<S: Tiles>(
    simd: S,
    a: MatRef<'_>,
    transposed: bool,
    line: usize,
    lines: usize,
    start: usize,
    steps: usize,
    out: &mut [f32],
) {
    let mut done = 0;
    while done < lines {
        let few = (lines - done).min(S::ROWS);
        let panel = part_mut(out, done * steps, few * steps);
        if transposed {
            let block = a.block(start, line + done, steps, few);
            for (p, out) in panel.chunks_exact_mut(few).enumerate() {
                for (out, x) in out.iter_mut().zip(block.row(p)) {
                    *out = *x;
                }
            }
        } else {
            transpose(simd, a.block(line + done, start, few, steps), panel);
        }
        done += few;
    }
}
