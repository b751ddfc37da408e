//! Which register tiles each token has.
//!
//! A tile should have enough chains to hide the latency of a multiply-add (8 on a CPU that starts two per cycle and
//! needs four cycles for each), few enough to stay in registers, and as many rows per vector of B as make loads
//! rarer than multiply-adds. Where there are fewer rows, more vectors make up the chains.

use super::tile::{AHEAD, COPY, Edge, FULL, ONLY, PART, Work, tile, turned_tile};
use crate::MatMut;
use crate::simd::{Scalar, Simd};

/// A token with its register tiles.
pub(in crate::gemm) trait Tiles: Simd {
    /// Most rows of a tile of two vectors, the widest that is used where there are many rows.
    const ROWS: usize;
    /// Most rows of a tile of one vector.
    const NARROW_ROWS: usize;
    /// Vectors of the widest tile of many rows.
    const VECTORS: usize;
    /// Vectors of the widest tiles of one, two and three rows.
    const WIDE: [usize; 3];
    /// Whether [`Simd::prefetch_far`] does something.
    const ASKS_AHEAD: bool = false;
    /// Vectors of half the width, for the last columns; the token itself where that brings nothing.
    type Half: Tiles;
    /// The token of the half vectors.
    fn half(self) -> Self::Half;

    /// Runs the tile of this size.
    fn run(self, size: Size, work: &Work<'_>, out: &mut MatMut<'_>, copy: &mut [f32]);
}

/// The size of a tile.
#[derive(Clone, Copy)]
pub(in crate::gemm) struct Size {
    pub(super) rows: usize,
    /// Vectors in a row, a partly filled one included, a half one not.
    pub(super) vectors: usize,
    pub(super) edge: Edge,
}

impl Size {
    /// The tile that most of a large product consists of.
    #[inline(always)]
    pub(super) fn full<S: Tiles>() -> Self {
        Self { rows: S::ROWS, vectors: S::VECTORS, edge: Edge::Full }
    }
}

/// Finds the function for a size among those that exist.
macro_rules! tiles {
    (
        $simd:expr, $size:expr, $work:expr, $out:expr, $copy:expr;
        tiles $($rows:literal x $vectors:literal)*;
        narrow $($narrow:literal)*;
        turned $($turned_rows:literal x $turned_vectors:literal)*;
        halves $($half_rows:literal x $half_vectors:literal)*;
        copy $copy_rows:literal x $copy_vectors:literal
    ) => {
        match ($size.rows, $size.vectors, $size.edge) {
            ($copy_rows, $copy_vectors, Edge::Full) if !$copy.is_empty() => {
                tile::<Self, $copy_rows, $copy_vectors, FULL, COPY>($simd, $work, $out, $copy)
            }
            ($copy_rows, $copy_vectors, Edge::Full) if Self::ASKS_AHEAD && $work.ahead.is_some() && !$work.right.transposed => {
                tile::<Self, $copy_rows, $copy_vectors, FULL, AHEAD>($simd, $work, $out, &mut [])
            }
            $(
                ($turned_rows, $turned_vectors, Edge::Full) if $work.right.transposed => {
                    turned_tile::<Self::Half, $turned_rows, $turned_vectors, true>($simd.half(), $work, $out)
                }
            )*
            $(
                ($narrow, 1, _) if $work.right.transposed => {
                    turned_tile::<Self::Half, $narrow, 1, false>($simd.half(), $work, $out)
                }
            )*
            $(
                ($rows, $vectors, Edge::Full) => {
                    tile::<Self, $rows, $vectors, FULL, ONLY>($simd, $work, $out, &mut [])
                }
                ($rows, $vectors, Edge::Part) => {
                    tile::<Self, $rows, $vectors, PART, ONLY>($simd, $work, $out, &mut [])
                }
            )*
            $(
                ($half_rows, $half_vectors, Edge::Half) => {
                    tile::<Self, $half_rows, $half_vectors, { super::tile::HALF }, ONLY>($simd, $work, $out, &mut [])
                }
            )*
            _ => debug_assert!(false, "no such tile"),
        }
    };
}

impl Tiles for Scalar {
    const ROWS: usize = 4;
    const NARROW_ROWS: usize = 4;
    const VECTORS: usize = 2;
    const WIDE: [usize; 3] = [2, 2, 2];
    type Half = Self;
    #[inline(always)]
    fn half(self) -> Self {
        self
    }
    fn run(self, size: Size, work: &Work<'_>, out: &mut MatMut<'_>, copy: &mut [f32]) {
        tiles!(self, size, work, out, copy;
            tiles 1 x 1 2 x 1 3 x 1 4 x 1 1 x 2 2 x 2 3 x 2 4 x 2;
            narrow 1 2 3 4;
            turned 1 x 1 1 x 2 1 x 4 2 x 1 2 x 2 3 x 1 3 x 2 4 x 1 4 x 2;
            halves;
            copy 4 x 2);
    }
}

#[cfg(not(target_os = "none"))]
impl Tiles for crate::simd::Portable {
    const ROWS: usize = 4;
    const NARROW_ROWS: usize = 4;
    const VECTORS: usize = 1;
    const WIDE: [usize; 3] = [2, 2, 1];
    type Half = Self;
    #[inline(always)]
    fn half(self) -> Self {
        self
    }
    fn run(self, size: Size, work: &Work<'_>, out: &mut MatMut<'_>, copy: &mut [f32]) {
        tiles!(self, size, work, out, copy;
            tiles 1 x 1 2 x 1 3 x 1 4 x 1 1 x 2 2 x 2;
            narrow 1 2 3 4;
            turned 1 x 1 1 x 2 1 x 4 2 x 1 2 x 2 3 x 1 3 x 2 4 x 1 4 x 2;
            halves;
            copy 4 x 1);
    }
}

/// Sixteen registers: 6 x 2 sums, two vectors of B and one element of A leave one to spare.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
impl Tiles for crate::simd::Avx2 {
    const ROWS: usize = 6;
    const NARROW_ROWS: usize = 10;
    const VECTORS: usize = 2;
    const WIDE: [usize; 3] = [10, 5, 3];
    const ASKS_AHEAD: bool = true;
    type Half = Self;
    #[inline(always)]
    fn half(self) -> Self {
        self
    }
    fn run(self, size: Size, work: &Work<'_>, out: &mut MatMut<'_>, copy: &mut [f32]) {
        tiles!(self, size, work, out, copy;
            tiles 1 x 1 2 x 1 3 x 1 4 x 1 5 x 1 6 x 1 7 x 1 8 x 1 9 x 1 10 x 1
                1 x 2 2 x 2 3 x 2 4 x 2 5 x 2 6 x 2
                1 x 3 1 x 4 1 x 5 1 x 6 1 x 7 1 x 8 1 x 9 1 x 10
                2 x 3 2 x 4 2 x 5 3 x 3;
            narrow 1 2 3 4 5 6;
            turned 1 x 1 1 x 2 1 x 4 2 x 1 2 x 2 3 x 1 3 x 2 4 x 1 4 x 2 5 x 1 6 x 1;
            halves;
            copy 6 x 2);
    }
}

/// Thirty-two registers. Sixteen sums hide the latency on Zen 4 (one multiply-add of 512 bits per cycle) and on
/// Skylake-X (two), and a short tile has little to store at its end.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
impl Tiles for crate::simd::Avx512 {
    const ROWS: usize = 8;
    const NARROW_ROWS: usize = 8;
    const VECTORS: usize = 2;
    const WIDE: [usize; 3] = [16, 6, 4];
    const ASKS_AHEAD: bool = true;
    type Half = crate::simd::Avx2;
    #[inline(always)]
    fn half(self) -> crate::simd::Avx2 {
        self.avx2()
    }
    fn run(self, size: Size, work: &Work<'_>, out: &mut MatMut<'_>, copy: &mut [f32]) {
        tiles!(self, size, work, out, copy;
            tiles 1 x 1 2 x 1 3 x 1 4 x 1 5 x 1 6 x 1 7 x 1 8 x 1
                1 x 2 2 x 2 3 x 2 4 x 2 5 x 2 6 x 2 7 x 2 8 x 2
                1 x 3 1 x 4 1 x 5 1 x 6 1 x 7 1 x 8 1 x 9 1 x 10 1 x 11 1 x 12 1 x 13 1 x 14 1 x 15 1 x 16
                2 x 3 2 x 4 2 x 5 2 x 6 3 x 3 3 x 4;
            narrow 1 2 3 4 5 6 7 8;
            turned 1 x 1 1 x 2 1 x 4 2 x 1 2 x 2 3 x 1 3 x 2 4 x 1 4 x 2 5 x 1 6 x 1 7 x 1 8 x 1;
            halves 1 x 0 2 x 0 3 x 0 4 x 0 5 x 0 6 x 0 7 x 0 8 x 0
                1 x 1 2 x 1 3 x 1 4 x 1 5 x 1 6 x 1 7 x 1 8 x 1
                1 x 2 2 x 2 3 x 2 4 x 2 5 x 2 6 x 2 7 x 2 8 x 2;
            copy 8 x 2);
    }
}

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
impl Tiles for crate::simd::Neon {
    const ROWS: usize = 8;
    const NARROW_ROWS: usize = 8;
    const VECTORS: usize = 2;
    const WIDE: [usize; 3] = [8, 4, 4];
    type Half = Self;
    #[inline(always)]
    fn half(self) -> Self {
        self
    }
    fn run(self, size: Size, work: &Work<'_>, out: &mut MatMut<'_>, copy: &mut [f32]) {
        tiles!(self, size, work, out, copy;
            tiles 1 x 1 2 x 1 3 x 1 4 x 1 5 x 1 6 x 1 7 x 1 8 x 1
                1 x 2 2 x 2 3 x 2 4 x 2 5 x 2 6 x 2 7 x 2 8 x 2
                1 x 3 1 x 4 1 x 5 1 x 6 1 x 7 1 x 8
                2 x 3 2 x 4 3 x 3 3 x 4;
            narrow 1 2 3 4 5 6 7 8;
            turned 1 x 1 1 x 2 1 x 4 2 x 1 2 x 2 3 x 1 3 x 2 4 x 1 4 x 2 5 x 1 6 x 1 7 x 1 8 x 1;
            halves;
            copy 8 x 2);
    }
}
