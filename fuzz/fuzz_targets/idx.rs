//! The fuzzer's entry to [`isobath_fuzz::idx`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| isobath_fuzz::idx::run(bytes));
