//! What a study left in its folder, damaged in any way: `records.jsonl`, `summary.json`, and `outline.json` with the records behind its
//! first line. An error, or figures that can be judged, exported and shown; what is written back reads the same; a study that goes
//! on cuts off a torn tail and nothing else; event files stay in their folder. No panic.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path};

use isobath::diagnose::{folder, judge_networks};
use isobath::export::{csv, parquet, table, tensorboard};
use isobath::report;
use isobath::study::follow::Followed;
use isobath::study::outline::Outline;
use isobath::study::store::{Header, RunId, Store, trials};
use isobath::study::summary::{SCHEMA_VERSION, Summary};
use isobath::train::Trained;

/// Reads the bytes as all of these files.
pub fn run(bytes: &[u8]) {
    let folder = crate::folder::folder();
    let path = folder.join("records.jsonl");
    fs::write(&path, bytes).expect("the folder takes files");
    match (trials(&folder), folder::networks(&folder)) {
        (Ok(runs), Ok(networks)) => {
            export(&runs);
            for (_, records) in networks {
                judge_networks(&records);
            }
        }
        (Err(error), Err(_)) => assert!(!error.to_string().is_empty()),
        (trials, networks) => panic!("{} trials read, networks: {networks:?}", trials.is_ok()),
    }
    match Store::open(&folder, &header(), false) {
        Ok(store) => {
            let kept = fs::read(&path).expect("it is there");
            drop(store);
            if !bytes.is_empty() {
                assert!(bytes.starts_with(&kept), "more was cut off than the tail");
                assert_eq!(kept.last(), Some(&b'\n'));
            }
            let again = Store::open(&folder, &header(), false).expect("what was opened opens again");
            drop(again);
            assert_eq!(kept, fs::read(&path).expect("it is there"));
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_eq!(bytes, fs::read(&path).expect("it is there"), "records that were refused are changed");
        }
    }
    watch(&folder.join("records.jsonl"), bytes);
    drop(folder);
    if let Ok(summary) = serde_json::from_slice::<Summary>(bytes) {
        let text = serde_json::to_vec(&summary).expect("a summary can be written");
        let again: Summary = serde_json::from_slice(&text).expect("and read again");
        assert_eq!(summary, again);
        assert!(report::html(&summary).ends_with("</html>\n"));
    }
}

/// Writes runs for other programs.
fn export(runs: &[(RunId, Trained)]) {
    let rows = table::rows(runs);
    assert!(csv::bytes(&rows).is_ok());
    // A name or a number may be longer than a format can say.
    let _ = parquet::bytes(&rows);
    let mut taken = BTreeSet::new();
    for (path, _) in tensorboard::files(&rows, 0.0) {
        assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{}", path.display());
        assert!(taken.insert(path));
    }
}

/// Follows a study that is under way: an outline, and the records behind its line.
fn watch(records: &Path, bytes: &[u8]) {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let (outline, rest) = bytes.split_at(end);
    let Ok(outline) = serde_json::from_slice::<Outline>(outline) else { return };
    fs::write(records, &rest[1..]).expect("the folder takes files");
    let mut followed = Followed::default();
    if let Err(error) = followed.read_on(records) {
        return assert!(!error.to_string().is_empty());
    }
    assert!(report::html(&outline.so_far(&followed.finished)).ends_with("</html>\n"));
}

/// The header of the corpus's study.
fn header() -> Header {
    Header {
        schema_version: SCHEMA_VERSION,
        study: "s".to_owned(),
        seed: 1,
        fingerprint: "0".to_owned(),
        numerics_version: 1,
        version: String::new(),
        level: String::new(),
        cpu: String::new(),
    }
}
