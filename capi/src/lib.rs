//! The kernels for callers in C. What they read is `isobath.h`, made from these files as `cbindgen.toml` says, whose
//! first lines state the contract between caller and library.
//!
//! A function takes pointers, sizes and codes, all plain numbers: no value of them is undefined behaviour by itself.
//! `borrow` checks what can be checked about pointers and makes slices of them; the kernel does the rest, and what
//! it returns becomes a [`Status`]. Nothing has been written where a status is not `Ok`.
#![no_std]
#![expect(clippy::missing_safety_doc, reason = "all functions have one contract, at the head of isobath.h")]

pub mod activation;
pub mod batch_norm;
mod borrow;
pub mod clip;
pub mod gemm;
pub mod loss;
pub mod optimizer;
mod status;

pub use status::{Status, isobath_status_text};

/// The version of the library's bits: raised whenever any function's result changes for any input.
#[unsafe(no_mangle)]
pub extern "C" fn isobath_numerics_version() -> u32 {
    isobath_kernels::NUMERICS_VERSION
}

/// No function here can get to it (ci/no-panic), but every static library must have one.
#[cfg(feature = "panic-handler")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
