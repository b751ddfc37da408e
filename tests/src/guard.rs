//! Memory between two pages that cannot be touched: an operand that ends, or begins, where its pages do. A kernel that reads
//! or writes one element too far there dies of a signal instead of going unnoticed.

use std::ptr;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

/// Bytes of the forbidden zones: a multiple of every page size in use (4, 16 and 64 KiB).
const ZONE: usize = 1 << 16;

/// Which end of an operand lies beside a forbidden zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Its first element.
    Start,
    /// Its last element.
    End,
}

/// A zone, memory for one operand, and another zone.
#[derive(Debug)]
pub struct Guarded {
    /// Start of the first zone.
    base: *mut u8,
    /// Bytes between the zones, a multiple of [`ZONE`].
    between: usize,
}

impl Guarded {
    /// Room for this many bytes at least.
    pub fn new(bytes: usize) -> Self {
        let between = bytes.max(1).next_multiple_of(ZONE);
        let all = between + 2 * ZONE;
        // SAFETY: a new private mapping at an address that the system chooses overlaps nothing.
        let base = unsafe { mmap_anonymous(ptr::null_mut(), all, ProtFlags::empty(), MapFlags::PRIVATE) };
        let base = base.expect("address space for a test").cast::<u8>();
        let accessible = MprotectFlags::READ | MprotectFlags::WRITE;
        // SAFETY: the range lies within the mapping just made, to which no reference exists.
        let opened = unsafe { mprotect(base.wrapping_add(ZONE).cast(), between, accessible) };
        opened.expect("memory for a test");
        Self { base, between }
    }

    /// Where `bytes` bytes begin that lie at this edge.
    fn address(&self, edge: Edge, bytes: usize) -> *mut u8 {
        assert!(bytes <= self.between, "{bytes} bytes do not fit into {}", self.between);
        self.base.wrapping_add(match edge {
            Edge::Start => ZONE,
            Edge::End => ZONE + self.between - bytes,
        })
    }

    /// Copies values to the edge.
    pub fn place<T: Copy>(&mut self, edge: Edge, values: &[T]) -> &mut [T] {
        let start: *mut T = self.address(edge, size_of_val(values)).cast();
        // The zones are aligned to 64 KiB, and the size of a type is a multiple of its alignment.
        assert!(start.is_aligned());
        // SAFETY: `address` has checked that the values fit between the zones, where memory may be read and written; it is
        // borrowed by nobody else as long as `self` is borrowed mutably. Every element is written before the slice is made, and
        // elements that are Copy need no drop.
        unsafe {
            ptr::copy_nonoverlapping(values.as_ptr(), start, values.len());
            std::slice::from_raw_parts_mut(start, values.len())
        }
    }

    /// Reads the first element beyond a slice of `length` floats at this edge, or the last one within it: what the test of
    /// the tests is made of.
    pub fn read_at_the_edge(&self, edge: Edge, length: usize, beyond: bool) -> f32 {
        let start: *mut f32 = self.address(edge, 4 * length).cast();
        let at = match (edge, beyond) {
            (Edge::Start, false) => start,
            (Edge::Start, true) => start.wrapping_sub(1),
            (Edge::End, false) => start.wrapping_add(length - 1),
            (Edge::End, true) => start.wrapping_add(length),
        };
        // SAFETY: the address is aligned and lies in a mapping that `self` owns. Within the slice it is zero or what was placed
        // there; beyond it, in a zone of the same mapping, the processor stops this process, which is what the caller is after.
        unsafe { at.read_volatile() }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and slices of it do not outlive it.
        let unmapped = unsafe { munmap(self.base.cast(), self.between + 2 * ZONE) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}

/// Several operands, each between zones of its own.
#[derive(Debug)]
pub struct Operands {
    memory: Vec<Guarded>,
    /// Where they lie.
    pub edge: Edge,
}

impl Operands {
    /// Up to `count` operands of up to `bytes` bytes.
    pub fn new(edge: Edge, count: usize, bytes: usize) -> Self {
        Self { memory: (0..count).map(|_| Guarded::new(bytes)).collect(), edge }
    }

    /// Copies each to its edge.
    pub fn place<const N: usize>(&mut self, values: [&[f32]; N]) -> [&mut [f32]; N] {
        assert!(N <= self.memory.len(), "{N} operands in memory for {}", self.memory.len());
        let mut memory = self.memory.iter_mut();
        values.map(|values| memory.next().expect("counted").place(self.edge, values))
    }
}
