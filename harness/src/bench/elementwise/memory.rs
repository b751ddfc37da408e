//! The memories that operands may lie in: the caches of this machine, and what is behind them.

use serde::Serialize;

use crate::machine;

/// A memory, and how many bytes of operands lie in it and in no faster one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// L1, L2, L3 or DRAM.
    #[serde(rename = "memory")]
    pub name: &'static str,
    /// The bytes of all operands together.
    pub bytes: usize,
}

const NAMES: [&str; 3] = ["L1", "L2", "L3"];
/// Bounds of the operands in main memory.
const DRAM_BYTES: [usize; 2] = [64 << 20, 512 << 20];

/// The memories of this machine, fastest first: half of each core's own caches, a quarter of the last one, which cores
/// share, and four times that one for main memory.
pub fn memories() -> Vec<Memory> {
    of_caches(&machine::caches())
}

fn of_caches(caches: &[usize]) -> Vec<Memory> {
    let mut memories = Vec::new();
    for (i, (name, size)) in NAMES.into_iter().zip(caches).enumerate() {
        let before = if i == 0 { 0 } else { caches[i - 1] };
        let bytes = if i < 2 { size / 2 } else { (size / 4).max(2 * before).min(size / 2) };
        memories.push(Memory { name, bytes });
    }
    let [least, most] = DRAM_BYTES;
    let bytes = (4 * caches.last().copied().unwrap_or(0)).clamp(least, most);
    memories.push(Memory { name: "DRAM", bytes });
    memories
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_fit_their_cache_and_not_the_one_before() {
        let bytes = |caches: &[usize]| -> Vec<usize> {
            of_caches(caches).iter().map(|memory| memory.bytes).collect()
        };
        assert_eq!(bytes(&[32 << 10, 512 << 10, 32 << 20]), [16 << 10, 256 << 10, 8 << 20, 128 << 20]);
        assert_eq!(bytes(&[48 << 10, 2 << 20, 12 << 20]), [24 << 10, 1 << 20, 4 << 20, 64 << 20]);
        assert_eq!(bytes(&[64 << 10, 4 << 20]), [32 << 10, 2 << 20, 64 << 20]);
        assert_eq!(bytes(&[32 << 10, 1 << 20, 1 << 30]).last(), Some(&(512 << 20)));
        let here = memories();
        assert!(here.len() >= 2 && here.windows(2).all(|pair| pair[0].bytes < pair[1].bytes), "{here:?}");
    }
}
