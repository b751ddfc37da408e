//! Floats from a fuzzer's bytes: any bit pattern, or, where NaN everywhere would hide all else, numbers of moderate size.

use arbitrary::{Result, Unstructured};

/// Written where nothing may be read or changed.
pub(crate) const POISON: f32 = f32::from_bits(0x7fc5_a5a5);

/// A pool of words that operands are filled from, in turn and without end.
pub(crate) struct Pool {
    words: Vec<u32>,
    moderate: bool,
    next: u32,
}

impl Pool {
    /// All bytes that are left; `moderate` keeps the exponents near that of 1.
    pub(crate) fn new(input: &mut Unstructured<'_>, moderate: bool) -> Result<Self> {
        let bytes = input.bytes(input.len())?;
        let words = bytes.chunks(4).map(|chunk| {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            u32::from_le_bytes(word)
        });
        Ok(Self { words: words.collect(), moderate, next: 0 })
    }

    /// The next number.
    fn take(&mut self) -> f32 {
        let place = self.next as usize;
        self.next = self.next.wrapping_add(1);
        let word = match self.words.len() {
            0 => 0,
            length => self.words[place % length],
        };
        if self.moderate {
            // Multiples of the golden ratio make the words of every round differ.
            let mixed = word ^ (place as u32).wrapping_mul(0x9e37_79b9);
            let exponent = 127 - 12 + (mixed >> 23 & 0xff) % 24;
            f32::from_bits(mixed & 0x807f_ffff | exponent << 23)
        } else {
            f32::from_bits(word)
        }
    }

    /// So many numbers, `offset` floats behind the start of their memory, poison before them.
    pub(crate) fn vector(&mut self, length: usize, offset: usize) -> Vec<f32> {
        let mut values = vec![POISON; offset];
        values.extend((0..length).map(|_| self.take()));
        values
    }

    /// A matrix with this stride, `offset` floats behind the start of its memory; poison before, between and behind its rows.
    pub(crate) fn matrix(&mut self, rows: usize, columns: usize, stride: usize, offset: usize) -> Vec<f32> {
        let mut values = vec![POISON; offset + rows * stride + 3];
        for row in 0..rows {
            let start = offset + row * stride;
            values[start..start + columns].fill_with(|| self.take());
        }
        values
    }
}
