//! Every public kernel as a symbol of its own. The panic handler calls a function that exists nowhere, so a kernel
//! whose link lacks that function can panic; `ci/no-panic` links them one by one.
//!
//! The level is an argument, so each symbol holds its kernel at every level of the target. Functions of the C interface
//! are symbols already.
#![no_std]

mod activation;
mod elementwise;
mod gemm;
mod matrix;
mod view;

use core::panic::PanicInfo;

use isobath_capi as _;

unsafe extern "C" {
    fn kernel_may_panic() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: never called: the function exists nowhere, so no program links that gets here.
    unsafe { kernel_may_panic() }
}

/// What must be found to panic, so that a check that finds nothing does not pass.
#[unsafe(no_mangle)]
pub fn control(x: &[f32], i: usize) -> f32 {
    x[i]
}

/// What must be found to need double precision.
#[unsafe(no_mangle)]
pub fn control_double(x: f64, y: f64) -> f64 {
    x * y
}
