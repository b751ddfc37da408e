//! The fuzzer's entry to [`isobath_fuzz::toml`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| isobath_fuzz::toml::run(bytes));
