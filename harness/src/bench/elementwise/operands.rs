//! What a kernel works on: arrays one behind the other, as in a network's arena, and what goes with their rows and columns.

use super::kernels::{Kernel, Values};
use crate::random::Random;

/// Columns of what is taken as a matrix.
pub(super) const COLUMNS: usize = 64;
/// Most arrays that a kernel has.
pub(super) const ARRAYS: usize = 4;

/// Elements of a cache line; every array begins at one.
pub(super) const LINE: usize = 16;
/// Lines from the end of an array to the next: no two begin at the same place of a page.
const GAP: usize = 5 * LINE;
/// Values after which an array repeats itself.
const PERIOD: usize = 1 << 14;

pub(super) struct Operands {
    pub(super) arrays: Arrays,
    /// Vectors with one element per column.
    pub(super) columns: [Vec<f32>; 5],
    /// Vectors with one element per row.
    pub(super) rows: [Vec<f32>; 2],
    /// A class per row.
    pub(super) labels: Vec<u32>,
    /// A norm that the first array exceeds: made anew by each call that clips.
    pub(super) bound: f32,
}

impl Operands {
    /// Operands of so many bytes together.
    pub(super) fn new(kernel: &Kernel, bytes: usize) -> Self {
        let elements = bytes / size_of::<f32>() / kernel.streams.arrays;
        let rows = (elements / COLUMNS).max(2);
        Self {
            arrays: Arrays::new(kernel.streams.arrays, rows * COLUMNS, kernel.values),
            columns: [(); 5].map(|()| vec![1.0; COLUMNS]),
            rows: [(); 2].map(|()| vec![1.0; rows]),
            labels: (0..rows).map(|i| (i % COLUMNS) as u32).collect(),
            bound: 1.0,
        }
    }

    /// Elements of each array.
    pub(super) fn elements(&self) -> usize {
        self.arrays.elements
    }
}

/// Arrays of one length.
pub(super) struct Arrays {
    data: Vec<f32>,
    /// Where the first cache line begins.
    first: usize,
    count: usize,
    elements: usize,
}

impl Arrays {
    fn new(count: usize, elements: usize, values: Values) -> Self {
        let data = vec![0.0; count * (elements + GAP) + LINE];
        let first = data.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        let mut arrays = Self { data, first, count, elements };
        for (i, array) in arrays.all().into_iter().enumerate() {
            let (head, tail) = array.split_at_mut(array.len().min(PERIOD));
            Random::stream(1, i as u64).fill_normal(head, 1.0);
            for value in &mut *head {
                match values {
                    Values::Normal => {}
                    Values::Positive => *value = value.abs().max(f32::MIN_POSITIVE),
                    Values::One => *value = 1.0,
                }
            }
            tail.chunks_mut(PERIOD).for_each(|part| part.copy_from_slice(&head[..part.len()]));
        }
        arrays
    }

    /// All arrays; those there are not are empty.
    pub(super) fn all(&mut self) -> [&mut [f32]; ARRAYS] {
        let mut rest = &mut self.data[self.first..];
        let (count, elements) = (self.count, self.elements);
        std::array::from_fn(|i| {
            if i >= count {
                return Default::default();
            }
            let (array, others) = std::mem::take(&mut rest).split_at_mut(elements + GAP);
            rest = others;
            &mut array[..elements]
        })
    }
}
