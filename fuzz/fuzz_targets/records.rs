//! The fuzzer's entry to [`isobath_fuzz::records`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| isobath_fuzz::records::run(bytes));
