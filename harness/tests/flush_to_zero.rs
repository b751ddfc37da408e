//! A process that flushes subnormal numbers to zero is out of the contract, and `verify` says so.
//!
//! Only another language can put a process there without unsafe code: a library that the loader adds to the command, as a
//! plug-in or an interpreter would. The C compiler is the one that links this test.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Runs `isobath verify` over a small sample of one function, in a process with these bits of MXCSR.
fn verify_with(mxcsr: u32) -> Output {
    let folder = TempDir::new().unwrap();
    let (source, library) = (folder.path().join("set.c"), folder.path().join("set.so"));
    let text = format!(
        "#include <xmmintrin.h>\n\
         __attribute__((constructor)) static void set(void) {{ _mm_setcsr(_mm_getcsr() | {mxcsr:#x}); }}\n"
    );
    fs::write(&source, text).unwrap();
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
    assert!(compiled.expect("the C compiler, which also links Rust").success());
    let mut verify = Command::new(env!("CARGO_BIN_EXE_isobath"));
    verify.args(["verify", "--exhaustive", "--functions", "exp", "--sample", "65537"]);
    verify.env("LD_PRELOAD", &library).output().unwrap()
}

#[test]
fn verify_says_that_subnormal_numbers_are_flushed() {
    const DENORMALS_ARE_ZERO: u32 = 1 << 6;
    const FLUSH_TO_ZERO: u32 = 1 << 15;
    let untouched = verify_with(0);
    assert!(untouched.status.success(), "{}", String::from_utf8_lossy(&untouched.stderr));
    for mxcsr in [DENORMALS_ARE_ZERO, FLUSH_TO_ZERO, DENORMALS_ARE_ZERO | FLUSH_TO_ZERO] {
        let output = verify_with(mxcsr);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("flushes subnormal numbers to zero"), "{message}");
    }
}
