//! The fuzzer's entry to [`isobath_fuzz::norm_clip`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| isobath_fuzz::norm_clip::run(bytes));
