//! The fused multiply-add on the device: equality of bits with the one that is made of integers.
#![no_std]
#![no_main]

use isobath_firmware::{Random, entry, exit, fma as definition};
use isobath_kernels::simd::fma;
use semihosting::println;

fn check(a: f32, b: f32, c: f32) {
    let (expected, found) = (definition::fma(a, b, c), fma(a, b, c));
    let same = expected.to_bits() == found.to_bits() || expected.is_nan() && found.is_nan();
    assert!(same, "fma({a:e}, {b:e}, {c:e}) is {found:e}, not {expected:e}");
}

#[entry]
fn main() -> ! {
    let mut random = Random(1);
    for _ in 0..50_000 {
        // All exponents, then those near each other, where bits cancel.
        check(f32::from_bits(random.bits()), f32::from_bits(random.bits()), f32::from_bits(random.bits()));
        let (a, b) = (random.value_or_special(), random.value_or_special());
        check(a, b, random.value_or_special());
        check(a, b, -a * b);
    }
    println!("PASS fma bits: 150000 sums");
    exit(true)
}
