//! The arrays that a kernel moves, and loops that move arrays and do nothing else.

use std::hint::black_box;
use std::ops::Range;

use isobath_kernels::activation::{self, Identity, Relu};
use isobath_kernels::{Level, peak};
use serde::Serialize;

use super::operands::LINE;

/// A loop that does nothing but move bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// Reads one array.
    Read,
    /// Reads one array and writes another.
    Copy,
    /// Reads and writes one array in place.
    Update,
}

/// How often a kernel reads and writes arrays from end to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    /// Arrays there are.
    pub arrays: usize,
    /// Reads, an array that is read twice counting twice.
    pub reads: usize,
    /// Writes.
    pub writes: usize,
    /// The loop that the kernel is compared with.
    pub like: Loop,
}

impl Streams {
    /// Reads so many arrays.
    pub(super) fn read(reads: usize) -> Self {
        Self { arrays: reads, reads, writes: 0, like: Loop::Read }
    }

    /// Reads so many arrays and writes others.
    pub(super) fn copy(reads: usize, writes: usize) -> Self {
        Self { arrays: reads + writes, reads, writes, like: Loop::Copy }
    }

    /// Reads so many arrays and writes some of them.
    pub(super) fn update(reads: usize, writes: usize) -> Self {
        Self { arrays: reads, reads, writes, like: Loop::Update }
    }

    /// Reads an array that is counted already once more.
    pub(super) fn and_again(self, reads: usize) -> Self {
        Self { reads: self.reads + reads, ..self }
    }

    /// Bytes per element.
    pub fn bytes(self) -> usize {
        (self.reads + self.writes) * size_of::<f32>()
    }
}

/// The memory of the loops, from a cache line on: vectors that lie in two lines take twice as long.
pub(super) struct Reference {
    data: Vec<f32>,
    range: Range<usize>,
}

impl Reference {
    pub(super) fn new(bytes: usize) -> Self {
        // Whole groups of vectors of any level, in both halves.
        let elements = (bytes / size_of::<f32>()).next_multiple_of(256);
        let data = vec![1.0; elements + LINE];
        let first = data.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        Self { data, range: first..first + elements }
    }

    /// Bytes that a loop moves: the copy reads one half and writes the other, the update does both to all.
    pub(super) fn bytes(&self, like: Loop) -> usize {
        let bytes = self.range.len() * size_of::<f32>();
        match like {
            Loop::Read | Loop::Copy => bytes,
            Loop::Update => 2 * bytes,
        }
    }

    pub(super) fn run(&mut self, level: Level, like: Loop) {
        let data = &mut self.data[self.range.clone()];
        match like {
            Loop::Read => {
                black_box(peak::read(level, black_box(data)));
            }
            Loop::Copy => {
                let (from, to) = data.split_at_mut(data.len() / 2);
                let _ = activation::forward(level, Identity, from, black_box(to)); // halves are of one length
            }
            // The least that cannot be left out: a comparison, which is hidden behind loads and stores.
            Loop::Update => activation::forward_in_place(level, Relu, black_box(data)),
        }
    }
}
