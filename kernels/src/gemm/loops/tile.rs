//! The register tile: MR rows times NR columns of C, summed over all of k.
//!
//! All MR x NR sums of a block of k stay in registers; each step loads the vectors of one row of B and broadcasts
//! MR elements of A. Nothing else is in the loop: no address is checked, no element is copied.
//!
//! Each tile is a function of its own per token, size and [`Edge`], shared by all epilogues: a tile leaves plain sums in
//! C or in a buffer, and what is done with them is done there.

use super::ahead::Ahead;
use super::tiles::Tiles;
use crate::gemm::{Init, K_BLOCK};
use crate::part::{from, part, part_mut};
use crate::simd::Simd;
use crate::view::{Elements, LineTiles, MatMut, MatRef, RowsMut, Strips, for_each_quad, for_each_step};

/// The left factor of a column of tiles: MR lines of A for each, from `line` on, read from `start` on.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    pub(super) matrix: &'a MatRef<'a>,
    /// Lines are columns of the matrix.
    pub(super) transposed: bool,
    pub(super) line: usize,
    pub(super) start: usize,
    /// Lines of a panel where they lie in panels, one after the other, else 0. See [`super::pack::left`].
    pub(super) panel: usize,
}

impl<'a> Left<'a> {
    /// The lines that begin `lines` further on: whole panels of them where they lie in panels.
    #[inline(always)]
    pub(super) fn from(self, lines: usize) -> Self {
        Self { line: self.line + lines, ..self }
    }

    #[inline(always)]
    fn tiles<const MR: usize>(self, depth: usize, tiles: usize) -> Option<LineTiles<'a, MR>> {
        match self.line.checked_div(self.panel) {
            Some(panel) => self.matrix.panel_tiles(panel, depth, tiles),
            None => self.matrix.line_tiles(self.transposed, self.line, self.start, depth, tiles),
        }
    }
}

/// The right factor of a tile: `width` columns of op(B) from `column` on, its rows from `start` on.
#[derive(Clone, Copy)]
pub(super) struct Right<'a> {
    pub(super) matrix: &'a MatRef<'a>,
    /// Columns of op(B) are rows of the matrix.
    pub(super) transposed: bool,
    pub(super) column: usize,
    pub(super) start: usize,
    pub(super) width: usize,
}

/// What the sums of the first block of k are added to.
#[derive(Clone, Copy)]
pub(super) enum Start<'a> {
    /// Nothing.
    Zero,
    /// What the output holds.
    Output,
    /// The same row for every row of the tile.
    Row(&'a [f32]),
}

impl<'a> Start<'a> {
    /// What the columns from `column` on begin with.
    #[inline(always)]
    pub(super) fn of(init: &Init<'a>, column: usize, width: usize) -> Self {
        match *init {
            Init::Zero => Self::Zero,
            Init::Accumulate => Self::Output,
            Init::Bias(bias) => Self::Row(part(bias, column, width)),
        }
    }
}

/// What a column of tiles computes: start + left right over `depth` steps of k.
#[derive(Clone, Copy)]
pub(in crate::gemm) struct Work<'a> {
    pub(super) left: Left<'a>,
    pub(super) right: Right<'a>,
    pub(super) depth: usize,
    pub(super) start: Start<'a>,
    /// How many tiles lie one below the other.
    pub(super) tiles: usize,
    /// Whether the output is so large that a tile asks for its part of it before its sums are there.
    pub(super) far: bool,
    /// What tiles of the size that most have ask for meanwhile.
    pub(super) ahead: Option<Ahead>,
}

/// How a row of a tile ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// With a full vector.
    Full,
    /// With a part of a vector.
    Part,
    /// With at most half a vector beyond its full ones, which is kept in a vector of half the width.
    Half,
}

/// [`Edge`] as a parameter of a function.
pub(super) const FULL: u8 = 0;
/// See [`FULL`].
pub(super) const PART: u8 = 1;
/// See [`FULL`].
pub(super) const HALF: u8 = 2;

/// What else a tile does: nothing.
pub(super) const ONLY: u8 = 0;
/// It copies op(B).
pub(super) const COPY: u8 = 1;
/// It asks for what is ahead.
pub(super) const AHEAD: u8 = 2;

/// Rows of op(B) by which the first tile of a strip asks for them before it copies them.
const COPY_AHEAD: usize = 16;

/// Tiles of MR rows and NV vectors (and a half one, see [`Edge::Half`]), one below the other.
#[inline(never)]
pub(super) fn tile<S: Tiles, const MR: usize, const NV: usize, const EDGE: u8, const ALSO: u8>(
    simd: S,
    work: &Work<'_>,
    out: &mut MatMut<'_>,
    copy: &mut [f32],
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let Work { left, right, depth, start, tiles, far, ahead } = *work;
            let inner = inner_width::<S, NV, EDGE>();
            // A constant where it can be one, so that nothing is left to check.
            let width = if EDGE == FULL { inner } else { right.width };
            let matrix = right.matrix;
            let (Some(a), Some(b), Some(mut out)) = (
                left.tiles::<MR>(depth, tiles),
                matrix.strips(right.start, depth, right.column, width),
                out.tiles::<MR>(width, tiles),
            ) else {
                return;
            };
            let whole = matrix.overhanging_strips(right.start, depth, right.column, NV * S::LANES);
            let copy_ahead = COPY_AHEAD * matrix.stride();
            let a = a.opaque();
            for t in 0..tiles {
                let (mut next, next_step) = ahead.map_or((core::ptr::null(), 0), |ahead| ahead.of_tile(t));
                let mut done = 0;
                loop {
                    let steps = (depth - done).min(K_BLOCK);
                    let mut sums = Sums::<S, MR, NV>::zero(simd);
                    if far {
                        let mut out = out.tile(t);
                        for _ in 0..MR {
                            let row = out.next_row();
                            simd.prefetch(row.as_ptr());
                            simd.prefetch(row.as_ptr().wrapping_add(width - 1));
                        }
                    }
                    let mut lines = a.lines(t, done);
                    let mut step = done;
                    if EDGE == PART {
                        // Where a row of B goes on beyond the strip, or the next row begins, a whole vector can be
                        // loaded: no lane shows in another, and those beyond the strip are not stored.
                        let overhanging = whole.from(done);
                        let few = overhanging.len().min(steps);
                        for_each_step(
                            lines,
                            overhanging,
                            NV * S::LANES,
                            few,
                            #[inline(always)]
                            |a, b, _| {
                                sums.add_product::<FULL>(simd, a, &Row::load::<FULL>(simd, b, &[]));
                            },
                        );
                        step += few;
                        lines = lines.from(few);
                    }
                    for_each_step(
                        lines,
                        b.from(step),
                        inner,
                        done + steps - step,
                        #[inline(always)]
                        |a, b, edge| {
                            let vectors = Row::<S, NV>::load::<EDGE>(simd, b, edge);
                            if ALSO == COPY {
                                for v in 0..NV {
                                    simd.prefetch(b.as_ptr().wrapping_add(copy_ahead + v * S::LANES));
                                }
                                let row = part_mut(copy, step * width, width);
                                if let Some((inner, edge)) = row.split_at_mut_checked(inner) {
                                    vectors.store::<EDGE>(simd, inner, edge);
                                }
                                step += 1;
                            }
                            if ALSO == AHEAD {
                                simd.prefetch_far(next);
                                next = next.wrapping_add(next_step);
                            }
                            sums.add_product::<EDGE>(simd, a, &vectors);
                        },
                    );
                    let start = if done == 0 { start } else { Start::Output };
                    sums.finish::<EDGE>(simd, start, depth, out.tile(t));
                    done += steps;
                    if done >= depth {
                        break;
                    }
                }
            }
        },
    );
}

/// Tiles of MR rows and NV vectors where B is stored transposed and has not been packed: four steps of k at a time are
/// turned into vectors on the way. Unless WHOLE, the last of B's rows are too few for a vector.
#[inline(never)]
pub(super) fn turned_tile<S: Tiles, const MR: usize, const NV: usize, const WHOLE: bool>(
    simd: S,
    work: &Work<'_>,
    out: &mut MatMut<'_>,
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let Work { left, right, depth, start, tiles, .. } = *work;
            let width = if WHOLE { NV * S::LANES } else { right.width };
            let (Some(a), Some(mut out)) = (left.tiles::<MR>(depth, tiles), out.tiles::<MR>(width, tiles))
            else {
                return;
            };
            let whole = NV * S::LANES;
            let rows = right.matrix.block(right.column, right.start, width, depth);
            let whole_quads = depth / 4 * 4;
            let rest = Turned::new(rows, whole_quads, whole);
            let (Some(quads), Some(rest)) =
                (rows.quads::<WHOLE>(width), rest.strips(depth - whole_quads, whole))
            else {
                return;
            };
            let a = a.opaque();
            for t in 0..tiles {
                let mut done = 0;
                loop {
                    let steps = (depth - done).min(K_BLOCK);
                    let mut sums = Sums::<S, MR, NV>::zero(simd);
                    let lines = a.lines(t, done);
                    let turned = for_each_quad(
                        lines,
                        quads.from(done),
                        steps,
                        #[inline(always)]
                        |a, quad| {
                            for v in 0..NV {
                                let columns = simd.transpose(
                                    #[inline(always)]
                                    |r| quad.row(v * S::LANES + r),
                                );
                                for p in 0..4 {
                                    sums.add_product_to(simd, &a[p], v, columns[p]);
                                }
                            }
                        },
                    );
                    for_each_step(
                        lines.from(turned),
                        rest.from(0),
                        whole,
                        steps - turned,
                        #[inline(always)]
                        |a, b, _| sums.add_product::<FULL>(simd, a, &Row::load::<FULL>(simd, b, &[])),
                    );
                    let start = if done == 0 { start } else { Start::Output };
                    if WHOLE {
                        sums.finish::<FULL>(simd, start, depth, out.tile(t));
                    } else {
                        sums.finish::<PART>(simd, start, depth, out.tile(t));
                    }
                    done += steps;
                    if done >= depth {
                        break;
                    }
                }
            }
        },
    );
}

/// Most columns of a tile that turns B on the way.
const TURNED: usize = 4 * 8;

/// The last columns of B's rows, fewer than four, turned.
struct Turned([f32; 3 * TURNED]);

impl Turned {
    /// The columns from `column` on as rows of `width` elements, those beyond the rows of B +0.0.
    #[inline(never)]
    fn new(rows: MatRef<'_>, column: usize, width: usize) -> Self {
        let mut turned = [0.0; 3 * TURNED];
        let none = column >= rows.columns();
        for r in 0..if none { 0 } else { rows.rows().min(width) } {
            for (p, x) in from(rows.row(r), column).iter().enumerate() {
                if let Some(out) = turned.get_mut(p * width + r) {
                    *out = *x;
                }
            }
        }
        Self(turned)
    }

    #[inline(always)]
    fn strips(&self, rows: usize, width: usize) -> Option<Strips<'_>> {
        MatRef::new(&self.0, rows, width).ok()?.strips(0, rows, 0, width)
    }
}

/// Columns of a tile that are full vectors for certain.
#[inline(always)]
const fn inner_width<S: Simd, const NV: usize, const EDGE: u8>() -> usize {
    (if EDGE == PART { NV.saturating_sub(1) } else { NV }) * S::LANES
}

/// The vectors of one row of op(B).
struct Row<S: Tiles, const NV: usize> {
    full: [S::F32; NV],
    half: <S::Half as Simd>::F32,
}

impl<S: Tiles, const NV: usize> Row<S, NV> {
    /// Loads a row whose full vectors are in `inner` and whose last elements are in `edge`.
    // Loops, because `array::from_fn` is a call of its own wherever the compiler thinks so.
    #[inline(always)]
    fn load<const EDGE: u8>(simd: S, inner: &[f32], edge: &[f32]) -> Self {
        let mut row = Self { full: [simd.splat(0.0); NV], half: simd.half().splat(0.0) };
        for v in 0..NV {
            row.full[v] = if EDGE == PART && v + 1 == NV {
                simd.load_part(edge)
            } else {
                simd.load(inner.get(v * S::LANES..(v + 1) * S::LANES).unwrap_or(&[]))
            };
        }
        if EDGE == HALF {
            row.half = simd.half().load_part(edge);
        }
        row
    }

    /// Stores the row: its full vectors to `inner`, the rest of it to `edge`.
    #[inline(always)]
    fn store<const EDGE: u8>(&self, simd: S, inner: &mut [f32], edge: &mut [f32]) {
        for v in 0..NV {
            if EDGE == PART && v + 1 == NV {
                simd.store_part(self.full[v], edge);
            } else if let Some(out) = inner.get_mut(v * S::LANES..(v + 1) * S::LANES) {
                simd.store(self.full[v], out);
            }
        }
        if EDGE == HALF {
            simd.half().store_part(self.half, edge);
        }
    }
}

/// The sums of one block of k.
struct Sums<S: Tiles, const MR: usize, const NV: usize> {
    full: [[S::F32; NV]; MR],
    half: [<S::Half as Simd>::F32; MR],
}

impl<S: Tiles, const MR: usize, const NV: usize> Sums<S, MR, NV> {
    #[inline(always)]
    fn zero(simd: S) -> Self {
        Self { full: [[simd.splat(0.0); NV]; MR], half: [simd.half().splat(0.0); MR] }
    }

    /// sums[r][v] = fma(a[r], b[v], sums[r][v]).
    #[inline(always)]
    fn add_product<const EDGE: u8>(&mut self, simd: S, a: Elements<'_, MR>, b: &Row<S, NV>) {
        for r in 0..MR {
            if NV > 0 {
                let a = simd.splat(a.get(r));
                for v in 0..NV {
                    self.full[r][v] = simd.mul_add(a, b.full[v], self.full[r][v]);
                }
            }
            if EDGE == HALF {
                let a = simd.half().splat(a.get_again(r));
                self.half[r] = simd.half().mul_add(a, b.half, self.half[r]);
            }
        }
    }

    /// sums[r][v] = fma(a[r], b, sums[r][v]).
    #[inline(always)]
    fn add_product_to(&mut self, simd: S, a: &Elements<'_, MR>, v: usize, b: S::F32) {
        for r in 0..MR {
            self.full[r][v] = simd.mul_add(simd.splat(a.get(r)), b, self.full[r][v]);
        }
    }

    /// Adds the block's sums to what came before them and stores the totals.
    #[inline(always)]
    fn finish<const EDGE: u8>(self, simd: S, start: Start<'_>, depth: usize, mut out: RowsMut<'_>) {
        let inner = inner_width::<S, NV, EDGE>();
        match start {
            Start::Zero => {
                for r in 0..MR {
                    let Some((inner, edge)) = out.next_row_in_two(inner) else { return };
                    self.row(r).store::<EDGE>(simd, inner, edge);
                }
            }
            Start::Output => {
                for r in 0..MR {
                    let Some((inner, edge)) = out.next_row_in_two(inner) else { return };
                    let before = Row::<S, NV>::load::<EDGE>(simd, inner, edge);
                    self.row(r).added_to::<EDGE>(simd, &before, depth).store::<EDGE>(simd, inner, edge);
                }
            }
            Start::Row(before) => {
                let Some((row, rest)) = before.split_at_checked(inner) else { return };
                let before = Row::<S, NV>::load::<EDGE>(simd, row, rest);
                for r in 0..MR {
                    let Some((inner, edge)) = out.next_row_in_two(inner) else { return };
                    self.row(r).added_to::<EDGE>(simd, &before, depth).store::<EDGE>(simd, inner, edge);
                }
            }
        }
    }

    #[inline(always)]
    fn row(&self, r: usize) -> Row<S, NV> {
        Row { full: self.full[r], half: self.half[r] }
    }
}

impl<S: Tiles, const NV: usize> Row<S, NV> {
    /// before + sums. Without a step of k there is no sum: what came before passes as it is, sign of zero included.
    #[inline(always)]
    fn added_to<const EDGE: u8>(self, simd: S, before: &Self, depth: usize) -> Self {
        if depth == 0 {
            return Self { full: before.full, half: before.half };
        }
        let mut totals = self;
        for v in 0..NV {
            totals.full[v] = simd.add(before.full[v], totals.full[v]);
        }
        if EDGE == HALF {
            totals.half = simd.half().add(before.half, totals.half);
        }
        totals
    }
}
