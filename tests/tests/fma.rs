//! The two software fused multiply-adds against the host's, which the standard library defines as correctly rounded.

use isobath_kernels::simd;
use isobath_tests::fma::fma;
use isobath_tests::hash::same_bits;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

#[track_caller]
fn check(a: f32, b: f32, c: f32) {
    let expected = a.mul_add(b, c);
    for (name, found) in [
        ("isobath_tests::fma::fma", fma(a, b, c)),
        ("simd::fma", simd::fma(a, b, c)),
        ("simd::fma_from_integers", simd::fma_from_integers(a, b, c)),
    ] {
        assert!(
            same_bits(expected, found),
            "{name}({a:e}, {b:e}, {c:e}) = {found:e} ({:08x}), expected {expected:e} ({:08x})",
            found.to_bits(),
            expected.to_bits()
        );
    }
}

/// Magnitudes at the edges of the format: zeros, subnormals, powers of two and their neighbours, infinity, NaN.
fn edges() -> Vec<f32> {
    let mut magnitudes =
        vec![0, 1, 2, 3, 0x7f_fffe, 0x7f_ffff, 0x80_0000, 0x80_0001, 0x7f80_0000, 0x7fc0_0000];
    for field in [1, 2, 23, 24, 25, 63, 64, 65, 102, 103, 104, 126, 127, 128, 150, 151, 190, 252, 253, 254] {
        for fraction in [0, 1, 0x3f_ffff, 0x40_0000, 0x40_0001, 0x7f_ffff] {
            magnitudes.push(field << 23 | fraction);
        }
    }
    magnitudes.iter().flat_map(|bits| [f32::from_bits(*bits), -f32::from_bits(*bits)]).collect()
}

#[test]
fn edges_of_the_format() {
    let edges = edges();
    for a in &edges {
        for b in &edges {
            // A third of the addends each time, another third for each pair, keeps the cube affordable.
            let skip = (a.to_bits() ^ b.to_bits().rotate_left(7)) as usize % 3;
            for c in edges.iter().skip(skip).step_by(3) {
                check(*a, *b, *c);
            }
        }
    }
}

#[test]
fn random_bit_patterns() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    for _ in 0..2_000_000 {
        let (x, y) = (random.next_u64(), random.next_u64());
        check(f32::from_bits(x as u32), f32::from_bits((x >> 32) as u32), f32::from_bits(y as u32));
    }
}

/// The addend is the negated rounded product, or near it, so that the sum cancels; or it puts the product at the
/// addend's rounding boundary.
#[test]
fn cancellation_and_ties() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(2);
    for _ in 0..1_000_000 {
        let (x, y) = (random.next_u64(), random.next_u64());
        let a = f32::from_bits(x as u32);
        // An exponent that keeps a b near or inside the range of f32, the subnormals included.
        let target = (y % 300) as i32 - 10;
        let field = (target + 127 - (a.to_bits() >> 23 & 0xff) as i32).clamp(0, 254) as u32;
        let b = f32::from_bits((x >> 32) as u32 & 0x807f_ffff | field << 23);
        let product = a * b;
        let near = f32::from_bits(product.to_bits().wrapping_add((y >> 32) as u32 % 5).wrapping_sub(2));
        check(a, b, -near);
        let scale = ((y >> 16) % 60) as u32;
        let far = f32::from_bits((product.to_bits() ^ (y >> 48 << 31) as u32).wrapping_add(scale << 23));
        check(a, b, far);
        // Few bits in each factor: sums that lie exactly between two neighbours.
        let few = |v: f32| f32::from_bits(v.to_bits() & 0xffff_8000);
        check(few(a), few(b), f32::from_bits(far.to_bits() | 1));
        check(few(a), few(b), few(far));
    }
}
