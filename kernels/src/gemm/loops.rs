//! The loops around the register tile: blocks of k, strips of columns, tiles of rows.

mod pack;
mod tile;

use super::{Epilogue, Init, K_BLOCK, Shape};
use crate::simd::Simd;
use crate::{MatMut, MatRef};

/// Columns of op(B) that the workspace holds: those of the widest register tile that this target has.
pub(super) const PACKED_COLUMNS: usize =
    if cfg!(any(target_arch = "x86", target_arch = "x86_64")) { 32 } else { 8 };

/// Runs a product whose operands have been checked.
#[inline(always)]
pub(super) fn run<S: Simd, E: Epilogue>(
    simd: S,
    shape: Shape,
    a: MatRef<'_>,
    b: MatRef<'_>,
    c: &mut MatMut<'_>,
    init: Init<'_>,
    workspace: &mut [f32],
    epilogue: &mut E,
) {
    let Shape { m, n, k, transpose_a, transpose_b } = shape;
    let tile_columns = S::LANES * S::TILE_VECTORS;
    // A strip of B is copied where it must be transposed, and where its rows lie so far apart that they evict
    // each other from the first-level cache while the strip is read again for every tile of rows.
    let far_apart = n >= 256 && m >= 2 * S::TILE_ROWS;
    let pack = (transpose_b || far_apart) && !workspace.is_empty();
    let blocks = k.div_ceil(K_BLOCK).max(1);
    for block in 0..blocks {
        let start = block * K_BLOCK;
        let depth = (k - start).min(K_BLOCK);
        let mut column = 0;
        while column < n {
            let width = (n - column).min(tile_columns);
            let strip = if pack {
                pack::Strip::packed(simd, b, transpose_b, start, depth, column, width, workspace)
            } else {
                pack::Strip::in_place(b, transpose_b, start, column, width)
            };
            let mut row = 0;
            while row < m {
                let place = tile::Place { row, column, width, start, depth };
                let when = tile::When { first: block == 0, last: block + 1 == blocks };
                row += tile::run(simd, m - row, place, when, a, transpose_a, &strip, c, init, epilogue);
            }
            column += width;
        }
    }
}
