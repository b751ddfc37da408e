//! Measures the error of every function over all 2^32 arguments and holds it against the documented table.
//!
//! Run: `cargo run --release -p isobath-tests --example exhaustive [-- NAME...]`. Minutes per function.
//! Exit code 1 if a measured maximum is not the stated one.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use isobath_kernels::Level;
use isobath_tests::accuracy::{self, Errors, Function};
use rayon::prelude::*;

/// Arguments per task.
const CHUNK: u32 = 1 << 16;
/// Tasks per line of progress.
const STRIDE: u32 = 1 << 12;

fn sweep(function: &Function, level: Level) -> Errors {
    let mut errors = Errors::default();
    for first in (0..u32::MAX / CHUNK + 1).step_by(STRIDE as usize) {
        let part = |task: u32| {
            let x: Vec<f32> = (0..CHUNK).map(|i| f32::from_bits(task * CHUNK + i)).collect();
            let mut y = vec![0.0; x.len()];
            (function.kernel)(level, &x, &mut y);
            let mut part = errors;
            function.include(&x, &y, &mut part);
            part
        };
        errors = (first..first + STRIDE).into_par_iter().map(part).reduce(Errors::default, Errors::max);
        eprint!("\r{} {:3} %", function.name, 100 * (first + STRIDE) / (u32::MAX / CHUNK + 1));
    }
    eprint!("\r");
    errors
}

/// Rounded up to three decimals, as the table is.
fn rounded(error: f64) -> f64 {
    (error * 1000.0).ceil() / 1000.0
}

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let level = Level::detect();
    let mut agree = true;
    println!("//! | function | normal | subnormal |   on {}", level.name());
    for function in accuracy::functions() {
        if !names.is_empty() && !names.iter().any(|name| name == function.name) {
            continue;
        }
        let start = Instant::now();
        let Errors { normal, subnormal } = sweep(&function, level);
        let found = (rounded(normal.error), rounded(subnormal.error));
        agree &= found == accuracy::stated(function.name);
        let name = format!("`{}`", function.name);
        println!(
            "//! | {name} | {:.3} | {:.3} |   at {:e} and {:e}, {:.0?}",
            found.0,
            found.1,
            normal.x,
            subnormal.x,
            start.elapsed()
        );
        std::io::stdout().flush().expect("standard output is open");
    }
    if agree { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
