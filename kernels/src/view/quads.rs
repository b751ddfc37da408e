//! Columns of a matrix, four at a time, as the B operand of register tiles that turn it on the way.

use core::hint::black_box;
use core::marker::PhantomData;

use super::MatRef;
use super::lines::{Elements, Lines};

impl<'a> MatRef<'a> {
    /// The columns, four at a time, of the first `rows` rows. None if there are not as many or none is asked for.
    ///
    /// WHOLE says that `rows` is a constant when the code is compiled, because it fills whole vectors: where each row
    /// lies is then part of an instruction's address. It changes no element.
    #[inline(always)]
    pub(crate) fn quads<const WHOLE: bool>(self, rows: usize) -> Option<Quads<'a, WHOLE>> {
        if rows > self.rows {
            return None;
        }
        let last = rows.checked_sub(1)?;
        let (first, left) = (self.data.as_ptr(), self.columns / 4);
        Some(Quads { first, stride: self.stride, last, left, data: PhantomData })
    }
}

/// Columns, four at a time, see [`MatRef::quads`].
#[derive(Clone, Copy)]
pub(crate) struct Quads<'a, const WHOLE: bool> {
    // Invariant: the 4 left elements from first + r stride for r <= last are in the data.
    first: *const f32,
    stride: usize,
    last: usize,
    left: usize,
    data: PhantomData<&'a [f32]>,
}

impl<'a, const WHOLE: bool> Quads<'a, WHOLE> {
    /// The columns from `column` on, a multiple of four.
    #[inline(always)]
    pub(crate) fn from(self, column: usize) -> Self {
        let first = self.first.wrapping_add(column / 4 * 4);
        Self { first, left: self.left.saturating_sub(column / 4), ..self }
    }

    /// The same for a loop: where the rows lie is computed when they are read, as there are too few registers to hold all
    /// that.
    #[inline(always)]
    pub(crate) fn opaque(self) -> impl Iterator<Item = OpaqueQuad<'a, WHOLE>> {
        let rows = |count: usize| black_box(count * self.stride);
        let (one, three, four) = (rows(1), rows(3), rows(4));
        (0..self.left).map(
            #[inline(always)]
            move |quad| {
                let first = black_box(self.first.wrapping_add(4 * quad));
                OpaqueQuad { first, one, three, four, last: self.last, data: PhantomData }
            },
        )
    }
}

/// Four columns of many rows, see [`Quads::opaque`].
#[derive(Clone, Copy)]
pub(crate) struct OpaqueQuad<'a, const WHOLE: bool> {
    // Invariant: the 4 elements from first + r one for r <= last are in the data; three and four are as many times one.
    first: *const f32,
    one: usize,
    three: usize,
    four: usize,
    last: usize,
    data: PhantomData<&'a [f32]>,
}

impl<'a, const WHOLE: bool> OpaqueQuad<'a, WHOLE> {
    /// Row r, or the last one where there is none.
    #[inline(always)]
    pub(crate) fn row(&self, r: usize) -> &'a [f32; 4] {
        let r = r.min(self.last);
        if !WHOLE {
            // SAFETY: the row is at most `last`, so by the invariant its elements are in the data, which 'a keeps borrowed.
            return unsafe { &*self.first.add(r * self.one).cast::<[f32; 4]>() };
        }
        // A constant, where the number of rows is one. x86 has each of these in an address.
        let few = match r % 4 {
            0 => 0,
            1 => self.one,
            2 => 2 * self.one,
            _ => self.three,
        };
        // SAFETY: the offset is r times the stride; else as above.
        unsafe { &*self.first.add(r / 4 * self.four).add(few).cast::<[f32; 4]>() }
    }
}

/// Calls `each` with the elements of A at four steps and the columns of B at these, for at most `steps` steps over k that
/// both have, in order. Returns the steps that were made.
#[inline(always)]
pub(crate) fn for_each_quad<'a, const R: usize, const WHOLE: bool>(
    a: Lines<'a, R>,
    b: Quads<'a, WHOLE>,
    steps: usize,
    mut each: impl FnMut([Elements<'a, R>; 4], OpaqueQuad<'a, WHOLE>),
) -> usize {
    let quads = (steps.min(a.left) / 4).min(b.left);
    let (mut first, mut twin) = (a.first, a.twin);
    for quad in b.opaque().take(quads) {
        let elements = |p: usize| Elements {
            first: first.wrapping_add(p * a.along),
            twin: twin.wrapping_add(p * a.along),
            odd: a.odd,
            data: PhantomData,
        };
        each([elements(0), elements(1), elements(2), elements(3)], quad);
        first = first.wrapping_add(4 * a.along);
        twin = twin.wrapping_add(4 * a.along);
    }
    4 * quads
}
