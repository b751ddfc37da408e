//! Prints the golden list on the level named, or on the fastest: `cargo run -p isobath-golden --example hashes [LEVEL]`.

use std::process::ExitCode;

use isobath_golden::training::Space;
use isobath_kernels::Level;

fn main() -> ExitCode {
    let level = match std::env::args().nth(1) {
        None => Some(Level::detect()),
        Some(name) => Level::from_name(&name),
    };
    let Some(level) = level else {
        let here: Vec<&str> = Level::available().map(Level::name).collect();
        eprintln!("this machine has no such level; it has {}", here.join(", "));
        return ExitCode::from(2);
    };
    let (mut list, mut space) = (String::new(), Box::new(Space::new()));
    isobath_golden::print(level, &mut space, &mut list).expect("writing to a string cannot fail");
    print!("{list}");
    ExitCode::SUCCESS
}
