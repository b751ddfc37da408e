//! Values that break kernels: special ones, and dense samples of all f32.

/// Zeros, limits of the number format, NaN of both signs and kinds, and the limits at which functions saturate.
pub fn special() -> Vec<f32> {
    let positive = [
        0.0,
        f32::from_bits(1),
        f32::from_bits(0x007f_ffff),
        f32::MIN_POSITIVE,
        f32::from_bits(0x0080_0001),
        0.5,
        1.0,
        2.0,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
        f32::from_bits(0x7f80_0001),
        f32::from_bits(0x7fff_ffff),
    ];
    positive.iter().flat_map(|x| [*x, f32::from_bits(x.to_bits() | 1 << 31)]).collect()
}

/// Points where the functions change their formula, saturate or have a zero, each with its neighbours.
pub fn critical() -> Vec<f32> {
    let points = [
        0.125,
        0.3465736,
        std::f32::consts::FRAC_1_SQRT_2,
        0.7517916,
        0.75246143,
        1.0,
        1.2784645,
        std::f32::consts::SQRT_2,
        3.832,
        5.5,
        9.01,
        10.05,
        13.2,
        14.4,
        16.6,
        17.3,
        43.7,
        87.3366,
        88.3763,
        88.7228,
        92.2,
        103.97,
        104.0,
        108.7,
        120.0,
    ];
    let mut values = Vec::new();
    for point in points {
        let bits = f32::to_bits(point);
        for b in bits - 512..=bits + 512 {
            values.extend([f32::from_bits(b), -f32::from_bits(b)]);
        }
    }
    values
}

/// A dense, stratified sample: for each sign and exponent some thousand significands, spread evenly, and more where
/// the functions curve; with the special and critical values.
pub fn dense() -> Vec<f32> {
    let mut values = special();
    values.extend(critical());
    for exponent in 0..255u32 {
        let count = if (127 - 14..127 + 8).contains(&exponent) { 16_384 } else { 512 };
        for i in 0..count {
            // Multiples of the golden ratio fill the significands evenly.
            let significand = (i + exponent).wrapping_mul(0x9e37_79b9) >> 9;
            let x = f32::from_bits(exponent << 23 | significand);
            values.extend([x, -x]);
        }
    }
    values
}
