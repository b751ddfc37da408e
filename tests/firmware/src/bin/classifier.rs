//! The example of the C interface in Rust: ci/capi compares what both print.
#![no_std]
#![no_main]

use isobath_firmware::{entry, exit};
use isobath_golden::classifier::train;
use isobath_kernels::Level;
use semihosting::println;

#[entry]
fn main() -> ! {
    println!("{}", train(Level::SCALAR));
    exit(true)
}
