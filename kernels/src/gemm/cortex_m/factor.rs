//! The lines that a product multiplies: op(A)'s rows or op(B)'s columns, however they are stored.

use core::marker::PhantomData;

use super::K_BLOCK;
use crate::MatRef;

/// `count` lines of `steps` elements each. Lines either lie beside each other (`across` is 1) or are
/// consecutive elements each (`along` is 1).
pub(super) struct Factor<'a> {
    // Invariant: the elements first + line across + p along for line < count, p < steps are in the data;
    // across or along is 1.
    first: *const f32,
    across: usize,
    along: usize,
    steps: usize,
    count: usize,
    data: PhantomData<&'a [f32]>,
}

/// Where assembly finds a block of k of some lines of a factor.
pub(super) struct Place {
    /// The first element of the first line.
    pub(super) first: *const f32,
    /// Bytes from one line to the next where they are apart, from one step to the next where they lie beside
    /// each other.
    pub(super) stride: usize,
    /// Bytes from one step to the next.
    pub(super) step: usize,
    /// Steps to the end of the block of k, at least one.
    pub(super) steps: usize,
}

impl<'a> Factor<'a> {
    /// The first `steps` elements of the rows (transposed: of the columns) of a matrix.
    pub(super) fn new(matrix: MatRef<'a>, transposed: bool, steps: usize) -> Self {
        let count = if transposed { matrix.columns() } else { matrix.rows() };
        let none = Self { first: [].as_ptr(), across: 1, along: 1, steps: 0, count, data: PhantomData };
        matrix.line_tiles::<1>(transposed, 0, 0, steps, count).map_or(none, |lines| Self {
            first: lines.first,
            across: lines.across,
            along: lines.along,
            steps,
            count,
            data: PhantomData,
        })
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// Whether the elements of one step are consecutive.
    #[inline(always)]
    pub(super) fn is_beside(&self) -> bool {
        self.across == 1
    }

    /// The lines `line..line + count` from step `start` on, if there are that many and such a step.
    #[inline(always)]
    pub(super) fn place(&self, line: usize, count: usize, start: usize) -> Option<Place> {
        if start >= self.steps || count > self.count || line > self.count - count {
            return None;
        }
        let stride = if self.is_beside() { self.along } else { self.across };
        // What wraps is not used: with more than one line or step it is a distance in the data.
        let bytes = |stride: usize| stride.wrapping_mul(size_of::<f32>());
        let offset = line.wrapping_mul(self.across).wrapping_add(start.wrapping_mul(self.along));
        let steps = (self.steps - start).min(K_BLOCK);
        Some(Place {
            first: self.first.wrapping_add(offset),
            stride: bytes(stride),
            step: bytes(self.along),
            steps,
        })
    }
}
