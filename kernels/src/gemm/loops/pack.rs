//! Copies of parts of the factors in the caller's workspace, where they do not lie as the tiles want them.

use super::plan::{PACKED_DEPTH, PANEL, PANELS, STRIP_COLUMNS};
use super::tiles::Tiles;
use crate::gemm::Shape;
use crate::part::{from_mut, part_mut};
use crate::simd::Simd;
use crate::view::{MatMut, MatRef};

/// Bytes of a cache line, at the start of which a workspace is made to begin.
const LINE: usize = 64;

/// A caller's workspace, or none, cut into its parts.
pub(super) struct Space<'a> {
    /// Two strips of columns of op(B): one is read while the next is written.
    pub(super) strips: [&'a mut [f32]; 2],
    /// A block of rows of op(A).
    pub(super) panels: &'a mut [f32],
}

/// Steps of k that are packed at a time.
const fn packed_depth(k: usize) -> usize {
    if k < PACKED_DEPTH { k } else { PACKED_DEPTH }
}

/// Elements for the panels of a block.
const fn panels_len(depth: usize) -> usize {
    PANELS * PANEL * depth
}

/// Elements of workspace for a product.
pub(in crate::gemm) const fn workspace_len(shape: Shape) -> usize {
    let Shape { m, n, k, transpose_a, .. } = shape;
    // A microcontroller has one level of memory and none to spare.
    if m == 0 || n == 0 || cfg!(target_os = "none") {
        return 0;
    }
    let depth = packed_depth(k);
    let panels = if transpose_a && super::plan::deep(k) { panels_len(depth) } else { 0 };
    2 * depth * STRIP_COLUMNS + panels + LINE / size_of::<f32>()
}

impl<'a> Space<'a> {
    #[inline(always)]
    pub(super) fn new(workspace: &'a mut [f32], shape: Shape) -> Self {
        let skip = workspace.as_ptr().align_offset(LINE);
        let aligned = from_mut(workspace, skip);
        let strip = packed_depth(shape.k) * STRIP_COLUMNS;
        let (front, rest) = aligned.split_at_mut_checked(strip).unwrap_or((&mut [], &mut []));
        let (back, panels) = rest.split_at_mut_checked(strip).unwrap_or((&mut [], &mut []));
        Self { strips: [front, back], panels }
    }

    /// Whether the panels of a block fit.
    #[inline(always)]
    pub(super) fn holds_panels(&self, depth: usize) -> bool {
        self.panels.len() >= panels_len(depth)
    }
}

/// A strip of columns of op(B) on its way to the workspace.
pub(super) struct Packing<'a> {
    /// The strip as it is stored.
    source: MatRef<'a>,
    transposed: bool,
    /// The strip as the tiles read it.
    out: MatMut<'a>,
    done: usize,
}

impl<'a> Packing<'a> {
    /// The columns from `column` on, `depth` steps of k from `start` on, will be packed to `space`.
    #[inline(always)]
    pub(super) fn new(
        matrix: MatRef<'a>,
        transposed: bool,
        column: usize,
        width: usize,
        start: usize,
        depth: usize,
        space: &'a mut [f32],
    ) -> Option<Self> {
        let source = if transposed {
            matrix.block(column, start, width, depth)
        } else {
            matrix.block(start, column, depth, width)
        };
        let out = MatMut::new(space, depth, width).ok()?;
        Some(Self { source, transposed, out, done: 0 })
    }

    /// Packs `steps` more steps of k.
    #[inline(always)]
    pub(super) fn advance<S: Simd>(&mut self, simd: S, steps: usize) {
        if self.transposed {
            // Whole vectors of k.
            let steps = steps.next_multiple_of(S::LANES);
            let mut out = self.out.block(self.done, 0, steps, usize::MAX);
            transpose(simd, self.source.sub_columns(self.done, self.done.saturating_add(steps)), &mut out);
            self.done += steps;
        } else {
            let mut out = self.out.block(self.done, 0, steps, usize::MAX);
            copy(simd, self.source.sub_rows(self.done, self.done.saturating_add(steps)), &mut out);
            self.done += steps;
        }
    }

    /// Steps that are left.
    #[inline(always)]
    pub(super) fn left(&self) -> usize {
        self.out.rows().saturating_sub(self.done)
    }
}

/// Writes the transpose of `source` to `out`.
// One function per token, out of the way of products that need none.
#[inline(never)]
pub(super) fn transpose<S: Simd>(simd: S, source: MatRef<'_>, out: &mut MatMut<'_>) {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut row = 0;
            while row < source.rows() {
                // The last block overlaps the one before rather than being incomplete.
                let first_row = row.min(source.rows().saturating_sub(S::LANES));
                let mut column = 0;
                while column < source.columns() {
                    let first_column = column.min(source.columns().saturating_sub(S::LANES));
                    let block = source.block(first_row, first_column, S::LANES, S::LANES);
                    let mut out = out.block(first_column, first_row, S::LANES, S::LANES);
                    simd.for_each_column(
                        block,
                        #[inline(always)]
                        |p, v| simd.store(v, out.row_mut(p)),
                    );
                    column += S::LANES;
                }
                row += S::LANES;
            }
        },
    );
}

/// Copies `lines` columns of A, `steps` elements of each, to panels of [`Tiles::ROWS`] lines: within a panel the
/// elements that a tile multiplies at one step lie side by side, [`PANEL`] from those of the next step.
#[inline(always)]
pub(super) fn panels<S: Tiles>(
    simd: S,
    a: MatRef<'_>,
    line: usize,
    lines: usize,
    start: usize,
    steps: usize,
    out: &mut [f32],
) {
    for (panel, line) in (line..line + lines).step_by(S::ROWS).enumerate() {
        // Lines beyond the tile's complete the vectors; nobody reads them.
        let Ok(mut out) = MatMut::new(part_mut(out, panel * PANEL * steps, PANEL * steps), steps, PANEL)
        else {
            return;
        };
        copy(simd.half(), a.block(start, line, steps, PANEL), &mut out);
    }
}

/// Writes `source` to `out`.
#[inline(never)]
fn copy<S: Simd>(simd: S, source: MatRef<'_>, out: &mut MatMut<'_>) {
    simd.vectorize(
        #[inline(always)]
        || {
            for p in 0..source.rows() {
                for (x, out) in source.row(p).chunks(S::LANES).zip(out.row_mut(p).chunks_mut(S::LANES)) {
                    simd.store(simd.load(x), out);
                }
            }
        },
    );
}
