//! Passes over the elements or the columns of arrays, shared among threads.
//!
//! Only passes that treat each element, or each column, by itself: no sum is cut.

use isobath_kernels::{MatMut, MatRef};

use crate::threads::Threads;

/// Elements below which a pass is not worth another thread: half a microsecond's work, several times what handing it
/// over costs.
const WORTH_A_THREAD: usize = 1 << 13;
/// Cuts fall between lines of the cache, so that no two threads write to the same.
const LINE: usize = 16;

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

/// Runs `work` over arrays of `length` elements, or columns, on as many threads as `elements` elements are worth.
pub(super) fn share<T: Threads, P: Split, R: Joined>(
    threads: &T,
    elements: usize,
    length: usize,
    parts: P,
    work: &(impl Fn(P) -> R + Sync),
) -> R {
    let pieces = threads.count().min(elements / WORTH_A_THREAD);
    let at = length * (pieces / 2) / pieces.max(1) / LINE * LINE;
    if at == 0 {
        return work(parts);
    }
    let (first, second) = parts.split(at);
    let part_of = |length_of: usize| elements / length * length_of;
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
    use crate::threads::Workers;

    /// Doubles x and writes the lengths of the pieces where they begin.
    fn pieces(threads: usize, length: usize, elements: usize) -> Vec<usize> {
        let workers = Workers::new(threads).expect("threads");
        let (x, mut y) = (vec![1.0f32; length], vec![0.0f32; length]);
        let mut begins = vec![0.0f32; length];
        let work = |(x, (y, begins)): (&[f32], (&mut [f32], &mut [f32]))| {
            y.iter_mut().zip(x).for_each(|(y, x)| *y += 2.0 * x);
            begins[0] = x.len() as f32;
            Some(())
        };
        share(&workers.team(), elements, length, (&x[..], (&mut y[..], &mut begins[..])), &work)
            .expect("work");
        assert_eq!(y, vec![2.0; length], "each element once");
        begins.into_iter().map(|length| length as usize).filter(|length| *length > 0).collect()
    }

    #[test]
    fn cuts_fall_between_lines_and_no_piece_is_too_small() {
        let all = WORTH_A_THREAD;
        assert_eq!(pieces(2, 2 * all, 2 * all), [all, all]);
        assert_eq!(pieces(2, 2 * all - 1, 2 * all - 1), [2 * all - 1]);
        assert_eq!(pieces(2, 2 * all + 21, 2 * all + 21), [all, all + 21]);
        assert_eq!(pieces(3, 9 * all, 9 * all), [3 * all, 3 * all, 3 * all]);
        // Columns of tall matrices.
        assert_eq!(pieces(2, 50, 4 * all), [16, 34]);
        assert_eq!(pieces(2, 31, 4 * all), [31]);
        assert_eq!(pieces(4, 64, 8 * all), [16; 4]);
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
