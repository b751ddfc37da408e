//! Copies of parts of the factors in the caller's workspace, where they do not lie as the tiles want them.

use super::plan::{FEWEST_ROWS, PACKED_DEPTH, PANEL, PANELS, STRIP_COLUMNS};
use super::tiles::Tiles;
use crate::gemm::Shape;
use crate::gemm::transpose::transpose;
use crate::part::{from_mut, part};
use crate::simd::Simd;
use crate::view::{MatMut, MatRef};

/// Bytes of a cache line, at the start of which a workspace is made to begin.
const LINE: usize = 64;

/// A caller's workspace, or none, cut into its parts.
pub(super) struct Space<'a> {
    /// A strip of columns of op(B).
    pub(super) strip: &'a mut [f32],
    /// A block of rows of op(A).
    pub(super) panels: &'a mut [f32],
}

/// Steps of k that are packed at a time.
const fn packed_depth(k: usize) -> usize {
    if k < PACKED_DEPTH { k } else { PACKED_DEPTH }
}

/// Elements for the panels of a block, where the product has `rows` rows.
const fn panels_len(rows: usize, depth: usize) -> usize {
    let most = rows.div_ceil(FEWEST_ROWS);
    (if most < PANELS { most } else { PANELS }) * PANEL * depth
}

/// Elements of workspace for a product.
pub(in crate::gemm) const fn workspace_len(shape: Shape) -> usize {
    let Shape { m, n, k, transpose_a, .. } = shape;
    // A microcontroller has one level of memory and none to spare.
    if m == 0 || n == 0 || cfg!(target_os = "none") {
        return 0;
    }
    let depth = packed_depth(k);
    let panels = if transpose_a && super::plan::large(m, k) { panels_len(m, depth) } else { 0 };
    depth * STRIP_COLUMNS + panels + LINE / size_of::<f32>()
}

impl<'a> Space<'a> {
    #[inline(always)]
    pub(super) fn new(workspace: &'a mut [f32], shape: Shape) -> Self {
        let skip = workspace.as_ptr().align_offset(LINE);
        let aligned = from_mut(workspace, skip);
        let strip = packed_depth(shape.k) * STRIP_COLUMNS;
        let (strip, panels) = aligned.split_at_mut_checked(strip).unwrap_or((&mut [], &mut []));
        Self { strip, panels }
    }

    /// Whether the panels of a block fit.
    #[inline(always)]
    pub(super) fn holds_panels(&self, rows: usize, depth: usize) -> bool {
        self.panels.len() >= panels_len(rows, depth)
    }
}

/// Transposes `source`, rows of B, to a strip of columns of op(B).
#[inline(always)]
pub(super) fn strip<S: Simd>(simd: S, source: MatRef<'_>, space: &mut [f32]) {
    if let Ok(mut out) = MatMut::new(space, source.columns(), source.rows()) {
        transpose(simd, source, &mut out);
    }
}

/// Rows of A that [`panels`] copies at a time: each lies on a page of its own, and in the same sets of the cache.
const ROWS_AT_ONCE: usize = 4;

/// Copies `lines` columns of A from column `line` on, `steps` elements of each, to panels of [`Tiles::ROWS`] columns:
/// within a panel the elements that a tile multiplies at one step lie side by side, [`PANEL`] from those of the next.
#[inline(never)]
pub(super) fn panels<S: Tiles>(
    simd: S,
    a: MatRef<'_>,
    line: usize,
    lines: usize,
    start: usize,
    steps: usize,
    out: &mut [f32],
) {
    let simd = simd.half();
    simd.vectorize(
        #[inline(always)]
        || {
            for first in (0..steps).step_by(ROWS_AT_ONCE) {
                let few = (steps - first).min(ROWS_AT_ONCE);
                for (panel, line) in (line..line + lines).step_by(S::ROWS).enumerate() {
                    // Columns beyond the tile's complete the vectors; nobody reads them.
                    let source = a.block(start + first, line, few, PANEL);
                    let out = from_mut(out, (panel * steps + first) * PANEL);
                    for (p, out) in out.as_chunks_mut::<PANEL>().0.iter_mut().enumerate().take(few) {
                        let mut column = 0;
                        while column < PANEL {
                            let x = part(source.row(p), column, <S::Half as Simd>::LANES);
                            simd.store(simd.load(x), from_mut(out, column));
                            column += <S::Half as Simd>::LANES;
                        }
                    }
                }
            }
        },
    );
}
