//! The fuzzer's entry to [`isobath_fuzz::gemm`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| isobath_fuzz::gemm::run(bytes));
