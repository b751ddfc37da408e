//! Trains 784-30-10 in 128 KB of memory: parameters, sample, generator and stack. ci/firmware links it with no more RAM
//! than that, and compares its line with the host's.
#![no_std]
#![no_main]

use isobath_firmware::{entry, exit, stack};
use isobath_golden::fused::{Network, train};
use isobath_kernels::Level;
use semihosting::{eprintln, println};

#[entry]
fn main() -> ! {
    // cortex-m-rt makes a static of an entry's `static mut`, and hands out the only reference.
    static mut NETWORK: Network = Network::new();
    stack::paint();
    let trained = train(Level::SCALAR, NETWORK);
    let (used, left) = stack::used_and_left();
    println!("{trained}");
    eprintln!("static {} bytes, stack {used} bytes, {left} never touched", size_of::<Network>());
    exit(trained.is_good() && left > 0)
}
