//! Replays what the fuzzer has found worth keeping, on stable and in seconds.
//!
//! `ISOBATH_CORPORA=gemm,idx` names the only corpora to replay, for machines on which all take too long.

use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

use isobath_fuzz::TARGETS;

/// Each input of each corpus in its folder's target. A corpus that has got lost is an error, not a pass.
#[test]
fn every_input_of_the_corpora_keeps_the_promises() {
    let only = std::env::var("ISOBATH_CORPORA").ok();
    let chosen = |name: &str| only.as_ref().is_none_or(|only| only.split(',').any(|chosen| chosen == name));
    let targets: Vec<_> = TARGETS.into_iter().filter(|(name, _)| chosen(name)).collect();
    assert!(!targets.is_empty(), "no corpus is called {only:?}");
    let mut broken = Vec::new();
    for (name, run) in targets {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut inputs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        inputs.sort();
        assert!(inputs.len() >= 3, "{}: {} inputs", folder.display(), inputs.len());
        println!("{name}: {} inputs", inputs.len());
        for input in inputs {
            println!("  {}", input.display());
            let bytes = fs::read(&input).unwrap();
            if catch_unwind(|| run(&bytes)).is_err() {
                broken.push(input);
            }
        }
    }
    assert!(broken.is_empty(), "a promise is broken by {broken:?}");
}
