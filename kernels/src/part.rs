//! Parts of slices, cut to what is there: no range panics.
//!
//! An empty part still points to the end of its slice: a masked load of no element is slow at an address that is not
//! mapped.

/// At most `length` elements from `start` on.
#[inline(always)]
pub(crate) fn part(x: &[f32], start: usize, length: usize) -> &[f32] {
    let rest = from(x, start);
    rest.get(..length).unwrap_or(rest)
}

/// At most `length` elements from `start` on, to write.
#[inline(always)]
pub(crate) fn part_mut(x: &mut [f32], start: usize, length: usize) -> &mut [f32] {
    let rest = from_mut(x, start);
    let length = length.min(rest.len());
    rest.get_mut(..length).unwrap_or(&mut [])
}

/// The elements from `start` on.
#[inline(always)]
pub(crate) fn from(x: &[f32], start: usize) -> &[f32] {
    x.get(start.min(x.len())..).unwrap_or(&[])
}

/// The elements from `start` on, to write.
#[inline(always)]
pub(crate) fn from_mut(x: &mut [f32], start: usize) -> &mut [f32] {
    x.get_mut(start.min(x.len())..).unwrap_or(&mut [])
}
