//! The golden list: one line per public kernel, with a hash of its results on fixed operands.
//!
//! Every machine must print `hashes.txt`, line by line. This crate needs no operating system and no allocator, so a
//! microcontroller runs the very code that a server does. Operands are made of integers alone and hold the edge
//! values: zeros of both signs, subnormals, infinities, NaN (which hashes canonicalise), and every length of tail.
#![no_std]
#![allow(clippy::missing_panics_doc, reason = "a kernel that refuses the operands has failed the comparison")]

mod activation;
pub mod classifier;
mod elementwise;
pub mod fused;
mod gemm;
mod line;
mod matrix;
mod operands;
mod reduce;
pub mod training;

use core::fmt;

use isobath_kernels::Level;

pub use line::Line;
use line::List;

/// Prints the whole list, the training runs included: every line of `hashes.txt`.
///
/// # Errors
/// What `out` returns.
pub fn print(level: Level, space: &mut training::Space, out: &mut impl fmt::Write) -> fmt::Result {
    let mut result = Ok(());
    kernels(level, &mut |line| result = result.and_then(|()| writeln!(out, "{line}")));
    training::RUNS.iter().fold(result, |result, run| {
        result.and_then(|()| writeln!(out, "{}", training::train(run, level, space, 0)))
    })
}

/// Calls `visit` with the line of every kernel, in a fixed order.
pub fn kernels(level: Level, visit: &mut dyn FnMut(&Line)) {
    let mut list = List::new(level, visit);
    elementwise::add(&mut list);
    activation::add(&mut list);
    reduce::add(&mut list);
    matrix::add(&mut list);
    gemm::add(&mut list);
}
