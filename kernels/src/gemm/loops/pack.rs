//! A strip of op(B): the columns that one column of register tiles needs, as rows of consecutive elements.
//!
//! Where B already lies so, the strip is a view of it. Otherwise it is copied (and transposed) to the workspace,
//! or, without a workspace, a few rows at a time to the stack by each tile.

use crate::part::{from, from_mut, part_mut};
use crate::simd::Simd;
use crate::view::MatRef;

/// Rows that a tile copies to the stack at a time when it has no workspace.
pub(super) const STACK_ROWS: usize = 8;

/// Where a tile finds its columns of op(B).
pub(super) enum Strip<'a> {
    /// Rows `start..` of `matrix`, columns `column..column + width`.
    Rows { matrix: MatRef<'a>, start: usize, column: usize },
    /// B is stored as n x k and has not been copied: its rows are op(B)'s columns.
    Transposed { matrix: MatRef<'a>, start: usize, column: usize },
}

impl<'a> Strip<'a> {
    #[inline(always)]
    pub(super) fn in_place(
        b: MatRef<'a>,
        transposed: bool,
        start: usize,
        column: usize,
        width: usize,
    ) -> Self {
        if transposed {
            Self::Transposed { matrix: b.sub_rows(column, column + width), start, column: 0 }
        } else {
            Self::Rows { matrix: b, start, column }
        }
    }

    #[inline(always)]
    pub(super) fn packed<S: Simd>(
        simd: S,
        b: MatRef<'a>,
        transposed: bool,
        start: usize,
        depth: usize,
        column: usize,
        width: usize,
        workspace: &'a mut [f32],
    ) -> Self {
        if transposed {
            transpose(simd, b, start, depth, column, width, workspace);
        } else {
            copy(simd, b, start, depth, column, width, workspace);
        }
        match MatRef::new(workspace, depth, width) {
            Ok(matrix) => Self::Rows { matrix, start: 0, column: 0 },
            // The workspace was checked against the plan; a short one would only be slower.
            Err(_) => Self::in_place(b, transposed, start, column, width),
        }
    }
}

#[inline(always)]
fn copy<S: Simd>(
    simd: S,
    b: MatRef<'_>,
    start: usize,
    depth: usize,
    column: usize,
    width: usize,
    out: &mut [f32],
) {
    let Some(rows) = b.strips(start, depth, column, width) else { return };
    for (p, row) in rows.enumerate() {
        let out = part_mut(out, p * width, width);
        for at in (0..width).step_by(S::LANES) {
            simd.store(simd.load(from(row, at)), from_mut(out, at));
        }
    }
}

/// Sixteen, then four columns of op(B) at once: a gather from that many rows of B, a consecutive store.
#[inline(always)]
fn transpose<S: Simd>(
    simd: S,
    b: MatRef<'_>,
    start: usize,
    depth: usize,
    column: usize,
    width: usize,
    out: &mut [f32],
) {
    let mut done = 0;
    while width - done >= 16 {
        transpose_columns::<S, 16>(simd, b, start, depth, column + done, width, done, out);
        done += 16;
    }
    while width - done >= 4 {
        transpose_columns::<S, 4>(simd, b, start, depth, column + done, width, done, out);
        done += 4;
    }
    while done < width {
        transpose_columns::<S, 1>(simd, b, start, depth, column + done, width, done, out);
        done += 1;
    }
}

#[inline(always)]
fn transpose_columns<S: Simd, const N: usize>(
    _: S,
    b: MatRef<'_>,
    start: usize,
    depth: usize,
    line: usize,
    width: usize,
    offset: usize,
    out: &mut [f32],
) {
    let Some(lines) = b.lines::<N>(false, line, start, depth) else { return };
    for (p, elements) in lines.enumerate() {
        if let Some(out) = from_mut(out, p * width + offset).first_chunk_mut::<N>() {
            for (r, out) in out.iter_mut().enumerate() {
                *out = elements.get(r);
            }
        }
    }
}
