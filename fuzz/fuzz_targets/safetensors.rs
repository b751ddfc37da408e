//! The fuzzer's entry to [`isobath_fuzz::safetensors`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| isobath_fuzz::safetensors::run(bytes));
