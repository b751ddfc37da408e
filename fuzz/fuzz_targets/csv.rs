//! The fuzzer's entry to [`isobath_fuzz::csv`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| isobath_fuzz::csv::run(bytes));
