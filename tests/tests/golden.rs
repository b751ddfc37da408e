//! The golden list of hashes: the same on every level of this CPU, and as it was written down.
//!
//! A changed line is a change of contract: see `numerics` in the CHANGELOG and `NUMERICS_VERSION`. The list is written
//! by `cargo run -p isobath-golden --example hashes > tests/golden/hashes.txt`.

use isobath_kernels::Level;
use isobath_tests::levels;

const GOLDEN: &str = include_str!("../golden/hashes.txt");

fn kernels(level: Level) -> Vec<String> {
    let mut lines = Vec::new();
    isobath_golden::kernels(level, &mut |line| lines.push(line.to_string()));
    lines
}

#[test]
fn every_level_gives_the_golden_hashes() {
    let golden: Vec<&str> = GOLDEN.lines().collect();
    for level in levels::all() {
        let found = kernels(level);
        for (golden, found) in golden.iter().zip(&found) {
            assert_eq!(golden, found, "on level {}: the bits have changed", level.name());
        }
        assert_eq!(golden.len(), found.len(), "the list has another length on level {}", level.name());
    }
}
