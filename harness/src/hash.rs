//! The 64-bit hash that runs are compared by.

/// FNV-1a over little-endian bytes. NaN is canonicalised: its payload is no part of the numerical contract.
///
/// ```
/// use isobath::hash::Hash;
///
/// // Runs that are equal to the last bit have equal hashes; whatever NaN came out counts as the same.
/// let of = |values: &[f32]| {
///     let mut hash = Hash::new();
///     hash.f32s(values);
///     hash.finish()
/// };
/// assert_ne!(of(&[0.0]), of(&[-0.0]));
/// assert_eq!(of(&[f32::NAN]), of(&[-f32::NAN]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Hash(u64);

impl Hash {
    /// The hash of nothing.
    ///
    /// ```
    /// use isobath::hash::Hash;
    ///
    /// // FNV-1a's offset basis.
    /// assert_eq!(Hash::new().finish(), 0xcbf2_9ce4_8422_2325);
    /// ```
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Takes in bytes.
    ///
    /// ```
    /// use isobath::hash::Hash;
    ///
    /// // Of the test vectors of FNV-1a.
    /// let mut hash = Hash::new();
    /// hash.bytes(b"foobar");
    /// assert_eq!(hash.finish(), 0x8594_4171_f739_67e8);
    /// ```
    pub fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Takes in the bits of values.
    ///
    /// ```
    /// use isobath::hash::Hash;
    ///
    /// let (mut values, mut bytes) = (Hash::new(), Hash::new());
    /// values.f32s(&[1.0]);
    /// bytes.bytes(&1f32.to_le_bytes());
    /// assert_eq!(values.finish(), bytes.finish());
    /// ```
    pub fn f32s(&mut self, values: &[f32]) {
        for value in values {
            let bits = if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() };
            self.bytes(&bits.to_le_bytes());
        }
    }

    /// Takes in an integer.
    ///
    /// ```
    /// use isobath::hash::Hash;
    ///
    /// let (mut number, mut bytes) = (Hash::new(), Hash::new());
    /// number.u64(7);
    /// bytes.bytes(&[7, 0, 0, 0, 0, 0, 0, 0]);
    /// assert_eq!(number.finish(), bytes.finish());
    /// ```
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// The hash.
    ///
    /// ```
    /// use isobath::hash::Hash;
    ///
    /// // Runs print it in 16 hexadecimal digits.
    /// assert_eq!(format!("{:016x}", Hash::new().finish()), "cbf29ce484222325");
    /// ```
    pub const fn finish(self) -> u64 {
        self.0
    }
}

impl Default for Hash {
    fn default() -> Self {
        Self::new()
    }
}
