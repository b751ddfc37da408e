//! Fixed operands, made of integers alone.

/// Zeros, the ends of the number format and of its subnormal part, NaN of both kinds and signs.
const SPECIAL: [u32; 20] = [
    0x0000_0000,
    0x8000_0000, // zeros
    0x0000_0001,
    0x8000_0001,
    0x007f_ffff,
    0x807f_ffff, // subnormal
    0x0080_0000,
    0x8080_0000,
    0x0080_0001, // the smallest normal numbers
    0x7f7f_ffff,
    0xff7f_ffff, // the largest
    0x7f80_0000,
    0xff80_0000, // infinities
    0x7fc0_0000,
    0xffc0_0000,
    0x7f80_0001,
    0xffbf_ffff, // NaN, quiet and signalling
    0x3f80_0000,
    0xbf80_0000,
    0x3f00_0000, // 1, -1, 1/2
];

/// A counter that walks through all 32-bit words (Weyl's sequence), and a mixing function.
pub(crate) struct Words(u32);

impl Words {
    pub(crate) fn new(seed: u32) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9);
        let mut z = self.0;
        z = (z ^ z >> 16).wrapping_mul(0x85eb_ca6b);
        z = (z ^ z >> 13).wrapping_mul(0xc2b2_ae35);
        z ^ z >> 16
    }
}

/// The special values, then any bits at all.
pub(crate) fn anything<const N: usize>(seed: u32) -> [f32; N] {
    let mut words = Words::new(seed);
    core::array::from_fn(|i| f32::from_bits(SPECIAL.get(i).copied().unwrap_or_else(|| words.next())))
}

/// Magnitudes from 2^-9 to 2^7, so that no order of additions gives the same sum; one in 32 is a zero.
pub(crate) fn ordinary<const N: usize>(seed: u32) -> [f32; N] {
    let mut words = Words::new(seed);
    core::array::from_fn(|_| value(&mut words))
}

fn value(words: &mut Words) -> f32 {
    let (bits, choice) = (words.next(), words.next());
    if choice & 31 == 0 {
        return f32::from_bits(bits & 0x8000_0000);
    }
    f32::from_bits(bits & 0x807f_ffff | (118 + (choice >> 5) % 16) << 23)
}

/// Ordinary values of which some, far apart, are special ones.
pub(crate) fn spoilt<const N: usize>(seed: u32) -> [f32; N] {
    let mut values = ordinary(seed);
    for (value, bits) in values.iter_mut().skip(5).step_by(37).zip(SPECIAL) {
        *value = f32::from_bits(bits);
    }
    values
}

/// Class labels.
pub(crate) fn labels<const N: usize>(seed: u32, classes: u32) -> [u32; N] {
    let mut words = Words::new(seed);
    core::array::from_fn(|_| words.next() % classes)
}
