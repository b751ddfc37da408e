//! The fuzzer's entry to [`isobath_fuzz::elementwise`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| isobath_fuzz::elementwise::run(bytes));
