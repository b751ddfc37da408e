//! A hash of f32 results in which every NaN is the same NaN.

/// FNV-1a, 64 bits, over the little-endian bits of each value; NaN is canonicalised, because its payload differs
/// between instruction sets and is no part of the contract.
pub fn hash(values: &[f32]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for value in values {
        let bits = if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() };
        for byte in bits.to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

/// Whether two results are the same to the contract: equal bits, or both NaN.
pub fn same_bits(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

/// Fails with the first difference, naming `what`, unless the slices have the same bits (NaN equals NaN).
#[track_caller]
pub fn assert_same_bits(expected: &[f32], found: &[f32], what: &str) {
    assert_eq!(expected.len(), found.len(), "{what}: lengths differ");
    for (i, (e, f)) in expected.iter().zip(found).enumerate() {
        assert!(
            same_bits(*e, *f),
            "{what}: element {i} is {f:e} ({:08x}), expected {e:e} ({:08x})",
            f.to_bits(),
            e.to_bits()
        );
    }
}
