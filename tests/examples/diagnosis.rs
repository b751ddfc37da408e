//! Diagnoses hundreds of generated networks and prints how often that is right:
//! `cargo run --release -p isobath-tests --example diagnosis -- SEED [CASES [NETS]]`, 520 cases of 256 networks each by
//! default.

use isobath_tests::diagnosis::score;

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).map(|text| text.parse().expect("a number")).collect();
    let number = |i: usize, default: u64| numbers.get(i).copied().unwrap_or(default);
    println!("{}", score(number(1, 520) as usize, number(2, 256), number(0, 1)));
}
