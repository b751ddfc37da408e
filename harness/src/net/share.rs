//! Passes over the elements or the columns of arrays, shared among threads.
//!
//! Only passes that treat each element, or each column, by itself: no sum is cut.

use isobath_kernels::{MatMut, MatRef};

use crate::threads::Threads;

/// What a piece of a pass has to take at least, in times of handing it over.
const WORTH_HANDING_OVER: usize = 2;
/// Elements read or written in a nanosecond, about, in the first two levels of the cache.
const SPEED: usize = 32;
/// What an element of an activation with its derivative costs, in elements read or written.
pub(super) const ACTIVATION: usize = 6;
/// Cuts fall between lines of the cache, so that no two threads write to the same.
pub(super) const LINE: usize = 16;

/// Arrays that can be cut in two at the same place.
pub(super) trait Split: Sized + Send {
    /// What lies before `at`, and the rest: elements of slices, columns of matrices.
    fn split(self, at: usize) -> (Self, Self);
}

impl Split for &[f32] {
    fn split(self, at: usize) -> (Self, Self) {
        self.split_at(at.min(self.len()))
    }
}

impl Split for &mut [f32] {
    fn split(self, at: usize) -> (Self, Self) {
        let at = at.min(self.len());
        self.split_at_mut(at)
    }
}

impl Split for MatRef<'_> {
    fn split(self, at: usize) -> (Self, Self) {
        (self.sub_columns(0, at), self.sub_columns(at, self.columns()))
    }
}

impl Split for MatMut<'_> {
    fn split(self, at: usize) -> (Self, Self) {
        self.split_columns(at)
    }
}

impl<A: Split, B: Split, C: Split> Split for (A, B, C) {
    fn split(self, at: usize) -> (Self, Self) {
        let ((a, b), c) = ((self.0, self.1).split(at), self.2.split(at));
        ((a.0, a.1, c.0), (b.0, b.1, c.1))
    }
}

impl<A: Split, B: Split> Split for (A, B) {
    fn split(self, at: usize) -> (Self, Self) {
        let ((a, rest_of_a), (b, rest_of_b)) = (self.0.split(at), self.1.split(at));
        ((a, b), (rest_of_a, rest_of_b))
    }
}

/// What the halves of a pass have found becomes what the whole has.
pub(super) trait Joined: Default + Send {
    fn join(self, other: Self) -> Self;
}

impl Joined for Option<()> {
    fn join(self, other: Self) -> Self {
        self.and(other)
    }
}

/// The larger; NaN if one is.
impl Joined for f32 {
    fn join(self, other: Self) -> Self {
        if self >= other || self.is_nan() { self } else { other }
    }
}

/// Runs `work` over arrays of `length` elements, or columns, on as many threads as its cost is worth: `cost` elements
/// read or written.
pub(super) fn share<T: Threads, P: Split, R: Joined>(
    threads: &T,
    cost: usize,
    length: usize,
    parts: P,
    work: &(impl Fn(P) -> R + Sync),
) -> R {
    let worth = (WORTH_HANDING_OVER * SPEED).saturating_mul(threads.handover().max(1));
    let pieces = threads.count().min(cost / worth);
    let at = length * (pieces / 2) / pieces.max(1) / LINE * LINE;
    if at == 0 {
        return work(parts);
    }
    let (first, second) = parts.split(at);
    let part_of = |length_of: usize| cost / length * length_of;
    let (mut of_first, mut of_second) = (R::default(), R::default());
    threads.join(
        |team| of_first = share(team, part_of(at), at, first, work),
        |team| of_second = share(team, part_of(length - at), length - at, second, work),
    );
    of_first.join(of_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many threads, to which it takes a nanosecond to hand work over, one after the other.
    struct Several(usize);

    impl Threads for Several {
        fn count(&self) -> usize {
            self.0
        }
        fn handover(&self) -> usize {
            1
        }
        fn join(&self, first: impl FnOnce(&Self) + Send, second: impl FnOnce(&Self) + Send) {
            first(&Self(self.0 / 2));
            second(&Self(self.0 - self.0 / 2));
        }
    }

    /// Elements that are worth a thread.
    const ALL: usize = WORTH_HANDING_OVER * SPEED;

    /// Doubles x and writes the lengths of the pieces where they begin.
    fn pieces(threads: usize, length: usize, elements: usize) -> Vec<usize> {
        let (x, mut y) = (vec![1.0f32; length], vec![0.0f32; length]);
        let mut begins = vec![0.0f32; length];
        let work = |(x, (y, begins)): (&[f32], (&mut [f32], &mut [f32]))| {
            y.iter_mut().zip(x).for_each(|(y, x)| *y += 2.0 * x);
            begins[0] = x.len() as f32;
            Some(())
        };
        share(&Several(threads), elements, length, (&x[..], (&mut y[..], &mut begins[..])), &work)
            .expect("work");
        assert_eq!(y, vec![2.0; length], "each element once");
        begins.into_iter().map(|length| length as usize).filter(|length| *length > 0).collect()
    }

    #[test]
    fn cuts_fall_between_lines_and_no_piece_is_too_small() {
        assert_eq!(pieces(2, 2 * ALL, 2 * ALL), [ALL, ALL]);
        assert_eq!(pieces(2, 2 * ALL - 1, 2 * ALL - 1), [2 * ALL - 1]);
        assert_eq!(pieces(2, 2 * ALL + 21, 2 * ALL + 21), [ALL, ALL + 21]);
        assert_eq!(pieces(3, 9 * ALL, 9 * ALL), [3 * ALL, 3 * ALL, 3 * ALL]);
        // Columns of tall matrices.
        assert_eq!(pieces(2, 50, 4 * ALL), [16, 34]);
        assert_eq!(pieces(2, 31, 4 * ALL), [31]);
        assert_eq!(pieces(4, 64, 8 * ALL), [16; 4]);
    }

    #[test]
    fn what_halves_find_becomes_one() {
        assert_eq!(Some(()).join(None), None);
        assert_eq!(Some(()).join(Some(())), Some(()));
        assert_eq!(1.0f32.join(2.0), 2.0);
        assert_eq!(2.0f32.join(1.0), 2.0);
        assert!(f32::NAN.join(1.0).is_nan());
        assert!(1.0f32.join(f32::NAN).is_nan());
    }
}
