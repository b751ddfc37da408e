//! A study leaves no memory and no file descriptor behind, however it ends: to the byte and to the block.
#![cfg(target_os = "linux")]

#[path = "common/held.rs"]
mod held;

use std::fs::File;
use std::hint::black_box;

use held::{Held, SMALL, WARM, study};
use isobath::study::StudyError;
use tempfile::TempDir;

/// A part of what is held.
type Part = fn(&Held) -> usize;

/// What of it may not grow.
const HELD: [(&str, Part); 3] =
    [("bytes", |held| held.bytes), ("blocks", |held| held.blocks), ("descriptors", |held| held.descriptors)];

#[test]
fn every_further_study_leaves_exactly_what_the_one_before_left() {
    let folder = TempDir::new().unwrap();
    let round = || {
        let interrupted = study(SMALL, folder.path(), true).unwrap_err();
        assert!(matches!(interrupted, StudyError::Interrupted), "{interrupted}");
        let refused = study(&SMALL.replace("batch = 20", "batch = 201"), folder.path(), false).unwrap_err();
        assert!(refused.to_string().contains("training.batch is 201"), "{refused}");
        study(SMALL, folder.path(), false).unwrap()
    };
    let hash = round();
    for _ in 1..WARM {
        assert_eq!(round(), hash);
    }
    let mut rounds = Vec::with_capacity(12);
    for _ in 0..12 {
        assert_eq!(round(), hash);
        rounds.push(Held::now());
    }
    // Threads that have ended leave a block of 2304 bytes each, some of them longer than others.
    let (before, after) = rounds.split_at(4);
    for (what, of) in HELD {
        let (most, least) = (before.iter().map(of).max(), after.iter().map(of).min());
        assert!(least <= most, "{what} grew: {before:?}, then {after:?}");
    }
    let held = Held::now();
    // It would be seen.
    let leak = black_box(Box::new([0_u8; 3]));
    let file = File::open("/dev/null").unwrap();
    let more = Held { bytes: held.bytes + 3, blocks: held.blocks + 1, descriptors: held.descriptors + 1 };
    assert_eq!(Held::now(), more);
    drop((leak, file));
    assert_eq!(Held::now(), held);
}
